// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"context"
	"maps"
	"slices"
	"strings"

	"github.com/dynamotable/ddb/ddbtest/internal/value"
)

const maxBatchWrites = 25

// BatchWriteItemInput holds the parameters of BatchWriteItem.
type BatchWriteItemInput struct {
	// RequestItems are in the order of the request; nil if absent.
	RequestItems                []WritesOfTable
	ReturnConsumedCapacity      *string
	ReturnItemCollectionMetrics *string
}

// WritesOfTable are the writes of one table in a BatchWriteItem.
type WritesOfTable struct {
	Table  string
	Writes []WriteRequest
}

// WriteRequest is a put or a delete.
type WriteRequest struct {
	PutRequest    *PutRequest
	DeleteRequest *DeleteRequest
}

// PutRequest is a put in a batch.
type PutRequest struct{ Item Attributes }

// DeleteRequest is a delete in a batch.
type DeleteRequest struct{ Key Attributes }

// BatchWriteItemOutput is the result of BatchWriteItem.
type BatchWriteItemOutput struct {
	UnprocessedItems      []WritesOfTable
	ItemCollectionMetrics []MetricsOfTable
	ConsumedCapacity      []*ConsumedCapacity
}

// MetricsOfTable are the metrics of the item collections of one table that a
// request has touched.
type MetricsOfTable struct {
	Table   string
	Metrics []*ItemCollectionMetrics
}

// BatchWriteItem puts and deletes up to 25 items, each
// independently. Requests that a limit rejects, or that conflict with a transaction, are returned as unprocessed.
func (e *Engine) BatchWriteItem(ctx context.Context, in *BatchWriteItemInput) (*BatchWriteItemOutput, error) {
	if err := in.constraints(); err != nil {
		return nil, err
	}
	actions, err := e.batchActions(in)
	if err != nil {
		return nil, err
	}
	out := new(BatchWriteItemOutput)
	var ms meters
	done := 0
	var rejected error
	for i, list := range actions {
		var left []WriteRequest
		for k, a := range list {
			fx, err := e.run(ctx, a)
			switch {
			case err == nil:
			case isThrottle(err) || AsError(err).Type == TransactionConflictException:
				rejected = err
				left = append(left, in.RequestItems[i].Writes[k])
				continue
			default:
				return nil, err
			}
			done++
			ms.of(a.table).add(&fx.meter)
			out.ItemCollectionMetrics = a.addMetrics(out.ItemCollectionMetrics, in.ReturnItemCollectionMetrics)
		}
		if left != nil {
			out.UnprocessedItems = append(out.UnprocessedItems, WritesOfTable{in.RequestItems[i].Table, left})
		}
	}
	if done == 0 && rejected != nil && isThrottle(rejected) {
		return nil, rejected
	}
	out.ConsumedCapacity = ms.report(in.ReturnConsumedCapacity, unnamedUnits)
	return out, nil
}

// isThrottle reports whether an error says that a limit was exceeded temporarily.
func isThrottle(err error) bool {
	switch AsError(err).Type {
	case ProvisionedThroughputExceededException, ThrottlingException, RequestLimitExceeded:
		return true
	}
	return false
}

// addMetrics adds the metrics of the collection that the action touched. A
// collection that several actions touched is reported once.
func (a *action) addMetrics(list []MetricsOfTable, mode *string) []MetricsOfTable {
	m := a.table.metrics(a.schema, a.key, mode)
	if m == nil {
		return list
	}
	for i := range list {
		if list[i].Table != a.table.name {
			continue
		}
		at := slices.IndexFunc(list[i].Metrics, func(k *ItemCollectionMetrics) bool {
			return maps.EqualFunc(k.Key, m.Key, value.Equal)
		})
		if at < 0 {
			list[i].Metrics = append(list[i].Metrics, m)
		} else {
			list[i].Metrics[at] = m // the size after the later write
		}
		return list
	}
	return append(list, MetricsOfTable{a.table.name, []*ItemCollectionMetrics{m}})
}

