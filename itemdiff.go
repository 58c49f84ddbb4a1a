// SPDX-License-Identifier: Apache-2.0

package ddb

import (
	"errors"
	"fmt"

	"github.com/dynamotable/ddb/internal/codec"
	"github.com/dynamotable/ddb/internal/core"
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
	if err := c.Usable(); err != nil {
		return nil, nil, nil, err
	}
	b, err1 := keyedItems(c, "before", before)
	a, err2 := keyedItems(c, "after", after)
	if err := operr.Invalid(errors.Join(err1, err2)); err != nil {
		return nil, nil, nil, operr.New("DiffItems", c.Name, "", err)
	}
	for i, k := range b.Keys {
		if _, both := a.Items[k]; !both {
			gone = append(gone, before[i])
		}
	}
	for i, k := range a.Keys {
		if was, both := b.Items[k]; !both {
			added = append(added, after[i])
		} else if !core.SameItem(was, a.Items[k]) {
			changed = append(changed, after[i])
		}
	}
	return gone, added, changed, nil
}

func keyedItems[T any](c *core.Table, side string, list []T) (core.Keyed, error) {
	k := core.Keyed{Items: make(map[string][]byte, len(list))}
	var errs []error
	for i := range list {
		data, err := codec.Append(nil, c.Plan, &list[i])
		var id []byte
		if err == nil {
			id, err = c.KeyNames.Append(nil, data)
		}
		if _, twice := k.Items[string(id)]; err == nil && twice {
			err = errors.New("its key is in the batch twice")
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("item %d of %s: %w", i, side, err))
		}
		k.Keys = append(k.Keys, string(id))
		k.Items[string(id)] = data
	}
	return k, errors.Join(errs...)
}
