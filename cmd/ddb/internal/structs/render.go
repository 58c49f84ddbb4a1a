// SPDX-License-Identifier: Apache-2.0

package structs

import (
	"fmt"
	"go/format"
	"slices"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/dynamotable/ddb/cmd/ddb/internal/goname"
)

// Options determine how the code is written.
type Options struct {
	Package string // main if empty
	Type    string // of the item; derived from the table's name if empty
}

// Source returns Go code with the struct of the table's items, the structs inside of it, handles, the table with its indexes, and
// the options of its schema. Every item of the sample is unchanged if it is read into the struct and written again.
func Source(s *Sample, o Options) ([]byte, error) {
	table := aws.ToString(s.Table.TableName)
	w := &writer{sample: s, table: table, taken: names{}}
	item := o.Type
	if item == "" {
		item = singular(identifier(table))
	}
	w.taken[item+"Table"], w.taken["New"+item+"Table"], w.taken[item+"Schema"] = true, true, true
	in := &inference{keys: map[string]types.ScalarAttributeType{}, ttl: s.TTL, types: w.taken}
	for _, d := range s.Table.AttributeDefinitions {
		in.keys[aws.ToString(d.AttributeName)] = d.AttributeType
	}
	in.primary = keyNames(s.Table.KeySchema)
	first := w.attributes()
	for _, name := range in.primary {
		if !nameable(name) {
			return nil, fmt.Errorf("key attribute %q cannot be named in a struct tag", name)
		}
	}
	w.item = in.structOf(item, s.Items, first, in.attribute)
	w.structs = reachable(in.list)
	w.body()
	var out strings.Builder
	name := o.Package
	if name == "" {
		name = "main"
	}
	fmt.Fprintf(&out, "package %s\n\n", name)
	w.imports(&out)
	out.WriteString(w.out.String())
	return format.Source([]byte(out.String()))
}

type writer struct {
	sample  *Sample
	table   string
	taken   names
	item    *structType
	structs []*structType
	out     strings.Builder
}

// keyNames returns the attributes of a key, beginning with those of the partition key.
func keyNames(schema []types.KeySchemaElement) []string {
	return append(part(schema, types.KeyTypeHash), part(schema, types.KeyTypeRange)...)
}

func part(schema []types.KeySchemaElement, role types.KeyType) (list []string) {
	for _, k := range schema {
		if k.KeyType == role {
			list = append(list, aws.ToString(k.AttributeName))
		}
	}
	return list
}

// attributes returns the attributes that the table's definition names.
func (w *writer) attributes() []string {
	t := w.sample.Table
	list := keyNames(t.KeySchema)
	add := func(schema []types.KeySchemaElement, p *types.Projection) {
		list = append(list, keyNames(schema)...)
		if p != nil {
			list = append(list, p.NonKeyAttributes...)
		}
	}
	for _, x := range t.GlobalSecondaryIndexes {
		add(x.KeySchema, x.Projection)
	}
	for _, x := range t.LocalSecondaryIndexes {
		add(x.KeySchema, x.Projection)
	}
	if w.sample.TTL != "" {
		list = append(list, w.sample.TTL)
	}
	var once []string
	for _, name := range list {
		if !slices.Contains(once, name) {
			once = append(once, name)
		}
	}
	return once
}

// reachable returns the structs that the first one needs, in order.
func reachable(list []*structType) []*structType {
	found := map[string]bool{list[0].name: true}
	for range list { // a struct follows the one that needs it, so one round is enough except for recursive structs
		for _, s := range list {
			for _, f := range s.fields {
				if found[s.name] {
					found[f.typ.name[strings.LastIndexAny(f.typ.name, "*]")+1:]] = true
				}
			}
		}
	}
	return slices.DeleteFunc(list, func(s *structType) bool { return !found[s.name] })
}

func (w *writer) printf(format string, args ...any) { fmt.Fprintf(&w.out, format, args...) }

func (w *writer) body() {
	w.printf("// %s is an item of the table %s. It was written by ddb gen struct, from a sample of %d items, and is yours to edit.\n", w.item.name, w.table, w.item.count)
	w.printf("// A remark says in how many of them an attribute was, and with which types.\n")
	for _, s := range w.structs {
		w.structure(s)
	}
	w.handles()
	w.tables()
	w.schema()
}

func (w *writer) structure(s *structType) {
	w.printf("type %s struct {\n", s.name)
	for _, f := range s.fields {
		seen := "in none"
		if f.seen > 0 {
			seen = fmt.Sprintf("%d of %d: %s", f.seen, s.count, f.kinds)
		}
		w.printf("\t%s %s %s // %s\n", f.name, f.typ.name, tagOf(f), seen)
	}
	w.printf("\t%s map[string]types.AttributeValue `dynamodbav:\",unknown\"` // what no field is for, kept when an item is written back\n}\n\n", s.rest)
}

func tagOf(f field) string {
	tag := "dynamodbav:" + strconv.Quote(strings.Join(append([]string{f.attr}, f.typ.options...), ","))
	if strings.Contains(tag, "`") {
		return strconv.Quote(tag)
	}
	return "`" + tag + "`"
}

