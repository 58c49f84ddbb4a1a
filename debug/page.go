// SPDX-License-Identifier: Apache-2.0

package debug

import (
	"bytes"
	"crypto/sha256"
	_ "embed" // for the page
	"encoding/base64"
	"encoding/json"
	"html/template"
	"math"
	"strconv"
	"strings"
	"time"
)

var (
	//go:embed page.html
	pageText string
	//go:embed page.css
	pageStyle string
	//go:embed page.js
	pageScript string

	pageTemplate = template.Must(template.New("page").Parse(pageText))
)

// pagePolicy allows the page its own style and script, by their hashes, and requests to
// where it came from: nothing else is run or loaded, whatever stands in names and labels.
//
// https://www.w3.org/TR/CSP3/
var pagePolicy = "default-src 'none'; script-src '" + hashOf(pageScript) + "'; style-src '" + hashOf(pageStyle) + "'; img-src data:; " +
	"connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'"

func hashOf(text string) string {
	sum := sha256.Sum256([]byte(text))
	return "sha256-" + base64.StdEncoding.EncodeToString(sum[:])
}

// column is a column of a table of the page. Script and server render it by the same
// words: Key is the field in the JSON of a row, Kind how it is shown.
type column struct{ Title, Key, Kind string }

// Numeric columns are aligned to the right.
func (c column) Numeric() bool {
	switch c.Kind {
	case "count", "units", "ms", "share", "range", "ago":
		return true
	}
	return false
}

// section is a table of the page.
type section struct {
	ID, Title, Note string // ID is the list's name in the JSON
	Width           string
	Sort            string // the column that the list is sorted by, most first; empty for by name
	Groups          bool   // offers to sum up
	Explains        bool   // rows have an explanation
	Columns         []column
}

var callColumns = []column{
	{"Operation", "operation", "text"},
	{"Table", "table", "text"},
	{"Index", "index", "text"},
	{"Label", "label", "text"},
	{"Time, ms", "durationMs", "ms"},
	{"Units", "units", "units"},
	{"Expected", "expected", "range"},
	{"Estimate", "within", "within"},
	{"Returned", "returned", "count"},
	{"Scanned", "scanned", "count"},
	{"Attempts", "attempts", "count"},
	{"Error", "error", "text"},
	{"When", "time", "ago"},
}

var sections = []section{
	{ID: "units", Title: "Capacity units", Note: "What the ledger counts since the program began.", Width: "full", Sort: "units", Groups: true, Columns: []column{
		{"Table", "table", "text"},
		{"Index", "index", "text"},
		{"Operation", "operation", "text"},
		{"Label", "label", "text"},
		{"Operations", "operations", "count"},
		{"Read units", "readUnits", "units"},
		{"Write units", "writeUnits", "units"},
		{"Units", "units", "units"},
		{"Share", "share", "share"},
	}},
	{ID: "latencies", Title: "Latency", Note: "Milliseconds, with retries, of the last five to ten minutes.", Width: "wide", Columns: []column{
		{"Table", "table", "text"},
		{"Operation", "operation", "text"},
		{"Calls", "calls", "count"},
		{"p50", "p50Ms", "ms"},
		{"p90", "p90Ms", "ms"},
		{"p99", "p99Ms", "ms"},
		{"Longest", "maxMs", "ms"},
	}},
	{ID: "averages", Title: "Rates", Note: "By the second, over the last so many seconds.", Width: "narrow", Columns: []column{
		{"Seconds", "seconds", "count"},
		{"Calls", "calls", "units"},
		{"Read units", "readUnits", "units"},
		{"Write units", "writeUnits", "units"},
		{"Throttled", "throttled", "units"},
		{"Failed", "failed", "units"},
	}},
	{ID: "throttles", Title: "Throttled attempts", Note: "Retries may have made them good.", Width: "wide", Sort: "count", Columns: []column{
		{"Table", "table", "text"},
		{"Index", "index", "text"},
		{"Operation", "operation", "text"},
		{"Reason", "reason", "text"},
		{"Attempts", "count", "count"},
		{"Last", "last", "ago"},
	}},
	{ID: "paths", Title: "Off the fast path", Note: "What of the client may look at items; see ddb.HarmlessSteps.", Width: "wide", Sort: "count", Columns: []column{
		{"Table", "table", "text"},
		{"Operation", "operation", "text"},
		{"Path", "path", "text"},
		{"Reason", "reason", "text"},
		{"Calls", "count", "count"},
	}},
	{ID: "errors", Title: "Errors", Note: "A failed condition is an answer, no failure.", Width: "narrow", Sort: "count", Columns: []column{
		{"Table", "table", "text"},
		{"Operation", "operation", "text"},
		{"Type", "type", "text"},
		{"Calls", "count", "count"},
		{"Last", "last", "ago"},
	}},
	{ID: "hotKeys", Title: "Hot partition keys", Note: "Keys stand as hashes; units of the last minutes.", Width: "full", Sort: "units", Columns: []column{
		{"Partition", "partition", "code"},
		{"Table", "table", "text"},
		{"Index", "index", "text"},
		{"Units", "units", "units"},
		{"Too high by at most", "surplus", "units"},
		{"Share", "share", "share"},
		{"Throttled", "throttled", "count"},
		{"Reasons", "reasons", "list"},
	}},
	{ID: "consumers", Title: "Consumers", Note: "Subscriptions of feeds and consumers of tables' streams in this process; lag in commits, ages in milliseconds.", Width: "full", Sort: "ageMs", Columns: []column{
		{"Consumer", "consumer", "text"},
		{"Kind", "kind", "text"},
		{"Table", "table", "text"},
		{"Shards", "shards", "count"},
		{"Lag", "lag", "count"},
		{"Age of the oldest", "ageMs", "ms"},
		{"Last read", "readAgeMs", "ms"},
		{"Handled", "handled", "count"},
		{"Retries", "retries", "count"},
		{"Given up", "givenUp", "count"},
		{"Parked", "parked", "count"},
		{"Leases lost", "leasesLost", "count"},
	}},
	{ID: "slowest", Title: "Slowest calls", Note: "Of the last five to ten minutes.", Width: "full", Sort: "durationMs", Explains: true, Columns: callColumns},
	{ID: "mostExpensive", Title: "Most expensive calls", Note: "Of the last five to ten minutes.", Width: "full", Sort: "units", Explains: true, Columns: callColumns},
	{ID: "estimates", Title: "Estimates", Note: "Units expected before a request was sent, next to those billed.", Width: "full", Columns: []column{
		{"Table", "table", "text"},
		{"Operation", "operation", "text"},
		{"Calls", "calls", "count"},
		{"Within", "within", "count"},
		{"Cheaper", "below", "count"},
		{"More expensive", "above", "count"},
		{"Right", "share", "share"},
		{"Expected units", "expected", "range"},
		{"Billed units", "actual", "units"},
	}},
}

