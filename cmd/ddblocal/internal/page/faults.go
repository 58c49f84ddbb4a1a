// SPDX-License-Identifier: Apache-2.0

package page

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/dynamotable/ddb/ddbtest/fault"
)

// faultKind is a fault that can be turned on.
type faultKind struct {
	Name, Title string
	argument    string // the meaning of the number in the form, "" if it has none
	rule        func(m fault.Matcher, n int) fault.Rule
}

// faultKinds are those of package fault that need only a number. Stale reads need an engine that was made with them.
var faultKinds = []faultKind{
	{"throttle", "throttled: the partition has no units left", "", func(m fault.Matcher, _ int) fault.Rule {
		return m.Throttle("TableWriteKeyRangeThroughputExceeded")
	}},
	{"limit", "throttled: the account's limit", "", func(m fault.Matcher, _ int) fault.Rule { return m.Limit() }},
	{"internal", "internal error, not executed", "", func(m fault.Matcher, _ int) fault.Rule { return m.InternalError() }},
	{"internal-after", "internal error, although executed", "", func(m fault.Matcher, _ int) fault.Rule { return m.Applied().InternalError() }},
	{"unavailable", "service unavailable", "", func(m fault.Matcher, _ int) fault.Rule { return m.Unavailable() }},
	{"drop-reply", "executed, but the reply is lost", "", func(m fault.Matcher, _ int) fault.Rule { return m.DropReply() }},
	{"drop-request", "the request is lost", "", func(m fault.Matcher, _ int) fault.Rule { return m.DropRequest() }},
	{"delay", "delayed by milliseconds", "milliseconds", func(m fault.Matcher, n int) fault.Rule { return m.Delay(time.Duration(n) * time.Millisecond) }},
	{"duplicate", "arrives twice", "", func(m fault.Matcher, _ int) fault.Rule { return m.Duplicate() }},
	{"conflict", "conflict with a transaction", "", func(m fault.Matcher, _ int) fault.Rule { return m.Conflict() }},
	{"unprocessed", "items of a batch are left", "items", func(m fault.Matcher, n int) fault.Rule { return m.Unprocessed(n) }},
	{"truncate", "the reply is cut short", "", func(m fault.Matcher, _ int) fault.Rule { return m.TruncateBody() }},
	{"checksum", "the reply has a wrong checksum", "", func(m fault.Matcher, _ int) fault.Rule { return m.WrongChecksum() }},
	{"gateway", "a gateway replies in HTML, status 502", "", func(m fault.Matcher, _ int) fault.Rule { return m.GatewayHTML(http.StatusBadGateway) }},
	{"deny", "no permission", "", func(m fault.Matcher, _ int) fault.Rule { return m.Deny() }},
}

// faultOperations are the operations that programs send during normal operation.
var faultOperations = []string{
	"GetItem", "PutItem", "UpdateItem", "DeleteItem", "Query", "Scan", "BatchGetItem", "BatchWriteItem", "TransactGetItems", "TransactWriteItems",
	"ExecuteStatement", "GetShardIterator", "GetRecords", "DescribeTable", "CreateTable",
}

// activeFault is a fault that is turned on.
type activeFault struct {
	ID                     string
	Kind, Operation, Table string
	Number, Percent, First int
	Title, Requests, Share string

	rule fault.Rule
	seen *atomic.Int64 // number of requests that it applied to
}

// Seen returns the number of requests that it applied to.
func (f *activeFault) Seen() int64 { return f.seen.Load() }

