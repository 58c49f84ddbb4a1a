// SPDX-License-Identifier: Apache-2.0

package core

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/dynamotable/ddb/cost"
	"github.com/dynamotable/ddb/internal/codec"
	"github.com/dynamotable/ddb/internal/cursor"
	"github.com/dynamotable/ddb/internal/expr"
	"github.com/dynamotable/ddb/internal/gotype"
	"github.com/dynamotable/ddb/internal/handle"
	"github.com/dynamotable/ddb/internal/itemid"
	"github.com/dynamotable/ddb/internal/operr"
	"github.com/dynamotable/ddb/internal/replykey"
	"github.com/dynamotable/ddb/internal/wire"
)

// Read is a query or scan without its type parameters: what ddb.Query, ddb.Scan, ddb.IndexQuery and ddb.IndexScan refer to. It is
// never changed once a builder has returned it; builders change a copy. What is derived from it is built once, behind ready.
type Read struct {
	// The fields do not have the names of builders in lower case, since the compiler would suggest them if a type lacks the
	// builder.
	this       *Read // itself
	self       ReadRef
	Core       *Table
	Index      *IndexInfo // nil for the table
	scan       bool
	key        expr.Node
	sorted     bool // the caller gave a range of sort keys
	partition  []types.AttributeValue
	filter     expr.Node
	project    []*handle.Handle
	plan       *codec.Plan // of a view; nil for items
	list       gotype.Type // of a view, []V
	view       []expr.Path // the paths of a view type
	strongly   bool        // consistent
	backwards  bool        // descending
	limit      int
	pageSize   int
	after      *cursor.Position
	upTo       *cursor.Position
	fromTable  bool // items are read from the table by the keys found in the index
	wholeItems bool // the service reads the items of a local index from the table
	// A page stops after this many evaluated items, or before the request that would exceed the units; 0 is no bound.
	mostScanned int
	mostUnits   float64
	toEnd       bool // all pages are read
	expired     bool // are returned on a table that hides them
	segments    int
	mixed       *Mixed // items of several types; nil for those of the table
	bare        bool   // only the attributes by which items are recognised
	errs        []error
	ready       *ReadText
}

// ReadText is derived from a read at its first use.
type ReadText struct {
	once                    sync.Once
	key, filter, projection string
	aliases                 map[string]string
	values                  map[string]types.AttributeValue
	Start                   cursor.StartKey
	scan, descending        bool
	fetches                 bool         // DynamoDB also reads the items of a local index from the table
	kept                    *filterStats // nil without a filter
	err                     error

	sum   sync.Once // most queries need no fingerprint
	query [8]byte
}

// fetched is the result of one request, apart from its items.
type fetched struct {
	last     map[string]types.AttributeValue
	count    int
	scanned  int
	consumed cost.Consumed
	stated   bool // consumed is what the reply says
}

func (r *Read) op() string {
	if r != nil && r.scan {
		return "Scan"
	}
	return "Query"
}

// Fail wraps an error of the read in an OpError with its operation, table and index.
func (r *Read) Fail(err error) error {
	if r == nil {
		return operr.New("Query", "", "", err)
	}
	return operr.New(r.op(), r.Core.Label(), r.Index.Label(), err)
}

// schema returns the key of the table or index that is read.
func (r *Read) schema() keySchema {
	switch {
	case r.Core == nil:
		return keySchema{}
	case r.Index != nil:
		return r.Index.key
	}
	return r.Core.Key
}

var errZeroRead = errors.New("a zero query or scan was used; make it by a method of a table or an index")

// Text builds the expressions once and reports everything that is wrong with the read.
func (r *Read) Text() (*ReadText, error) {
	if r == nil || r.ready == nil {
		return nil, operr.Invalid(errZeroRead)
	}
	if err := r.Core.Usable(); err != nil {
		return nil, err
	}
	t := r.ready
	t.once.Do(func() { t.err = r.build(t) })
	if t.err != nil {
		return nil, t.err
	}
	if err := operr.Invalid(r.errs...); err != nil {
		return nil, err
	}
	return t, errors.Join(t.Check(r.after, r), t.Check(r.upTo, r))
}

func (r *Read) build(t *ReadText) error {
	errs := slices.Clone(r.errs)
	errs = append(errs, r.checkFilter(), r.checkStops(), r.checkEntityRead())
	var w expr.Writer
	t.key, t.filter = w.Render(r.key), w.Render(expr.All(r.filter, r.entityFilter(), r.notTombstones()))
	if r.filter != nil {
		t.kept = r.Core.statsOf(r.Index, expr.Describe(r.filter))
	}
	t.Start = r.Core.startKey(r.Index)
	t.scan, t.descending = r.scan, r.backwards
	paths, err := r.paths(t.Start)
	errs = append(errs, err)
	t.fetches = r.fetchesAny(paths)
	t.projection = w.Projection(paths)
	t.aliases, t.values = w.Names(), w.Values()
	return operr.Invalid(errs...)
}

