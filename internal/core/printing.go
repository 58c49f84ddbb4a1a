// SPDX-License-Identifier: Apache-2.0

package core

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"

	"github.com/dynamotable/ddb/internal/cursor"
)

// Hidden is the text of a cursor.
func Hidden(p *cursor.Position) string {
	if p == nil {
		return "zero cursor"
	}
	return "cursor"
}

// PageText is the text of a page of n items.
func PageText(n int, next *cursor.Position) string {
	if next == nil {
		return fmt.Sprintf("page of %d items, the last", n)
	}
	return fmt.Sprintf("page of %d items", n)
}

// GotText is the text of a ddb.Got.
func GotText(found bool) string {
	if found {
		return "an item"
	}
	return "no item"
}

// KeyText hashes a key. It is not inlined, since HashText takes a list, which would be made and compared in each package that
// uses a table.
//
//go:noinline
func KeyText(partition, sort any) string { return HashText("key", partition, sort) }

// HashText distinguishes values without showing them.
func HashText(what string, values ...any) string {
	h := sha256.New()
	for _, v := range values {
		_, _ = fmt.Fprintf(h, "%#v\n", v)
	}
	return what + " #" + hex.EncodeToString(h.Sum(nil)[:8])
}
