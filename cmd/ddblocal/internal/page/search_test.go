// SPDX-License-Identifier: Apache-2.0

package page_test

import (
	"encoding/json"
	"html"
	"net/url"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/dynamotable/ddb/cmd/ddblocal/internal/page"
)

// shown returns the texts of a view's request under the headings Request, AWS CLI and Go.
func shown(t *testing.T, body, heading string) string {
	t.Helper()
	found := regexp.MustCompile(`(?s)<summary>` + heading + `</summary>(?:<p class="note">[^<]*</p>)?<pre>(.*?)</pre>`).FindStringSubmatch(body)
	if found == nil {
		t.Fatalf("there is no %q in\n%s", heading, textOf(body))
	}
	return html.UnescapeString(found[1])
}

// ids returns the orders of a view, each as customer and id.
func ids(t *testing.T, body string) (all []string) {
	t.Helper()
	head := regexp.MustCompile(`(?s)<table class="items">.*?</thead>`).FindString(body)
	var names []string
	for _, h := range regexp.MustCompile(`(?s)<th[^>]*>(.*?)</th>`).FindAllStringSubmatch(head, -1) {
		names = append(names, textOf(h[1]))
	}
	for _, row := range rows(body) {
		all = append(all, row[slices.Index(names, "customer")][2:]+" "+strings.TrimPrefix(row[slices.Index(names, "id")], "S "))
	}
	return all
}

func TestSearch(t *testing.T) {
	s := newSite(t, page.Options{})
	s.shop()
	for _, c := range []struct {
		params    []string
		want      string // ids
		operation string
		says      string
	}{
		{nil, "c1 2026-1, c1 2026-2, c1 2027-1, c2 2026-1", "Scan", "4 returned of 4 scanned, 0.5 read units"},
		{[]string{"p0", "c1"}, "c1 2026-1, c1 2026-2, c1 2027-1", "Query", "3 returned of 3 scanned, 0.5 read units"},
		{[]string{"p0", "c1", "consistent", "1"}, "c1 2026-1, c1 2026-2, c1 2027-1", "Query", "3 returned of 3 scanned, 1 read unit"},
		{[]string{"p0", "c1", "desc", "1"}, "c1 2027-1, c1 2026-2, c1 2026-1", "Query", ""},
		{[]string{"p0", "c1", "s0", "2026-2"}, "c1 2026-2", "Query", ""},
		{[]string{"p0", "c1", "s0", "2026-", "op", "begins_with"}, "c1 2026-1, c1 2026-2", "Query", ""},
		{[]string{"p0", "c1", "s0", "2026-2", "op", ">="}, "c1 2026-2, c1 2027-1", "Query", ""},
		{[]string{"p0", "c1", "s0", "2026-2", "op", ">"}, "c1 2027-1", "Query", ""},
		{[]string{"p0", "c1", "s0", "2026-2", "op", "<"}, "c1 2026-1", "Query", ""},
		{[]string{"p0", "c1", "s0", "2026-2", "op", "<="}, "c1 2026-1, c1 2026-2", "Query", ""},
		{[]string{"p0", "c1", "s0", "2026-2", "op", "between", "to", "2027-1"}, "c1 2026-2, c1 2027-1", "Query", ""},
		{[]string{"index", "by-status", "p0", "open"}, "c1 2026-1, c1 2027-1, c2 2026-1", "Query", ""},
		{[]string{"index", "by-status", "p0", "open", "s0", "3e1", "op", ">="}, "c1 2027-1, c2 2026-1", "Query", ""},
		{[]string{"index", "by-status"}, "c1 2026-1, c1 2027-1, c2 2026-1, c1 2026-2", "Scan", ""},
		{[]string{"index", "by-total", "p0", "c1"}, "c1 2027-1, c1 2026-2, c1 2026-1", "Query", ""},
		{[]string{"index", "by-total", "p0", "c1", "consistent", "1", "s0", "60", "op", "<"}, "c1 2027-1, c1 2026-2", "Query", ""},
		{[]string{"index", "by-place", "p0", "NL", "p1", "Delft"}, "c1 2026-1, c1 2026-2", "Query", ""},
		{[]string{"index", "by-place", "p0", "NL", "p1", "Delft", "s0", "2"}, "c1 2026-2", "Query", ""},
		{[]string{"index", "by-place", "p0", "NL", "p1", "Delft", "s0", "1", "s1", "100", "op", ">="}, "c1 2026-1", "Query", ""},
		{[]string{"index", "by-day", "p0", "1"}, "c1 2026-1, c1 2027-1", "Query", ""},
		{[]string{"f0", "status", "fv0", "paid"}, "c1 2026-2", "Scan", "It read 4 items to show 1: what a filter drops is billed, too."},
		{[]string{"f0", "total", "fop0", ">=", "ft0", "N", "fv0", "50", "f1", "day", "fop1", "=", "ft1", "N", "fv1", "1"}, "c1 2026-1", "Scan", ""},
		{[]string{"f0", "total", "fop0", "between", "ft0", "N", "fv0", "7", "fto0", "50"}, "c1 2026-2, c1 2027-1", "Scan", ""},
		{[]string{"f0", "total", "fop0", "attribute_not_exists"}, "c2 2026-1", "Scan", ""},
		{[]string{"f0", "total", "fop0", "attribute_type", "fv0", "N"}, "c1 2026-1, c1 2026-2, c1 2027-1", "Scan", ""},
		{[]string{"f0", "city", "fop0", "contains", "fv0", "elf"}, "c1 2026-1, c1 2026-2", "Scan", ""},
		{[]string{"f0", "city", "fop0", "not contains", "fv0", "elf"}, "c1 2027-1, c2 2026-1", "Scan", ""},
		{[]string{"p0", "none"}, "", "Query", "No items."},
	} {
		body := s.get(target("tables/orders/items", c.params...), 200)
		got := ids(t, body)
		if s.operationOf(body) == "Scan" {
			slices.Sort(got) // a scan has no order
		}
		want := strings.Split(c.want, ", ")
		if c.operation == "Scan" {
			slices.Sort(want)
		}
		if strings.Join(got, ", ") != strings.Join(want, ", ") || s.operationOf(body) != c.operation {
			t.Errorf("%q: %s of %q, want %s of %q", c.params, s.operationOf(body), got, c.operation, c.want)
		}
		if c.says != "" {
			s.says(body, c.says)
		}
		s.isTheRequest(body, want)
	}
}

