package ddb

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/dynamotable/ddb/internal/codec"
)

// Cursor is a position in the results of a query or scan on items of type T:
// behind the last item that was handed out. It is bound to its table, index and
// query (key condition, filter and direction; limit and projection may change)
// and is refused with [ErrBadCursor] anywhere else. The zero Cursor is the
// beginning, and as [Page.Next] it means that there is no more.
//
// A Cursor is an immutable value. Its text form ([Cursor.String]) can be put into
// a URL and read back by ParseCursor of the same table or index. The text is
// checked against damage but neither secret nor signed: it shows the key of an
// item to those who decode it.
type Cursor[T any] struct{ at *position }

// position is where a read goes on: the primary key of table and index.
type position struct {
	table, index string
	query        [8]byte
	key          map[string]types.AttributeValue
}

// IsZero reports whether the cursor is the beginning or, in a page, the end.
func (c Cursor[T]) IsZero() bool { return c.at == nil }

// String is the cursor as URL-safe text, empty for the zero Cursor.
func (c Cursor[T]) String() string {
	if c.at == nil {
		return ""
	}
	text, err := c.at.marshal()
	if err != nil {
		return "" // keys come from DynamoDB or the codec, so they can be written
	}
	return text
}

// MarshalText is [Cursor.String] for encoding packages.
func (c Cursor[T]) MarshalText() ([]byte, error) { return []byte(c.String()), nil }

// cursorPlain is the form whose content is readable; other versions are for sealed forms.
const (
	cursorPlain   = 1
	cursorSumSize = 8
	maxCursorText = 4 << 10
)

var cursorText = base64.RawURLEncoding.Strict()

func (p *position) marshal() (string, error) {
	b := []byte{cursorPlain}
	b = appendText(b, p.table)
	b = appendText(b, p.index)
	b = append(b, p.query[:]...)
	b, err := codec.AppendItemMap(b, p.key)
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(b)
	return cursorText.EncodeToString(append(b, sum[:cursorSumSize]...)), nil
}

func appendText(b []byte, s string) []byte {
	b = binary.AppendUvarint(b, uint64(len(s)))
	return append(b, s...)
}

var errCursor = fmt.Errorf("%w: it is damaged, or belongs to another table, index or query", ErrBadCursor)

// parseCursor reads a cursor's text and checks that it belongs to table and
// index. All causes give one error, which tells an attacker nothing.
func parseCursor(text, table, index string) (*position, error) {
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
	var p position
	rest := body[1:]
	ok := true
	for _, dst := range []*string{&p.table, &p.index} {
		n, size := binary.Uvarint(rest)
		if !ok || size <= 0 || n > uint64(len(rest)-size) {
			return nil, errCursor
		}
		*dst, rest = string(rest[size:size+int(n)]), rest[size+int(n):]
	}
	if len(rest) < len(p.query) || p.table != table || p.index != index {
		return nil, errCursor
	}
	copy(p.query[:], rest)
	if p.key, err = codec.ParseItem(rest[len(p.query):]); err != nil {
		return nil, errCursor
	}
	return &p, nil
}

// ParseCursor reads the text of a cursor of this table. The empty text is the zero
// Cursor. Anything else than an undamaged cursor of this table is [ErrBadCursor];
// whether it belongs to a query is checked when it is used.
func (t *items[T, K]) ParseCursor(text string) (Cursor[T], error) {
	return cursorOf[T](text, t.core, nil)
}

// ParseCursor reads the text of a cursor of this index; see [Table.ParseCursor].
func (x indexBase[T]) ParseCursor(text string) (Cursor[T], error) {
	return cursorOf[T](text, x.core, x.info)
}

func cursorOf[T any](text string, c *core, index *indexInfo) (Cursor[T], error) {
	at, err := parseCursor(text, c.name, index.label())
	if err != nil {
		return Cursor[T]{}, opError("ParseCursor", c.name, index.label(), err)
	}
	return Cursor[T]{at}, nil
}

// label is the index's name, empty for the table itself.
func (i *indexInfo) label() string {
	if i == nil {
		return ""
	}
	return i.name
}

// check refuses a position that the read cannot go on from.
func (p *position) check(r *read, query [8]byte) error {
	if p == nil {
		return nil
	}
	if p.table != r.core.name || p.index != r.index.label() || p.query != query {
		return errCursor
	}
	names := r.keyNames()
	if len(p.key) != len(names) {
		return errCursor
	}
	for _, n := range names {
		if p.key[n] == nil {
			return errCursor
		}
	}
	// DynamoDB checks this for tables; a second wall for indexes.
	for i, part := range r.schema().partition {
		if !r.scan && !equalKeyValue(p.key[part.name], r.partition[i]) {
			return errCursor
		}
	}
	return nil
}

// fingerprint binds cursors to what a query selects and in which order.
func (r *read) fingerprint(key, filter string, values map[string]types.AttributeValue, names map[string]string) ([8]byte, error) {
	h := sha256.New()
	fmt.Fprintf(h, "%q %q %t %t\n", key, filter, r.descending, r.scan)
	for i := range len(names) {
		fmt.Fprintf(h, "%q\n", names[fmt.Sprintf("#%d", i)])
	}
	var errs []error
	for i := range len(values) {
		b, err := codec.AppendAttributeValue(nil, values[fmt.Sprintf(":%d", i)])
		errs = append(errs, err)
		h.Write(b)
	}
	return [8]byte(h.Sum(nil)), errors.Join(errs...)
}
