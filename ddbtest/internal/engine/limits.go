// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"cmp"
	"encoding/binary"
	"slices"
	"sync"
	"time"
)

// ThroughputModel limits throughput as documented for tables, indexes and partitions. It is
// a model of documented numbers, not of the service's own bookkeeping.
//
// A limit is a bucket of units. It fills at its rate, and keeps unused units for the time of Burst. A request is admitted
// if no bucket that it uses is empty, and then takes its cost, because the cost of a read is known only after the read.
// So one request may overdraw a bucket, which has to fill again before the next.
type ThroughputModel struct {
	// Partitions is the number of partitions of every table and index; 0 means as many as its warm throughput needs.
	Partitions int
	// Burst is how long unused throughput is kept.
	Burst time.Duration
	// TableReads and TableWrites are the quota of an account for each on-demand table and index.
	TableReads, TableWrites float64
}

// The limits of a partition, in units a second.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/bp-partition-key-design.html
const (
	partitionReads  = 3000
	partitionWrites = 1000
)

// The parts of throttling reasons.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_ThrottlingReason.html
const (
	limitProvisioned = "ProvisionedThroughputExceeded"
	limitMaxOnDemand = "MaxOnDemandThroughputExceeded"
	limitAccount     = "AccountLimitExceeded"
	limitKeyRange    = "KeyRangeThroughputExceeded"
)

// Texts of throttling, which the API reference gives for cancelled transactions.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactWriteItems.html
const (
	msgTableProvisioned = "The level of configured provisioned throughput for the table was exceeded. Consider increasing your provisioning level with the UpdateTable API."
	msgIndexProvisioned = "The level of configured provisioned throughput for one or more global secondary indexes of the table was exceeded. Consider increasing your provisioning level for the under-provisioned global secondary indexes with the UpdateTable API."
	msgTableOnDemand    = "Throughput exceeds the current capacity of your table or index. DynamoDB is automatically scaling your table or index so please try again shortly. If exceptions persist, check if you have a hot key: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/bp-partition-key-design.html."
	msgIndexOnDemand    = "Throughput exceeds the current capacity for one or more global secondary indexes. DynamoDB is automatically scaling your index so please try again shortly."
	msgAccount          = "Throughput exceeds the current throughput limit for your account. Please contact AWS Support at https://aws.amazon.com/support request a limit increase"
)

// limits are the buckets of one table and its indexes.
type limits struct {
	mu      sync.Mutex
	buckets map[bucketID]*bucket
}

// bucketID identifies a limit: of the table, "", or a global index, as a whole or, from 0, of one of its partitions.
type bucketID struct {
	index     string
	partition int
	write     bool
}

const wholeTable = -1

// bucket holds units; the number is negative after a request that cost more than there were.
type bucket struct {
	rate, most, units float64
	at                time.Time
}

// fill updates the bucket to the present time, with the rate that it had until now.
func (b *bucket) fill(now time.Time, rate, most float64) {
	if passed := now.Sub(b.at).Seconds(); passed > 0 {
		b.units = min(b.most, b.units+passed*b.rate)
	}
	b.at, b.rate, b.most = now, rate, most
	b.units = min(b.units, most)
}

// allowance is what one request may use of the limits of a table. A nil one has no limits. Its use is one
// critical section of the table, so that no other request takes units between check and take.
type allowance struct {
	model    *ThroughputModel
	table    *Table
	now      time.Time
	onDemand bool
	own      capacityLimits // of the table
}

// capacityLimits are the capacity settings of a table or index.
type capacityLimits struct {
	provisioned throughput
	ceiling     *OnDemandThroughput
	warm        *WarmThroughput
}

