// SPDX-License-Identifier: Apache-2.0

package rawtable

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/dynamotable/ddb"
	"github.com/dynamotable/ddb/attrtype"
	"github.com/dynamotable/ddb/internal/quiet"
	"github.com/dynamotable/ddb/multikey"
	"github.com/dynamotable/ddb/rawitem"
	"github.com/dynamotable/ddb/tableinfo"
)

// Table is a table of raw items with what DynamoDB describes of it. Its methods are those of [ddb.Table] and the ones below; functions that take a
// table take it as well. It is immutable and safe for concurrent use.
type Table struct {
	*ddb.RawTable
	described *types.TableDescription
	keys      Keys
	indexes   []*Index
}

// Keys are the attributes of the key of a table or an index, in their order. A table and a local index have one partition attribute, and one sort
// attribute or none; a global index has up to four of each.
type Keys struct{ Partition, Sort []Attribute }

// Attribute is an attribute of a key: its name, and whether it is text, number or binary.
type Attribute struct {
	Name string
	Type attrtype.Type
}

// Index is a secondary index of a table.
type Index struct {
	Name string
	// Local indexes can be read consistently.
	Local bool
	Keys  Keys
	// Projection is what the index holds: ALL, KEYS_ONLY or INCLUDE, which is the keys and NonKeyAttributes.
	Projection       types.ProjectionType
	NonKeyAttributes []string

	global *ddb.Index[rawitem.Item, []rawitem.Value, []rawitem.Value]
	local  *ddb.LocalIndex[rawitem.Item, rawitem.Value, rawitem.Value]
}

// Open asks DynamoDB for the keys and indexes of a table, by DescribeTable, which needs the permission of this name and costs no
// units. A table that does not exist is an error that matches [ddb.ErrTableNotFound]. Indexes that are being deleted are left out; one that is being made is there, and its reads fail
// until it is active. Options are those of [ddb.NewRaw].
func Open(ctx context.Context, client ddb.Client, name string, opts ...ddb.TableOption) (*Table, error) {
	probe, err := ddb.NewRaw(client, name, KeyAttr("key", attrtype.String), nil, opts...)
	if err != nil {
		return nil, err
	}
	d, err := tableinfo.Describe(ctx, probe)
	if err != nil {
		return nil, err
	}
	return Of(client, name, d, opts...)
}

