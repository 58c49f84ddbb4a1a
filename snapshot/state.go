// SPDX-License-Identifier: Apache-2.0

package snapshot

import (
	"context"
	"crypto/sha256"
	"errors"
	"time"

	"github.com/dynamotable/ddb"
	"github.com/dynamotable/ddb/layerstats"
)

func sum(state []byte) []byte {
	h := sha256.Sum256(state)
	return h[:16]
}

// maxSkippedFormats is how many snapshots of other formats a load skips before it gives up.
const maxSkippedFormats = 20

// LoadState returns the newest state with a version of at most atMost and of the type and schema. Version 0 means that there is none. Snapshots of another type or
// schema are ignored. Package eventstore loads aggregates with it.
func (s *Store) LoadState(ctx context.Context, stream, stateType string, schema int, atMost int64) (version int64, taken time.Time, state []byte, err error) {
	if err := s.usable(); err != nil {
		return 0, time.Time{}, nil, err
	}
	passed := 0
	for snap, err := range s.list(ctx, stream, atMost, 1, func(r *row) bool {
		passed++
		return r.Type == stateType && r.Schema == schema || passed > maxSkippedFormats
	}) {
		if err != nil {
			layerstats.Add("snapshot", s.Name(), "loads that failed", 1)
			return 0, time.Time{}, nil, err
		}
		if snap.Type != stateType || snap.Schema != schema {
			break
		}
		layerstats.Add("snapshot", s.Name(), "loads with a snapshot", 1)
		return snap.Version, snap.TakenAt, snap.State, nil
	}
	layerstats.Add("snapshot", s.Name(), "loads without a snapshot", 1)
	return 0, time.Time{}, nil, nil
}

// OfferState saves a state if the policy decides so, given the newest snapshot when the state was
// loaded. It skips a version that is not higher, or that another process has saved in the meantime. The state
// is encoded only if needed.
func (s *Store) OfferState(ctx context.Context, stream, stateType string, schema int, version, lastVersion int64, lastTaken time.Time, encode func() ([]byte, error)) (saved bool, err error) {
	if err := s.usable(); err != nil {
		return false, err
	}
	if version <= lastVersion {
		return false, nil
	}
	var (
		state   []byte
		failed  error
		encoded bool
	)
	get := func() []byte {
		if !encoded {
			encoded = true
			state, failed = encode()
		}
		return state
	}
	p := Progress{Version: version, LastVersion: lastVersion, Size: func() int { return len(get()) }}
	if lastVersion > 0 {
		p.Age = s.now().Sub(lastTaken)
	}
	due := s.policy(p)
	if failed != nil || !due {
		return false, failed
	}
	if get(); failed != nil {
		return false, failed
	}
	err = s.Save(ctx, Snapshot{Stream: stream, Version: version, Type: stateType, Schema: schema, State: state})
	return err == nil, err
}

// InEdition returns the newest snapshot, with a version of at most atMost, of a timeline that branches off the main one after a version: a snapshot of
// that timeline, or else one of the main timeline up to that version. If there is none, the error is [ddb.ErrNotFound].
func (s *Store) InEdition(ctx context.Context, stream, edition string, divergesAfter, atMost int64) (Snapshot, error) {
	if err := s.usable(); err != nil {
		return Snapshot{}, err
	}
	own, err := s.AtOrBefore(ctx, EditionStream(stream, edition), atMost)
	if !errors.Is(err, ddb.ErrNotFound) {
		return own, err
	}
	return s.AtOrBefore(ctx, stream, min(divergesAfter, atMost))
}
