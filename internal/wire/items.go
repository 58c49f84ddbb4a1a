// SPDX-License-Identifier: Apache-2.0

package wire

import (
	"fmt"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/smithy-go"

	"github.com/dynamotable/ddb/internal/codec"
)

// putItem is the item of a PutItem.
type putItem struct {
	in   dynamodb.PutItemInput
	item []byte
}

func (f *putItem) input() smithy.Serializable { return &f.in }
func (f *putItem) placeholder()               { f.in.Item = noAttributes }
func (f *putItem) hide()                      { f.in.Item = nil }
func (f *putItem) size() int                  { return len(`"Item":,`) + len(f.item) }

func (f *putItem) setAttributeValues() (err error) {
	if f.in.Item, err = codec.ParseItem(f.item); err != nil {
		return fmt.Errorf("PutItem: %w", err)
	}
	return nil
}

func (f *putItem) insert(b, envelope []byte) ([]byte, error) {
	if err := checkItem(f.item); err != nil {
		return nil, err
	}
	b = append(append(b, `{"Item":`...), f.item...)
	return appendRest(b, envelope), nil
}

// plain reports whether a table's name can be written in JSON without escaping, as every name and ARN that the service allows can:
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/HowItWorks.NamingRulesDataTypes.html
func plain(table string) bool {
	for i := range len(table) {
		if c := table[i]; c < ' ' || c > '~' || c == '"' || c == '\\' {
			return false
		}
	}
	return true
}

// batch is the content of a BatchWriteItem.
type batch struct {
	in     dynamodb.BatchWriteItemInput
	mark   map[string][]types.WriteRequest // only the tables, as the endpoint rules read them
	tables []TableWrites
}

func newBatch(in *dynamodb.BatchWriteItemInput, tables []TableWrites) (*batch, error) {
	f := &batch{in: *in, tables: tables, mark: make(map[string][]types.WriteRequest, len(tables))}
	for _, t := range tables {
		if !plain(t.Table) {
			return nil, fmt.Errorf("BatchWriteItem: %q is not the name or ARN of a table", t.Table)
		}
		// A table that occurs twice would be lost in the JSON object.
		if _, ok := f.mark[t.Table]; ok {
			return nil, fmt.Errorf("BatchWriteItem: table %s is in one batch twice; join its writes", t.Table)
		}
		f.mark[t.Table] = nil
		for i, w := range t.Writes {
			if (w.Put == nil) == (w.Delete == nil) {
				return nil, fmt.Errorf("BatchWriteItem: write %d of table %s is not exactly one of put and delete", i, t.Table)
			}
		}
	}
	return f, nil
}

func (f *batch) input() smithy.Serializable { return &f.in }
func (f *batch) placeholder()               { f.in.RequestItems = f.mark }
func (f *batch) hide()                      { f.in.RequestItems = nil }

func (f *batch) setAttributeValues() error {
	all := make(map[string][]types.WriteRequest, len(f.tables))
	for _, t := range f.tables {
		reqs := make([]types.WriteRequest, len(t.Writes))
		for i, w := range t.Writes {
			var err error
			if w.Put != nil {
				reqs[i].PutRequest = &types.PutRequest{}
				reqs[i].PutRequest.Item, err = codec.ParseItem(w.Put)
			} else {
				reqs[i].DeleteRequest = &types.DeleteRequest{}
				reqs[i].DeleteRequest.Key, err = codec.ParseItem(w.Delete)
			}
			if err != nil {
				return fmt.Errorf("BatchWriteItem: write %d of table %s: %w", i, t.Table, err)
			}
		}
		all[t.Table] = reqs
	}
	f.in.RequestItems = all
	return nil
}

func (f *batch) size() int {
	n := len(`"RequestItems":{},`)
	for _, t := range f.tables {
		n += len(`"":[],`) + len(t.Table)
		for _, w := range t.Writes {
			n += len(`{"DeleteRequest":{"Key":}},`) + len(w.Put) + len(w.Delete)
		}
	}
	return n
}

