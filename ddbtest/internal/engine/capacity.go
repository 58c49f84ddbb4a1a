// SPDX-License-Identifier: Apache-2.0

package engine

import "slices"

// Units of capacity: a write counts whole kilobytes, a read four kilobytes.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/read-write-operations.html
const (
	writeUnitSize = 1024
	readUnitSize  = 4096
)

// The values of ReturnConsumedCapacity.
const (
	capacityIndexes = "INDEXES"
	capacityTotal   = "TOTAL"
)

// ConsumedCapacity is what one request consumed of one table.
type ConsumedCapacity struct {
	TableName string
	Units     Capacity
	// Table, LocalIndexes and GlobalIndexes are set for INDEXES only.
	Table         *Capacity
	LocalIndexes  map[string]Capacity
	GlobalIndexes map[string]Capacity
}

// Capacity is a number of capacity units. Transactions also say of which kind
// they are.
type Capacity struct {
	CapacityUnits float64
	Read, Write   *float64
}

// meter adds up the units that a request consumes of one table. The zero value
// is an empty meter.
type meter struct {
	table   float64
	indexes []indexUnits
}

type indexUnits struct {
	index *Index
	units float64
}

// addTable counts units of the table itself.
func (m *meter) addTable(units float64) { m.table += units }

// addIndex counts units of an index.
func (m *meter) addIndex(x *Index, units float64) {
	for i := range m.indexes {
		if m.indexes[i].index.Name == x.Name {
			m.indexes[i].units += units
			return
		}
	}
	m.indexes = append(m.indexes, indexUnits{x, units})
}

// add counts what another meter of the same table has counted.
func (m *meter) add(o *meter) {
	m.table += o.table
	for _, u := range o.indexes {
		m.addIndex(u.index, u.units)
	}
}

func (m *meter) total() float64 {
	sum := m.table
	for _, u := range m.indexes {
		sum += u.units
	}
	return sum
}

// capacityKind says which of the two kinds of units a report names.
type capacityKind uint8

const (
	unnamedUnits capacityKind = iota
	readUnits
	writeUnits
)

// report returns the part of the counted units that the request asked for, or nil.
func (m *meter) report(table string, mode *string, kind capacityKind) *ConsumedCapacity {
	if !is(mode, capacityIndexes) && !is(mode, capacityTotal) {
		return nil
	}
	c := &ConsumedCapacity{TableName: table, Units: newCapacity(m.total(), kind)}
	if !is(mode, capacityIndexes) {
		return c
	}
	units := newCapacity(m.table, kind)
	c.Table = &units
	for _, u := range m.indexes {
		if u.units == 0 {
			continue
		}
		to := &c.GlobalIndexes
		if u.index.Local {
			to = &c.LocalIndexes
		}
		if *to == nil {
			*to = make(map[string]Capacity)
		}
		(*to)[u.index.Name] = newCapacity(u.units, kind)
	}
	return c
}

func newCapacity(units float64, kind capacityKind) Capacity {
	c := Capacity{CapacityUnits: units}
	switch kind {
	case readUnits:
		c.Read = &units
	case writeUnits:
		c.Write = &units
	case unnamedUnits:
	}
	return c
}

// writeCost returns the units for writing size bytes: at least one.
func writeCost(size int) float64 {
	return float64(max(1, (size+writeUnitSize-1)/writeUnitSize))
}

// readCost returns the units for reading size bytes: at least one block, half
// price unless the read is strongly consistent.
func readCost(size int, consistent bool) float64 {
	units := float64(max(1, (size+readUnitSize-1)/readUnitSize))
	if !consistent {
		units /= 2
	}
	return units
}

// meters holds the meter of every table that a request touches, in the order
// of the first touch.
type meters struct {
	tables []*Table
	counts []meter
}

// of returns the meter of a table.
func (ms *meters) of(t *Table) *meter {
	i := slices.Index(ms.tables, t)
	if i < 0 {
		i = len(ms.tables)
		ms.tables = append(ms.tables, t)
		ms.counts = append(ms.counts, meter{})
	}
	return &ms.counts[i]
}

// report returns for every table what the request asked for, or nil.
func (ms *meters) report(mode *string, kind capacityKind) []*ConsumedCapacity {
	var list []*ConsumedCapacity
	for i, t := range ms.tables {
		if c := ms.counts[i].report(t.name, mode, kind); c != nil {
			list = append(list, c)
		}
	}
	return list
}
