// SPDX-License-Identifier: Apache-2.0

package page_test

import (
	"encoding/json"
	"html"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"go.uber.org/goleak"

	"github.com/dynamotable/ddb/cmd/ddblocal/internal/page"
	"github.com/dynamotable/ddb/ddbtest"
	"github.com/dynamotable/ddb/internal/longtest"
)

func TestMain(m *testing.M) {
	longtest.CollectLess()
	goleak.VerifyTestMain(m)
}

type attrs = map[string]types.AttributeValue

type (
	boolean = types.AttributeValueMemberBOOL
	mapping = types.AttributeValueMemberM
)

func str(s string) types.AttributeValue { return &types.AttributeValueMemberS{Value: s} }
func num(n string) types.AttributeValue { return &types.AttributeValueMemberN{Value: n} }
func bin(b string) types.AttributeValue { return &types.AttributeValueMemberB{Value: []byte(b)} }

// site is a page with its own engine.
type site struct {
	t      *testing.T
	engine *ddbtest.Engine
	client *dynamodb.Client
	page   http.Handler
}

func newSite(t *testing.T, options page.Options) *site {
	t.Helper()
	e := ddbtest.NewEngine()
	t.Cleanup(e.Close)
	options.Engine = e
	return &site{t: t, engine: e, client: e.Client(), page: page.New(options)}
}

// definition reads attributes such as "customer S".
func definition(list ...string) (all []types.AttributeDefinition) {
	for _, d := range list {
		name, kind, _ := strings.Cut(d, " ")
		all = append(all, types.AttributeDefinition{AttributeName: &name, AttributeType: types.ScalarAttributeType(kind)})
	}
	return all
}

// keys reads a key schema: names of the partition key, a comma, names of the sort key.
func keys(text string) (all []types.KeySchemaElement) {
	partition, sort, _ := strings.Cut(text, ",")
	words := func(text string) []string { return strings.FieldsFunc(text, func(c rune) bool { return c == ' ' }) }
	for _, name := range words(partition) {
		all = append(all, types.KeySchemaElement{AttributeName: &name, KeyType: types.KeyTypeHash})
	}
	for _, name := range words(sort) {
		all = append(all, types.KeySchemaElement{AttributeName: &name, KeyType: types.KeyTypeRange})
	}
	return all
}

func global(name, key string) types.GlobalSecondaryIndex {
	return types.GlobalSecondaryIndex{IndexName: &name, KeySchema: keys(key), Projection: &types.Projection{ProjectionType: types.ProjectionTypeAll}}
}

// shop creates a table with all kinds of indexes and some orders of two customers.
func (s *site) shop() {
	s.t.Helper()
	s.create(&dynamodb.CreateTableInput{
		TableName: aws.String("orders"), AttributeDefinitions: definition("customer S", "id S", "status S", "placed N", "total N", "country S", "city S", "day N"), KeySchema: keys("customer, id"),
		GlobalSecondaryIndexes: []types.GlobalSecondaryIndex{global("by-status", "status, placed"), global("by-place", "country city, day total"), global("by-day", "day")},
		LocalSecondaryIndexes:  []types.LocalSecondaryIndex{{IndexName: aws.String("by-total"), KeySchema: keys("customer, total"), Projection: &types.Projection{ProjectionType: types.ProjectionTypeAll}}},
		StreamSpecification:    &types.StreamSpecification{StreamEnabled: aws.Bool(true), StreamViewType: types.StreamViewTypeNewAndOldImages},
	})
	for _, o := range []attrs{
		{"customer": str("c1"), "id": str("2026-1"), "status": str("open"), "placed": num("10"), "total": num("100"), "country": str("NL"), "city": str("Delft"), "day": num("1")},
		{"customer": str("c1"), "id": str("2026-2"), "status": str("paid"), "placed": num("20"), "total": num("50"), "country": str("NL"), "city": str("Delft"), "day": num("2")},
		{"customer": str("c1"), "id": str("2027-1"), "status": str("open"), "placed": num("30"), "total": num("7"), "country": str("NL"), "city": str("Leiden"), "day": num("1")},
		{"customer": str("c2"), "id": str("2026-1"), "status": str("open"), "placed": num("40")},
	} {
		s.put("orders", o)
	}
}

