// SPDX-License-Identifier: Apache-2.0

package page

import (
	"bytes"
	"embed"
	"fmt"
	"html/template"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/dynamotable/ddb/ddbtest"
)

// Path is the path of the page on the server.
const Path = "/_ddb/"

// Options configure what the page shows, and to which clients.
type Options struct {
	// Engine is the engine whose tables the page shows.
	Engine *ddbtest.Engine
	// ReadOnly removes all forms that change data, and rejects their requests.
	ReadOnly bool
	// Public allows requests from other machines, addressed by an IP address or one of Hosts.
	Public bool
	Hosts  []string
}

// Page is an http.Handler for everything below [Path]. It is safe for concurrent use.
type Page struct {
	Options

	token string
	mux   *http.ServeMux

	mu     sync.Mutex
	faults []*activeFault // the active ones
	made   int            // number of faults so far, for their names
}

// New returns the page of an engine.
func New(o Options) *Page {
	p := &Page{Options: o, token: newToken(), mux: http.NewServeMux()}
	for pattern, show := range map[string]func(http.ResponseWriter, *http.Request){
		"tables/{table}/stream":          p.showStream,
		"tables/{table}/ttl":             p.showExpiry,
		"tables/{table}/kinds":           p.showKinds,
		"tables/{table}/indexes/{index}": p.showMembers,
		"tables/{table}/export":          p.export,
		"tables/{table}/import":          p.showImport,
		"clock":                          p.showClock,
		"faults":                         p.showFaults,
		"{$}":                            p.showTables,
		"tables/{table}":                 p.showTable,
		"tables/{table}/items":           p.showItems,
		"tables/{table}/item":            p.showItem,
		"tables/{table}/edit":            p.editItem,
		"tables/{table}/new":             p.newItem,
		"tables/{table}/delete":          p.confirmDelete,
	} {
		p.mux.HandleFunc("GET "+Path+pattern, show)
	}
	for pattern, act := range map[string]func(http.ResponseWriter, *http.Request){
		"clock":                 p.advance,
		"tables/{table}/stream": p.changeStream,
		"tables/{table}/ttl":    p.changeExpiry,
		"tables/{table}/import": p.importItems,
		"faults":                p.changeFaults,
		"tables/{table}/review": p.review,
		"tables/{table}/save":   p.save,
		"tables/{table}/delete": p.deleteItem,
	} {
		p.mux.HandleFunc("POST "+Path+pattern, act)
	}
	return p
}

// ServeHTTP responds to a request for a view, or rejects it.
func (p *Page) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	setHeaders(w.Header())
	if status, why := p.refusal(r); status != 0 {
		w.Header().Set("Allow", "GET, HEAD, POST")
		http.Error(w, "ddblocal: "+why, status)
		return
	}
	if r.URL.Path+"/" == Path {
		http.Redirect(w, r, Path, http.StatusMovedPermanently)
		return
	}
	if _, pattern := p.mux.Handler(r); pattern == "" {
		p.fail(w, r, http.StatusNotFound, "there is no such view")
		return
	}
	p.mux.ServeHTTP(w, r)
}

var (
	//go:embed html
	files embed.FS
	//go:embed page.css
	style string

	views = parseViews()
)

// parseViews returns the templates by the names of their files; each is the content of layout.html.
func parseViews() map[string]*template.Template {
	layout := template.Must(template.New("layout.html").Funcs(template.FuncMap{
		"count": grouped, "units": unitsText, "writeUnits": writeUnits, "bytes": bytesText, "join": strings.Join,
	}).ParseFS(files, "html/layout.html", "html/parts.html"))
	entries, err := files.ReadDir("html")
	if err != nil {
		panic(err)
	}
	parsed := make(map[string]*template.Template)
	for _, e := range entries {
		name := strings.TrimSuffix(e.Name(), ".html")
		if name != "layout" && name != "parts" {
			parsed[name] = template.Must(template.Must(layout.Clone()).ParseFS(files, "html/"+e.Name()))
		}
	}
	return parsed
}

// view is the data that layout.html shows around the content of a view.
type view struct {
	Title    string
	Table    string // the table of the view, if it has one
	Tabs     []tab
	Notices  []string // what was done
	Problems []string // what could not be done
	Content  any

	Style    template.CSS
	Token    string
	ReadOnly bool
	Now      string // the engine's time
	Ahead    string // by how much the engine's clock is ahead, if it is
	Faults   int    // number of active faults
}

// tab is a link to another view of a table.
type tab struct {
	Title, Link string
	Current     bool
}

