// SPDX-License-Identifier: Apache-2.0

package eventstore

import (
	"context"
	"errors"
	"time"

	"github.com/dynamotable/ddb"
)

// Head is the content of a stream's head item.
type Head struct {
	Stream string
	// Version is the version of the last event. It never decreases, not even when events are truncated.
	Version int64
	// First is the version of the first event that was not truncated, 1 if none was.
	First int64
	// CreatedAt is when the first event was appended.
	CreatedAt time.Time
	// Deleted is when the stream was deleted; zero if it was not.
	Deleted time.Time
	// ExpiresAt is when the last event expires and all are hidden; zero if the stream is not time-limited. First does not take expired
	// events into account.
	ExpiresAt time.Time
	// LastCommit is the id of the newest commit.
	LastCommit string
}

// Head reads the head of a stream. If the stream has no events, the error is [ddb.ErrNotFound]. It costs one read unit.
func (s *Store) Head(ctx context.Context, stream string) (Head, error) {
	if err := s.usable(); err != nil {
		return Head{}, err
	}
	if err := checkStream(stream); err != nil {
		return Head{}, &ddb.InvalidError{Problems: []error{err}}
	}
	r, found, err := s.head(ctx, stream)
	if err != nil {
		return Head{}, err
	}
	if !found {
		return Head{}, ddb.ErrNotFound
	}
	return r.asHead(stream), nil
}

func (r *row) asHead(stream string) Head {
	h := Head{Stream: stream, Version: r.Version, First: max(r.Cut, 1), CreatedAt: time.Unix(0, r.Created).UTC(), ExpiresAt: unixTime(r.Expiry)}
	if r.Deleted != 0 {
		h.Deleted = time.Unix(0, r.Deleted).UTC()
	}
	if s := r.C0; s != "" && s != emptySlot {
		for i := range s {
			if s[i] == ' ' {
				h.LastCommit = s[i+1:]
				break
			}
		}
	}
	return h
}

// head reads a head consistently. A missing head has version 0.
func (s *Store) head(ctx context.Context, stream string) (r row, found bool, err error) {
	key := streamKey(stream, 0)
	return s.get(ctx, key)
}

// counter reads the last number that was assigned in a shard of the feed.
func (s *Store) counter(ctx context.Context, shard int) (int64, error) {
	r, _, err := s.get(ctx, counterKey(shard))
	return r.Version, err
}

func (s *Store) get(ctx context.Context, key ddb.Key[string, int64]) (r row, found bool, err error) {
	r, err = tableOf(s).Get(ctx, key.Partition, key.Sort, ddb.Consistent())
	if errors.Is(err, ddb.ErrNotFound) {
		return row{}, false, nil
	}
	return r, err == nil, err
}
