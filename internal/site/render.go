// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"errors"
	"fmt"
	"html/template"
	"path"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"github.com/alecthomas/chroma/v2"
	"github.com/alecthomas/chroma/v2/formatters/html"
	"github.com/alecthomas/chroma/v2/lexers"
	"github.com/alecthomas/chroma/v2/styles"
	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/extension"
	east "github.com/yuin/goldmark/extension/ast"
	"github.com/yuin/goldmark/parser"
	"github.com/yuin/goldmark/renderer"
	"github.com/yuin/goldmark/text"
	"github.com/yuin/goldmark/util"
)

// render converts a Markdown file to a page.
func render(source string, markdown []byte, outputs map[string]string) (*page, error) {
	p := &page{source: source, output: outputs[source]}
	md := goldmark.New(
		goldmark.WithExtensions(extension.Table, extension.Strikethrough),
		goldmark.WithParserOptions(parser.WithAutoHeadingID()),
		goldmark.WithRendererOptions(renderer.WithNodeRenderers(util.Prioritized(nodes{}, 100))),
	)
	doc := md.Parser().Parse(text.NewReader(markdown), parser.WithContext(parser.NewContext(parser.WithIDs(&headingIDs{}))))
	if err := p.read(doc, markdown); err != nil {
		return nil, err
	}
	if err := p.relink(doc, outputs); err != nil {
		return nil, err
	}
	var body bytes.Buffer
	if err := md.Renderer().Render(&body, markdown, doc); err != nil {
		return nil, err
	}
	p.body = template.HTML(body.String()) //nolint:gosec // goldmark escapes, and leaves raw HTML out
	if p.title == "" {
		return nil, errors.New("no heading of level 1")
	}
	return p, nil
}

// read extracts the headings and their text from the document.
func (p *page) read(doc ast.Node, source []byte) error {
	return ast.Walk(doc, func(n ast.Node, entering bool) (ast.WalkStatus, error) {
		if !entering {
			return ast.WalkContinue, nil
		}
		switch n := n.(type) {
		case *ast.Heading:
			id, _ := n.AttributeString("id")
			name, _ := id.([]byte)
			h := part{ID: string(name), Title: plain(n, source), Level: n.Level}
			if n.Level == 1 && p.title == "" {
				p.title = h.Title
			}
			p.parts = append(p.parts, h)
			return ast.WalkSkipChildren, nil
		case *ast.Paragraph, *ast.TextBlock, *east.TableCell, *ast.FencedCodeBlock:
			if len(p.parts) > 0 {
				last := &p.parts[len(p.parts)-1]
				last.Text = strings.TrimSpace(last.Text + " " + strings.Join(strings.Fields(plain(n, source)), " "))
			}
			return ast.WalkSkipChildren, nil
		}
		return ast.WalkContinue, nil
	})
}

// plain returns the text of a node.
func plain(n ast.Node, source []byte) string {
	var b strings.Builder
	if n.Type() == ast.TypeBlock && n.FirstChild() == nil {
		for _, line := range n.Lines().Sliced(0, n.Lines().Len()) {
			b.Write(line.Value(source))
		}
		return b.String()
	}
	for c := n.FirstChild(); c != nil; c = c.NextSibling() {
		switch c := c.(type) {
		case *ast.Text:
			b.Write(c.Segment.Value(source))
			if c.SoftLineBreak() || c.HardLineBreak() {
				b.WriteByte(' ')
			}
		case *ast.String:
			b.Write(c.Value)
		default:
			b.WriteString(plain(c, source))
		}
	}
	return b.String()
}

// relink changes links to Markdown files into links to pages, and links to other files into links to the repository. Images from
// other sites are replaced by their text, so that a page sends no request to another site.
func (p *page) relink(doc ast.Node, outputs map[string]string) error {
	var foreign []*ast.Image
	err := ast.Walk(doc, func(n ast.Node, entering bool) (ast.WalkStatus, error) {
		if !entering {
			return ast.WalkContinue, nil
		}
		switch n := n.(type) {
		case *ast.Image:
			target := string(n.Destination)
			if external(target) {
				foreign = append(foreign, n)
				return ast.WalkContinue, nil
			}
			image := path.Join(path.Dir(p.source), target)
			if !strings.HasPrefix(image, "docs/") {
				return ast.WalkStop, fmt.Errorf("the image %s is not in docs/", target)
			}
			p.images = append(p.images, image)
			n.Destination = []byte(p.relative(strings.TrimPrefix(image, "docs/")))
		case *ast.Link:
			n.Destination = []byte(p.target(string(n.Destination), outputs))
		}
		return ast.WalkContinue, nil
	})
	for _, n := range foreign {
		parent := n.Parent()
		for c := n.FirstChild(); c != nil; c = n.FirstChild() {
			parent.InsertBefore(parent, n, c)
		}
		parent.RemoveChild(parent, n)
	}
	return err
}

