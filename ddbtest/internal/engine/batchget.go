package engine

import (
	"context"
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

// BatchGetItem reads up to 100 items by their keys. What would make the answer
// exceed 16 MB, or is refused by a limit, is returned as unprocessed.
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
	var refused error
	for i, list := range reads {
		keys := &in.RequestItems[i]
		items := [][]byte{}
		var left []Attributes
		consistent := keys.ConsistentRead != nil && *keys.ConsistentRead
		for k, r := range list {
			if size > maxBatchBytes {
				left = append(left, keys.Keys[k])
				continue
			}
			if err := e.admit(ctx, r.access()); err != nil {
				refused = err
				left = append(left, keys.Keys[k])
				continue
			}
			item := r.table.items.Get(r.storeKey)
			if size+sizeOf(item) > maxBatchBytes {
				size = maxBatchBytes + 1
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
	if done == 0 && refused != nil {
		return nil, refused
	}
	out.ConsumedCapacity = ms.report(in.ReturnConsumedCapacity, unnamedUnits)
	return out, nil
}

func (in *BatchGetItemInput) constraints() error {
	var c constraints
	if c.required("requestItems", in.RequestItems != nil) && len(in.RequestItems) == 0 {
		c.fail("requestItems", "{}", false, "Member must have length greater than or equal to 1")
	}
	for i := range in.RequestItems {
		keys := &in.RequestItems[i]
		path := "requestItems." + keys.Table + ".member.keys"
		if !c.required(path, keys.Keys != nil) {
			continue
		}
		switch n := len(keys.Keys); {
		case n == 0:
			c.fail(path, "[]", false, "Member must have length greater than or equal to 1")
		case n > maxBatchGets:
			c.fail(path, printKeys(keys.Keys), false, "Member must have length less than or equal to "+strconv.Itoa(maxBatchGets))
		}
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

// batchReads validates the request and returns the reads of every table.
func (e *Engine) batchReads(in *BatchGetItemInput) ([][]*read, error) {
	reads, total := make([][]*read, len(in.RequestItems)), 0
	for i := range in.RequestItems {
		total += len(in.RequestItems[i].Keys)
	}
	if total > maxBatchGets {
		return nil, invalid("Too many items requested for the BatchGetItem call")
	}
	for i := range in.RequestItems {
		keys := &in.RequestItems[i]
		params, err := placeholders("BatchGetItem", &keys.Placeholders, keys.Legacy.names(), parameter{projectionParameter, keys.ProjectionExpression})
		if err != nil {
			return nil, err
		}
		for _, k := range keys.Keys {
			if k.Err != nil {
				return nil, k.Err
			}
		}
		p, err := readProjection(keys.ProjectionExpression, params, keys.Legacy)
		if err != nil {
			return nil, err
		}
		if err := unused(params); err != nil {
			return nil, err
		}
		for _, k := range keys.Keys {
			reads[i] = append(reads[i], &read{operation: "BatchGetItem", key: k.Item, projection: p})
		}
	}
	seen := make(map[tableKey]bool, total)
	for i, list := range reads {
		for _, r := range list {
			if err := e.bindRead(r, &in.RequestItems[i].Table); err != nil {
				return nil, err
			}
			at := tableKey{r.table, r.storeKey}
			if seen[at] {
				return nil, errDuplicateKeys
			}
			seen[at] = true
		}
	}
	return reads, nil
}

// tableKey identifies an item.
type tableKey struct {
	table *Table
	key   string
}

var errDuplicateKeys = invalid("Provided list of item keys contains duplicates")