// checkFilter refuses filters that DynamoDB would refuse or that can never be true.
func (r *Read) checkFilter() error {
	if r.filter == nil {
		return nil
	}
	var errs []error
	schema := r.schema().names()
	for _, p := range expr.Paths(r.filter) {
		name := p[0].Name
		if !r.scan && slices.Contains(schema, name) {
			errs = append(errs, fmt.Errorf("filter on key attribute %s; a condition on the sort key belongs in SortKey, the partition key is the argument of Query", name))
		}
		if !r.Index.holds(r.Core, name) {
			errs = append(errs, fmt.Errorf("filter on attribute %s, which index %s does not hold", name, r.Index.name))
		}
	}
	return errors.Join(errs...)
}

// paths returns the projection: the requested attributes, and the keys, which cursors need.
func (r *Read) paths(keys cursor.StartKey) ([]expr.Path, error) {
	paths, err := r.Core.projection(r.project)
	switch {
	case r.fromTable:
		paths = nil // only the keys; the rest comes from the table
	case r.bare:
		paths = nil
	case len(r.project) == 0 && r.view == nil:
		return nil, nil
	}
	for _, p := range append(paths, r.view...) {
		if !r.Index.holds(r.Core, p[0].Name) {
			err = errors.Join(err, fmt.Errorf("projection: index %s does not hold attribute %s", r.Index.name, p[0].Name))
		}
	}
	if !r.bare {
		for _, p := range r.view {
			paths = addPath(paths, p)
		}
	}
	for _, n := range keys.Names {
		paths = addPath(paths, expr.Attribute(n))
	}
	if !r.fromTable {
		for _, c := range r.entities() {
			paths = c.withEntity(paths)
		}
	}
	if hiding := r.hiding(); hiding != nil {
		paths = hiding.withExpiry(paths, true)
	}
	return paths, err
}

// hides reports whether expired items are left out.
func (r *Read) hides() bool { return r.hiding() != nil }

// hiding returns the table whose expired items are left out, nil if none are. In reads of several item types the option of
// one applies to all.
func (r *Read) hiding() *Table {
	if r.expired {
		return nil
	}
	if r.mixed == nil {
		if r.Core.hideExpired {
			return r.Core
		}
		return nil
	}
	if i := slices.IndexFunc(r.mixed.parts, func(c *Table) bool { return c.hideExpired }); i >= 0 {
		return r.mixed.parts[i]
	}
	return nil
}

// fetch sends one request. size limits the items that it evaluates; 0 is no limit.
func (r *Read) fetch(ctx context.Context, t *ReadText, start map[string]types.AttributeValue, size int, seg Segment, rows wire.Rows) (fetched, error) {
	if err := ctx.Err(); err != nil {
		return fetched{}, r.Fail(err)
	}
	size = gatePageSize(ctx, r, itemsLeft(ctx, size))
	c := r.Core
	var last map[string]types.AttributeValue
	info := requestInfo{op: r.op(), index: r.Index, consistent: r.strongly, read: r, size: size, segment: seg}
	got, err := c.send(ctx, &info, c.wire, func(ctx context.Context, o outgoing) (replyInfo, error) {
		if r.mostUnits > 0 {
			o.capacity = types.ReturnConsumedCapacityIndexes
		}
		if !r.scan {
			out, err := wire.Query(ctx, c.Client, r.queryInput(t, start, size, rows, o), o.options, rowsOrDiscard(rows))
			if out == nil {
				return replyInfo{}, err
			}
			if last = out.LastEvaluatedKey; err == nil {
				err = r.checkNext(last)
			}
			return replyToPage(out.ConsumedCapacity, out.Count, out.ScannedCount), err
		}
		out, err := wire.Scan(ctx, c.Client, r.scanInput(t, start, size, seg, rows, o), o.options, rowsOrDiscard(rows))
		if out == nil {
			return replyInfo{}, err
		}
		last = out.LastEvaluatedKey
		return replyToPage(out.ConsumedCapacity, out.Count, out.ScannedCount), err
	})
	f := fetched{count: got.returned, scanned: got.scanned}
	t.kept.add(f.scanned, f.count)
	if got.capacity != nil {
		f.consumed, f.stated = cost.ConsumedOf(false, *got.capacity), true
	}
	if len(last) > 0 {
		f.last = last
	}
	return f, r.Fail(err)
}

func rowsOrDiscard(rows wire.Rows) wire.Rows {
	if rows == nil {
		return discardRows{}
	}
	return rows
}

