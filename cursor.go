// SPDX-License-Identifier: Apache-2.0

package ddb

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/dynamotable/ddb/ddberr"
	"github.com/dynamotable/ddb/internal/codec"
	"github.com/dynamotable/ddb/internal/cursor"
	"github.com/dynamotable/ddb/internal/handle"
	"github.com/dynamotable/ddb/internal/itemid"
	"github.com/dynamotable/ddb/internal/operr"
	"github.com/dynamotable/ddb/internal/tablename"
)

// Cursor is a position in the results of a query or scan of items of type T: after the last item that was returned. It is
// bound to its table, index and query (key condition, filter and direction; limit and projection may change), and is refused
// with [ErrBadCursor] anywhere else. The zero Cursor is the beginning. As [Page.Next] it means that there are no more items.
//
// A Cursor is an immutable value. Its text form ([CursorOf.String]) can be put into a URL and read back by ParseCursor of
// the same table or index. The text has a checksum, but it is neither secret nor signed: whoever decodes it sees the key of
// an item, and can make another cursor. For clients that must not, seal it with package pagetoken. For this reason only
// String returns the text: a cursor that is printed or logged shows no key, and encoding one, for example as JSON, is an
// error.
type Cursor[T any] = CursorOf[*T]

// CursorOf is the type behind [Cursor]: Cursor[Order] is CursorOf[*Order].
type CursorOf[P any] struct{ at *cursor.Position }

// IsZero reports whether the cursor is zero: the beginning or, as Page.Next, the end.
func (c CursorOf[P]) IsZero() bool { return c.at == nil }

// String returns the cursor as URL-safe text of at most 16 KB, empty for the zero Cursor. It usually has 20 characters more
// than names and keys need.
func (c CursorOf[P]) String() string { return c.at.String() }

// MarshalText returns an error except for the zero Cursor, whose text is empty: otherwise encoding packages would send the
// key of an item by accident. Encode a token of package pagetoken, or [CursorOf.String] if the reader may know the key.
func (c CursorOf[P]) MarshalText() ([]byte, error) {
	if c.at != nil {
		return nil, errCursorText
	}
	return nil, nil
}

var errCursorText = errors.New("ddb: a cursor shows a key, so it cannot be encoded: encode a token of package pagetoken, or the cursor's String() if the reader may know the key")

// ParseCursor reads the text of a cursor of this table. The empty text is the zero Cursor. Anything but an undamaged cursor
// of this table is [ErrBadCursor]. Whether it belongs to a query is checked when it is used.
func (t *Table[T, PK, SK]) ParseCursor(text string) (Cursor[T], error) {
	at, err := index{core: t.part()}.parseCursor(text)
	return Cursor[T]{at}, err
}

// ParseCursor reads the text of a cursor of this table; see [Table.ParseCursor].
func (t *SimpleTable[T, PK]) ParseCursor(text string) (Cursor[T], error) {
	at, err := index{core: t.part()}.parseCursor(text)
	return Cursor[T]{at}, err
}

// ParseCursor reads the text of a cursor of this index; see [Table.ParseCursor].
func (x *Index[T, PK, SK]) ParseCursor(text string) (Cursor[T], error) {
	at, err := (*indexRef)(x).index().parseCursor(text)
	return Cursor[T]{at}, err
}

// ParseCursor reads the text of a cursor of this index; see [Table.ParseCursor].
func (x *SimpleIndex[T, PK]) ParseCursor(text string) (Cursor[T], error) {
	at, err := (*indexRef)(x).index().parseCursor(text)
	return Cursor[T]{at}, err
}

// ParseCursor reads the text of a cursor of this index; see [Table.ParseCursor].
func (x *LocalIndex[T, PK, SK]) ParseCursor(text string) (Cursor[T], error) {
	at, err := (*indexRef)(x).index().parseCursor(text)
	return Cursor[T]{at}, err
}

// parseCursor reads the text of a cursor of the index, or of the table if index is nil.
func (x index) parseCursor(text string) (*cursor.Position, error) {
	if err := x.core.usable(); err != nil {
		return nil, err
	}
	at, err := x.core.parseCursor(text, x.info)
	if err != nil {
		return nil, operr.New("ParseCursor", x.core.name, x.info.label(), err)
	}
	return at, nil
}

// cursorAt returns the position after a key; a nil key is the beginning, or the end.
func cursorAt(r *read, t *readText, key map[string]types.AttributeValue) *cursor.Position {
	if key == nil {
		return nil
	}
	return &cursor.Position{Table: tablename.Short(r.core.name), Index: r.index.label(), Query: t.fingerprint(), Start: t.start, Key: key}
}

var errCursor = fmt.Errorf("%w: it is damaged, or belongs to another table, index or query (keys, filter and direction have to be the same); start from the beginning", ddberr.ErrBadCursor)

