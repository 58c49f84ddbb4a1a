// SPDX-License-Identifier: Apache-2.0

package debug

import (
	"bytes"
	"crypto/sha256"
	_ "embed" // for the page
	"encoding/base64"
	"encoding/json"
	"html/template"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

var (
	//go:embed page.html
	pageText string
	//go:embed page.css
	pageStyle string
	//go:embed format.js
	formatScript string
	//go:embed page.js
	tablesScript string

	pageScript = formatScript + tablesScript

	pageTemplate = template.Must(template.New("page").Parse(pageText))
)

// pagePolicy allows the page its own style and script, by their hashes, and requests to its own origin. Nothing else is run or
// loaded, whatever names and labels contain.
//
// https://www.w3.org/TR/CSP3/
var pagePolicy = "default-src 'none'; script-src '" + hashOf(pageScript) + "'; style-src '" + hashOf(pageStyle) + "'; img-src data:; " +
	"connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; require-trusted-types-for 'script'"

func hashOf(text string) string {
	sum := sha256.Sum256([]byte(text))
	return "sha256-" + base64.StdEncoding.EncodeToString(sum[:])
}

// column is a column of a table of the page. Script and server render it by the same rules: Key is the field in the JSON of a
// row, Kind is how it is shown.
type column struct{ Title, Key, Kind string }

// Numeric columns are aligned to the right.
func (c column) Numeric() bool {
	switch c.Kind {
	case "count", "limit", "units", "ms", "share", "range", "ago", "money", "seconds":
		return true
	}
	return false
}

// section is a table of the page.
type section struct {
	ID, Title, Note string // ID is the list's name in the JSON
	Width           string
	Sort            string // the column that the list is sorted by, highest first; empty to sort by name
	Groups          bool   // offers to sum up rows
	Explains        bool   // rows have an explanation
	Optional        bool   // hidden while it is empty
	Columns         []column
}

func groupColumns(first ...column) []column {
	all := []column{
		{"Operation", "operation", "text"},
		{"Table", "table", "text"},
		{"Index", "index", "text"},
		{"Label", "label", "text"},
		{"Calls", "calls", "count"},
	}
	return append(append(all, first...), []column{
		{"Failed", "failed", "count"},
		{"Expected units", "call.expected", "range"},
		{"Estimate", "call.within", "within"},
		{"Returned", "call.returned", "count"},
		{"Scanned", "call.scanned", "count"},
		{"Attempts", "call.attempts", "count"},
		{"Error", "call.error", "text"},
		{"When", "call.time", "ago"},
	}...)
}

// Columns that exist only with a price, and only for several processes.
const (
	moneyKey   = "cost"
	processKey = "process"
)

var sections = []section{
	{ID: "units", Title: "Capacity units", Note: "Counted by the ledger since the program started.", Width: "full", Sort: "units", Groups: true, Columns: []column{
		{"Table", "table", "text"},
		{"Index", "index", "text"},
		{"Operation", "operation", "text"},
		{"Label", "label", "text"},
		{"Operations", "operations", "count"},
		{"Read units", "readUnits", "units"},
		{"Write units", "writeUnits", "units"},
		{"Units", "units", "units"},
		{"Share", "share", "share"},
		{"Cost", moneyKey, "money"},
	}},
	{ID: "throughput", Title: "Throughput", Note: "Units per second in the last minute and in the busiest minute of the hour. Used is the busiest minute.", Width: "full", Columns: []column{
		{"Table", "table", "text"},
		{"Index", "index", "text"},
		{"Reads", "readPerSecond", "units"},
		{"Busiest", "busiestRead", "units"},
		{"Limit", "readLimit", "limit"},
		{"Used", "readShare", "share"},
		{"Writes", "writePerSecond", "units"},
		{"Busiest", "busiestWrite", "units"},
		{"Limit", "writeLimit", "limit"},
		{"Used", "writeShare", "share"},
		{"Limited by", "source", "text"},
	}},
	{ID: "slowest", Title: "Slowest calls", Note: "Grouped by operation, table, index and label; last 5 to 10 minutes. The details are of the longest call.", Width: "full", Sort: "maxMs", Explains: true,
		Columns: groupColumns(column{"Longest, ms", "maxMs", "ms"}, column{"Mean, ms", "meanMs", "ms"}, column{"Total, ms", "totalMs", "ms"})},
	{ID: "mostExpensive", Title: "Most expensive calls", Note: "Grouped by operation, table, index and label; last 5 to 10 minutes. The details are of the call that cost most.",
		Width: "full", Sort: "maxUnits", Explains: true,
		Columns: groupColumns(column{"Most units", "maxUnits", "units"}, column{"Mean units", "meanUnits", "units"}, column{"Total units", "totalUnits", "units"})},
	{ID: "latencies", Title: "Latency", Note: "Milliseconds with retries, last 5 to 10 minutes.", Width: "wide", Columns: []column{
		{"Table", "table", "text"},
		{"Operation", "operation", "text"},
		{"Calls", "calls", "count"},
		{"p50", "p50Ms", "ms"},
		{"p90", "p90Ms", "ms"},
		{"p99", "p99Ms", "ms"},
		{"Longest", "maxMs", "ms"},
	}},
	{ID: "averages", Title: "Rates", Note: "Per second, averaged over the last seconds.", Width: "narrow", Columns: []column{
		{"Seconds", "seconds", "count"},
		{"Calls", "calls", "units"},
		{"Read units", "readUnits", "units"},
		{"Write units", "writeUnits", "units"},
		{"Throttled", "throttled", "units"},
		{"Failed", "failed", "units"},
	}},
	{ID: "throttles", Title: "Throttled attempts", Note: "A retry may have succeeded.", Width: "wide", Sort: "count", Columns: []column{
		{"Table", "table", "text"},
		{"Index", "index", "text"},
		{"Operation", "operation", "text"},
		{"Label", "label", "text"},
		{"Reason", "reason", "text"},
		{"Attempts", "count", "count"},
		{"Last", "last", "ago"},
	}},
	{ID: "errors", Title: "Errors", Note: "A failed condition is an answer, not a failure.", Width: "narrow", Sort: "count", Columns: []column{
		{"Table", "table", "text"},
		{"Operation", "operation", "text"},
		{"Label", "label", "text"},
		{"Type", "type", "text"},
		{"Calls", "count", "count"},
		{"Last", "last", "ago"},
	}},
	{ID: "outcomes", Title: "Outcomes", Note: "Calls that neither succeeded nor failed.", Width: "wide", Sort: "unknownOutcomes", Columns: []column{
		{"Table", "table", "text"},
		{"Operation", "operation", "text"},
		{"Label", "label", "text"},
		{"Unknown outcomes", "unknownOutcomes", "count"},
		{"Failed conditions", "failedConditions", "count"},
		{"Unprocessed in batches", "unprocessed", "count"},
		{"Over budget", "overBudget", "count"},
	}},
	{ID: "paths", Title: "Paths of items", Note: "Anything but fast costs more CPU; see ddb.HarmlessSteps.", Width: "narrow", Sort: "count", Columns: []column{
		{"Table", "table", "text"},
		{"Operation", "operation", "text"},
		{"Label", "label", "text"},
		{"Path", "path", "text"},
		{"Reason", "reason", "text"},
		{"Calls", "count", "count"},
	}},
	{ID: "hotKeys", Title: "Hot partition keys", Note: "Keys are shown as hashes. PartitionHash of the table gives the hash of a key that you suspect; hotkeys.Find searches the table for the key of a hash.",
		Width: "full", Sort: "units", Columns: []column{
			{"Partition", "partition", "code"},
			{"Table", "table", "text"},
			{"Index", "index", "text"},
			{"Units", "units", "units"},
			{"Overcounted by at most", "surplus", "units"},
			{"Share", "share", "share"},
			{"Throttled", "throttled", "count"},
			{"Reasons", "reasons", "list"},
			{"Process", processKey, "text"},
		}},
	{ID: "longCalls", Title: "Long calls", Note: "Batches, scans and jobs that report their progress.", Width: "full", Optional: true, Columns: []column{
		{"Call", "job", "text"},
		{"State", "state", "text"},
		{"Reason", "reason", "text"},
		{"Done", "share", "share"},
		{"Items", "items", "count"},
		{"of", "total", "limit"},
		{"Read units", "readUnits", "units"},
		{"per second", "readRate", "units"},
		{"Limit", "readCeiling", "limit"},
		{"Write units", "writeUnits", "units"},
		{"per second", "writeRate", "units"},
		{"Limit", "writeCeiling", "limit"},
		{"Running for", "elapsedSeconds", "seconds"},
		{"Left, at least", "leftLowSeconds", "seconds"},
		{"Left, at most", "leftHighSeconds", "seconds"},
		{"Process", processKey, "text"},
	}},
	{ID: "budgets", Title: "Budgets", Note: "Spent so far, and the limit.", Width: "full", Optional: true, Columns: []column{
		{"Budget", "name", "text"},
		{"Read units", "readUnits", "units"},
		{"Limit", "readLimit", "limit"},
		{"Write units", "writeUnits", "units"},
		{"Limit", "writeLimit", "limit"},
		{"Items", "items", "count"},
		{"Limit", "itemLimit", "limit"},
		{"Requests", "requests", "count"},
		{"Limit", "requestLimit", "limit"},
		{"Process", processKey, "text"},
	}},
	{ID: "consumers", Title: "Consumers", Note: "Subscriptions to feeds and consumers of table streams. Lag is in commits, ages in milliseconds.", Width: "full", Sort: "ageMs", Optional: true, Columns: []column{
		{"Consumer", "consumer", "text"},
		{"Kind", "kind", "text"},
		{"Table", "table", "text"},
		{"Shards", "shards", "count"},
		{"Lag", "lag", "count"},
		{"Oldest unhandled", "ageMs", "ms"},
		{"Last read", "readAgeMs", "ms"},
		{"Handled", "handled", "count"},
		{"Retries", "retries", "count"},
		{"Given up", "givenUp", "count"},
		{"Parked", "parked", "count"},
		{"Leases lost", "leasesLost", "count"},
	}},
	{ID: "layers", Title: "Snapshots and loads", Note: "What the layers did since the program started.", Width: "wide", Optional: true, Columns: []column{
		{"Layer", "layer", "text"},
		{"Table", "table", "text"},
		{"Event", "event", "text"},
		{"Count", "count", "count"},
	}},
	{ID: "estimates", Title: "Estimates", Note: "Units expected before a request was sent, and units billed.", Width: "full", Columns: []column{
		{"Table", "table", "text"},
		{"Operation", "operation", "text"},
		{"Calls", "calls", "count"},
		{"As expected", "within", "count"},
		{"Cheaper", "below", "count"},
		{"More expensive", "above", "count"},
		{"Accuracy", "share", "share"},
		{"Expected units", "expected", "range"},
		{"Billed units", "actual", "units"},
	}},
	{ID: "processes", Title: "Processes", Note: "The processes that the figures above come from.", Width: "full", Columns: []column{
		{"Process", "name", "text"},
		{"Calls", "calls", "count"},
		{"Units", "units", "units"},
		{"In flight", "inFlight", "count"},
		{"Started", "since", "ago"},
		{"Problem", "error", "text"},
	}},
}

// figure is a number at the top of the page, with a smaller one below it.
type figure struct {
	Title      string
	Path, Kind string // the path in the JSON
	SubPath    string
	SubKind    string
	SubText    string
}

var figures = []figure{
	{"Read units", "totals.readUnits", "units", "averages.0.readUnits", "units", "per second"},
	{"Write units", "totals.writeUnits", "units", "averages.0.writeUnits", "units", "per second"},
	{"Calls", "totals.calls", "count", "averages.0.calls", "units", "per second"},
	{"Throttled attempts", "totals.throttled", "count", "totals.retries", "count", "retries"},
	{"Failed calls", "totals.failed", "count", "inFlight", "count", "in flight"},
	{"Unknown outcomes", "totals.unknownOutcomes", "count", "totals.failedConditions", "count", "failed conditions"},
}

// figuresOf returns the figures, including the cost of the units if they have a price.
func figuresOf(s *Snapshot) []figure {
	if s.Cost == nil {
		return figures
	}
	return append(slices.Clip(figures), figure{strings.TrimSpace("Cost " + s.Cost.Currency), "cost.total", "money", "cost.perMonth", "money", "per month at this rate"})
}

// page renders the page of a snapshot in its state before the script runs.
func page(s *Snapshot) ([]byte, error) {
	data, err := json.Marshal(s)
	if err != nil {
		return nil, err
	}
	var tree map[string]any
	if err := json.Unmarshal(data, &tree); err != nil {
		return nil, err
	}
	v := pageView{tree: tree, now: s.Time, Style: template.CSS(pageStyle), Script: template.JS(pageScript), Figures: figuresOf(s)} //nolint:gosec // our own files
	v.Filters = []filterView{{"table", "Table", s.Filter.Table, choices(s.Tables, s.Filter.Table)}, {"label", "Label", s.Filter.Label, choices(s.Labels, s.Filter.Label)}}
	v.JSON = "?" + url.Values{"format": {"json"}, "table": {s.Filter.Table}, "label": {s.Filter.Label}}.Encode()
	for _, sec := range sections {
		sec.Columns = slices.DeleteFunc(slices.Clone(sec.Columns), func(c column) bool {
			return c.Key == moneyKey && s.Cost == nil || c.Key == processKey && len(s.Processes) < 2
		})
		rows, _ := tree[sec.ID].([]any)
		view := sectionView{section: sec}
		for _, row := range rows {
			fields, _ := row.(map[string]any)
			view.Rows = append(view.Rows, v.row(sec, fields))
		}
		v.Sections = append(v.Sections, view)
	}
	var out bytes.Buffer
	if err := pageTemplate.Execute(&out, v); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

type pageView struct {
	tree     map[string]any
	now      time.Time
	Style    template.CSS
	Script   template.JS
	Figures  []figure
	Filters  []filterView
	JSON     string // address of the JSON
	Sections []sectionView
}

// filterView is a choice of one of several names, or of all.
type filterView struct {
	Name, Title, Chosen string
	Choices             []string
}

// choices returns the names, and the chosen one even if nothing has that name yet.
func choices(names []string, chosen string) []string {
	if chosen == "" || slices.Contains(names, chosen) {
		return names
	}
	return append(slices.Clip(names), chosen)
}

type sectionView struct {
	section

	Rows []rowView
}

type rowView struct {
	Cells   []cellView
	Explain string
}

type cellView struct {
	column

	Text  string
	Share string // width of a bar in percent, for kind share
}

func (v pageView) row(sec section, fields map[string]any) rowView {
	var r rowView
	for _, c := range sec.Columns {
		value := at(fields, c.Key)
		cell := cellView{column: c, Text: shown(c.Kind, value, v.now)}
		if share, ok := value.(float64); ok && c.Kind == "share" {
			cell.Share = number(100*share, 1)
		}
		r.Cells = append(r.Cells, cell)
	}
	r.Explain, _ = at(fields, "call.explain").(string)
	return r
}

// Value returns the value at a path of the JSON, such as totals.calls, as text.
func (v pageView) Value(path, kind string) string { return shown(kind, at(v.tree, path), v.now) }

// at returns the value at a path of the JSON, or nil.
func at(node any, path string) any {
	for step := range strings.SplitSeq(path, ".") {
		switch n := node.(type) {
		case map[string]any:
			node = n[step]
		case []any:
			i, err := strconv.Atoi(step)
			if err != nil || i >= len(n) {
				return nil
			}
			node = n[i]
		default:
			return nil
		}
	}
	return node
}
