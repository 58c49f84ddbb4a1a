// SPDX-License-Identifier: Apache-2.0

package importer

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"github.com/dynamotable/ddb"
	"github.com/dynamotable/ddb/ddberr"
	"github.com/dynamotable/ddb/eventstore"
)

// SchemelessBridge writes events into a table of @schemeless/event-store-adapter-dynamodb in the adapter's layout, head and numbers
// included, so that programs which use the adapter read them, and go on writing. It is meant for a gradual migration:
//
//   - [SchemelessBridge.Append] lets a service that has moved write to the old table until all services have moved;
//   - [SchemelessBridge.Handle], as the handler of a subscription to the new store, copies what is written to it, so that readers of the old table can
//     move later than its writers.
//
// Writers of both systems may write one stream at the same time: numbers are given under the condition of the head, as the adapter does. The
// table must be there. A SchemelessBridge is safe for concurrent use; make it with [NewSchemelessBridge].
type SchemelessBridge struct {
	client ddb.Client
	table  *ddb.Table[schemelessItem, string, string]
	o      SchemelessBridgeOptions
	failed error // of the constructor; every method returns it
}

// SchemelessBridgeOptions are the options of a [SchemelessBridge].
type SchemelessBridgeOptions struct {
	// Parse splits the name of a stream. If it is nil, domain and identifier are those of [eventstore.StreamName]; a name without
	// a hyphen is a domain.
	Parse func(stream string) (domain, identifier string, err error)
	// Store puts an event that is too large for an item into a bucket of S3. Without it such events are refused.
	Store func(ctx context.Context, bucket, key string, body []byte) error
	// Bucket is the adapter's s3BucketName; KeyPrefix is its s3KeyPrefix, "events/" if empty.
	Bucket, KeyPrefix string
	// Table are options of the table.
	Table []ddb.TableOption
}

// AnySequence makes [SchemelessBridge.Append] write after the last event, whatever its sequence.
const AnySequence = -1

// ErrWrongExpectedSequence means that a stream of the table is not at the expected sequence; nothing was written. The typed error is [*WrongExpectedSequence].
var ErrWrongExpectedSequence = errors.New("the stream is not at the expected sequence")

// WrongExpectedSequence gives the sequence of a stream. It matches [ErrWrongExpectedSequence].
type WrongExpectedSequence struct { //nolint:errname // reads as what happened, where it is caught
	Expected, Actual int64
}

// Error gives both sequences.
func (e *WrongExpectedSequence) Error() string {
	return fmt.Sprintf("append to schemeless: expected sequence %d, the stream is at %d; read it and decide again", e.Expected, e.Actual)
}

// Is makes the error match ErrWrongExpectedSequence.
func (e *WrongExpectedSequence) Is(target error) bool { return target == ErrWrongExpectedSequence }

// NewSchemelessBridge describes a bridge. It sends nothing.
func NewSchemelessBridge(client ddb.Client, table string, o SchemelessBridgeOptions) (*SchemelessBridge, error) {
	if o.Parse == nil {
		o.Parse = parseStreamName
	}
	if o.KeyPrefix == "" {
		o.KeyPrefix = "events/"
	}
	if o.Store != nil && o.Bucket == "" {
		err := &ddb.InvalidError{Problems: []error{errors.New("schemeless: the option Store needs a Bucket")}}
		return &SchemelessBridge{failed: err}, err
	}
	t, err := ddb.New(client, table, schemelessID, schemelessCreated, o.Table...)
	return &SchemelessBridge{client, t, o, err}, err
}

// usable returns the error of the constructor, or an error for a bridge that was not made by it.
func (b *SchemelessBridge) usable() error {
	switch {
	case b != nil && b.failed != nil:
		return b.failed
	case b == nil || b.table == nil:
		return &ddb.InvalidError{Problems: []error{errors.New("schemeless: a SchemelessBridge that NewSchemelessBridge did not make")}}
	}
	return nil
}

