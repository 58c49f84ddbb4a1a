// SPDX-License-Identifier: Apache-2.0

package codec

import "errors"

// AttributeOf returns a top-level attribute of an item in wire form, or nil.
func AttributeOf(item []byte, name string) []byte {
	if item == nil {
		return nil
	}
	var (
		names  = [1]string{name}
		values [1][]byte
	)
	d := NewDecoder(item, Options{NoArena: true})
	defer d.Release()
	if d.Lookahead(names[:], values[:]) != nil {
		return nil
	}
	return values[0]
}

var errStop = errors.New("the caller has what it wants")

// EachAttribute yields the top-level attributes of an item in wire form that was checked, in their order.
func EachAttribute(item []byte, yield func(name string, value []byte) bool) {
	d := NewDecoder(item, Options{NoArena: true})
	defer d.Release()
	_ = d.Object(func(key []byte) error { // it was checked when the item was made
		name := string(key)
		value, err := d.Raw()
		if err == nil && !yield(name, value) {
			return errStop
		}
		return err
	})
}