// allow begins the use of a table's limits. It must not be called while the lock of a partition is held; its lock is taken after those of partitions.
func (e *Engine) allow(t *Table) *allowance {
	if t.limits == nil {
		return nil
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	return &allowance{
		model: e.throughput, table: t, now: e.clock.Now(), onDemand: t.settings.billing.onDemand,
		own: capacityLimits{t.settings.throughput, t.settings.onDemand, t.settings.warm},
	}
}

// allowances are the allowances of the tables of a transaction, in the order in which all transactions lock them.
type allowances []*allowance

func (e *Engine) allowances(actions []*action) allowances {
	if e.throughput == nil {
		return nil
	}
	keys := make([]tableKey, len(actions))
	for i, w := range actions {
		keys[i].table = w.table
	}
	return e.allowancesOf(keys)
}

func (e *Engine) allowancesOf(keys []tableKey) allowances {
	if e.throughput == nil {
		return nil
	}
	var list allowances
	for _, k := range keys {
		if list.of(k.table) == nil {
			list = append(list, e.allow(k.table))
		}
	}
	slices.SortFunc(list, func(a, b *allowance) int { return cmp.Compare(a.table.number, b.table.number) })
	return list
}

func (l allowances) of(t *Table) *allowance {
	for _, a := range l {
		if a.table == t {
			return a
		}
	}
	return nil
}

// lock locks the allowances and returns the function that unlocks them.
func (l allowances) lock() (unlock func()) {
	for _, a := range l {
		a.lock()
	}
	return func() {
		for _, a := range l {
			a.unlock()
		}
	}
}

func (a *allowance) lock() {
	if a != nil {
		a.table.limits.mu.Lock()
	}
}

func (a *allowance) unlock() {
	if a != nil {
		a.table.limits.mu.Unlock()
	}
}

// of returns the settings of the table, for nil and local indexes, or of a global index. Local indexes use the throughput of the table.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/LSI.html#LSI.ThroughputConsiderations
func (a *allowance) of(x *Index) (capacityLimits, string) {
	if x == nil || x.Local {
		return a.own, ""
	}
	return capacityLimits{x.throughput, x.onDemand, x.warm}, x.Name
}

// rate returns the rate of a whole table or index, and the limit that is reported when it is exceeded.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/on-demand-capacity-mode-max-throughput.html
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/ServiceQuotas.html#default-limits-throughput
func (a *allowance) rate(c capacityLimits, write bool) (float64, string) {
	if !a.onDemand {
		if write {
			return float64(c.provisioned.write), limitProvisioned
		}
		return float64(c.provisioned.read), limitProvisioned
	}
	quota, ceiling := a.model.TableReads, (*int64)(nil)
	if write {
		quota = a.model.TableWrites
	}
	if c.ceiling != nil {
		ceiling = c.ceiling.MaxReadRequestUnits
		if write {
			ceiling = c.ceiling.MaxWriteRequestUnits
		}
	}
	if ceiling != nil && *ceiling > 0 && float64(*ceiling) <= quota {
		return float64(*ceiling), limitMaxOnDemand
	}
	return quota, limitAccount
}

// partitions returns how many partitions a table or index has: as many as its warm throughput needs.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/warm-throughput.html
func (a *allowance) partitions(c capacityLimits) int {
	if a.model.Partitions > 0 {
		return a.model.Partitions
	}
	w := describeWarm(c.warm, c.provisioned, "")
	return int(max(1, (w.ReadUnitsPerSecond+partitionReads-1)/partitionReads, (w.WriteUnitsPerSecond+partitionWrites-1)/partitionWrites))
}

// partitionOf returns the partition of a storage key, which begins with the hash of the partition key: partitions are equal
// ranges of hashes.
func partitionOf(key string, partitions int) int {
	if len(key) < 4 {
		return 0
	}
	return int(uint64(binary.BigEndian.Uint32([]byte(key[:4]))) * uint64(partitions) >> 32)
}

// whole and part return the buckets of a table or index as a whole and of the partition that a key is in. Burst lets
// a partition exceed its share of the table, but never the limit of a partition.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/burst-adaptive-capacity.html
func (a *allowance) whole(x *Index, write bool) (*bucket, string) {
	c, name := a.of(x)
	rate, limit := a.rate(c, write)
	return a.bucket(bucketID{name, wholeTable, write}, rate, rate*max(1, a.model.Burst.Seconds())), limit
}

func (a *allowance) part(x *Index, write bool, key string) *bucket {
	c, name := a.of(x)
	rate := float64(partitionReads)
	if write {
		rate = partitionWrites
	}
	return a.bucket(bucketID{name, partitionOf(key, a.partitions(c)), write}, rate, rate)
}

// bucket returns a bucket in its present state. When its table was created it had the units of one second.
func (a *allowance) bucket(id bucketID, rate, most float64) *bucket {
	l := a.table.limits
	b := l.buckets[id]
	if b == nil {
		b = &bucket{rate: rate, most: most, units: rate, at: a.table.created}
		l.buckets[id] = b
	}
	b.fill(a.now, rate, most)
	return b
}

// check refuses an access to a key if the partition, or the table or index as a whole, has nothing left.
func (a *allowance) check(x *Index, write bool, key string) error {
	if a == nil {
		return nil
	}
	if b, limit := a.whole(x, write); b.units <= 0 {
		return a.throttled(x, write, limit)
	}
	if a.part(x, write, key).units <= 0 {
		return a.throttled(x, write, limitKeyRange)
	}
	return nil
}

// take takes units for a key.
func (a *allowance) take(x *Index, write bool, key string, units float64) {
	if a == nil || units == 0 {
		return
	}
	b, _ := a.whole(x, write)
	b.units -= units
	a.part(x, write, key).units -= units
}

// read combines check and take for a read whose cost is known.
func (a *allowance) read(key string, units float64) error {
	if err := a.check(nil, false, key); err != nil {
		return err
	}
	a.take(nil, false, key, units)
	return nil
}

// throttled returns the error for an exceeded limit: of the account, of provisioned throughput, or of an on-demand table.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/throttling-diagnosing-workflow.html
func (a *allowance) throttled(x *Index, write bool, limit string) error {
	e := &Error{Type: ProvisionedThroughputExceededException, Message: msgTableProvisioned}
	resource, kind := a.table.arn, "Table"
	global := x != nil && !x.Local
	if global {
		resource, kind = a.table.arn+"/index/"+x.Name, "Index"
		e.Message = msgIndexProvisioned
	}
	switch {
	case limit == limitAccount:
		e.Type, e.Message = RequestLimitExceeded, msgAccount
	case a.onDemand && global:
		e.Type, e.Message = ThrottlingException, msgIndexOnDemand
	case a.onDemand:
		e.Type, e.Message = ThrottlingException, msgTableOnDemand
	}
	operation := "Read"
	if write {
		operation = "Write"
	}
	e.Throttling = []ThrottlingReason{{Reason: kind + operation + limit, Resource: resource}}
	return e
}
