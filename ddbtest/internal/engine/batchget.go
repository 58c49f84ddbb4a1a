// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"bytes"
	"context"
	"encoding/json"
	"reflect"
	"strconv"

	"github.com/dynamotable/ddb/ddbtest/internal/value"
)

// Limits of batches.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchGetItem.html
const (
	maxBatchGets  = 100
	maxBatchBytes = 16 << 20
)

// BatchGetItemInput holds the parameters of BatchGetItem.
type BatchGetItemInput struct {
	// RequestItems are in the order of the request; nil if absent.
	RequestItems           []KeysOfTable
	ReturnConsumedCapacity *string
}

// KeysOfTable are the reads of one table in a BatchGetItem.
type KeysOfTable struct {
	Table string
	KeysAndAttributes
}

// KeysAndAttributes are keys to read and what to return of the items.
type KeysAndAttributes struct {
	Keys                 []Attributes // nil if absent
	ProjectionExpression *string
	Placeholders         Placeholders // names only
	Legacy               *Legacy
	ConsistentRead       *bool
}

// BatchGetItemOutput is the result of BatchGetItem.
type BatchGetItemOutput struct {
	Responses        []ItemsOfTable
	UnprocessedKeys  []KeysOfTable
	ConsumedCapacity []*ConsumedCapacity
}

// ItemsOfTable are wire forms of items of one table.
type ItemsOfTable struct {
	Table string
	Items [][]byte
}

// BatchGetItem reads up to 100 items by their keys. Keys whose items would
// make the answer exceed 16 MB, or that a limit refuses, are returned as unprocessed.
func (e *Engine) BatchGetItem(ctx context.Context, in *BatchGetItemInput) (*BatchGetItemOutput, error) {
	if err := in.constraints(); err != nil {
		return nil, err
	}
	reads, err := e.batchReads(in)
	if err != nil {
		return nil, err
	}
	out := new(BatchGetItemOutput)
	var ms meters
	size, done := 0, 0
	var rejected error
	for i, list := range reads {
		keys := &in.RequestItems[i]
		items := [][]byte{}
		var left []Attributes
		consistent := keys.ConsistentRead != nil && *keys.ConsistentRead
		for _, k := range e.order.of(len(list)) {
			r := list[k]
			if size > maxBatchBytes {
				left = append(left, keys.Keys[k])
				continue
			}
			if err := e.admit(ctx, r.access()); err != nil {
				rejected = err
				left = append(left, keys.Keys[k])
				continue
			}
			item := r.table.items.Get(r.storeKey)
			if size+sizeOf(item) > maxBatchBytes {
				size = maxBatchBytes + 1
				left = append(left, keys.Keys[k])
				continue
			}
			if err := e.allowRead(r, item, consistent); err != nil {
				rejected = err
				left = append(left, keys.Keys[k])
				continue
			}
			done++
			size += sizeOf(item)
			ms.of(r.table).addTable(readCost(sizeOf(item), consistent))
			image, err := r.image(item)
			if err != nil {
				return nil, err
			}
			if image != nil {
				items = append(items, image)
			}
		}
		out.Responses = append(out.Responses, ItemsOfTable{keys.Table, items})
		if left != nil {
			rest := *keys
			rest.Keys = left
			out.UnprocessedKeys = append(out.UnprocessedKeys, rest)
		}
	}
	if done == 0 && rejected != nil {
		return nil, rejected
	}
	out.ConsumedCapacity = ms.report(in.ReturnConsumedCapacity, unnamedUnits)
	return out, nil
}

// https://github.com/nubo-db/dynoxide/pull/198 has measured the text for no
// tables, https://github.com/nubo-db/dynoxide/issues/18 that for too many keys.
func (in *BatchGetItemInput) constraints() error {
	for i := range in.RequestItems {
		if err := checkTable(&in.RequestItems[i].Table); err != nil {
			return err
		}
	}
	var c constraints
	if c.required("requestItems", in.RequestItems != nil) && len(in.RequestItems) == 0 {
		c.failUnquoted("RequestItems", "Member must have length greater than or equal to 1")
	}
	for i := range in.RequestItems {
		keys := &in.RequestItems[i]
		path := "RequestItems." + keys.Table + ".member.Keys"
		switch n := len(keys.Keys); {
		case keys.Keys == nil:
			c.failUnquoted(path, "Member must not be null")
		case n == 0:
			c.failUnquoted(path, "Member must have length greater than or equal to 1")
		case n > maxBatchGets:
			c.failUnquoted(path, "Member must have length less than or equal to "+strconv.Itoa(maxBatchGets))
		}
		c.attributesToGet("requestItems."+keys.Table+".member.attributesToGet", keys.Legacy)
	}
	c.enum("returnConsumedCapacity", in.ReturnConsumedCapacity, capacitySet)
	return c.err()
}

