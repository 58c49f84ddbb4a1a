// SPDX-License-Identifier: Apache-2.0

package wire

import (
	"fmt"
	"maps"
	"slices"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/smithy-go"

	"github.com/dynamotable/ddb/internal/codec"
)

// noAttributes is used in place of a key or an item until the real one is inserted. Nothing writes to it.
var noAttributes = map[string]types.AttributeValue{}

// getKey is the key of a GetItem.
type getKey struct {
	in  dynamodb.GetItemInput
	key []byte
}

func (f *getKey) input() smithy.Serializable { return &f.in }
func (f *getKey) placeholder()               { f.in.Key = noAttributes }
func (f *getKey) hide()                      { f.in.Key = nil }
func (f *getKey) size() int                  { return len(`"Key":,`) + len(f.key) }

func (f *getKey) setAttributeValues() (err error) {
	if f.in.Key, err = codec.ParseItem(f.key); err != nil {
		return fmt.Errorf("GetItem: %w", err)
	}
	return nil
}

func (f *getKey) insert(b, envelope []byte) ([]byte, error) { return insertKey(b, f.key, envelope) }

// deleteKey is the key of a DeleteItem.
type deleteKey struct {
	in  dynamodb.DeleteItemInput
	key []byte
}

func (f *deleteKey) input() smithy.Serializable { return &f.in }
func (f *deleteKey) placeholder()               { f.in.Key = noAttributes }
func (f *deleteKey) hide()                      { f.in.Key = nil }
func (f *deleteKey) size() int                  { return len(`"Key":,`) + len(f.key) }

func (f *deleteKey) setAttributeValues() (err error) {
	if f.in.Key, err = codec.ParseItem(f.key); err != nil {
		return fmt.Errorf("DeleteItem: %w", err)
	}
	return nil
}

func (f *deleteKey) insert(b, envelope []byte) ([]byte, error) {
	return insertKey(b, f.key, envelope)
}

func insertKey(b, key, envelope []byte) ([]byte, error) {
	if err := checkItem(key); err != nil {
		return nil, err
	}
	b = append(append(b, `{"Key":`...), key...)
	return appendRest(b, envelope), nil
}

// batchKeys are the keys of a BatchGetItem.
type batchKeys struct {
	in     dynamodb.BatchGetItemInput
	tables []TableKeys
}

func newBatchKeys(in *dynamodb.BatchGetItemInput, tables []TableKeys) (*batchKeys, error) {
	f := &batchKeys{in: *in, tables: tables}
	f.in.RequestItems = make(map[string]types.KeysAndAttributes, max(len(tables), len(in.RequestItems)))
	maps.Copy(f.in.RequestItems, in.RequestItems)
	for i, t := range tables {
		if !plain(t.Table) {
			return nil, fmt.Errorf("BatchGetItem: %q is not the name or ARN of a table", t.Table)
		}
		for _, before := range tables[:i] {
			if before.Table == t.Table {
				return nil, fmt.Errorf("BatchGetItem: table %s is in one batch twice; join its keys", t.Table)
			}
		}
	}
	return f, nil
}

func (f *batchKeys) input() smithy.Serializable { return &f.in }

// placeholder sets an empty list of keys, which marks where the keys are inserted.
func (f *batchKeys) placeholder() {
	for _, t := range f.tables {
		request := f.in.RequestItems[t.Table]
		request.Keys = []map[string]types.AttributeValue{}
		f.in.RequestItems[t.Table] = request
	}
}

func (f *batchKeys) hide() {}

func (f *batchKeys) setAttributeValues() error {
	for _, t := range f.tables {
		request := f.in.RequestItems[t.Table]
		request.Keys = make([]map[string]types.AttributeValue, len(t.Keys))
		for i, key := range t.Keys {
			m, err := codec.ParseItem(key)
			if err != nil {
				return fmt.Errorf("BatchGetItem: key %d of table %s: %w", i, t.Table, err)
			}
			request.Keys[i] = m
		}
		f.in.RequestItems[t.Table] = request
	}
	return nil
}

func (f *batchKeys) size() (n int) {
	for _, t := range f.tables {
		for _, key := range t.Keys {
			n += len(key) + 1
		}
	}
	return n
}

func (f *batchKeys) insert(b, envelope []byte) ([]byte, error) {
	d := codec.NewDecoder(envelope, codec.Options{})
	defer d.Release()
	from, done := 0, 0
	err := member(d, "RequestItems", func() error {
		return d.Object(func(table []byte) error {
			i := slices.IndexFunc(f.tables, func(t TableKeys) bool { return t.Table == string(table) })
			if i < 0 {
				return d.Skip()
			}
			return member(d, "Keys", func() error {
				d.Peek()
				b = append(append(b, envelope[from:d.Pos()]...), '[')
				for j, key := range f.tables[i].Keys {
					if err := checkItem(key); err != nil {
						return fmt.Errorf("key %d of table %s: %w", j, table, err)
					}
					if j > 0 {
						b = append(b, ',')
					}
					b = append(b, key...)
				}
				b = append(b, ']')
				done++
				err := d.Skip()
				from = d.Pos()
				return err
			})
		})
	})
	if err != nil {
		return nil, err
	}
	if done != len(f.tables) {
		return nil, errEnvelope
	}
	return append(b, envelope[from:]...), nil
}

// count returns the number of keys that are requested from a table.
func (f *batchKeys) count(table string) int {
	for _, t := range f.tables {
		if t.Table == table {
			return len(t.Keys)
		}
	}
	return len(f.in.RequestItems[table].Keys)
}
