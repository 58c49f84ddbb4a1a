// SPDX-License-Identifier: Apache-2.0

package page_test

import (
	"bytes"
	"fmt"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/dynamotable/ddb/cmd/ddblocal/internal/page"
)

// tableRows returns the rows of the table in a region of a view.
func tableRows(body, region string) (all [][]string) {
	text := regexp.MustCompile(`(?s)aria-label="` + region + `">.*?</table>`).FindString(body)
	text = text[max(strings.Index(text, "<tbody>"), 0):]
	for _, row := range regexp.MustCompile(`(?s)<tr>(.*?)</tr>`).FindAllStringSubmatch(text, -1) {
		var cells []string
		for _, c := range regexp.MustCompile(`(?s)<t[hd][^>]*>(.*?)</t[hd]>`).FindAllStringSubmatch(row[1], -1) {
			cells = append(cells, textOf(c[1]))
		}
		all = append(all, cells)
	}
	return all
}

// TestMembers: the view shows exactly the items that are in an index, also items that are older than it.
func TestMembers(t *testing.T) {
	s := newSite(t, page.Options{})
	s.create(&dynamodb.CreateTableInput{TableName: aws.String("things"), AttributeDefinitions: definition("id S"), KeySchema: keys("id")})
	vector := func(elements ...string) types.AttributeValue {
		var l types.AttributeValueMemberL
		for _, e := range elements {
			l.Value = append(l.Value, num(e))
		}
		return &l
	}
	values := []types.AttributeValue{nil, str("x"), str(""), num("1"), bin("b"), bin(""), &boolean{Value: true}, str(strings.Repeat("y", 1025)), str(strings.Repeat("y", 2049)), vector("1", "2"), vector("1"), vector("1", "1e100"), &types.AttributeValueMemberL{Value: []types.AttributeValue{num("1"), str("2")}}}
	for i, a := range values {
		for j, b := range values {
			item := attrs{"id": str(fmt.Sprintf("%d-%d", i, j))}
			if a != nil {
				item["a"] = a
			}
			if b != nil {
				item["b"], item["c"] = b, b
			}
			s.put("things", item)
		}
	}
	add := func(name string, schema []types.KeySchemaElement, attributes ...string) {
		_, err := s.client.UpdateTable(t.Context(), &dynamodb.UpdateTableInput{TableName: aws.String("things"), AttributeDefinitions: definition(attributes...), GlobalSecondaryIndexUpdates: []types.GlobalSecondaryIndexUpdate{{Create: &types.CreateGlobalSecondaryIndexAction{
			IndexName: &name, KeySchema: schema, Projection: &types.Projection{ProjectionType: types.ProjectionTypeKeysOnly},
		}}}})
		if err != nil {
			t.Fatal(err)
		}
	}
	add("by-a-b", keys("a, b"), "a S", "b N")
	add("by-both", keys("a b"), "a S", "b N")
	add("by-a", keys("a"), "a S")
	add("by-b-a", keys("b, a"), "a S", "b N")
	for _, name := range []string{"by-a-b", "by-both", "by-a", "by-b-a"} {
		s.sameMembers(name, s.scanned(name))
	}
	s.says(s.get(page.Path+"tables/things/indexes/by-a-b", 200), "no: a is absent; b is absent", "no: a is empty; b has the type B, the index takes N", "a has 2,049 bytes, a key at most 2,048")
	s.says(s.get(page.Path+"tables/things/indexes/none", 404), `the table has no index "none"`)

	// The view of a vector index has the number of its items.
	_, err := s.client.UpdateTable(t.Context(), &dynamodb.UpdateTableInput{TableName: aws.String("things"), AttributeDefinitions: definition("a S"), VectorIndexUpdates: []types.VectorIndexUpdate{{Create: &types.CreateVectorIndexAction{
		IndexName: aws.String("meaning"), Dimensions: aws.Int64(2), DistanceFunction: types.VectorDistanceFunctionEuclidean, VectorAttribute: &types.VectorAttributeDefinition{AttributeName: aws.String("c")}, Projection: &types.Projection{ProjectionType: "ALL"},
		SearchSchema: []types.SearchSchemaElement{{AttributeName: aws.String("a"), SearchSchemaElementType: types.SearchSchemaElementTypeHash}},
	}}}})
	if err != nil {
		t.Fatal(err)
	}
	out, err := s.client.DescribeTable(t.Context(), &dynamodb.DescribeTableInput{TableName: aws.String("things")})
	if err != nil {
		t.Fatal(err)
	}
	body := s.get(page.Path+"tables/things/indexes/meaning", 200) + s.get(s.linkOf(s.get(page.Path+"tables/things/indexes/meaning", 200), "Next items"), 200)
	if in, want := strings.Count(body, ">yes<"), int(aws.ToInt64(out.Table.VectorIndexes[0].ItemCount)); in != want || want == 0 {
		t.Errorf("%d items are in the vector index, want %d", in, want)
	}
	s.says(body, "no: c is absent; a is absent", "c has 1 elements, the index takes 2", "c[1] is not a 32-bit number", "c has the type S, the index takes a list of numbers")
}

