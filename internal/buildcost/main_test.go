// SPDX-License-Identifier: Apache-2.0

package main

import (
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

var long = flag.Bool("long", false, "compare the number of functions with that of go tool nm, which is built first")

// The limits are measured figures, rounded up a little. Raising one needs a decision record: each function costs users
// time at every edit of a package with tables.
const (
	mostFirst    = 700 // functions of a package with one table
	mostFurther  = 500 // and of each further table
	mostImporter = 340 // of a package that only uses another's table
)

func TestFunctions(t *testing.T) {
	b, err := newBuilder(t.Context(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	count, err := b.functions(t.Context(), map[string]string{tables: program("tables", 1, 1), three: program("tables", 3, 1), user: importing})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		of       string
		is, most int
	}{
		{"the first table", count[tables], mostFirst},
		{"a further table", (count[three] - count[tables]) / 2, mostFurther},
		{"a package that uses another's table", count[user], mostImporter},
	} {
		t.Logf("%s: %d functions, at most %d", c.of, c.is, c.most)
		if c.is > c.most {
			t.Errorf("%s makes %d functions, at most %d are allowed; go run ./internal/buildcost prints the figures", c.of, c.is, c.most)
		}
		if c.is < c.most*8/10 {
			t.Errorf("%s makes only %d functions: lower its limit of %d", c.of, c.is, c.most)
		}
	}
}

// TestFunctionsOf: go tool nm counts the same functions.
func TestFunctionsOf(t *testing.T) {
	if _, err := functionsOf([]byte("!<arch>\n")); err == nil {
		t.Error("an archive without an object file is accepted")
	}
	if !*long {
		t.Skip("building go tool nm takes seconds")
	}
	b, err := newBuilder(t.Context(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	c, err := b.count(t.Context(), 1, 1)
	if err != nil {
		t.Fatal(err)
	}
	archive := filepath.Join(b.dir, "out.a")
	names, err := exec.CommandContext(t.Context(), "go", "tool", "nm", archive).Output()
	if err != nil {
		t.Fatal(err)
	}
	want := 0
	for line := range strings.Lines(string(names)) {
		if f := strings.Fields(line); len(f) >= 3 && (f[1] == "T" || f[1] == "t") {
			want++
		}
	}
	if c.Functions != want {
		t.Errorf("%d functions, go tool nm prints %d", c.Functions, want)
	}
	data, err := os.ReadFile(archive)
	if err != nil {
		t.Fatal(err)
	}
	at := strings.Index(string(data), objectMagic)
	if _, err := functionsOf(data[:at+firstBlock+8]); err == nil {
		t.Error("a truncated object file is accepted")
	}
}
