// SPDX-License-Identifier: Apache-2.0

package expr

import (
	"slices"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// Writer collects the names and values of all expressions of one request. A name has one placeholder however often it occurs;
// each value has its own. The zero Writer is ready to use. It is not safe for concurrent use.
type Writer struct {
	b      []byte
	names  []string
	values []types.AttributeValue
	plain  bool

	// Space for most requests, so that a Writer needs only one allocation.
	room       [192]byte
	nameRoom   [8]string
	valuesRoom [8]types.AttributeValue
}

// Render returns the text of one expression, "" for a nil node.
func (w *Writer) Render(n Node) string {
	if n == nil {
		return ""
	}
	w.start()
	n.render(w)
	return text(w.b)
}

func (w *Writer) start() {
	if w.b == nil {
		w.b, w.names, w.values = w.room[:0], w.nameRoom[:0], w.valuesRoom[:0]
	}
	w.b = w.b[:0]
}

// Projection returns a projection expression of the paths, "" if there are none.
func (w *Writer) Projection(paths []Path) string {
	w.start()
	for i, p := range paths {
		if i > 0 {
			w.str(", ")
		}
		p.render(w)
	}
	return text(w.b)
}

// Names returns ExpressionAttributeNames, or nil if no name was used. The map is shared between requests and must not be changed.
func (w *Writer) Names() map[string]string {
	if len(w.names) == 0 {
		return nil
	}
	return aliasesOf(w.names)
}

// Values returns ExpressionAttributeValues, or nil if no value was used.
func (w *Writer) Values() map[string]types.AttributeValue {
	if len(w.values) == 0 {
		return nil
	}
	m := make(map[string]types.AttributeValue, len(w.values))
	for i, v := range w.values {
		m[placeholder(':', i)] = v
	}
	return m
}

// Describe returns a node as text for people and errors: attribute names unchanged, and a question mark for each value, so that
// it never shows data.
func Describe(n Node) string {
	w := Writer{plain: true}
	return w.Render(n)
}

// Paths returns every attribute path of a node, in order.
func Paths(n Node) []Path {
	switch n := n.(type) {
	case Path:
		return []Path{n}
	case Compare:
		return append(Paths(n.Left), Paths(n.Right)...)
	case Between:
		return append(append(Paths(n.Operand), Paths(n.Low)...), Paths(n.High)...)
	case In:
		return append(Paths(n.Operand), pathsOf(n.List)...)
	case Call:
		return pathsOf(n.Args)
	case Logic:
		return pathsOf(n.Terms)
	case Not:
		return Paths(n.Term)
	}
	return nil
}

func pathsOf(nodes []Node) []Path {
	var all []Path
	for _, n := range nodes {
		all = append(all, Paths(n)...)
	}
	return all
}

func (w *Writer) str(s string) { w.b = append(w.b, s...) }

func (w *Writer) list(nodes []Node) {
	for i, n := range nodes {
		if i > 0 {
			w.str(", ")
		}
		n.render(w)
	}
}

func (w *Writer) name(n string) {
	if w.plain {
		w.str(n)
		return
	}
	i := slices.Index(w.names, n)
	if i < 0 {
		i = len(w.names)
		w.names = append(w.names, n)
	}
	w.str(placeholder('#', i))
}

func (w *Writer) value(v types.AttributeValue) {
	if w.plain {
		w.str("?")
		return
	}
	w.values = append(w.values, v)
	w.str(placeholder(':', len(w.values)-1))
}

// The first placeholders are shared strings, enough for most requests.
var shared = func() (s [2][32]string) {
	for i := range s[0] {
		s[0][i], s[1][i] = "#"+strconv.Itoa(i), ":"+strconv.Itoa(i)
	}
	return s
}()

func placeholder(sigil byte, i int) string {
	k := 0
	if sigil == ':' {
		k = 1
	}
	if i < len(shared[k]) {
		return shared[k][i]
	}
	return string(sigil) + strconv.Itoa(i)
}
