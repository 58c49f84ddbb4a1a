// SPDX-License-Identifier: Apache-2.0

package ddb

import (
	"reflect"

	"github.com/dynamotable/ddb/internal/codec"
)

// oneRow decodes a single item. With a core it must have the key, which is in wire form; see checkReplyKey.
type oneRow struct {
	plan *codec.Plan
	dst  reflect.Value // settable
	seen bool
	core *core
	key  []byte
	of   *core // the table by which the item is recognised; nil for any item
	skip bool  // the item is of another type, and left out
}

func (r *oneRow) Reset(int) {
	r.dst.SetZero()
	r.seen, r.skip = false, false
}

func (r *oneRow) Row(d *codec.Decoder) error {
	r.seen = true
	if r.of != nil && r.of.entity != nil {
		if err := r.recognise(d); err != nil || r.skip {
			return err
		}
	}
	if r.core == nil {
		return codec.DecodeNextSlot(r.plan, d, r.dst)
	}
	d.Watch(r.core.keyNames)
	d.Peek()
	from := d.Pos()
	if err := codec.DecodeNextSlot(r.plan, d, r.dst); err != nil {
		return err
	}
	return r.core.checkReplyKey(r.key, d.Watched(), d.Since(from))
}

// discardRows skips items whose content nobody asked for.
type discardRows struct{}

func (discardRows) Reset(int) {}

func (discardRows) Row(d *codec.Decoder) error { return d.Skip() }
