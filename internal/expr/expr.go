// SPDX-License-Identifier: Apache-2.0

// Package expr renders typed expression nodes to the text of DynamoDB expressions. Every attribute name becomes a #-placeholder
// and every value a :-placeholder, so reserved words and unusual names are safe, and values are never part of the text.
package expr

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// Step is one element of a document path: the name of an attribute or a map key, or a
// list index when Name is empty and Indexed is set.
type Step struct {
	Name    string
	Index   int
	Indexed bool
	Data    bool // Name is a key of a map, which is data and never shown
}

// shown returns the name as it is shown to people.
func (s Step) shown() string {
	if s.Data {
		return "?"
	}
	return s.Name
}

// Path is a document path; the top-level attribute is first.
type Path []Step

// Attribute returns a path that consists only of names.
func Attribute(names ...string) Path {
	p := make(Path, len(names))
	for i, n := range names {
		p[i] = Step{Name: n}
	}
	return p
}

// Key returns the path extended by a map key.
func (p Path) Key(name string) Path { return append(slices.Clip(p), Step{Name: name, Data: true}) }

// At returns the path extended by a list index.
func (p Path) At(i int) Path { return append(slices.Clip(p), Step{Index: i, Indexed: true}) }

// String returns the path as it is shown to people: names of attributes unchanged, a question mark for each key of a map, indexes
// in brackets.
func (p Path) String() string {
	if len(p) == 1 && !p[0].Indexed {
		return p[0].shown()
	}
	var b strings.Builder
	for i, s := range p {
		switch {
		case s.Indexed:
			fmt.Fprintf(&b, "[%d]", s.Index)
		case i > 0:
			b.WriteByte('.')
			b.WriteString(s.shown())
		default:
			b.WriteString(s.shown())
		}
	}
	return b.String()
}

// Overlaps reports whether one path is equal to the other or contains it. DynamoDB rejects update expressions with overlapping
// paths.
func (p Path) Overlaps(q Path) bool {
	for i := range min(len(p), len(q)) {
		if a, b := p[i], q[i]; a.Name != b.Name || a.Index != b.Index || a.Indexed != b.Indexed {
			return false
		}
	}
	return true
}

// Node is a part of an expression. A nil Node renders to nothing.
type Node interface {
	render(w *Writer)
}

// Value is an operand given by the caller.
type Value struct{ AV types.AttributeValue }

// Compare is left op right, with op one of = <> < <= > >=.
type Compare struct {
	Left  Node
	Op    string
	Right Node
}

// Between is operand BETWEEN low AND high; both bounds are included.
type Between struct{ Operand, Low, High Node }

// In is operand IN (list); DynamoDB accepts up to 100 operands.
type In struct {
	Operand Node
	List    []Node
}

// Call is a function call such as attribute_exists(path), begins_with or size.
type Call struct {
	Name string
	Args []Node
}

// Logic joins conditions with AND or OR. Nested logic keeps its parentheses.
type Logic struct {
	Op    string
	Terms []Node
}

// Not negates a condition.
type Not struct{ Term Node }

// Text is expression text from elsewhere. Its placeholders (#a, :a) are renamed when it is rendered, so it can be combined with
// typed nodes.
type Text struct {
	Text   string
	Names  map[string]string
	Values map[string]types.AttributeValue
}

func (p Path) render(w *Writer) {
	for i, s := range p {
		switch {
		case s.Indexed:
			w.b = append(w.b, '[')
			w.b = strconv.AppendInt(w.b, int64(s.Index), 10)
			w.b = append(w.b, ']')
		default:
			if i > 0 {
				w.b = append(w.b, '.')
			}
			if w.plain {
				w.str(s.shown())
				continue
			}
			w.name(s.Name)
		}
	}
}

func (v Value) render(w *Writer) { w.value(v.AV) }

func (c Compare) render(w *Writer) {
	c.Left.render(w)
	w.str(" " + c.Op + " ")
	c.Right.render(w)
}

func (c Between) render(w *Writer) {
	c.Operand.render(w)
	w.str(" BETWEEN ")
	c.Low.render(w)
	w.str(" AND ")
	c.High.render(w)
}

func (c In) render(w *Writer) {
	c.Operand.render(w)
	w.str(" IN (")
	w.list(c.List)
	w.str(")")
}

func (c Call) render(w *Writer) {
	w.str(c.Name + "(")
	w.list(c.Args)
	w.str(")")
}

func (l Logic) render(w *Writer) {
	for i, t := range l.Terms {
		if i > 0 {
			w.str(" " + l.Op + " ")
		}
		inner, nested := t.(Logic)
		raw, isText := t.(Text)
		if (nested && len(inner.Terms) > 1) || (isText && raw.Text != "") {
			w.str("(")
			t.render(w)
			w.str(")")
			continue
		}
		t.render(w)
	}
}

func (n Not) render(w *Writer) {
	w.str("NOT (")
	n.Term.render(w)
	w.str(")")
}

func (t Text) render(w *Writer) {
	for i := 0; i < len(t.Text); {
		c := t.Text[i]
		if w.plain && c == '.' {
			// A name below an attribute may be the key of a map.
			i = nameEnd(t.Text, i+1)
			w.str(".?")
			continue
		}
		if c != '#' && c != ':' {
			w.b = append(w.b, c)
			i++
			continue
		}
		j := i + 1
		for j < len(t.Text) && isPlaceholder(t.Text[j]) {
			j++
		}
		word := t.Text[i:j]
		if name, ok := t.Names[word]; ok && c == '#' {
			w.name(name)
		} else if av, ok := t.Values[word]; ok && c == ':' {
			w.value(av)
		} else {
			w.str(word)
		}
		i = j
	}
}

// nameEnd returns the end of the name or placeholder that begins at i, including leading spaces.
func nameEnd(text string, i int) int {
	for i < len(text) && (text[i] == ' ' || text[i] == '\t' || text[i] == '\n' || text[i] == '\r') {
		i++
	}
	for i < len(text) && (text[i] == '#' || text[i] == ':' || isPlaceholder(text[i])) {
		i++
	}
	return i
}

func isPlaceholder(c byte) bool {
	return c == '_' || c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
}

// All joins terms with AND and leaves out nils; it returns nil if no term is left.
func All(terms ...Node) Node { return join("AND", terms) }

// Any joins terms with OR and leaves out nils; it returns nil if no term is left.
func Any(terms ...Node) Node { return join("OR", terms) }

func join(op string, terms []Node) Node {
	var kept []Node
	for _, t := range terms {
		if t == nil {
			continue
		}
		if l, ok := t.(Logic); ok && l.Op == op {
			kept = append(kept, l.Terms...)
			continue
		}
		kept = append(kept, t)
	}
	switch len(kept) {
	case 0:
		return nil
	case 1:
		return kept[0]
	}
	return Logic{Op: op, Terms: kept}
}