func external(target string) bool {
	return strings.Contains(target, "://") || strings.HasPrefix(target, "mailto:")
}

// target returns the target on the site of a link in the page.
func (p *page) target(written string, outputs map[string]string) string {
	if external(written) {
		return written
	}
	name, fragment, hasFragment := strings.Cut(written, "#")
	if name == "" {
		p.links = append(p.links, reference{written, p.output, fragment})
		return written
	}
	file := path.Join(path.Dir(p.source), name)
	if _, ok := outputs[file]; !ok {
		if _, ok := outputs[file+"/README.md"]; ok { // a folder with a page
			file += "/README.md"
		}
	}
	if output, ok := outputs[file]; ok {
		p.links = append(p.links, reference{written, output, fragment})
		link := p.relative(output)
		if hasFragment {
			link += "#" + fragment
		}
		return link
	}
	if image := strings.TrimPrefix(file, "docs/"); image != file && slices.Contains([]string{".svg", ".png"}, path.Ext(file)) {
		p.images = append(p.images, file)
		return p.relative(image)
	}
	p.links = append(p.links, reference{line: written, fragment: file})
	kind := "blob"
	if path.Ext(file) == "" && path.Base(file) != "LICENSE" && path.Base(file) != "Dockerfile" {
		kind = "tree"
	}
	link := repository + "/" + kind + "/main/" + file
	if hasFragment {
		link += "#" + fragment
	}
	return link
}

// relative returns the link from the page to a file of the site; "" means its folder.
func (p *page) relative(output string) string {
	return strings.Repeat("../", strings.Count(p.output, "/")) + output
}

// headingIDs makes the same IDs as GitHub, so that links work in both places.
type headingIDs struct{ used map[string]int }

func (h *headingIDs) Generate(value []byte, _ ast.NodeKind) []byte {
	var b strings.Builder
	for _, r := range strings.ToLower(strings.TrimSpace(string(value))) {
		switch {
		case unicode.IsLetter(r), unicode.IsDigit(r), r == '-', r == '_':
			b.WriteRune(r)
		case r == ' ':
			b.WriteByte('-')
		}
	}
	if h.used == nil {
		h.used = map[string]int{}
	}
	id := b.String()
	n := h.used[id]
	h.used[id]++
	if n > 0 {
		id += "-" + strconv.Itoa(n)
	}
	return []byte(id)
}

func (h *headingIDs) Put([]byte) {}

// nodes renders what differs from goldmark's own rendering: coloured code, tables that scroll, no raw HTML.
type nodes struct{}

func (n nodes) RegisterFuncs(r renderer.NodeRendererFuncRegisterer) {
	r.Register(ast.KindFencedCodeBlock, n.code)
	r.Register(ast.KindHTMLBlock, n.nothing)
	r.Register(ast.KindRawHTML, n.nothing)
	r.Register(east.KindTable, n.table)
}

func (nodes) nothing(util.BufWriter, []byte, ast.Node, bool) (ast.WalkStatus, error) {
	return ast.WalkSkipChildren, nil
}

func (nodes) table(w util.BufWriter, _ []byte, _ ast.Node, entering bool) (ast.WalkStatus, error) {
	if entering {
		_, _ = w.WriteString(`<div class="scroll" tabindex="0"><table>` + "\n")
	} else {
		_, _ = w.WriteString("</tbody></table></div>\n")
	}
	return ast.WalkContinue, nil
}

var formatter = html.New(html.WithClasses(true), html.WithCustomCSS(nil))

func (nodes) code(w util.BufWriter, source []byte, node ast.Node, entering bool) (ast.WalkStatus, error) {
	block, ok := node.(*ast.FencedCodeBlock)
	if !entering || !ok {
		return ast.WalkContinue, nil
	}
	var code strings.Builder
	for _, line := range block.Lines().Sliced(0, block.Lines().Len()) {
		code.Write(line.Value(source))
	}
	lexer := lexers.Get(string(block.Language(source)))
	if lexer == nil {
		lexer = lexers.Fallback
	}
	tokens, err := chroma.Coalesce(lexer).Tokenise(nil, code.String())
	if err != nil {
		return ast.WalkStop, err
	}
	return ast.WalkSkipChildren, formatter.Format(w, styles.Fallback, tokens)
}

// codeColours are the CSS rules of code in both colour schemes.
func codeColours() ([]byte, error) {
	var css bytes.Buffer
	for _, scheme := range []struct{ name, style string }{{"light", "github"}, {"dark", "github-dark"}} {
		fmt.Fprintf(&css, "@media (prefers-color-scheme: %s) {\n", scheme.name)
		if err := formatter.WriteCSS(&css, styles.Get(scheme.style)); err != nil {
			return nil, err
		}
		css.WriteString("}\n")
	}
	return css.Bytes(), nil
}
