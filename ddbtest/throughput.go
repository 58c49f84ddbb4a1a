// SPDX-License-Identifier: Apache-2.0

package ddbtest

import (
	"time"

	"github.com/dynamotable/ddb/ddbtest/internal/engine"
)

// Throughput is what [WithThroughput] makes an engine obey. The zero value takes the numbers that AWS documents.
type Throughput struct {
	// Partitions is how many partitions each table and each global index has, equal ranges of hashes of partition keys. 0
	// makes as many as its warm throughput needs: 4 for a new table.
	Partitions int
	// Burst is how long a table keeps throughput that it does not use. 0 is the documented 300 seconds, a negative
	// time keeps none; then what is left of the running second counts alone.
	Burst time.Duration
	// TableReadUnits and TableWriteUnits are the quota of the account for each on-demand table and index, in units a second. 0
	// is the default quota of 40,000.
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

// WithThroughput makes the engine throttle, on its clock, as tables are defined: by their provisioned throughput, or by the
// maximum and the quota of an on-demand table; and by the 3,000 read and 1,000 write units a second that a partition gives.
// Global indexes have limits of their own, and a write that an index cannot take is refused. By default nothing is throttled.
//
// It is a model of documented numbers, not of the service's own bookkeeping. Each limit is a bucket that fills at its rate. A
// new table has the units of one second, and throughput that is not used is kept for Throughput.Burst; partitions keep none.
// A request is admitted while no limit that it uses is empty and takes what it costs, since the cost of a read is known when it has been
// read; so in w seconds a limit admits at most rate x w, what it has kept, and one request. Transactions cost twice, a condition that is not met
// costs what the stored item does, what time to live deletes costs nothing. Of a batch, the members that were not admitted
// come back as unprocessed; if there is no other, the batch is throttled.
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