func parseStreamName(stream string) (domain, identifier string, err error) {
	_, identifier, _ = strings.Cut(stream, "-")
	return eventstore.CategoryOf(stream), identifier, nil
}

// Limits of one append, below those of a transaction with the head.
const (
	bridgeEvents    = 99
	bridgeBytes     = 3 << 20
	bridgeThreshold = 350_000 // bytes of an item, as in the adapter
	bridgeTries     = 50
)

// Append adds events to the end of a stream if its sequence is as expected, all or none, and returns the sequence of the last one. Every event needs an
// id, and data that is JSON or absent. The time becomes the time of the events, in milliseconds as the adapter stores it.
//
// An append that is repeated with the same ids and time writes nothing more and succeeds. Errors: [*WrongExpectedSequence]; [ddb.ErrInvalid] for more than
// 99 events or 3 MB, or an event that is too large; [eventstore.ErrCorruptIdempotency] if a part of the events is there already; and those of [ddb.Transact]. It costs a read
// unit, and 2 write units for the head and for each KB of an event, with as much again for its entries in the adapter's two indexes.
func (b *SchemelessBridge) Append(ctx context.Context, domain, identifier string, expected int64, at time.Time, events ...eventstore.NewEvent) (int64, error) {
	if err := b.usable(); err != nil {
		return 0, err
	}
	items, err := b.items(ctx, domain, identifier, at, events)
	if err != nil {
		return 0, err
	}
	return b.write(ctx, domain, identifier, expected, items)
}

// Handle copies the events of a commit, for [eventstore.Feed.Subscribe]. Events that are there already, because they were imported or handled before, are skipped.
// Events that are scrubbed or truncated in the new store before they are handled are not copied; those that are scrubbed or truncated later stay in the old table.
func (b *SchemelessBridge) Handle(ctx context.Context, c eventstore.Commit) error {
	if err := b.usable(); err != nil {
		return err
	}
	domain, identifier, err := b.o.Parse(c.Stream)
	if err != nil {
		return fmt.Errorf("schemeless: the option Parse: %w", err)
	}
	var items []schemelessItem
	size := 0
	flush := func() error {
		if len(items) == 0 {
			return nil
		}
		_, err := b.write(ctx, domain, identifier, AnySequence, items)
		items, size = nil, 0
		return err
	}
	for _, e := range c.Events {
		if e.Scrubbed {
			continue
		}
		at := e.RecordedAt
		if old, err := time.Parse(time.RFC3339Nano, e.Metadata[RecordedAtKey]); err == nil { // imported
			at = old
		}
		list, err := b.items(ctx, domain, identifier, at, []eventstore.NewEvent{{
			ID: cmp.Or(e.Metadata[IDKey], e.ID), Type: e.Type, Schema: e.Schema, Data: e.Data, Metadata: e.Metadata, CorrelationID: e.CorrelationID, CausationID: e.CausationID,
		}})
		if err != nil {
			return err
		}
		if len(items) == bridgeEvents || size+len(e.Data) > bridgeBytes {
			if err := flush(); err != nil {
				return err
			}
		}
		items, size = append(items, list...), size+len(e.Data)+1000
	}
	return flush()
}

