// SPDX-License-Identifier: Apache-2.0

package ddb

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"

	"github.com/dynamotable/ddb/internal/cursor"
	"github.com/dynamotable/ddb/internal/quiet"
)

// Whatever holds data or secrets prints without them, for every verb, and so logs without them. Programs read
// the data from fields and methods. encoding/json gives the data of those types that are nothing but the
// caller's own ([Key], [Got]), and none of the others.

// Format prints the comparison without its values, for every verb.
func (c SortCond[SK]) Format(s fmt.State, verb rune) { quiet.Format(s, verb, sortText(c.c.Op)) }

func sortText(op string) string {
	switch op {
	case "":
		return "no condition"
	case "BETWEEN":
		return "sort key BETWEEN ? AND ?"
	case "begins_with":
		return "begins_with(sort key, ?)"
	}
	return "sort key " + op + " ?"
}

// Format prints the attribute, for every verb, and never the value.
func (c ChangeOf[P]) Format(s fmt.State, verb rune) { quiet.Format(s, verb, c.c.Text()) }

// Format prints whether it is the zero Cursor, for every verb: the text of a cursor, which
// [CursorOf.String] gives, shows a key.
func (c CursorOf[P]) Format(s fmt.State, verb rune) { quiet.Format(s, verb, hidden(c.at)) }

// LogValue is the text that Format prints.
func (c CursorOf[P]) LogValue() slog.Value { return slog.StringValue(hidden(c.at)) }

func hidden(p *cursor.Position) string {
	if p == nil {
		return "zero cursor"
	}
	return "cursor"
}

// Format prints how many items there are, for every verb, and neither items nor cursors.
func (p Page[T]) Format(s fmt.State, verb rune) {
	quiet.Format(s, verb, pageText(len(p.Items), p.Next.at))
}

// LogValue is the text that Format prints.
func (p Page[T]) LogValue() slog.Value { return slog.StringValue(pageText(len(p.Items), p.Next.at)) }

func pageText(n int, next *cursor.Position) string {
	if next == nil {
		return fmt.Sprintf("page of %d items, the last", n)
	}
	return fmt.Sprintf("page of %d items", n)
}

var errPageJSON = errors.New("ddb: a Page is not sent as JSON, since its cursors show keys: send Items, and Next sealed by package pagetoken, or Next.String() where the reader may know the key")

// MarshalJSON is an error: the cursors show the key of an item to whom the page is sent, and a
// page cannot be read back. Send Items, and Next sealed by package pagetoken.
func (p Page[T]) MarshalJSON() ([]byte, error) { return nil, errPageJSON }

// Format prints whether there is an item, for every verb.
func (g Got[T]) Format(s fmt.State, verb rune) { quiet.Format(s, verb, gotText(g.Found)) }

// LogValue is the text that Format prints.
func (g Got[T]) LogValue() slog.Value { return slog.StringValue(gotText(g.Found)) }

func gotText(found bool) string {
	if found {
		return "an item"
	}
	return "no item"
}

// Format prints a hash of the key, for every verb: the same for equal keys.
func (k Key[PK, SK]) Format(s fmt.State, verb rune) {
	quiet.Format(s, verb, keyText(k.Partition, k.Sort))
}

// LogValue is the text that Format prints.
func (k Key[PK, SK]) LogValue() slog.Value {
	return slog.StringValue(keyText(k.Partition, k.Sort))
}

// Format prints a hash of the values, for every verb: the same for equal values.
func (v Two[A, B]) Format(s fmt.State, verb rune) {
	quiet.Format(s, verb, hashText("values", v.A, v.B))
}

// LogValue is the text that Format prints.
func (v Two[A, B]) LogValue() slog.Value { return slog.StringValue(hashText("values", v.A, v.B)) }

// Format prints a hash of the values, for every verb: the same for equal values.
func (v Three[A, B, C]) Format(s fmt.State, verb rune) {
	quiet.Format(s, verb, hashText("values", v.A, v.B, v.C))
}

// LogValue is the text that Format prints.
func (v Three[A, B, C]) LogValue() slog.Value {
	return slog.StringValue(hashText("values", v.A, v.B, v.C))
}

// Format prints a hash of the values, for every verb: the same for equal values.
func (v Four[A, B, C, D]) Format(s fmt.State, verb rune) {
	quiet.Format(s, verb, hashText("values", v.A, v.B, v.C, v.D))
}

// LogValue is the text that Format prints.
func (v Four[A, B, C, D]) LogValue() slog.Value {
	return slog.StringValue(hashText("values", v.A, v.B, v.C, v.D))
}

// keyText hashes a key. It is not inlined, since hashText takes a list, which would be made and compared in each package that
// uses a table.
//
//go:noinline
func keyText(partition, sort any) string { return hashText("key", partition, sort) }

// hashText distinguishes values without showing them.
func hashText(what string, values ...any) string {
	h := sha256.New()
	for _, v := range values {
		_, _ = fmt.Fprintf(h, "%#v\n", v)
	}
	return what + " #" + hex.EncodeToString(h.Sum(nil)[:8])
}

// String is operation, table and index, as Query orders/by-status.
func (q *Query[T, SK]) String() string { return (*readRef)(q).read().where() }

// String is operation, table and index, as Query orders/by-status.
func (q *IndexQuery[T, SK]) String() string { return (*readRef)(q).read().where() }

// String is operation and table, as Scan orders.
func (s *Scan[T]) String() string { return (*readRef)(s).read().where() }

// String is operation, table and index, as Scan orders/by-status.
func (s *IndexScan[T]) String() string { return (*readRef)(s).read().where() }

// String is operation, table and index, as Query orders/by-status.
func (v *Reader[V]) String() string { return (*readRef)(v).read().where() }

func (r *read) where() string {
	if r == nil || r.core == nil {
		return "zero query"
	}
	return r.op() + " " + r.place()
}

// place is the table, or the index as table/index.
func (r *read) place() string {
	if r.index != nil {
		return index{r.core, r.index}.place()
	}
	return r.core.name
}
