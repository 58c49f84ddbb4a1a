// SPDX-License-Identifier: Apache-2.0

package eventstore

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"
)

// NewEvent is an event to be appended. Only Type is needed.
type NewEvent struct {
	// ID identifies the event permanently. If it is empty, it is derived from the commit's id, the
	// stream and the event's index in the commit, so that a repeated commit has the same ids.
	ID string
	// Type names what happened, such as "deposited".
	Type string
	// Schema is the version of the format of Data. Zero means 1.
	Schema int
	Data   []byte
	// Metadata is for tools and tracing, not for folding.
	Metadata map[string]string
	// CorrelationID is shared by all events of one conversation or business case.
	CorrelationID string
	// CausationID is the id of the event or command that led to this one.
	CausationID string

	ref      string // where the data are already
	form     form   // and how, for a copied event
	scrubbed bool
}

// Event is a stored event.
type Event struct {
	Stream string
	// Version numbers the events of the stream from 1 without gaps.
	Version  int64
	ID       string
	Type     string
	Schema   int
	Data     []byte
	Metadata map[string]string

	CorrelationID string
	CausationID   string
	// CommitID is shared by all events that were appended in one call.
	CommitID string
	// RecordedAt is the writer's clock at the append, in UTC. It is for people and
	// for [Store.ReadAt]: clocks differ, and the order of events is that of Version.
	RecordedAt time.Time
	// Scrubbed: the data and metadata were removed by [Store.Scrub].
	Scrubbed bool
	// ExpiresAt is when the event expires, zero if it does not; see [Expiring].
	ExpiresAt time.Time
	// Forgotten: the key that data and metadata are encrypted with was deleted; see [Encrypt].
	Forgotten bool
	// Part numbers the events that an [Upcaster] has made from one stored event, from 0.
	Part int

	more bool // another part follows
	ref  string
	form form
}

func (e NewEvent) addTo(c *commit) { c.parts[0].events = append(c.parts[0].events, e) }

// Events is a list of events as an argument of [Store.Append].
func Events(list []NewEvent) AppendArg { return eventList(list) }

type eventList []NewEvent

func (l eventList) addTo(c *commit) { c.parts[0].events = append(c.parts[0].events, l...) }

// maxText limits the length of ids and types, which are stored in every event.
const maxText = 1024

// check reports what is wrong with an event. Its errors name fields, never what they hold.
func (e *NewEvent) check(place int) error {
	var errs []error
	if e.Type == "" {
		errs = append(errs, fmt.Errorf("event %d has no type", place))
	}
	if e.Schema < 0 {
		errs = append(errs, fmt.Errorf("event %d: schema %d is negative", place, e.Schema))
	}
	for _, f := range []struct{ name, text string }{
		{"id", e.ID}, {"type", e.Type}, {"correlation id", e.CorrelationID}, {"causation id", e.CausationID},
	} {
		if len(f.text) > maxText {
			errs = append(errs, fmt.Errorf("event %d: the %s has %d bytes; the limit is %d", place, f.name, len(f.text), maxText))
		}
	}
	if _, ok := e.Metadata[""]; ok {
		errs = append(errs, fmt.Errorf("event %d: the metadata have an empty key", place))
	}
	return errors.Join(errs...)
}

// derivedSpace is the namespace of event ids that are derived from a commit's id.
var derivedSpace = uuid.MustParse("5f1c6c1e-6a3e-5d6c-9f0e-6f4b8b7f2a11")

// derivedID returns the id of an event that was given none.
func derivedID(commit, stream string, place int) string {
	return uuid.NewSHA1(derivedSpace, []byte(commit+"\x00"+stream+"\x00"+strconv.Itoa(place))).String()
}

// StreamName joins a category and an id into the name of a stream, such as
// account-42. A hyphen or percent sign in the category is escaped, so distinct pairs have distinct names.
func StreamName(category, id string) string {
	return strings.NewReplacer("%", "%25", "-", "%2D").Replace(category) + "-" + id
}

// CategoryOf returns the category of a name made by [StreamName]: the part before
// the first hyphen, or the whole name if there is none.
func CategoryOf(stream string) string {
	category, _, _ := strings.Cut(stream, "-")
	return strings.NewReplacer("%2D", "-", "%25", "%").Replace(category)
}
