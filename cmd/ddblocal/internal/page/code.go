// SPDX-License-Identifier: Apache-2.0

package page

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"go/format"
	"maps"
	"slices"
	"strconv"
	"strings"
	"unicode"
)

// goCode writes the part of a program that uses package ddb: a struct with the attributes that a request names, their handles,
// and a function that sends the request. Numbers are json.Number, so no digits are lost.
type goCode struct {
	fields []goField
	note   string // why there is no code
}

// goField is a field of the struct.
type goField struct{ attr, name, kind string }

var goTypes = map[string]struct{ goType, handle string }{
	"S": {"string", "StrField"}, "N": {"json.Number", "OrdField"}, "B": {"[]byte", "BinField"}, "BOOL": {"bool", "Field"},
}

// handle returns the name of an attribute's handle.
func (g *goCode) handle(attr, kind string) string { return "item" + g.field(attr, kind).name }

func (g *goCode) field(attr, kind string) goField {
	for _, f := range g.fields {
		if f.attr == attr {
			return f
		}
	}
	f := goField{attr, goName(attr), kind}
	for n := 2; slices.ContainsFunc(g.fields, func(o goField) bool { return o.name == f.name }); n++ {
		f.name = goName(attr) + strconv.Itoa(n)
	}
	if strings.ContainsFunc(attr, func(c rune) bool { return !unicode.IsPrint(c) || strings.ContainsRune("`\",\\", c) }) || attr == "-" || attr == "" {
		g.note = fmt.Sprintf("A struct tag cannot name the attribute %q, so there is no Go for it.", attr)
	}
	g.fields = append(g.fields, f)
	return f
}

// goName returns an exported name for an attribute: OrderID for order_id.
func goName(attr string) string {
	var b strings.Builder
	for _, word := range strings.FieldsFunc(attr, func(c rune) bool { return !unicode.IsLetter(c) && !unicode.IsDigit(c) }) {
		if word == "id" || word == "Id" {
			word = "ID"
		}
		runes := []rune(word)
		b.WriteString(strings.ToUpper(string(runes[:1])) + string(runes[1:]))
	}
	if name := b.String(); name != "" && unicode.IsUpper([]rune(name)[0]) {
		return name
	}
	return "Attr" + b.String()
}

// literal returns a value of a key or filter as Go code.
func literal(kind, text string) string {
	switch kind {
	case "B":
		data, _ := base64.StdEncoding.DecodeString(text) // checked when the request was made
		return "[]byte(" + strconv.Quote(string(data)) + ")"
	case "BOOL":
		return text
	}
	return strconv.Quote(text)
}

// typedLiteral returns a literal for functions whose type parameter is inferred from it.
func typedLiteral(kind, text string) string {
	if kind == "N" {
		return "json.Number(" + literal(kind, text) + ")"
	}
	return literal(kind, text)
}

// key returns a key for the call of New or NewIndex.
func (g *goCode) key(attrs []keyAttr) string {
	var handles []string
	for _, a := range attrs {
		handles = append(handles, g.handle(a.Name, a.Type))
	}
	if len(handles) == 1 {
		return handles[0]
	}
	return fmt.Sprintf("multikey.Of%d(%s)", len(handles), strings.Join(handles, ", "))
}

// values returns the values of a key's attributes: a single value, or K2 to K4.
func values(attrs []keyAttr, texts []string) string {
	var list []string
	for i, text := range texts {
		list = append(list, typedLiteral(attrs[i].Type, text))
	}
	if len(list) == 1 {
		return list[0]
	}
	return fmt.Sprintf("multikey.K%d(%s)", len(list), strings.Join(list, ", "))
}

var goComparisons = map[string]string{"=": "Eq", "<>": "Ne", "<": "Lt", "<=": "Le", ">": "Gt", ">=": "Ge", "between": "Between", "begins_with": "BeginsWith", "contains": "Contains"}

