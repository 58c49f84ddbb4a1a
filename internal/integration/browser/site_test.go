// SPDX-License-Identifier: Apache-2.0

package browser_test

import (
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// buildSite builds the documentation, and returns the names of its pages.
func buildSite(t *testing.T) (dir string, pages []string) {
	t.Helper()
	dir = t.TempDir()
	cmd := exec.CommandContext(t.Context(), "go", "run", ".", "-out", dir)
	cmd.Dir = filepath.Join("..", "..", "site")
	cmd.Env = append(os.Environ(), "GOWORK=off")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("the site was not built: %v\n%s", err, out)
	}
	err := fs.WalkDir(os.DirFS(dir), ".", func(name string, _ fs.DirEntry, err error) error {
		if strings.HasSuffix(name, ".html") {
			pages = append(pages, name)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(pages) < 50 {
		t.Fatalf("only %d pages", len(pages))
	}
	return dir, pages
}

// TestSite: the documentation in a browser.
func TestSite(t *testing.T) {
	dir, pages := buildSite(t)
	b := &tab{t: t}
	b.start(http.FileServer(http.Dir(dir)), "/")
	for _, part := range []struct {
		name string
		run  func(*testing.T, *tab, []string)
	}{
		{"every page", everyPage},
		{"search", siteSearch},
		{"search by keyboard", searchByKeyboard},
		{"colours", siteColours},
		{"without scripts", withoutScripts},
	} {
		t.Run(part.name, func(t *testing.T) {
			b.t = t
			part.run(t, b, pages)
			b.calm()
		})
	}
	t.Run("from a folder", func(t *testing.T) {
		b.t = t
		b.base = "file://" + dir + "/"
		b.requests = nil
		siteSearch(t, b, pages)
		b.calm()
	})
}

// everyPage: no page is wider than the screen of a phone or a computer, and its title and its position in the list are correct.
// Each link within the site leads to an existing page, and to an element of it.
func everyPage(t *testing.T, b *tab, pages []string) {
	type shown struct {
		Width    int64    `json:"width"`
		Listed   bool     `json:"listed"` // the list of pages is open
		Heading  string   `json:"heading"`
		Current  string   `json:"current"` // the page that the list marks
		Missing  []string `json:"missing"` // images
		Elements []string `json:"elements"`
		Links    []string `json:"links"`
	}
	ids, links := map[string][]string{}, map[string][]string{}
	for _, width := range []int64{390, 1280} {
		b.size(width, 844)
		for _, page := range pages {
			b.visit(page)
			got := evaluate[shown](b, `({
				width: document.documentElement.scrollWidth, listed: document.querySelector(".pages").open,
				heading: document.querySelector("main h1").textContent, current: document.querySelector("nav [aria-current]").textContent,
				missing: [...document.images].filter(i => !(i.complete && i.naturalWidth > 0)).map(i => i.src),
				elements: [...document.querySelectorAll("[id]")].map(n => n.id), links: [...document.links].map(a => a.href),
			})`)
			if got.Width > width {
				t.Errorf("%s is %d wide on a screen of %d", page, got.Width, width)
			}
			if got.Listed != (width > 860) {
				t.Errorf("%s: the list of pages is open: %v, at width %d", page, got.Listed, width)
			}
			if got.Current != got.Heading && page != "index.html" {
				t.Errorf("%s: the list marks %q, the heading is %q", page, got.Current, got.Heading)
			}
			if len(got.Missing) > 0 {
				t.Errorf("%s: images are not shown: %q", page, got.Missing)
			}
			ids[page], links[page] = got.Elements, got.Links
		}
	}
	b.size(1280, 900)
	follow(t, b, pages, ids, links)
}

// follow looks up where the links of all pages lead.
func follow(t *testing.T, b *tab, pages []string, ids, links map[string][]string) {
	t.Helper()
	inside, reached := 0, map[string]bool{"index.html": true}
	for page, list := range links {
		for _, link := range list {
			rest, ok := strings.CutPrefix(link, b.base)
			if !ok {
				if !strings.HasPrefix(link, "https://") && !strings.HasPrefix(link, "mailto:") {
					t.Errorf("%s links to %s", page, link)
				}
				continue
			}
			inside++
			target, fragment, _ := strings.Cut(rest, "#")
			if target == "" || strings.HasSuffix(target, "/") { // the file server has index.html there
				target += "index.html"
			}
			fragment, err := url.PathUnescape(fragment)
			if err != nil {
				t.Errorf("%s links to %s: %v", page, link, err)
			}
			reached[target] = reached[target] || target != page
			switch {
			case strings.HasSuffix(target, ".svg"), strings.HasSuffix(target, ".png"):
				status, err := http.Get(b.base + target)
				if err != nil || status.StatusCode != http.StatusOK {
					t.Errorf("%s links to %s, which does not exist", page, link)
				}
				if err == nil {
					_ = status.Body.Close()
				}
			case ids[target] == nil:
				t.Errorf("%s links to %s, which is not a page", page, link)
			case fragment != "" && !slices.Contains(ids[target], fragment):
				t.Errorf("%s links to %s, which has no such element", page, link)
			}
		}
	}
	for _, page := range pages {
		if !reached[page] {
			t.Errorf("no page links to %s", page)
		}
	}
	t.Logf("%d pages, %d links within the site", len(pages), inside)
}

const resultTexts = `[...document.querySelectorAll("#results b")].map(n => n.textContent)`

// ask types a query into the search.
func (b *tab) ask(text string) []string {
	b.t.Helper()
	b.must(chromedp.Do(b.ctx, chromedp.Click("#query")))
	evaluate[bool](b, `document.getElementById("query").select() === undefined`)
	b.press(text)
	b.until(`document.getElementById("query").value === ` + quoted(text))
	return evaluate[[]string](b, resultTexts)
}

func siteSearch(t *testing.T, b *tab, _ []string) {
	b.visit("guides/cost.html")
	for query, want := range map[string]string{
		"lost replies":      "Writes and conflicts › Lost replies",
		"ErrOutcomeUnknown": "Writes and conflicts › Lost replies",
		"tombstones":        "Your first service › The tables",
		"BUDGET":            "Cost › A limit: Budget",
		"sealed token":      "Paging › Tokens for a browser",
	} {
		got := b.ask(query)
		if len(got) == 0 || !slices.ContainsFunc(got[:min(3, len(got))], func(s string) bool { return strings.HasPrefix(s, want) }) {
			t.Errorf("%q finds %q, and not %q among the first three", query, got, want)
		}
	}
	if got := b.ask("zyzzyva"); len(got) != 0 || !evaluate[bool](b, `document.getElementById("results").hidden`) {
		t.Errorf("a word that no page has finds %q", got)
	}
	if got := b.ask("<img src=x>"); slices.ContainsFunc(got, func(s string) bool { return s == "" }) || evaluate[int](b, `document.querySelectorAll("#results img").length`) != 0 {
		t.Errorf("a query becomes HTML: %q", got)
	}
}

func searchByKeyboard(t *testing.T, b *tab, _ []string) {
	b.visit("guides/cost.html")
	b.press("/")
	b.until(`document.activeElement.id === "query"`)
	// A browser does not insert the character of a handled key; the protocol of this test does.
	evaluate[bool](b, `document.getElementById("query").select() === undefined`)
	b.press("lost replies")
	b.until(`document.querySelectorAll("#results li").length > 1`)
	b.press(kb.ArrowDown)
	b.until(`document.getElementById("result-1").getAttribute("aria-selected") === "true"`)
	b.press(kb.ArrowUp)
	want := evaluate[string](b, `document.querySelector("#results a").href`)
	b.press(kb.Escape)
	b.until(`document.getElementById("results").hidden`)
	b.ask("lost replies")
	b.press(kb.Enter)
	b.until(`location.href === ` + quoted(want))
	if !strings.HasSuffix(want, "writes.html#lost-replies") {
		t.Errorf("the search leads to %s", want)
	}
	b.until(`document.readyState === "complete"`)
	if top := evaluate[float64](b, `document.getElementById("lost-replies").getBoundingClientRect().top`); top < 40 || top > 200 {
		t.Errorf("the heading is at %g, behind the header or outside the screen", top)
	}
}

// siteColours: the colour schemes differ, and all text is readable.
func siteColours(t *testing.T, b *tab, _ []string) {
	backgrounds := map[string]bool{}
	for _, page := range []string{"index.html", "guides/cost.html", "guides/first-service.html", "handles.html"} {
		b.visit(page)
		for _, scheme := range []string{"light", "dark"} {
			b.prefer(scheme)
			b.until(`matchMedia("(prefers-color-scheme: ` + scheme + `)").matches`)
			backgrounds[b.text(`getComputedStyle(document.body).backgroundColor`)] = true
			b.readable(page + ", " + scheme)
		}
	}
	b.prefer("light")
	if len(backgrounds) != 2 {
		t.Errorf("the backgrounds are %v", backgrounds)
	}
	if os.Getenv(screenshotsVariable) != "" {
		b.visit("guides/cost.html")
		b.ask("lost replies")
		b.keep("site")
	}
}

// withoutScripts: everything except the search works.
func withoutScripts(t *testing.T, b *tab, _ []string) {
	b.scripts(false)
	b.visit("guides/writes.html")
	if n := evaluate[int](b, `document.querySelectorAll("nav a").length`); n < 40 {
		t.Errorf("%d links in the list of pages", n)
	}
	if !evaluate[bool](b, `document.getElementById("query").disabled`) {
		t.Error("the search can be used, and finds nothing")
	}
	b.scripts(true)
}
