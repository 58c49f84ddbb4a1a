// SPDX-License-Identifier: Apache-2.0

package page

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
)

// readReply is the reply to a Query or a Scan.
type readReply struct {
	Items               []item
	Count, ScannedCount int64
	LastEvaluatedKey    item
	ConsumedCapacity    struct{ CapacityUnits float64 }
}

// read sends the request of a search.
func (p *Page) read(ctx context.Context, operation string, r *readRequest) (*readReply, error) {
	reply := new(readReply)
	err := p.call(ctx, operation, r, reply)
	return reply, err
}

// reads adds what a search has read to its exchange.
func (e *exchange) reads(reply *readReply) {
	e.Reads, e.Units, e.Returned, e.Scanned = true, reply.ConsumedCapacity.CapacityUnits, reply.Count, reply.ScannedCount
}

// scan reads the items of a table, beginning at the parameter after. If it fails, it sends the response itself. The filters are
// those of the request, for its Go code.
func (p *Page) scan(w http.ResponseWriter, r *http.Request, t *table, request *readRequest, filters ...filter) (*readReply, exchange, bool) {
	after := r.URL.Query().Get("after")
	if after != "" {
		start, problems := parseItem(after)
		if len(problems) > 0 {
			p.fail(w, r, http.StatusBadRequest, append([]string{"the cursor is no key"}, problems...)...)
			return nil, exchange{}, false
		}
		request.ExclusiveStartKey = json.RawMessage(start.compact())
	}
	reply, err := p.read(r.Context(), "Scan", request)
	if err != nil {
		p.failCall(w, r, err)
		return nil, exchange{}, false
	}
	sent := p.exchange(r, "Scan", request)
	sent.reads(reply)
	sent.Code, sent.CodeNote = scanCode(t, request.Limit, after, filters...)
	return reply, sent, true
}

// cell is a value in a table of items.
type cell struct {
	Type, Text string
	Cut        bool // Text is shortened
}

// itemRow is an item in a table of items.
type itemRow struct {
	Link  string
	Cells []cell
	More  []string // attributes without a column
}

// itemTable is a table of items, with columns for the attributes that most of the items have.
type itemTable struct {
	Columns []string
	Keys    int // the first columns are those of the key
	Rows    []itemRow
	More    bool // whether there are attributes without a column
}

// maxColumns limits the width of a table; the view of an item shows all attributes.
const maxColumns = 12

// newItemTable makes the table of the items that were read by a key.
func newItemTable(t *table, keys keySet, items []item) itemTable {
	own := t.key()
	all := keySet{keys.Partition, slices.Concat(keys.Sort, own.all())} // first the key of the index, then the table's own key
	counts := make(map[string]int)
	for _, i := range items {
		for name := range i {
			counts[name]++
		}
	}
	var columns []string
	for _, a := range all.all() {
		if !slices.Contains(columns, a.Name) {
			columns = append(columns, a.Name)
		}
	}
	made := itemTable{Keys: len(columns)}
	rest := slices.DeleteFunc(slices.Sorted(maps.Keys(counts)), func(name string) bool { return slices.Contains(columns, name) })
	slices.SortStableFunc(rest, func(a, b string) int { return counts[b] - counts[a] })
	if room := max(maxColumns-len(columns), 0); len(rest) > room {
		rest, made.More = rest[:room], true
	}
	slices.Sort(rest)
	made.Columns = slices.Concat(columns, rest)
	for _, i := range items {
		row := itemRow{Link: itemLink(t, i), Cells: i.cells(made.Columns)}
		for _, name := range slices.Sorted(maps.Keys(i)) {
			if !slices.Contains(made.Columns, name) {
				row.More = append(row.More, name)
			}
		}
		made.Rows = append(made.Rows, row)
	}
	return made
}

// cells returns the values of an item in a table; those of missing attributes are empty.
func (i item) cells(columns []string) (all []cell) {
	for _, name := range columns {
		all = append(all, cellOf(i[name]))
	}
	return all
}

func cellOf(raw json.RawMessage) cell {
	const longest = 90
	v := typeOf(raw)
	c := cell{Type: v.Type, Text: v.text()}
	if runes := []rune(c.Text); len(runes) > longest {
		c.Text, c.Cut = string(runes[:longest]), true
	}
	return c
}

// itemLink returns the link to the view of an item, "" if its key is incomplete.
func itemLink(t *table, i item) string {
	own := t.key()
	key := i.keyOf(own)
	if len(key) < len(own.all()) {
		return ""
	}
	return t.link("item", "key", key.compact())
}

// field is an input of the search form.
type field struct{ Name, Label, Type, Value string }

// choice is an option of a select element.
type choice struct {
	Value, Title string
	Chosen       bool
}

// filterRow is a filter in the search form.
type filterRow struct {
	N               int
	Path, Value, To string
	Ops, Types      []choice
}