// sortCondition returns the argument of SortKey.
func (g *goCode) sortCondition(s *search) string {
	given := s.lastSort() + 1
	attrs, texts := s.keys.Sort, s.Sort[:given]
	if given > 1 && s.Op == "begins_with" {
		g.note = "Package multikey has no BeginsWith on a later attribute of a sort key, so there is no Go for it."
	}
	arguments := values(attrs, texts)
	if s.Op == "between" {
		arguments += ", " + values(attrs, append(slices.Clone(texts[:given-1]), s.To))
	}
	condition := "ddb." + goComparisons[s.Op] + "(" + arguments + ")"
	if given == len(attrs) {
		return condition
	}
	first := []string{"", "One", "Two", "Three"}[given]
	return "multikey.First" + first + "(" + g.key(attrs) + ", " + condition + ")"
}

// filter returns an argument of Filter: with handles if possible, otherwise as text.
func (g *goCode) filter(f filter) string {
	steps, err := parsePath(f.Path)
	if err != nil {
		return ""
	}
	kind := f.Type
	if f.Op == "attribute_exists" || f.Op == "attribute_not_exists" || f.Op == "attribute_type" {
		kind = "S"
	}
	if _, known := goTypes[kind]; known && len(steps) == 1 && f.Op != "attribute_type" {
		field := g.field(steps[0].name, kind)
		handle := "item" + field.name
		switch {
		case f.Op == "attribute_exists":
			return "ddb.Exists(" + handle + ")"
		case f.Op == "attribute_not_exists":
			return "ddb.NotExists(" + handle + ")"
		case field.kind != kind, kind == "N" && strings.HasSuffix(f.Op, "contains"), kind == "BOOL" && f.Op != "=" && f.Op != "<>":
		case f.Op == "not contains":
			return "ddb.Not(" + handle + ".Contains(" + literal(kind, f.Value) + "))"
		case f.Op == "between":
			return handle + ".Between(" + literal(kind, f.Value) + ", " + literal(kind, f.To) + ")"
		case kind == "N" && f.Op == "begins_with":
		default:
			return handle + "." + goComparisons[f.Op] + "(" + literal(kind, f.Value) + ")"
		}
	}
	var r placeholders
	text, err := f.expression(&r)
	if err != nil {
		return ""
	}
	var names, list []string
	for _, n := range slices.Sorted(maps.Keys(r.ExpressionAttributeNames)) {
		names = append(names, strconv.Quote(n)+": "+strconv.Quote(r.ExpressionAttributeNames[n]))
	}
	for _, n := range slices.Sorted(maps.Keys(r.ExpressionAttributeValues)) {
		list = append(list, strconv.Quote(n)+": "+anyLiteral(r.ExpressionAttributeValues[n]))
	}
	return fmt.Sprintf("rawexpr.CondText[Item](%s, map[string]string{%s}, map[string]any{%s})", strconv.Quote(text), strings.Join(names, ", "), strings.Join(list, ", "))
}

func anyLiteral(raw json.RawMessage) string {
	v := typeOf(raw)
	if v.Type == "NULL" {
		return "nil"
	}
	if v.Type == "BOOL" {
		return string(v.Raw)
	}
	return typedLiteral(v.Type, v.text())
}

