// SPDX-License-Identifier: Apache-2.0

package ddb_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestDocsNameExistingTests: every test that a guarantee names exists.
func TestDocsNameExistingTests(t *testing.T) {
	var code strings.Builder
	err := filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, "_test.go") {
			return err
		}
		text, err := os.ReadFile(path)
		code.Write(text)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	name := regexp.MustCompile("`((?:Test|Fuzz)[A-Za-z0-9]+)`")
	for _, doc := range []string{"docs/guarantees.md", "docs/retries.md"} {
		text, err := os.ReadFile(filepath.FromSlash(doc))
		if err != nil {
			t.Fatal(err)
		}
		named := name.FindAllStringSubmatch(string(text), -1)
		if len(named) < 10 {
			t.Errorf("%s names %d tests", doc, len(named))
		}
		for _, n := range named {
			if !strings.Contains(code.String(), "func "+n[1]+"(") {
				t.Errorf("%s: there is no %s", doc, n[1])
			}
		}
	}
}
