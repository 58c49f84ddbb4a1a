// SPDX-License-Identifier: Apache-2.0

package ddbtest

import (
	"time"

	"github.com/dynamotable/ddb/ddbtest/internal/engine"
)

// Throughput configures [WithThroughput]. The zero value uses the numbers that AWS documents.
type Throughput struct {
	// Partitions is how many partitions each table and each global index has, equal ranges of hashes of partition keys. 0
	// means as many as its warm throughput needs: 4 for a new table.
	Partitions int
	// Burst is how long a table keeps unused throughput. 0 means the documented 300 seconds; with a negative
	// time only the rest of the current second is kept.
	Burst time.Duration
	// TableReadUnits and TableWriteUnits are the quota of the account for each on-demand table and index, in units a second. 0
	// means the default quota of 40,000.
	TableReadUnits, TableWriteUnits float64
}

// What AWS documents.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/burst-adaptive-capacity.html
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/ServiceQuotas.html#default-limits-throughput
const (
	defaultBurst      = 300 * time.Second
	defaultTableQuota = 40_000
)

// WithThroughput makes the engine throttle requests, on its clock, by the provisioned throughput of a table, or by the
// maximum and the quota of an on-demand table; and by the 3,000 read and 1,000 write units a second of a partition.
// Global indexes have separate limits, and a write that exceeds the limit of an index is refused. By default nothing is throttled.
//
// It is a model of documented numbers, not of the service's own bookkeeping. Each limit is a bucket that fills at its rate. A
// new table has the units of one second, and throughput that is not used is kept for Throughput.Burst; partitions keep none.
// A request is admitted if no limit that it uses is empty, and then takes its cost, because the cost of a read is known only after the
// read. So in w seconds a limit admits at most rate x w, what it has kept, and one request. Transactions cost twice as much, a failed condition
// costs as much as the stored item, and deletions by time to live cost nothing. The members of a batch that were not admitted
// are returned as unprocessed; if no member was admitted, the batch is throttled.
//
// Errors give the service's reasons, such as TableReadProvisionedThroughputExceeded, and the resource. Partitions do
// not split under load, autoscaling and the quota of all tables together are not modelled, and SearchVectors has no limits.
func WithThroughput(t Throughput) Option {
	m := &engine.ThroughputModel{Partitions: t.Partitions, Burst: t.Burst, TableReads: t.TableReadUnits, TableWrites: t.TableWriteUnits}
	switch {
	case m.Burst == 0:
		m.Burst = defaultBurst
	case m.Burst < 0:
		m.Burst = 0
	}
	if m.TableReads <= 0 {
		m.TableReads = defaultTableQuota
	}
	if m.TableWrites <= 0 {
		m.TableWrites = defaultTableQuota
	}
	return func(c *config) { c.throughput = m }
}
