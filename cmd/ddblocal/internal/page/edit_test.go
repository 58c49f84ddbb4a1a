// SPDX-License-Identifier: Apache-2.0

package page_test

import (
	"encoding/json"
	"fmt"
	"html"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/dynamotable/ddb/cmd/ddblocal/internal/page"
)

// form is a form of a view: its action and its fields.
type form struct {
	action string
	fields url.Values
}

// forms reads the forms of a view as a browser does.
func (s *site) form(body, label string) form {
	s.t.Helper()
	for _, text := range regexp.MustCompile(`(?s)<form [^>]*>.*?</form>`).FindAllString(body, -1) {
		if head, _, _ := strings.Cut(text, ">"); !strings.Contains(head, `aria-label="`+label+`"`) {
			continue
		}
		f := form{html.UnescapeString(regexp.MustCompile(`action="([^"]*)"`).FindStringSubmatch(text)[1]), make(url.Values)}
		for _, in := range regexp.MustCompile(`<input type="hidden" name="([^"]*)" value="([^"]*)">`).FindAllStringSubmatch(text, -1) {
			f.fields.Add(in[1], html.UnescapeString(in[2]))
		}
		for _, area := range regexp.MustCompile(`(?s)<textarea [^>]*name="([^"]*)"[^>]*>\n?(.*?)</textarea>`).FindAllStringSubmatch(text, -1) {
			f.fields.Add(area[1], strings.ReplaceAll(html.UnescapeString(area[2]), "\n", "\r\n"))
		}
		return f
	}
	s.t.Fatalf("there is no form %q:\n%s", label, textOf(body))
	return form{}
}