// handle returns the variable of a field's handle.
func (w *writer) handle(f field) string { return goname.LowerFirst(w.item.name) + f.name }

func (w *writer) handles() {
	w.printf("// Handles of the attributes of [%s].\nvar (\n", w.item.name)
	for _, f := range w.item.fields {
		w.printf("\t%s = ddb.%s(func(v *%s) *%s { return &v.%s })\n", w.handle(f), f.typ.maker, w.item.name, f.typ.name, f.name)
	}
	w.printf(")\n\n")
}

// field returns the field of an attribute; ok is false if it cannot be a key.
func (w *writer) field(attr string) (f field, ok bool) {
	for _, f := range w.item.fields {
		if f.attr == attr {
			return f, f.typ.name != raw().name
		}
	}
	return f, false
}

// key returns the type of a key and its handle.
func (w *writer) key(attrs []string) (typ, handle string, ok bool) {
	var kinds, handles []string
	for _, attr := range attrs {
		f, ok := w.field(attr)
		if !ok {
			return "", "", false
		}
		kinds, handles = append(kinds, f.typ.name), append(handles, w.handle(f))
	}
	if len(attrs) == 1 {
		return kinds[0], handles[0], true
	}
	if len(attrs) < 1 || len(attrs) > 4 {
		return "", "", false
	}
	count := []string{"Two", "Three", "Four"}[len(attrs)-2]
	return fmt.Sprintf("multikey.%s[%s]", count, strings.Join(kinds, ", ")), fmt.Sprintf("multikey.Of%d(%s)", len(attrs), strings.Join(handles, ", ")), true
}

// index is an index in the form in which it is written.
type index struct{ field, typ, call string }

// indexOf returns an index of the table; why is the reason if it cannot be written.
func (w *writer) indexOf(used names, name string, schema []types.KeySchemaElement, p *types.Projection, local bool) (x index, why string) {
	x.field = used.unique(identifier(name))
	pk, partition, ok1 := w.key(part(schema, types.KeyTypeHash))
	sk, sort, ok2 := "", "", true
	if sorts := part(schema, types.KeyTypeRange); len(sorts) > 0 {
		sk, sort, ok2 = w.key(sorts)
	}
	if !ok1 || !ok2 {
		return x, "items of the sample have values of another type in its key"
	}
	args := []string{"t", strconv.Quote(name), partition}
	switch {
	case local:
		x.typ, args = fmt.Sprintf("*ddb.LocalIndex[%s, %s, %s]", w.item.name, pk, sk), []string{"t", strconv.Quote(name), sort}
		x.call = "ddb.NewLocalIndex"
	case sk == "":
		x.typ, x.call = fmt.Sprintf("*ddb.SimpleIndex[%s, %s]", w.item.name, pk), "ddb.NewSimpleIndex"
	default:
		x.typ, x.call, args = fmt.Sprintf("*ddb.Index[%s, %s, %s]", w.item.name, pk, sk), "ddb.NewIndex", append(args, sort)
	}
	if p != nil && p.ProjectionType == types.ProjectionTypeKeysOnly {
		args = append(args, "ddb.KeysOnly()")
	}
	if p != nil && p.ProjectionType == types.ProjectionTypeInclude {
		var list []string
		for _, attr := range p.NonKeyAttributes {
			if !nameable(attr) {
				return x, fmt.Sprintf("its projected attribute %q cannot be named in a struct tag", attr)
			}
			f, _ := w.field(attr)
			list = append(list, w.handle(f))
		}
		args = append(args, "ddb.Projecting("+strings.Join(list, ", ")+")")
	}
	x.call += "(" + strings.Join(args, ", ") + ")"
	return x, ""
}

