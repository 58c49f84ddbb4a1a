package archtest_test

import (
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var (
	codeBlock = regexp.MustCompile("(?ms)^[ \t]*```.*?^[ \t]*```[ \t]*$")
	codeSpan  = regexp.MustCompile("`[^`\n]+`")
	link      = regexp.MustCompile(`\]\(([^)\s]+)\)`)
)

// linksOf are the places in the repository that a document links to, as names from the repository's folder.
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

// TestLinks: what a document links to is there, and the README leads to every guide and names every example.
func TestLinks(t *testing.T) {
	t.Parallel()
	wanted := map[string]string{} // by what the README has to hold
	err := walk(func(name string) error {
		if dir, file := path.Split(name); dir == "docs/guides/" {
			wanted["("+name+")"] = name
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
				t.Errorf("%s links to %s, which is not there", name, target)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	readme, err := os.ReadFile(filepath.Join(root, "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	if len(wanted) == 0 {
		t.Fatal("no guide and no example found: the walk starts at the wrong place")
	}
	for text, name := range wanted {
		if !strings.Contains(string(readme), text) {
			t.Errorf("README.md does not hold %s, so nobody finds %s", text, name)
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