// simpleTable creates a table with a number as its key, and no sort key.
func simpleTable() *dynamodb.CreateTableInput {
	return &dynamodb.CreateTableInput{TableName: aws.String("sessions"), AttributeDefinitions: definition("customer N"), KeySchema: keys("customer")}
}

func (s *site) create(in *dynamodb.CreateTableInput) {
	s.t.Helper()
	in.BillingMode = types.BillingModePayPerRequest
	if _, err := s.client.CreateTable(s.t.Context(), in); err != nil {
		s.t.Fatal(err)
	}
}

func (s *site) put(table string, item attrs) {
	s.t.Helper()
	if _, err := s.client.PutItem(s.t.Context(), &dynamodb.PutItemInput{TableName: &table, Item: item}); err != nil {
		s.t.Fatal(err)
	}
}

// request returns a request of a browser on this machine.
func request(method, target string) *http.Request {
	r := httptest.NewRequest(method, target, http.NoBody)
	r.RemoteAddr, r.Host = "127.0.0.1:40000", "localhost:8000"
	return r
}

func answer(h http.Handler, r *http.Request) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

// get returns a view, which must have the status.
func (s *site) get(target string, status int) string {
	s.t.Helper()
	w := answer(s.page, request("GET", target))
	if w.Code != status {
		s.t.Fatalf("GET %s: status %d, want %d\n%s", target, w.Code, status, textOf(w.Body.String()))
	}
	return w.Body.String()
}

// target returns a path of the page with parameters.
func target(path string, params ...string) string {
	q := make(url.Values)
	for i := 0; i+1 < len(params); i += 2 {
		q.Add(params[i], params[i+1])
	}
	return page.Path + path + "?" + q.Encode()
}

var (
	tags   = regexp.MustCompile(`(?s)<style>.*?</style>|<[^>]*>`)
	spaces = regexp.MustCompile(`\s+`)
)

// textOf returns the text of a view, without markup.
func textOf(body string) string {
	return strings.TrimSpace(spaces.ReplaceAllString(html.UnescapeString(tags.ReplaceAllString(body, " ")), " "))
}

func (s *site) says(body string, parts ...string) {
	s.t.Helper()
	text := textOf(body)
	for _, part := range parts {
		if !strings.Contains(text, part) {
			s.t.Errorf("the view does not say %q:\n%s", part, text)
		}
	}
}

// linkOf returns the target of the first link with a text.
func (s *site) linkOf(body, text string) string {
	s.t.Helper()
	found := regexp.MustCompile(`<a[^>]* href="([^"]*)"[^>]*>` + regexp.QuoteMeta(html.EscapeString(text)) + `</a>|<a href="([^"]*)"[^>]*>` + regexp.QuoteMeta(text) + `</a>`).FindStringSubmatch(body)
	if found == nil {
		s.t.Fatalf("there is no link %q:\n%s", text, textOf(body))
	}
	return html.UnescapeString(found[1] + found[2])
}

// rows returns the items that a view shows, each with its cells.
func rows(body string) (all [][]string) {
	tables := regexp.MustCompile(`(?s)<table class="items">.*?</table>`).FindString(body)
	for _, row := range regexp.MustCompile(`(?s)<tr>.*?</tr>`).FindAllString(tables, -1)[1:] {
		var cells []string
		for _, c := range regexp.MustCompile(`(?s)<td>(.*?)</td>`).FindAllStringSubmatch(row, -1) {
			cells = append(cells, textOf(c[1]))
		}
		all = append(all, cells)
	}
	return all
}

func TestTables(t *testing.T) {
	s := newSite(t, page.Options{})
	s.says(s.get(page.Path, 200), "There are no tables.")
	s.shop()
	body := s.get(page.Path, 200)
	s.says(body, "orders customer (S), sorted by id (S) 4", "by-status, by-place, by-day, by-total", "NEW_AND_OLD_IMAGES", "ACTIVE")
	if got := s.linkOf(body, "orders"); got != page.Path+"tables/orders/items" {
		t.Errorf("the table's link is %s", got)
	}
	s.says(s.get(page.Path+"tables/orders", 200), "Billing on demand", "by-place global country (S) + city (S), sorted by day (N) + total (N)",
		"by-total local customer (S), sorted by total (N)", "aws dynamodb describe-table --endpoint-url http://localhost:8000 \\ --table-name orders")
	s.says(s.get(page.Path+"tables/none", 404), "ResourceNotFoundException")
	s.says(s.get(page.Path+"elsewhere", 404), "there is no such view")
	if w := answer(s.page, request("GET", "/_ddb")); w.Code != 301 || w.Header().Get("Location") != page.Path {
		t.Errorf("/_ddb: status %d to %q", w.Code, w.Header().Get("Location"))
	}
}

