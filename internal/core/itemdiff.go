// SPDX-License-Identifier: Apache-2.0

package core

import (
	"bytes"
	"reflect"

	"github.com/dynamotable/ddb/internal/codec"
)

// Keyed holds encoded items by their keys.
type Keyed struct {
	Keys  []string // of each item
	Items map[string][]byte
}

// SameItem reports whether two encoded items are equal, whatever the order of their attributes.
func SameItem(a, b []byte) bool {
	if bytes.Equal(a, b) {
		return true
	}
	x, err1 := codec.ParseItem(a)
	y, err2 := codec.ParseItem(b)
	return err1 == nil && err2 == nil && reflect.DeepEqual(x, y)
}
