// SPDX-License-Identifier: Apache-2.0

package archtest_test

import (
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "rewrite the golden files of the exported API")

// TestExportedAPI compares the declarations of every package that users import with the files in testdata/api, so that a change
// of the API is visible in a review. After an intended change, run:
//
//	go test ./internal/archtest -run TestExportedAPI -update
func TestExportedAPI(t *testing.T) {
	t.Parallel()
	dir := filepath.Join("testdata", "api")
	seen := map[string]bool{}
	for _, pkg := range publicPackages(t) {
		name := "ddb.txt"
		if pkg != modulePath {
			name = strings.ReplaceAll(strings.TrimPrefix(pkg, modulePath+"/"), "/", "-") + ".txt"
		}
		seen[name] = true
		got := declarations(documentation(t, strings.TrimPrefix(strings.TrimPrefix(pkg, modulePath), "/")))
		file := filepath.Join(dir, name)
		if *update {
			if err := os.MkdirAll(dir, 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
				t.Fatal(err)
			}
			continue
		}
		want, err := os.ReadFile(file)
		if err != nil {
			t.Errorf("package %s has no golden file; run this test with -update", pkg)
			continue
		}
		for _, line := range difference(string(want), got) {
			t.Errorf("package %s: %s", pkg, line)
		}
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if !seen[e.Name()] {
			t.Errorf("%s belongs to a missing package", e.Name())
		}
	}
}

// documentation returns the text of go doc for the package in a folder. Without modules, go doc does not start the go command again
// to list them.
func documentation(t *testing.T, dir string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", "doc", "-all", ".")
	cmd.Dir = filepath.Join(root, filepath.FromSlash(dir))
	cmd.Env = append(cmd.Environ(), "GO111MODULE=off")
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go doc of %s: %v", dir, err)
	}
	return string(out)
}

// publicPackages are the packages of the root module that users can import.
func publicPackages(t *testing.T) []string {
	t.Helper()
	var public []string
	for pkg := range strings.FieldsSeq(string(goCommand(t, "list", modulePath+"/..."))) {
		if !strings.Contains(pkg, "/internal") && !strings.Contains(pkg, "/examples/") && !strings.Contains(pkg, "/cmd/") {
			public = append(public, pkg)
		}
	}
	slices.Sort(public)
	return public
}

// declarations returns the lines of go doc's text that declare something: without comments and headings.
func declarations(doc string) string {
	headings := []string{"CONSTANTS", "VARIABLES", "FUNCTIONS", "TYPES"}
	var out strings.Builder
	begun := false
	for line := range strings.Lines(doc) {
		text := strings.TrimRight(line, "\n")
		switch {
		case slices.Contains(headings, text):
			begun = true
		case !begun, text == "", strings.HasPrefix(text, "    "), strings.HasPrefix(strings.TrimSpace(text), "//"):
		default:
			if i := strings.Index(text, " // "); i > 0 {
				text = strings.TrimRight(text[:i], " ")
			}
			out.WriteString(text + "\n")
		}
	}
	return out.String()
}

// difference returns the lines that only one of two texts has.
func difference(want, got string) []string {
	var list []string
	w, g := strings.Split(want, "\n"), strings.Split(got, "\n")
	for _, line := range w {
		if !slices.Contains(g, line) {
			list = append(list, "gone: "+line)
		}
	}
	for _, line := range g {
		if !slices.Contains(w, line) {
			list = append(list, "new: "+line)
		}
	}
	return list
}
