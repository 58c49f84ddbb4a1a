// SPDX-License-Identifier: Apache-2.0

package main

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/yuin/goldmark/ast"
)

// repositoryWith returns a repository with the given files and the minimum that a site needs.
func repositoryWith(t *testing.T, files map[string]string) string {
	t.Helper()
	root := t.TempDir()
	all := map[string]string{
		"README.md": "# ddb\n", "CHANGELOG.md": "# Changelog\n", "CONTRIBUTING.md": "# Contributing\n", "SECURITY.md": "# Security\n",
		"docs/README.md": "# Documentation\n\n- [A](guides/a.md)\n", "docs/guides/a.md": "# A\n\n## Part one\n",
	}
	maps.Copy(all, files)
	for name, text := range all {
		if err := writeFile(root, name, []byte(text)); err != nil {
			t.Fatal(err)
		}
	}
	return root
}

// TestDeadLinks: a link to a missing page stops the build, and the error names it.
func TestDeadLinks(t *testing.T) {
	for _, test := range []struct{ name, text, want string }{
		{"page", "# B\n[x](c.md)", "docs/guides/b.md links to c.md, which is not there"},
		{"heading", "# B\n[x](a.md#part-two)", "docs/guides/b.md links to a.md#part-two, which has no such heading"},
		{"own heading", "# B\n[x](#none)", "docs/guides/b.md links to #none, which has no such heading"},
		{"file", "# B\n[x](../../none.go)", "docs/guides/b.md links to ../../none.go, which is not there"},
		{"image", "# B\n![x](none.svg)", "none.svg: no such file"},
		{"no title", "text", "docs/guides/b.md: no heading of level 1"},
		{"no dead link", "# B\n[x](a.md#part-one), [y](../README.md), [z](../guides/a.md), [u](https://example.com/), [v](#b), `[w](none.md)`", ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, err := build(repositoryWith(t, map[string]string{"docs/guides/b.md": test.text}), t.TempDir())
			if (err == nil) != (test.want == "") || (err != nil && !strings.Contains(err.Error(), test.want)) {
				t.Errorf("%v, not %q", err, test.want)
			}
		})
	}
}

// TestPage: a page has the content of its source.
func TestPage(t *testing.T) {
	out := t.TempDir()
	root := repositoryWith(t, map[string]string{
		"docs/guides/b.md": "# B & C\n\n[up](../README.md) [home](../../README.md) [part](a.md#part-one) [file](../../x.go) ![far](https://example.com/x.svg)\n\n" +
			"<!-- go\nhidden()\n-->\n\n```go\nshown()\n```\n\n| h |\n|---|\n| cell <script>alert(1)</script> |\n\n<script>alert(2)</script>\n",
		"x.go": "package x\n",
	})
	if _, err := build(root, out); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(out, "guides", "b.html"))
	if err != nil {
		t.Fatal(err)
	}
	_, body, _ := strings.Cut(string(text), "<main")
	for _, want := range []string{
		`<h1 id="b--c">B &amp; C</h1>`, `href="../documentation.html"`, `href="../index.html"`, `href="../guides/a.html#part-one"`,
		`href="https://github.com/dynamotable/ddb/blob/main/x.go"`, "far", `<div class="scroll" tabindex="0"><table>`, "shown",
	} {
		if !strings.Contains(body, want) {
			t.Errorf("the page lacks %q:\n%s", want, body)
		}
	}
	for _, unwanted := range []string{"hidden", "<script", "<img", "example.com"} {
		if strings.Contains(body, unwanted) {
			t.Errorf("the page has %q:\n%s", unwanted, body)
		}
	}
	search, err := os.ReadFile(filepath.Join(out, "search.js"))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`"u":"guides/a.html#part-one","p":"A","t":"Part one"`, "shown()"} {
		if !strings.Contains(string(search), want) {
			t.Errorf("the search lacks %q: %s", want, search)
		}
	}
}

// TestHeadingIDs: the IDs are those of GitHub.
func TestHeadingIDs(t *testing.T) {
	var ids headingIDs
	var got []string
	for _, title := range []string{"Before the call: Explain", "A limit: `Budget`", "go test ./...", "Same", "Same", "Ünicode_x-y", "0.1.0"} {
		got = append(got, string(ids.Generate([]byte(title), ast.KindHeading)))
	}
	want := []string{"before-the-call-explain", "a-limit-budget", "go-test-", "same", "same-1", "ünicode_x-y", "010"}
	if !slices.Equal(got, want) {
		t.Errorf("%q, not %q", got, want)
	}
}