// TestAccess: only browsers on this machine that use a name of this machine can use the page, unless a flag allows more.
func TestAccess(t *testing.T) {
	local, public := newSite(t, page.Options{}), newSite(t, page.Options{Public: true, Hosts: []string{"box.example"}})
	const here, there = "127.0.0.1:40000", "192.0.2.7:40000"
	for _, c := range []struct {
		host, from    string
		local, public bool
	}{
		{"localhost:8000", here, true, true},
		{"127.0.0.1:8000", here, true, true},
		{"127.0.0.2", here, true, true},
		{"[::1]:8000", "[::1]:40000", true, true},
		{"LOCALHOST.:8000", here, true, true},
		{"ddb.localhost:8000", here, true, true},
		{"rebound.example:8000", here, false, false},
		{"127.0.0.1.rebound.example", here, false, false},
		{"localhost.rebound.example", here, false, false},
		{"notlocalhost", here, false, false},
		{"", here, false, false},
		{"192.0.2.1:8000", here, false, true},
		{"box.example:8000", here, false, true},
		{"localhost:8000", there, false, true},
		{"127.0.0.1:8000", there, false, true},
		{"192.0.2.1:8000", there, false, true},
		{"box.example", there, false, true},
		{"rebound.example", there, false, false},
		{"localhost:8000", "@", false, true},
	} {
		for name, one := range map[string]struct {
			site    *site
			allowed bool
		}{"local": {local, c.local}, "public": {public, c.public}} {
			r := request("GET", page.Path)
			r.Host, r.RemoteAddr = c.host, c.from
			if w := answer(one.site.page, r); (w.Code == 200) != one.allowed || !one.allowed && w.Code != 403 {
				t.Errorf("%s: host %q from %s: status %d, want allowed %v", name, c.host, c.from, w.Code, one.allowed)
			}
		}
	}
}

// TestOtherSites: pages of other sites can link to a view, and can do nothing else.
func TestOtherSites(t *testing.T) {
	s := newSite(t, page.Options{})
	for _, c := range []struct {
		method, site, mode, origin string
		status                     int
	}{
		{"GET", "", "", "", 200},
		{"HEAD", "", "", "", 200},
		{"GET", "none", "navigate", "", 200},
		{"GET", "same-origin", "navigate", "", 200},
		{"GET", "cross-site", "navigate", "", 200},
		{"GET", "cross-site", "no-cors", "", 403},
		{"GET", "cross-site", "cors", "https://a.example", 403},
		{"GET", "same-site", "no-cors", "", 403}, // a page of another port of this machine
		{"POST", "cross-site", "navigate", "https://a.example", 403},
		{"POST", "same-site", "navigate", "http://localhost:3000", 403},
		{"POST", "", "", "http://localhost:3000", 403},
		{"POST", "", "", "null", 403},
		{"PUT", "", "", "", 405},
		{"DELETE", "same-origin", "cors", "", 405},
		{"OPTIONS", "", "", "https://a.example", 405},
	} {
		r := request(c.method, page.Path)
		for name, value := range map[string]string{"Sec-Fetch-Site": c.site, "Sec-Fetch-Mode": c.mode, "Origin": c.origin} {
			if value != "" {
				r.Header.Set(name, value)
			}
		}
		w := answer(s.page, r)
		if w.Code != c.status {
			t.Errorf("%s, %s, %s, from %q: status %d, want %d", c.method, c.site, c.mode, c.origin, w.Code, c.status)
		}
		h := w.Header()
		if h.Get("Access-Control-Allow-Origin") != "" {
			t.Errorf("%s from %q: other sites may read it", c.method, c.origin)
		}
		if !strings.Contains(h.Get("Content-Security-Policy"), "frame-ancestors 'none'") || h.Get("X-Frame-Options") != "DENY" || h.Get("X-Content-Type-Options") != "nosniff" ||
			h.Get("Cross-Origin-Resource-Policy") != "same-origin" || h.Get("Cache-Control") != "no-store" {
			t.Errorf("%s: headers %v", c.method, h)
		}
	}
}

