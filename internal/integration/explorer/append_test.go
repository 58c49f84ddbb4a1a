// SPDX-License-Identifier: Apache-2.0

package explorer_test

import (
	"context"
	"errors"
	"flag"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/dynamotable/ddb"
	"github.com/dynamotable/ddb/eventstore"
)

var wantedAppends = flag.Int("explorer.appends", 4_000, "number of schedules of all event stores together")

// setUpKey is the key of the item that records the setup of an event store's table, which is not explored.
var setUpKey = []byte(`"M#feed"`)

// noted is the event of all streams.
type noted struct {
	By string
	On int // number of events when it was decided, -1 if nothing was decided
}

// journal is the state that results from the events.
type journal struct {
	N   int
	Log string
}

func (j journal) with(e noted) journal { return journal{j.N + 1, j.Log + e.By + " "} }

func journalOf(list []stored) (j journal) {
	for _, e := range list {
		j = j.with(noted{By: e.label})
	}
	return j
}

var notedTypes = func() *eventstore.Types[noted] {
	types := eventstore.NewTypes[noted](eventstore.JSON)
	eventstore.Register[noted](types, "noted", 1)
	return types
}()

func openJournals(s *eventstore.Store) *eventstore.Repository[journal, noted] {
	return eventstore.NewRepository(s, notedTypes, journal.with, eventstore.StateStored("journal", 1))
}

// eventUser is a caller of an event store, in its own process.
type eventUser struct {
	store    *eventstore.Store
	journals *eventstore.Repository[journal, noted]
}

// streams is the model of the run.
func (u *user) streams() *streams {
	s, ok := u.run.model.(*streams)
	if !ok {
		panic("no event store is explored")
	}
	return s
}

func (u *user) ctx() context.Context { return context.Background() }

// eventStores are the explored ways to open an event store.
func eventStores() []*protection {
	atOnce := func(context.Context, time.Duration) error { return nil }
	ahead := []exception{
		{whyAhead, failedLater, latecomers, []string{"Append Exactly next x"}},
		{whyAhead, undecided, latecomers, []string{"Append Exactly next x"}}, // its refusal does not decide a call without that expectation
	}
	open := func(name string, feed, patient bool, retry ddb.RetryPolicy, more ...eventstore.Option) *protection {
		return &protection{name: name, excepted: ahead, layer: &layer{
			options: func() []eventstore.Option {
				return append(more, eventstore.Waits(atOnce), eventstore.TableOptions(ddb.Retry(retry)))
			},
			feed: feed, patient: patient, create: createStore, begins: beginsStreams, verbs: appendVerbs, programs: appendPrograms,
		}}
	}
	patient := ddb.RetryPolicy{BaseDelay: 1, MaxDelay: 1}
	once := ddb.RetryPolicy{BaseDelay: 1, MaxDelay: 1, MaxAttempts: 1}
	return []*protection{
		open("Events", false, true, patient),
		open("Events with a feed", true, true, patient, eventstore.Sequenced(1)),
		open("Events sent once", false, false, once, eventstore.MaxTries(1)),
	}
}

// TestAppends explores the event store.
func TestAppends(t *testing.T) { exploreAll(t, chosen(t, eventStores()), *wantedAppends) }

// open opens the event store for a caller, as a starting process does.
func (w *world) open(u *user) *eventUser {
	store, err := eventstore.New(u.client, tableName, w.guard.layer.options()...)
	if err != nil {
		panic(err)
	}
	return &eventUser{store, openJournals(store)}
}