func (s *site) operationOf(body string) string {
	s.t.Helper()
	found := regexp.MustCompile(`aria-label="Request">\s*<h2>(\w+)</h2>`).FindStringSubmatch(body)
	if found == nil {
		s.t.Fatalf("no request in\n%s", textOf(body))
	}
	return found[1]
}

// isTheRequest sends the request that a view shows, and compares the orders. Then it checks that the command for the AWS
// CLI, parsed by a shell, is the same request.
func (s *site) isTheRequest(body string, want []string) {
	s.t.Helper()
	text := shown(s.t, body, "Request")
	var reply struct {
		Items []struct{ Customer, ID struct{ S string } }
	}
	s.send(s.operationOf(body), text, &reply)
	var got []string
	for _, i := range reply.Items {
		got = append(got, i.Customer.S+" "+i.ID.S)
	}
	if s.operationOf(body) == "Scan" {
		slices.Sort(got)
	}
	if strings.Join(got, ", ") != strings.Join(want, ", ") {
		s.t.Errorf("the request finds %q, want %q:\n%s", got, want, text)
	}
	if fromShell := s.shell(shown(s.t, body, "AWS CLI")); fromShell != canonicalJSON(s.t, text) {
		s.t.Errorf("the command means\n%s\nthe request is\n%s", fromShell, canonicalJSON(s.t, text))
	}
}