// show responds with a view.
func (p *Page) show(w http.ResponseWriter, r *http.Request, status int, name string, v *view) {
	v.Style, v.Token, v.ReadOnly = template.CSS(style), p.token, p.ReadOnly //nolint:gosec // the page's own
	now := p.Engine.Clock().Now()
	v.Now = now.UTC().Format(time.DateTime)
	if ahead := time.Until(now).Round(time.Second); ahead > time.Second {
		v.Ahead = durationText(ahead)
	}
	p.mu.Lock()
	v.Faults = len(p.faults)
	p.mu.Unlock()
	if done := notices[r.URL.Query().Get("done")]; done != "" {
		if spent, err := strconv.ParseFloat(r.URL.Query().Get("spent"), 64); err == nil {
			done += " It cost " + writeUnits(spent) + "."
		}
		v.Notices = append(v.Notices, done)
	}
	var body bytes.Buffer
	if err := views[name].Execute(&body, v); err != nil {
		http.Error(w, "ddblocal: "+err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Length", strconv.Itoa(body.Len()))
	w.WriteHeader(status)
	if r.Method != http.MethodHead {
		_, _ = w.Write(body.Bytes()) // the client may be gone
	}
}

// fail responds with a view that says what is wrong.
func (p *Page) fail(w http.ResponseWriter, r *http.Request, status int, problems ...string) {
	p.show(w, r, status, "problem", &view{Title: http.StatusText(status), Problems: problems})
}

// failCall responds with the error of the engine.
func (p *Page) failCall(w http.ResponseWriter, r *http.Request, err error) {
	status := http.StatusBadRequest
	if isKind(err, "ResourceNotFoundException") {
		status = http.StatusNotFound
	}
	p.fail(w, r, status, err.Error())
}

// notices are the texts that a view shows after a redirect, by the word in its URL.
var notices = map[string]string{
	"stream":   "The stream is changed.",
	"ttl":      "Time to live is changed.",
	"advanced": "The clock is advanced.",
	"on":       "The fault is on.",
	"off":      "It is switched off.",
	"saved":    "The item is saved.",
	"deleted":  "The item is deleted.",
}

// link returns a path below Path with parameters; its elements are escaped, and empty parameters are left out.
func link(elements []string, params ...string) string {
	escaped := make([]string, len(elements))
	for i, e := range elements {
		escaped[i] = url.PathEscape(e)
	}
	path := Path + strings.Join(escaped, "/")
	query := make(url.Values)
	for i := 0; i+1 < len(params); i += 2 {
		if params[i+1] != "" {
			query.Add(params[i], params[i+1])
		}
	}
	if len(query) == 0 {
		return path
	}
	return path + "?" + query.Encode()
}

// link returns the link to a view of a table, by the last element of its path, which is empty for the definition.
func (t *table) link(view string, params ...string) string {
	elements := []string{"tables", t.TableName}
	if view != "" {
		elements = append(elements, view)
	}
	return link(elements, params...)
}

// membersLink returns the link to the view of the items in an index.
func (t *table) membersLink(index string, params ...string) string {
	return link([]string{"tables", t.TableName, "indexes", index}, params...)
}

// view returns a view of a table; current is the last element of the path of its tab, "-" for none.
func (t *table) view(current string, content any, problems ...string) *view {
	return &view{Title: t.TableName, Table: t.TableName, Tabs: t.tabs(current), Problems: problems, Content: content}
}

// tabs returns the tabs of a table; current is the last element of the path of the current one.
func (t *table) tabs(current string) []tab {
	list := []struct{ title, view string }{
		{"Items", "items"}, {"Item types", "kinds"}, {"Stream", "stream"}, {"Time to live", "ttl"}, {"Definition", ""},
	}
	var all []tab
	for _, v := range list {
		all = append(all, tab{v.title, t.link(v.view), v.view == current})
	}
	return all
}

// grouped returns an integer with commas.
func grouped(n int64) string {
	text := strconv.FormatInt(n, 10)
	sign := ""
	if text[0] == '-' {
		sign, text = "-", text[1:]
	}
	for i := len(text) - 3; i > 0; i -= 3 {
		text = text[:i] + "," + text[i:]
	}
	return sign + text
}

// writeUnits returns a number of write units with their name.
func writeUnits(units float64) string {
	if units == 1 {
		return "1 write unit"
	}
	return unitsText(units) + " write units"
}

// unitsText returns a number of capacity units.
func unitsText(units float64) string {
	whole := int64(units)
	rest := strconv.FormatFloat(units-float64(whole), 'f', -1, 64)
	return grouped(whole) + strings.TrimPrefix(rest, "0")
}

func bytesText(n int64) string {
	switch {
	case n < 10_000:
		return grouped(n) + " bytes"
	case n < 10_000_000:
		return grouped(n/1000) + " kB"
	default:
		return grouped(n/1_000_000) + " MB"
	}
}

// durationText returns a duration in its two largest units.
func durationText(d time.Duration) string {
	units := []struct {
		name string
		size time.Duration
	}{{"d", 24 * time.Hour}, {"h", time.Hour}, {"min", time.Minute}, {"s", time.Second}}
	for i, u := range units {
		if d < u.size && u.size > time.Second {
			continue
		}
		text := fmt.Sprintf("%d %s", d/u.size, u.name)
		if i+1 < len(units) && d%u.size >= units[i+1].size {
			text += fmt.Sprintf(" %d %s", d%u.size/units[i+1].size, units[i+1].name)
		}
		return text
	}
	return ""
}
