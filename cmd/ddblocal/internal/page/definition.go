// SPDX-License-Identifier: Apache-2.0

package page

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"
)

// table is the description of a table, as returned by DescribeTable.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TableDescription.html
type table struct {
	TableName, TableStatus, TableArn string
	CreationDateTime                 float64
	ItemCount, TableSizeBytes        int64
	AttributeDefinitions             []struct{ AttributeName, AttributeType string }
	KeySchema                        []keyElement
	GlobalSecondaryIndexes           []index
	LocalSecondaryIndexes            []index
	VectorIndexes                    []vectorIndex
	BillingModeSummary               struct{ BillingMode string }
	ProvisionedThroughput            throughput
	StreamSpecification              struct {
		StreamEnabled  bool
		StreamViewType string
	}
	LatestStreamArn           string
	DeletionProtectionEnabled bool

	ttl string // the attribute, "" if time to live is off
}

type keyElement struct{ AttributeName, KeyType string }

type index struct {
	IndexName, IndexStatus    string
	KeySchema                 []keyElement
	Projection                projection
	ItemCount, IndexSizeBytes int64
	ProvisionedThroughput     throughput
}

type projection struct {
	ProjectionType   string
	NonKeyAttributes []string
}

type throughput struct{ ReadCapacityUnits, WriteCapacityUnits int64 }

type vectorIndex struct {
	IndexName, IndexStatus, DistanceFunction string
	Dimensions                               int64
	VectorAttribute                          struct{ AttributeName string }
	Projection                               projection
	SearchSchema                             []struct{ AttributeName, SearchSchemaElementType string }
}

// keyAttr is an attribute of a key, with its type: S, N or B.
type keyAttr struct{ Name, Type string }

// keySet is the key of a table or index. Those of global indexes can have up to four attributes in each part.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/GSI.DesignPattern.MultiAttributeKeys.html
type keySet struct{ Partition, Sort []keyAttr }

func (k keySet) all() []keyAttr { return slices.Concat(k.Partition, k.Sort) }

// has reports whether an attribute is part of the key.
func (k keySet) has(name string) bool {
	is := func(a keyAttr) bool { return a.Name == name }
	return slices.ContainsFunc(k.Partition, is) || slices.ContainsFunc(k.Sort, is)
}

// defined returns the type that the table defines for an attribute, "" for none.
func (t *table) defined(name string) string {
	for _, d := range t.AttributeDefinitions {
		if d.AttributeName == name {
			return d.AttributeType
		}
	}
	return ""
}

func (t *table) keySet(schema []keyElement) (k keySet) {
	for _, e := range schema {
		attr := keyAttr{e.AttributeName, t.defined(e.AttributeName)}
		if e.KeyType == "HASH" {
			k.Partition = append(k.Partition, attr)
		} else {
			k.Sort = append(k.Sort, attr)
		}
	}
	return k
}

// key returns the table's own key.
func (t *table) key() keySet { return t.keySet(t.KeySchema) }

// find returns an index by name; local reports whether it is a local one.
func (t *table) find(name string) (found index, local, ok bool) {
	for _, x := range t.GlobalSecondaryIndexes {
		if x.IndexName == name {
			return x, false, true
		}
	}
	for _, x := range t.LocalSecondaryIndexes {
		if x.IndexName == name {
			return x, true, true
		}
	}
	return index{}, false, false
}

// describe reads a table's definition.
func (p *Page) describe(ctx context.Context, name string) (*table, error) {
	var out struct{ Table table }
	in := struct{ TableName string }{name}
	if err := p.call(ctx, "DescribeTable", in, &out); err != nil {
		return nil, err
	}
	var ttl struct {
		TimeToLiveDescription struct{ AttributeName, TimeToLiveStatus string }
	}
	if err := p.call(ctx, "DescribeTimeToLive", in, &ttl); err != nil {
		return nil, err
	}
	if d := ttl.TimeToLiveDescription; d.TimeToLiveStatus == "ENABLED" || d.TimeToLiveStatus == "ENABLING" {
		out.Table.ttl = d.AttributeName
	}
	return &out.Table, nil
}

// describes is describe for a view. If there is no such table, it sends the response itself.
func (p *Page) describes(w http.ResponseWriter, r *http.Request) (*table, bool) {
	t, err := p.describe(r.Context(), r.PathValue("table"))
	if err != nil {
		p.failCall(w, r, err)
		return nil, false
	}
	return t, true
}

// keyText describes a key in words, such as "customer (S), then id (S)".
func keyText(k keySet) string {
	part := func(attrs []keyAttr) string {
		var names []string
		for _, a := range attrs {
			names = append(names, fmt.Sprintf("%s (%s)", a.Name, a.Type))
		}
		return strings.Join(names, " + ")
	}
	if len(k.Sort) == 0 {
		return part(k.Partition)
	}
	return part(k.Partition) + ", sorted by " + part(k.Sort)
}

func (x projection) text() string {
	switch x.ProjectionType {
	case "INCLUDE":
		return "keys and " + strings.Join(x.NonKeyAttributes, ", ")
	case "KEYS_ONLY":
		return "keys"
	}
	return "all attributes"
}

