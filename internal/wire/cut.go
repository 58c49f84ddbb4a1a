// SPDX-License-Identifier: Apache-2.0

package wire

import (
	"errors"

	"github.com/dynamotable/ddb/internal/codec"
)

// take delivers the items of a body to the call's sink and returns the body without them. Its errors are those of the codec for
// invalid syntax; any other error says that the reply does not belong to the request.
func (k *call) take(buf *buffer) ([]byte, error) {
	if k.sink == nil || !k.direct {
		d := codec.NewDecoder(buf.body, k.o.Codec)
		defer d.Release()
		var have parts
		if err := d.Object(func(key []byte) error {
			have |= partOf(key)
			return d.Skip()
		}); err != nil {
			return nil, err
		}
		if err := d.End(); err != nil {
			return nil, err
		}
		return buf.body, checkAnswer(k.op, have)
	}
	return k.sinkFrom(buf)
}

// sinkFrom delivers the items of a body.
func (k *call) sinkFrom(buf *buffer) ([]byte, error) {
	d := codec.NewDecoder(buf.body, k.o.Codec)
	defer func() { d.Release() }()
	found, have, err := buf.cut(d, k.sink.member(), func(count int) error {
		return k.sink.read(page{d, buf.body, count, k})
	})
	if k.keepRowError(err) {
		// Only the receiver failed: continue without the items, because the call has taken effect.
		d.Release()
		d = codec.NewDecoder(buf.body, k.o.Codec)
		_, have, err = buf.cut(d, k.sink.member(), func(int) error { return d.Skip() })
	} else if err == nil && !found {
		err = k.sink.absent()
	}
	if err == nil {
		err = checkAnswer(k.op, have)
	}
	k.delivered = err == nil
	return buf.rest, err
}

// cut reads the value of one top-level member with fn, and sets b.rest to the body with null in its place. fn receives the value
// of Count if Count precedes the member. found reports whether the member exists and is not null; have is the set of members that
// exist.
func (b *buffer) cut(d *codec.Decoder, member string, fn func(count int) error) (found bool, have parts, err error) {
	b.rest = b.rest[:0]
	from, count := 0, 0
	err = d.Object(func(key []byte) error {
		have |= partOf(key)
		switch string(key) {
		case member:
			if d.Peek() == 'n' {
				return d.Skip()
			}
			if found {
				return Mismatch("it has the member " + member + " twice")
			}
			found = true
			b.rest = append(append(b.rest, b.body[from:d.Pos()]...), "null"...)
			if err := fn(count); err != nil {
				return err
			}
			from = d.Pos()
			return nil
		case "Count":
			raw, err := d.Raw()
			count = number(raw)
			return err
		}
		return d.Skip()
	})
	if err == nil {
		err = d.End()
	}
	b.rest = append(b.rest, b.body[from:]...)
	return found, have, err
}

// number parses a plain count. It returns 0 for anything else.
func number(raw []byte) (n int) {
	for _, c := range raw {
		if c < '0' || c > '9' || n > MaxReplyBytes {
			return 0
		}
		n = n*10 + int(c-'0')
	}
	return n
}

// page is the position at which a sink reads.
type page struct {
	d     *codec.Decoder // at the value of the sink's member
	body  []byte         // the whole body, which d reads
	count int            // number of items, 0 if it is not known
	call  *call
}

// row passes one item to its receiver.
func (p page) row(rows Rows, i int) error {
	p.d.Peek()
	from := p.d.Pos()
	if err := rows.Row(p.d); err != nil {
		if errors.Is(err, codec.ErrSyntax) || mismatched(err) {
			return err
		}
		return &RowError{Index: i, Where: p.call.where(p.body[from:]), Err: err}
	}
	if p.d.Pos() == from {
		return p.d.Skip()
	}
	return nil
}

// list passes an array of at most limit items to their receiver.
func (p page) list(rows Rows, limit int) error {
	rows.Reset(min(p.expect(), limit))
	i := 0
	return p.d.Array(func() error {
		i++
		return p.row(rows, i-1)
	})
}

var errFirst = errors.New("first element read")

// expect returns the expected number of items in the array that comes next: the number in the reply, or the number that fits into
// the rest of the body if all items have the size of the first one.
func (p page) expect() int {
	p.d.Peek()
	rest := p.body[p.d.Pos():]
	if p.count > 0 {
		return min(p.count, len(rest)/len(`{},`))
	}
	d := codec.NewDecoder(rest, p.call.o.Codec)
	defer d.Release()
	size := 0
	err := d.Array(func() error {
		raw, err := d.Raw()
		if size = len(raw); err == nil {
			err = errFirst
		}
		return err
	})
	if !errors.Is(err, errFirst) {
		return 0
	}
	return len(rest) / (size + 1)
}

// where returns the location of the item that body begins with.
func (k *call) where(body []byte) string {
	if k.o.Locate == nil {
		return ""
	}
	d := codec.NewDecoder(body, k.o.Codec)
	defer d.Release()
	item, err := d.Raw()
	if err != nil {
		return ""
	}
	return k.o.Locate(item)
}
