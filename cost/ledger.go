// SPDX-License-Identifier: Apache-2.0

package cost

import (
	"encoding/json"
	"math"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/dynamotable/ddb/internal/tablename"
)

// Ledger counts consumed capacity by table, index, operation and caller's label
// (ddb.WithLabel), exactly and without locks. Every operation of a table is counted in
// its ledger, which is ddb.DefaultLedger unless set by the option ddb.WithLedger.
//
// Counting works as follows:
//
//   - GetItem, Query, Scan, BatchGetItem and TransactGetItems consume read units,
//     the other operations write units. If DynamoDB states both, as for a
//     TransactWriteItems that is sent again, both count.
//   - A write consumes units of the table and of each index that it changes; they
//     are counted separately. A reply without that division counts for the table.
//   - Each request is one operation, even if it consumed nothing or its reply does
//     not state it: a read counts for the index that it reads, a write for the table. A batch
//     or transaction request on several tables is one operation for each.
//
// A failed condition and a cancelled transaction count as operations. The units that
// they consume, and those of a call whose reply was lost, are not in any reply and so not in the
// ledger. Retries inside the SDK client count as one operation.
//
// At most 256 labels and 4,096 combinations are counted separately; the rest is
// counted under the name "other". A Ledger is safe for concurrent use. A nil
// *Ledger counts nothing.
type Ledger struct {
	once     sync.Once
	entries  any // *sync.Map: entryKey to *counters
	labels   any // *sync.Map: string to struct{}
	nEntries atomic.Int64
	nLabels  atomic.Int64
}

const (
	maxEntries    = 4096
	maxLabels     = 256
	maxLabelBytes = 128
	overflowName  = "other"
)

// syncMap is the type of the value in a field of a Ledger. The field has another type because a ledger is a part of every table, and the
// compiler instantiates the 128 functions of a sync.Map again in each package that has one.
func syncMap(field any) *sync.Map { return field.(*sync.Map) } //nolint:forcetypeassert // as ready makes it

type entryKey struct{ table, index, op, label string }

// counters have units in millionths, as amounts do.
type counters struct{ read, write, operations atomic.Int64 }

// NewLedger makes an empty ledger.
func NewLedger() *Ledger { return new(Ledger) }

// ready makes the maps of a zero Ledger.
func (l *Ledger) ready() {
	l.once.Do(func() { l.entries, l.labels = new(sync.Map), new(sync.Map) })
}

// Record counts one operation that did not go through a table, such as a direct
// call of the SDK; index is empty for the table itself. Units that are negative or
// not finite count as zero.
func (l *Ledger) Record(table, index, op string, read, write float64) {
	if l == nil {
		return
	}
	l.add(entryKey{table: tablename.Short(table), index: index, op: op}, read, write, 1)
}

// Book counts the reply of one request: ccs are the capacities in the reply, and table
// is their table if they do not name one. See [Ledger] for the rules.
func (l *Ledger) Book(label, op string, write bool, table string, ccs ...types.ConsumedCapacity) {
	if l == nil {
		return
	}
	if len(ccs) == 0 {
		l.add(entryKey{tablename.Short(table), "", op, label}, 0, 0, 1)
		return
	}
	for i, cc := range ccs {
		name := tablename.Short(TableOf(table, cc, len(ccs) == 1))
		first := !slices.ContainsFunc(ccs[:i], func(c types.ConsumedCapacity) bool { return aws.ToString(c.TableName) == aws.ToString(cc.TableName) })
		parts := PartsOf(write, cc)
		at := operationAt(write, parts)
		for j, p := range parts {
			n := int64(0)
			if first && j == at {
				n = 1
			}
			l.add(entryKey{name, p.Index, op, label}, p.Units.ReadUnits, p.Units.WriteUnits, n)
		}
	}
}

// TableOf returns the table of a part of a reply. For a reply about a single table it is the caller's name, not the service's, which may be an ARN.
func TableOf(table string, cc types.ConsumedCapacity, single bool) string {
	if table != "" && single || cc.TableName == nil {
		return table
	}
	return *cc.TableName
}

// operationAt returns the part for which the operation counts: the index if a read used
// just one, otherwise the table, which is the first part.
func operationAt(write bool, parts []Part) int {
	if !write && len(parts) == 2 {
		return 1
	}
	return 0
}

// Part is what a reply consumed of a table (empty index) or of one of its indexes.
type Part struct {
	Index string
	Units Consumed
}

