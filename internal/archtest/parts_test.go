// SPDX-License-Identifier: Apache-2.0

package archtest_test

import (
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var quotedFile = regexp.MustCompile("`([\\w*]+\\.go)`")

// unnamed returns the files that the table of a document does not name, and the names in it without a file.
func unnamed(table string, files []string) (missing, stale []string) {
	named := map[string]bool{}
	for _, m := range quotedFile.FindAllStringSubmatch(table, -1) {
		named[m[1]] = true
	}
	for _, f := range files {
		if !named[f] {
			missing = append(missing, f)
		}
		delete(named, f)
	}
	for f := range named {
		stale = append(stale, f)
	}
	return missing, stale
}

// partFolders are the folders whose files have a table in docs/architecture.md, by the title of the table.
var partFolders = map[string]string{
	"The root package":  rootDir,
	"`internal/core`":   internals + "/core",
	"`internal/handle`": internals + "/handle",
	"`internal/operr`":  internals + "/operr",
}

// TestPartsAreNamed: each table of parts in docs/architecture.md has every file of its folder, and no others.
func TestPartsAreNamed(t *testing.T) {
	t.Parallel()
	document, err := os.ReadFile(filepath.Join(root, "docs", "architecture.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, parts, ok := strings.Cut(string(document), "\n## The parts\n")
	if !ok {
		t.Fatal("docs/architecture.md has no section The parts")
	}
	parts, _, _ = strings.Cut(parts, "\n## ")
	for title, dir := range partFolders {
		_, table, ok := strings.Cut(parts, "\n### "+title+"\n")
		if !ok {
			t.Errorf("docs/architecture.md has no table %s", title)
		}
		table, _, _ = strings.Cut(table, "\n### ")
		var files []string
		for _, f := range goFiles(t) {
			if f.dir() == dir && !f.isTest() && f.module == "" {
				files = append(files, path.Base(f.name))
			}
		}
		missing, stale := unnamed(table, files)
		for _, f := range missing {
			t.Errorf("the table %s in docs/architecture.md does not name %s: add it to the line of its concept", title, f)
		}
		for _, f := range stale {
			t.Errorf("the table %s in docs/architecture.md names %s, which is not there", title, f)
		}
	}
}

func TestPartsRule(t *testing.T) {
	t.Parallel()
	missing, stale := unnamed("| `a.go`, `old.go` | things |", []string{"a.go", "b.go"})
	if len(missing) != 1 || missing[0] != "b.go" || len(stale) != 1 || stale[0] != "old.go" {
		t.Errorf("missing %q, stale %q", missing, stale)
	}
}

var (
	quotedPath = regexp.MustCompile("`([\\w/]+/\\w+\\.go)`")
	declaredIn = regexp.MustCompile("`(?:\\w+\\.)?(\\w+)`(?: and `\\w+`)? (?:in|of) `([\\w/]+/\\w+\\.go)`")
)

// staleAnswers returns the paths that a document names and that are not there, and the declarations that it says a file has and that it lacks.
func staleAnswers(document string, sources map[string]string) (faults []string) {
	for _, m := range quotedPath.FindAllStringSubmatch(document, -1) {
		if _, ok := sources[m[1]]; !ok {
			faults = append(faults, m[1]+" is not there")
		}
	}
	for _, m := range declaredIn.FindAllStringSubmatch(document, -1) {
		declaration := regexp.MustCompile(`(?m)^(?:func (?:\([^)]*\) )?|type |var |const |\t)` + m[1] + `\b`)
		if source, ok := sources[m[2]]; ok && !declaration.MatchString(source) {
			faults = append(faults, m[2]+" does not declare "+m[1])
		}
	}
	return faults
}

// TestAnswersHold: the files and declarations that CONTRIBUTING.md and docs/architecture.md name are where they say.
func TestAnswersHold(t *testing.T) {
	t.Parallel()
	sources := map[string]string{}
	for _, f := range goFiles(t) {
		sources[f.name] = f.source
	}
	found := 0
	for _, name := range []string{"CONTRIBUTING.md", "docs/architecture.md"} {
		document, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(name)))
		if err != nil {
			t.Fatal(err)
		}
		found += len(declaredIn.FindAllString(string(document), -1))
		for _, fault := range staleAnswers(string(document), sources) {
			t.Errorf("%s: %s", name, fault)
		}
	}
	if found < 6 {
		t.Errorf("only %d declarations are named; this test looks for the wrong thing", found)
	}
}

func TestAnswersRule(t *testing.T) {
	t.Parallel()
	sources := map[string]string{"a/b.go": "package a\n\nfunc (x *T) send() {}\n\nvar list = 1\n"}
	for document, want := range map[string]int{
		"`send` in `a/b.go`": 0, "`T.send` in `a/b.go`": 0, "`list` of `a/b.go`": 0, "`sen` in `a/b.go`": 1, "`x` in `a/b.go`": 1, "see `a/c.go`": 1,
	} {
		if faults := staleAnswers(document, sources); len(faults) != want {
			t.Errorf("%s: %q", document, faults)
		}
	}
}
