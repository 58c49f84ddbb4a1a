// SPDX-License-Identifier: Apache-2.0

package rawtable_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"pgregory.net/rapid"

	"github.com/dynamotable/ddb"
	"github.com/dynamotable/ddb/attrtype"
	"github.com/dynamotable/ddb/ddbtest"
	"github.com/dynamotable/ddb/ddbtest/fault"
	"github.com/dynamotable/ddb/rawexpr"
	"github.com/dynamotable/ddb/rawitem"
	"github.com/dynamotable/ddb/rawtable"
	"github.com/dynamotable/ddb/schema"
)

// sdkOnly hides that the client is the SDK's own, so that items go through attribute maps.
type sdkOnly struct{ *dynamodb.Client }

// tableOf writes a table's keys as "a:S b:N".
func tableOf(name, keys string, indexes ...string) *dynamodb.CreateTableInput {
	in := &dynamodb.CreateTableInput{TableName: &name, BillingMode: types.BillingModePayPerRequest}
	define := func(text string, role types.KeyType) types.KeySchemaElement {
		attr, kind, _ := strings.Cut(text, ":")
		known := slices.ContainsFunc(in.AttributeDefinitions, func(d types.AttributeDefinition) bool { return *d.AttributeName == attr })
		if !known {
			in.AttributeDefinitions = append(in.AttributeDefinitions, types.AttributeDefinition{AttributeName: &attr, AttributeType: types.ScalarAttributeType(kind)})
		}
		return types.KeySchemaElement{AttributeName: &attr, KeyType: role}
	}
	for i, k := range strings.Fields(keys) {
		in.KeySchema = append(in.KeySchema, define(k, []types.KeyType{types.KeyTypeHash, types.KeyTypeRange}[i]))
	}
	for _, x := range indexes { // local by-at KEYS_ONLY : a:S / b:N
		head, attrs, _ := strings.Cut(x, " = ")
		words := strings.Fields(head)
		projection := &types.Projection{ProjectionType: types.ProjectionType(words[2])}
		if words[2] == "INCLUDE" {
			projection.NonKeyAttributes = words[3:]
		}
		hash, sort, _ := strings.Cut(attrs, "/")
		var elements []types.KeySchemaElement
		for k := range strings.FieldsSeq(hash) {
			elements = append(elements, define(k, types.KeyTypeHash))
		}
		for k := range strings.FieldsSeq(sort) {
			elements = append(elements, define(k, types.KeyTypeRange))
		}
		if words[0] == "local" {
			in.LocalSecondaryIndexes = append(in.LocalSecondaryIndexes, types.LocalSecondaryIndex{IndexName: &words[1], KeySchema: elements, Projection: projection})
			continue
		}
		in.GlobalSecondaryIndexes = append(in.GlobalSecondaryIndexes, types.GlobalSecondaryIndex{IndexName: &words[1], KeySchema: elements, Projection: projection})
	}
	return in
}

func open(t testing.TB, client interface {
	ddb.Client
	schema.Client
}, in *dynamodb.CreateTableInput) *rawtable.Table {
	t.Helper()
	if _, err := client.CreateTable(t.Context(), in); err != nil {
		t.Fatal(err)
	}
	table, err := rawtable.Open(t.Context(), client, *in.TableName)
	if err != nil {
		t.Fatal(err)
	}
	return table
}

