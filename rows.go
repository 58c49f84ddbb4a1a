package ddb

import (
	"reflect"

	"github.com/dynamotable/ddb/internal/codec"
)

func typeOf[T any]() reflect.Type { return reflect.TypeFor[T]() }

// oneRow decodes a single item.
type oneRow[T any] struct {
	plan *codec.Plan
	dst  *T
	seen bool
}

func (r *oneRow[T]) Reset(int) {
	var zero T
	*r.dst, r.seen = zero, false
}

func (r *oneRow[T]) Row(d *codec.Decoder) error {
	r.seen = true
	return codec.DecodeNext(r.plan, d, r.dst)
}

// discardRows skips items whose content nobody asked for.
type discardRows struct{}

func (discardRows) Reset(int) {}

func (discardRows) Row(d *codec.Decoder) error { return d.Skip() }