// tableRow is a table in the list of tables.
type tableRow struct {
	Name, Items, Status, Key string
	Indexes                  []string
	Count, Bytes             int64
	Stream, TTL              string
}

// listed returns the names of all tables.
func (p *Page) listed(ctx context.Context) (names []string, err error) {
	in := struct {
		ExclusiveStartTableName string `json:",omitempty"`
	}{}
	for {
		var out struct {
			TableNames             []string
			LastEvaluatedTableName string
		}
		if err := p.call(ctx, "ListTables", in, &out); err != nil {
			return nil, err
		}
		names = append(names, out.TableNames...)
		if in.ExclusiveStartTableName = out.LastEvaluatedTableName; in.ExclusiveStartTableName == "" {
			return names, nil
		}
	}
}

// showTables shows the list of tables.
func (p *Page) showTables(w http.ResponseWriter, r *http.Request) {
	names, err := p.listed(r.Context())
	if err != nil {
		p.failCall(w, r, err)
		return
	}
	var rows []tableRow
	for _, name := range names {
		t, err := p.describe(r.Context(), name)
		if isKind(err, "ResourceNotFoundException") {
			continue // it was deleted meanwhile
		}
		if err != nil {
			p.failCall(w, r, err)
			return
		}
		row := tableRow{
			Name: name, Items: t.link("items"), Status: t.TableStatus,
			Key: keyText(t.key()), Count: t.ItemCount, Bytes: t.TableSizeBytes, TTL: t.ttl,
		}
		for _, x := range slices.Concat(t.GlobalSecondaryIndexes, t.LocalSecondaryIndexes) {
			row.Indexes = append(row.Indexes, x.IndexName)
		}
		for _, x := range t.VectorIndexes {
			row.Indexes = append(row.Indexes, x.IndexName)
		}
		if t.StreamSpecification.StreamEnabled {
			row.Stream = t.StreamSpecification.StreamViewType
		}
		rows = append(rows, row)
	}
	sent := p.exchange(r, "ListTables", struct{}{})
	sent.Note = "And a DescribeTable and a DescribeTimeToLive for each table. They cost no units."
	p.show(w, r, http.StatusOK, "tables", &view{Title: "Tables", Content: struct {
		Rows     []tableRow
		Exchange exchange
	}{rows, sent}})
}

// fact is a line of a definition.
type fact struct{ Name, Value string }

// indexRow is an index in a table's definition.
type indexRow struct {
	Name, Kind, Status, Key, Projection, Search, Members string
	Count, Bytes                                         int64
}

// showTable shows a table's definition.
func (p *Page) showTable(w http.ResponseWriter, r *http.Request) {
	t, ok := p.describes(w, r)
	if !ok {
		return
	}
	stream, ttl, protection := "off", "off", "off"
	if t.StreamSpecification.StreamEnabled {
		stream = t.StreamSpecification.StreamViewType
	}
	if t.ttl != "" {
		ttl = "attribute " + t.ttl
	}
	if t.DeletionProtectionEnabled {
		protection = "on"
	}
	facts := []fact{
		{"Status", t.TableStatus}, {"Key", keyText(t.key())}, {"Items", grouped(t.ItemCount)}, {"Size", bytesText(t.TableSizeBytes)},
		{"Billing", billing(t)}, {"Created", time.UnixMilli(int64(t.CreationDateTime*1000)).UTC().Format(time.DateTime) + " UTC"},
		{"Stream", stream}, {"Time to live", ttl}, {"Deletion protection", protection}, {"ARN", t.TableArn},
	}
	var rows []indexRow
	add := func(x index, kind string) {
		rows = append(rows, indexRow{
			Name: x.IndexName, Kind: kind, Status: x.IndexStatus, Key: keyText(t.keySet(x.KeySchema)), Projection: x.Projection.text(),
			Search: t.link("items", "index", x.IndexName), Count: x.ItemCount, Bytes: x.IndexSizeBytes, Members: t.membersLink(x.IndexName),
		})
	}
	for _, x := range t.GlobalSecondaryIndexes {
		add(x, "global")
	}
	for _, x := range t.LocalSecondaryIndexes {
		add(x, "local")
	}
	for _, x := range t.VectorIndexes {
		key := fmt.Sprintf("%s, %d dimensions, %s", x.VectorAttribute.AttributeName, x.Dimensions, x.DistanceFunction)
		rows = append(rows, indexRow{Name: x.IndexName, Kind: "vector", Status: x.IndexStatus, Key: key, Projection: x.Projection.text(), Members: t.membersLink(x.IndexName)})
	}
	sent := p.exchange(r, "DescribeTable", struct{ TableName string }{t.TableName})
	sent.Note, sent.Code = "It costs no units.", describeCode(t)
	p.show(w, r, http.StatusOK, "table", t.view("", struct {
		Facts    []fact
		Indexes  []indexRow
		Exchange exchange
	}{facts, rows, sent}))
}

func billing(t *table) string {
	if t.BillingModeSummary.BillingMode == "PAY_PER_REQUEST" {
		return "on demand"
	}
	return fmt.Sprintf("provisioned, %s read and %s write units a second", grouped(t.ProvisionedThroughput.ReadCapacityUnits), grouped(t.ProvisionedThroughput.WriteCapacityUnits))
}
