// SPDX-License-Identifier: Apache-2.0

package check_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// tool builds ddbvet.
func tool(t *testing.T) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "ddbvet")
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-o", file, "..").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return file
}

// user returns the folder of a module that uses the library of this repository and contains the cases.
func user(t *testing.T) string {
	t.Helper()
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	mod, err1 := os.ReadFile(filepath.Join(root, "go.mod"))
	sum, err2 := os.ReadFile(filepath.Join(root, "go.sum"))
	if err := errors.Join(err1, err2, os.CopyFS(dir, os.DirFS("testdata"))); err != nil {
		t.Fatal(err)
	}
	text := strings.Replace(string(mod), "module github.com/dynamotable/ddb", "module example.com/user", 1) +
		"\nrequire github.com/dynamotable/ddb v0.0.0\n\nreplace github.com/dynamotable/ddb => " + root + "\n"
	cases, err := filepath.Glob(filepath.Join(dir, "*.go.txt"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range cases {
		if err := os.Rename(file, strings.TrimSuffix(file, ".txt")); err != nil {
			t.Fatal(err)
		}
	}
	err1 = os.WriteFile(filepath.Join(dir, "go.mod"), []byte(text), 0o600)
	err2 = os.WriteFile(filepath.Join(dir, "go.sum"), sum, 0o600)
	if err := errors.Join(err1, err2); err != nil {
		t.Fatal(err)
	}
	return dir
}

// TestCases: the reports on the cases are exactly those that their comments name.
func TestCases(t *testing.T) {
	want := map[string]*regexp.Regexp{} // by file and line
	files, err := filepath.Glob("testdata/*.go.txt")
	if err != nil || len(files) < 3 {
		t.Fatal(files, err)
	}
	remark := regexp.MustCompile(`// want "(.*)"$`)
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for i, line := range strings.Split(string(text), "\n") {
			if m := remark.FindStringSubmatch(line); m != nil {
				want[fmt.Sprintf("%s:%d", strings.TrimSuffix(filepath.Base(file), ".txt"), i+1)] = regexp.MustCompile(m[1])
			}
		}
	}
	if len(want) < 30 {
		t.Fatal(len(want), "remarks")
	}
	cmd := exec.CommandContext(t.Context(), "go", "vet", "-json", "-vettool="+tool(t), ".")
	cmd.Dir = user(t)
	cmd.Env = append(os.Environ(), "GOWORK=off")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for place, message := range reports(t, string(out)) {
		if want[place] == nil || !want[place].MatchString(message) {
			t.Errorf("%s: %s", place, message)
			continue
		}
		delete(want, place)
	}
	for place, message := range want {
		t.Errorf("%s: no report that says %s", place, message)
	}
}

// reports reads the output of go vet -json.
func reports(t *testing.T, out string) map[string]string {
	t.Helper()
	found := map[string]string{}
	var lines []string
	for line := range strings.Lines(out) {
		if !strings.HasPrefix(line, "#") {
			lines = append(lines, line)
		}
	}
	for d := json.NewDecoder(strings.NewReader(strings.Join(lines, ""))); d.More(); {
		var packages map[string]map[string][]struct{ Posn, Message string }
		if err := d.Decode(&packages); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		for _, analyzers := range packages {
			for _, list := range analyzers {
				for _, r := range list {
					place := filepath.Base(r.Posn)
					found[place[:strings.LastIndexByte(place, ':')]] += r.Message
				}
			}
		}
	}
	return found
}
