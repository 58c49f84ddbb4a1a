// SPDX-License-Identifier: Apache-2.0

package explorer_test

import (
	"bytes"
	"cmp"
	"errors"
	"flag"
	"fmt"
	"iter"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/smithy-go/middleware"

	"github.com/dynamotable/ddb"
	"github.com/dynamotable/ddb/ddbclient"
	"github.com/dynamotable/ddb/ddbtest"
)

var (
	wanted  = flag.Int("explorer.schedules", 105_000, "number of schedules of all protections together; the default is just enough for every pair of verbs")
	only    = flag.String("explorer.only", "", "protections, separated by commas")
	workers = flag.Int("explorer.workers", 2, "goroutines")
	within  = flag.String("explorer.program", "", "only programs whose name contains this, such as \"Create | Create\"")
	verbose = flag.Bool("explorer.v", false, "print a shortest history of every finding, also of those that are not promised")
	first   = flag.Bool("explorer.first", false, "stop at the first violation")
)

// world is the environment in which the schedules of one program run.
type world struct {
	guard         *protection
	engine        *ddbtest.Engine
	status        int
	twins         []bool
	misbehaviours int
	silent        bool
	template      []byte // an item as the library stores it, with the key KEY, in wire form
	first         *ghost // the item with which all schedules start, nil before the first one and if there is none
}

// finding is a kind of violation.
type finding struct {
	violation violation
	verb      string
	in        circumstance
}

// counter has the findings of one kind.
type counter struct {
	n       int
	bad     int
	steps   int
	history string
}

// report has the findings of an exploration.
type report struct {
	mu        sync.Mutex
	schedules int
	skipped   int
	programs  int
	found     map[finding]*counter
	pairs     map[[2]string]bool
	results   map[string]int
	hits      map[hit]*[3]int // with one misbehaviour: schedules, unknown outcomes, and those that were applied
}

type hit struct {
	verb string
	mode mode
}

func newReport() *report {
	return &report{found: map[finding]*counter{}, pairs: map[[2]string]bool{}, results: map[string]int{}, hits: map[hit]*[3]int{}}
}

func (p *report) add(r *run) {
	p.schedules++
	for _, c := range r.calls {
		p.results[c.result.String()]++
	}
	if r.bad() == 1 {
		for m := lost; m < modes; m++ {
			if r.used[m] == 0 {
				continue
			}
			h := p.hits[hit{r.hit.verb.name, m}]
			if h == nil {
				h = new([3]int)
				p.hits[hit{r.hit.verb.name, m}] = h
			}
			h[0]++
			if r.hit.result == unknown {
				h[1]++
				if r.hit.applied > 0 {
					h[2]++
				}
			}
		}
	}
	for f := range r.broken {
		p.note(f, counter{n: 1, bad: r.bad(), steps: len(r.events)}, r.text)
	}
}

func (p *report) note(f finding, c counter, text func() string) {
	k := p.found[f]
	if k == nil {
		k = &counter{bad: 1 << 30}
		p.found[f] = k
	}
	k.n += c.n
	if c.bad < k.bad || c.bad == k.bad && c.steps < k.steps {
		k.bad, k.steps, k.history = c.bad, c.steps, text()
	}
}

func (p *report) merge(o *report) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.schedules += o.schedules
	p.skipped += o.skipped
	p.programs += o.programs
	for f, c := range o.found {
		p.note(f, *c, func() string { return c.history })
	}
	maps.Copy(p.pairs, o.pairs)
	for k, n := range o.results {
		p.results[k] += n
	}
	for k, h := range o.hits {
		if p.hits[k] == nil {
			p.hits[k] = new([3]int)
		}
		for i := range h {
			p.hits[k][i] += h[i]
		}
	}
}

func TestExplorer(t *testing.T) {
	exploreAll(t, chosen(t, protections()), *wanted)
}

// exploreAll explores each protection with its share of the schedules.
func exploreAll(t *testing.T, list []*protection, enough int) {
	for _, g := range list {
		if *first && t.Failed() {
			return
		}
		t.Run(g.name, func(t *testing.T) {
			start := time.Now()
			p := explore(t, g, enough/len(list))
			p.print(t, g, time.Since(start))
		})
	}
}

func chosen(t *testing.T, all []*protection) []*protection {
	var list []*protection
	for _, g := range all {
		if *only == "" || slices.Contains(strings.Split(*only, ","), g.name) {
			list = append(list, g)
		}
	}
	for name := range strings.SplitSeq(*only, ",") {
		named := func(g *protection) bool { return g.name == name }
		if name != "" && !slices.ContainsFunc(slices.Concat(protections(), eventStores(), saveStores()), named) {
			t.Fatalf("no protection and no event store is named %s", name)
		}
	}
	return list
}