// https://github.com/nubo-db/dynoxide/issues/18 has the text for too many
// requests, https://github.com/nubo-db/dynoxide/pull/198 that for no tables.
func (in *BatchWriteItemInput) constraints() error {
	if in.RequestItems != nil && len(in.RequestItems) == 0 {
		return invalid("The requestItems parameter is required for BatchWriteItem")
	}
	for i := range in.RequestItems {
		if err := checkTable(&in.RequestItems[i].Table); err != nil {
			return err
		}
	}
	var c constraints
	c.required("requestItems", in.RequestItems != nil)
	if slices.ContainsFunc(in.RequestItems, func(w WritesOfTable) bool { return len(w.Writes) == 0 || len(w.Writes) > maxBatchWrites }) {
		c.fail("requestItems", in.print(), false, "Map value must satisfy constraint: "+
			"[Member must have length less than or equal to 25, Member must have length greater than or equal to 1]")
	}
	for i := range in.RequestItems {
		path := "requestItems." + in.RequestItems[i].Table + ".member"
		for k, w := range in.RequestItems[i].Writes {
			if w.PutRequest != nil {
				c.required(member(path, k)+".putRequest.item", w.PutRequest.Item.Present)
			}
			if w.DeleteRequest != nil {
				c.required(member(path, k)+".deleteRequest.key", w.DeleteRequest.Key.Present)
			}
		}
	}
	c.enum("returnConsumedCapacity", in.ReturnConsumedCapacity, capacitySet)
	c.enum("returnItemCollectionMetrics", in.ReturnItemCollectionMetrics, metricsSet)
	return c.err()
}

// print prints the request nearly as the service does in messages; it has one
// more level of names around every value.
func (in *BatchWriteItemInput) print() string {
	tables := make([]string, len(in.RequestItems))
	for i, t := range in.RequestItems {
		writes := make([]string, len(t.Writes))
		for k, w := range t.Writes {
			put, remove := "null", "null"
			if w.PutRequest != nil {
				put = "PutRequest(item=" + string(value.AppendItem(nil, w.PutRequest.Item.Item)) + ")"
			}
			if w.DeleteRequest != nil {
				remove = "DeleteRequest(key=" + string(value.AppendItem(nil, w.DeleteRequest.Key.Item)) + ")"
			}
			writes[k] = "WriteRequest(putRequest=" + put + ", deleteRequest=" + remove + ")"
		}
		tables[i] = t.Table + "=" + list(writes)
	}
	return "{" + strings.Join(tables, ", ") + "}"
}

// batchActions validates the request as a whole and returns the actions for
// every table; a batch with one invalid member does nothing.
func (e *Engine) batchActions(in *BatchWriteItemInput) ([][]*action, error) {
	actions, total := make([][]*action, len(in.RequestItems)), 0
	for i := range in.RequestItems {
		total += len(in.RequestItems[i].Writes)
	}
	if total > maxBatchWrites {
		return nil, invalid("Too many items requested for the BatchWriteItem call")
	}
	for i := range in.RequestItems {
		for _, w := range in.RequestItems[i].Writes {
			a, err := w.parse()
			if err != nil {
				return nil, err
			}
			actions[i] = append(actions[i], a)
		}
	}
	seen := make(map[tableKey]bool, total)
	for i, list := range actions {
		for _, a := range list {
			if err := e.bindBatch(a, &in.RequestItems[i].Table); err != nil {
				return nil, err
			}
			at := tableKey{a.table, a.storeKey}
			if seen[at] {
				return nil, errDuplicateKeys
			}
			seen[at] = true
		}
	}
	return actions, nil
}

func (w *WriteRequest) parse() (*action, error) {
	const operation = "BatchWriteItem"
	switch {
	case (w.PutRequest == nil) == (w.DeleteRequest == nil):
		// Dynalite has measured the answer if neither of the two is set, validations/batchWriteItem.js
		// in https://github.com/architect/dynalite.
		return nil, invalid("Supplied AttributeValue has more than one datatypes set, must contain exactly one of the supported datatypes")
	case w.PutRequest != nil:
		return parsePut(&PutItemInput{Item: w.PutRequest.Item}, operation)
	default:
		return parseDelete(&DeleteItemInput{Key: w.DeleteRequest.Key}, operation)
	}
}

// bindBatch binds a member of a batch. A put whose key is absent or does not fit
// the schema gets the message of a delete.
//
// https://github.com/nubo-db/dynoxide/issues/97 and issue 39 have measured it.
func (e *Engine) bindBatch(a *action, table *string) error {
	if a.kind == actionDelete {
		return e.bindKey(a, table)
	}
	t, err := e.table(*table)
	if err != nil {
		return err
	}
	schema, mismatch := t.Schema(), false
	schema.Key.Each(func(k KeyAttribute, _ bool) bool {
		v, ok := a.item[k.Name]
		mismatch = !ok || v.Kind() != k.Kind
		return !mismatch
	})
	if mismatch {
		return invalid(msgKeyMismatch)
	}
	return e.bindPut(a, table)
}
