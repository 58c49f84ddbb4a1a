// SPDX-License-Identifier: Apache-2.0

package ddb

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/dynamotable/ddb/internal/codec"
	"github.com/dynamotable/ddb/internal/itemid"
	"github.com/dynamotable/ddb/internal/tablename"
)

// Cursor is a position in the results of a query or scan on items of type T:
// behind the last item that was handed out. It is bound to its table, index and
// query (key condition, filter and direction; limit and projection may change)
// and is refused with [ErrBadCursor] anywhere else. The zero Cursor is the
// beginning, and as [Page.Next] it means that there is no more.
//
// A Cursor is an immutable value. Its text form ([CursorOf.String]) can be put into
// a URL and read back by ParseCursor of the same table or index. The text is
// checked against damage but neither secret nor signed: it shows the key of an
// item to those who decode it, and they can make another. For clients that should
// do neither, seal it; see [PageTokens]. So the text is given by String alone: a
// cursor that is printed or logged shows no key, and one that is encoded, as JSON
// for example, is an error.
type Cursor[T any] = CursorOf[*T]

// CursorOf is what [Cursor] stands for: Cursor[Order] is CursorOf[*Order].
type CursorOf[P any] struct{ at *position }

// position is where a read goes on: the primary key of table and index.
type position struct {
	table, index string
	query        [8]byte
	start        startKey
	key          map[string]types.AttributeValue
}

// startKey names the attributes of an exclusive start key: the table's and the index's.
type startKey struct {
	names []string
	kinds []byte // S, N or B
}

// IsZero reports whether the cursor is the beginning or, in a page, the end.
func (c CursorOf[P]) IsZero() bool { return c.at == nil }

// String is the cursor as URL-safe text of at most 16 KB, empty for the zero
// Cursor. Usually it has 20 characters and as much again as names and keys need.
func (c CursorOf[P]) String() string { return c.at.String() }

// String is [CursorOf.String].
func (p *position) String() string {
	if p == nil {
		return ""
	}
	return p.marshal()
}

// MarshalText is an error but for the zero Cursor, whose text is empty: encoding packages would send the key of an item
// by accident. Encode a token of [PageTokens], or what [CursorOf.String] gives where the reader may know the key.
func (c CursorOf[P]) MarshalText() ([]byte, error) {
	return c.at.MarshalText()
}

// MarshalText is [CursorOf.MarshalText].
func (p *position) MarshalText() ([]byte, error) {
	if p != nil {
		return nil, errCursorText
	}
	return nil, nil
}

var errCursorText = errors.New("ddb: a cursor is not encoded by itself, since it shows a key: encode a token of PageTokens.Seal, or the cursor's String() where the reader may know the key")

// ParseCursor reads the text of a cursor of this table. The empty text is the zero
// Cursor. Anything else than an undamaged cursor of this table is [ErrBadCursor];
// whether it belongs to a query is checked when it is used.
func (t *Table[T, PK, SK]) ParseCursor(text string) (Cursor[T], error) {
	at, err := index{core: t.tableCore(nil)}.parseCursor(text)
	return Cursor[T]{at}, err
}

// ParseCursor reads the text of a cursor of this table; see [Table.ParseCursor].
func (t *SimpleTable[T, PK]) ParseCursor(text string) (Cursor[T], error) {
	at, err := index{core: t.tableCore(nil)}.parseCursor(text)
	return Cursor[T]{at}, err
}

// ParseCursor reads the text of a cursor of this index; see [Table.ParseCursor].
func (x *Index[T, PK, SK]) ParseCursor(text string) (Cursor[T], error) {
	at, err := x.index().parseCursor(text)
	return Cursor[T]{at}, err
}

// ParseCursor reads the text of a cursor of this index; see [Table.ParseCursor].
func (x *SimpleIndex[T, PK]) ParseCursor(text string) (Cursor[T], error) {
	at, err := x.index().parseCursor(text)
	return Cursor[T]{at}, err
}