// replyToPage is the reply to a Query or Scan.
func replyToPage(cc *types.ConsumedCapacity, count, scanned int32) replyInfo {
	return replyInfo{answered: true, capacity: cc, items: int(scanned), returned: int(count), scanned: int(scanned)}
}

// queryInput is the input of a Query. Without rows the items are only counted.
func (r *Read) queryInput(t *ReadText, start map[string]types.AttributeValue, size int, rows wire.Rows, o outgoing) *dynamodb.QueryInput {
	in := &dynamodb.QueryInput{
		TableName: &r.Core.Name, KeyConditionExpression: &t.key, FilterExpression: text(t.filter), ProjectionExpression: text(t.projection),
		ExpressionAttributeNames: t.aliases, ExpressionAttributeValues: t.values, ExclusiveStartKey: start,
		ReturnConsumedCapacity: o.capacity, Limit: int32Of(size), IndexName: text(r.Index.Label()),
	}
	if r.backwards {
		in.ScanIndexForward = aws.Bool(false)
	}
	if r.strongly {
		in.ConsistentRead = aws.Bool(true)
	}
	if r.wholeItems && t.projection == "" {
		in.Select = types.SelectAllAttributes
	}
	if rows == nil {
		in.Select, in.ProjectionExpression = types.SelectCount, nil
		in.ExpressionAttributeNames = t.countAliases()
	}
	return in
}

// scanInput is the input of a Scan. Without rows the items are only counted.
func (r *Read) scanInput(t *ReadText, start map[string]types.AttributeValue, size int, seg Segment, rows wire.Rows, o outgoing) *dynamodb.ScanInput {
	in := &dynamodb.ScanInput{
		TableName: &r.Core.Name, FilterExpression: text(t.filter), ProjectionExpression: text(t.projection),
		ExpressionAttributeNames: t.aliases, ExpressionAttributeValues: t.values, ExclusiveStartKey: start,
		ReturnConsumedCapacity: o.capacity, Limit: int32Of(size), IndexName: text(r.Index.Label()),
	}
	if r.strongly {
		in.ConsistentRead = aws.Bool(true)
	}
	if seg.Total > 1 {
		in.Segment, in.TotalSegments = aws.Int32(int32(seg.Number)), aws.Int32(int32(seg.Total))
	}
	if r.wholeItems && t.projection == "" {
		in.Select = types.SelectAllAttributes
	}
	if rows == nil {
		in.Select, in.ProjectionExpression = types.SelectCount, nil
		in.ExpressionAttributeNames = t.countAliases()
	}
	return in
}

// countAliases leaves out placeholders that only the projection uses, which DynamoDB would refuse as unused.
func (t *ReadText) countAliases() map[string]string {
	if t.projection == "" {
		return t.aliases
	}
	used := maps.Clone(t.aliases)
	maps.DeleteFunc(used, func(alias, _ string) bool {
		return !usesAlias(t.key, alias) && !usesAlias(t.filter, alias)
	})
	if len(used) == 0 {
		return nil
	}
	return used
}

func usesAlias(text, alias string) bool {
	for i := 0; i+len(alias) <= len(text); i++ {
		if text[i:i+len(alias)] == alias && (i+len(alias) == len(text) || text[i+len(alias)] < '0' || text[i+len(alias)] > '9') {
			return true
		}
	}
	return false
}

func text(s string) *string {
	if s == "" {
		return nil
	}
	kept := s // so that only an existing text takes memory
	return &kept
}

func int32Of(n int) *int32 {
	if n <= 0 {
		return nil
	}
	return aws.Int32(int32(min(n, 1<<30)))
}

// checkNext refuses a reply that says to continue in another partition: it belongs to another query, even if its items were
// all dropped by a filter. The SDK does not repeat the read, since its part is done.
func (r *Read) checkNext(last map[string]types.AttributeValue) error {
	if len(last) == 0 {
		return nil
	}
	for i, part := range r.schema().partition {
		var want, have [64]byte
		if !bytes.Equal(itemid.AppendValue(want[:0], r.partition[i]), itemid.AppendValue(have[:0], last[part.Name])) {
			return &wire.ReplyError{Operation: r.op(), Read: true, Fault: wire.ReplyMismatch, Err: replykey.ErrOtherPartition}
		}
	}
	return nil
}

// Where is the text of a query: operation and place, without its keys.
func (r *Read) Where() string {
	if r == nil || r.Core == nil {
		return "zero query"
	}
	return r.op() + " " + r.Place()
}

// Place is the table, or the index as table/index.
func (r *Read) Place() string {
	if r.Index != nil {
		return Index{r.Core, r.Index}.Place()
	}
	return r.Core.Name
}
