// SPDX-License-Identifier: Apache-2.0

package importer

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"time"

	"github.com/dynamotable/ddb/eventstore"
)

// Difference is an event that differs between the source and the new store.
type Difference struct {
	Stream string
	// Version is the version of the event in the new store, or its place in the source if the new store lacks it.
	Version int64
	// What is what differs, such as "type", "data" or "order", or says that the event is missing.
	What string
}

// Verify compares every event of a source with the store: id, type, schema, data, metadata, correlation and causation, and
// the number of events. It changes nothing. Differences are in the report; the error reports what could not be read.
//
// Events are matched by their ids. Versions must increase as the numbers that the source has stored do, whatever the order in which
// [Source.Events] yields the events. If the source has no numbers, its times must not decrease; the order of events
// with the same time is not known, and an event that was imported late ([LateKey]) may be anywhere. If the source keeps a count of a stream,
// that is compared too; see [Counter].
//
// Stop the writers of the source first. A pending stream ([Report.Pending]) is compared up to the event that is not decided. Verify reads both sides once.
func Verify(ctx context.Context, source Source, store *eventstore.Store, opts ...Option) (Report, error) {
	w, err := newWork(source, store, opts)
	if err != nil {
		return Report{}, err
	}
	return w.run(ctx, "comparison of events", w.compare)
}

// comparison compares a stream of the source with the new one.
type comparison struct {
	w      *work
	s      Stream
	source map[string]sourceEvent      // events not found in the new stream yet, by id
	stored map[string]eventstore.Event // events not found in the source yet
	marks  []mark                      // by version
}

type sourceEvent struct {
	Record
	place int64
}

// mark is what the source says about the order of the event with a version.
type mark struct {
	sequence int64
	at       time.Time
	loose    bool // late, or its place is unknown
}

// compare verifies one stream.
func (w *work) compare(ctx context.Context, s Stream) (int64, error) {
	c := &comparison{w: w, s: s, source: make(map[string]sourceEvent), stored: make(map[string]eventstore.Event)}
	n, last := int64(0), int64(-1)
	read := int64(0) // of the new stream
	err := w.records(ctx, s, func(r Record) error {
		n++
		last = max(last, r.Sequence)
		c.addSource(sourceEvent{r, n})
		if n-read < batchEvents {
			return nil
		}
		from := read + 1
		read = n
		return c.read(ctx, eventstore.From(from), eventstore.UpTo(read))
	})
	if err == nil {
		err = c.read(ctx, eventstore.From(read+1))
	}
	if err != nil {
		return n, err
	}
	for _, r := range c.source {
		c.differ(r.place, "it is missing")
	}
	for _, e := range c.stored {
		c.differ(e.Version, "it is not in the source")
	}
	c.order()
	counter, ok := w.source.(Counter)
	if !ok {
		return n, nil
	}
	count, err := counter.Count(ctx, s)
	if err != nil {
		return n, fmt.Errorf("verify: read the count of a stream: %w", err)
	}
	if count >= 0 && count != last {
		c.differ(n, fmt.Sprintf("the source counts up to %d, its last event is number %d", count, last))
	}
	return n, nil
}

func (c *comparison) read(ctx context.Context, opts ...eventstore.ReadOption) error {
	for e, err := range c.w.store.Read(ctx, c.s.Name, opts...) {
		if err != nil {
			return fmt.Errorf("verify: %w", err)
		}
		if r, ok := c.source[e.ID]; ok {
			delete(c.source, e.ID)
			c.match(r, e)
			continue
		}
		c.stored[e.ID] = e
	}
	return nil
}

// addSource adds an event of the source.
func (c *comparison) addSource(r sourceEvent) {
	r.Event.ID = r.event(c.s, r.place).ID
	if e, ok := c.stored[r.Event.ID]; ok {
		delete(c.stored, e.ID)
		c.match(r, e)
		return
	}
	if _, ok := c.source[r.Event.ID]; ok {
		c.differ(r.place, "the source has another event with its id")
	}
	c.source[r.Event.ID] = r
}

func (c *comparison) match(r sourceEvent, e eventstore.Event) {
	late := e.Metadata[LateKey] != "" && r.Sequence < 0
	if late {
		e.Metadata = maps.Clone(e.Metadata)
		delete(e.Metadata, LateKey)
	}
	for _, what := range differences(r.event(c.s, e.Version), e) {
		c.differ(e.Version, what)
	}
	for int64(len(c.marks)) < e.Version {
		c.marks = append(c.marks, mark{sequence: -1, loose: true})
	}
	c.marks[e.Version-1] = mark{sequence: r.Sequence, at: r.RecordedAt, loose: late}
}

// order compares the order of the new stream with what the source has stored with its events.
func (c *comparison) order() {
	sequence, at := int64(-1), time.Time{}
	for i, m := range c.marks {
		version := int64(i) + 1
		switch {
		case m.loose:
		case m.sequence >= 0:
			if m.sequence <= sequence {
				c.differ(version, fmt.Sprintf("order: number %d of the source comes after number %d", m.sequence, sequence))
			}
			sequence = max(sequence, m.sequence)
		case sequence >= 0:
			c.differ(version, "order: the source does not number it, and it comes after one that is numbered")
		default:
			if m.at.Before(at) {
				c.differ(version, "order: the source recorded it before the event that precedes it")
			}
			at = m.at
		}
	}
}

// maxDifferences is how many differences a report lists at most.
const maxDifferences = 1000

func (c *comparison) differ(version int64, what string) {
	c.w.mu.Lock()
	defer c.w.mu.Unlock()
	if len(c.w.report.Differences) < maxDifferences {
		c.w.report.Differences = append(c.w.report.Differences, Difference{c.s.Name, version, what})
	}
}

func differences(want eventstore.NewEvent, got eventstore.Event) []string {
	var list []string
	for _, part := range []struct {
		what string
		same bool
	}{
		{"id", want.ID == got.ID},
		{"type", want.Type == got.Type},
		{"schema", want.Schema == got.Schema},
		{"data", bytes.Equal(want.Data, got.Data)},
		{"metadata", maps.Equal(want.Metadata, got.Metadata)},
		{"correlation id", want.CorrelationID == got.CorrelationID},
		{"causation id", want.CausationID == got.CausationID},
	} {
		if !part.same {
			list = append(list, part.what)
		}
	}
	return list
}