// shell runs a command with a function in place of the AWS CLI, and turns its options into a request.
func (s *site) shell(command string) string {
	s.t.Helper()
	out, err := exec.CommandContext(s.t.Context(), "sh", "-c", `aws() { for word in "$@"; do printf '%s\0' "$word"; done; }
`+command).Output()
	if err != nil {
		s.t.Fatalf("%v:\n%s", err, command)
	}
	words := strings.Split(strings.TrimSuffix(string(out), "\x00"), "\x00")
	if words[0] != "dynamodb" || words[2] != "--endpoint-url" || words[3] != "http://localhost:8000" {
		s.t.Errorf("the command begins with %q", words[:4])
	}
	in := make(map[string]any)
	for i := 4; i < len(words); i++ {
		name := ""
		for part := range strings.SplitSeq(strings.TrimPrefix(words[i], "--"), "-") {
			name += strings.ToUpper(part[:1]) + part[1:]
		}
		switch {
		case name == "NoPaginate":
		case name == "CliBinaryFormat":
			i++
		case strings.HasPrefix(name, "No"):
			in[strings.TrimPrefix(name, "No")] = false
		case i+1 == len(words) || strings.HasPrefix(words[i+1], "--"):
			in[name] = true
		default:
			i++
			in[name] = words[i]
			if name == "Limit" || strings.HasPrefix(words[i], "{") {
				in[name] = json.RawMessage(words[i])
			}
		}
	}
	data, err := json.Marshal(in)
	if err != nil {
		s.t.Fatal(err)
	}
	return canonicalJSON(s.t, string(data))
}

