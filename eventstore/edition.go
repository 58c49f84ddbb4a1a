// SPDX-License-Identifier: Apache-2.0

package eventstore

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"maps"
	"strconv"
	"strings"

	"github.com/dynamotable/ddb"
)

// Edition is a named timeline of a stream: the events of the main timeline up to the version where it branches off,
// followed by the edition's own events. Appending to it leaves the main timeline as it is, so you can
// try a what-if on real history. Versions continue those of the main timeline.
type Edition struct {
	store      *Store
	stream     string
	name       string
	own        string // the stream of the edition's own events
	divergence int64  // the last version of the main timeline that belongs to it
	failed     error  // of Store.Edition; every call returns it
}

// DivergenceKey is the metadata key of an edition's events whose value is, as a decimal, the version of the main timeline after which the
// edition branches off. [Edition.Append] sets it. Anything else that writes an edition's events, such as an import, has to set it too.
const DivergenceKey = "ddb-divergence"

// EditionStream is the name of the stream in which an edition keeps its own events.
func EditionStream(stream, edition string) string {
	escape := strings.NewReplacer("%", "%25", "@", "%40")
	return escape.Replace(stream) + "@" + escape.Replace(edition)
}

// Edition opens a timeline of a stream. A new edition, which has no events yet, branches off the main timeline after
// the given version, or after the newest event with -1. An existing edition keeps its version: the argument must be that version, or -1
// for any.
//
// If opening fails, every call of the Edition returns the error.
func (s *Store) Edition(ctx context.Context, stream, name string, divergence int64) (*Edition, error) {
	e, err := s.edition(ctx, stream, name, divergence)
	if err != nil {
		return &Edition{failed: err}, err
	}
	return e, nil
}

func (s *Store) edition(ctx context.Context, stream, name string, divergence int64) (*Edition, error) {
	if err := s.usable(); err != nil {
		return nil, err
	}
	e := &Edition{store: s, stream: stream, name: name, own: EditionStream(stream, name)}
	if err := errors.Join(checkStream(stream), checkStream(e.own)); err != nil || name == "" || divergence < -1 {
		return nil, &ddb.InvalidError{Problems: []error{errors.Join(err, errors.New("an edition needs a stream, a name, and a version of the stream or -1"))}}
	}
	first, err := tableOf(s).Get(ctx, streamPrefix+e.own, 1, ddb.Consistent())
	if err == nil {
		meta := first.Meta
		if len(first.Frame) > 0 {
			meta = first.Frame[0].Meta
		}
		if e.divergence, err = strconv.ParseInt(meta[DivergenceKey], 10, 64); err != nil {
			return nil, errors.New("edition: its first event does not say where it branches off the main timeline")
		}
		if divergence >= 0 && divergence != e.divergence {
			return nil, fmt.Errorf("edition: it branches off after version %d of the main timeline, not %d", e.divergence, divergence)
		}
		return e, nil
	}
	if !errors.Is(err, ddb.ErrNotFound) {
		return nil, err
	}
	head, _, err := s.head(ctx, stream)
	if err != nil {
		return nil, err
	}
	if own, _, err := s.head(ctx, e.own); err != nil {
		return nil, err
	} else if own.Cut > 1 || own.Expiry != 0 {
		return nil, errors.New("edition: its first event, which says where it branches off the main timeline, was removed or expires")
	}
	if divergence > head.Version {
		return nil, &ddb.InvalidError{Problems: []error{fmt.Errorf("edition: the main timeline has %d versions, it cannot branch off after %d", head.Version, divergence)}}
	}
	if e.divergence = divergence; e.divergence < 0 {
		e.divergence = head.Version
	}
	return e, nil
}

// Divergence returns the last version of the main timeline that belongs to the edition.
func (e *Edition) Divergence() int64 {
	if e == nil {
		return 0
	}
	return e.divergence
}

// usable returns the error of Store.Edition or of the store, or an error for an Edition that was not returned by Store.Edition.
func (e *Edition) usable() error {
	switch {
	case e == nil:
		return notMade("Edition", "Store.Edition")
	case e.failed != nil:
		return e.failed
	}
	return e.store.usable()
}

// Append appends to the edition. Versions, including the expected one, count from the main timeline's first event.
func (e *Edition) Append(ctx context.Context, expected Expected, args ...AppendArg) (Appended, error) {
	if err := e.usable(); err != nil {
		return Appended{}, err
	}
	switch {
	case expected.kind == exactly && expected.version < e.divergence:
		return Appended{}, &WrongExpectedVersion{Stream: e.own, Expected: expected, Actual: e.divergence}
	case expected.kind == exactly:
		expected.version -= e.divergence
	case expected.kind == streamExists && e.divergence > 0:
		expected = Any()
	}
	mark := argument(func(c *commit) {
		for i := range c.parts[0].events {
			meta := map[string]string{DivergenceKey: strconv.FormatInt(e.divergence, 10)}
			maps.Copy(meta, c.parts[0].events[i].Metadata)
			c.parts[0].events[i].Metadata = meta
		}
	})
	done, err := e.store.Append(ctx, e.own, expected, append(append([]AppendArg(nil), args...), mark)...)
	if wrong, ok := errors.AsType[*WrongExpectedVersion](err); ok {
		wrong.Actual += e.divergence
		if wrong.Expected.kind == exactly {
			wrong.Expected.version += e.divergence
		}
		if wrong.Blocking != nil {
			wrong.Blocking.Version += e.divergence
		}
	}
	if err == nil {
		done.First += e.divergence
		done.Last += e.divergence
	}
	return done, err
}

// Read yields the events of the timeline in their order, the main timeline first. [Event.Stream] shows which one an event belongs to.
func (e *Edition) Read(ctx context.Context, from int64) iter.Seq2[Event, error] {
	if err := e.usable(); err != nil {
		return failing[Event](err)
	}
	return func(yield func(Event, error) bool) {
		if e.divergence > 0 && from <= e.divergence {
			for ev, err := range e.store.Read(ctx, e.stream, From(from), UpTo(e.divergence)) {
				if !yield(ev, err) || err != nil {
					return
				}
			}
		}
		for ev, err := range e.store.Read(ctx, e.own, From(from-e.divergence)) {
			ev.Version += e.divergence
			if !yield(ev, err) || err != nil {
				return
			}
		}
	}
}

// Version returns the version of the timeline's last event.
func (e *Edition) Version(ctx context.Context) (int64, error) {
	if err := e.usable(); err != nil {
		return 0, err
	}
	head, _, err := e.store.head(ctx, e.own)
	return e.divergence + head.Version, err
}