// explore runs whole programs until it has tried enough schedules.
func explore(t *testing.T, g *protection, enough int) *report {
	total := newReport()
	next, end := iter.Pull2(numbered(programs(g)))
	defer end()
	var (
		mu    sync.Mutex // of next
		tried atomic.Int64
		stop  atomic.Bool
	)
	t.Run("explore", func(t *testing.T) { // it ends when all workers have
		for i := range *workers {
			t.Run(fmt.Sprint(i), func(t *testing.T) {
				t.Parallel()
				for int(tried.Load()) < enough && !(*first && stop.Load()) {
					mu.Lock()
					k, prog, ok := next()
					mu.Unlock()
					if !ok {
						return
					}
					synctest.Test(t, func(t *testing.T) {
						p := newReport()
						p.whole(t, g, prog, gatewayStatuses[k%len(gatewayStatuses)])
						tried.Add(int64(p.schedules))
						total.merge(p)
						if p.violates(g) {
							stop.Store(true)
						}
					})
				}
			})
		}
	})
	return total
}

// numbered returns the wanted programs with their numbers.
func numbered(programs iter.Seq[program]) iter.Seq2[int, program] {
	return func(yield func(int, program) bool) {
		k := 0
		for p := range programs {
			if !strings.Contains(p.String(), *within) {
				continue
			}
			if !yield(k, p) {
				return
			}
			k++
		}
	}
}

// whole tries every schedule of a program.
func (p *report) whole(t *testing.T, g *protection, prog program, status int) {
	p.programs++
	for i, a := range prog.callers {
		for _, b := range prog.callers[i+1:] {
			for _, v := range a {
				for _, w := range b {
					p.pairs[[2]string{min(v.name, w.name), max(v.name, w.name)}] = true
				}
			}
		}
	}
	w := &world{guard: g, engine: ddbtest.NewEngine(), status: status, twins: prog.twins(), misbehaviours: prog.bad, silent: prog.silent}
	defer w.engine.Close()
	users := w.users(t, len(prog.callers))
	for _, u := range users {
		go u.takePart()
	}
	defer func() {
		for _, u := range users {
			close(u.runs)
		}
	}()
	if g.layer == nil {
		w.template = w.create(t, users[0])
	}
	var prefix []int
	for n := 0; ; n++ {
		r := &run{world: w, key: fmt.Sprint("s", n), users: users, prefix: prefix, wake: make(chan struct{}, 1), tokens: map[string]bool{}, broken: map[finding]bool{}}
		for i, verbs := range prog.callers {
			for _, v := range verbs {
				r.calls = append(r.calls, &call{verb: v, caller: i, append: v.appends(i, len(r.calls)), save: v.save})
			}
		}
		if g.layer != nil {
			g.layer.begins(r, prog.start)
		} else {
			r.begins(prog.start)
		}
		if r.play() {
			if r.model != nil {
				r.model.finish()
			}
			p.add(r)
		} else {
			p.skipped++
		}
		r.rest()
		i := len(r.taken) - 1
		for i >= 0 && r.taken[i]+1 >= r.counts[i] {
			i--
		}
		if i < 0 {
			return
		}
		prefix = append(slices.Clone(r.taken[:i]), r.taken[i]+1)
	}
}

// users returns callers with their own clients and tables.
func (w *world) users(t *testing.T, n int) []*user {
	users := make([]*user, n)
	for i := range users {
		u := &user{index: i, engine: w.engine, runs: make(chan *run)}
		client, err := ddbclient.New(t.Context(), ddbclient.WithHTTPClient(u), ddbclient.WithEndpoint("http://127.0.0.1:1"),
			ddbclient.WithAttemptTimeout(0), ddbclient.WithOperationTimeout(0), ddbclient.WithBackoff(0, 0), ddbclient.WithConfig(aws.Config{
				Region: "eu-central-1", Credentials: credentials.NewStaticCredentialsProvider("id", "secret", ""),
			}), ddbclient.WithSDKOptions(func(o *dynamodb.Options) { o.APIOptions = append(o.APIOptions, onlyRetries) }))
		if err != nil {
			t.Fatal(err)
		}
		if u.client = client; w.guard.layer != nil {
			users[i] = u
			continue
		}
		if u.table, err = ddb.NewSimple(client, tableName, recordID, append(slices.Clip(w.guard.options), quick)...); err != nil {
			t.Fatal(err)
		}
		users[i] = u
	}
	if w.guard.layer != nil {
		w.guard.layer.create(t, w, users)
		return users
	}
	if err := users[0].table.CreateTable(t.Context()); err != nil {
		t.Fatal(err)
	}
	return users
}

// onlyRetries removes what the SDK does to a request between encoding and sending it, except for its retries: endpoints, signatures and the
// like are half of the work of a call, and the engine ignores them.
func onlyRetries(stack *middleware.Stack) error {
	retries, ok := stack.Finalize.Get("Retry")
	if !ok {
		return errors.New("the SDK has no step named Retry")
	}
	stack.Build.Clear()
	stack.Finalize.Clear()
	return stack.Finalize.Add(retries, middleware.After)
}

// quick makes the waits between attempts so short that nothing else times out in the meantime.
var quick = ddb.Retry(ddb.RetryPolicy{BaseDelay: 1, MaxDelay: 1})