// parseCursor reads a cursor's text and checks that it belongs to table and index. All causes give the same error, so that
// an attacker learns nothing.
func (c *core) parseCursor(text string, index *indexInfo) (*cursor.Position, error) {
	if text == "" {
		return nil, nil
	}
	p, ok := cursor.Parse(text, tablename.Short(c.name), index.label(), c.startKey(index))
	if !ok {
		return nil, errCursor
	}
	return p, nil
}

// startKey is what DynamoDB requires in a start key of the table, or of one of its indexes.
func (c *core) startKey(index *indexInfo) cursor.StartKey {
	schemas := [2]keySchema{c.key}
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

// check refuses a position from which the read cannot continue.
func (t *readText) check(p *cursor.Position, r *read) error {
	if p == nil {
		return nil
	}
	if p.Table != tablename.Short(r.core.name) || p.Index != r.index.label() || p.Query != t.fingerprint() || len(p.Key) != len(t.start.Names) {
		return errCursor
	}
	for _, n := range t.start.Names {
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

// CursorTerms says what a cursor is bound to: its table, its index, and a hash of its query with its direction.
type CursorTerms struct {
	Table, Index string
	Query        [8]byte
}

// Parts returns what the cursor is bound to, and the key after which it continues, as bytes that [CursorFrom] reads. Both are
// empty for the zero Cursor. It is for packages that give cursors another form than [CursorOf.String]; [CursorFrom] makes a
// cursor from that form.
func (c CursorOf[P]) Parts() (terms CursorTerms, key []byte) {
	t, key := partsOf(c.at)
	return CursorTerms(t), key
}

// cursorTerms is a [CursorTerms].
type cursorTerms struct {
	Table, Index string
	Query        [8]byte
}

func partsOf(p *cursor.Position) (cursorTerms, []byte) {
	if p == nil {
		return cursorTerms{}, nil
	}
	return termsOf(p), p.AppendKey(nil)
}

func termsOf(p *cursor.Position) cursorTerms {
	return cursorTerms{p.Table, p.Index, p.Query}
}

// Paged is a query or scan that returns pages of T: [Query], [IndexQuery], [Scan],
// [IndexScan] or [Reader].
type Paged[T any] interface{ paged(*T) *read }

func (q *Query[T, SK]) paged(*T) *read      { return (*readRef)(q).read() }
func (q *IndexQuery[T, SK]) paged(*T) *read { return (*readRef)(q).read() }
func (s *Scan[T]) paged(*T) *read           { return (*readRef)(s).read() }
func (s *IndexScan[T]) paged(*T) *read      { return (*readRef)(s).read() }
func (v *Reader[V]) paged(*V) *read         { return (*readRef)(v).read() }

// CursorFrom makes a cursor of a query. It calls open with what the cursor must be bound to; open returns the key, and a nil
// key gives the zero Cursor. A key that does not belong to the query is [ErrBadCursor]. An error of open is returned, and an
// invalid query is an [InvalidError]. Nothing is sent.
func CursorFrom[T any](q Paged[T], open func(CursorTerms) (key []byte, err error)) (Cursor[T], error) {
	if q == nil || open == nil {
		return Cursor[T]{}, operr.New("CursorFrom", "", "", operr.Invalid(errors.New("the query or the function is nil")))
	}
	at, err := cursorFrom(q.paged(nil), func(t cursorTerms) ([]byte, error) { return open(CursorTerms(t)) })
	return Cursor[T]{at}, err
}

func cursorFrom(r *read, open func(cursorTerms) ([]byte, error)) (*cursor.Position, error) {
	r = r.from(nil).until(nil)
	t, err := r.text()
	if err != nil {
		return nil, operr.New("CursorFrom", r.core.label(), r.index.label(), err)
	}
	at := &cursor.Position{Table: tablename.Short(r.core.name), Index: r.index.label(), Query: t.fingerprint(), Start: t.start}
	data, err := open(termsOf(at))
	if err != nil || data == nil {
		return nil, err
	}
	key, ok := t.start.ReadKey(data)
	at.Key = key
	// The partition key must be the query's, whatever the origin of the key.
	if !ok || t.check(at, r) != nil {
		return nil, operr.New("CursorFrom", r.core.label(), r.index.label(), errCursor)
	}
	return at, nil
}

// position returns the start key after a row.
func (t *readText) position(r *read, row []byte) (map[string]types.AttributeValue, error) {
	key, err := r.core.pick(row, t.start.Names)
	if err == nil && len(key) != len(t.start.Names) {
		err = fmt.Errorf("an item of the reply lacks some of the key attributes %v", t.start.Names)
	}
	if err != nil {
		return nil, err
	}
	return key, nil
}

// fingerprint is a hash of what a query selects and in which order; cursors are bound to it.
func (t *readText) fingerprint() [8]byte {
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

// label returns the index's name, empty for the table itself.
func (i *indexInfo) label() string {
	if i == nil {
		return ""
	}
	return i.name
}