// post sends a form.
func (s *site) post(f form) *httptest.ResponseRecorder {
	s.t.Helper()
	r := request("POST", f.action)
	r.Body = io.NopCloser(strings.NewReader(f.fields.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Origin", "http://localhost:8000")
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	return answer(s.page, r)
}

func (s *site) posts(f form, status int) string {
	s.t.Helper()
	w := s.post(f)
	if w.Code != status {
		s.t.Fatalf("POST %s: status %d, want %d\n%s", f.action, w.Code, status, textOf(w.Body.String()))
	}
	return w.Body.String()
}

// follow sends a form whose answer is a redirect, and returns the view of the redirect.
func (s *site) follow(f form) string {
	s.t.Helper()
	w := s.post(f)
	if w.Code != http.StatusSeeOther {
		s.t.Fatalf("POST %s: status %d\n%s", f.action, w.Code, textOf(w.Body.String()))
	}
	return s.get(w.Header().Get("Location"), 200)
}

// stored returns an item of table things as the engine has it, in canonical JSON.
func (s *site) stored(key string) string {
	s.t.Helper()
	var reply struct{ Item json.RawMessage }
	s.send("GetItem", `{"TableName":"things","Key":`+key+`}`, &reply)
	if reply.Item == nil {
		return ""
	}
	return canonicalJSON(s.t, string(reply.Item))
}

func (s *site) things() {
	s.create(&dynamodb.CreateTableInput{TableName: aws.String("things"), AttributeDefinitions: definition("id S"), KeySchema: keys("id")})
}

const (
	aKey   = `{"id":{"S":"a"}}`
	aQuery = page.Path + `tables/things/edit?key=%7B%22id%22%3A%7B%22S%22%3A%22a%22%7D%7D`
)

// TestRoundTrip: a form does not change values of any type, and accepts them.
func TestRoundTrip(t *testing.T) {
	for _, value := range []string{
		`{"S":""}`, `{"S":"two\nlines\r\nand \"quotes\" </textarea><b> & \\ \u0000\u2028 ü 𝄞"}`, `{"S":"\n{}"}`,
		`{"N":"0"}`, `{"N":"-12345678901234567890123456789012345678"}`, `{"N":"0.1"}`, `{"N":"9007199254740993"}`, `{"N":"1E-130"}`,
		`{"B":""}`, `{"B":"AP8="}`, `{"BOOL":true}`, `{"BOOL":false}`, `{"NULL":true}`,
		`{"SS":["","a","ü"]}`, `{"NS":["-1","0.10000000000000000000000000000000000001","2"]}`, `{"BS":["AA==","/w=="]}`,
		`{"L":[]}`, `{"L":[{"N":"1"},{"S":"x"},{"L":[{"NULL":true}]}]}`, `{"M":{}}`, `{"M":{"a b":{"M":{"<i>":{"BS":["AA=="]}}},"":{"N":"1"}}}`,
	} {
		s := newSite(t, page.Options{})
		s.things()
		put := `{"id":{"S":"a"},"<v>":` + value + `}`
		// Enter it in the form for a new item.
		f := s.form(s.get(page.Path+"tables/things/new", 200), "Edit")
		f.fields.Set("text", put)
		body := s.follow(s.form(s.posts(f, 200), "Store the item"))
		s.says(body, "The item is saved. It cost 1 write unit.")
		want := s.stored(aKey)
		s.send("PutItem", `{"TableName":"things","Item":`+strings.Replace(put, `"S":"a"`, `"S":"b"`, 1)+`}`, nil)
		if direct := strings.Replace(s.stored(`{"id":{"S":"b"}}`), `"S":"b"`, `"S":"a"`, 1); want != direct {
			t.Errorf("%s: the form stored\n%s\nthe API\n%s", value, want, direct)
		}
		// Submit the edit form without changes: nothing is different.
		f = s.form(s.get(aQuery, 200), "Edit")
		s.says(s.posts(f, 200), "nothing is different")
		// If another attribute is added, the value is unchanged.
		f.fields.Set("text", strings.Replace(f.fields.Get("text"), `"id"`, `"also": {"N":"1"}, "id"`, 1))
		body = s.posts(f, 200)
		s.says(body, "also added + {\"N\":\"1\"}", "This is the request.")
		if strings.Contains(shown(t, body, "Request"), `SET #0 = :0, `) {
			t.Errorf("%s: it is written although it did not change:\n%s", value, shown(t, body, "Request"))
		}
		s.follow(s.form(body, "Save the changes"))
		if got := s.stored(aKey); got != canonicalJSON(t, strings.TrimSuffix(want, "}")+`,"also":{"N":"1"}}`) {
			t.Errorf("%s became %s", value, got)
		}
		// It is replaced by another type, and removed.
		f = s.form(s.get(aQuery, 200), "Edit")
		f.fields.Set("text", `{"id":{"S":"a"},"<v>":{"S":"else"}}`)
		body = s.posts(f, 200)
		s.says(body, "also removed", "<v> changed")
		s.follow(s.form(body, "Save the changes"))
		if got := s.stored(aKey); got != canonicalJSON(t, `{"id":{"S":"a"},"<v>":{"S":"else"}}`) {
			t.Errorf("%s became %s", value, got)
		}
	}
}

// TestLostUpdate: an edit of an item that has changed in the meantime is rejected, and offered again for the current item.
func TestLostUpdate(t *testing.T) {
	const was = `{"id":{"S":"a"},"n":{"N":"1"},"m":{"M":{"x":{"N":"1"}}}}`
	for _, c := range []struct {
		name, meanwhile, edit string
		both                  bool
		want                  string // after saving again
	}{
		{"the same attribute", `{"id":{"S":"a"},"n":{"N":"2"},"m":{"M":{"x":{"N":"1"}}}}`, `{"id":{"S":"a"},"n":{"N":"5"},"m":{"M":{"x":{"N":"1"}}}}`, true, `{"id":{"S":"a"},"n":{"N":"5"},"m":{"M":{"x":{"N":"1"}}}}`},
		{"another attribute", `{"id":{"S":"a"},"n":{"N":"2"},"m":{"M":{"x":{"N":"1"}}}}`, `{"id":{"S":"a"},"n":{"N":"1"},"m":{"M":{"x":{"N":"7"}}}}`, false, `{"id":{"S":"a"},"n":{"N":"2"},"m":{"M":{"x":{"N":"7"}}}}`},
		{"below the attribute", `{"id":{"S":"a"},"n":{"N":"1"},"m":{"M":{"x":{"N":"2"}}}}`, `{"id":{"S":"a"},"n":{"N":"3"},"m":{"M":{"x":{"N":"1"}}}}`, false, `{"id":{"S":"a"},"n":{"N":"3"},"m":{"M":{"x":{"N":"2"}}}}`},
		{"an attribute was removed", `{"id":{"S":"a"},"n":{"N":"1"}}`, `{"id":{"S":"a"},"n":{"N":"3"},"m":{"M":{"x":{"N":"1"}}}}`, false, `{"id":{"S":"a"},"n":{"N":"3"}}`},
		{"both add one", `{"id":{"S":"a"},"n":{"N":"1"},"m":{"M":{"x":{"N":"1"}}},"new":{"S":"theirs"}}`, `{"id":{"S":"a"},"n":{"N":"1"},"m":{"M":{"x":{"N":"1"}}},"new":{"S":"mine"}}`, true, `{"id":{"S":"a"},"n":{"N":"1"},"m":{"M":{"x":{"N":"1"}}},"new":{"S":"mine"}}`},
		{"a removed attribute", `{"id":{"S":"a"},"n":{"N":"2"},"m":{"M":{"x":{"N":"1"}}}}`, `{"id":{"S":"a"},"m":{"M":{"x":{"N":"1"}}}}`, true, `{"id":{"S":"a"},"m":{"M":{"x":{"N":"1"}}}}`},
	} {
		t.Run(c.name, func(t *testing.T) {
			for _, when := range []string{"before the review", "before saving"} {
				s := newSite(t, page.Options{})
				s.things()
				s.send("PutItem", `{"TableName":"things","Item":`+was+`}`, nil)
				edit := s.form(s.get(aQuery, 200), "Edit")
				edit.fields.Set("text", c.edit)
				var body string
				if when == "before the review" {
					s.send("PutItem", `{"TableName":"things","Item":`+c.meanwhile+`}`, nil)
					body = s.posts(edit, 409)
				} else {
					save := s.form(s.posts(edit, 200), "Save the changes")
					s.send("PutItem", `{"TableName":"things","Item":`+c.meanwhile+`}`, nil)
					body = s.posts(save, 409)
				}
				s.says(body, "the item was changed since it was read, so nothing was saved", "What has changed since")
				if got := s.stored(aKey); got != canonicalJSON(t, c.meanwhile) {
					t.Fatalf("%s: the other update is lost: %s", when, got)
				}
				if strings.Contains(textOf(body), "both changes are about") != c.both {
					t.Errorf("%s: %s", when, textOf(body))
				}
				s.follow(s.form(body, "Save the changes"))
				if got := s.stored(aKey); got != canonicalJSON(t, c.want) {
					t.Errorf("%s: saved again %s, want %s", when, got, c.want)
				}
			}
		})
	}
}

// TestConcurrentAddIsKept: attributes that another program adds during an edit are kept, because an edit writes only its changes.
func TestConcurrentAddIsKept(t *testing.T) {
	s := newSite(t, page.Options{})
	s.things()
	s.send("PutItem", `{"TableName":"things","Item":{"id":{"S":"a"},"n":{"N":"1"}}}`, nil)
	edit := s.form(s.get(aQuery, 200), "Edit")
	edit.fields.Set("text", `{"id":{"S":"a"},"n":{"N":"2"}}`)
	save := s.form(s.posts(edit, 200), "Save the changes")
	s.send("UpdateItem", `{"TableName":"things","Key":`+aKey+`,"UpdateExpression":"SET extra = :x","ExpressionAttributeValues":{":x":{"S":"theirs"}}}`, nil)
	s.follow(save)
	if got := s.stored(aKey); got != canonicalJSON(t, `{"id":{"S":"a"},"n":{"N":"2"},"extra":{"S":"theirs"}}`) {
		t.Errorf("the item is %s", got)
	}
}

// TestOtherNotationIsNoChange: another order of a set, other spaces and other escapes are no change.
func TestOtherNotationIsNoChange(t *testing.T) {
	s := newSite(t, page.Options{})
	s.things()
	s.send("PutItem", `{"TableName":"things","Item":{"id":{"S":"a"},"s":{"SS":["a","b"]},"m":{"M":{"x":{"NS":["1","2"]},"y":{"L":[{"S":"a"},{"S":"b"}]}}}}}`, nil)
	edit := s.form(s.get(aQuery, 200), "Edit")
	edit.fields.Set("text", `{ "m":{"M":{"y":{"L":[{"S":"a"},{"S":"b"}]},"x":{"NS":["2","1"]}}},"\u0073":{"SS":["b","\u0061"]},"id":{"S":"a"}}`)
	s.says(s.posts(edit, 200), "nothing is different")
	edit.fields.Set("text", strings.Replace(edit.fields.Get("text"), `[{"S":"a"},{"S":"b"}]`, `[{"S":"b"},{"S":"a"}]`, 1)) // the order of a list counts
	s.says(s.posts(edit, 200), "m changed")
}

// TestManyAttributes: a condition can hold only some attributes; changed ones are always compared.
func TestManyAttributes(t *testing.T) {
	s := newSite(t, page.Options{})
	s.things()
	var list strings.Builder
	for i := range 400 {
		list.WriteString(`,"` + strings.Repeat("a", 1+i%20) + strings.Repeat("b", i/20) + `":{"N":"1"}`)
	}
	s.send("PutItem", `{"TableName":"things","Item":{"id":{"S":"a"},"z":{"N":"1"}`+list.String()+`}}`, nil)
	edit := s.form(s.get(aQuery, 200), "Edit")
	edit.fields.Set("text", strings.NewReplacer(`"z": {"N":"1"}`, `"z": {"N":"2"}`, `"a": {"N":"1"}`, `"a": {"N":"2"}`).Replace(edit.fields.Get("text")))
	body := s.posts(edit, 200)
	s.says(body, "more attributes than a condition can hold")
	save := s.form(body, "Save the changes")
	s.send("UpdateItem", `{"TableName":"things","Key":`+aKey+`,"UpdateExpression":"SET z = :x","ExpressionAttributeValues":{":x":{"N":"3"}}}`, nil)
	s.follow(s.form(s.posts(save, 409), "Save the changes"))
	s.follow(s.form(s.get(strings.Replace(aQuery, "/edit", "/delete", 1), 200), "Delete the item"))
	if got := s.stored(aKey); got != "" {
		t.Errorf("the item is %s", got)
	}
}

// TestManyAddedAttributes: a condition with the names of all attributes that an edit adds would be longer than the engine accepts. The key is
// always compared: an update without it would recreate an item that was deleted in the meantime.
func TestManyAddedAttributes(t *testing.T) {
	for _, count := range []int{100, 140, 200} {
		s := newSite(t, page.Options{})
		s.things()
		put := `{"TableName":"things","Item":{"id":{"S":"a"}}}`
		s.send("PutItem", put, nil)
		want := `{"id":{"S":"a"}`
		for i := range count {
			want += fmt.Sprintf(`,"new%03d":{"N":"1"}`, i)
		}
		want += "}"
		edit := s.form(s.get(aQuery, 200), "Edit")
		edit.fields.Set("text", want)
		body := s.posts(edit, 200)
		var request struct {
			ConditionExpression       string
			ExpressionAttributeNames  map[string]string
			ExpressionAttributeValues map[string]json.RawMessage
		}
		if err := json.Unmarshal([]byte(shown(t, body, "Request")), &request); err != nil {
			t.Fatal(err)
		}
		name, value, _ := strings.Cut(strings.Split(request.ConditionExpression, " AND ")[0], " = ")
		if request.ExpressionAttributeNames[name] != "id" || canonicalJSON(t, string(request.ExpressionAttributeValues[value])) != `{"S":"a"}` {
			t.Errorf("%d attributes: the condition does not begin with the key: %.60s", count, request.ConditionExpression)
		}
		if n := len(request.ConditionExpression); n > 4096 {
			t.Errorf("%d attributes: the condition has %d bytes", count, n)
		}
		compared := strings.Count(request.ConditionExpression, " AND ") + 1
		if all := compared == count+1; all != (count == 100) || compared < 101 {
			t.Errorf("%d attributes: %d are compared", count, compared)
		} else if !all {
			s.says(body, fmt.Sprintf("more attributes than a condition can hold: %d of them are compared", compared))
		}
		save := s.form(body, "Save the changes")
		s.send("DeleteItem", `{"TableName":"things","Key":`+aKey+`}`, nil)
		s.says(s.posts(save, 409), "the item was deleted since it was read")
		if got := s.stored(aKey); got != "" {
			t.Errorf("%d attributes: a deleted item was recreated: %.60s", count, got)
		}
		s.send("PutItem", put, nil)
		s.follow(save)
		if got := s.stored(aKey); got != canonicalJSON(t, want) {
			t.Errorf("%d attributes: the item is %.60s", count, got)
		}
	}
}

func TestNewAndDelete(t *testing.T) {
	s := newSite(t, page.Options{})
	s.things()
	f := s.form(s.get(page.Path+"tables/things/new", 200), "Edit")
	f.fields.Set("text", `{"id":{"S":"a"},"n":{"N":"1"}}`)
	store := s.form(s.posts(f, 200), "Store the item")
	s.follow(store)
	s.says(s.posts(store, 409), "there is an item with this key already")

	del := s.form(s.get(strings.Replace(aQuery, "/edit", "/delete", 1), 200), "Delete the item")
	s.send("PutItem", `{"TableName":"things","Item":{"id":{"S":"a"},"n":{"N":"2"}}}`, nil)
	body := s.posts(del, 409)
	s.says(body, "it was not deleted", `- {"N":"1"} + {"N":"2"}`)
	again := s.form(body, "Delete the item")
	s.says(s.follow(again), "The item is deleted.")
	s.says(s.posts(again, 409), "deleted already")

	s.send("PutItem", `{"TableName":"things","Item":{"id":{"S":"a"}}}`, nil)
	edit := s.form(s.get(aQuery, 200), "Edit")
	s.send("DeleteItem", `{"TableName":"things","Key":`+aKey+`}`, nil)
	edit.fields.Set("text", `{"id":{"S":"a"},"precious":{"S":"text"}}`)
	s.says(s.posts(edit, 409), "the item was deleted since it was read", "precious")
}

// TestRefusedItems: all errors of a text are named, the text is kept, and nothing is sent.
func TestRefusedItems(t *testing.T) {
	s := newSite(t, page.Options{})
	s.things()
	for text, says := range map[string][]string{
		``:                                {"it is not JSON"},
		`{"id":{"S":"a"}`:                 {"it is not JSON"},
		`{"id":{"S":"a"}} x`:              {"more text after the item"},
		`[]`:                              {"an item is an object"},
		`{"id":{"S":"a"},"id":{"S":"b"}}`: {`"id" is there twice`},
		`{"id":{"S":"a"},"m":{"M":{"x":{"N":"1"},"x":{"N":"2"}}}}`:                               {`"m"."M": "x" is there twice`},
		`{"id":{"S":"a"},"n":{"N":1},"b":{"B":"%"},"x":{"Q":"1"},"y":5,"t":{"BOOL":"true"}}`:     {`"n": the value of N is a text in quotes`, `"b": B is in base64`, `"x": "Q" is no type`, `"y": a value is an object`, `"t": BOOL is true or false`},
		`{"id":{"S":"a"},"l":{"L":[{"N":"one"}]},"s":{"SS":[]},"z":{"NULL":false},"w":{"L":{}}}`: {`"l"[0]: "one" is no number`, `"s": SS is a list`, `"z": NULL is true`, `"w": L is a list`},
		`{"n":{"N":"1"}}`:  {"id: the attribute of the key is missing"},
		`{"id":{"N":"1"}}`: {"id: the attribute of the key has the type N, the table defines S"},
		`{"id":{"S":""}}`:  {"id: the attribute of the key is empty"},
	} {
		f := s.form(s.get(page.Path+"tables/things/new", 200), "Edit")
		f.fields.Set("text", text)
		for _, path := range []string{"review", "save"} {
			f.action = page.Path + "tables/things/" + path
			body := s.posts(f, 400)
			s.says(body, says...)
			if got := s.form(body, "Edit").fields.Get("text"); got != text {
				t.Errorf("%s: the text is %q, was %q", path, got, text)
			}
		}
	}
	s.send("PutItem", `{"TableName":"things","Item":{"id":{"S":"a"}}}`, nil)
	f := s.form(s.get(aQuery, 200), "Edit")
	f.fields.Set("text", `{"id":{"S":"b"}}`)
	s.says(s.posts(f, 400), "the key of an item cannot change")
	f.fields.Set("text", `{"id":{"S":"a"},"n":{"N":"1e999"}}`) // only the engine knows the range of numbers
	s.says(s.posts(s.form(s.posts(f, 200), "Save the changes"), 400), "UpdateItem was refused: ValidationException")
}

// TestTokens: a form without the token of this run changes nothing, and a read-only page changes nothing at all.
func TestTokens(t *testing.T) {
	s, other := newSite(t, page.Options{}), newSite(t, page.Options{})
	readOnly := newSite(t, page.Options{ReadOnly: true})
	for _, one := range []*site{s, other, readOnly} {
		one.things()
		one.send("PutItem", `{"TableName":"things","Item":{"id":{"S":"a"}}}`, nil)
	}
	foreign := other.form(other.get(aQuery, 200), "Edit").fields.Get("token")
	own := s.form(s.get(aQuery, 200), "Edit").fields.Get("token")
	if own == foreign || len(own) < 20 {
		t.Fatalf("tokens %q and %q", own, foreign)
	}
	for _, path := range changingPaths {
		for _, token := range []string{"", foreign, own[:len(own)-1], own + "x"} {
			f := form{page.Path + path, url.Values{"token": {token}, "read": {aKey}, "text": {`{"id":{"S":"a"},"n":{"N":"1"}}`}}}
			if w := s.post(f); w.Code != 403 || !strings.Contains(w.Body.String(), "nothing was changed") {
				t.Errorf("%s with token %q: status %d", path, token, w.Code)
			}
		}
		r := request("GET", page.Path+path+"?token="+own+"&read="+url.QueryEscape(aKey))
		if w := answer(s.page, r); w.Code == http.StatusSeeOther {
			t.Errorf("GET %s changed something", path)
		}
	}
	page := readOnly.get(page.Path+"tables/things/items", 200)
	for _, path := range changingPaths {
		w := readOnly.post(form{"/_ddb/" + path, url.Values{"read": {aKey}}})
		if w.Code != 403 || !strings.Contains(w.Body.String(), "read-only: ddblocal was started with") {
			t.Errorf("%s on a read-only page: status %d", path, w.Code)
		}
	}
	readOnly.says(page, "read-only")
	if strings.Contains(page, `method="post"`) || strings.Contains(page, "New item") {
		t.Error("a read-only page has a form")
	}
	for _, at := range []string{aQuery, strings.Replace(aQuery, "/edit", "/delete", 1), "/_ddb/tables/things/new"} {
		readOnly.says(readOnly.get(at, 403), "the page is read-only")
	}
	for _, one := range []*site{s, readOnly} {
		if got := one.stored(aKey); got != aKey {
			t.Errorf("the item is %s", got)
		}
	}
}

// changingPaths are the paths of forms.
var changingPaths = []string{"tables/things/stream", "tables/things/ttl", "tables/things/import", "clock", "faults", "tables/things/review", "tables/things/save", "tables/things/delete"}

// optionsOf returns the values of a select.
func optionsOf(body, name string) (values []string) {
	text := regexp.MustCompile(`(?s)<select name="` + name + `">.*?</select>`).FindString(body)
	for _, o := range regexp.MustCompile(`<option value="([^"]*)"`).FindAllStringSubmatch(text, -1) {
		values = append(values, html.UnescapeString(o[1]))
	}
	return values
}

// offID is the first fault that can be switched off.
func offID(body string) string {
	return regexp.MustCompile(`name="off" value="(\d+)"`).FindStringSubmatch(body)[1]
}
