// SPDX-License-Identifier: Apache-2.0

package core

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/dynamotable/ddb/cost"
	"github.com/dynamotable/ddb/ddberr"
	"github.com/dynamotable/ddb/internal/codec"
	"github.com/dynamotable/ddb/internal/cursor"
	"github.com/dynamotable/ddb/internal/handle"
	"github.com/dynamotable/ddb/internal/itemid"
	"github.com/dynamotable/ddb/internal/operr"
	"github.com/dynamotable/ddb/internal/tablename"
)

// CursorAt returns the position after a key; a nil key is the beginning, or the end.
func CursorAt(r *Read, t *ReadText, key map[string]types.AttributeValue) *cursor.Position {
	if key == nil {
		return nil
	}
	return &cursor.Position{Table: tablename.Short(r.Core.Name), Index: r.Index.Label(), Query: t.Fingerprint(), Start: t.Start, Key: key}
}

var errCursor = fmt.Errorf("%w: it is damaged, or belongs to another table, index or query (keys, filter and direction have to be the same); start from the beginning", ddberr.ErrBadCursor)

// CursorTerms is a ddb.CursorTerms.
type CursorTerms struct {
	Table, Index string
	Query        [8]byte
}

// PartsOf returns what a cursor is bound to, and its key in wire form; nil for the beginning.
func PartsOf(p *cursor.Position) (CursorTerms, []byte) {
	if p == nil {
		return CursorTerms{}, nil
	}
	return termsOf(p), p.AppendKey(nil)
}

func termsOf(p *cursor.Position) CursorTerms {
	return CursorTerms{p.Table, p.Index, p.Query}
}

// CursorFrom makes a cursor of the key that open returns, given what the cursor is to be bound to. A nil key is the beginning. Its
// errors name the operation op.
func CursorFrom(op string, r *Read, open func(CursorTerms) ([]byte, error)) (*cursor.Position, error) {
	r = r.From(nil).Until(nil)
	t, err := r.Text()
	if err != nil {
		return nil, operr.New(op, r.Core.Label(), r.Index.Label(), err)
	}
	at := &cursor.Position{Table: tablename.Short(r.Core.Name), Index: r.Index.Label(), Query: t.Fingerprint(), Start: t.Start}
	data, err := open(termsOf(at))
	if err != nil || data == nil {
		return nil, err
	}
	key, ok := t.Start.ReadKey(data)
	at.Key = key
	// The partition key must be the query's, whatever the origin of the key.
	if !ok || t.Check(at, r) != nil {
		return nil, operr.New(op, r.Core.Label(), r.Index.Label(), errCursor)
	}
	return at, nil
}

// ParseCursor reads the text of a cursor of the index, or of the table if x is no index.
func (x Index) ParseCursor(text string) (*cursor.Position, error) {
	if err := x.Core.Usable(); err != nil {
		return nil, err
	}
	at, err := x.Core.parseCursor(text, x.Info)
	if err != nil {
		return nil, operr.New("ParseCursor", x.Core.Name, x.Info.Label(), err)
	}
	return at, nil
}

// parseCursor reads a cursor's text and checks that it belongs to table and index. All causes give the same error, so that
// an attacker learns nothing.
func (c *Table) parseCursor(text string, index *IndexInfo) (*cursor.Position, error) {
	if text == "" {
		return nil, nil
	}
	p, ok := cursor.Parse(text, tablename.Short(c.Name), index.Label(), c.startKey(index))
	if !ok {
		return nil, errCursor
	}
	return p, nil
}

// startKey is what DynamoDB requires in a start key of the table, or of one of its indexes.
func (c *Table) startKey(index *IndexInfo) cursor.StartKey {
	schemas := [2]keySchema{c.Key}
	if index != nil {
		schemas[1] = index.key
	}
	n := 0
	for _, schema := range schemas {
		n += len(schema.partition) + len(schema.sort)
	}
	s := cursor.StartKey{Names: make([]string, 0, n), Kinds: make([]byte, 0, n)}
	for _, schema := range schemas {
		for _, parts := range [2][]handle.KeyPart{schema.partition, schema.sort} {
			for _, p := range parts {
				if !slices.Contains(s.Names, p.Name) {
					s.Names, s.Kinds = append(s.Names, p.Name), append(s.Kinds, p.Kind[0])
				}
			}
		}
	}
	return s
}

// Check refuses a position from which the read cannot continue.
func (t *ReadText) Check(p *cursor.Position, r *Read) error {
	if p == nil {
		return nil
	}
	if p.Table != tablename.Short(r.Core.Name) || p.Index != r.Index.Label() || p.Query != t.Fingerprint() || len(p.Key) != len(t.Start.Names) {
		return errCursor
	}
	for _, n := range t.Start.Names {
		if p.Key[n] == nil {
			return errCursor
		}
	}
	// DynamoDB checks this for tables. For indexes this is an additional check.
	for i, part := range r.schema().partition {
		if !r.scan && !itemid.Equal(p.Key[part.Name], r.partition[i]) {
			return errCursor
		}
	}
	return nil
}

// position returns the start key after a row.
func (t *ReadText) position(r *Read, row []byte) (map[string]types.AttributeValue, error) {
	key, err := r.Core.Pick(row, t.Start.Names)
	if err == nil && len(key) != len(t.Start.Names) {
		err = fmt.Errorf("an item of the reply lacks some of the key attributes %v", t.Start.Names)
	}
	if err != nil {
		return nil, err
	}
	return key, nil
}

// Fingerprint is a hash of what a query selects and in which order; cursors are bound to it.
func (t *ReadText) Fingerprint() [8]byte {
	t.sum.Do(func() {
		h := sha256.New()
		_, _ = fmt.Fprintf(h, "%q %q %t %t\n", t.key, t.filter, t.descending, t.scan)
		for i := range len(t.aliases) {
			alias := fmt.Sprintf("#%d", i)
			if !usesAlias(t.key, alias) && !usesAlias(t.filter, alias) {
				break // the rest is the projection's
			}
			_, _ = fmt.Fprintf(h, "%q\n", t.aliases[alias])
		}
		var b []byte
		for i := range len(t.values) {
			// A value that cannot be encoded cannot be sent either.
			b, _ = codec.AppendAttributeValue(b[:0], t.values[fmt.Sprintf(":%d", i)])
			_, _ = h.Write(b)
		}
		t.query = [8]byte(h.Sum(nil))
	})
	return t.query
}

// Label returns the index's name, empty for the table itself.
func (i *IndexInfo) Label() string {
	if i == nil {
		return ""
	}
	return i.name
}

// resumable adds to the error of an exceeded budget the cursor from which the query or scan can continue.
func resumable(err error, cursor func() string) {
	if e, ok := errors.AsType[*cost.BudgetExceeded](err); ok && e.Cursor == "" {
		e.Cursor = cursor()
	}
}
