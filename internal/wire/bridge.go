// SPDX-License-Identifier: Apache-2.0

package wire

import (
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/dynamotable/ddb/internal/codec"
)

// bridge delivers items that are attribute values: it encodes each in wire form and reads it with the same decoder, so that the
// same rules apply.
type bridge struct {
	call *call
	buf  *buffer
	last []byte // memory of the previous row
}

func (k *call) bridge() *bridge {
	return &bridge{call: k, buf: buffers.Get().(*buffer)}
}

// done ends the delivery, given its error.
func (b *bridge) done(err error) error {
	b.buf.release()
	k := b.call
	if err != nil && !k.keepRowError(err) {
		return &ReplyError{Operation: k.op, Read: k.read, Fault: ReplyMismatch, Err: err}
	}
	return nil
}

func (b *bridge) row(rows Rows, i int, item map[string]types.AttributeValue) (err error) {
	b.buf.body, b.last = b.last, b.buf.body // the previous row remains valid
	if b.buf.body, err = codec.AppendItemMap(b.buf.body[:0], item); err != nil {
		return &RowError{Index: i, Err: err}
	}
	d := codec.NewDecoder(b.buf.body, b.call.o.Codec)
	defer d.Release()
	switch err := rows.Row(d); {
	case mismatched(err):
		return err
	case err != nil:
		return &RowError{Index: i, Where: b.call.where(b.buf.body), Err: err}
	}
	return nil
}

func (b *bridge) list(rows Rows, items []map[string]types.AttributeValue) error {
	rows.Reset(len(items))
	for i, item := range items {
		if err := b.row(rows, i, item); err != nil {
			return err
		}
	}
	return nil
}