// items returns the items of events, without their numbers. It first refuses what cannot be stored, and then stores large events outside.
func (b *SchemelessBridge) items(ctx context.Context, domain, identifier string, at time.Time, events []eventstore.NewEvent) ([]schemelessItem, error) {
	var errs []error
	if domain == "" || strings.Contains(domain, "::") {
		errs = append(errs, errors.New("the domain is empty or has :: in it"))
	}
	if len(events) == 0 || len(events) > bridgeEvents {
		errs = append(errs, fmt.Errorf("%d events; it takes 1 to %d", len(events), bridgeEvents))
	}
	at = at.UTC()
	items := make([]schemelessItem, len(events))
	ids := make(map[string]bool, len(events))
	size := 0
	for i, e := range events {
		if e.ID == "" || e.Type == "" || ids[e.ID] {
			errs = append(errs, fmt.Errorf("event %d has no id, no type, or the id of an event before it", i))
		}
		ids[e.ID] = true
		if len(e.Data) > 0 && !json.Valid(e.Data) {
			errs = append(errs, fmt.Errorf("event %d: the data are not JSON", i))
		}
		items[i] = schemelessItem{
			ID: schemelessPrefix + e.ID, Created: at.Format("2006-01-02T15:04:05.000Z"), TimeBucket: at.Format("2006-01"), Domain: domain, Type: e.Type,
			Identifier: identifier, Correlation: e.CorrelationID, Causation: e.CausationID,
		}
		if len(e.Data) > 0 {
			items[i].Payload = string(e.Data)
		}
		var err error
		if items[i].Meta, err = schemelessMeta(e); err != nil {
			errs = append(errs, fmt.Errorf("event %d: %w", i, err))
		}
		n, err := b.table.ItemSize(&items[i])
		errs = append(errs, err)
		if n <= bridgeThreshold {
			size += n
		} else if b.o.Store == nil {
			errs = append(errs, fmt.Errorf("event %d makes an item of %d bytes; over %d it needs the option Store", i, n, bridgeThreshold))
		}
	}
	if size > bridgeBytes {
		errs = append(errs, fmt.Errorf("the events have %d bytes without those that are stored outside, at most %d can be appended at once", size, bridgeBytes))
	}
	if err := errors.Join(errs...); err != nil {
		return nil, &ddb.InvalidError{Problems: []error{fmt.Errorf("append to schemeless: %w", err)}}
	}
	for i := range items {
		if err := b.offload(ctx, &items[i], events[i]); err != nil {
			return nil, err
		}
	}
	return items, nil
}

// offload stores a large event outside the table, as the adapter does, and leaves a reference.
func (b *SchemelessBridge) offload(ctx context.Context, it *schemelessItem, e eventstore.NewEvent) error {
	if n, err := b.table.ItemSize(it); err != nil || n <= bridgeThreshold {
		return err
	}
	whole := struct {
		ID          string          `json:"id"`
		Domain      string          `json:"domain"`
		Type        string          `json:"type"`
		Identifier  string          `json:"identifier,omitempty"`
		Payload     json.RawMessage `json:"payload,omitempty"`
		Meta        any             `json:"meta,omitempty"`
		Correlation string          `json:"correlationId,omitempty"`
		Causation   string          `json:"causationId,omitempty"`
		Created     string          `json:"created"`
		TimeBucket  string          `json:"timeBucket"`
	}{e.ID, it.Domain, it.Type, it.Identifier, e.Data, it.Meta, it.Correlation, it.Causation, it.Created, it.TimeBucket}
	body, err := jsonText(whole)
	if err != nil {
		return err
	}
	key := b.o.KeyPrefix + e.ID + ".json"
	if err := b.o.Store(ctx, b.o.Bucket, key, body); err != nil {
		return fmt.Errorf("append to schemeless: store a large event: %w", err)
	}
	it.Payload, it.S3 = nil, b.o.Bucket+"::"+key
	return nil
}

// schemelessMeta returns the meta of an event: its metadata without what an import has added, and its schema if that is not 1.
func schemelessMeta(e eventstore.NewEvent) (any, error) {
	meta := make(map[string]any)
	for key, value := range e.Metadata {
		switch key {
		case SequenceKey, RecordedAtKey, LateKey, IDKey:
		case MetadataKey:
			d := json.NewDecoder(bytes.NewReader([]byte(value)))
			d.UseNumber()
			var whole any
			if err := d.Decode(&whole); err != nil {
				return nil, fmt.Errorf("the metadata under %s are not JSON", MetadataKey)
			}
			object, ok := whole.(map[string]any)
			if !ok {
				return whole, nil
			}
			maps.Copy(meta, object)
		default:
			meta[key] = value
		}
	}
	if e.Schema > 1 {
		meta[schemaVersion] = e.Schema
	}
	if len(meta) == 0 {
		return nil, nil
	}
	return meta, nil
}

