// SPDX-License-Identifier: Apache-2.0

package eventstore

import (
	"context"
	"fmt"
	"hash/fnv"
	"math"
	"slices"
	"strconv"
	"time"

	"github.com/dynamotable/ddb"
)

// prepare makes the rows of a commit. It first refuses what does not fit into a transaction,
// and then stores large payloads outside.
func (s *Store) prepare(ctx context.Context, c *commit) error {
	var large []*payload
	for _, p := range c.parts {
		if d := s.timeLimit(c, p.stream); d > 0 && !p.copied {
			p.expiry = c.at.Add(d + time.Second - 1).Unix() // not yet
		}
		var err error
		if p.rows, err = s.rowsOf(ctx, c, p); err != nil {
			return err
		}
		if s.o.shards > 0 {
			p.shard = s.shards[hash(p.stream)%uint64(s.o.shards)]
		}
		l, err := s.tooLarge(p)
		if err != nil {
			return err
		}
		large = append(large, l...)
	}
	if err := s.checkLimits(c, large); err != nil {
		return err
	}
	for _, l := range large {
		if p := l.part; p.aead != nil { // they are stored when they are encrypted
			if p.large == nil {
				p.large = make(map[int]bool)
			}
			p.large[l.place] = true
			continue
		}
		ref, err := s.o.payloads.Store(ctx, l.part.stream, l.row.Data)
		if err != nil {
			return err
		}
		l.row.Ref, l.row.Data = ref, nil
	}
	for _, p := range c.parts { // catches a reference that is as long as the payload was
		if p.large != nil {
			continue
		}
		if _, err := s.sizes(p); err != nil {
			return err
		}
	}
	return nil
}

// payload is the data of an event that is stored in the payload store.
type payload struct {
	part  *part
	place int // among its rows
	row   *row
}

// rowsOf turns the events of a part into rows, packed into frames if the options say so.
func (s *Store) rowsOf(ctx context.Context, c *commit, p *part) ([]row, error) {
	key := ""
	if subject := s.subjectOf(p.stream); subject != "" && !p.copied {
		k, err := s.o.keys.Key(ctx, subject)
		if err == nil {
			p.aead, err = newAEAD(k)
		}
		if err != nil {
			return nil, fmt.Errorf("append: the key of the subject: %w", err)
		}
		key = k.ID
	}
	at := c.at.UnixNano()
	rows := make([]row, 0, len(p.events))
	bytes := 0
	for i, e := range p.events {
		if e.ID == "" {
			e.ID = derivedID(c.id, p.stream, i)
		}
		if e.Schema == 0 {
			e.Schema = 1
		}
		f := framed{ID: e.ID, Type: e.Type, Schema: e.Schema, Data: e.Data, Meta: e.Metadata, Key: e.form.key, Enc: e.form.enc, Zip: e.form.zip, Size: e.form.size}
		if !p.copied {
			if err := s.compress(&f); err != nil {
				return nil, err
			}
		}
		if key != "" {
			if err := conceal(&f, key); err != nil {
				return nil, fmt.Errorf("append: encrypt: %w", err)
			}
		}
		size := f.size()
		whole := e.ref != "" || e.scrubbed || p.expiry != 0 // a separate item
		if n := len(rows); n > 0 && !whole && rows[n-1].Ref == "" && rows[n-1].Scrubbed == 0 && bytes+size <= s.o.frame && rows[n-1].Corr == e.CorrelationID && rows[n-1].Caus == e.CausationID {
			rows[n-1].frame(f)
			bytes += size
			continue
		}
		if bytes = size; s.o.payloads != nil && size > s.o.threshold/2 {
			bytes = s.o.frame // may be stored in the payload store, which does not take frames
		}
		rows = append(rows, row{
			PK: streamPrefix + p.stream, SK: int64(i) + 1, At: at, Commit: c.id, Corr: e.CorrelationID, Caus: e.CausationID,
			ID: f.ID, Type: f.Type, Schema: f.Schema, Data: f.Data, Meta: f.Meta, Ref: e.ref,
			Key: f.Key, Enc: f.Enc, Zip: f.Zip, Size: f.Size,
		})
		if e.scrubbed {
			rows[len(rows)-1].Scrubbed = max(at, 1)
		}
	}
	return rows, nil
}

// frame adds an event to a row, which becomes a frame if it is not one.
func (r *row) frame(f framed) {
	if len(r.Frame) == 0 {
		r.Frame = []framed{{ID: r.ID, Type: r.Type, Schema: r.Schema, Data: r.Data, Meta: r.Meta, Key: r.Key, Enc: r.Enc, Zip: r.Zip, Size: r.Size}}
		r.ID, r.Type, r.Schema, r.Data, r.Meta, r.Key, r.Enc, r.Zip, r.Size = "", "", 0, nil, nil, "", 0, "", 0
	}
	r.Frame = append(r.Frame, f)
}

// size returns how many bytes an event takes in a frame, or a little more.
func (f *framed) size() int {
	const names = 40 // attribute names, and what DynamoDB counts for each attribute
	n := names + len(f.ID) + len(f.Type) + len(f.Data)
	if f.Key != "" || f.Zip != "" {
		n += names + len(f.Key) + len(f.Zip)
	}
	for k, v := range f.Meta {
		n += len(k) + len(v) + 2
	}
	return n
}

