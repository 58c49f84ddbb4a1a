package ddb

import (
	"reflect"

	"github.com/dynamotable/ddb/internal/codec"
)

func typeOf[T any]() reflect.Type { return reflect.TypeFor[T]() }

// oneRow decodes a single item. With a core it must have the key, which is in wire form; see checkReplyKey.
type oneRow[T any] struct {
	plan *codec.Plan
	dst  *T
	seen bool
	core *core
	key  []byte
}

func (r *oneRow[T]) Reset(int) {
	var zero T
	*r.dst, r.seen = zero, false
}

func (r *oneRow[T]) Row(d *codec.Decoder) error {
	r.seen = true
	if r.core == nil {
		return codec.DecodeNext(r.plan, d, r.dst)
	}
	d.Watch(r.core.keyNames)
	d.Peek()
	from := d.Pos()
	if err := codec.DecodeNext(r.plan, d, r.dst); err != nil {
		return err
	}
	return r.core.checkReplyKey(r.key, d.Watched(), d.Since(from))
}

// discardRows skips items whose content nobody asked for.
type discardRows struct{}

func (discardRows) Reset(int) {}

func (discardRows) Row(d *codec.Decoder) error { return d.Skip() }