// scanned returns the ids of all items of an index.
func (s *site) scanned(name string) (ids []string) {
	s.t.Helper()
	pages := dynamodb.NewScanPaginator(s.client, &dynamodb.ScanInput{TableName: aws.String("things"), IndexName: &name})
	for pages.HasMorePages() {
		out, err := pages.NextPage(s.t.Context())
		if err != nil {
			s.t.Fatal(err)
		}
		for _, i := range out.Items {
			ids = append(ids, i["id"].(*types.AttributeValueMemberS).Value)
		}
	}
	slices.Sort(ids)
	return ids
}

// sameMembers compares the view of an index, all pages of it, with the items that are in it.
func (s *site) sameMembers(name string, want []string) {
	s.t.Helper()
	var in []string
	rows := 0
	for at := page.Path + "tables/things/indexes/" + name; at != ""; {
		body := s.get(at, 200)
		for _, row := range tableRows(body, "Items") {
			rows++
			if row[1] == "yes" {
				in = append(in, strings.TrimPrefix(row[0], "id "))
			} else if !strings.HasPrefix(row[1], "no: ") {
				s.t.Errorf("%s: row %q", name, row)
			}
		}
		at = ""
		if strings.Contains(body, `rel="next"`) {
			at = s.linkOf(body, "Next items")
		}
	}
	slices.Sort(in)
	if !slices.Equal(in, want) || len(want) == 0 || rows != 169 {
		s.t.Errorf("%s: %d rows, in the index %q, want %q", name, rows, in, want)
	}
	for _, row := range tableRows(s.get(target("tables/things/indexes/"+name, "only", "out"), 200), "Items") {
		if row[1] == "yes" {
			s.t.Errorf("%s: the view lists %q as not in the index", name, row)
		}
	}
}

