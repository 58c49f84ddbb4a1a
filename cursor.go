// SPDX-License-Identifier: Apache-2.0

package ddb

import (
	"errors"

	"github.com/dynamotable/ddb/internal/core"
	"github.com/dynamotable/ddb/internal/cursor"
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
type CursorOf[P any] cursor.Cursor

// IsZero reports whether the cursor is zero: the beginning or, as Page.Next, the end.
func (c CursorOf[P]) IsZero() bool { return cursor.Cursor(c).Position() == nil }

// String returns the cursor as URL-safe text of at most 16 KB, empty for the zero Cursor. It usually has 20 characters more
// than names and keys need.
func (c CursorOf[P]) String() string { return cursor.Cursor(c).Position().String() }

// MarshalText returns an error except for the zero Cursor, whose text is empty: otherwise encoding packages would send the
// key of an item by accident. Encode a token of package pagetoken, or [CursorOf.String] if the reader may know the key.
func (c CursorOf[P]) MarshalText() ([]byte, error) {
	if !c.IsZero() {
		return nil, errCursorText
	}
	return nil, nil
}

var errCursorText = errors.New("ddb: a cursor shows a key, so it cannot be encoded: encode a token of package pagetoken, or the cursor's String() if the reader may know the key")

// ParseCursor reads the text of a cursor of this table. The empty text is the zero Cursor. Anything but an undamaged cursor
// of this table is [ErrBadCursor]. Whether it belongs to a query is checked when it is used.
func (t *Table[T, PK, SK]) ParseCursor(text string) (Cursor[T], error) {
	at, err := core.Index{Core: t.Part()}.ParseCursor(text)
	return Cursor[T](cursor.Of(at)), err
}

// ParseCursor reads the text of a cursor of this table; see [Table.ParseCursor].
func (t *SimpleTable[T, PK]) ParseCursor(text string) (Cursor[T], error) {
	at, err := core.Index{Core: t.Part()}.ParseCursor(text)
	return Cursor[T](cursor.Of(at)), err
}

// ParseCursor reads the text of a cursor of this index; see [Table.ParseCursor].
func (x *Index[T, PK, SK]) ParseCursor(text string) (Cursor[T], error) {
	at, err := (*core.IndexRef)(x).Index().ParseCursor(text)
	return Cursor[T](cursor.Of(at)), err
}

// ParseCursor reads the text of a cursor of this index; see [Table.ParseCursor].
func (x *SimpleIndex[T, PK]) ParseCursor(text string) (Cursor[T], error) {
	at, err := (*core.IndexRef)(x).Index().ParseCursor(text)
	return Cursor[T](cursor.Of(at)), err
}

// ParseCursor reads the text of a cursor of this index; see [Table.ParseCursor].
func (x *LocalIndex[T, PK, SK]) ParseCursor(text string) (Cursor[T], error) {
	at, err := (*core.IndexRef)(x).Index().ParseCursor(text)
	return Cursor[T](cursor.Of(at)), err
}

// Position returns what the cursor is bound to, and the key after which it continues. It is for package pagetoken.
func (c CursorOf[P]) Position() *cursor.Position { return cursor.Cursor(c).Position() }

// Paged is a query or scan that returns pages of T: [Query], [IndexQuery], [Scan],
// [IndexScan] or [Reader].
type Paged[T any] interface{ Paged(*T) *core.Read }

// Paged makes it a [Paged]; it is for this library.
func (q *Query[T, SK]) Paged(*T) *core.Read { return (*core.ReadRef)(q).Read() }

// Paged makes it a [Paged]; it is for this library.
func (q *IndexQuery[T, SK]) Paged(*T) *core.Read { return (*core.ReadRef)(q).Read() }

// Paged makes it a [Paged]; it is for this library.
func (s *Scan[T]) Paged(*T) *core.Read { return (*core.ReadRef)(s).Read() }

// Paged makes it a [Paged]; it is for this library.
func (s *IndexScan[T]) Paged(*T) *core.Read { return (*core.ReadRef)(s).Read() }

// Paged makes it a [Paged]; it is for this library.
func (v *Reader[V]) Paged(*V) *core.Read { return (*core.ReadRef)(v).Read() }
