// SPDX-License-Identifier: Apache-2.0

package rawtable

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/dynamotable/ddb"
	"github.com/dynamotable/ddb/internal/quiet"
	"github.com/dynamotable/ddb/rawitem"
)

// Read says which items to read, for programs that know table, index and condition at run time only. Its zero value is a scan of the table.
type Read struct {
	// Index is the name of an index; empty for the table.
	Index string
	// Partition is the partition key of a query: one value for the table and its local indexes, one for each partition attribute of a
	// global index. Without it the read is a scan.
	Partition []rawitem.Value
	// Sort limits a query to a range of sort keys; the zero Sort is no limit.
	Sort Sort
	// Filter drops items after they were read and billed.
	Filter []ddb.Cond[rawitem.Item]
	// Project limits the read to these attributes and the keys.
	Project []ddb.AnyAttr
	// Descending reads a query from the highest sort key to the lowest.
	Descending bool
	// Consistent is refused on a global index.
	Consistent bool
	// Limit is how many items are returned, and PageSize how many one request evaluates, 0 for no bound.
	Limit, PageSize int
	// Options are such as [ddb.MaxScanned].
	Options []ddb.ReadOption
}

// Sort is a condition on the sort key of a [Read].
type Sort struct {
	// Op is one of = < <= > >= BETWEEN begins_with, as in a key condition of DynamoDB.
	Op string
	// Values is one value or, on a global index with several sort attributes, the first ones: the condition is on the last of them, and those
	// before it are equal.
	Values []rawitem.Value
	// High is the upper bound of BETWEEN, of as many values.
	High []rawitem.Value
}

// Format prints the index, for every verb: the values of keys are data.
func (r Read) Format(s fmt.State, verb rune) {
	quiet.Format(s, verb, "read of index "+strconv.Quote(r.Index))
}

// Format prints the operator, for every verb.
func (c Sort) Format(s fmt.State, verb rune) { quiet.Format(s, verb, "sort key "+strconv.Quote(c.Op)) }

// Reader is the read, ready to be run: page by page with cursors, item by item, or counted. What is wrong with it (an index that the table has
// not, a condition that a scan cannot have) is named all at once; it sends nothing.
func (t *Table) Reader(r Read) (*ddb.Reader[rawitem.Item], error) {
	if t.isZero() {
		return nil, errZero
	}
	reader, err := t.reader(r)
	if err != nil {
		place := t.Name()
		if r.Index != "" {
			place += "/" + r.Index
		}
		return nil, fmt.Errorf("read of %s: %w", place, errors.Join(ddb.ErrInvalid, err))
	}
	return reader, nil
}

func (t *Table) reader(r Read) (*ddb.Reader[rawitem.Item], error) {
	x := t.Index(r.Index)
	var errs []error
	if r.Index != "" && x == nil {
		errs = append(errs, fmt.Errorf("the table has no index of this name; it has %s", t.indexNames()))
	}
	global := x != nil && !x.Local
	if r.Consistent && global {
		errs = append(errs, errors.New("a global index cannot be read consistently; read the table or a local index"))
	}
	query := len(r.Partition) > 0
	if !query && (r.Sort.Op != "" || r.Descending) {
		errs = append(errs, errors.New("a sort-key condition and an order need the values of the partition key; a scan has neither"))
	}
	keys := t.keys
	if x != nil {
		keys = x.Keys
	}
	if query && len(r.Partition) != len(keys.Partition) {
		errs = append(errs, fmt.Errorf("the partition key has %d attributes, and %d values are given", len(keys.Partition), len(r.Partition)))
	}
	errs = append(errs, r.Sort.check(keys))
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	switch {
	case global && query:
		q := steps(x.global.Query(r.Partition), r)
		if r.Descending {
			q = q.Descending()
		}
		if r.Sort.Op != "" {
			q = q.SortKey(condition(r.Sort, r.Sort.Values, r.Sort.High))
		}
		return ddb.ReaderOf(q), nil
	case global:
		return ddb.ReaderOf(steps(x.global.Scan(), r)), nil
	case query:
		q := t.Query(r.Partition[0])
		if x != nil {
			q = x.local.Query(r.Partition[0])
		}
		q = steps(q, r)
		if r.Descending {
			q = q.Descending()
		}
		if r.Consistent {
			q = q.Consistent()
		}
		if r.Sort.Op != "" {
			q = q.SortKey(condition(r.Sort, r.Sort.Values[0], first(r.Sort.High)))
		}
		return ddb.ReaderOf(q), nil
	}
	s := t.Scan()
	if x != nil {
		s = x.local.Scan()
	}
	s = steps(s, r)
	if r.Consistent {
		s = s.Consistent()
	}
	return ddb.ReaderOf(s), nil
}

func (t *Table) indexNames() string {
	if len(t.indexes) == 0 {
		return "none"
	}
	names := make([]string, len(t.indexes))
	for i, x := range t.indexes {
		names[i] = x.Name
	}
	return strings.Join(names, ", ")
}

// steps are those that every kind of read has.
func steps[Q ddb.AnyRead[rawitem.Item, Q]](q Q, r Read) Q {
	q = q.Filter(r.Filter...).Limit(r.Limit).With(r.Options...)
	if len(r.Project) > 0 {
		q = q.Project(r.Project...)
	}
	if r.PageSize != 0 {
		q = q.PageSize(r.PageSize)
	}
	return q
}

func first(values []rawitem.Value) (v rawitem.Value) {
	if len(values) > 0 {
		v = values[0]
	}
	return v
}

// check refuses a condition that does not fit the key.
func (c Sort) check(keys Keys) error {
	switch c.Op {
	case "":
		if len(c.Values) > 0 || len(c.High) > 0 {
			return errors.New("a sort-key condition has values and no operator")
		}
		return nil
	case "=", "<", "<=", ">", ">=", "BETWEEN", "begins_with":
	default:
		return errors.New("the operator of a sort-key condition is one of = < <= > >= BETWEEN begins_with")
	}
	var errs []error
	if n := len(c.Values); n == 0 || n > len(keys.Sort) {
		errs = append(errs, fmt.Errorf("the sort key has %d attributes, and %d values are given", len(keys.Sort), n))
	}
	if between := c.Op == "BETWEEN"; between && len(c.High) != len(c.Values) || !between && len(c.High) > 0 {
		errs = append(errs, errors.New("the upper bound is for BETWEEN, and has as many values as the lower one"))
	}
	return errors.Join(errs...)
}

func condition[SK rawitem.Value | []rawitem.Value](s Sort, low, high SK) ddb.SortCond[SK] {
	switch s.Op {
	case "=":
		return ddb.Eq(low)
	case "<":
		return ddb.Lt(low)
	case "<=":
		return ddb.Le(low)
	case ">":
		return ddb.Gt(low)
	case ">=":
		return ddb.Ge(low)
	case "BETWEEN":
		return ddb.Between(low, high)
	}
	return BeginsWith(low)
}