// figure is a number at the head of the page, with a smaller one below it.
type figure struct {
	Title      string
	Path, Kind string // where it is in the JSON
	SubPath    string
	SubKind    string
	SubText    string
}

var figures = []figure{
	{"Read units", "totals.readUnits", "units", "averages.0.readUnits", "units", "per second"},
	{"Write units", "totals.writeUnits", "units", "averages.0.writeUnits", "units", "per second"},
	{"Calls", "totals.calls", "count", "averages.0.calls", "units", "per second"},
	{"Throttled attempts", "totals.throttled", "count", "totals.retries", "count", "retries"},
	{"Failed calls", "totals.failed", "count", "inFlight", "count", "under way"},
}

// page renders a snapshot as the page that it is before its script runs.
func page(s *Snapshot) ([]byte, error) {
	data, err := json.Marshal(s)
	if err != nil {
		return nil, err
	}
	var tree map[string]any
	if err := json.Unmarshal(data, &tree); err != nil {
		return nil, err
	}
	v := pageView{tree: tree, now: s.Time, Style: template.CSS(pageStyle), Script: template.JS(pageScript), Figures: figures} //nolint:gosec // our own files
	for _, sec := range sections {
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
	Sections []sectionView
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
		cell := cellView{column: c, Text: shown(c.Kind, fields[c.Key], v.now)}
		if share, ok := fields[c.Key].(float64); ok && c.Kind == "share" {
			cell.Share = number(100*share, 1)
		}
		r.Cells = append(r.Cells, cell)
	}
	r.Explain, _ = fields["explain"].(string)
	return r
}

// Value is what stands at a path of the JSON, such as totals.calls, as text.
func (v pageView) Value(path, kind string) string {
	var at any = v.tree
	for step := range strings.SplitSeq(path, ".") {
		switch node := at.(type) {
		case map[string]any:
			at = node[step]
		case []any:
			i, err := strconv.Atoi(step)
			if err != nil || i >= len(node) {
				return ""
			}
			at = node[i]
		}
	}
	return shown(kind, at, v.now)
}

// shown is a value of the JSON as text; the script has the same rules.
func shown(kind string, value any, now time.Time) string {
	switch x := value.(type) {
	case float64:
		switch kind {
		case "count":
			return grouped(number(x, 0))
		case "ms":
			return milliText(x)
		case "share":
			return number(100*x, 1) + " %"
		}
		return grouped(number(x, 1))
	case bool:
		if x {
			return "within"
		}
		return "outside"
	case string:
		if kind == "ago" {
			return ago(x, now)
		}
		return x
	case []any:
		texts := make([]string, len(x))
		for i, t := range x {
			texts[i], _ = t.(string)
		}
		return strings.Join(texts, ", ")
	case map[string]any: // a range
		least, most := shown("units", x["min"], now), shown("units", x["max"], now)
		if least == most {
			return least
		}
		return least + " – " + most
	}
	return ""
}

// number is x with so many decimals at most, halves rounded up.
func number(x float64, decimals int) string {
	factor := math.Pow10(decimals)
	return strconv.FormatFloat(math.Floor(x*factor+0.5)/factor, 'f', -1, 64)
}

func milliText(x float64) string {
	decimals := 2
	switch {
	case x >= 100:
		decimals = 0
	case x >= 10:
		decimals = 1
	}
	factor := math.Pow10(decimals)
	return grouped(strconv.FormatFloat(math.Floor(x*factor+0.5)/factor, 'f', decimals, 64))
}

// grouped puts a comma before each three digits.
func grouped(digits string) string {
	whole, rest, ok := strings.Cut(digits, ".")
	for i := len(whole) - 3; i > 0; i -= 3 {
		whole = whole[:i] + "," + whole[i:]
	}
	if ok {
		return whole + "." + rest
	}
	return whole
}

func ago(text string, now time.Time) string {
	then, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		return text
	}
	seconds := max(0, int64(math.Floor(now.Sub(then).Seconds())))
	switch {
	case seconds < 60:
		return strconv.FormatInt(seconds, 10) + " s ago"
	case seconds < 60*60:
		return strconv.FormatInt(seconds/60, 10) + " min ago"
	case seconds < 2*24*60*60:
		return strconv.FormatInt(seconds/(60*60), 10) + " h ago"
	}
	return strconv.FormatInt(seconds/(24*60*60), 10) + " d ago"
}
