// SPDX-License-Identifier: Apache-2.0

// Package schema describes how tables are stored: the options of a table, and how it is created, completed, compared and deleted. The options
// are for the methods of tables in package ddb:
//
//	err := orders.EnsureTable(ctx, schema.PointInTimeRecovery(7), schema.Tags(map[string]string{"team": "shop"}))
//	...
//	differences, err := orders.VerifyTable(ctx, schema.PointInTimeRecovery(7))
//	for _, d := range differences {
//		fmt.Println("orders:", d)
//	}
//
//	err = schema.EnsureTables(ctx, orders, customers)
package schema

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/dynamotable/ddb/internal/badinput"
)

// Client is the part of a client that creating, checking and deleting tables needs in
// addition to ddb.Client; *dynamodb.Client implements it.
type Client interface {
	CreateTable(context.Context, *dynamodb.CreateTableInput, ...func(*dynamodb.Options)) (*dynamodb.CreateTableOutput, error)
	DescribeTable(context.Context, *dynamodb.DescribeTableInput, ...func(*dynamodb.Options)) (*dynamodb.DescribeTableOutput, error)
	UpdateTable(context.Context, *dynamodb.UpdateTableInput, ...func(*dynamodb.Options)) (*dynamodb.UpdateTableOutput, error)
	DeleteTable(context.Context, *dynamodb.DeleteTableInput, ...func(*dynamodb.Options)) (*dynamodb.DeleteTableOutput, error)
	UpdateTimeToLive(context.Context, *dynamodb.UpdateTimeToLiveInput, ...func(*dynamodb.Options)) (*dynamodb.UpdateTimeToLiveOutput, error)
	DescribeTimeToLive(context.Context, *dynamodb.DescribeTimeToLiveInput, ...func(*dynamodb.Options)) (*dynamodb.DescribeTimeToLiveOutput, error)
	ListTagsOfResource(context.Context, *dynamodb.ListTagsOfResourceInput, ...func(*dynamodb.Options)) (*dynamodb.ListTagsOfResourceOutput, error)
	TagResource(context.Context, *dynamodb.TagResourceInput, ...func(*dynamodb.Options)) (*dynamodb.TagResourceOutput, error)
}

var _ Client = (*dynamodb.Client)(nil)

// Table describes a table. The typed tables of package ddb describe themselves, so programs need it only for tables without a type.
type Table struct {
	Name    string
	Key     Key
	Indexes []Index
	Vectors []VectorIndex
	// TTL is the attribute of time to live; empty means none.
	TTL string
}

// Key is the key of a table or index: partition and sort key have one attribute each for tables and local indexes, up to four each for global indexes.
type Key struct{ Partition, Sort []KeyAttribute }

// KeyAttribute is an attribute of a key.
type KeyAttribute struct {
	Name string
	Type types.ScalarAttributeType
}

// Index is an index of a table.
type Index struct {
	Name       string
	Key        Key
	Global     bool
	Projection types.ProjectionType
	Include    []string // the attributes of a projection that includes some
}

// attributes returns those of the partition key and of the sort key, in order.
func (s Key) attributes() []KeyAttribute { return slices.Concat(s.Partition, s.Sort) }

// kinds returns the types of the attributes, by their names.
func (s Key) kinds() map[string]types.ScalarAttributeType {
	kinds := map[string]types.ScalarAttributeType{}
	for _, p := range s.attributes() {
		kinds[p.Name] = p.Type
	}
	return kinds
}

// Elements returns the key as DynamoDB describes it.
func (s Key) Elements() []types.KeySchemaElement {
	var all []types.KeySchemaElement
	for _, p := range s.Partition {
		all = append(all, types.KeySchemaElement{AttributeName: &p.Name, KeyType: types.KeyTypeHash})
	}
	for _, p := range s.Sort {
		all = append(all, types.KeySchemaElement{AttributeName: &p.Name, KeyType: types.KeyTypeRange})
	}
	return all
}

// Text returns the key in one line, attributes in order: HASH a (S), RANGE b (N).
func (s Key) Text() string {
	return keyText(s.Elements(), s.kinds())
}

func (i *Index) projectionSpec() *types.Projection {
	return &types.Projection{ProjectionType: i.Projection, NonKeyAttributes: i.Include}
}

// gatherIndexes returns each index once, by name.
func (s *Spec) gatherIndexes() {
	for k := range s.table.Indexes {
		i := &s.table.Indexes[k]
		at := slices.IndexFunc(s.indexes, func(have *Index) bool { return have.Name == i.Name })
		if at < 0 {
			s.indexes = append(s.indexes, i)
		} else if !s.indexes[at].Same(*i) {
			s.errs = append(s.errs, fmt.Errorf("index %s: two of the tables define it differently", i.Name))
		}
	}
	s.checkTypes()
	slices.SortFunc(s.indexes, func(a, b *Index) int { return cmp.Compare(a.Name, b.Name) })
}

// checkTypes refuses an attribute that is a string in one key and a number in another: a table has one definition of each attribute.
func (s *Spec) checkTypes() {
	kinds := map[string]types.ScalarAttributeType{}
	for _, k := range s.keys() {
		for _, p := range k.attributes() {
			if kind, ok := kinds[p.Name]; ok && kind != p.Type {
				s.errs = append(s.errs, fmt.Errorf("key attribute %s is of type %s in one key and %s in another", p.Name, kind, p.Type))
			}
			kinds[p.Name] = p.Type
		}
	}
}

// Same reports whether two descriptions are of the same index.
func (i Index) Same(o Index) bool {
	a, b := slices.Sorted(slices.Values(i.Include)), slices.Sorted(slices.Values(o.Include))
	return i.Global == o.Global && i.Projection == o.Projection && slices.Equal(a, b) && i.Key.Text() == o.Key.Text()
}

// invalid combines errors into one that matches ddb.ErrInvalid; nil if there are none.
func invalid(errs ...error) error {
	if err := errors.Join(errs...); err != nil {
		return &badinput.DefinitionError{Cause: err}
	}
	return nil
}

func deref[T any](p *T) (v T) {
	if p != nil {
		v = *p
	}
	return v
}

// definitions returns each key attribute once, however many indexes use it.
func definitions(schemas ...Key) []types.AttributeDefinition {
	var defs []types.AttributeDefinition
	for _, s := range schemas {
		for _, p := range s.attributes() {
			if !slices.ContainsFunc(defs, func(d types.AttributeDefinition) bool { return *d.AttributeName == p.Name }) {
				defs = append(defs, types.AttributeDefinition{AttributeName: &p.Name, AttributeType: p.Type})
			}
		}
	}
	return defs
}
