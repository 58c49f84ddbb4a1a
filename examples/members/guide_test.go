// SPDX-License-Identifier: Apache-2.0

package main

import (
	"os"
	"regexp"
	"strings"
	"testing"
)

// piece is a block of Go code whose first line names its file.
var piece = regexp.MustCompile("(?s)```go\n// ([a-z_]+\\.go)\n(.*?)```")

// TestGuide: the blocks of the guide, copied one after the other into the files that they name, are exactly this program.
func TestGuide(t *testing.T) {
	const page = "../../docs/guides/first-service.md"
	guide, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	files := map[string][]string{}
	for _, found := range piece.FindAllStringSubmatch(string(guide), -1) {
		files[found[1]] = append(files[found[1]], strings.TrimSpace(found[2]))
	}
	if blocks := strings.Count(string(guide), "```go\n"); blocks != len(piece.FindAllString(string(guide), -1)) {
		t.Error("a block of Go code does not begin with the name of its file")
	}
	for _, name := range []string{"members.go", "handler.go", "main.go", "members_test.go"} {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		want := strings.TrimSpace(strings.TrimPrefix(string(text), "// SPDX-License-Identifier: Apache-2.0\n"))
		if got := strings.Join(files[name], "\n\n"); got != want {
			t.Errorf("%s: the blocks for %s differ from it at %q", page, name, difference(got, want))
		}
		delete(files, name)
	}
	for name := range files {
		t.Errorf("%s shows %s, which is not compared", page, name)
	}
	output, err := os.ReadFile("output.txt")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(guide), "```text\n"+string(output)+"```") {
		t.Errorf("%s does not show output.txt", page)
	}
}

// difference returns the first line in which two texts differ.
func difference(got, want string) string {
	wanted := strings.Split(want, "\n")
	for i, line := range strings.Split(got, "\n") {
		if i >= len(wanted) || line != wanted[i] {
			return line
		}
	}
	return "its end"
}