// ParseCursor reads the text of a cursor of this index; see [Table.ParseCursor].
func (x *LocalIndex[T, PK, SK]) ParseCursor(text string) (Cursor[T], error) {
	at, err := x.index().parseCursor(text)
	return Cursor[T]{at}, err
}

// parseCursor reads the text of a cursor of the index, or of the table if there is no index.
func (x index) parseCursor(text string) (*position, error) {
	if err := x.core.usable(); err != nil {
		return nil, err
	}
	at, err := x.core.parseCursor(text, x.info)
	if err != nil {
		return nil, opError("ParseCursor", x.core.name, x.info.label(), err)
	}
	return at, nil
}

// cursorAt is the position behind a key; nil is the beginning, or the end.
func cursorAt(r *read, t *readText, key map[string]types.AttributeValue) *position {
	if key == nil {
		return nil
	}
	return &position{table: tablename.Short(r.core.name), index: r.index.label(), query: t.fingerprint(), start: t.start, key: key}
}

// The text of a cursor is base64 of: the version, table, index, fingerprint of the
// query, the value of each key attribute with its type, checksum.
const (
	cursorPlain   = 1 // the version whose content is readable; others are for sealed forms
	cursorSumSize = 8
	// The longest keys of a table and an index, 2 KB and 1 KB each, with the longest names are 10 KB of base64.
	maxCursorText = 16 << 10
)

var cursorText = base64.RawURLEncoding.Strict()

func (p *position) marshal() string {
	b := []byte{cursorPlain}
	b = appendCursor(b, p.table)
	b = appendCursor(b, p.index)
	b = p.appendKey(append(b, p.query[:]...))
	sum := sha256.Sum256(b)
	return cursorText.EncodeToString(append(b, sum[:cursorSumSize]...))
}

// appendKey writes the value of each key attribute with its type.
func (p *position) appendKey(b []byte) []byte {
	for _, n := range p.start.names {
		switch v := p.key[n].(type) {
		case *types.AttributeValueMemberS:
			b = appendCursor(append(b, 'S'), v.Value)
		case *types.AttributeValueMemberN:
			b = appendCursor(append(b, 'N'), v.Value)
		case *types.AttributeValueMemberB:
			b = appendCursor(append(b, 'B'), v.Value)
		default:
			b = append(b, 0) // no key of DynamoDB's; who reads it refuses it
		}
	}
	return b
}

func appendCursor[S string | []byte](b []byte, s S) []byte {
	b = binary.AppendUvarint(b, uint64(len(s)))
	return append(b, s...)
}

// cutCursor reads what appendCursor wrote.
func cutCursor(b []byte) (s, rest []byte, ok bool) {
	n, size := binary.Uvarint(b)
	if size <= 0 || n > uint64(len(b)-size) {
		return nil, nil, false
	}
	return b[size : size+int(n)], b[size+int(n):], true
}

var errCursor = fmt.Errorf("%w: it is damaged, or belongs to another table, index or query (keys, filter and direction have to be the same); start from the beginning", ErrBadCursor)

// parseCursor reads a cursor's text and checks that it belongs to table and
// index. All causes give one error, which tells an attacker nothing.
func (c *core) parseCursor(text string, index *indexInfo) (*position, error) {
	if text == "" {
		return nil, nil
	}
	if len(text) > maxCursorText {
		return nil, errCursor
	}
	b, err := cursorText.DecodeString(text)
	if err != nil || len(b) < 1+cursorSumSize || b[0] != cursorPlain {
		return nil, errCursor
	}
	body, sum := b[:len(b)-cursorSumSize], b[len(b)-cursorSumSize:]
	if want := sha256.Sum256(body); !bytes.Equal(sum, want[:cursorSumSize]) {
		return nil, errCursor
	}
	p, ok := c.readCursor(body[1:], index)
	// What is written in another way than ours was not written by us.
	if !ok || p.marshal() != text {
		return nil, errCursor
	}
	return p, nil
}

