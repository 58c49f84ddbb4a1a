// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// sampleRoot is a separate module with Markdown files.
func sampleRoot(t *testing.T, files map[string]string) string {
	t.Helper()
	root := t.TempDir()
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(root, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(root, "go.mod"), []byte("module sample\n\ngo 1.26\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("GOWORK", "off")
	t.Setenv("DYNAMODB_ENDPOINT", "http://localhost:1")
	return root
}

func TestGoodDocument(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("testdata", "good.md"))
	if err != nil {
		t.Fatal(err)
	}
	root := sampleRoot(t, map[string]string{"good.md": string(text)})
	if err := os.Mkdir(filepath.Join(root, "work"), 0o755); err != nil {
		t.Fatal(err)
	}
	var log strings.Builder
	problems, err := runner{root: root, log: &log, commands: true, limit: programLimit}.run(t.Context(), []string{"good.md"})
	if err != nil || len(problems) > 0 {
		t.Fatalf("%v %v", problems, err)
	}
	for _, want := range []string{"skipped: has no meaning", "skipped: fails", "blocks of Go ran", "$ go version\n", "$ cd work && go env GOOS\n", "$ go env GOARCH\n"} {
		if !strings.Contains(log.String(), want) {
			t.Errorf("the log lacks %q:\n%s", want, log.String())
		}
	}
	left, err := filepath.Glob(filepath.Join(root, ".docs-*"))
	if err != nil || len(left) > 0 {
		t.Errorf("%v was left behind, %v", left, err)
	}
}

// Every sample is a document with one fault, at the given line.
var faulty = []struct {
	name, text string
	line       int
	want       string
}{
	{"compile", "```go\nn := 1\nn.Foo()\n```\n", 3, "n.Foo undefined"},
	{"declaration", "text\n\n```go\nx := 1\n\ntype T struct{ a Missing }\n```\n", 6, "undefined: Missing"},
	{"syntax", "```go\nx := 1\n```\n\n```go\ny := )\n```\n", 6, "expected"},
	{"hidden", "<!-- go\nx := undefined1\n-->\n", 2, "undefined1"},
	{"type", "```go\nx, err := 1, error(nil)\n```\n\n```go\nx, err := \"a\", error(nil)\n```\n", 6, "cannot use"},
	{"error", "```go\n_, err := strconv.Atoi(\"x\")\n```\n", 2, "invalid syntax"},
	{"unseen", "```go\n_, err := strconv.Atoi(\"x\")\n_, err = strconv.Atoi(\"1\")\n```\n", 2, "invalid syntax"},
	{"scoped", "<!-- go: scope -->\n```go\n_, err := strconv.Atoi(\"x\")\n```\n", 3, "invalid syntax"},
	{"outer", "```go\nvar err error\n```\n<!-- go: scope -->\n```go\n_, err = strconv.Atoi(\"x\")\n```\n", 6, "invalid syntax"},
	{"succeeds", "<!-- go: fails -->\n```go\n_, err := strconv.Atoi(\"1\")\n```\n", 3, "said to fail"},
	{"no error", "<!-- go: fails -->\n```go\nx := 1\n```\n", 3, "said to fail"},
	{"returned", "```go\nif 1 > 0 {\n\treturn errors.New(\"sorry\")\n}\n```\n", 2, "sorry"},
	{"panic", "```go\nvar m map[int]int\n```\n\n```go\nx := 1\nm[x] = 1\n```\n", 7, "nil map"},
	{"output", "```go\nfmt.Println(1)\n```\n```text\n2\n```\n", 5, "something else:\n1"},
	{"no output", "```go\nx := 1\n```\n\n```text\n2\n```\n", 6, "something else"},
	{"return", "```go\nif x := 1; x > 0 {\n\treturn\n}\n```\n```go\nx := 1\n```\n", 2, "returns before its last block"},
	{"test", "```go\nfunc TestA(t *testing.T) { t.Error(\"wrong\") }\n```\n", 2, "wrong"},
	{"scope ends", "<!-- go: scope -->\n```go\nx := 1\n```\n```go\ny := x\n```\n", 6, "undefined: x"},
	{"compiled", "<!-- go: compile -->\n```go\nx := y\n```\n", 3, "undefined: y"},
	{"own package", "```go\npackage main\n\nfunc main() { x() }\n```\n", 4, "undefined: x"},
	{"own output", "```go\npackage main\n\nfunc main() { println() }\n```\n```text\nx\n```\n", 7, "something else"},
	{"directive", "<!-- go: scoop -->\n```go\nx := 1\n```\n", 1, "no directive"},
	{"no reason", "<!-- go: skip -->\n```go\nx := 1\n```\n", 1, "no directive"},
	{"no block", "<!-- go: scope -->\n\nText.\n", 1, "no block follows"},
	{"other block", "<!-- go: scope -->\n```json\n{}\n```\n", 1, "says nothing"},
	{"open fence", "text\n```go\nx := 1\n", 2, "does not end"},
	{"open comment", "<!-- go\nx := 1\n", 1, "does not end"},
	{"output of nothing", "<!-- go: compile -->\n```go\nx := 1\n```\n```text\n2\n```\n", 6, "only compiled"},
	{"command", "```sh\ngo version\ngo nonsense\n```\n", 3, "unknown command"},
	{"folder", "```\ncd nowhere && go version\n```\n", 2, "nowhere"},
	{"environment", "```go\nfmt.Println(os.LookupEnv(\"DYNAMODB_ENDPOINT\"))\n```\n```text\nno\n```\n", 5, " false"},
}

func TestFaultyDocuments(t *testing.T) {
	files := map[string]string{}
	var names []string
	for i, f := range faulty {
		name := fmt.Sprintf("sample%02d.md", i)
		files[name], names = f.text, append(names, name)
	}
	root := sampleRoot(t, files)
	var log strings.Builder
	problems, err := runner{root: root, log: &log, commands: true, limit: programLimit}.run(t.Context(), names)
	if err != nil {
		t.Fatal(err)
	}
	for i, f := range faulty {
		found := slices.IndexFunc(problems, func(p problem) bool { return p.file == names[i] })
		if found < 0 {
			t.Errorf("%s: nothing found in\n%s", f.name, f.text)
			continue
		}
		if p := problems[found]; p.line != f.line || !strings.Contains(p.text, f.want) {
			t.Errorf("%s: got line %d %q, want line %d and %q", f.name, p.line, p.text, f.line, f.want)
		}
	}
}

// A document may have nothing but a part of a package, of which only the syntax is checked.
func TestPartOfAPackage(t *testing.T) {
	root := sampleRoot(t, map[string]string{
		"good.md": "```go\npackage shop\n\nvar total = ddb.NumField(func(o *Order) *int64 { return &o.Total })\n```\n",
		"bad.md":  "```go\npackage shop\n\nfunc F() { x( }\n```\n",
	})
	r := runner{root: root, log: io.Discard, limit: programLimit}
	if problems, err := r.run(t.Context(), []string{"good.md"}); err != nil || len(problems) > 0 {
		t.Errorf("%v %v", problems, err)
	}
	if problems, err := r.run(t.Context(), []string{"bad.md"}); err != nil || len(problems) != 1 || problems[0].line != 4 {
		t.Errorf("%v %v", problems, err)
	}
}

func TestProgramWithoutEnd(t *testing.T) {
	root := sampleRoot(t, map[string]string{"a.md": "```go\nx := 1\n```\n```go\nfor {\n\tx++\n}\n```\n"})
	var log strings.Builder
	problems, err := runner{root: root, log: &log, limit: 1}.run(t.Context(), []string{"a.md"})
	if err != nil {
		t.Fatal(err)
	}
	if len(problems) != 1 || problems[0].line != 2 && problems[0].line != 5 || !strings.Contains(problems[0].text, "did not end") {
		t.Errorf("got %v", problems)
	}
}

func TestSelectionOfDocuments(t *testing.T) {
	const faulty = "<!-- go: scope -->\n```json\n{}\n```\n" // nothing to compile
	root := sampleRoot(t, map[string]string{"README.md": faulty, "OTHER.md": faulty})
	guides := filepath.Join(root, "docs", "guides")
	if err := os.MkdirAll(guides, 0o755); err != nil {
		t.Fatal(err)
	}
	t.Chdir(root)
	if failed, err := check(t.Context(), nil, true); !failed || err != nil {
		t.Errorf("with a faulty README.md: failed: %v, %v", failed, err)
	}
	if err := os.WriteFile("README.md", []byte("Text.\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if failed, err := check(t.Context(), nil, true); failed || err != nil {
		t.Errorf("failed: %v, %v", failed, err)
	}
	if err := os.WriteFile(filepath.Join(guides, "a.md"), []byte(faulty), 0o600); err != nil {
		t.Fatal(err)
	}
	if failed, err := check(t.Context(), nil, true); !failed || err != nil {
		t.Errorf("with a faulty guide: failed: %v, %v", failed, err)
	}
	if failed, err := check(t.Context(), []string{"README.md"}, true); failed || err != nil {
		t.Errorf("README.md alone: failed: %v, %v", failed, err)
	}
	t.Chdir(guides)
	if failed, err := check(t.Context(), nil, true); !failed || err == nil {
		t.Errorf("in another folder: failed: %v, %v", failed, err)
	}
}
