// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"html/template"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
)

// repository is the base of links to files that are not pages.
const repository = "https://github.com/dynamotable/ddb"

//go:embed page.html style.css site.js
var assets embed.FS

// page is one Markdown file.
type page struct {
	source string // relative to the repository, with slashes: docs/guides/cost.md
	output string // relative to the site: guides/cost.html
	title  string
	body   template.HTML
	parts  []part
	links  []reference
	images []string // files of the repository that it shows
}

// part is a heading and the text below it, for the search and for the list of headings.
type part struct {
	ID    string
	Title string
	Level int
	Text  string
}

// reference is a link from one page to another, or within it.
type reference struct {
	line     string // as it is written
	output   string
	fragment string
}

// sources are the Markdown files that become pages.
func sources(root string) ([]string, error) {
	files := []string{"README.md", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md"}
	for _, pattern := range []string{"docs/*.md", "docs/guides/*.md", "docs/decisions/*.md"} {
		found, err := filepath.Glob(filepath.Join(root, filepath.FromSlash(pattern)))
		if err != nil {
			return nil, err
		}
		for _, f := range found {
			rel, err := filepath.Rel(root, f)
			if err != nil {
				return nil, err
			}
			files = append(files, filepath.ToSlash(rel))
		}
	}
	return files, nil
}

// outputOf returns the page of a source: index.html for README.md, documentation.html for docs/README.md.
func outputOf(source string) string {
	switch source {
	case "README.md":
		return "index.html"
	case "docs/README.md":
		return "documentation.html"
	}
	name := strings.TrimSuffix(strings.TrimPrefix(source, "docs/"), ".md")
	if base := path.Base(name); base == "README" {
		return path.Dir(name) + "/index.html"
	}
	return strings.ToLower(name) + ".html"
}

// build writes the site of the repository to a folder.
func build(root, out string) (int, error) {
	files, err := sources(root)
	if err != nil {
		return 0, err
	}
	outputs := map[string]string{}
	for _, f := range files {
		outputs[f] = outputOf(f)
	}
	var pages []*page
	for _, f := range files {
		text, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(f)))
		if err != nil {
			return 0, err
		}
		p, err := render(f, text, outputs)
		if err != nil {
			return 0, fmt.Errorf("%s: %w", f, err)
		}
		pages = append(pages, p)
	}
	if err := check(root, pages); err != nil {
		return 0, err
	}
	return len(pages), write(root, out, pages)
}

// check reports every link without a target.
func check(root string, pages []*page) error {
	anchors := map[string]map[string]bool{}
	for _, p := range pages {
		anchors[p.output] = map[string]bool{"": true}
		for _, h := range p.parts {
			anchors[p.output][h.ID] = true
		}
	}
	var problems []error
	for _, p := range pages {
		for _, l := range p.links {
			if l.output == "" { // a file of the repository
				if _, err := os.Stat(filepath.Join(root, filepath.FromSlash(l.fragment))); err != nil {
					problems = append(problems, fmt.Errorf("%s links to %s, which is not there", p.source, l.line))
				}
			} else if !anchors[l.output][l.fragment] {
				problems = append(problems, fmt.Errorf("%s links to %s, which has no such heading", p.source, l.line))
			}
		}
	}
	return errors.Join(problems...)
}

// entry is an entry in the list of pages.
type entry struct {
	Title, URL string
	Current    bool
	Parts      []part // of the current page
}

type group struct {
	Title   string
	Entries []entry
}

// groups returns the pages in the order of docs/README.md; the others are last.
func groups(pages []*page, index *page, current *page) []group {
	by := map[string]*page{}
	for _, p := range pages {
		by[p.output] = p
	}
	seen := map[string]bool{}
	add := func(g *group, p *page) {
		if p == nil || seen[p.output] {
			return
		}
		seen[p.output] = true
		e := entry{Title: p.title, URL: current.relative(p.output), Current: p == current}
		if p.output == "index.html" {
			e.Title = "Start"
		}
		if e.Current {
			e.Parts = slices.DeleteFunc(slices.Clone(p.parts), func(h part) bool { return h.Level != 2 })
		}
		g.Entries = append(g.Entries, e)
	}
	list := []group{{Title: "ddb"}}
	add(&list[0], by["index.html"])
	add(&list[0], index)
	guides, reference := group{Title: "Guides"}, group{Title: "Reference"}
	for _, l := range index.links {
		if strings.HasPrefix(l.output, "guides/") {
			add(&guides, by[l.output])
		} else {
			add(&reference, by[l.output])
		}
	}
	others := group{Title: "Project"}
	for _, p := range pages {
		if !strings.HasPrefix(p.output, "decisions/") || p == current {
			add(&others, p)
		}
	}
	return append(list, guides, reference, others)
}

// found is the entry of a part of a page in the search index.
type found struct {
	URL   string `json:"u"`
	Page  string `json:"p"`
	Title string `json:"t"`
	Text  string `json:"x"`
}

func write(root, out string, pages []*page) error {
	layout, err := template.ParseFS(assets, "page.html")
	if err != nil {
		return err
	}
	index := pages[slices.IndexFunc(pages, func(p *page) bool { return p.source == "docs/README.md" })]
	var search []found
	for _, p := range pages {
		var text bytes.Buffer
		err := layout.Execute(&text, map[string]any{
			"Title": p.title, "Body": p.body, "Groups": groups(pages, index, p), "Source": repository + "/blob/main/" + p.source,
			"Up": p.relative(""),
		})
		if err != nil {
			return err
		}
		if err := writeFile(out, p.output, text.Bytes()); err != nil {
			return err
		}
		for _, h := range p.parts {
			url := p.output
			if h.Level > 1 {
				url += "#" + h.ID
			}
			search = append(search, found{url, p.title, h.Title, h.Text})
		}
		for _, image := range p.images {
			data, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(image)))
			if err != nil {
				return err
			}
			if err := writeFile(out, strings.TrimPrefix(image, "docs/"), data); err != nil {
				return err
			}
		}
	}
	list, err := json.Marshal(search)
	if err != nil {
		return err
	}
	// This is a script and not a JSON file, because pages that are read from a folder may only load scripts.
	if err := writeFile(out, "search.js", slices.Concat([]byte("window.pages = "), list, []byte(";\n"))); err != nil {
		return err
	}
	for _, name := range []string{"style.css", "site.js"} {
		data, err := assets.ReadFile(name)
		if err != nil {
			return err
		}
		if name == "style.css" {
			colours, err := codeColours()
			if err != nil {
				return err
			}
			data = slices.Concat(data, colours)
		}
		if err := writeFile(out, name, data); err != nil {
			return err
		}
	}
	return nil
}

func writeFile(out, name string, data []byte) error {
	file := filepath.Join(out, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil { //nolint:gosec // a web server reads it
		return err
	}
	return os.WriteFile(file, data, 0o644) //nolint:gosec // the same
}
