// SPDX-License-Identifier: Apache-2.0

package payload

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/dynamotable/ddb"
)

// Data is a field of an item that may be too large for it:
//
//	type Document struct {
//		ID   string       `dynamodbav:"id"`
//		Text payload.Data `dynamodbav:"text"`
//	}
//
// Set it, and [Pack] the item before a write; [Payloads.Open] it after a read.
type Data struct {
	// Inline is the data if it is in the item.
	Inline []byte `dynamodbav:"inline,omitempty"`
	// Ref is the reference to the data if it is outside the item.
	Ref string `dynamodbav:"ref,omitempty"`

	opened []byte
	isOpen bool
}

// Of returns a field with data.
func Of(data []byte) Data { return Data{Inline: data} }

// Offloaded reports whether the data is outside the item.
func (d *Data) Offloaded() bool { return d != nil && d.Ref != "" }

// Bytes returns the data. Data outside the item must have been opened.
func (d *Data) Bytes() ([]byte, error) {
	switch {
	case d == nil:
		return nil, nil
	case d.Ref == "":
		return d.Inline, nil
	case d.isOpen:
		return d.opened, nil
	}
	return nil, errors.New("payload: the data is outside the item and was not opened")
}

// Sizer is the part of a table that [Pack] needs. [ddb.Table] and [ddb.SimpleTable] implement it.
//
// [ddb.Table]: https://pkg.go.dev/github.com/dynamotable/ddb#Table
// [ddb.SimpleTable]: https://pkg.go.dev/github.com/dynamotable/ddb#SimpleTable
type Sizer[T any] interface {
	ItemSize(item *T) (int, error)
}

// Pack makes an item fit: while it is larger than the threshold, by the exact size that DynamoDB counts, Pack stores the largest of the
// given fields outside. Call it before the write; the fields keep their data for [Data.Bytes]. If an item is too large even without
// the fields, the write fails.
func Pack[T any](ctx context.Context, p *Payloads, table Sizer[T], space string, item *T, fields ...*Data) error {
	if err := p.usable(); err != nil {
		return err
	}
	if table == nil || item == nil || slices.Contains(fields, nil) {
		return &ddb.InvalidError{Problems: []error{errors.New("payload: Pack: the table, the item or a field is nil")}}
	}
	for {
		n, err := table.ItemSize(item)
		if err != nil {
			return err
		}
		var largest *Data
		for _, f := range fields {
			if f.Ref == "" && len(f.Inline) > 0 && (largest == nil || len(f.Inline) > len(largest.Inline)) {
				largest = f
			}
		}
		if n <= p.threshold || largest == nil {
			return nil
		}
		reference, err := p.Store(ctx, space, largest.Inline)
		if err != nil {
			return err
		}
		*largest = Data{Ref: reference, opened: largest.Inline, isOpen: true}
	}
}

// Open fetches the data of fields that are outside their items, several at the same time. [Data.Bytes] returns it then. If the fields
// have more than [MaxTotal] together, Open returns [ErrTooLarge] before it fetches any; open them one after the other.
func (p *Payloads) Open(ctx context.Context, fields ...*Data) error {
	if err := p.usable(); err != nil {
		return err
	}
	var (
		references []string
		outside    []*Data
	)
	if slices.Contains(fields, nil) {
		return &ddb.InvalidError{Problems: []error{errors.New("payload: Open: a field is nil")}}
	}
	for _, f := range fields {
		if f.Ref != "" && !f.isOpen {
			references, outside = append(references, f.Ref), append(outside, f)
		}
	}
	total := int64(0)
	for i, reference := range references {
		r, err := p.ref(reference)
		if total += r.memory(); err == nil && total > p.total {
			err = fmt.Errorf("payload: %w: the fields up to it need %d bytes, MaxTotal is %d", ErrTooLarge, total, p.total)
		}
		if err != nil {
			return fmt.Errorf("open field %d of %d: %w", i+1, len(outside), err)
		}
	}
	i := 0
	for data, err := range p.FetchAll(ctx, references) {
		if err != nil {
			return fmt.Errorf("open field %d of %d: %w", i+1, len(outside), err)
		}
		outside[i].opened, outside[i].isOpen = data, true
		i++
	}
	return nil
}