// searchForm is the search form of a table.
type searchForm struct {
	Action          string
	Indexes         []choice
	Index           string
	Partition, Sort []field
	Ops             []choice
	To              string
	Filters         []filterRow
	Limits          []choice
	Descending      bool
	Consistent      bool
	CanBeConsistent bool
	Filtered        bool
}

func newSearchForm(t *table, s *search) searchForm {
	f := searchForm{
		Action: t.link("items"), Index: s.Index, To: s.To, Descending: s.Descending, Consistent: s.Consistent,
		CanBeConsistent: s.Index == "" || s.local, Filtered: len(s.Filters) > 0,
	}
	f.Indexes = []choice{{"", "the table: " + keyText(t.key()), s.Index == ""}}
	for _, x := range slices.Concat(t.GlobalSecondaryIndexes, t.LocalSecondaryIndexes) {
		f.Indexes = append(f.Indexes, choice{x.IndexName, x.IndexName + ": " + keyText(t.keySet(x.KeySchema)), s.Index == x.IndexName})
	}
	for i, a := range s.keys.Partition {
		f.Partition = append(f.Partition, field{"p" + strconv.Itoa(i), a.Name, a.Type, s.Partition[i]})
	}
	for i, a := range s.keys.Sort {
		f.Sort = append(f.Sort, field{"s" + strconv.Itoa(i), a.Name, a.Type, s.Sort[i]})
	}
	f.Ops = choices(sortOperators, s.Op)
	for n, one := range append(slices.Clone(s.Filters), filter{Op: "=", Type: "S"}) {
		if n == maxFilters {
			break
		}
		row := filterRow{N: n, Path: one.Path, Value: one.Value, To: one.To, Ops: choices(filterOperators, one.Op)}
		for _, kind := range []string{"S", "N", "B", "BOOL", "NULL"} {
			row.Types = append(row.Types, choice{kind, kind, kind == one.Type})
		}
		f.Filters = append(f.Filters, row)
	}
	for _, n := range limits {
		title := grouped(int64(n))
		if n == 0 {
			title = "as many as 1 MB holds"
		}
		f.Limits = append(f.Limits, choice{strconv.Itoa(n), title, n == s.Limit})
	}
	if !slices.Contains(limits, s.Limit) {
		f.Limits = append(f.Limits, choice{strconv.Itoa(s.Limit), grouped(int64(s.Limit)), true})
	}
	return f
}

func choices(list []operator, chosen string) (all []choice) {
	for _, o := range list {
		all = append(all, choice{o.Name, o.Title, o.Name == chosen})
	}
	return all
}

// itemsView is the content of a search.
type itemsView struct {
	Form           searchForm
	Items          itemTable
	Found          bool // the request succeeded
	Exchange       exchange
	Waste          string // the part of the cost of a scan or a filter that does not result in items
	Next           string
	First          string // link to the same search from the beginning, if this is not it
	New            string // link to the form for a new item
	Export         string // link to the search result as a file
	Import         string
	Index, Members string // the index that is searched, and the link to the view of its items
}

// showItems shows a search in a table or one of its indexes.
func (p *Page) showItems(w http.ResponseWriter, r *http.Request) {
	t, ok := p.describes(w, r)
	if !ok {
		return
	}
	s, problems := readSearch(t, r.URL.Query())
	operation, request, wrong := s.request(t)
	problems = append(problems, wrong...)
	content := &itemsView{Form: newSearchForm(t, &s), New: t.link("new")}
	v := t.view("items", content, problems...)
	if len(problems) > 0 {
		p.show(w, r, http.StatusBadRequest, "items", v)
		return
	}
	content.Exchange = p.exchange(r, operation, request)
	content.Exchange.Code, content.Exchange.CodeNote = codeOf(t, &s)
	reply, err := p.read(r.Context(), operation, request)
	if err != nil {
		v.Problems = []string{err.Error()}
		p.show(w, r, http.StatusBadRequest, "items", v)
		return
	}
	content.Found = true
	content.Items = newItemTable(t, s.keys, reply.Items)
	content.Exchange.reads(reply)
	if len(reply.LastEvaluatedKey) > 0 {
		content.Next = t.link("items", append(s.params(), "after", reply.LastEvaluatedKey.compact())...)
	}
	if s.After != "" {
		content.First = t.link("items", s.params()...)
	}
	content.Export, content.Import = t.link("export", s.params()...), t.link("import")
	if s.Index != "" {
		content.Index, content.Members = s.Index, t.membersLink(s.Index)
	}
	if reply.ScannedCount > reply.Count {
		content.Waste = fmt.Sprintf("It read %s items to show %s: what a filter drops is billed, too.", grouped(reply.ScannedCount), grouped(reply.Count))
	}
	p.show(w, r, http.StatusOK, "items", v)
}
