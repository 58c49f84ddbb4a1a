// SPDX-License-Identifier: Apache-2.0

package eventstore

import (
	"errors"
	"fmt"
	"maps"
	"strconv"
)

// Upcaster converts events of an old schema when they are read; stored events do not change. Set either Up or Into.
type Upcaster struct {
	// Type and Schema select the events that it converts.
	Type   string
	Schema int
	// Up returns the event with another type or a higher schema. Only type, schema, data and
	// metadata of the result are used.
	Up func(Event) (Event, error)
	// Into returns the events that replace one: several, or none to drop it. Each must have another type or a higher schema, as with Up. All have the version of
	// the stored event, and [Event.Part] numbers them. The first has its id, the others have that id with /1, /2 and so on.
	//
	// Versions, positions and snapshots count what is stored: an aggregate whose last event was dropped is at that event's version, and a commit of the feed whose events were
	// all dropped has no events. [Limit] and [Last] count stored events, too. A consumer that records versions as handled must handle all parts of a
	// version at once, as [Views.ApplyCommit] does with a commit.
	Into func(Event) ([]Event, error)
}

type upcastKey struct {
	typ    string
	schema int
}

// Upcast applies upcasters to events when they are read, one after the other until none matches the event.
func Upcast(upcasters ...Upcaster) Option {
	return func(o *options) error {
		all := make(map[upcastKey]Upcaster, len(upcasters))
		maps.Copy(all, o.upcasters)
		types := make(map[string]bool, len(upcasters))
		maps.Copy(types, o.upcastTypes)
		var errs []error
		for _, u := range upcasters {
			key := upcastKey{u.Type, u.Schema}
			if _, ok := all[key]; ok {
				errs = append(errs, fmt.Errorf("option Upcast: two upcasters for type %s, schema %d", u.Type, u.Schema))
			}
			if u.Type == "" || u.Schema < 1 || (u.Up == nil) == (u.Into == nil) {
				errs = append(errs, fmt.Errorf("option Upcast: an upcaster needs a type, a schema of at least 1 and one function, Up or Into (type %q, schema %d)", u.Type, u.Schema))
			}
			all[key] = u
			types[u.Type] = true
		}
		o.upcasters, o.upcastTypes = all, types
		return errors.Join(errs...)
	}
}

// upcasts reports whether an upcaster matches an event.
func (s *Store) upcasts(e *Event) bool {
	if len(s.o.upcasters) == 0 || e.Scrubbed || e.Forgotten {
		return false
	}
	_, ok := s.o.upcasters[upcastKey{e.Type, e.Schema}]
	return ok
}

// upcast appends the events that replace one that an upcaster matches.
func (s *Store) upcast(e Event, to []Event) ([]Event, error) {
	begin := len(to)
	to, err := s.upcastStep(e, to, 0)
	for i := range to[begin:] {
		part := &to[begin+i]
		if part.Part = i; i > 0 {
			part.ID += "/" + strconv.Itoa(i)
		}
	}
	return to, err
}

func (s *Store) upcastStep(e Event, to []Event, step int) ([]Event, error) {
	u, ok := s.o.upcasters[upcastKey{e.Type, e.Schema}]
	switch {
	case !ok:
		return append(to, e), nil
	case step > len(s.o.upcasters):
		return to, fmt.Errorf("read: the upcasters of type %s form a cycle", e.Type)
	}
	var list []Event
	var err error
	if u.Up != nil {
		var up Event
		up, err = u.Up(e)
		list = []Event{up}
	} else {
		list, err = u.Into(e)
	}
	if err != nil {
		return to, fmt.Errorf("read: upcast of type %s, schema %d, at version %d: %w", u.Type, u.Schema, e.Version, err)
	}
	for _, up := range list {
		if up.Type == e.Type && up.Schema <= e.Schema {
			return to, fmt.Errorf("read: the upcaster of type %s, schema %d, gives schema %d of the same type; it must raise it", u.Type, u.Schema, up.Schema)
		}
		next := e
		next.Type, next.Schema, next.Data, next.Metadata = up.Type, up.Schema, up.Data, up.Metadata
		if to, err = s.upcastStep(next, to, step+1); err != nil {
			return to, err
		}
	}
	return to, nil
}