// write appends those items that are not in the table.
func (b *SchemelessBridge) write(ctx context.Context, domain, identifier string, expected int64, items []schemelessItem) (int64, error) {
	all := len(items)
	var last error
	for try := range bridgeTries {
		if try > 0 { // another writer was faster, some of the events are there, or the outcome is unknown
			if err := pause(ctx, try); err != nil {
				return 0, errors.Join(err, last)
			}
			left, newest, err := b.absent(ctx, items)
			switch {
			case err != nil:
				return 0, err
			case len(left) == 0:
				return newest, nil
			case len(left) < all && expected != AnySequence:
				return 0, fmt.Errorf("append to schemeless: %w", eventstore.ErrCorruptIdempotency)
			}
			items = left
		}
		head, err := b.table.Get(ctx, headID(domain, identifier), schemelessHead, ddb.Consistent())
		if err != nil && !errors.Is(err, ddb.ErrNotFound) {
			return 0, err
		}
		if expected != AnySequence && head.Version != expected {
			if left, newest, err := b.absent(ctx, items); err != nil || len(left) == 0 {
				return newest, err // written by an earlier call
			}
			return 0, &WrongExpectedSequence{Expected: expected, Actual: head.Version}
		}
		last = b.transact(ctx, domain, identifier, head.Version, items)
		if last == nil {
			return head.Version + int64(len(items)), nil
		}
		if !errors.Is(last, ddb.ErrOutcomeUnknown) && !conditionFailed(last) {
			return 0, last
		}
	}
	return 0, fmt.Errorf("append to schemeless: other writers were faster %d times: %w", bridgeTries, last)
}

// transact writes the head and the items after a version.
func (b *SchemelessBridge) transact(ctx context.Context, domain, identifier string, version int64, items []schemelessItem) error {
	cond := schemelessVersion.Eq(version)
	if version == 0 {
		cond = ddb.Or(ddb.NotExists(schemelessVersion), cond)
	}
	ops := []ddb.TxOp{b.table.TxUpsert(b.table.Key(headID(domain, identifier), schemelessHead), schemelessVersion.Set(version+int64(len(items))), ddb.If(cond))}
	for i := range items {
		it := items[i]
		it.Sequence = version + int64(i) + 1
		ops = append(ops, b.table.TxCreate(&it))
	}
	return ddb.Transact(ctx, b.client, ops...)
}

// conditionFailed reports whether a transaction was cancelled only because of conditions.
func conditionFailed(err error) bool {
	te, ok := errors.AsType[*ddb.TransactionError](err)
	return ok && len(te.Failed) > 0 && !slices.ContainsFunc(te.Failed, func(f ddberr.TransactionFailure) bool { return f.Reason != "ConditionalCheckFailed" })
}

// absent returns the items that are not in the table, and the highest sequence of those that are.
func (b *SchemelessBridge) absent(ctx context.Context, items []schemelessItem) (left []schemelessItem, newest int64, err error) {
	keys := make([]ddb.Key[string, string], len(items))
	for i, it := range items {
		keys[i] = b.table.Key(it.ID, it.Created)
	}
	i := 0
	for got, err := range b.table.BatchGetAll(ctx, slices.Values(keys), ddb.Consistent()) {
		if err != nil {
			return nil, 0, err
		}
		if got.Found {
			newest = max(newest, got.Item.Sequence)
		} else {
			left = append(left, items[i])
		}
		i++
	}
	return left, newest, nil
}

// pause waits a random time that grows with the tries.
func pause(ctx context.Context, try int) error {
	t := time.NewTimer(rand.N(min(5*time.Millisecond<<min(try, 10), 500*time.Millisecond))) //nolint:gosec // jitter is no secret
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}
