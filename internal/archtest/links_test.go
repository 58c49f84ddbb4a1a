// SPDX-License-Identifier: Apache-2.0

package archtest_test

import (
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var (
	codeBlock = regexp.MustCompile("(?ms)^[ \t]*```.*?^[ \t]*```[ \t]*$")
	codeSpan  = regexp.MustCompile("`[^`\n]+`")
	link      = regexp.MustCompile(`\]\(([^)\s]+)\)`)
)

// linksOf returns the places in the repository that a document links to, as names relative to the repository.
func linksOf(document, text string) []string {
	var links []string
	text = codeSpan.ReplaceAllString(codeBlock.ReplaceAllString(text, ""), "x")
	for _, found := range link.FindAllStringSubmatch(text, -1) {
		target, _, _ := strings.Cut(found[1], "#")
		if target != "" && !strings.Contains(target, "://") && !strings.HasPrefix(target, "mailto:") {
			links = append(links, path.Join(path.Dir(document), target))
		}
	}
	return links
}

// guideExample matches the way in which a guide names its example.
var guideExample = regexp.MustCompile("(?m)(^|`)go (run|test) \\./examples/[a-z]+(`|$)")

// noExample are the guides without a program of their own, and the reasons.
var noExample = map[string]string{
	"command-line.md": "its commands are the examples",
	"exporting.md":    "its program is the example of package dump",
	"faq.md":          "it has short answers, and links to other guides",
	"vet.md":          "its examples do not pass ddbvet; they are in ddbvet/check/testdata",
}

// TestLinks: the targets of the links in a document exist. The README links to the lists of guides and examples, which are
// complete. Each guide names an example.
func TestLinks(t *testing.T) {
	t.Parallel()
	wanted := map[string]string{} // by the list that must contain them
	err := walk(func(name string) error {
		if dir, file := path.Split(name); dir == "docs/guides/" {
			wanted["("+strings.TrimPrefix(name, "docs/")+")"] = name
		} else if strings.HasPrefix(dir, "examples/") && file == "main.go" {
			wanted["`go run ./"+path.Clean(dir)+"`"] = name
		}
		if path.Ext(name) != ".md" || quoted(name) {
			return nil
		}
		text, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(name)))
		if err != nil {
			return err
		}
		for _, target := range linksOf(name, string(text)) {
			if _, err := os.Stat(filepath.Join(root, filepath.FromSlash(target))); err != nil {
				t.Errorf("%s links to %s, which does not exist", name, target)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(wanted) == 0 {
		t.Fatal("no guide and no example found: the walk starts in the wrong folder")
	}
	read := func(name string) string {
		text, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(name)))
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	for _, guide := range wanted {
		if path.Ext(guide) == ".md" && path.Dir(guide) == "docs/guides" && !guideExample.MatchString(read(guide)) && noExample[path.Base(guide)] == "" {
			t.Errorf("%s names no example", guide)
		}
	}
	var lists strings.Builder
	for _, list := range []string{"docs/README.md", "docs/examples.md"} {
		lists.WriteString(read(list))
		if !slices.Contains(linksOf("README.md", read("README.md")), list) {
			t.Errorf("README.md does not link to %s", list)
		}
	}
	for text, name := range wanted {
		if !strings.Contains(lists.String(), text) {
			t.Errorf("docs/README.md and docs/examples.md do not list %s, so readers do not find %s", text, name)
		}
	}
}

func TestLinksOf(t *testing.T) {
	t.Parallel()
	text := "[a](b.md) and [c](../d.md#part), [e](https://example.com/f), [g](#here), `h[i](j)`\n```go\nk[l](m)\n```\n![n](o.svg)\n"
	got := strings.Join(linksOf("docs/x.md", text), " ")
	if want := "docs/b.md d.md docs/o.svg"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}