// codeOf returns a search as Go code, or a note that says why there is none.
func codeOf(t *table, s *search) (code, note string) {
	var g goCode
	own := t.key()
	var b strings.Builder
	open := g.open(t, own)
	from := "items"
	if s.Index != "" {
		from = "index"
		switch {
		case s.local:
			fmt.Fprintf(&b, "index, err := ddb.NewLocalIndex(items, %q, %s)\n", s.Index, g.key(s.keys.Sort))
		case len(s.keys.Sort) == 0:
			fmt.Fprintf(&b, "index, err := ddb.NewSimpleIndex(items, %q, %s)\n", s.Index, g.key(s.keys.Partition))
		default:
			fmt.Fprintf(&b, "index, err := ddb.NewIndex(items, %q, %s, %s)\n", s.Index, g.key(s.keys.Partition), g.key(s.keys.Sort))
		}
		b.WriteString("if err != nil {\nreturn page, err\n}\n")
	}
	b.WriteString("return " + from)
	switch {
	case !s.isQuery():
		b.WriteString(".Scan()")
	case s.Index == "" && len(own.Sort) == 0:
		return getCode(t, s.Partition)
	default:
		b.WriteString(".Query(" + queryValues(s.keys.Partition, s.Partition) + ")")
		if s.lastSort() >= 0 {
			b.WriteString(".SortKey(" + g.sortCondition(s) + ")")
		}
	}
	var filters []string
	for _, f := range s.Filters {
		filters = append(filters, g.filter(f))
	}
	if len(filters) > 0 {
		b.WriteString(".\nFilter(" + strings.Join(filters, ", ") + ")")
	}
	if s.Descending {
		b.WriteString(".Descending()")
	}
	if s.Consistent {
		b.WriteString(".Consistent()")
	}
	switch {
	case s.Limit > 0 && len(filters) > 0:
		fmt.Fprintf(&b, ".PageSize(%d)", s.Limit)
		note = "PageSize is how many items a request reads, as in the view. Page follows requests whose items the filter drops."
	case s.Limit > 0:
		fmt.Fprintf(&b, ".Limit(%d)", s.Limit)
	}
	b.WriteString(".Page(ctx)")
	if s.After != "" {
		note = strings.TrimSpace(note + " This view begins behind a cursor: in Go that is After with Next of the page before.")
	}
	return g.source("page ddb.Page[Item]", open+b.String(), note)
}

// scanCode returns a scan of a table as Go code.
func scanCode(t *table, limit int, after string, filters ...filter) (code, note string) {
	return codeOf(t, &search{keys: t.key(), Limit: limit, After: after, Filters: filters})
}

// queryValues returns the values for Query, whose type is known there.
func queryValues(attrs []keyAttr, texts []string) string {
	if len(texts) == 1 {
		return literal(attrs[0].Type, texts[0])
	}
	return values(attrs, texts)
}

// getCode returns Go code that reads an item, by the texts of its key.
func getCode(t *table, key []string) (code, note string) {
	var g goCode
	own := t.key()
	open := g.open(t, own)
	var list []string
	for i, a := range own.all() {
		list = append(list, literal(a.Type, key[i]))
	}
	return g.source("found Item", open+"return items.Get(ctx, "+strings.Join(list, ", ")+", ddb.Consistent())", "")
}

// describeCode returns Go code for the definition of a table, for programs that know tables only at run time.
func describeCode(t *table) string {
	return fmt.Sprintf("table, err := rawtable.Open(ctx, client, %q) // its methods Keys, Indexes and Description say what is here", t.TableName)
}

// open returns the code with which a program opens the table.
func (g *goCode) open(t *table, own keySet) string {
	call := fmt.Sprintf("ddb.NewSimple(client, %q, %s)", t.TableName, g.key(own.Partition))
	if len(own.Sort) > 0 {
		call = fmt.Sprintf("ddb.New(client, %q, %s, %s)", t.TableName, g.key(own.Partition), g.key(own.Sort))
	}
	return "items, err := " + call + "\nif err != nil {\nreturn RESULT, err\n}\n"
}

// source joins the parts.
func (g *goCode) source(result, body, note string) (code, noted string) {
	if g.note != "" {
		return "", g.note
	}
	var b strings.Builder
	b.WriteString("package p\n\ntype Item struct {\n")
	for _, f := range g.fields {
		fmt.Fprintf(&b, "%s %s `dynamodbav:%q`\n", f.name, goTypes[f.kind].goType, f.attr)
	}
	b.WriteString("}\n\nvar (\n")
	for _, f := range g.fields {
		fmt.Fprintf(&b, "item%s = ddb.%s(func(i *Item) *%s { return &i.%s })\n", f.name, goTypes[f.kind].handle, goTypes[f.kind].goType, f.name)
	}
	name, _, _ := strings.Cut(result, " ")
	fmt.Fprintf(&b, ")\n\nfunc find(ctx context.Context, client ddb.Client) (%s, err error) {\n%s\n}\n", result, strings.ReplaceAll(body, "RESULT", name))
	text, err := format.Source([]byte(b.String()))
	if err != nil {
		return "", "There is no Go for it: " + err.Error()
	}
	return strings.TrimPrefix(string(text), "package p\n\n"), note
}