// printKeys prints keys in constraint messages.
func printKeys(keys []Attributes) string {
	b := []byte{'['}
	for i, k := range keys {
		if i > 0 {
			b = append(b, ", "...)
		}
		b = value.AppendItem(b, k.Item)
	}
	return string(append(b, ']'))
}

// batchReads validates the request and returns the reads of every table. The
// request itself is checked before the tables and their keys.
func (e *Engine) batchReads(in *BatchGetItemInput) ([][]*read, error) {
	if err := in.check(); err != nil {
		return nil, err
	}
	reads := make([][]*read, len(in.RequestItems))
	for i := range in.RequestItems {
		keys := &in.RequestItems[i]
		p, err := keys.parse()
		if err != nil {
			return nil, err
		}
		for _, k := range keys.Keys {
			reads[i] = append(reads[i], &read{operation: "BatchGetItem", key: k.Item, projection: p})
		}
	}
	for i, list := range reads {
		for _, r := range list {
			if err := e.bindRead(r, &in.RequestItems[i].Table); err != nil {
				return nil, err
			}
		}
	}
	return reads, nil
}

// check validates what concerns several tables of a request.
func (in *BatchGetItemInput) check() error {
	total, expressions, legacy := 0, false, false
	for i := range in.RequestItems {
		keys := &in.RequestItems[i]
		total += len(keys.Keys)
		expressions = expressions || keys.ProjectionExpression != nil
		legacy = legacy || len(keys.Legacy.names()) > 0
	}
	switch {
	case total > maxBatchGets:
		return invalid("Too many items requested for the BatchGetItem call")
	case expressions && legacy: // also if they are in different tables; dynoxide has measured it for its version 0.11.2
		return mixedGenerations([]string{"AttributesToGet"}, []string{projectionParameter})
	}
	return nil
}

// parse validates the part of the request for one table, and returns the
// projection.
func (k *KeysOfTable) parse() (projection, error) {
	params, err := placeholders("BatchGetItem", &k.Placeholders, k.Legacy.names(), parameter{projectionParameter, k.ProjectionExpression})
	if err != nil {
		return nil, err
	}
	if err := checkDuplicates(k.Keys); err != nil {
		return nil, err
	}
	p, err := readProjection(k.ProjectionExpression, params, k.Legacy)
	if err != nil {
		return nil, err
	}
	return p, unused(params)
}

// checkDuplicates makes sure that the keys are valid values and that none comes
// twice. Numbers are compared as they are written: 1000 and 1e3 name the same
// item, but may both be requested.
func checkDuplicates(keys []Attributes) error {
	seen := make(map[string][]int, len(keys))
	for i, k := range keys {
		if k.Err != nil {
			return k.Err
		}
		form := string(value.AppendItem(nil, k.Item))
		for _, other := range seen[form] {
			if sameText(keys[other].Text, k.Text) {
				return errDuplicateKeys
			}
		}
		seen[form] = append(seen[form], i)
	}
	return nil
}

// sameText reports whether two keys with equal values are also written alike.
func sameText(a, b []byte) bool {
	if bytes.Equal(a, b) {
		return true
	}
	var one, other map[string]map[string]any
	if json.Unmarshal(a, &one) != nil || json.Unmarshal(b, &other) != nil {
		return true // not scalars, so no table accepts them as a key
	}
	return reflect.DeepEqual(one, other)
}

// tableKey identifies an item.
type tableKey struct {
	table *Table
	key   string
}

var errDuplicateKeys = invalid("Provided list of item keys contains duplicates")