// create returns an item as the library stores it, in wire form.
func (w *world) create(t *testing.T, u *user) []byte {
	if err := u.table.Create(t.Context(), &record{ID: "KEY", N: 5, State: "open"}); err != nil {
		t.Fatal(err)
	}
	resp, err := w.engine.Do(rawRequest("GetItem", `{"TableName":"`+tableName+`","Key":{"id":{"S":"KEY"}}}`))
	if err != nil {
		t.Fatal(err)
	}
	var body bytes.Buffer
	if _, err := body.ReadFrom(resp.Body); err != nil {
		t.Fatal(err)
	}
	item := bytes.TrimSuffix(bytes.TrimPrefix(body.Bytes(), []byte(`{"Item":`)), []byte("}"))
	return item
}

// begins sets up the world as it is before the callers start.
func (r *run) begins(s start) {
	r.states = []ghost{{}}
	r.origin = ghost{}
	stored := string(bytes.Replace(r.template, []byte(`"KEY"`), []byte(`"`+r.key+`"`), 1))
	switch s {
	case nothing:
		return
	case stale:
		stored = strings.TrimSuffix(stored, "}") + fmt.Sprintf(`,"until":{"N":"%d"}}`, longAgo)
	case staleForeign:
		stored = fmt.Sprintf(`{"id":{"S":%q},"n":{"N":"5"},"state":{"S":"open"},"until":{"N":"%d"}}`, r.key, longAgo)
		r.writers |= foreignItem
	case foreign:
		stored = fmt.Sprintf(`{"id":{"S":%q},"n":{"N":"5"},"state":{"S":"open"}}`, r.key)
		r.writers |= foreignItem
	}
	resp, err := r.engine.Do(rawRequest("PutItem", `{"TableName":"`+tableName+`","Item":`+stored+`}`))
	if err != nil || resp.StatusCode != http.StatusOK {
		panic(fmt.Sprint(resp, err))
	}
	r.writes = 1
	if r.first == nil {
		g := r.stored()
		g.born, g.rev, g.write = 1, 1, 1
		r.first = &g
	}
	r.states[0] = *r.first
	r.origin = *r.first
}

// print writes the findings, and fails for violations of what the protection promises.
func (p *report) print(t *testing.T, g *protection, took time.Duration) {
	n := len(verbs(g))
	t.Logf("%s: %d schedules of %d programs in %.1f s, distinct up to renaming of callers (%d more were cut as other orders of these); %d of %d pairs of verbs; calls ended %v",
		g.name, p.schedules, p.programs, took.Seconds(), p.skipped, len(p.pairs), n*(n+1)/2, p.results)
	if *within == "" && !*first && g.layer == nil && len(p.pairs) < n*(n+1)/2 {
		t.Errorf("%s: not every pair of verbs was tried; raise -explorer.schedules", g.name)
	}
	admitted := 0
	for _, f := range slices.SortedFunc(maps.Keys(p.found), finding.compare) {
		if p.implied(f) {
			continue
		}
		c := p.found[f]
		text := fmt.Sprintf("%s: %v (%s; needs: %v; %d misbehaviours, %d schedules)\n    %s", f.verb, f.violation, g.name, f.in, c.bad, c.n, c.history)
		switch why := g.excepts(f); {
		case why == "":
			t.Error(text)
		case *verbose:
			t.Logf("not promised (%s), %s", why, text)
			admitted++
		default:
			admitted++
		}
	}
	t.Logf("%s: %d kinds of history that are not promised were found; -explorer.v prints them", g.name, admitted)
	p.unknowns(t, g)
}

// implied reports whether there is a finding that needs less.
func (p *report) implied(f finding) bool {
	for less := range p.found {
		if less != f && less.violation == f.violation && less.verb == f.verb && less.in&^f.in == 0 {
			return true
		}
	}
	return false
}

func (f finding) compare(g finding) int {
	return cmp.Or(cmp.Compare(f.violation, g.violation), cmp.Compare(f.verb, g.verb), cmp.Compare(f.in, g.in))
}

// unknowns prints how often one misbehaviour made the outcome of its call unknown.
func (p *report) unknowns(t *testing.T, g *protection) {
	var b strings.Builder
	b.WriteString("unknown (applied), per cent of schedules with one misbehaviour, by the verb that it hit:")
	for _, v := range verbs(g) {
		fmt.Fprintf(&b, "\n    %-20s", v.name)
		for m := lost; m < modes; m++ {
			if h := p.hits[hit{v.name, m}]; h != nil {
				fmt.Fprintf(&b, " %v %.0f (%.0f);", m, 100*float64(h[1])/float64(h[0]), 100*float64(h[2])/float64(h[0]))
			}
		}
	}
	t.Log(b.String())
}

// violates reports whether a finding violates a promise.
func (p *report) violates(g *protection) bool {
	for f := range p.found {
		if g.excepts(f) == "" {
			return true
		}
	}
	return false
}

// excepts returns the reason why a violation is not promised to be absent.
func (g *protection) excepts(f finding) string {
	for _, e := range g.excepted {
		if e.violation == f.violation && e.needs&^f.in == 0 && (len(e.verbs) == 0 || slices.Contains(e.verbs, f.verb)) {
			return e.why
		}
	}
	return ""
}
