// SPDX-License-Identifier: Apache-2.0

package page

import (
	"cmp"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"unicode"
)

// kind is a group of items that seem to have the same type.
type kind struct {
	Name       string
	Count      int64
	Share      string
	Attributes []string // with the number of items that have them, if not all do
	Example    string   // a link
	ExampleKey string
	Search     string // a link

	has map[string]int64
}

// kindsView is the content of the view of a table with items of several types.
type kindsView struct {
	By        []choice
	Separator string
	Kinds     []*kind
	Next      string
	From      bool // whether it does not begin at the beginning
	Exchange  exchange
	Action    string
}

const (
	byPrefix       = "" // of the parameter "by"
	mostKinds      = 200
	kindsLimit     = 5000 // items of one view
	fewValues      = 12
	plainSeparator = "#"
)

// entityNames are the names that single-table designs use for the attribute with the type of an item.
var entityNames = []string{"entity", "entitytype", "type", "kind", "itemtype", "typename", "edbe", "et", "model", "recordtype"}

// showKinds groups the items of a table by the prefixes of their keys, or by an attribute.
func (p *Page) showKinds(w http.ResponseWriter, r *http.Request) {
	t, ok := p.describes(w, r)
	if !ok {
		return
	}
	q := r.URL.Query()
	by, separator := q.Get("by"), cmp.Or(q.Get("sep"), plainSeparator)
	request := &readRequest{TableName: t.TableName, Limit: kindsLimit, ReturnConsumedCapacity: "TOTAL"}
	reply, sent, ok := p.scan(w, r, t, request)
	if !ok {
		return
	}
	content := &kindsView{Separator: separator, Kinds: kindsOf(t, reply.Items, by, separator), From: q.Get("after") != "", Action: t.link("kinds"), Exchange: sent}
	content.By = append(content.By, choice{byPrefix, "the prefixes of the key", by == byPrefix})
	candidates := entityAttributes(t, reply.Items)
	if by != byPrefix && !slices.Contains(candidates, by) {
		candidates = append(candidates, by)
	}
	for _, name := range candidates {
		content.By = append(content.By, choice{name, "attribute " + name, by == name})
	}
	if len(reply.LastEvaluatedKey) > 0 {
		content.Next = t.link("kinds", "by", by, "sep", q.Get("sep"), "after", reply.LastEvaluatedKey.compact())
	}
	p.show(w, r, http.StatusOK, "kinds", t.view("kinds", content))
}

// kindsOf groups items, the largest group first.
func kindsOf(t *table, items []item, by, separator string) (kinds []*kind) {
	groups := make(map[string]*kind)
	keys := t.key()
	for _, i := range items {
		name, params := groupOf(keys, i, by, separator)
		g := groups[name]
		if g == nil {
			g = &kind{
				Name: name, has: make(map[string]int64), Example: itemLink(t, i), ExampleKey: i.keyWords(keys),
				Search: t.link("items", params...),
			}
			groups[name] = g
			kinds = append(kinds, g)
		}
		g.Count++
		for attr := range i {
			g.has[attr]++
		}
	}
	slices.SortStableFunc(kinds, func(a, b *kind) int { return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.Name, b.Name)) })
	if len(kinds) > mostKinds {
		rest := &kind{Name: grouped(int64(len(kinds)-mostKinds)) + " other groups"}
		for _, g := range kinds[mostKinds:] {
			rest.Count += g.Count
		}
		kinds = append(kinds[:mostKinds], rest)
	}
	for _, g := range kinds {
		g.Share = fmt.Sprintf("%.1f %%", 100*float64(g.Count)/float64(len(items)))
		for _, attr := range slices.Sorted(maps.Keys(g.has)) {
			if n := g.has[attr]; n < g.Count {
				attr += fmt.Sprintf(" (%s)", grouped(n))
			}
			g.Attributes = append(g.Attributes, attr)
		}
	}
	return kinds
}

// pathOf returns the path of an attribute in a filter.
func pathOf(name string) string {
	if strings.ContainsAny(name, `.["`) {
		return strconv.Quote(name)
	}
	return name
}

// groupOf returns the name of the group of an item, and the parameters of a search for its items.
func groupOf(k keySet, i item, by, separator string) (name string, params []string) {
	if by != byPrefix {
		raw, ok := i[by]
		path := pathOf(by)
		if !ok {
			return by + " is absent", []string{"f0", path, "fop0", "attribute_not_exists"}
		}
		v := typeOf(raw)
		switch v.Type {
		case "S", "N", "B", "BOOL":
			return v.text(), []string{"f0", path, "fop0", "=", "ft0", v.Type, "fv0", v.text()}
		}
		return "a value of type " + v.Type, []string{"f0", path, "fop0", "attribute_type", "fv0", v.Type}
	}
	var parts []string
	n := 0
	for _, a := range k.all() {
		v := typeOf(i[a.Name])
		prefix, whole := keyPrefix(v, separator)
		switch {
		case prefix == "":
			parts = append(parts, a.Name+" …")
			continue
		case whole:
			parts = append(parts, a.Name+" "+prefix)
		default:
			parts = append(parts, a.Name+" "+prefix+"…")
		}
		op := "begins_with"
		if whole {
			op = "="
		}
		number, path := strconv.Itoa(n), pathOf(a.Name)
		params = append(params, "f"+number, path, "fop"+number, op, "ft"+number, "S", "fv"+number, prefix)
		n++
	}
	return strings.Join(parts, ", "), params
}

// keyPrefix returns the beginning of a text key, up to and including the separator. For a text without a separator, it returns
// the whole text if that looks like a constant, such as PROFILE, and otherwise no prefix.
func keyPrefix(v typed, separator string) (prefix string, whole bool) {
	if v.Type != "S" {
		return "", false
	}
	text := v.text()
	if before, _, found := strings.Cut(text, separator); found {
		return before + separator, false
	}
	if strings.IndexFunc(text, func(c rune) bool { return !unicode.IsUpper(c) && c != '_' && c != '-' && c != '$' }) < 0 {
		return text, true
	}
	return "", false
}

// entityAttributes returns the attributes that may contain the type of an item: those with a name that is used for it, then texts
// that most items have and that have few different values.
func entityAttributes(t *table, items []item) (names []string) {
	counts, others, values := make(map[string]int), make(map[string]bool), make(map[string]map[string]bool)
	own := t.key()
	for _, i := range items {
		for name, raw := range i {
			if own.has(name) {
				continue
			}
			counts[name]++
			v := typeOf(raw)
			switch {
			case v.Type != "S":
				others[name] = true
			case values[name] == nil:
				values[name] = map[string]bool{v.text(): true}
			case len(values[name]) <= fewValues:
				values[name][v.text()] = true
			}
		}
	}
	known := func(name string) bool {
		plain := strings.Map(func(c rune) rune {
			if unicode.IsLetter(c) {
				return unicode.ToLower(c)
			}
			return -1
		}, name)
		return slices.Contains(entityNames, plain)
	}
	for name, n := range counts {
		if !others[name] && (known(name) || 2*n > len(items) && len(values[name]) <= fewValues && len(values[name]) > 1) {
			names = append(names, name)
		}
	}
	slices.SortFunc(names, func(a, b string) int {
		if known(a) != known(b) {
			if known(a) {
				return -1
			}
			return 1
		}
		return cmp.Compare(a, b)
	})
	return names
}
