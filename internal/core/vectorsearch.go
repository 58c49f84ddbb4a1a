// SPDX-License-Identifier: Apache-2.0

package core

import (
	"context"
	"errors"
	"fmt"
	"math"
	"reflect"
	"slices"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/dynamotable/ddb/internal/codec"
	"github.com/dynamotable/ddb/internal/expr"
	"github.com/dynamotable/ddb/internal/handle"
	"github.com/dynamotable/ddb/internal/itemid"
	"github.com/dynamotable/ddb/internal/operr"
	"github.com/dynamotable/ddb/internal/wire"
)

// HitText is the text of a ddb.VectorHit.
func HitText(score float64) string { return fmt.Sprintf("hit with score %g", score) }

// vectorClient is what a search needs of a client.
type vectorClient interface {
	SearchVectors(context.Context, *dynamodb.SearchVectorsInput, ...func(*dynamodb.Options)) (*dynamodb.SearchVectorsOutput, error)
}

const opSearch = "SearchVectors"

const (
	errManyHits      = wire.Mismatch("it holds more items than were asked for")
	errOtherSearched = wire.Mismatch("it holds an item of another partition than the one that was asked for")
)

// decodeHit reads an item that was found, unless it has expired or is of a type that is left out.
func decodeHit(c *Table, data []byte, hiding *expiry, to reflect.Value) (given bool, err error) {
	d := codec.NewDecoder(data, codec.Options{})
	defer d.Release()
	if hidden, err := hiding.hides(d); err != nil || hidden {
		return false, err
	}
	return decodeOwnRow(c, c.Plan, d, to)
}

// Name returns the name of the index; empty for the zero VectorIndex.
func (x VectorIndex) Name() string {
	if x.info == nil {
		return ""
	}
	return x.info.name
}

// Place returns table/index.
func (x VectorIndex) Place() string {
	if x.core == nil {
		return ""
	}
	return x.core.Name + "/" + x.Name()
}

// Search finds the nearest items; partition is a pointer, nil for an index without, and hits a *[]VectorHit.
func (x VectorIndex) Search(ctx context.Context, partition any, vector []float32, n int, filters []*handle.Condition, hits any) error {
	if err := x.core.Usable(); err != nil {
		return err
	}
	c := x.core
	fail := func(err error) error { return operr.New(opSearch, c.Name, x.Name(), err) }
	client, ok := c.Client.(vectorClient)
	var errs []error
	if !ok {
		errs = append(errs, fmt.Errorf("the client (%T) lacks the method SearchVectors", c.Client))
	}
	in, err := x.input(partition, vector, n, filters)
	if err := operr.Invalid(append(errs, err)...); err != nil {
		return fail(err)
	}
	list := reflect.ValueOf(hits).Elem()
	info := requestInfo{op: opSearch, index: &x.info.IndexInfo, search: true, size: n}
	_, err = c.send(ctx, &info, c.wire, func(ctx context.Context, o outgoing) (replyInfo, error) {
		out, err := client.SearchVectors(ctx, in, o.options.Client...)
		if err != nil || out == nil {
			return replyInfo{}, err
		}
		r := replyInfo{answered: true, items: len(out.SearchResults), returned: len(out.SearchResults)}
		return r, x.read(out.SearchResults, in, n, list)
	})
	if err != nil {
		list.SetZero()
		return fail(err)
	}
	emptyNotNil(list)
	return nil
}