func TestKinds(t *testing.T) {
	s := newSite(t, page.Options{})
	s.create(&dynamodb.CreateTableInput{TableName: aws.String("single"), AttributeDefinitions: definition("pk S", "sk S"), KeySchema: keys("pk, sk")})
	for i := range 3 {
		customer := fmt.Sprintf("CUSTOMER#%d", i)
		s.put("single", attrs{"pk": str(customer), "sk": str("PROFILE"), "entity": str("customer"), "name": str("x")})
		for j := range 1 + i {
			o := attrs{"pk": str(customer), "sk": str(fmt.Sprintf("ORDER#%d", j)), "entity": str("order"), "total": num("1")}
			if j > 0 {
				delete(o, "total")
			}
			s.put("single", o)
		}
	}
	s.put("single", attrs{"pk": str("loose"), "sk": str("PROFILE")})
	body := s.get(page.Path+"tables/single/kinds", 200)
	want := [][]string{
		{"pk CUSTOMER#…, sk ORDER#…", "6", "60.0 %", "entity, pk, sk, total (3)", "pk CUSTOMER#0, sk ORDER#0"},
		{"pk CUSTOMER#…, sk PROFILE", "3", "30.0 %", "entity, name, pk, sk", "pk CUSTOMER#0, sk PROFILE"},
		{"pk …, sk PROFILE", "1", "10.0 %", "pk, sk", "pk loose, sk PROFILE"},
	}
	got := tableRows(body, "Groups")
	for i := range want {
		if i >= len(got) || !slices.Equal(got[i][:4], want[i][:4]) {
			t.Fatalf("groups\n%q\nwant\n%q", got, want)
		}
	}
	if got := optionsOf(body, "by"); !slices.Equal(got, []string{"", "entity"}) {
		t.Errorf("it can be grouped by %q", got)
	}
	if n := len(rows(s.get(s.linkOf(body, "pk CUSTOMER#…, sk ORDER#…"), 200))); n != 6 {
		t.Errorf("the search of a group finds %d", n)
	}
	if n := len(rows(s.get(s.linkOf(body, "pk CUSTOMER#…, sk PROFILE"), 200))); n != 3 {
		t.Errorf("the search of a group finds %d", n)
	}
	body = s.get(target("tables/single/kinds", "by", "entity"), 200)
	for i, want := range [][]string{{"order", "6"}, {"customer", "3"}, {"entity is absent", "1"}} {
		if got := tableRows(body, "Groups"); len(got) != 3 || !slices.Equal(got[i][:2], want) {
			t.Fatalf("groups %q", got)
		}
		if n := len(rows(s.get(s.linkOf(body, want[0]), 200))); fmt.Sprint(n) != want[1] {
			t.Errorf("the search of %s finds %d", want[0], n)
		}
	}
}

func TestStream(t *testing.T) {
	s := newSite(t, page.Options{})
	s.things()
	body := s.get(page.Path+"tables/things/stream", 200)
	s.says(body, "The stream is off.")
	f := s.form(body, "Stream")
	f.fields.Set("view", "NEW_AND_OLD_IMAGES")
	s.says(s.follow(f), "The stream is on: NEW_AND_OLD_IMAGES.", "No records.")
	s.put("things", attrs{"id": str("a"), "n": num("1")})
	s.put("things", attrs{"id": str("a"), "n": num("2")})
	follow := s.linkOf(s.get(page.Path+"tables/things/stream", 200), "What comes from now on")
	body = s.get(page.Path+"tables/things/stream", 200)
	s.says(body, `INSERT id a`, `id, n id added + {"S":"a"} n added + {"N":"1"}`, `MODIFY id a`, `n changed - {"N":"1"} + {"N":"2"}`, "2 records. A GetRecords costs one read request unit",
		"aws dynamodbstreams get-shard-iterator", "There are none yet.")
	later := s.linkOf(body, "Later records")
	s.says(s.get(later, 200), "No records.")
	s.engine.Clock().Advance(time.Minute)
	_, err := s.client.DeleteItem(t.Context(), &dynamodb.DeleteItemInput{TableName: aws.String("things"), Key: attrs{"id": str("a")}})
	if err != nil {
		t.Fatal(err)
	}
	for _, at := range []string{later, follow} {
		body = s.get(at, 200)
		s.says(body, "REMOVE id a")
		if got := tableRows(body, "Records"); at == later && len(got) != 1 {
			t.Errorf("%s shows %q", at, got)
		}
		if refreshed := strings.Contains(body, `<meta http-equiv="refresh" content="2">`); refreshed != (at == follow) {
			t.Errorf("%s was loaded again: %v", at, refreshed)
		}
	}
	for i := range 250 {
		s.put("things", attrs{"id": str(fmt.Sprint("many-", i))})
	}
	if got := tableRows(s.get(follow, 200), "Records"); len(got) != 200 || !strings.Contains(fmt.Sprint(got[0]), "many-249") {
		t.Errorf("the follow-up view shows %d records, %q first", len(got), got[0])
	}
	s.get(target("tables/things/item", "key", strings.Repeat("[", 200_000)), 400)
	s.engine.SplitShards("things", 2)
	body = s.get(page.Path+"tables/things/stream", 200)
	if got := tableRows(body, "Shards"); len(got) != 3 || got[0][1] != "closed" || got[1][1] != "open" || got[1][2] != got[0][0] {
		t.Errorf("shards %q", got)
	}
	s.says(s.follow(s.form(body, "Stream")), "The stream is off.")
	s.says(s.get(target("tables/things/stream", "at", "x"), 400), "is no time")
	s.says(s.get(target("tables/things/stream", "shard", "x"), 400), "GetShardIterator was refused")
}

