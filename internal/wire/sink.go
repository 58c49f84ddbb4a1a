// SPDX-License-Identifier: Apache-2.0

package wire

import (
	"fmt"
	"math"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// sink passes the items of the reply to an operation to their receivers. It can be used for several replies in turn.
type sink interface {
	member() string    // the member of the reply that holds the items
	read(p page) error // reads that member, which is not null
	absent() error     // the reply has no items
}

// oneSink accepts one item or none.
type oneSink struct {
	name  string
	rows  Rows
	found bool
}

func (s *oneSink) member() string { return s.name }

func (s *oneSink) read(p page) error {
	s.found = true
	s.rows.Reset(1)
	return p.row(s.rows, 0)
}

func (s *oneSink) absent() error {
	if _, must := s.rows.(Required); must {
		return Mismatch("it lacks the item")
	}
	s.found = false
	s.rows.Reset(0)
	return nil
}

func (s *oneSink) bridge(b *bridge, item map[string]types.AttributeValue) error {
	if item == nil {
		return s.absent()
	}
	s.found = true
	s.rows.Reset(1)
	return b.row(s.rows, 0, item)
}

// item sets the receiver of one item, if rows is not nil.
func (k *call) item(member string, rows Rows) *oneSink {
	if rows == nil {
		return nil
	}
	k.one = oneSink{name: member, rows: rows}
	k.sink = &k.one
	return &k.one
}

// listSink accepts a page of items.
type listSink struct{ rows Rows }

func (*listSink) member() string { return "Items" }

func (s *listSink) read(p page) error { return p.list(s.rows, math.MaxInt) }

func (s *listSink) absent() error {
	s.rows.Reset(0)
	return nil
}

func (s *listSink) bridge(b *bridge, items []map[string]types.AttributeValue) error {
	return b.list(s.rows, items)
}

// items sets the receiver of a page.
func (k *call) items(rows Rows) *listSink {
	k.page = listSink{rows}
	k.sink = &k.page
	return &k.page
}

// tableSink accepts lists of items by table.
type tableSink struct {
	rows  func(table string) Rows
	asked *batchKeys
	seen  []tableRows
}

type tableRows struct {
	table string
	rows  Rows
}

func (*tableSink) member() string { return "Responses" }

func (s *tableSink) read(p page) error {
	if err := s.absent(); err != nil {
		return err
	}
	return p.d.Object(func(key []byte) error {
		t, err := s.of(key)
		if err != nil {
			return err
		}
		limit := math.MaxInt
		if n := s.asked.count(t.table); n > 0 {
			limit = n
		}
		return p.list(t.rows, limit)
	})
}

func (s *tableSink) absent() error {
	for _, t := range s.seen {
		t.rows.Reset(0)
	}
	return nil
}

func (s *tableSink) bridge(b *bridge, tables map[string][]map[string]types.AttributeValue) error {
	if err := s.absent(); err != nil {
		return err
	}
	for name, items := range tables {
		t, err := s.of([]byte(name))
		if err != nil {
			return err
		}
		if err := b.list(t.rows, items); err != nil {
			return err
		}
	}
	return nil
}

// of returns the receiver of a table, which is requested once in a call.
func (s *tableSink) of(name []byte) (tableRows, error) {
	for _, t := range s.seen {
		if t.table == string(name) {
			return t, nil
		}
	}
	t := tableRows{table: string(name)}
	if t.rows = s.rows(t.table); t.rows == nil {
		return t, Mismatch("it names a table that was not asked for")
	}
	s.seen = append(s.seen, t)
	return t, nil
}

// actionSink accepts one item or none for each action of a transaction.
type actionSink struct {
	rows func(i int) Rows
	want int
	seen []Rows
}

func (*actionSink) member() string { return "Responses" }

func (s *actionSink) read(p page) error {
	n := 0
	err := p.d.Array(func() error {
		rows, err := s.of(n)
		if err != nil {
			return err
		}
		n++
		found := false
		if p.d.Peek() == 'n' {
			err = p.d.Skip()
		} else {
			err = p.d.Object(func(key []byte) error {
				if string(key) != "Item" || rows == nil || p.d.Peek() == 'n' {
					return p.d.Skip()
				}
				if found {
					return Mismatch("an answer of it has the member Item twice")
				}
				found = true
				rows.Reset(1)
				return p.row(rows, n-1)
			})
		}
		if err == nil && !found && rows != nil {
			rows.Reset(0)
		}
		return err
	})
	if err != nil {
		return err
	}
	return s.complete(n)
}

func (s *actionSink) absent() error {
	for _, rows := range s.seen {
		if rows != nil {
			rows.Reset(0)
		}
	}
	return s.complete(0)
}

func (s *actionSink) bridge(b *bridge, answers []types.ItemResponse) error {
	for i, a := range answers {
		rows, err := s.of(i)
		switch {
		case err != nil:
			return err
		case rows == nil:
		case a.Item == nil:
			rows.Reset(0)
		default:
			rows.Reset(1)
			if err := b.row(rows, i, a.Item); err != nil {
				return err
			}
		}
	}
	return s.complete(len(answers))
}

// of returns the receiver of an action, which is requested once in a call.
func (s *actionSink) of(i int) (Rows, error) {
	if i >= s.want {
		return nil, Mismatch(fmt.Sprintf("it has more answers than the %d actions", s.want))
	}
	if i == len(s.seen) {
		s.seen = append(s.seen, s.rows(i))
	}
	return s.seen[i], nil
}

func (s *actionSink) complete(n int) error {
	if n != s.want {
		return Mismatch(fmt.Sprintf("it has %d answers for %d actions", n, s.want))
	}
	return nil
}