// readFault reads the form of a fault and reports everything that is wrong.
func readFault(r *http.Request) (f *activeFault, problems []string) {
	f = &activeFault{Kind: r.PostForm.Get("kind"), Operation: r.PostForm.Get("operation"), Table: r.PostForm.Get("table"), Percent: 100, seen: new(atomic.Int64)}
	at := slices.IndexFunc(faultKinds, func(k faultKind) bool { return k.Name == f.Kind })
	if at < 0 {
		problems = append(problems, fmt.Sprintf("%q is no fault", f.Kind))
	}
	if f.Operation != "" && !slices.Contains(faultOperations, f.Operation) {
		problems = append(problems, fmt.Sprintf("%q is no operation that can be chosen", f.Operation))
	}
	number := func(name, what string, low, high int, to *int) {
		text := r.PostForm.Get(name)
		if text == "" {
			return
		}
		n, err := strconv.Atoi(text)
		if err != nil || n < low || n > high {
			problems = append(problems, fmt.Sprintf("%s: %q is no number from %d to %d", what, text, low, high))
			return
		}
		*to = n
	}
	const most = 1_000_000
	number("percent", "share", 1, 100, &f.Percent)
	number("first", "requests", 1, most, &f.First)
	number("number", "number", 1, most, &f.Number)
	if at >= 0 && faultKinds[at].argument != "" && f.Number == 0 && r.PostForm.Get("number") == "" {
		problems = append(problems, "the fault needs a number of "+faultKinds[at].argument)
	}
	if len(problems) > 0 {
		return nil, problems
	}
	kind := faultKinds[at]
	m := fault.On()
	f.Requests = "every request"
	if f.Operation != "" {
		m, f.Requests = fault.On(f.Operation), f.Operation
	}
	if f.Table != "" {
		m = m.Table(f.Table)
		f.Requests += " of " + f.Table
	}
	seen := f.seen
	m = m.Where(func(fault.Request) bool { seen.Add(1); return true })
	f.Share = "all"
	if f.Percent < 100 {
		m, f.Share = m.Chance(float64(f.Percent)/100), strconv.Itoa(f.Percent)+" %"
	}
	if f.First > 0 {
		m = m.First(f.First)
		f.Share += " of the first " + grouped(int64(f.First))
	}
	f.Title = kind.Title
	if kind.argument != "" {
		f.Title += ": " + grouped(int64(f.Number))
	}
	f.rule = kind.rule(m, f.Number)
	return f, nil
}

// setFaults makes the engine use the active faults. The caller holds p.mu.
func (p *Page) setFaults() error {
	var rules []fault.Rule
	for _, f := range p.faults {
		f.seen.Store(0) // the engine also restarts its count
		rules = append(rules, f.rule)
	}
	return p.Engine.SetFaults(rules...)
}

// showFaults shows the list of faults, and the form for another one.
func (p *Page) showFaults(w http.ResponseWriter, r *http.Request) {
	p.showFaultsWith(w, r, http.StatusOK)
}

func (p *Page) showFaultsWith(w http.ResponseWriter, r *http.Request, status int, problems ...string) {
	tables, err := p.listed(r.Context())
	if err != nil {
		p.failCall(w, r, err)
		return
	}
	p.mu.Lock()
	active := slices.Clone(p.faults)
	p.mu.Unlock()
	p.show(w, r, status, "faults", &view{Title: "Faults", Problems: problems, Content: struct {
		Active             []*activeFault
		Kinds              []faultKind
		Operations, Tables []string
	}{active, faultKinds, faultOperations, tables}})
}

// changeFaults turns a fault on or off.
func (p *Page) changeFaults(w http.ResponseWriter, r *http.Request) {
	if !p.checkForm(w, r) {
		return
	}
	off := r.PostForm.Get("off")
	var added *activeFault
	if off == "" {
		f, problems := readFault(r)
		if len(problems) > 0 {
			p.showFaultsWith(w, r, http.StatusBadRequest, problems...)
			return
		}
		added = f
	}
	p.mu.Lock()
	before, done := slices.Clone(p.faults), "off"
	if added != nil {
		p.made++
		added.ID, done = strconv.Itoa(p.made), "on"
		p.faults = append(p.faults, added)
	} else {
		p.faults = slices.DeleteFunc(slices.Clone(p.faults), func(f *activeFault) bool { return off == "all" || f.ID == off })
	}
	err := p.setFaults()
	if err != nil {
		p.faults = before
	}
	p.mu.Unlock()
	if err != nil {
		p.showFaultsWith(w, r, http.StatusBadRequest, err.Error())
		return
	}
	p.redirect(w, r, []string{"faults"}, "done", done)
}