// TestExpiry: an item expires as the view says.
func TestExpiry(t *testing.T) {
	s := newSite(t, page.Options{})
	s.things()
	body := s.get(page.Path+"tables/things/ttl", 200)
	s.says(body, "Time to live is off: no item expires.")
	f := s.form(body, "Time to live")
	f.fields.Set("attribute", "until")
	s.says(s.follow(f), "Time to live is on: attribute until")
	now := s.engine.Clock().Now()
	for id, until := range map[string]types.AttributeValue{
		"soon": num(unix(now.Add(10*time.Minute + 30*time.Second))), "past": num(unix(now.Add(-time.Hour))), "ancient": num(unix(now.Add(-6 * 365 * 24 * time.Hour))),
		"text": str(unix(now)), "millis": num(unix(now) + "000"), "half": num("1.5"), "far": num("1e12"), "huge": num("1e100"), "negative": num("-5"),
	} {
		s.put("things", attrs{"id": str(id), "until": until})
	}
	s.put("things", attrs{"id": str("none")})
	body = s.get(page.Path+"tables/things/ttl", 200)
	s.says(body, "id soon expires in 10 min", "id past expired 1 h ago, is not deleted yet", "id ancient stays: the time is more than five years ago", "id text stays: the attribute is no number but S",
		"id millis stays: it is not a time in seconds since 1970; it looks like milliseconds", "id half stays: it is not a whole number", "9 returned of 10 scanned")
	var stay []string
	for _, row := range tableRows(body, "Items with a time to live") {
		if strings.HasPrefix(row[1], "stays") {
			stay = append(stay, strings.TrimPrefix(row[0], "id "))
		}
	}
	s.engine.Clock().Advance(time.Hour)
	out, err := s.client.Scan(t.Context(), &dynamodb.ScanInput{TableName: aws.String("things")})
	if err != nil {
		t.Fatal(err)
	}
	var left []string
	for _, i := range out.Items {
		left = append(left, i["id"].(*types.AttributeValueMemberS).Value)
	}
	slices.Sort(left)
	stay = append(stay, "none")
	slices.Sort(stay)
	if !slices.Equal(left, stay) {
		t.Errorf("the remaining items are %q, the view said %q", left, stay)
	}
	s.says(s.follow(s.form(s.get(page.Path+"tables/things/ttl", 200), "Time to live")), "Time to live is off")
}

const exported = `{"Item":{"b":{"B":"AP8="},"id":{"S":"a\n\"ü"},"n":{"N":"12345678901234567890123456789012345678"}}}
{"Item":{"id":{"S":"b"},"l":{"L":[{"M":{"x":{"NS":["0.1","2"]}}},{"NULL":true},{"BOOL":false}]}}}
{"Item":{"id":{"S":"c"},"s":{"SS":["x","y"]}}}
`

func (s *site) imports(fields map[string]string, file string) string {
	s.t.Helper()
	f := s.form(s.get(page.Path+"tables/things/import", 200), "Import")
	var body bytes.Buffer
	m := multipart.NewWriter(&body)
	for name := range f.fields {
		if _, ok := fields[name]; !ok {
			_ = m.WriteField(name, f.fields.Get(name))
		}
	}
	for name, value := range fields {
		_ = m.WriteField(name, value)
	}
	part, _ := m.CreateFormFile("file", "items.jsonl")
	_, _ = part.Write([]byte(file))
	_ = m.Close()
	r := httptest.NewRequest(http.MethodPost, f.action, &body)
	r.RemoteAddr, r.Host = "127.0.0.1:40000", "localhost:8000"
	r.Header.Set("Content-Type", m.FormDataContentType())
	return answer(s.page, r).Body.String()
}