func item(t testing.TB, text string) rawitem.Item {
	t.Helper()
	i, err := rawitem.Parse([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return i
}

func value(t testing.TB, text string) rawitem.Value {
	t.Helper()
	v, err := rawitem.ParseValue([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func noError(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// everyType has a value of each type that DynamoDB stores, in the service's notation.
const everyType = `"b":{"B":"AAH/"},"bs":{"BS":["AA==","/w=="]},"empty":{"S":""},"list":{"L":[{"N":"-0.5"},{"M":{"k":{"NULL":true}}},{"L":[]}]},` +
	`"map":{"M":{"":{"S":"x"}}},"n":{"N":"12345678901234567890123456789012345678"},"no":{"BOOL":false},"ns":{"NS":["1","2.5"]},"nul":{"NULL":true},` +
	`"quote":{"S":"\"\\\u0001\u2028 é 😀 <&>"},"ss":{"SS":["a","b"]},"tiny":{"N":"0.00000000000000000000000000001"},"yes":{"BOOL":true}`

// Items and keys of every type are read as they were written, by each verb, on both paths to the service.
func TestEveryKeyAndType(t *testing.T) {
	t.Parallel()
	keys := map[string]string{
		"S": `{"S":"a key"}`, "N": `{"N":"-1.5"}`, "B": `{"B":"AAEC"}`,
	}
	body := strings.Replace(everyType, `"":{"S":"x"}`, `"k":{"S":"x"}`, 1)
	for _, way := range []string{"wire", "maps"} {
		for pk, pv := range keys {
			for _, sk := range []string{"", "S", "N", "B"} {
				t.Run(way+"/"+pk+sk, func(t *testing.T) {
					t.Parallel()
					attrs, text := "p:"+pk, `{"p":`+pv
					if sk != "" {
						attrs, text = attrs+" q:"+sk, text+`,"q":`+keys[sk]
					}
					var client interface {
						ddb.Client
						schema.Client
					} = ddbtest.New(t)
					if way == "maps" {
						client = sdkOnly{client.(*dynamodb.Client)}
					}
					table := open(t, client, tableOf("things", attrs))
					whole := item(t, text+","+body+"}")
					verbs(t, client, table, whole)
				})
			}
		}
	}
}

// sorted writes an item with sorted attributes for comparison, because the service chooses the order of attributes and set members.
func sorted(t testing.TB, i rawitem.Item) string {
	t.Helper()
	values, err := i.Values()
	noError(t, err)
	again, err := rawitem.Of(values)
	noError(t, err)
	return string(again.JSON())
}

func verbs(t *testing.T, client ddb.Client, table *rawtable.Table, whole rawitem.Item) {
	t.Helper()
	ctx := t.Context()
	same := func(what string, got rawitem.Item, err error) {
		t.Helper()
		noError(t, err)
		if sorted(t, got) != sorted(t, whole) {
			t.Fatalf("%s gives\n%s, want\n%s", what, got.JSON(), whole.JSON())
		}
	}
	key := table.KeyOf(&whole)
	noError(t, table.Create(ctx, &whole))
	if err := table.Create(ctx, &whole); !errors.Is(err, ddb.ErrConditionFailed) {
		t.Fatalf("Create of an existing item: %v", err)
	}
	noError(t, table.Put(ctx, &whole, ddb.If(rawtable.Unchanged(whole))))
	noError(t, table.Replace(ctx, &whole))
	got, err := table.GetKey(ctx, key)
	same("Get", got, err)
	found, err := table.BatchGet(ctx, []ddb.Key[rawitem.Value, rawitem.Value]{key})
	noError(t, err)
	if len(found) != 1 {
		t.Fatalf("BatchGet gives %d items", len(found))
	}
	same("BatchGet", found[0].Item, nil)
	list, err := table.Scan().Collect(ctx)
	noError(t, err)
	same("Scan", list[0], nil)
	list, err = table.Query(key.Partition).Collect(ctx)
	noError(t, err)
	same("Query", list[0], nil)
	list, err = table.Scan().Parallel(3).Collect(ctx)
	noError(t, err)
	same("parallel Scan", list[0], nil)

	updated, err := table.Update(ctx, key, ddb.Changes(rawtable.Attr("map", "k").Set(3), ddb.Remove(rawtable.Attr("list", "[0]"))))
	noError(t, err)
	if v, _ := updated.Attr("map"); string(v.JSON()) != `{"M":{"k":{"N":"3"}}}` {
		t.Fatalf("the update gives %s", v.JSON())
	}
	if err := table.Put(ctx, &whole, ddb.If(rawtable.Unchanged(whole))); !errors.Is(err, ddb.ErrConditionFailed) {
		t.Fatalf("a put over a change of another: %v", err)
	}
	var failed *ddb.ConditionFailed[rawitem.Item]
	err = table.Put(ctx, &whole, ddb.If(rawtable.Unchanged(whole)))
	if !errors.As(err, &failed) {
		t.Fatalf("the refused put gives %v", err)
	}
	if current, ok := failed.Current(); !ok || sorted(t, current) != sorted(t, updated) {
		t.Fatalf("the refused put does not return the stored item: %s", current.JSON())
	}
	noError(t, table.BatchPut(ctx, []rawitem.Item{whole}))
	got, err = table.GetKey(ctx, key, ddb.Consistent())
	same("Get after BatchPut", got, err)
	noError(t, ddb.Transact(ctx, client, table.TxPut(&whole)))
	noError(t, table.DeleteKey(ctx, key, ddb.If(rawtable.Unchanged(whole, "unknown"))))
	if _, err := table.GetKey(ctx, key); !errors.Is(err, ddb.ErrNotFound) {
		t.Fatalf("Get after Delete: %v", err)
	}
	noError(t, table.Put(ctx, &whole))
	noError(t, table.BatchDelete(ctx, []ddb.Key[rawitem.Value, rawitem.Value]{key}))
}

// Items copied from one table to another are stored as the same bytes.
func TestCopyIsExact(t *testing.T) {
	t.Parallel()
	client := ddbtest.New(t)
	from := open(t, client, tableOf("from", "p:S"))
	to := open(t, client, tableOf("copy", "p:S"))
	body := strings.Replace(everyType, `"":{"S":"x"}`, `"k":{"S":"x"}`, 1)
	whole := item(t, `{"p":{"S":"a"},`+body+"}")
	noError(t, from.Put(t.Context(), &whole))
	first, err := from.Get(t.Context(), value(t, `{"S":"a"}`), rawitem.Value{})
	noError(t, err)
	noError(t, to.Put(t.Context(), &first))
	second, err := to.Get(t.Context(), value(t, `{"S":"a"}`), rawitem.Value{})
	noError(t, err)
	if string(first.JSON()) != string(second.JSON()) {
		t.Fatalf("the copy is\n%s, its source\n%s", second.JSON(), first.JSON())
	}
}

// Parsing keeps the text except for white space.
func TestParse(t *testing.T) {
	t.Parallel()
	spaced := strings.NewReplacer(":", " :\t", ",", " ,\n").Replace(`{"z":{"N":"1.50"},"a":{"L":[{"BOOL":true},{"SS":["b","a"]}]}}`)
	if got := string(item(t, " "+spaced+" ").JSON()); got != `{"z":{"N":"1.50"},"a":{"L":[{"BOOL":true},{"SS":["b","a"]}]}}` {
		t.Errorf("the item is %s", got)
	}
	kept := `{"a b":{"S":" x : \" , \\"}}`
	if got := string(item(t, kept).JSON()); got != kept {
		t.Errorf("the item is %s", got)
	}
	deep := strings.Repeat(`{"L":[`, 32) + `{"S":"secret"}` + strings.Repeat(`]}`, 32)
	for _, bad := range []string{
		``, `[]`, `null`, `{"a":"secret"}`, `{"a":{"S":1}}`, `{"a":{"N":1}}`, `{"a":{"X":"secret"}}`, `{"a":{"N":"secret"}}`, `{"a":{"N":""}}`,
		`{"a":{"N":"1E126"}}`, `{"a":{"N":"123456789012345678901234567890123456789"}}`, `{"a":{"B":"secret!"}}`, `{"a":{"B":"AA"}}`, `{"a":{"SS":[]}}`,
		`{"a":{"SS":["secret","secret"]}}`, `{"a":{"NS":["1","1.0"]}}`, `{"a":{"BS":["AA==","AA=="]}}`, `{"a":{"NULL":false}}`, `{"a":{"BOOL":"true"}}`,
		`{"a":{"S":"x"},"a":{"S":"y"}}`, `{"a":{"M":{"b":{"S":"x"},"b":{"S":"y"}}}}`, `{"":{"S":"x"}}`, `{"a":{"S":"x","N":"1"}}`, `{"a":{}}`, `{"a":{"S":"x"}} secret`,
		`{"a":` + deep + `}`, "{\"a\":{\"S\":\"\xff\"}}", `{"a":{"S":"\ud800"}}`, `{"a":{"S":"x"}`, `{"a":{"S":"x"},}`,
	} {
		i, err := rawitem.Parse([]byte(bad))
		if !errors.Is(err, ddb.ErrInvalid) || len(i.JSON()) != 2 {
			t.Errorf("%s: %v", bad, err)
		} else if strings.Contains(err.Error(), "secret") {
			t.Errorf("the error shows data: %v", err)
		}
	}
	for _, bad := range []string{``, `{}`, `{"S":"a"} x`, `{"S":"a","S":"b"}`, `"a"`} {
		if _, err := rawitem.ParseValue([]byte(bad)); !errors.Is(err, ddb.ErrInvalid) {
			t.Errorf("value %s: %v", bad, err)
		}
	}
}

func TestWith(t *testing.T) {
	t.Parallel()
	whole := item(t, `{"a":{"S":"1"},"b":{"S":"2"},"c":{"S":"3"}}`)
	for _, c := range []struct{ name, value, want string }{
		{"b", `{"N":"9"}`, `{"a":{"S":"1"},"b":{"N":"9"},"c":{"S":"3"}}`},
		{"b", ``, `{"a":{"S":"1"},"c":{"S":"3"}}`},
		{"d\"", `{"NULL":true}`, `{"a":{"S":"1"},"b":{"S":"2"},"c":{"S":"3"},"d\"":{"NULL":true}}`},
		{"d", ``, `{"a":{"S":"1"},"b":{"S":"2"},"c":{"S":"3"}}`},
	} {
		var v rawitem.Value
		if c.value != "" {
			v = value(t, c.value)
		}
		got, err := whole.With(c.name, v)
		noError(t, err)
		if string(got.JSON()) != c.want {
			t.Errorf("With(%q, %s) = %s", c.name, c.value, got.JSON())
		}
	}
	for _, name := range []string{"", "\xff"} {
		if _, err := whole.With(name, value(t, `{"S":"x"}`)); !errors.Is(err, ddb.ErrInvalid) {
			t.Errorf("With(%q): %v", name, err)
		}
	}
}

// Any item that the service accepts is read as it was written.
func TestAnyItem(t *testing.T) {
	t.Parallel()
	client := ddbtest.New(t)
	table := open(t, client, tableOf("things", "p:S"))
	rapid.Check(t, func(r *rapid.T) {
		values := map[string]types.AttributeValue{"p": &types.AttributeValueMemberS{Value: "k"}}
		for _, name := range rapid.SliceOfDistinct(rapid.StringMatching(`[a-oq-z ".#]{1,6}`), rapid.ID[string]).Draw(r, "names") {
			values[name] = anyValue(r, 3)
		}
		whole, err := rawitem.Of(values)
		noError(t, err)
		noError(t, table.Put(context.Background(), &whole))
		got, err := table.Get(context.Background(), value(t, `{"S":"k"}`), rawitem.Value{})
		noError(t, err)
		if sorted(t, got) != sorted(t, whole) {
			r.Fatalf("got %s, want %s", got.JSON(), whole.JSON())
		}
		if err := table.Put(context.Background(), &whole, ddb.If(rawtable.Unchanged(got))); err != nil {
			r.Fatalf("an item is not equal to itself: %v", err)
		}
	})
}

func anyValue(r *rapid.T, depth int) types.AttributeValue {
	kinds := []string{"S", "N", "B", "BOOL", "NULL", "SS", "NS", "BS", "L", "M"}
	if depth == 0 {
		kinds = kinds[:8]
	}
	texts := rapid.SliceOfNDistinct(rapid.String(), 1, 4, rapid.ID[string])
	numbers := rapid.SliceOfNDistinct(rapid.Int64(), 1, 4, rapid.ID[int64])
	switch rapid.SampledFrom(kinds).Draw(r, "kind") {
	case "S":
		return &types.AttributeValueMemberS{Value: rapid.String().Draw(r, "s")}
	case "N":
		return &types.AttributeValueMemberN{Value: strconv.FormatInt(rapid.Int64().Draw(r, "n"), 10)}
	case "B":
		return &types.AttributeValueMemberB{Value: rapid.SliceOf(rapid.Byte()).Draw(r, "b")}
	case "BOOL":
		return &types.AttributeValueMemberBOOL{Value: rapid.Bool().Draw(r, "bool")}
	case "NULL":
		return &types.AttributeValueMemberNULL{Value: true}
	case "SS":
		list := texts.Draw(r, "ss")
		slices.Sort(list)
		return &types.AttributeValueMemberSS{Value: list}
	case "NS":
		list := numbers.Draw(r, "ns")
		slices.Sort(list)
		set := make([]string, len(list))
		for i, n := range list {
			set[i] = strconv.FormatInt(n, 10)
		}
		return &types.AttributeValueMemberNS{Value: set}
	case "BS":
		list := texts.Draw(r, "bs")
		slices.Sort(list)
		set := make([][]byte, len(list))
		for i, s := range list {
			set[i] = []byte(s)
		}
		return &types.AttributeValueMemberBS{Value: set}
	case "L":
		list := make([]types.AttributeValue, rapid.IntRange(0, 3).Draw(r, "len"))
		for i := range list {
			list[i] = anyValue(r, depth-1)
		}
		return &types.AttributeValueMemberL{Value: list}
	}
	m := map[string]types.AttributeValue{}
	for _, name := range rapid.SliceOfNDistinct(rapid.StringN(1, 5, -1), 0, 3, rapid.ID[string]).Draw(r, "keys") {
		m[name] = anyValue(r, depth-1)
	}
	return &types.AttributeValueMemberM{Value: m}
}

// Invalid calls are refused with all problems named, and nothing is sent.
func TestRefusedBeforeSending(t *testing.T) {
	t.Parallel()
	var sent atomic.Int64
	client := ddbtest.New(t, ddbtest.WithObserver(func(r fault.Request) {
		if r.Operation != "DescribeTable" && r.Operation != "CreateTable" {
			sent.Add(1)
		}
	}))
	open(t, client, tableOf("pair", "p:S q:N", "global by-g ALL = g:S h:N / i:B"))
	open(t, client, tableOf("single", "p:B"))
	pair, err := rawtable.Open(t.Context(), client, "pair")
	noError(t, err)
	single, err := rawtable.Open(t.Context(), client, "single")
	noError(t, err)
	s, n, b := value(t, `{"S":"secret"}`), value(t, `{"N":"1"}`), value(t, `{"B":"AA=="}`)
	for name, call := range map[string]func(ctx context.Context) error{
		"sort key of another type":      func(ctx context.Context) error { _, err := pair.Get(ctx, s, s); return err },
		"partition key of another type": func(ctx context.Context) error { _, err := pair.Get(ctx, n, n); return err },
		"no sort key":                   func(ctx context.Context) error { _, err := pair.Get(ctx, s, rawitem.Value{}); return err },
		"an unexpected sort key":        func(ctx context.Context) error { _, err := single.Get(ctx, b, n); return err },
		"empty key": func(ctx context.Context) error {
			return single.DeleteKey(ctx, single.Key(value(t, `{"B":""}`), rawitem.Value{}))
		},
		"item without its key": func(ctx context.Context) error {
			i := item(t, `{"p":{"S":"secret"}}`)
			return pair.Put(ctx, &i)
		},
		"item with a key of another type": func(ctx context.Context) error {
			i := item(t, `{"p":{"S":"secret"},"q":{"S":"secret"}}`)
			return pair.Put(ctx, &i)
		},
		"zero item": func(ctx context.Context) error { return single.Put(ctx, new(rawitem.Item)) },
		"change of key": func(ctx context.Context) error {
			_, err := single.Update(ctx, single.Key(b, rawitem.Value{}), ddb.Changes(rawtable.Attr("p").Set("secret")))
			return err
		},
		"value that cannot be stored": func(ctx context.Context) error {
			_, err := single.Update(ctx, single.Key(b, rawitem.Value{}), ddb.Changes(rawtable.Attr("a").Set(make(chan int))))
			return err
		},
		"condition of an empty item": func(ctx context.Context) error {
			return single.DeleteKey(ctx, single.Key(b, rawitem.Value{}), ddb.If(rawtable.Unchanged(rawitem.Item{})))
		},
		"condition of an item of too many attributes": func(ctx context.Context) error {
			wide := item(t, "{"+strings.Join(columns(400), ",")+"}")
			return single.DeleteKey(ctx, single.Key(b, rawitem.Value{}), ddb.If(rawtable.Unchanged(wide)))
		},
	} {
		err := call(t.Context())
		if !errors.Is(err, ddb.ErrInvalid) {
			t.Errorf("%s: %v", name, err)
		} else if strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: the error shows data: %v", name, err)
		}
	}
	for name, r := range map[string]rawtable.Read{
		"unknown index":                     {Index: "nope"},
		"sort condition of a scan":          {Sort: rawtable.Sort{Op: "=", Values: []rawitem.Value{n}}},
		"unknown operator":                  {Partition: []rawitem.Value{s}, Sort: rawtable.Sort{Op: "secret", Values: []rawitem.Value{n}}},
		"values without operator":           {Partition: []rawitem.Value{s}, Sort: rawtable.Sort{Values: []rawitem.Value{n}}},
		"upper bound too many":              {Partition: []rawitem.Value{s}, Sort: rawtable.Sort{Op: "=", Values: []rawitem.Value{n}, High: []rawitem.Value{n}}},
		"no upper bound":                    {Partition: []rawitem.Value{s}, Sort: rawtable.Sort{Op: "BETWEEN", Values: []rawitem.Value{n}}},
		"too few partition values":          {Index: "by-g", Partition: []rawitem.Value{s}},
		"too many partition values":         {Partition: []rawitem.Value{s, n}},
		"too many sort values":              {Partition: []rawitem.Value{s}, Sort: rawtable.Sort{Op: "=", Values: []rawitem.Value{n, n}}},
		"consistent read of a global index": {Index: "by-g", Consistent: true},
	} {
		if _, err := pair.Reader(r); !errors.Is(err, ddb.ErrInvalid) || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, o := range map[string]ddb.TableOption{
		"Version": ddb.Version(rawtable.Attr("v")), "TTL": ddb.TTL(rawtable.Attr("ttl")), "Created": ddb.Created(rawtable.Attr("c")),
		"Discriminator": ddb.Discriminator("type", "x"),
	} {
		if _, err := rawtable.Open(t.Context(), client, "single", o); !errors.Is(err, ddb.ErrInvalid) {
			t.Errorf("option %s: %v", name, err)
		}
	}
	if n := sent.Load(); n > 0 {
		t.Errorf("%d requests were sent", n)
	}
	if _, err := rawtable.Open(t.Context(), client, "absent"); !errors.Is(err, ddb.ErrTableNotFound) {
		t.Errorf("Open of a missing table: %v", err)
	}
	for _, c := range []struct {
		table *rawtable.Table
		p, q  string
	}{
		{pair, "", "1"}, {pair, "a", ""}, {pair, "a", "secret"}, {pair, "\xff", "1"}, {single, "secret!", ""}, {single, "AA==", "1"},
	} {
		if _, err := c.table.ParseKey(c.p, c.q); err == nil || strings.Contains(err.Error(), "secret") {
			t.Errorf("ParseKey(%q, %q): %v", c.p, c.q, err)
		}
	}
}

func columns(n int) []string {
	list := make([]string, n)
	for i := range list {
		list[i] = fmt.Sprintf(`"a%d":{"S":"x"}`, i)
	}
	return list
}

// Queries and scans of every kind of index return its items, page by page with cursors as text.
func TestIndexReads(t *testing.T) {
	t.Parallel()
	client := ddbtest.New(t)
	table := open(t, client, tableOf("things", "p:S q:N",
		"local by-at KEYS_ONLY = p:S / at:N", "global by-g INCLUDE extra = g:S h:N / i:S j:N", "global by-h ALL = h:N"))
	var list []rawitem.Item
	for i := range 30 {
		list = append(list, item(t, fmt.Sprintf(`{"p":{"S":"p%d"},"q":{"N":"%d"},"at":{"N":"%d"},"g":{"S":"g"},"h":{"N":"%d"},"i":{"S":"i%d"},"j":{"N":"%d"},"extra":{"S":"e"},"rest":{"S":"r"}}`,
			i%2, i, 100-i, i%3, i%5, i)))
	}
	noError(t, table.BatchPut(t.Context(), list))
	if got := fmt.Sprint(len(table.Indexes()), table.Index("by-at").Local, table.Index("by-g").Keys, table.Index("none") == nil); got != "3 true {[{g S} {h N}] [{i S} {j N}]} true" {
		t.Errorf("the indexes are %s", got)
	}
	s := func(text string) rawitem.Value { return value(t, `{"S":"`+text+`"}`) }
	n := func(i int) rawitem.Value { return value(t, `{"N":"`+strconv.Itoa(i)+`"}`) }
	for name, c := range map[string]struct {
		read rawtable.Read
		want int
		attr string // which the items lack
	}{
		"scan":                     {rawtable.Read{}, 30, ""},
		"scan of part":             {rawtable.Read{Filter: []ddb.Cond[rawitem.Item]{rawtable.Attr("j").Lt(7)}}, 7, ""},
		"projected scan":           {rawtable.Read{Project: []ddb.AnyAttr{rawtable.Attr("at")}}, 30, "rest"},
		"partition":                {rawtable.Read{Partition: []rawitem.Value{s("p1")}}, 15, ""},
		"range":                    {rawtable.Read{Partition: []rawitem.Value{s("p1")}, Sort: rawtable.Sort{Op: "BETWEEN", Values: []rawitem.Value{n(3)}, High: []rawitem.Value{n(7)}}}, 3, ""},
		"descending, consistent":   {rawtable.Read{Partition: []rawitem.Value{s("p1")}, Descending: true, Consistent: true, Sort: rawtable.Sort{Op: "<=", Values: []rawitem.Value{n(5)}}}, 3, ""},
		"local index":              {rawtable.Read{Index: "by-at", Partition: []rawitem.Value{s("p0")}, Sort: rawtable.Sort{Op: ">", Values: []rawitem.Value{n(90)}}}, 5, "rest"},
		"local scan":               {rawtable.Read{Index: "by-at", Consistent: true}, 30, "rest"},
		"global index":             {rawtable.Read{Index: "by-g", Partition: []rawitem.Value{s("g"), n(1)}}, 10, "rest"},
		"first of its sort key":    {rawtable.Read{Index: "by-g", Partition: []rawitem.Value{s("g"), n(1)}, Sort: rawtable.Sort{Op: "=", Values: []rawitem.Value{s("i1")}}}, 2, "rest"},
		"both of its sort key":     {rawtable.Read{Index: "by-g", Partition: []rawitem.Value{s("g"), n(1)}, Sort: rawtable.Sort{Op: ">=", Values: []rawitem.Value{s("i1"), n(2)}}}, 1, "rest"},
		"prefix of its sort key":   {rawtable.Read{Index: "by-g", Partition: []rawitem.Value{s("g"), n(1)}, Sort: rawtable.Sort{Op: "begins_with", Values: []rawitem.Value{s("i")}}}, 10, "rest"},
		"index without a sort key": {rawtable.Read{Index: "by-h", Partition: []rawitem.Value{n(2)}, Descending: true}, 10, ""},
		"global scan":              {rawtable.Read{Index: "by-g"}, 30, "rest"},
		"limit":                    {rawtable.Read{Index: "by-g", Limit: 4}, 4, "rest"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			reader, err := table.Reader(c.read)
			noError(t, err)
			all, err := reader.Collect(t.Context())
			noError(t, err)
			if len(all) != c.want {
				t.Fatalf("%d items, want %d", len(all), c.want)
			}
			for _, i := range all {
				if c.attr != "" && i.Has(c.attr) {
					t.Fatalf("an item has attribute %s", c.attr)
				}
			}
			if c.read.Limit > 0 {
				return
			}
			// Page by page, over the text of cursors.
			paged := c.read
			paged.Limit = 2
			again, err := table.Reader(paged)
			noError(t, err)
			var texts []string
			for next := ""; ; {
				after, err := again.ParseCursor(next)
				noError(t, err)
				page, err := again.After(after).Page(t.Context())
				noError(t, err)
				for _, i := range page.Items {
					texts = append(texts, string(i.JSON()))
				}
				if next = page.Next.String(); next == "" {
					break
				}
			}
			var want []string
			for _, i := range all {
				want = append(want, string(i.JSON()))
			}
			if !slices.Equal(texts, want) {
				t.Errorf("the pages give %d items, Collect %d, or in another order", len(texts), len(want))
			}
		})
	}
}

// Raw reads of a typed table return whole items as they are stored.
func TestRawViewOfTypedTable(t *testing.T) {
	t.Parallel()
	type thing struct {
		P string `dynamodbav:"p"`
	}
	client := ddbtest.New(t)
	raw := open(t, client, tableOf("things", "p:S"))
	stored := item(t, `{"p":{"S":"a"},"unknown":{"NS":["1"]}}`)
	noError(t, raw.Put(t.Context(), &stored))
	typed, err := ddb.NewSimple(client, "things", ddb.StrField(func(x *thing) *string { return &x.P }))
	noError(t, err)
	for i, err := range ddb.View[rawitem.Item](typed.Scan()).All(t.Context()) {
		noError(t, err)
		if string(i.JSON()) != string(stored.JSON()) {
			t.Errorf("the view is %s", i.JSON())
		}
	}
	got, err := ddb.GetView[rawitem.Item](t.Context(), typed, "a")
	noError(t, err)
	if string(got.JSON()) != string(stored.JSON()) {
		t.Errorf("GetView gives %s", got.JSON())
	}
	view, err := ddb.View[thing](raw.Query(value(t, `{"S":"a"}`))).Collect(t.Context())
	noError(t, err)
	if len(view) != 1 || view[0].P != "a" {
		t.Errorf("the typed view of a raw table is %v", view)
	}
}

// Fields of raw types keep their values unchanged, next to typed fields.
func TestRawFields(t *testing.T) {
	t.Parallel()
	type thing struct {
		P    string        `dynamodbav:"p"`
		Any  rawitem.Value `dynamodbav:"any"`
		Gone rawitem.Value `dynamodbav:"gone,omitempty"`
		None rawitem.Value `dynamodbav:"none"`
		Map  rawitem.Item  `dynamodbav:"map"`
	}
	client := ddbtest.New(t)
	raw := open(t, client, tableOf("things", "p:S"))
	typed, err := ddb.NewSimple(client, "things", ddb.StrField(func(x *thing) *string { return &x.P }))
	noError(t, err)
	want := `{"any":{"NS":["1","2"]},"map":{"M":{"k":{"B":"AA=="}}},"none":{"NULL":true},"p":{"S":"a"}}`
	noError(t, typed.Put(t.Context(), &thing{P: "a", Any: value(t, `{"NS":["1","2"]}`), Map: item(t, `{"k":{"B":"AA=="}}`)}))
	stored, err := raw.Get(t.Context(), value(t, `{"S":"a"}`), rawitem.Value{})
	noError(t, err)
	if got := sorted(t, stored); got != want {
		t.Errorf("stored is %s, want %s", got, want)
	}
	back, err := typed.Get(t.Context(), "a")
	noError(t, err)
	if string(back.Any.JSON()) != `{"NS":["1","2"]}` || string(back.Map.JSON()) != `{"k":{"B":"AA=="}}` || !back.Gone.IsZero() || back.None.Type() != attrtype.Null {
		t.Errorf("read back: %s %s %s %s", back.Any.JSON(), back.Map.JSON(), back.Gone.JSON(), back.None.JSON())
	}
	if text := fmt.Sprintf("%v %+v %#v %s", back.Any, back.Map, back.Any, back.Map); strings.Contains(text, "AA==") {
		t.Errorf("printed with data: %s", text)
	}
}

// FuzzParse: an accepted text is a whole item that can be read in the SDK's form and written again without a change of meaning.
func FuzzParse(f *testing.F) {
	f.Add([]byte(`{"p":{"S":"a"},` + strings.Replace(everyType, `"":{`, `"k":{`, 1) + `}`))
	f.Add([]byte(` { "a" : { "L" : [ { "SS" : [ "x" , "\\\"" ] } ] } } `))
	f.Fuzz(func(t *testing.T, data []byte) {
		i, err := rawitem.Parse(data)
		if err != nil {
			return
		}
		values, err := i.Values()
		if err != nil {
			t.Fatalf("%s was accepted, and is not an item: %v", data, err)
		}
		again, err := rawitem.Of(values)
		if err != nil {
			t.Fatal(err)
		}
		second, err := rawitem.Parse(i.JSON())
		if err != nil || string(second.JSON()) != string(i.JSON()) {
			t.Fatalf("%s is not read as it is written: %v", i.JSON(), err)
		}
		n := 0
		for name, v := range i.Attrs() {
			other, ok := again.Attr(name)
			if n++; !ok || other.Type() != v.Type() {
				t.Fatalf("attribute of %s is %s, and then %s", i.JSON(), v.JSON(), other.JSON())
			}
		}
		if n != len(values) {
			t.Fatalf("%d attributes, want %d", n, len(values))
		}
	})
}

// A lost reply is handled as for any table: the request is repeated if that is harmless; otherwise the outcome is unknown.
func TestLostReplies(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		operation string
		call      func(ctx context.Context, t *rawtable.Table, i rawitem.Item) error
		unknown   bool
	}{
		"put": {"PutItem", func(ctx context.Context, t *rawtable.Table, i rawitem.Item) error { return t.Put(ctx, &i) }, false},
		"conditional put": {"PutItem", func(ctx context.Context, t *rawtable.Table, i rawitem.Item) error {
			return t.Put(ctx, &i, ddb.If(rawtable.Unchanged(i)))
		}, true},
		"update": {"UpdateItem", func(ctx context.Context, t *rawtable.Table, i rawitem.Item) error {
			_, err := t.Update(ctx, t.KeyOf(&i), ddb.Changes(rawtable.Attr("n").Set(2)))
			return err
		}, false},
		"counting update": {"UpdateItem", func(ctx context.Context, t *rawtable.Table, i rawitem.Item) error {
			_, err := t.Update(ctx, t.KeyOf(&i), rawexpr.ChangeText[rawitem.Item]("ADD n :one", nil, map[string]any{":one": 1}))
			return err
		}, true},
		"delete": {"DeleteItem", func(ctx context.Context, t *rawtable.Table, i rawitem.Item) error {
			return t.DeleteKey(ctx, t.KeyOf(&i))
		}, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			lost := fault.On(c.operation).Nth(1)
			if c.operation == "PutItem" {
				lost = fault.On(c.operation).Nth(2) // the first prepares the test
			}
			table := open(t, ddbtest.New(t, ddbtest.WithFaults(lost.DropReply())), tableOf("things", "p:S"))
			i := item(t, `{"p":{"S":"a"},"n":{"N":"1"}}`)
			noError(t, table.Put(t.Context(), &i))
			if err := c.call(t.Context(), table, i); errors.Is(err, ddb.ErrOutcomeUnknown) != c.unknown || !c.unknown && err != nil {
				t.Errorf("the call gives %v", err)
			}
		})
	}
}