// tables writes the type of the table with its indexes, and its constructor.
func (w *writer) tables() {
	t, item := w.sample.Table, w.item.name
	pk, partition, _ := w.key(part(t.KeySchema, types.KeyTypeHash))
	args := []string{"client", strconv.Quote(w.table), partition}
	typ, maker := fmt.Sprintf("*ddb.SimpleTable[%s, %s]", item, pk), "ddb.NewSimple"
	if sorts := part(t.KeySchema, types.KeyTypeRange); len(sorts) > 0 {
		sk, sort, _ := w.key(sorts)
		typ, maker, args = fmt.Sprintf("*ddb.Table[%s, %s, %s]", item, pk, sk), "ddb.New", append(args, sort)
	}
	var left []string
	ttl := ""
	if f, ok := w.field(w.sample.TTL); ok && (f.typ.name == "time.Time" || f.typ.maker == "NumField") {
		ttl = "ddb.TTL(" + w.handle(f) + ")"
	} else if w.sample.TTL != "" {
		left = append(left, "// Its time to live is left out: items of the sample have values in the attribute that are no whole seconds.\n")
	}
	field := strings.TrimPrefix(strings.SplitN(typ, "[", 2)[0], "*ddb.")
	used := names{field: true}
	var list []index
	add := func(name string, schema []types.KeySchemaElement, p *types.Projection, local bool) {
		x, why := w.indexOf(used, name, schema, p, local)
		if why != "" {
			left = append(left, fmt.Sprintf("// The index %s is left out: %s.\n", name, why))
			return
		}
		list = append(list, x)
	}
	for _, x := range t.GlobalSecondaryIndexes {
		add(aws.ToString(x.IndexName), x.KeySchema, x.Projection, false)
	}
	for _, x := range t.LocalSecondaryIndexes {
		add(aws.ToString(x.IndexName), x.KeySchema, x.Projection, true)
	}
	w.printf("// %sTable is the table %s with its indexes.\n%stype %sTable struct {\n\t%s\n", item, w.table, strings.Join(left, ""), item, typ)
	for _, x := range list {
		w.printf("\t%s %s\n", x.field, x.typ)
	}
	w.printf("}\n\n// New%sTable defines the table. It sends nothing.\nfunc New%sTable(client ddb.Client, opts ...ddb.TableOption) (*%sTable, error) {\n", item, item, item)
	if ttl != "" {
		w.printf("\topts = append([]ddb.TableOption{%s}, opts...)\n", ttl)
	}
	w.printf("\tt, err := %s(%s, opts...)\n\tif err != nil {\n\t\treturn nil, err\n\t}\n", maker, strings.Join(args, ", "))
	w.printf("\tall := &%sTable{%s: t}\n", item, field)
	for _, x := range list {
		w.printf("\tif all.%s, err = %s; err != nil {\n\t\treturn nil, err\n\t}\n", x.field, x.call)
	}
	w.printf("\treturn all, nil\n}\n\n")
}

// schema writes the additional options for EnsureTable and VerifyTable.
func (w *writer) schema() {
	t := w.sample.Table
	var list []string
	if b := t.BillingModeSummary; b == nil || b.BillingMode == types.BillingModeProvisioned {
		if p := t.ProvisionedThroughput; p != nil && p.ReadCapacityUnits != nil && p.WriteCapacityUnits != nil && *p.ReadCapacityUnits > 0 {
			list = append(list, fmt.Sprintf("schema.Provisioned(%d, %d)", *p.ReadCapacityUnits, *p.WriteCapacityUnits))
			for _, x := range t.GlobalSecondaryIndexes {
				if q := x.ProvisionedThroughput; q != nil && q.ReadCapacityUnits != nil && q.WriteCapacityUnits != nil &&
					(*q.ReadCapacityUnits != *p.ReadCapacityUnits || *q.WriteCapacityUnits != *p.WriteCapacityUnits) {
					list = append(list, fmt.Sprintf("schema.IndexProvisioned(%q, %d, %d)", aws.ToString(x.IndexName), *q.ReadCapacityUnits, *q.WriteCapacityUnits))
				}
			}
		}
	}
	if m := t.OnDemandThroughput; m != nil {
		list = append(list, fmt.Sprintf("schema.MaxOnDemand(%d, %d)", max(aws.ToInt64(m.MaxReadRequestUnits), 0), max(aws.ToInt64(m.MaxWriteRequestUnits), 0)))
	}
	if s := t.StreamSpecification; s != nil && aws.ToBool(s.StreamEnabled) {
		list = append(list, fmt.Sprintf("schema.Stream(%q)", s.StreamViewType))
	}
	if c := t.TableClassSummary; c != nil && c.TableClass == types.TableClassStandardInfrequentAccess {
		list = append(list, "schema.InfrequentAccess()")
	}
	if aws.ToBool(t.DeletionProtectionEnabled) {
		list = append(list, "schema.DeletionProtection(true)")
	}
	if s := t.SSEDescription; s != nil && s.SSEType == types.SSETypeKms && s.Status == types.SSEStatusEnabled {
		list = append(list, fmt.Sprintf("schema.EncryptWithKMS(%q)", aws.ToString(s.KMSMasterKeyArn)))
	}
	w.printf("// %sSchema is what EnsureTable and VerifyTable are to know besides.\nfunc %sSchema() []schema.Option {\n\treturn []schema.Option{", w.item.name, w.item.name)
	for _, o := range list {
		w.printf("\n\t\t%s,", o)
	}
	if len(list) > 0 {
		w.printf("\n\t")
	}
	w.printf("}\n}\n")
}

// imports writes the import declaration.
func (w *writer) imports(out *strings.Builder) {
	uses := func(name string) bool { return strings.Contains(w.out.String(), name) }
	out.WriteString("import (\n")
	if uses("time.Time") {
		out.WriteString("\t\"time\"\n\n")
	}
	if uses("attributevalue.Number") {
		out.WriteString("\t\"github.com/aws/aws-sdk-go-v2/feature/dynamodb/attributevalue\"\n")
	}
	out.WriteString("\t\"github.com/aws/aws-sdk-go-v2/service/dynamodb/types\"\n\n\t\"github.com/dynamotable/ddb\"\n")
	if uses("multikey.") {
		out.WriteString("\t\"github.com/dynamotable/ddb/multikey\"\n")
	}
	out.WriteString("\t\"github.com/dynamotable/ddb/schema\"\n)\n\n")
}
