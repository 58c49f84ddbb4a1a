// SPDX-License-Identifier: Apache-2.0

package archtest_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// diagram is the graph in docs/architecture.md: parts, each with its folders, and the imports between them.
type diagram struct {
	folders map[string][]string // by the name of the part
	edges   map[[2]string]bool
}

var (
	mermaid = regexp.MustCompile("(?s)```mermaid\ngraph TD\n(.*?)```")
	arrow   = regexp.MustCompile(`^\s*([a-z]+)(?:\["([^"]+)"\])?\s*-->\s*([a-z]+)(?:\["([^"]+)"\])?\s*$`)
)

// parseDiagram parses the first graph of a document. A part is a folder, several separated by commas, or the root.
func parseDiagram(document string) (diagram, error) {
	d := diagram{map[string][]string{}, map[[2]string]bool{}}
	graph := mermaid.FindStringSubmatch(document)
	if graph == nil {
		return d, errors.New("no graph found")
	}
	for line := range strings.SplitSeq(strings.TrimSpace(graph[1]), "\n") {
		parts := arrow.FindStringSubmatch(line)
		if parts == nil {
			return d, fmt.Errorf("a line that is not an arrow: %s", line)
		}
		for i := 1; i < len(parts); i += 2 {
			name, label := parts[i], parts[i+1]
			if label == "" && d.folders[name] == nil {
				label = name
			}
			if label != "" {
				d.folders[name] = strings.Split(strings.Replace(label, "ddb (root)", rootDir, 1), ", ")
			}
		}
		edge := [2]string{parts[1], parts[3]}
		if d.edges[edge] {
			return d, fmt.Errorf("an arrow occurs twice: %s", line)
		}
		d.edges[edge] = true
	}
	return d, nil
}

// partOf returns the part of a folder: the one with the longest path that contains it.
func (d diagram) partOf(dir string) (part string, ok bool) {
	longest := -1
	for name, folders := range d.folders {
		for _, f := range folders {
			if (dir == f || f != rootDir && under(dir, f)) && len(f) > longest {
				part, ok, longest = name, true, len(f)
			}
		}
	}
	return part, ok
}

// faults compares the arrows with the imports between folders.
func (d diagram) faults(imports [][2]string) []string {
	var faults []string
	seen := map[[2]string]bool{}
	for _, i := range imports {
		from, shown := d.partOf(i[0])
		to, ok := d.partOf(i[1])
		edge := [2]string{from, to}
		if !shown || !ok || from == to || seen[edge] {
			continue
		}
		seen[edge] = true
		if !d.edges[edge] {
			faults = append(faults, fmt.Sprintf("%s imports %s: the arrow %s --> %s is missing", i[0], i[1], from, to))
		}
	}
	for edge := range d.edges {
		if !seen[edge] {
			faults = append(faults, fmt.Sprintf("the arrow %s --> %s is no import", edge[0], edge[1]))
		}
	}
	slices.Sort(faults)
	return faults
}

// TestArchitectureDiagram compares the graph in docs/architecture.md with the imports of the packages, without tests.
func TestArchitectureDiagram(t *testing.T) {
	t.Parallel()
	document, err := os.ReadFile(filepath.Join(root, "docs", "architecture.md"))
	if err != nil {
		t.Fatal(err)
	}
	d, err := parseDiagram(string(document))
	if err != nil {
		t.Fatal(err)
	}
	var imports [][2]string
	inhabited := map[string]bool{}
	for _, f := range goFiles(t) {
		inhabited[f.dir()] = true
		if _, isLayer := layerOf(f.dir()); f.isTest() || isLayer && forTests(f.dir()) {
			continue
		}
		for _, imported := range f.imports {
			if target, ok := local(imported); ok {
				imports = append(imports, [2]string{f.dir(), target})
			}
		}
	}
	for _, fault := range d.faults(imports) {
		t.Error(fault)
	}
	for dir := range inhabited {
		_, isLayer := layerOf(dir)
		if _, ok := d.partOf(dir); !ok && isLayer && !under(dir, "testdata") {
			t.Errorf("folder %s is in no part of the graph", dir)
		}
	}
	for part, folders := range d.folders {
		for _, f := range folders {
			if !slices.ContainsFunc(goFiles(t), func(g goFile) bool { return g.dir() == f || f != rootDir && under(g.dir(), f) }) {
				t.Errorf("part %s: there is no Go file in folder %q", part, f)
			}
		}
	}
}

// TestDiagramRules: the comparison finds every kind of difference.
func TestDiagramRules(t *testing.T) {
	t.Parallel()
	graph := func(lines ...string) string {
		return "text\n```mermaid\ngraph TD\n  " + strings.Join(lines, "\n  ") + "\n```\n"
	}
	good := graph(`layers["a, b"] --> ddb["ddb (root)"]`, `ddb --> wire["internal/wire"]`, `wire --> deep["internal/wire/deep"]`)
	imports := [][2]string{{"a", ""}, {"b/inner", ""}, {"b", "a"}, {"", "internal/wire"}, {"", "elsewhere"}, {"internal/wire/x", "internal/wire/deep/y"}}
	d, err := parseDiagram(good)
	if err != nil {
		t.Fatal(err)
	}
	if faults := d.faults(imports); len(faults) > 0 {
		t.Error(faults)
	}
	for what, changed := range map[string][][2]string{
		"the arrow ddb --> wire is no import":             imports[:3],
		"the arrow layers --> wire is missing":            append(slices.Clone(imports), [2]string{"a", "internal/wire"}),
		"the arrow deep --> wire is missing":              append(slices.Clone(imports), [2]string{"internal/wire/deep", "internal/wire"}),
		"the arrow wire --> deep is no import":            imports[:5],
		"b/other imports internal/wire/deep: the arrow l": append(slices.Clone(imports), [2]string{"b/other", "internal/wire/deep"}),
	} {
		if faults := strings.Join(d.faults(changed), "\n"); !strings.Contains(faults, what) {
			t.Errorf("got %q, want %q", faults, what)
		}
	}
	for _, bad := range []string{"no graph", graph("a --> b", "a --> b"), graph("a to b"), graph("a -.-> b")} {
		if _, err := parseDiagram(bad); err == nil {
			t.Errorf("%q passes", bad)
		}
	}
}
