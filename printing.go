// SPDX-License-Identifier: Apache-2.0

package ddb

import (
	"errors"
	"fmt"
	"log/slog"

	"github.com/dynamotable/ddb/internal/core"
	"github.com/dynamotable/ddb/internal/cursor"
	"github.com/dynamotable/ddb/internal/handle"
)

// Whatever holds data or secrets prints without them, for every verb, and so logs without them. Programs read
// the data from fields and methods. encoding/json gives the data of those types that are nothing but the
// caller's own ([Key], [Got]), and none of the others.

// Format prints the comparison without its values, for every verb.
func (c SortCond[SK]) Format(s fmt.State, verb rune) {
	(*handle.SortCond)(&c).Format(s, verb)
}

// Format prints the attribute, for every verb, and never the value.
func (c ChangeOf[P]) Format(s fmt.State, verb rune) { c.c.Format(s, verb) }

// Format prints whether it is the zero Cursor, for every verb: the text of a cursor, which
// [CursorOf.String] gives, shows a key.
func (c CursorOf[P]) Format(s fmt.State, verb rune) {
	core.PrintCursor(s, verb, cursor.Cursor(c))
}

// LogValue is the text that Format prints.
func (c CursorOf[P]) LogValue() slog.Value {
	return core.LogCursor(cursor.Cursor(c))
}

// Format prints how many items there are, for every verb, and neither items nor cursors.
func (p Page[T]) Format(s fmt.State, verb rune) {
	core.PrintPage(s, verb, len(p.Items), cursor.Cursor(p.Next))
}

// LogValue is the text that Format prints.
func (p Page[T]) LogValue() slog.Value {
	return core.LogPage(len(p.Items), cursor.Cursor(p.Next))
}

var errPageJSON = errors.New("ddb: a Page is not sent as JSON, since its cursors show keys: send Items, and Next sealed by package pagetoken, or Next.String() where the reader may know the key")

// MarshalJSON is an error: the cursors show the key of an item to whom the page is sent, and a
// page cannot be read back. Send Items, and Next sealed by package pagetoken.
func (p Page[T]) MarshalJSON() ([]byte, error) { return nil, errPageJSON }

// Format prints whether there is an item, for every verb.
func (g Got[T]) Format(s fmt.State, verb rune) { core.PrintGot(s, verb, g.Found) }

// LogValue is the text that Format prints.
func (g Got[T]) LogValue() slog.Value { return core.LogGot(g.Found) }

// Format prints a hash of the key, for every verb: the same for equal keys.
func (k Key[PK, SK]) Format(s fmt.State, verb rune) {
	core.PrintKey(s, verb, k.Partition, k.Sort)
}

// LogValue is the text that Format prints.
func (k Key[PK, SK]) LogValue() slog.Value {
	return core.LogKey(k.Partition, k.Sort)
}

// String is operation, table and index, as Query orders/by-status.
func (q *Query[T, SK]) String() string { return (*core.ReadRef)(q).Where() }

// String is operation, table and index, as Query orders/by-status.
func (q *IndexQuery[T, SK]) String() string { return (*core.ReadRef)(q).Where() }

// String is operation and table, as Scan orders.
func (s *Scan[T]) String() string { return (*core.ReadRef)(s).Where() }

// String is operation, table and index, as Scan orders/by-status.
func (s *IndexScan[T]) String() string { return (*core.ReadRef)(s).Where() }

// String is operation, table and index, as Query orders/by-status.
func (v *Reader[V]) String() string { return (*core.ReadRef)(v).Where() }
