// SPDX-License-Identifier: Apache-2.0

package explorer_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/dynamotable/ddb/eventstore"
)

// streams is the checker's knowledge of the two streams, a and b, of a schedule of an event store.
type streams struct {
	run     *run
	from    streamState // at first
	now     streamState
	number  int64            // the last one of the feed
	written map[string]*call // by commit id
	clock   int
}

// streamState are the events of both streams, in order.
type streamState [2][]stored

// stored is an event as it is in the table.
type stored struct {
	label  string // identifies the call that wrote it
	on     int    // number of events of the stream when it was decided, -1 if nothing was decided
	commit string
}

func (s streamState) String() string {
	var b strings.Builder
	for i, list := range s {
		fmt.Fprintf(&b, "%c[", 'a'+rune(i))
		for j, e := range list {
			if j > 0 {
				b.WriteString(" ")
			}
			b.WriteString(e.label)
		}
		b.WriteString("]")
	}
	return b.String()
}

// asks is what a call requests of the event store.
type asks struct {
	id    string // its commit id without the name of the schedule, empty for a unique one
	label string // label of its events, empty for a unique one
	parts []asked
	// hurried: it gives up before a missing reply times out.
	hurried bool
}

// asked is what a call requests of one stream.
type asked struct {
	stream   int
	expected expectation
	events   int
}

type expectation uint8

const (
	whatever expectation = iota
	atStart              // the version that the stream has at the beginning
	atNext               // the version after that one
	existing
)

// appendCall is a call of an event store.
type appendCall struct {
	*asks
	id, label    string
	done         []eventstore.Appended
	aggregate    *eventstore.Aggregate[journal] // of an Update
	refuted      bool                           // its expectations were false at some moment of the call
	before       *call                          // the commit that had its commit id when it was called
	lengths      [][2]int                       // states of the streams during the call
	began, ended int
}

// appends returns the call of a verb at a place of a program.
func (v *verb) appends(caller, place int) *appendCall {
	if v.asks == nil {
		return nil
	}
	own := fmt.Sprintf("%c%d", 'A'+rune(caller), place)
	a := &appendCall{asks: v.asks, id: v.asks.id, label: v.asks.label}
	if a.id == "" {
		a.id = own
	}
	if a.label == "" {
		a.label = own
	}
	return a
}

// labels returns the labels of the events that a call writes to a stream.
func (a *appendCall) labels(stream int) (list []string) {
	for _, p := range a.parts {
		for n := 1; p.stream == stream && n <= p.events; n++ {
			list = append(list, a.label+"."+strconv.Itoa(n))
		}
	}
	return list
}

// writesSame reports whether two calls write the same events to the same streams.
func (a *appendCall) writesSame(o *appendCall) bool {
	return slices.Equal(a.labels(0), o.labels(0)) && slices.Equal(a.labels(1), o.labels(1))
}

// holds reports whether the expectations of a call are true.
func (s *streams) holds(c *call) bool {
	for _, p := range c.append.parts {
		n := len(s.now[p.stream])
		from := len(s.from[p.stream])
		if p.expected == atStart && n != from || p.expected == atNext && n != from+1 || p.expected == existing && n == 0 {
			return false
		}
	}
	return true
}

// watch records the stored state for a running call.
func (s *streams) watch(c *call) {
	c.append.refuted = c.append.refuted || !s.holds(c)
	c.append.lengths = append(c.append.lengths, [2]int{len(s.now[0]), len(s.now[1])})
}

func (s *streams) stored() fmt.Stringer { return s.now }

func (s *streams) begin(c *call) {
	s.clock++
	c.append.began, c.append.before = s.clock, s.written[c.append.id]
	s.watch(c)
}

func (s *streams) effect(c *call) {
	a, held := c.append, s.holds(c)
	old := s.now
	s.now = s.read(c)
	parts := 0
	for i := range s.now {
		want, n := a.labels(i), len(old[i])
		if len(s.now[i]) < n || !slices.Equal(s.now[i][:n], old[i]) {
			s.run.violated(notDense, c)
			continue
		}
		added := s.now[i][n:]
		if len(added) == len(want) && len(want) > 0 {
			parts++
		}
		for j, e := range added {
			if j >= len(want) || e.label != want[j] || a.asks.id != "" && e.commit != s.commitID(a.asks.id) {
				s.run.violated(wrongReply, c)
			}
			if e.on >= 0 && e.on != n {
				s.run.violated(staleState, c)
			}
		}
	}
	if parts != len(a.parts) {
		s.run.violated(halfApplied, c)
	}
	if !held {
		s.run.violated(otherRevision, c)
	}
	c.applied++
	if s.written[a.id] != nil {
		s.run.violated(appliedTwice, c)
	}
	s.written[a.id] = c
	switch c.result {
	case rejected:
		s.run.violated(failedLater, c)
	case failed:
		s.run.violated(errorApplied, c)
	}
	for _, d := range s.run.calls {
		if d.active {
			s.watch(d)
		}
		if d.append.id == a.id && d.result == rejected && a.ended > 0 && a.ended < d.append.began {
			s.run.violated(undecided, d)
		}
	}
	s.checkFeed(c, old)
}

func (s *streams) end(c *call) {
	a := c.append
	s.clock++
	a.ended = s.clock
	switch c.result {
	case succeeded:
		s.endWell(c)
	case rejected:
		s.endRejected(c)
	case failed:
		if c.applied > 0 {
			s.run.violated(errorApplied, c)
		}
	}
	if s.run.guard.layer.patient && (c.result == failed || c.result == unknown && !a.hurried) {
		s.run.violated(gaveUp, c)
	}
}