// tooLarge lists the payloads of a part that must be stored in the payload store, and refuses events that are too large for an item.
func (s *Store) tooLarge(p *part) ([]*payload, error) {
	var large []*payload
	event := 0
	for i := range p.rows {
		r := &p.rows[i]
		first := event
		event += max(len(r.Frame), 1)
		if s.sizeUpperBound(r) <= min(s.o.threshold, ddb.MaxItemSize) {
			continue
		}
		n, err := s.sizeOf(p, r)
		if err != nil {
			return nil, err
		}
		if n > s.o.threshold && s.o.payloads != nil && len(r.Frame) == 0 && len(r.Data) > 0 && n-len(r.Data) <= ddb.MaxItemSize {
			large = append(large, &payload{part: p, place: i, row: r})
			continue
		}
		if n > ddb.MaxItemSize {
			return nil, &EventTooLarge{Index: first, Bytes: n, Limit: ddb.MaxItemSize, Data: len(r.Data)}
		}
	}
	return large, nil
}

// sizeUpperBound returns the size of a row, or a little more, without encoding it.
func (s *Store) sizeUpperBound(r *row) int {
	const fixed = 300 // names, numbers, and what DynamoDB counts for each attribute
	n := fixed + 2*len(r.PK) + len(r.ID) + len(r.Type) + len(r.Commit) + len(r.Corr) + len(r.Caus) + len(r.Data) + len(r.Ref) + len(r.Key) + len(r.Zip)
	for k, v := range r.Meta {
		n += len(k) + len(v) + 2
	}
	for i := range r.Frame {
		n += r.Frame[i].size()
	}
	return n
}

// sizeOf returns the exact size of a row at the highest possible version.
func (s *Store) sizeOf(p *part, r *row) (int, error) {
	full := s.atVersion(p, *r, math.MaxInt64-1-int64(len(p.events)))
	return tableOf(s).ItemSize(&full)
}

// sizes returns the size of all rows of a part.
func (s *Store) sizes(p *part) (int, error) {
	total, event := 0, 0
	for i := range p.rows {
		r := &p.rows[i]
		n := s.sizeUpperBound(r)
		if n > ddb.MaxItemSize {
			var err error
			if n, err = s.sizeOf(p, r); err != nil {
				return 0, err
			}
			if n > ddb.MaxItemSize {
				return 0, &EventTooLarge{Index: event, Bytes: n, Limit: ddb.MaxItemSize, Data: len(r.Data)}
			}
		}
		total += n
		event += max(len(r.Frame), 1)
	}
	return total, nil
}

// checkLimits refuses a commit that does not fit into a transaction.
func (s *Store) checkLimits(c *commit, large []*payload) error {
	count, bytes := len(c.extra)+s.idCount(c), 0
	if c.dedup > 0 {
		count++
	}
	shards := make(map[*shard]bool)
	for _, p := range c.parts {
		count += 1 + len(p.rows)
		bytes += 1 << 10
		if p.shard != nil {
			shards[p.shard] = true
			count++
		}
		for i := range p.rows {
			bytes += s.sizeUpperBound(&p.rows[i])
		}
	}
	count += len(shards)
	for _, l := range large {
		bytes -= len(l.row.Data)
	}
	if bytes > maxBytes { // the estimate is high: compute the exact size
		bytes = 0
		for _, p := range c.parts {
			for i := range p.rows {
				n, err := s.sizeOf(p, &p.rows[i])
				if err != nil {
					return err
				}
				bytes += n
			}
		}
		for _, l := range large {
			bytes -= len(l.row.Data)
		}
	}
	if count > maxActions || bytes > maxBytes {
		return &BatchTooLarge{Count: count, Limit: maxActions, Bytes: bytes, ByteLimit: maxBytes}
	}
	return nil
}

// atVersion returns a row at its version after the base version, with everything that depends on it.
func (s *Store) atVersion(p *part, r row, base int64) row {
	r.SK += base
	if p.expiry != 0 {
		r.TTL, r.First = p.expiry, base+1
	}
	if s.o.buckets != "" {
		r.Bucket, r.BucketAt = s.bucketOf(p.stream, r.At, r.SK)
	}
	return r
}

// hash spreads streams over shards and salts. It is part of the table's format and must not change.
func hash(stream string) uint64 {
	h := fnv.New64a()
	_, _ = h.Write([]byte(stream)) // a hash never returns an error
	// FNV's low bits are weak for names that differ in the last character only.
	x := h.Sum64()
	x ^= x >> 33
	x *= 0xff51afd7ed558ccd
	x ^= x >> 33
	return x
}

// newHead returns the head of a new stream.
func (s *Store) newHead(c *commit, p *part) row {
	key := streamKey(p.stream, 0)
	h := row{
		PK: key.Partition, SK: key.Sort, Version: p.last, Created: c.at.UnixNano(), Framed: p.framed(),
		Expiry: p.expiry,
		C0:     slot(c.id, p.first, p.last), C1: emptySlot, C2: emptySlot, C3: emptySlot, C4: emptySlot, C5: emptySlot, C6: emptySlot, C7: emptySlot,
	}
	if s.o.categories > 0 {
		h.Category = s.categoryOf(p.stream)
	}
	return h
}

// categoryOf returns the key of a stream in the index of categories, empty if it has none.
func (s *Store) categoryOf(stream string) string {
	category := s.o.category(stream)
	if category == "" {
		return ""
	}
	return category + "#" + strconv.FormatUint(hash(stream)%uint64(s.o.categories), 10)
}

func (p *part) framed() bool {
	return slices.ContainsFunc(p.rows, func(r row) bool { return len(r.Frame) > 0 })
}