// input is the request, with everything that is wrong with it.
func (x VectorIndex) input(partition any, vector []float32, n int, filters []*handle.Condition) (*dynamodb.SearchVectorsInput, error) {
	var errs []error
	if n < 1 || n > maxSearchResults {
		errs = append(errs, fmt.Errorf("the %d nearest: 1 to %d are possible", n, maxSearchResults))
	}
	if len(vector) != x.info.dimensions {
		errs = append(errs, fmt.Errorf("a vector of %d elements, the index takes %d", len(vector), x.info.dimensions))
	}
	list := make([]types.AttributeValue, len(vector))
	for i, f := range vector {
		if wide := float64(f); math.IsNaN(wide) || math.IsInf(wide, 0) {
			errs = append(errs, fmt.Errorf("element %d of the vector is no finite number", i))
		}
		list[i] = &types.AttributeValueMemberN{Value: strconv.FormatFloat(float64(f), 'g', -1, 32)}
	}
	var terms []expr.Node
	if partition != nil {
		avs, err := handle.EncodeKey(x.info.key.partitionField, partition, maxIndexKey)
		if errs = append(errs, err); err == nil {
			terms = append(terms, partitionNode(x.info.key.partition, avs))
		}
	}
	nodes, err := handle.NodesOf(filters)
	filter := expr.All(nodes...)
	if errs = append(errs, err, x.checkFilter(filter)); filter != nil {
		terms = append(terms, filter)
	}
	var w expr.Writer
	in := &dynamodb.SearchVectorsInput{TableName: &x.core.Name, IndexName: &x.info.name, SearchVector: list, TopK: aws.Int32(int32(min(n, maxSearchResults)))}
	in.SearchConditionExpression = text(w.Render(expr.All(terms...)))
	in.ExpressionAttributeNames, in.ExpressionAttributeValues = w.Names(), w.Values()
	return in, errors.Join(errs...)
}

// checkFilter refuses what a search cannot demand: it takes the equality of attributes of its search schema, each once.
func (x VectorIndex) checkFilter(filter expr.Node) error {
	var (
		errs []error
		seen []string
		walk func(expr.Node)
	)
	filters := keySchema{sort: x.info.key.sort}.names()
	walk = func(n expr.Node) {
		switch n := n.(type) {
		case nil:
			return
		case expr.Logic:
			if n.Op == "AND" {
				for _, t := range n.Terms {
					walk(t)
				}
				return
			}
		case expr.Compare:
			path, isPath := n.Left.(expr.Path)
			if _, isValue := n.Right.(expr.Value); n.Op != "=" || !isPath || !isValue {
				break
			}
			switch name := path.String(); {
			case slices.Contains(keySchema{partition: x.info.key.partition}.names(), name):
				errs = append(errs, fmt.Errorf("filter on attribute %s, which is the partition: give its value as the argument", name))
			case len(path) != 1 || !slices.Contains(filters, name):
				errs = append(errs, fmt.Errorf("filter on attribute %s, which is none of the SearchFilters of the index", name))
			case slices.Contains(seen, name):
				errs = append(errs, fmt.Errorf("there are two filters on attribute %s", name))
			default:
				seen = append(seen, name)
			}
			return
		}
		errs = append(errs, fmt.Errorf("filter %s: a search takes conditions for equality with a value only, all of which must hold", expr.Describe(n)))
	}
	walk(filter)
	return errors.Join(errs...)
}

// read decodes the results into a list of hits, and leaves out expired items and, with ddb.SkipOthers, those of another type.
func (x VectorIndex) read(results []types.SearchResultItem, in *dynamodb.SearchVectorsInput, n int, list reflect.Value) error {
	mismatch := func(err error) error {
		return &wire.ReplyError{Operation: opSearch, Read: true, Fault: wire.ReplyMismatch, Err: err}
	}
	if len(results) > n {
		return mismatch(errManyHits)
	}
	c := x.core
	hiding := c.expiry(c.hides(false))
	list.SetZero()
	list.Grow(len(results))
	for i := range results {
		for _, p := range x.info.key.partition {
			want := in.ExpressionAttributeValues[":0"] // the partition is the first term
			if have := results[i].Item[p.Name]; have != nil && !itemid.Equal(have, want) {
				return mismatch(errOtherSearched)
			}
		}
		data, err := codec.AppendItemMap(nil, results[i].Item)
		if err != nil {
			return err
		}
		list.SetLen(list.Len() + 1)
		hit := list.Index(list.Len() - 1)
		given, err := decodeHit(c, data, hiding, hit.Field(0))
		if err != nil {
			return err
		}
		if !given {
			list.SetLen(list.Len() - 1)
			continue
		}
		hit.Field(1).SetFloat(results[i].Score)
	}
	return nil
}