func (f *batch) insert(b, envelope []byte) ([]byte, error) {
	for _, t := range f.tables {
		for i, w := range t.Writes {
			item := w.Put
			if item == nil {
				item = w.Delete
			}
			if err := checkItem(item); err != nil {
				return nil, fmt.Errorf("write %d of table %s: %w", i, t.Table, err)
			}
		}
	}
	return appendRest(f.append(append(b, '{')), envelope), nil
}

func (f *batch) append(b []byte) []byte {
	b = append(b, `"RequestItems":{`...)
	for i, t := range f.tables {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(append(append(b, '"'), t.Table...), `":[`...)
		for j, w := range t.Writes {
			if j > 0 {
				b = append(b, ',')
			}
			if w.Put != nil {
				b = append(append(b, `{"PutRequest":{"Item":`...), w.Put...)
			} else {
				b = append(append(b, `{"DeleteRequest":{"Key":`...), w.Delete...)
			}
			b = append(b, `}}`...)
		}
		b = append(b, ']')
	}
	return append(b, '}')
}

// transaction holds the items of the Put actions of a TransactWriteItems.
type transaction struct {
	in   dynamodb.TransactWriteItemsInput
	item map[int][]byte
}

func newTransaction(in *dynamodb.TransactWriteItemsInput, item map[int][]byte) (*transaction, error) {
	f := &transaction{in: *in, item: item}
	f.in.TransactItems = append([]types.TransactWriteItem(nil), in.TransactItems...)
	puts := make([]types.Put, 0, len(item))
	for i := range item {
		if i < 0 || i >= len(in.TransactItems) || in.TransactItems[i].Put == nil {
			return nil, fmt.Errorf("TransactWriteItems: there is an item for action %d, which is not a put", i)
		}
		puts = append(puts, *in.TransactItems[i].Put)
		f.in.TransactItems[i].Put = &puts[len(puts)-1]
	}
	return f, nil
}

func (f *transaction) input() smithy.Serializable { return &f.in }

func (f *transaction) placeholder() {
	for i := range f.item {
		f.in.TransactItems[i].Put.Item = map[string]types.AttributeValue{}
	}
}

// hide keeps the empty items of placeholder, which mark where the items are inserted.
func (f *transaction) hide() {}

func (f *transaction) setAttributeValues() error {
	for i, item := range f.item {
		m, err := codec.ParseItem(item)
		if err != nil {
			return fmt.Errorf("TransactWriteItems: action %d: %w", i, err)
		}
		f.in.TransactItems[i].Put.Item = m
	}
	return nil
}

func (f *transaction) size() (n int) {
	for _, item := range f.item {
		n += len(item)
	}
	return n
}

func (f *transaction) insert(b, envelope []byte) ([]byte, error) {
	d := codec.NewDecoder(envelope, codec.Options{})
	defer d.Release()
	from, action, done := 0, 0, 0
	err := member(d, "TransactItems", func() error {
		return d.Array(func() error {
			item, ok := f.item[action]
			action++
			if !ok {
				return d.Skip()
			}
			return member(d, "Put", func() error {
				return member(d, "Item", func() error {
					if err := checkItem(item); err != nil {
						return fmt.Errorf("action %d: %w", action-1, err)
					}
					d.Peek()
					b = append(append(b, envelope[from:d.Pos()]...), item...)
					done++
					err := d.Skip()
					from = d.Pos()
					return err
				})
			})
		})
	})
	if err != nil {
		return nil, err
	}
	if done != len(f.item) {
		return nil, errEnvelope
	}
	return append(b, envelope[from:]...), d.End()
}

// member calls fn for one member of an object and skips the others.
func member(d *codec.Decoder, name string, fn func() error) error {
	return d.Object(func(key []byte) error {
		if string(key) != name {
			return d.Skip()
		}
		return fn()
	})
}