// TestTransfer: exported items can be imported, and are the same afterwards.
func TestTransfer(t *testing.T) {
	s := newSite(t, page.Options{})
	s.things()
	s.says(s.imports(nil, exported), "3 items read, 3 stored. It cost 3 write units.")
	export := s.get(page.Path+"tables/things/export", 200)
	lines := func(text string) []string {
		all := strings.Split(strings.TrimSpace(text), "\n")
		for i, l := range all {
			all[i] = canonicalJSON(t, l)
		}
		slices.Sort(all)
		return all
	}
	if !slices.Equal(lines(export), lines(exported)) {
		t.Errorf("exported\n%s\nwant\n%s", export, exported)
	}
	w := answer(s.page, request("GET", page.Path+"tables/things/export"))
	if w.Header().Get("Content-Disposition") != `attachment; filename="things.jsonl"` {
		t.Errorf("headers %v", w.Header())
	}
	if got := s.get(s.linkOf(s.get(target("tables/things/items", "p0", "c"), 200), "Export what this search finds"), 200); got != "{\"Item\":{\"id\":{\"S\":\"c\"},\"s\":{\"SS\":[\"x\",\"y\"]}}}\n" {
		t.Errorf("of a search %q", got)
	}

	const other = `{"Item":{"id":{"S":"c"},"n":{"N":"1"}}}` + "\r\n\n" + `{"Item":{"id":{"S":"d"}}}`
	s.says(s.imports(map[string]string{"text": other}, ""), "2 items read, 1 stored, 1 left as they were")
	if got := s.stored(`{"id":{"S":"c"}}`); !strings.Contains(got, `"SS"`) {
		t.Errorf("an item was replaced: %s", got)
	}
	s.says(s.imports(map[string]string{"text": other, "replace": "1"}, ""), "2 items read, 2 stored.")
	if got := s.stored(`{"id":{"S":"c"}}`); got != canonicalJSON(t, `{"id":{"S":"c"},"n":{"N":"1"}}`) {
		t.Errorf("the item is %s", got)
	}

	body := s.imports(nil, `{"Item":{"id":{"S":"e"}}}
{"id":{"S":"f"}}
not JSON
{"Item":{"id":{"N":"1"},"n":{"N":1}}}
{"Item":{"id":{"N":"1"}}}
{"Item":{"id":{"S":"e"}}}
{"Item":{"x":{"S":"e"},"x":{"S":"f"}}}
{"Item":{"id":{"S":"g"}},"Item":{"id":{"S":"h"}}}
{"Item":{"id":{"S":"g"},"n":`+strings.Repeat(`{"L":[`, 60)+strings.Repeat(`]}`, 60)+`}}`)
	s.says(body, "nothing was stored:", `line 2: a line is {"Item": {...}}`, "line 3: a line is", `line 4: "n": the value of N is a text in quotes`, "line 5: id: the attribute of the key has the type N",
		"line 6: its key is that of line 1", `line 7: "x" is there twice`, `line 8: a line is {"Item": {...}}`, "line 9: it is nested too deeply")
	if got := s.stored(`{"id":{"S":"e"}}`); got != "" {
		t.Errorf("a line of a refused file is stored: %s", got)
	}
	s.says(s.imports(nil, "\n\n"), "there is no item in it")
	s.says(s.imports(nil, `{"Item":{"id":{"S":"h"},"n":{"N":"1e999"}}}`+"\n"+`{"Item":{"id":{"S":"i"}}}`), "2 items read, 1 stored", "line 1: PutItem was refused: ValidationException")
	s.says(s.imports(map[string]string{"text": other}, exported), "there is a file and a text")
}