func (c *core) readCursor(b []byte, index *indexInfo) (*position, bool) {
	p := &position{table: tablename.Short(c.name), index: index.label(), start: c.startKey(index)}
	for _, want := range []string{p.table, p.index} {
		name, rest, ok := cutCursor(b)
		if !ok || string(name) != want {
			return nil, false
		}
		b = rest
	}
	if len(b) < len(p.query) {
		return nil, false
	}
	b = b[copy(p.query[:], b):]
	var ok bool
	p.key, ok = p.start.readKey(b)
	return p, ok
}

// readKey reads what appendKey wrote, to its end.
func (s startKey) readKey(b []byte) (map[string]types.AttributeValue, bool) {
	key := make(map[string]types.AttributeValue, len(s.names))
	for i, n := range s.names {
		if len(b) == 0 || b[0] != s.kinds[i] {
			return nil, false
		}
		value, rest, ok := cutCursor(b[1:])
		if !ok {
			return nil, false
		}
		b = rest
		switch s.kinds[i] {
		case 'S':
			key[n] = &types.AttributeValueMemberS{Value: string(value)}
		case 'N':
			key[n] = &types.AttributeValueMemberN{Value: string(value)}
		default:
			key[n] = &types.AttributeValueMemberB{Value: value}
		}
	}
	return key, len(b) == 0
}

// startKey is what DynamoDB wants in a start key of the table, or of one of its indexes.
func (c *core) startKey(index *indexInfo) startKey {
	schemas := [2]keySchema{c.key}
	if index != nil {
		schemas[1] = index.key
	}
	n := 0
	for _, schema := range schemas {
		n += len(schema.partition) + len(schema.sort)
	}
	s := startKey{names: make([]string, 0, n), kinds: make([]byte, 0, n)}
	for _, schema := range schemas {
		for _, parts := range [2][]keyPart{schema.partition, schema.sort} {
			for _, p := range parts {
				if !slices.Contains(s.names, p.name) {
					s.names, s.kinds = append(s.names, p.name), append(s.kinds, p.kind[0])
				}
			}
		}
	}
	return s
}

// from is the exclusive start key, nil for the beginning.
func (p *position) from() map[string]types.AttributeValue {
	if p == nil {
		return nil
	}
	return p.key
}

// check refuses a position that the read cannot go on from.
func (p *position) check(r *read, t *readText) error {
	if p == nil {
		return nil
	}
	if p.table != tablename.Short(r.core.name) || p.index != r.index.label() || p.query != t.fingerprint() || len(p.key) != len(t.start.names) {
		return errCursor
	}
	for _, n := range t.start.names {
		if p.key[n] == nil {
			return errCursor
		}
	}
	// DynamoDB checks this for tables; a second wall for indexes.
	for i, part := range r.schema().partition {
		if !r.scan && !itemid.Equal(p.key[part.name], r.partition[i]) {
			return errCursor
		}
	}
	return nil
}

// position is the start key behind a row.
func (t *readText) position(r *read, row []byte) (map[string]types.AttributeValue, error) {
	key, err := r.core.pick(row, t.start.names)
	if err == nil && len(key) != len(t.start.names) {
		err = fmt.Errorf("an item of the reply lacks some of the key attributes %v", t.start.names)
	}
	if err != nil {
		return nil, err
	}
	return key, nil
}

// fingerprint binds cursors to what a query selects and in which order.
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
			// A value that cannot be written cannot be sent either.
			b, _ = codec.AppendAttributeValue(b[:0], t.values[fmt.Sprintf(":%d", i)])
			_, _ = h.Write(b)
		}
		t.query = [8]byte(h.Sum(nil))
	})
	return t.query
}

// label is the index's name, empty for the table itself.
func (i *indexInfo) label() string {
	if i == nil {
		return ""
	}
	return i.name
}
