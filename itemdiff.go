// SPDX-License-Identifier: Apache-2.0

package ddb

import (
	"bytes"
	"errors"
	"fmt"
	"reflect"

	"github.com/dynamotable/ddb/internal/codec"
	"github.com/dynamotable/ddb/internal/operr"
)

// DiffItems compares two batches of items of a table by their keys, without a request. For example, before is what is stored
// and after what should be stored. gone are the items whose key is only in before, added those whose key is only in after,
// and changed the items of after whose key is in both but that differ. Each list keeps the order of its batch.
//
//	gone, added, changed, err := ddb.DiffItems(lines, stored, wanted)
//	err = lines.BatchPut(ctx, append(added, changed...))
//
// Items are equal if their stored forms are equal; numbers of equal value that are written differently differ. Items that
// cannot be stored, and a key that is twice in one batch, are refused with [ErrInvalid], all at once.
func DiffItems[T any](table AnyTable[T], before, after []T) (gone, added, changed []T, err error) {
	c := coreOf(table)
	if err := c.usable(); err != nil {
		return nil, nil, nil, err
	}
	b, err1 := keyedItems(c, "before", before)
	a, err2 := keyedItems(c, "after", after)
	if err := operr.Invalid(errors.Join(err1, err2)); err != nil {
		return nil, nil, nil, operr.New("DiffItems", c.name, "", err)
	}
	for i, k := range b.keys {
		if _, both := a.items[k]; !both {
			gone = append(gone, before[i])
		}
	}
	for i, k := range a.keys {
		if was, both := b.items[k]; !both {
			added = append(added, after[i])
		} else if !sameItem(was, a.items[k]) {
			changed = append(changed, after[i])
		}
	}
	return gone, added, changed, nil
}

// keyed holds encoded items by their keys.
type keyed struct {
	keys  []string // of each item
	items map[string][]byte
}

func keyedItems[T any](c *core, side string, list []T) (keyed, error) {
	k := keyed{items: make(map[string][]byte, len(list))}
	var errs []error
	for i := range list {
		data, err := codec.Append(nil, c.plan, &list[i])
		var id []byte
		if err == nil {
			id, err = c.keyNames.Append(nil, data)
		}
		if _, twice := k.items[string(id)]; err == nil && twice {
			err = errors.New("its key is in the batch twice")
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("item %d of %s: %w", i, side, err))
		}
		k.keys = append(k.keys, string(id))
		k.items[string(id)] = data
	}
	return k, errors.Join(errs...)
}

// sameItem reports whether two encoded items are equal, whatever the order of their attributes.
func sameItem(a, b []byte) bool {
	if bytes.Equal(a, b) {
		return true
	}
	x, err1 := codec.ParseItem(a)
	y, err2 := codec.ParseItem(b)
	return err1 == nil && err2 == nil && reflect.DeepEqual(x, y)
}