// endWell compares a success with the stored state.
func (s *streams) endWell(c *call) {
	a := c.append
	if a.aggregate == nil && len(a.done) != len(a.parts) {
		s.run.violated(wrongReply, c)
		return
	}
	for i, p := range a.parts {
		first, found := 0, 0
		for j, e := range s.now[p.stream] {
			if e.label == a.label+".1" {
				first = j + 1
				found++
			}
		}
		last := first + p.events - 1
		switch {
		case found == 0:
			s.run.violated(okNotApplied, c)
			continue
		case found > 1:
			s.run.violated(appliedTwice, c)
		}
		if a.aggregate != nil {
			if int(a.aggregate.Version) < last || !s.isState(a.aggregate) {
				s.run.violated(wrongState, c)
			}
			continue
		}
		d := a.done[i]
		if d.Stream != s.name(p.stream) || int(d.First) != first || int(d.Last) != last {
			s.run.violated(otherVersions, c)
		}
		if !d.Deduplicated && c.applied == 0 || d.Deduplicated && c.applied > 0 && s.run.bad() == 0 {
			s.run.violated(wrongReply, c)
		}
	}
}

// endRejected compares a refusal with the states stored during the call.
func (s *streams) endRejected(c *call) {
	a := c.append
	if c.applied > 0 {
		s.run.violated(failedApplied, c)
	}
	if a.before != nil && a.before.append.writesSame(a) {
		s.run.violated(notRecognised, c)
	}
	if errors.Is(c.err, eventstore.ErrCommitIDReused) {
		if w := s.written[a.id]; w == nil || w.append.writesSame(a) {
			s.run.violated(failedTrue, c)
		}
		return
	}
	if !a.refuted {
		s.run.violated(failedTrue, c)
	}
	if wrong, ok := errors.AsType[*eventstore.WrongExpectedVersion](c.err); ok {
		stream := slices.IndexFunc([]string{s.name(0), s.name(1)}, func(name string) bool { return name == wrong.Stream })
		was := slices.ContainsFunc(a.lengths, func(n [2]int) bool { return stream >= 0 && n[stream] == int(wrong.Actual) })
		if !was {
			s.run.violated(wrongReply, c)
		}
	}
}

// isState reports whether an aggregate is the result of the events of stream a up to its version.
func (s *streams) isState(a *eventstore.Aggregate[journal]) bool {
	list := s.now[0]
	return int(a.Version) <= len(list) && a.State == journalOf(list[:a.Version])
}

// finish checks the loaded aggregate at the end of a schedule, and the state stored with the events.
func (s *streams) finish() {
	for _, c := range s.run.calls {
		if c.verb.name != "Update" && c.verb.name != "Update u" {
			continue
		}
		u := s.run.users[0]
		u.run = nil // without the network
		loaded, err := openJournals(u.events.store).Load(u.ctx(), s.name(0))
		if err != nil || int(loaded.Version) != len(s.now[0]) || !s.isState(&loaded) {
			s.run.violated(wrongState, c)
		}
		newest := 0
		for i, e := range s.now[0] {
			if e.on >= 0 {
				newest = i + 1
			}
		}
		state := s.run.item("V#"+s.name(0), 0)
		if number(state, "version") != int64(newest) {
			s.run.violated(wrongState, c)
		}
		return
	}
}

func (s *streams) name(stream int) string { return s.run.key + "-" + string('a'+rune(stream)) }

func (s *streams) commitID(id string) string { return id + "-" + s.run.key }

// wireItem is an item as the engine returns it.
type wireItem map[string]wireValue

// wireValue is a string, a number or bytes. Of other types it is empty.
type wireValue struct{ S, N, B string }

func text(item wireItem, name string) string { return item[name].S }

func number(item wireItem, name string) int64 {
	n, err := strconv.ParseInt(item[name].N, 10, 64)
	if err != nil {
		return 0
	}
	return n
}

// read reads both streams, and checks that their versions have no gaps.
func (s *streams) read(c *call) (state streamState) {
	for i := range state {
		var out struct{ Items []wireItem }
		s.run.raw("Query", fmt.Sprintf(`"KeyConditionExpression":"pk = :p","ExpressionAttributeValues":{":p":{"S":"S#%s"}}`, s.name(i)), &out)
		for j, item := range out.Items {
			if number(item, "sk") != int64(j) {
				s.run.violated(notDense, c)
			}
			if j == 0 {
				if number(item, "version") != int64(len(out.Items)-1) {
					s.run.violated(notDense, c)
				}
				continue
			}
			var e noted
			if err := json.Unmarshal(binary(item, "data"), &e); err != nil {
				panic(err)
			}
			state[i] = append(state[i], stored{label: e.By, on: e.On, commit: text(item, "commit")})
		}
	}
	return state
}

// checkFeed checks that the events that a call added have the next numbers of the feed, and that the feed ends there.
func (s *streams) checkFeed(c *call, old streamState) {
	if !s.run.guard.layer.feed {
		return
	}
	for _, p := range c.append.parts {
		s.number++
		row := s.run.item("F#0#"+strconv.FormatInt(s.number/10_000, 10), s.number)
		first, last := len(old[p.stream])+1, len(s.now[p.stream])
		if text(row, "stream") != s.name(p.stream) || number(row, "first") != int64(first) || number(row, "last") != int64(last) ||
			last < first || text(row, "commit") != s.now[p.stream][first-1].commit {
			s.run.violated(otherFeed, c)
		}
	}
	if number(s.run.item("N#0", 0), "version") != s.number {
		s.run.violated(otherFeed, c)
	}
}