// Of is the table of a description that was read before. It sends nothing.
func Of(client ddb.Client, name string, d *types.TableDescription, opts ...ddb.TableOption) (*Table, error) {
	if d == nil {
		return nil, errors.New("rawtable: the description of the table is nil")
	}
	kinds := map[string]attrtype.Type{}
	for _, a := range d.AttributeDefinitions {
		kinds[aws.ToString(a.AttributeName)] = attrtype.Type(a.AttributeType)
	}
	t := &Table{described: d, keys: keysOf(d.KeySchema, kinds)}
	if len(t.keys.Partition) != 1 || len(t.keys.Sort) > 1 {
		return nil, fmt.Errorf("rawtable: the description of table %s has %d partition and %d sort attributes", name, len(t.keys.Partition), len(t.keys.Sort))
	}
	var sort ddb.Ord[rawitem.Item, rawitem.Value]
	if len(t.keys.Sort) == 1 {
		sort = t.keys.Sort[0].handle()
	}
	var err error
	if t.RawTable, err = ddb.NewRaw(client, name, t.keys.Partition[0].handle(), sort, opts...); err != nil {
		return nil, err
	}
	var errs []error
	for _, g := range d.GlobalSecondaryIndexes {
		if g.IndexStatus != types.IndexStatusDeleting {
			errs = append(errs, t.addGlobal(aws.ToString(g.IndexName), keysOf(g.KeySchema, kinds), g.Projection))
		}
	}
	for _, l := range d.LocalSecondaryIndexes {
		errs = append(errs, t.addLocal(aws.ToString(l.IndexName), keysOf(l.KeySchema, kinds), l.Projection))
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	slices.SortFunc(t.indexes, func(a, b *Index) int { return strings.Compare(a.Name, b.Name) })
	return t, nil
}

func keysOf(elements []types.KeySchemaElement, kinds map[string]attrtype.Type) (k Keys) {
	for _, e := range elements {
		a := Attribute{aws.ToString(e.AttributeName), kinds[aws.ToString(e.AttributeName)]}
		if e.KeyType == types.KeyTypeHash {
			k.Partition = append(k.Partition, a)
		} else {
			k.Sort = append(k.Sort, a)
		}
	}
	return k
}

func (a Attribute) handle() ddb.Ord[rawitem.Item, rawitem.Value] { return KeyAttr(a.Name, a.Type) }

func handles(attrs []Attribute) multikey.Key[rawitem.Item, []rawitem.Value] {
	list := make([]ddb.Ord[rawitem.Item, rawitem.Value], len(attrs))
	for i, a := range attrs {
		list[i] = a.handle()
	}
	return multikey.Raw(list...)
}

func (t *Table) addGlobal(name string, keys Keys, p *types.Projection) error {
	options, err := projecting(name, p)
	if err != nil {
		return err
	}
	x := newIndex(name, keys, p)
	x.global, err = ddb.NewIndex(t, name, handles(keys.Partition), handles(keys.Sort), options...)
	t.indexes = append(t.indexes, x)
	return err
}

func (t *Table) addLocal(name string, keys Keys, p *types.Projection) error {
	options, err := projecting(name, p)
	if n := len(keys.Sort); n != 1 {
		err = errors.Join(fmt.Errorf("rawtable: local index %s has %d sort attributes", name, n), err)
	}
	if err != nil {
		return err
	}
	x := newIndex(name, keys, p)
	x.Local = true
	x.local, err = ddb.NewLocalIndex(t.RawTable, name, keys.Sort[0].handle(), options...)
	t.indexes = append(t.indexes, x)
	return err
}

func newIndex(name string, keys Keys, p *types.Projection) *Index {
	x := &Index{Name: name, Keys: keys, Projection: types.ProjectionTypeAll}
	if p != nil {
		x.Projection, x.NonKeyAttributes = p.ProjectionType, slices.Clone(p.NonKeyAttributes)
	}
	return x
}

func projecting(index string, p *types.Projection) ([]ddb.IndexOption, error) {
	switch {
	case p == nil || p.ProjectionType == types.ProjectionTypeAll:
		return nil, nil
	case p.ProjectionType == types.ProjectionTypeKeysOnly:
		return []ddb.IndexOption{ddb.KeysOnly()}, nil
	case p.ProjectionType != types.ProjectionTypeInclude:
		return nil, fmt.Errorf("rawtable: index %s: projection %q is not known", index, p.ProjectionType)
	}
	attrs := make([]ddb.AnyAttr, len(p.NonKeyAttributes))
	for i, name := range p.NonKeyAttributes {
		attrs[i] = Attr(name)
	}
	return []ddb.IndexOption{ddb.Projecting(attrs...)}, nil
}

// Format prints the table's name, for every verb.
func (t Table) Format(s fmt.State, verb rune) { quiet.Format(s, verb, t.Name()) }

// errZero is the error of a table that Open did not make.
var errZero = errors.New("rawtable: a zero Table; make it with Open")

func (t *Table) isZero() bool { return t == nil || t.RawTable == nil }

// Description is what DynamoDB said of the table when it was opened; nil for a zero Table. It must not be changed.
func (t *Table) Description() *types.TableDescription {
	if t.isZero() {
		return nil
	}
	return t.described
}

// Keys are the attributes of the table's key.
func (t *Table) Keys() Keys {
	if t.isZero() {
		return Keys{}
	}
	return t.keys.clone()
}

func (k Keys) clone() Keys { return Keys{slices.Clone(k.Partition), slices.Clone(k.Sort)} }

// Indexes are the table's indexes in order of their names. They must not be changed.
func (t *Table) Indexes() []*Index {
	if t.isZero() {
		return nil
	}
	return slices.Clone(t.indexes)
}

// Index is the index of a name; nil if the table has none.
func (t *Table) Index(name string) *Index {
	for _, x := range t.Indexes() {
		if x.Name == name {
			return x
		}
	}
	return nil
}

// ParseKey reads a key from text, as [Attribute.Parse] reads each value. sort is empty for a table without a sort key. Everything that
// is wrong is named at once, and the error shows no value.
func (t *Table) ParseKey(partition, sort string) (ddb.Key[rawitem.Value, rawitem.Value], error) {
	var key ddb.Key[rawitem.Value, rawitem.Value]
	if t.isZero() {
		return key, errZero
	}
	var err1, err2 error
	key.Partition, err1 = t.keys.Partition[0].Parse(partition)
	switch {
	case len(t.keys.Sort) == 1:
		key.Sort, err2 = t.keys.Sort[0].Parse(sort)
	case sort != "":
		err2 = errors.New("a sort key is given, and the table has none")
	}
	return key, errors.Join(err1, err2)
}

// Parse reads a value of the attribute from text: text unchanged, a number in any form that DynamoDB takes, which keeps its text, and binary in
// base64 with padding. An empty text is refused, as it is no key.
func (a Attribute) Parse(value string) (rawitem.Value, error) {
	var av types.AttributeValue
	what := ""
	switch a.Type {
	case attrtype.String:
		av, what = &types.AttributeValueMemberS{Value: value}, "valid UTF-8 text"
	case attrtype.Number:
		av, what = &types.AttributeValueMemberN{Value: value}, "a number"
	case attrtype.Binary:
		b, err := base64.StdEncoding.DecodeString(value)
		if err != nil {
			return rawitem.Value{}, fmt.Errorf("key attribute %s is binary, and the value is no base64 with padding", a.Name)
		}
		av = &types.AttributeValueMemberB{Value: b}
	default:
		return rawitem.Value{}, fmt.Errorf("attribute %s is stored as %q; a key is text (S), number (N) or binary (B)", a.Name, a.Type)
	}
	if value == "" {
		return rawitem.Value{}, fmt.Errorf("key attribute %s: the value is empty", a.Name)
	}
	v, err := rawitem.ValueOf(av)
	if err != nil {
		return rawitem.Value{}, fmt.Errorf("key attribute %s: the value is not %s", a.Name, what)
	}
	return v, nil
}

// Unchanged is the condition that the stored item is still what was read: every attribute of item is stored with the same value, and those
// named by absent are not there. DynamoDB has no condition on attributes that nobody names, so one that another writer has added, and
// absent does not name, is not noticed:
//
//	err := t.Put(ctx, &edited, ddb.If(rawtable.Unchanged(read, "note")))
//
// DynamoDB compares numbers by value, and sets whatever the order of their members. An expression has at most 300 operators, so an item of more
// attributes is refused by the call that uses the condition. The condition of an item without attributes is zero, and refused.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html#limits-expression-parameters
func Unchanged(item rawitem.Item, absent ...string) ddb.Cond[rawitem.Item] {
	var all []ddb.Cond[rawitem.Item]
	for name, value := range item.Attrs() {
		all = append(all, Attr(name).Eq(value))
	}
	for _, name := range absent {
		all = append(all, ddb.NotExists(Attr(name)))
	}
	return ddb.And(all...)
}