// TestPageLoadsNothing: the page runs no script and loads nothing.
func TestPageLoadsNothing(t *testing.T) {
	s := newSite(t, page.Options{})
	s.shop()
	w := answer(s.page, request("GET", page.Path+"tables/orders/items"))
	policy := w.Header().Get("Content-Security-Policy")
	for _, want := range []string{"default-src 'none'", "style-src 'sha256-", "form-action 'self'", "base-uri 'none'"} {
		if !strings.Contains(policy, want) {
			t.Errorf("the policy lacks %q: %s", want, policy)
		}
	}
	if strings.Contains(policy, "unsafe") || strings.Contains(policy, "script-src") {
		t.Errorf("policy: %s", policy)
	}
	for _, part := range []string{"<script", " style=", " onclick", "@import", "url(", "src=", "//cdn"} {
		if strings.Contains(w.Body.String(), part) {
			t.Errorf("the page holds %q", part)
		}
	}
}

const hostile = `<script>alert(1)</script>"'><img src=x onerror=alert(2)>{{.}}</style>&amp;` + "\u2028\\"

// TestHostileTexts: names and values are shown as text, whatever they contain.
func TestHostileTexts(t *testing.T) {
	s := newSite(t, page.Options{})
	s.create(&dynamodb.CreateTableInput{TableName: aws.String("odd"), AttributeDefinitions: definition(strings.ReplaceAll(hostile, " ", "")+" S", "v S"), KeySchema: keys(strings.ReplaceAll(hostile, " ", "")),
		GlobalSecondaryIndexes: []types.GlobalSecondaryIndex{global("by-v", "v")}})
	key := strings.ReplaceAll(hostile, " ", "")
	s.put("odd", attrs{key: str(hostile), "v": str(hostile), hostile: &types.AttributeValueMemberM{Value: attrs{hostile: str(hostile)}}})
	body := s.get(target("tables/odd/items", "p0", hostile, "f0", `"v"`, "fv0", hostile), 200)
	if got := rows(body); len(got) != 1 || got[0][1] != "S "+textOf(html.EscapeString(hostile)) {
		t.Errorf("rows %q", got)
	}
	item := s.linkOf(body, "Open")
	for _, at := range []string{page.Path, page.Path + "tables/odd", target("tables/odd/items", "p0", hostile), item, target("tables/odd/items", "index", hostile), target("tables/odd/items", "after", hostile),
		target("tables/odd/item", "key", hostile), target("tables/odd/items", "op", hostile, "limit", hostile, "f0", hostile, "fop0", hostile, "ft0", hostile)} {
		body := answer(s.page, request("GET", at)).Body.String()
		if strings.Contains(body, "<script") || strings.Contains(body, "<img") || strings.Count(body, "</style>") != 1 {
			t.Errorf("%s: a text became markup:\n%s", at, body)
		}
	}
	s.says(s.get(item, 200), textOf(html.EscapeString(hostile)))
}

// send sends a request as JSON.
func (s *site) send(operation, body string, reply any) {
	s.t.Helper()
	r := httptest.NewRequestWithContext(s.t.Context(), http.MethodPost, "http://ddblocal.invalid/", strings.NewReader(body))
	r.Header.Set("Content-Type", "application/x-amz-json-1.0")
	r.Header.Set("X-Amz-Target", "DynamoDB_20120810."+operation)
	r.Header.Set("X-Amz-Date", "20260101T000000Z")
	r.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=a/20260101/us-east-1/dynamodb/aws4_request, SignedHeaders=host, Signature=0")
	w := answer(s.engine.Handler(), r)
	if w.Code != http.StatusOK {
		s.t.Fatalf("%s: %s", operation, w.Body)
	}
	if reply != nil {
		if err := json.Unmarshal(w.Body.Bytes(), reply); err != nil {
			s.t.Fatal(err)
		}
	}
}