func canonicalJSON(t *testing.T, text string) string {
	t.Helper()
	var v any
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	data, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// TestQuotedForTheShell: hostile keys and names reach the AWS CLI unchanged.
func TestQuotedForTheShell(t *testing.T) {
	s := newSite(t, page.Options{})
	s.shop()
	for _, text := range []string{`'; echo "$HOME" #`, "`id`$(id)\\\n'", "a\tb", "~/x*", `\'`, "-x"} {
		body := s.get(target("tables/orders/items", "p0", text, "f0", `"`+strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`, "\t", `\t`).Replace(text)+`"`, "fv0", text), 200)
		if got, want := s.shell(shown(t, body, "AWS CLI")), canonicalJSON(t, shown(t, body, "Request")); got != want || !strings.Contains(want, canonicalJSON(t, quoteJSON(t, text))) {
			t.Errorf("%q: the command means\n%s\nwant\n%s", text, got, want)
		}
	}
}

func quoteJSON(t *testing.T, text string) string {
	t.Helper()
	data, err := json.Marshal(text)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// TestPages: the cursor is in the URL, and following it shows every item once.
func TestPages(t *testing.T) {
	s := newSite(t, page.Options{})
	s.shop()
	for _, params := range [][]string{{"limit", "1"}, {"limit", "2", "p0", "c1"}, {"limit", "1", "index", "by-status", "p0", "open"}, {"limit", "1", "index", "by-place"}, {"limit", "3", "f0", "status", "fv0", "open"}} {
		whole := ids(t, s.get(target("tables/orders/items", append(params, "limit", "0")[2:]...), 200))
		var got []string
		at := target("tables/orders/items", params...)
		for range 6 {
			body := s.get(at, 200)
			got = append(got, ids(t, body)...)
			if !strings.Contains(body, `rel="next"`) {
				at = ""
				break
			}
			at = s.linkOf(body, "Next items")
		}
		if at != "" || !slices.Equal(got, whole) || len(whole) < 3 {
			t.Errorf("%q: pages show %q, without a limit %q", params, got, whole)
		}
	}
}

// TestRefusedSearches: all errors of a search are named, and nothing is sent.
func TestRefusedSearches(t *testing.T) {
	s := newSite(t, page.Options{})
	s.shop()
	for _, c := range []struct {
		params []string
		says   []string
	}{
		{[]string{"index", "none"}, []string{`the table has no index "none"`}},
		{[]string{"index", "by-place", "p0", "NL"}, []string{"city: a query gives all attributes of the partition key"}},
		{[]string{"index", "by-place", "p0", "NL", "p1", "x", "s1", "5"}, []string{"day: the attributes of the sort key before the last"}},
		{[]string{"index", "by-day", "p0", "one", "consistent", "1", "limit", "-1"}, []string{`"one" is no number`, "no consistent reads", `"-1" is no number of items`}},
		{[]string{"index", "by-status", "p0", "open", "s0", "1", "op", "begins_with"}, []string{"a number has no beginning"}},
		{[]string{"p0", "c1", "s0", "x", "op", "between"}, []string{"between needs a second value"}},
		{[]string{"p0", "c1", "s0", "x", "op", "contains"}, []string{`"contains" is no condition on a sort key`}},
		{[]string{"s0", "x"}, []string{"a condition on the sort key needs the partition key"}},
		{[]string{"desc", "1"}, []string{"a scan has no order"}},
		{[]string{"p0", "c1", "f0", "id", "fv0", "x"}, []string{"filter on id: it is part of the key"}},
		{[]string{"f0", "a..b", "fv0", "x", "f1", "n", "ft1", "N", "fv1", "x"}, []string{`"a..b" is not a path`, `filter on n: "x" is no number`}},
		{[]string{"f0", "a", "ft0", "B", "fv0", "%"}, []string{"is no base64"}},
		{[]string{"f0", "a", "fop0", "like", "fv0", "x"}, []string{`"like" is no condition`}},
		{[]string{"after", `{"customer":{"S":"a"},"customer":{"S":"b"}}`}, []string{`the cursor: "customer" is there twice`}},
	} {
		body := s.get(target("tables/orders/items", c.params...), 400)
		s.says(body, c.says...)
		if strings.Contains(body, `aria-label="Request"`) {
			t.Errorf("%q: a request was sent", c.params)
		}
	}
	// Errors that only the engine can find are in its answer.
	s.says(s.get(target("tables/orders/items", "after", `{"customer":{"S":"a"}}`), 400), "Scan was refused: ValidationException")
}

// TestValuesAsStored: a view of an item shows each value as the engine has it, numbers to the last digit.
func TestValuesAsStored(t *testing.T) {
	s := newSite(t, page.Options{})
	s.create(&dynamodb.CreateTableInput{TableName: aws.String("things"), AttributeDefinitions: definition("k B", "n N"), KeySchema: keys("k, n")})
	const item = `{
  "k": {"B":"AP8="},
  "n": {"N":"12345678901234567890123456789012345678"},
  "b": {"B":"aGk="},
  "flag": {"BOOL":false},
  "list": {"L":[{"N":"0.1"},{"M":{"x":{"SS":["a","b"]}}}]},
  "none": {"NULL":true},
  "numbers": {"NS":["1E-130","0.3","9007199254740993"]},
  "text": {"S":"  two\nlines \"quoted\" ü 𝄞 "}
}`
	s.send("PutItem", `{"TableName":"things","Item":`+item+`}`, nil)
	body := s.get(s.linkOf(s.get(target("tables/things/items"), 200), "Open"), 200)
	stored := html.UnescapeString(regexp.MustCompile(`(?s)<pre id="stored">(.*?)</pre>`).FindStringSubmatch(body)[1])
	var reply struct{ Item json.RawMessage }
	s.send("GetItem", `{"TableName":"things","Key":{"k":{"B":"AP8="},"n":{"N":"12345678901234567890123456789012345678"}}}`, &reply)
	if canonicalJSON(t, stored) != canonicalJSON(t, string(reply.Item)) {
		t.Errorf("shown\n%s\nstored\n%s", stored, reply.Item)
	}
	s.says(body, "12345678901234567890123456789012345678", "9007199254740993", "AP8=")
	if u, err := url.Parse(s.linkOf(s.get(target("tables/things/items"), 200), "Open")); err != nil || u.Query().Get("key") != `{"k":{"B":"AP8="},"n":{"N":"12345678901234567890123456789012345678"}}` {
		t.Errorf("the link is %v: %v", u, err)
	}
	s.says(s.get(target("tables/things/item", "key", `{"k":{"S":"x"},"x":1}`), 400), "a value is an object of one type")
	s.says(s.get(target("tables/things/item", "key", `{"k":{"S":"x"}}`), 400), "the attribute of the key has the type S, the table defines B", "n: the attribute of the key is missing")
	s.says(s.get(target("tables/things/item", "key", `{"k":{"B":"AA=="},"n":{"N":"1"}}`), 404), "there is no item with this key")
}
