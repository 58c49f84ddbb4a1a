// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/dynamotable/ddb/ddbtest/internal/storage"
)

// The states of tables and indexes.
const (
	statusCreating = "CREATING"
	statusUpdating = "UPDATING"
	statusDeleting = "DELETING"
	statusActive   = "ACTIVE"
)

// Table is a table and its items. Its methods are safe for concurrent use.
type Table struct {
	number  uint64 // orders the locks of transactions
	name    string
	arn     string
	id      string
	created time.Time
	policy  string // from the request that created the table

	// schema is replaced as a whole, under mu and with every partition of items
	// locked, so it is stable while the lock of a partition is held.
	schema atomic.Pointer[Schema]
	items  *storage.Set
	// collections holds the sizes of item collections if the table has local
	// indexes; nil otherwise.
	collections *collections
	// limits are the table's throughput; nil if the engine has none.
	limits *limits
	// deletedAt is when the table disappears, in Unix nanoseconds; 0 unless the
	// table is being deleted.
	deletedAt atomic.Int64
	readyAt   time.Time // when the table leaves CREATING
	// importing is set while ImportTable stores the first items; the table is CREATING until then.
	importing atomic.Bool
	// history has the changes since point-in-time recovery was enabled; nil if there is none to keep.
	history atomic.Pointer[history]

	mu       sync.Mutex // guards what follows and the changes of schema
	settings settings
}

// settings are the properties of a table other than its schema and its items.
type settings struct {
	changedAt   time.Time // when the last UpdateTable is complete
	billing     billing
	throughput  throughput
	onDemand    *OnDemandThroughput
	warm        *WarmThroughput
	stream      *StreamSpecification
	streamLabel string
	tags        map[string]string
	ttl         timeToLive
	recovery    recovery
	insights    map[string]insights // of the table, "", and of its global indexes
	sse         *SSESpecification
	tableClass  string
	classAt     time.Time
	protected   bool
}

// throughput is the provisioned capacity of a table or an index; zero in
// on-demand mode.
type throughput struct {
	read, write                  int64
	peakRead, peakWrite          int64 // the highest so far, which stays warm
	increased, decreased         time.Time
	decreasesToday, decreasesDay int64
}

type billing struct {
	onDemand bool
	switched time.Time // when the table last became on-demand
	named    bool      // the request named the mode, so the description does too
}

// Name returns the name of the table.
func (t *Table) Name() string { return t.name }

// ARN returns the ARN of the table.
func (t *Table) ARN() string { return t.arn }

// Schema returns the present layout of the table.
func (t *Table) Schema() *Schema { return t.schema.Load() }

// Stream returns the label of the table's stream and its view type; the label
// is empty if the table never had a stream, the view type is empty if its
// stream is off.
func (t *Table) Stream() (label, viewType string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.settings.stream != nil {
		viewType = text(t.settings.stream.StreamViewType)
	}
	return t.settings.streamLabel, viewType
}

// StreamARN returns the ARN of the table's last stream, or "".
func (t *Table) StreamARN() string {
	label, _ := t.Stream()
	if label == "" {
		return ""
	}
	return t.arn + "/stream/" + label
}

// gone reports whether the deletion of the table is complete.
func (t *Table) gone(now func() time.Time) bool {
	at := t.deletedAt.Load()
	return at != 0 && now().UnixNano() >= at
}

// usable reports whether item operations may use the table.
func (t *Table) usable(now func() time.Time) bool {
	if t.deletedAt.Load() != 0 || t.importing.Load() {
		return false
	}
	return t.readyAt.IsZero() || !now().Before(t.readyAt)
}

// status returns the state of the table. The caller holds mu.
func (t *Table) status(now time.Time) string {
	switch {
	case t.deletedAt.Load() != 0:
		return statusDeleting
	case now.Before(t.readyAt), t.importing.Load():
		return statusCreating
	case now.Before(t.settings.changedAt):
		return statusUpdating
	default:
		return statusActive
	}
}

// status returns the state of the index.
func (x *Index) status(now time.Time) string {
	switch {
	case !x.deletedAt.IsZero():
		return statusDeleting
	case now.Before(x.readyAt):
		return statusCreating
	case now.Before(x.changedAt):
		return statusUpdating
	default:
		return statusActive
	}
}

// backfilling reports whether a new index has its resources and is being filled.
func (x *Index) backfilling(now time.Time) bool {
	return !x.backfillAt.IsZero() && !now.Before(x.backfillAt) && now.Before(x.readyAt)
}

func (x *Index) isDeleting() bool { return !x.deletedAt.IsZero() }

// catchUp drops the indexes whose deletion is complete. The caller holds mu.
func (t *Table) catchUp(now time.Time) {
	schema := t.Schema()
	var kept []*Index
	for _, x := range schema.Indexes {
		if x.deletedAt.IsZero() || now.Before(x.deletedAt) {
			kept = append(kept, x)
		}
	}
	if len(kept) == len(schema.Indexes) {
		return
	}
	next := *schema
	next.Indexes = kept
	next.attributes = usedAttributes(next.attributes, &next)
	t.setSchema(&next)
}

// setSchema replaces the schema while no write is running. The caller holds
// mu.
func (t *Table) setSchema(next *Schema) {
	t.items.LockAll()
	defer t.items.UnlockAll()
	t.schema.Store(next)
}

// usedAttributes keeps the definitions of attributes that are keys or in a search schema.
func usedAttributes(defs []AttributeDefinition, s *Schema) []AttributeDefinition {
	var used []AttributeDefinition
	for _, d := range defs {
		name := text(d.AttributeName)
		in := s.Key.Has(name)
		for _, x := range s.Indexes {
			in = in || x.Key.Has(name)
		}
		for _, x := range s.vectors {
			_, searched := x.kinds[name]
			in = in || searched
		}
		if in {
			used = append(used, d)
		}
	}
	return used
}