// PartsOf divides what a reply states about one table: the table itself is first.
func PartsOf(write bool, cc types.ConsumedCapacity) []Part {
	rest := unitsOf(write, cc.CapacityUnits, cc.ReadCapacityUnits, cc.WriteCapacityUnits)
	parts := make([]Part, 1, 1+len(cc.GlobalSecondaryIndexes)+len(cc.LocalSecondaryIndexes))
	for _, indexes := range []map[string]types.Capacity{cc.GlobalSecondaryIndexes, cc.LocalSecondaryIndexes} {
		for name, c := range indexes {
			u := unitsOf(write, c.CapacityUnits, c.ReadCapacityUnits, c.WriteCapacityUnits)
			rest.ReadUnits -= u.ReadUnits
			rest.WriteUnits -= u.WriteUnits
			parts = append(parts, Part{name, u})
		}
	}
	if t := cc.Table; t != nil {
		rest = unitsOf(write, t.CapacityUnits, t.ReadCapacityUnits, t.WriteCapacityUnits)
	}
	parts[0].Units = Consumed{max(0, rest.ReadUnits), max(0, rest.WriteUnits)}
	return parts
}

func (l *Ledger) add(k entryKey, read, write float64, operations int64) {
	c := l.counters(k)
	c.read.Add(toMicro(validUnits(read)))
	c.write.Add(toMicro(validUnits(write)))
	c.operations.Add(operations)
}

func (l *Ledger) counters(k entryKey) *counters {
	l.ready()
	entries := syncMap(l.entries)
	if c, ok := entries.Load(k); ok {
		return c.(*counters)
	}
	if !l.knowsLabel(k.label) {
		k.label = overflowName
	}
	if c, ok := entries.Load(k); ok {
		return c.(*counters)
	}
	full := l.nEntries.Add(1) > maxEntries
	if full {
		k = entryKey{overflowName, "", overflowName, overflowName}
	}
	c, loaded := entries.LoadOrStore(k, new(counters))
	if full || loaded {
		l.nEntries.Add(-1)
	}
	return c.(*counters)
}

// knowsLabel reports whether a label is counted separately in the ledger, and adds it while there is room.
func (l *Ledger) knowsLabel(label string) bool {
	if label == "" || label == overflowName {
		return true
	}
	if _, ok := syncMap(l.labels).Load(label); ok {
		return true
	}
	if len(label) > maxLabelBytes {
		return false
	}
	if l.nLabels.Add(1) > maxLabels {
		l.nLabels.Add(-1)
		return false
	}
	if _, loaded := syncMap(l.labels).LoadOrStore(label, struct{}{}); loaded {
		l.nLabels.Add(-1)
	}
	return true
}

// validUnits replaces a value that is not an amount, or that would overflow the counter at once, by zero.
func validUnits(units float64) float64 {
	if math.IsNaN(units) || math.IsInf(units, 0) {
		return 0
	}
	return min(max(units, 0), 1e9)
}

// Snapshot returns what was counted so far. It may contain a part of an operation that is being counted at
// the same moment.
func (l *Ledger) Snapshot() Capacity { return l.collect((*atomic.Int64).Load) }

// String returns the snapshot as JSON: its totals and entries. So a ledger is an expvar.Var:
//
//	expvar.Publish("dynamodb", ddb.DefaultLedger())
func (l *Ledger) String() string {
	c := l.Snapshot()
	sum := c.sum()
	text, err := json.Marshal(struct {
		ReadUnits  float64 `json:"read_units"`
		WriteUnits float64 `json:"write_units"`
		Operations int64   `json:"operations"`
		Entries    []Entry `json:"entries"`
	}{float64(sum.read) / micro, float64(sum.write) / micro, sum.operations, c.Entries})
	if err != nil {
		return "{}"
	}
	return string(text)
}

// Reset returns what was counted so far and starts again at zero. Nothing is lost
// or counted twice: each unit and each operation is in this result or in a later
// one, even if it is counted at the same moment.
func (l *Ledger) Reset() Capacity {
	return l.collect(func(n *atomic.Int64) int64 { return n.Swap(0) })
}

func (l *Ledger) collect(get func(*atomic.Int64) int64) Capacity {
	sums := make(map[entryKey]amounts)
	if l != nil {
		l.ready()
		syncMap(l.entries).Range(func(k, v any) bool {
			c := v.(*counters)
			sums[k.(entryKey)] = amounts{get(&c.read), get(&c.write), get(&c.operations)}
			return true
		})
	}
	return newCapacity(sums)
}