// createStore creates the table.
func createStore(t *testing.T, w *world, users []*user) {
	if err := w.open(users[0]).store.EnsureTable(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// beginsStreams sets up an event store as it is before the callers start.
func beginsStreams(r *run, first start) {
	s := &streams{run: r, written: map[string]*call{}}
	r.model = s
	if first == item {
		u := r.users[0]
		store := r.open(u).store
		for i := range s.now {
			if _, err := store.Append(u.ctx(), s.name(i), eventstore.NoStream(), encoded(noted{By: "first", On: -1})); err != nil {
				panic(err)
			}
		}
	}
	for _, u := range r.users {
		u.events = r.open(u)
	}
	s.now = s.read(r.calls[0])
	s.from = s.now
	s.number = number(r.item("N#0", 0), "version")
	r.origin = s.now
}

func encoded(e noted) eventstore.NewEvent {
	event, err := notedTypes.Encode(e)
	if err != nil {
		panic(err)
	}
	return event
}

// arguments returns the arguments of a call to one stream.
func (u *user) arguments(c *call, i int) (stream string, expected eventstore.Expected, events []eventstore.NewEvent) {
	p := c.append.parts[i]
	s := u.streams()
	switch expected = eventstore.Any(); p.expected {
	case atStart:
		expected = eventstore.Exactly(int64(len(s.from[p.stream])))
	case atNext:
		expected = eventstore.Exactly(int64(len(s.from[p.stream])) + 1)
	case existing:
		expected = eventstore.StreamExists()
	}
	for _, label := range c.append.labels(p.stream) {
		events = append(events, encoded(noted{By: label, On: -1}))
	}
	return s.name(p.stream), expected, events
}

// repeatable returns the commit id of a call, if it has one.
func (u *user) repeatable(c *call) []eventstore.CommitArgument {
	if c.append.asks.id == "" {
		return nil
	}
	return []eventstore.CommitArgument{eventstore.CommitID(u.streams().commitID(c.append.asks.id))}
}

func runAppend(more ...eventstore.CommitArgument) func(context.Context, *user, *call) (*record, error) {
	return func(ctx context.Context, u *user, c *call) (*record, error) {
		stream, expected, events := u.arguments(c, 0)
		args := []eventstore.AppendArg{eventstore.Events(events)}
		for _, arg := range append(u.repeatable(c), more...) {
			args = append(args, arg)
		}
		done, err := u.events.store.Append(ctx, stream, expected, args...)
		c.append.done = []eventstore.Appended{done}
		return nil, err
	}
}

func runCommit(ctx context.Context, u *user, c *call) (*record, error) {
	var args []eventstore.CommitArg
	for i := range c.append.parts {
		stream, expected, events := u.arguments(c, i)
		args = append(args, eventstore.To(stream, expected, events...))
	}
	for _, arg := range u.repeatable(c) {
		args = append(args, arg)
	}
	done, err := u.events.store.Commit(ctx, args...)
	c.append.done = done
	return nil, err
}

// runUpdate saves an aggregate: it loads it, decides, and appends with the state.
func runUpdate(ctx context.Context, u *user, c *call) (*record, error) {
	a, err := u.events.journals.Update(ctx, u.streams().name(0), func(j journal) ([]noted, error) {
		return []noted{{By: c.append.labels(0)[0], On: j.N}}, nil
	}, u.repeatable(c)...)
	c.append.aggregate = &a
	return nil, err
}

// hurried runs a call that gives up before a missing reply times out.
func hurried(run func(context.Context, *user, *call) (*record, error)) func(context.Context, *user, *call) (*record, error) {
	return func(ctx context.Context, u *user, c *call) (*record, error) {
		ctx, cancel := context.WithTimeout(ctx, patience/5)
		defer cancel()
		return run(ctx, u, c)
	}
}

// appendVerbs are the calls of an event store. Those with the commit id x write the same event to stream a, except one.
func appendVerbs() []*verb {
	list := []*verb{
		{name: "Append Exactly", asks: &asks{parts: []asked{{0, atStart, 1}}}, run: runAppend()},
		{name: "Append Any", asks: &asks{parts: []asked{{0, whatever, 2}}}, run: runAppend()},
		{name: "Append StreamExists", asks: &asks{parts: []asked{{0, existing, 1}}}, run: runAppend()},
		{name: "Append Exactly x", asks: &asks{id: "x", label: "x", parts: []asked{{0, atStart, 1}}}, run: runAppend()},
		{name: "Append Exactly next x", asks: &asks{id: "x", label: "x", parts: []asked{{0, atNext, 1}}}, run: runAppend()},
		{name: "Append Any x", asks: &asks{id: "x", label: "x", parts: []asked{{0, whatever, 1}}}, run: runAppend()},
		{name: "Append Any x Dedup", asks: &asks{id: "x", label: "x", parts: []asked{{0, whatever, 1}}}, run: runAppend(eventstore.Dedup(time.Hour))},
		{name: "Append Any x hurried", asks: &asks{id: "x", label: "x", parts: []asked{{0, whatever, 1}}, hurried: true}, run: hurried(runAppend())},
		{name: "Append Exactly x other", asks: &asks{id: "x", label: "o", parts: []asked{{0, atStart, 1}}}, run: runAppend()},
		{name: "Append b", asks: &asks{parts: []asked{{1, whatever, 1}}}, run: runAppend()},
		{name: "Commit", asks: &asks{parts: []asked{{0, atStart, 1}, {1, whatever, 2}}}, run: runCommit},
		{name: "Commit y", asks: &asks{id: "y", label: "y", parts: []asked{{1, atStart, 1}, {0, whatever, 1}}}, run: runCommit},
		{name: "Commit x", asks: &asks{id: "x", label: "x", parts: []asked{{0, atStart, 1}, {1, whatever, 1}}}, run: runCommit},
		{name: "Update", asks: &asks{parts: []asked{{0, whatever, 1}}}, run: runUpdate},
		{name: "Update u", asks: &asks{id: "u", label: "u", parts: []asked{{0, whatever, 1}}}, run: runUpdate},
	}
	for _, v := range list {
		v.demand, v.free = always(anything), never
	}
	return list
}

// appendPrograms lists the explored programs of an event store: every call alone, repeated, and with every other call, in every order;
// then with one misbehaviour; then the rest by size.
func appendPrograms() (out []program) {
	all := appendVerbs()
	seen := map[string]bool{}
	add := func(bad int, silent bool, callers ...[]*verb) {
		for _, s := range []start{nothing, item} {
			p := program{callers: callers, start: s, bad: bad, silent: silent}
			name := p.String() + string(rune('0'+bad))
			if !seen[name] {
				seen[name] = true
				out = append(out, p)
			}
		}
	}
	named := func(name string) *verb {
		return all[slices.IndexFunc(all, func(v *verb) bool { return v.name == name })]
	}
	for _, a := range all {
		add(1, true, []*verb{a})
	}
	for _, pair := range []string{
		"Append Any x hurried|Append Any x", "Append Exactly x|Append Any x", "Commit y|Commit y", "Update u|Update u",
	} {
		a, b, _ := strings.Cut(pair, "|")
		add(1, true, []*verb{named(a), named(b)})
	}
	for i, a := range all {
		for _, b := range all[i:] {
			add(0, false, []*verb{a}, []*verb{b})
		}
	}
	for _, pair := range []string{
		"Commit y|Commit y", "Append Any x|Append Any x", "Update|Update", "Commit|Append Any", "Append Exactly x|Append Any x", "Append Exactly|Append Any",
		"Append b|Append Any", "Append Exactly|Append Exactly next x", "Update u|Update u", "Commit x|Append Any x", "Update|Append Any", "Commit y|Commit", "Append Any x hurried|Append Any",
		"Append Exactly next x|Append Any x",
	} {
		a, b, _ := strings.Cut(pair, "|")
		add(1, false, []*verb{named(a)}, []*verb{named(b)})
	}
	repeats := func(bad int) {
		for _, a := range all {
			for _, b := range all {
				if a.asks.id != "" && a.asks.id == b.asks.id {
					add(bad, true, []*verb{a, b})
				}
			}
		}
	}
	repeats(1)
	for i, a := range all {
		for _, b := range all[i:] {
			add(1, false, []*verb{a}, []*verb{b})
			add(1, true, []*verb{a}, []*verb{b})
		}
	}
	for _, a := range all {
		add(2, true, []*verb{a})
		add(0, false, []*verb{a}, []*verb{named("Append Any")}, []*verb{named("Commit y")})
		for _, b := range all {
			if a.asks.id != "" && a.asks.id == b.asks.id { // another call comes between the call and its repeat
				add(1, true, []*verb{a, b}, []*verb{named("Append Any")})
			}
		}
	}
	repeats(2)
	for i, a := range all {
		for j, b := range all[i:] {
			add(2, false, []*verb{a}, []*verb{b})
			for _, c := range all[i+j:] {
				add(1, false, []*verb{a}, []*verb{b}, []*verb{c})
			}
		}
	}
	return out
}

func (s *streams) result(err error) result {
	switch {
	case err == nil:
		return succeeded
	case errors.Is(err, eventstore.ErrAmbiguous), errors.Is(err, ddb.ErrOutcomeUnknown):
		return unknown
	case errors.Is(err, eventstore.ErrWrongExpectedVersion), errors.Is(err, eventstore.ErrCommitIDReused):
		return rejected
	}
	return failed
}
