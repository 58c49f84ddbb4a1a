// SPDX-License-Identifier: Apache-2.0

package protocol

import (
	"math"
	"strconv"

	"github.com/dynamotable/ddb/ddbtest/internal/engine"
	"github.com/dynamotable/ddb/ddbtest/internal/value"
)

// writer writes the JSON of an answer: an object whose members are appended
// one by one.
type writer struct {
	b []byte
}

// newWriter returns a writer with room for size bytes of items.
func newWriter(size int) *writer {
	return &writer{b: append(make([]byte, 0, size+128), '{')}
}

// end closes the object and returns it.
func (w *writer) end() []byte {
	w.b = append(w.b, '}')
	return w.b
}

// next writes a comma unless it is the first member or element.
func (w *writer) next() {
	if c := w.b[len(w.b)-1]; c != '{' && c != '[' {
		w.b = append(w.b, ',')
	}
}

// name begins a member. Names need no escapes.
func (w *writer) name(name string) {
	w.next()
	w.b = append(append(append(w.b, '"'), name...), '"', ':')
}

// key begins an entry of a map whose keys may need escapes.
func (w *writer) key(key string) {
	w.next()
	w.b = append(value.AppendString(w.b, key), ':')
}

func (w *writer) raw(name string, text []byte) {
	w.name(name)
	w.b = append(w.b, text...)
}

func (w *writer) str(name, s string) {
	w.name(name)
	w.b = value.AppendString(w.b, s)
}

func (w *writer) integer(name string, n int) {
	w.name(name)
	w.b = strconv.AppendInt(w.b, int64(n), 10)
}

func (w *writer) float(name string, f float64) {
	w.name(name)
	w.b = appendFloat(w.b, f)
}

// appendFloat writes a number with at least one decimal, as the service does.
func appendFloat(b []byte, f float64) []byte {
	b = strconv.AppendFloat(b, f, 'f', -1, 64)
	if f == math.Trunc(f) {
		b = append(b, '.', '0')
	}
	return b
}

func (w *writer) open(c byte)  { w.b = append(w.b, c) }
func (w *writer) close(c byte) { w.b = append(w.b, c) }

// consumed writes the capacity of one table, or nothing.
func (w *writer) consumed(c *engine.ConsumedCapacity) {
	if c == nil {
		return
	}
	w.name("ConsumedCapacity")
	w.capacityOf(c)
}

// consumedList writes the capacity of several tables, or nothing.
func (w *writer) consumedList(list []*engine.ConsumedCapacity) {
	if list == nil {
		return
	}
	w.name("ConsumedCapacity")
	w.open('[')
	for _, c := range list {
		w.next()
		w.capacityOf(c)
	}
	w.close(']')
}

func (w *writer) capacityOf(c *engine.ConsumedCapacity) {
	w.open('{')
	w.units(c.Units)
	w.indexUnits("GlobalSecondaryIndexes", c.GlobalIndexes)
	w.indexUnits("LocalSecondaryIndexes", c.LocalIndexes)
	if c.Table != nil {
		w.name("Table")
		w.open('{')
		w.units(*c.Table)
		w.close('}')
	}
	w.str("TableName", c.TableName)
	w.close('}')
}

func (w *writer) units(c engine.Capacity) {
	w.float("CapacityUnits", c.CapacityUnits)
	if c.Read != nil {
		w.float("ReadCapacityUnits", *c.Read)
	}
	if c.Write != nil {
		w.float("WriteCapacityUnits", *c.Write)
	}
}

func (w *writer) indexUnits(name string, units map[string]engine.Capacity) {
	if units == nil {
		return
	}
	w.name(name)
	w.open('{')
	for index, c := range units {
		w.key(index)
		w.open('{')
		w.units(c)
		w.close('}')
	}
	w.close('}')
}

// metrics writes the metrics of one item collection.
func (w *writer) metrics(m *engine.ItemCollectionMetrics) {
	w.open('{')
	w.name("ItemCollectionKey")
	w.b = value.AppendItem(w.b, m.Key)
	w.name("SizeEstimateRangeGB")
	w.b = append(appendFloat(append(w.b, '['), m.SizeEstimateRangeGB[0]), ',')
	w.b = append(appendFloat(w.b, m.SizeEstimateRangeGB[1]), ']')
	w.close('}')
}
