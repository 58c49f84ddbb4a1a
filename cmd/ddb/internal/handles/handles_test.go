// SPDX-License-Identifier: Apache-2.0

package handles_test

import (
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/dynamotable/ddb"
	"github.com/dynamotable/ddb/cmd/ddb/internal/handles"
	"github.com/dynamotable/ddb/cmd/ddb/internal/handles/testdata/kinds"
	"github.com/dynamotable/ddb/cmd/ddb/internal/handles/testdata/shop"
	"github.com/dynamotable/ddb/ddbtest"
	"github.com/dynamotable/ddb/internal/longtest"
)

// TestGolden: the files next to the sources, and those of examples/generated, equal the generated ones, whether or not they exist already.
func TestGolden(t *testing.T) {
	// The go command lists what packages import once for all of them.
	notes := golden(t, handles.Config{Dir: "testdata", Packages: []string{"./shop", "./kinds", "./kinds/other", "./tagged", "../../../../../examples/generated"}})
	golden(t, handles.Config{Dir: "testdata/tagged", Tests: true, Tags: "ddb_extra"})
	for _, args := range [][]string{{}, {"-tags", "ddb_extra"}} {
		compile(t, "testdata/tagged", args...)
	}
	for i, want := range []string{
		`kinds.go:\d+: left out: Box is generic`,
		`kinds.go:\d+: left out: field Carrier.Secret of Everything: its type hidden is not exported`,
		`kinds.go:\d+: left out: field Empty of Everything has no size`,
	} {
		if i >= len(notes) || !regexp.MustCompile(want).MatchString(notes[i]) {
			t.Errorf("note %d of %q is not %s", i, notes, want)
		}
	}
}

// golden generates and compares, and returns the notes.
func golden(t *testing.T, c handles.Config) []string {
	t.Helper()
	r, err := handles.Generate(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range r.Files {
		if !strings.Contains(f.Path, "/other/") {
			t.Errorf("%+v: %s should be\n%s", c, f.Path, f.Content)
		}
	}
	return r.Notes
}

// compile compiles the package in the folder, with its tests. In contrast to go vet it uses the packages that go test has compiled,
// and examines none of them.
func compile(t *testing.T, dir string, args ...string) {
	t.Helper()
	command := []string{"list", "-export", "-test"}
	if longtest.Enabled() {
		command = []string{"vet"}
	}
	cmd := exec.CommandContext(t.Context(), "go", slices.Concat(command, args, []string{"."})...)
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v: %v\n%s", cmd.Args, err, out)
	}
}

// TestHandlesFitTheCodec: every generated handle resolves, and every stored attribute has one.
func TestHandlesFitTheCodec(t *testing.T) {
	text, err := os.ReadFile("testdata/kinds/kinds_ddb.go")
	if err != nil {
		t.Fatal(err)
	}
	declared := regexp.MustCompile(`(?m)^\t(\S+) += ddb\.`).FindAllStringSubmatch(string(text), -1)
	if len(declared) < 70 {
		t.Fatal(len(declared), "handles")
	}
	for _, d := range declared {
		if kinds.Handles[d[1]] == nil {
			t.Error(d[1], "is not in the list of use.go")
		}
	}
	covered := map[string]bool{}
	for name, h := range kinds.Handles {
		attr := ddb.NameOf(h)
		if attr == "" {
			t.Error(name, "selects nothing")
		}
		covered[attr] = true
	}

	client := ddbtest.New(t)
	table, err := kinds.Table(client)
	if err == nil {
		err = table.CreateTable(t.Context())
	}
	if err != nil {
		t.Fatal(err)
	}
	item := kinds.Everything{
		Audit: &kinds.Audit{}, Text: "a", Exact: "1", AlsoExact: "2", Strings: []string{"s"}, Numbers: []float64{1}, Binaries: [][]byte{{1}},
		MapSet: map[string]struct{}{"m": {}}, BoolSet: map[string]bool{"b": true}, Maybe: &kinds.Part{},
	}
	if err := table.Put(t.Context(), &item); err != nil {
		t.Fatal(err)
	}
	name := "everything"
	out, err := client.Scan(t.Context(), &dynamodb.ScanInput{TableName: &name})
	if err != nil {
		t.Fatal(err)
	}
	stored := slices.Sorted(maps.Keys(out.Items[0]))
	if len(stored) < 50 {
		t.Fatal(stored)
	}
	for _, attr := range stored {
		if !covered[attr] && attr != "empty" {
			t.Error("no handle of", attr)
		}
	}
}

