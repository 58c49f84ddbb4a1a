// SPDX-License-Identifier: Apache-2.0

package core

import (
	"bytes"
	"errors"
	"fmt"
	"reflect"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/dynamotable/ddb/ddberr"
	"github.com/dynamotable/ddb/internal/codec"
	"github.com/dynamotable/ddb/internal/itemid"
	"github.com/dynamotable/ddb/internal/itemsize"
	"github.com/dynamotable/ddb/internal/operr"
	"github.com/dynamotable/ddb/revision"
)

// keyOfItem encodes an item's primary key.
func keyOfItem(c *Table, item reflect.Value) (map[string]types.AttributeValue, error) {
	data, err := codec.AppendSlot(nil, c.Plan, item)
	if err != nil {
		return nil, err
	}
	return c.wireKey(data)
}

// checkItemSize refuses an encoded item that DynamoDB would refuse for its size.
func checkItemSize(item []byte) error {
	// The wire form is longer than the stored item, so most items need not be counted.
	if len(item) <= itemsize.MaxItem {
		return nil
	}
	n, err := codec.ItemSize(item)
	if err != nil || n <= itemsize.MaxItem {
		return err
	}
	sizes, err := codec.AttributeSizes(item)
	if err != nil {
		return err
	}
	return newSizeError(n, sizes)
}

func newSizeError(n int, sizes []codec.AttributeSize) error {
	var largest []codec.AttributeSize
	for len(largest) < 3 && len(largest) < len(sizes) {
		best := -1
		for i, s := range sizes {
			if s.Bytes >= 0 && (best < 0 || s.Bytes > sizes[best].Bytes) {
				best = i
			}
		}
		largest = append(largest, sizes[best])
		sizes[best].Bytes = -1
	}
	names := make([]string, len(largest))
	for i, s := range largest {
		names[i] = fmt.Sprintf("%s (%d bytes)", s.Name, s.Bytes)
	}
	return fmt.Errorf("%w: %d bytes, the limit is %d; largest attributes: %s", ddberr.ErrItemTooLarge, n, itemsize.MaxItem, strings.Join(names, ", "))
}

// wireKey takes the primary key out of an encoded item and refuses values that
// cannot be keys.
func (c *Table) wireKey(item []byte) (map[string]types.AttributeValue, error) {
	key, err := c.Pick(item, c.KeyNames)
	if err != nil {
		return nil, err
	}
	var errs []error
	for i, name := range c.KeyNames {
		if c.keyAttrs[i].prefix != nil {
			errs = append(errs, c.keyAttrs[i].checkStored(key[name]))
		}
		limit := itemid.MaxPartitionKey
		if i > 0 {
			limit = itemid.MaxSortKey
		}
		errs = append(errs, itemid.CheckValue(name, key[name], limit))
	}
	return key, errors.Join(errs...)
}

// Pick returns some top-level attributes of an encoded item.
func (c *Table) Pick(item []byte, names []string) (map[string]types.AttributeValue, error) {
	picked := make(map[string]types.AttributeValue, len(names))
	d := codec.NewDecoder(item, codec.Options{})
	err := d.Object(func(key []byte) error {
		for _, name := range names {
			if string(key) != name {
				continue
			}
			from := d.Pos()
			if err := d.Skip(); err != nil {
				return err
			}
			av, err := codec.ParseAttributeValue(item[from:d.Pos()])
			picked[name] = av
			return err
		}
		return d.Skip()
	})
	return picked, err
}

// checkItem refuses an item that is too large, and a raw item whose keys are of another type than the table's.
func (c *Table) checkItem(data []byte) error {
	return errors.Join(checkItemSize(data), c.checkRawItem(data))
}

// warnSize reports an encoded item that was stored and is above the limit of ddb.WarnSize.
func (c *Table) warnSize(item []byte) {
	// The wire form is longer than the stored item, so most items need not be counted.
	if c.warn == nil || len(item) <= c.warnMark {
		return
	}
	if n, err := codec.ItemSize(item); err == nil && n > c.warnMark {
		c.warn(c.Name, n)
	}
}

// ItemSize returns the size that DynamoDB would bill for the item, a *T, as a put would store it.
func (c *Table) ItemSize(item any) (int, error) {
	if err := c.Usable(); err != nil {
		return 0, err
	}
	pointer := reflect.ValueOf(item)
	if pointer.IsNil() {
		return 0, operr.New("ItemSize", c.Name, "", operr.Invalid(errors.New("the item is nil")))
	}
	current := pointer.Elem()
	next, st, err3 := stampItem(c, VerbPut, current, revision.Revision{}, c.newMark())
	next, _, err := deriveFields(c, current, next, st.done)
	buf := itemBuffers.Get().(*itemBuffer)
	defer buf.release()
	data, err2 := codec.AppendSlot(buf.b[:0], c.Plan, next)
	buf.b = data
	n := 0
	if err2 == nil {
		data, err2 = c.markItem(data)
	}
	if err2 == nil {
		_, err2 = c.KeyNames.Append(data[len(data):], data)
	}
	if err = errors.Join(err, err2, err3); err == nil {
		n, err = codec.ItemSize(data)
	}
	if err != nil {
		return 0, operr.New("ItemSize", c.Name, "", operr.Invalid(err))
	}
	return n, nil
}

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
