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