func TestGeneratedHandlesWork(t *testing.T) {
	client := ddbtest.New(t)
	table, byStatus, err := shop.Table(client)
	if err == nil {
		err = table.EnsureTable(t.Context())
	}
	if err != nil {
		t.Fatal(err)
	}
	o := shop.Order{Customer: "c", ID: "1", Status: "open", ShipTo: shop.Address{Zip: &shop.Zip{}}, Lines: []shop.Line{{Article: "cup", Count: 1}}}
	if err := table.Create(t.Context(), &o); err != nil {
		t.Fatal(err)
	}
	changes := shop.Changes()
	_, err = table.Update(t.Context(), table.Key("c", "1"), ddb.Changes(changes[:4]...))
	if err != nil {
		t.Fatal(err)
	}
	got, err := byStatus.Query("open").Collect(t.Context())
	if err != nil || len(got) != 1 || got[0].Total != 5 || got[0].ShipTo.City != "Rome" || got[0].ShipTo.Zip.Code != "00100" {
		t.Fatal(got, err)
	}
	got[0], err = table.Update(t.Context(), table.Key("c", "1"), changes[5])
	if err != nil || got[0].Lines[0].Count != 2 {
		t.Fatal(got, err)
	}
}

// module creates a user's module with the files, which builds with this repository.
func module(t *testing.T, files map[string]string) string {
	t.Helper()
	root, err := filepath.Abs("../../../..")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	mod, err := os.ReadFile(filepath.Join(root, "go.mod"))
	if err != nil {
		t.Fatal(err)
	}
	sum, err := os.ReadFile(filepath.Join(root, "go.sum"))
	if err != nil {
		t.Fatal(err)
	}
	text := strings.Replace(string(mod), "module github.com/dynamotable/ddb", "module example.com/shop", 1)
	text += "\nrequire github.com/dynamotable/ddb v0.0.0\n\nreplace github.com/dynamotable/ddb => " + root + "\n"
	write(t, dir, "go.mod", text)
	write(t, dir, "go.sum", string(sum))
	for name, content := range files {
		write(t, dir, name, content)
	}
	return dir
}

func write(t *testing.T, dir, name, content string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

// apply generates and writes, and returns the names of the files that changed by folder; removed ones have a minus.
func apply(t *testing.T, c handles.Config) map[string][]string {
	t.Helper()
	r, err := handles.Generate(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	changed := map[string][]string{}
	for _, f := range r.Files {
		folder, name := filepath.Base(filepath.Dir(f.Path)), filepath.Base(f.Path)
		if f.Content == nil {
			name = "-" + name
			err = os.Remove(f.Path)
		} else {
			err = os.WriteFile(f.Path, f.Content, 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
		changed[folder] = append(changed[folder], name)
	}
	return changed
}

func generated(t *testing.T, dir string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(dir, "order_ddb.go"))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

const order = "package shop\n\ntype Order struct {\n\tID string `dynamodbav:\"id\"`\nFIELDS}\n"

func orderWith(fields string) string { return strings.Replace(order, "FIELDS", fields, 1) }

// TestRegenerate: handles are generated for new structs, and again after an edit. Each case is a package of one module, so that the
// go command lists the packages that they import once for all of them.
func TestRegenerate(t *testing.T) {
	withTotal := orderWith("\tTotal int `dynamodbav:\"total\"`\n")
	byHand := "package shop\n\nimport \"github.com/dynamotable/ddb\"\n\nvar total = ddb.OrdField(func(x *Order) *int { return &x.Total })\n"
	const (
		id      = "orderID = ddb.StrField(func(o *Order) *string { return &o.ID })"
		total   = "orderTotal = ddb.NumField(func(o *Order) *int { return &o.Total })"
		deleted = "" // as an edit of a file
	)
	type files = map[string]string
	type result struct {
		changed    []string
		in, notIn  string // of order_ddb.go
		unreadable bool   // whether there is no order_ddb.go
	}
	cases := map[string]struct {
		files  files
		first  result
		edit   files
		second result
	}{
		"unchanged": {
			files: files{
				"order.go": orderWith(""),
				// Code that uses missing handles does not compile.
				"use.go": "package shop\n\nimport \"github.com/dynamotable/ddb\"\n\nvar key = ddb.NameOf(orderID)\n\nfunc first() string { return orderID.Eq(\"x\").String() + key }\n",
			},
			first:  result{changed: []string{"order_ddb.go"}, in: id, notIn: "orderTotal"},
			second: result{in: id, notIn: "orderTotal"},
		},
		"field": {
			files:  files{"order.go": orderWith("")},
			first:  result{changed: []string{"order_ddb.go"}, in: id, notIn: "orderTotal"},
			edit:   files{"order.go": withTotal},
			second: result{changed: []string{"order_ddb.go"}, in: total},
		},
		"byhand": {
			files:  files{"order.go": withTotal},
			first:  result{changed: []string{"order_ddb.go"}, in: total},
			edit:   files{"hand.go": byHand},
			second: result{changed: []string{"order_ddb.go"}, in: "orderID", notIn: "Total"},
		},
		// A handle of that name counts, however it was declared.
		"samename": {
			files:  files{"order.go": withTotal, "hand.go": byHand},
			first:  result{changed: []string{"order_ddb.go"}, in: "orderID", notIn: "Total"},
			edit:   files{"hand.go": "package shop\n\nimport \"github.com/dynamotable/ddb\"\n\nvar orderTotal = ddb.AsNum(number())\n\nfunc number() ddb.Attr[Order, int] { return ddb.Field(func(x *Order) *int { return &x.Total }) }\n"},
			second: result{in: "orderID", notIn: "Total"},
		},
		"untagged": {
			files:  files{"order.go": withTotal},
			first:  result{changed: []string{"order_ddb.go"}},
			edit:   files{"order.go": "package shop\n\ntype Order struct{ ID string }\n"},
			second: result{changed: []string{"-order_ddb.go"}, unreadable: true},
		},
		"deleted": {
			files:  files{"order.go": orderWith(""), "doc.go": "package shop\n"},
			first:  result{changed: []string{"order_ddb.go"}},
			edit:   files{"order.go": deleted},
			second: result{changed: []string{"-order_ddb.go"}, unreadable: true},
		},
		// Files that are excluded from the second build are not changed.
		"tags": {
			files:  files{"order.go": orderWith(""), "extra.go": "//go:build extra\n\npackage shop\n\ntype Extra struct {\n\tID string `dynamodbav:\"id\"`\n}\n"},
			first:  result{changed: []string{"extra_ddb.go", "order_ddb.go"}},
			second: result{},
		},
		"part": {
			files:  files{"order.go": orderWith("\tLines []Line `dynamodbav:\"lines\"`\n") + "\ntype Line struct {\n\tCount int `dynamodbav:\"count\"`\n}\n"},
			first:  result{changed: []string{"order_ddb.go"}, notIn: "*Line)"}, // no handles of a struct that is part of another
			second: result{},
		},
	}

	all := files{}
	c := handles.Config{}
	for name, test := range cases {
		c.Packages = append(c.Packages, "./"+name)
		for file, text := range test.files {
			all[name+"/"+file] = text
		}
	}
	c.Dir = module(t, all)
	check := func(run string, changed map[string][]string, of func(name string) result) {
		t.Helper()
		for name := range cases {
			want := of(name)
			if !slices.Equal(changed[name], want.changed) {
				t.Errorf("%s, %s: changed %q, want %q", name, run, changed[name], want.changed)
			}
			if want.unreadable {
				continue
			}
			text := generated(t, filepath.Join(c.Dir, name))
			if !strings.Contains(text, want.in) {
				t.Errorf("%s, %s: no %q in\n%s", name, run, want.in, text)
			}
			if want.notIn != "" && strings.Contains(text, want.notIn) {
				t.Errorf("%s, %s: %q in\n%s", name, run, want.notIn, text)
			}
		}
	}

	withTags := c
	withTags.Tags = "extra"
	check("first run", apply(t, withTags), func(name string) result { return cases[name].first })
	if again := apply(t, withTags); len(again) > 0 {
		t.Errorf("a second run changed %q", again)
	}
	compile(t, filepath.Join(c.Dir, "unchanged"))
	for name, test := range cases {
		for file, text := range test.edit {
			if text == deleted {
				if err := os.Remove(filepath.Join(c.Dir, name, file)); err != nil {
					t.Fatal(err)
				}
				continue
			}
			write(t, c.Dir, name+"/"+file, text)
		}
	}
	check("after the edit", apply(t, c), func(name string) result { return cases[name].second })
	if longtest.Enabled() {
		if again := apply(t, c); len(again) > 0 {
			t.Errorf("a second run after the edit changed %q", again)
		}
	}

	part := filepath.Join(c.Dir, "part")
	apply(t, handles.Config{Dir: part, Types: []string{"Line"}, Exported: true})
	if text := generated(t, part); !strings.Contains(text, "LineCount = ddb.NumField(func(l *Line) *int") || strings.Contains(text, "*Order)") {
		t.Error("of a chosen type:", text)
	}
}

// TestErrors: each error names file and line and what to do; nothing is written.
func TestErrors(t *testing.T) {
	id := "\tID string `dynamodbav:\"id\"`\n"
	tests := map[string]struct {
		files map[string]string
		types []string
		want  []string
	}{
		"syntax":  {files: map[string]string{"order.go": "package shop\n\ntype Order struct {\n\tID string `dynamodbav:\"id\"`\n"}, want: []string{"order.go:4:30: expected '}'"}},
		"type":    {files: map[string]string{"order.go": "package shop\n\ntype Order struct {\n" + id + "\tAt times.Time `dynamodbav:\"at\"`\n\tX Missing\n}\n"}, want: []string{"order.go:5: undefined: times", "order.go:6: undefined: Missing"}},
		"import":  {files: map[string]string{"order.go": "package shop\n\nimport \"example.com/nowhere\"\n\ntype Order struct {\n" + id + "\tAt nowhere.Time `dynamodbav:\"at\"`\n}\n"}, want: []string{"order.go:3: could not import example.com/nowhere"}},
		"channel": {files: map[string]string{"order.go": orderWith("\tC chan int `dynamodbav:\"c\"`\n")}, want: []string{"order.go:5: field C of Order: DynamoDB has no such type"}},
		"methods": {files: map[string]string{"order.go": orderWith("\tE []error `dynamodbav:\"e\"`\n")}, want: []string{"order.go:5: field E of Order: an interface with methods"}},
		"nested":  {files: map[string]string{"order.go": orderWith("\tLine Line `dynamodbav:\"line\"`\n") + "\ntype Line struct {\n\tF func()\n}\n"}, want: []string{"order.go:9: field Line.F of Order: DynamoDB has no such type"}},
		"tags": {
			files: map[string]string{"order.go": orderWith("\tA int `dynamodbav:a`\n\tb int `dynamodbav:\"b\"`\n\tC int `dynamodbav:\"c,omitemty\"`\n\tD int `dynamodbav:\"id\"`\n")},
			want: []string{
				"order.go:5: Order: field A: the struct tag cannot be read", "order.go:6: Order: field b: an unexported field cannot be stored",
				`order.go:7: Order: field C: unknown tag option "omitemty"`, `order.go:8: Order: attribute name "id" of field D is taken by field ID`,
			},
		},
		"name":  {files: map[string]string{"order.go": orderWith(""), "id.go": "package shop\n\nfunc orderID() {}\n"}, want: []string{"order.go:4: the handle of Order.ID would be named orderID, which is something else (", "id.go:3); rename that"}},
		"other": {files: map[string]string{"order.go": orderWith(""), "id.go": "package shop\n\nimport orderID \"time\"\n\nvar _ orderID.Time\n"}, want: []string{"order.go:4: the handle of Order.ID would be named orderID, as an import is (", "id.go:3); rename the import"}},
		"twice": {
			files: map[string]string{"order.go": orderWith("\tItemID string\n") + "\ntype OrderItem struct {\n\tID string `dynamodbav:\"id\"`\n}\n"},
			want:  []string{"order.go:9: the handles of OrderItem.ID and Order.ItemID (", "order.go:5) would both be named orderItemID"},
		},
		"generic":    {files: map[string]string{"order.go": "package shop\n\ntype Order[T any] struct {\n\tID T `dynamodbav:\"id\"`\n}\n"}, types: []string{"Order"}, want: []string{"order.go:3: Order is generic"}},
		"no struct":  {files: map[string]string{"order.go": "package shop\n\ntype Order int\n"}, types: []string{"Order", "Oder"}, want: []string{"order.go:3: type Order is no struct", "there is no struct Oder in the packages; for one in a test file add -test"}},
		"no package": {files: map[string]string{"doc.txt": ""}, want: []string{"no Go files"}},
	}
	files := map[string]string{}
	for name, test := range tests {
		for file, text := range test.files {
			files[strings.ReplaceAll(name, " ", "_")+"/"+file] = text
		}
	}
	dir := module(t, files)
	check := func(c handles.Config, want []string) {
		t.Helper()
		r, err := handles.Generate(t.Context(), c)
		if err == nil || len(r.Files) > 0 {
			t.Fatal("no error; files:", r.Files)
		}
		for _, w := range want {
			if !regexp.MustCompile(w).MatchString(err.Error()) {
				t.Errorf("%v\ndoes not say %s", err, w)
			}
		}
	}
	all, chosen := handles.Config{Dir: dir}, handles.Config{Dir: dir} // all types, or those with a name
	var wantAll, wantChosen []string
	for name, test := range tests {
		c, want := &all, &wantAll
		if test.types != nil {
			c, want = &chosen, &wantChosen
		}
		c.Packages = append(c.Packages, "./"+strings.ReplaceAll(name, " ", "_"))
		c.Types = append(c.Types, test.types...)
		for _, w := range test.want {
			*want = append(*want, regexp.QuoteMeta(w))
		}
	}
	check(all, wantAll)
	check(chosen, wantChosen)
}

// TestWithoutTheLibrary: the error says how a module gets ddb.
func TestWithoutTheLibrary(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "go.mod", "module example.com/shop\n\ngo 1.26.0\n")
	write(t, dir, "order.go", orderWith(""))
	_, err := handles.Generate(t.Context(), handles.Config{Dir: dir})
	if err == nil || !strings.Contains(err.Error(), "run go get github.com/dynamotable/ddb in its module") {
		t.Error(err)
	}
}
