// SPDX-License-Identifier: Apache-2.0

// Package hotkeys finds the partition keys that consume most capacity.
package hotkeys

import (
	"cmp"
	"container/heap"
	"context"
	"errors"
	"iter"
	"math"
	"slices"
	"sync"
	"time"

	"github.com/dynamotable/ddb/ddberr"
	"github.com/dynamotable/ddb/hooks"
)

// Finder is a [hooks.Hook] that finds the partition keys that consume most capacity, in
// fixed memory however many keys there are, and which of them were throttled.
//
//	hot := hotkeys.New(512, time.Minute)
//	defer hooks.Add(hot)()
//	...
//	for _, k := range hot.Top(10) { logger.Warn("hot key", "key", k) }
//
// It keeps a fixed number of counters with the space-saving algorithm: a key
// that consumes more than 1/size of all units certainly has one, and each count
// is too high by at most [Key.Surplus]. The units of a batch or transaction are
// divided evenly among its items, because DynamoDB reports only their sum.
//
// A Finder is safe for concurrent use.
//
// Metwally, Agrawal, El Abbadi: Efficient Computation of Frequent and Top-k Elements in Data Streams (2005);
// Cormode et al.: Forward Decay (2009).
type Finder struct {
	size     int
	halfLife time.Duration
	now      func() time.Time

	mu    sync.Mutex
	start time.Time // weights are as of then
	keys  map[hooks.PartitionHash]*counter
	least counterHeap
	total float64
}

// Key is one of the partition keys that consume most capacity.
type Key struct {
	Table     string              `json:"table"`
	Index     string              `json:"index,omitempty"`
	Partition hooks.PartitionHash `json:"partition"`
	// Units are read and write units; with a half-life, older ones count less.
	Units float64 `json:"units"`
	// Surplus is by how much Units may be too high.
	Surplus float64 `json:"surplus"`
	// Share is Units divided by the units of all keys.
	Share float64 `json:"share"`
	// Throttled is the number of throttled attempts of requests with the key.
	Throttled int64 `json:"throttled"`
	// Reasons are DynamoDB's reasons for that, each once.
	Reasons []string `json:"reasons,omitempty"`
}

const (
	defaultSize  = 512
	maxReasons   = 16
	maxDoublings = 256 // of weights before they are scaled back
)

type counter struct {
	Key
	at int // in the heap
}

// New makes a sketch with the given number of counters, 512 if size is not positive, of about 250
// bytes each. After each half-life, earlier counts are halved; 0 means never.
func New(size int, halfLife time.Duration) *Finder {
	if size <= 0 {
		size = defaultSize
	}
	h := &Finder{size: size, halfLife: max(halfLife, 0), now: time.Now}
	h.clear()
	return h
}

func (h *Finder) clear() {
	h.start = h.now()
	h.keys = make(map[hooks.PartitionHash]*counter, h.size)
	h.least, h.total = make(counterHeap, 0, h.size), 0
}

// Begin does nothing; it makes Finder a [hooks.Hook].
func (h *Finder) Begin(ctx context.Context, _ *hooks.Call) context.Context { return ctx }

// End counts a request.
func (h *Finder) End(_ context.Context, call *hooks.Call) {
	if h == nil || h.now == nil || call == nil || len(call.Partitions) == 0 {
		return
	}
	units := call.Consumed.Total()
	if units == 0 && len(call.Throttled) > 0 {
		units = call.Estimate.Read.Min + call.Estimate.Write.Min // that were requested
	}
	units /= float64(len(call.Partitions))
	h.mu.Lock()
	defer h.mu.Unlock()
	weight := h.weight()
	for i, p := range call.Partitions {
		h.count(call.PartitionTable(i), call.Index, p, units*weight, call.Throttled)
	}
}

// weight returns how much a unit counts now, compared with one at the start.
func (h *Finder) weight() float64 {
	if h.halfLife == 0 {
		return 1
	}
	now := h.now()
	doublings := float64(now.Sub(h.start)) / float64(h.halfLife)
	if doublings > maxDoublings {
		down := math.Exp2(-doublings)
		for _, k := range h.least {
			k.Units *= down
			k.Surplus *= down
		}
		h.total *= down
		h.start, doublings = now, 0
	}
	return math.Exp2(doublings)
}

func (h *Finder) count(table, index string, p hooks.PartitionHash, units float64, throttled []ddberr.ThrottlingReason) {
	k := h.keys[p]
	switch {
	case k != nil:
	case len(h.least) < h.size:
		k = &counter{Key: Key{Table: table, Index: index, Partition: p}}
		h.keys[p] = k
		heap.Push(&h.least, k)
	default: // takes over the counter of the key with the fewest units
		k = h.least[0]
		delete(h.keys, k.Partition)
		k.Key = Key{Table: table, Index: index, Partition: p, Units: k.Units, Surplus: k.Units}
		h.keys[p] = k
	}
	k.Units += units
	h.total += units
	heap.Fix(&h.least, k.at)
	k.Throttled += int64(len(throttled))
	for _, r := range throttled {
		if r.Reason != "" && len(k.Reasons) < maxReasons && !slices.Contains(k.Reasons, r.Reason) {
			k.Reasons = append(k.Reasons, r.Reason)
		}
	}
}

// Top returns the n keys with most units, highest first.
func (h *Finder) Top(n int) []Key {
	if h == nil || h.now == nil {
		return nil
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	weight := h.weight()
	top := make([]Key, 0, len(h.least))
	for _, k := range h.least {
		c := k.Key
		if h.total > 0 {
			c.Share = c.Units / h.total
		}
		c.Units /= weight
		c.Surplus /= weight
		c.Reasons = slices.Clone(c.Reasons)
		top = append(top, c)
	}
	slices.SortFunc(top, func(a, b Key) int {
		return cmp.Or(cmp.Compare(b.Units, a.Units), cmp.Compare(a.Partition, b.Partition))
	})
	return top[:min(max(n, 0), len(top))]
}

// Reset forgets everything.
func (h *Finder) Reset() {
	if h == nil || h.now == nil {
		return
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.clear()
}

// counterHeap has the key with the fewest units first.
type counterHeap []*counter

func (h counterHeap) Len() int           { return len(h) }
func (h counterHeap) Less(i, j int) bool { return h[i].Units < h[j].Units }

func (h counterHeap) Swap(i, j int) {
	h[i], h[j] = h[j], h[i]
	h[i].at, h[j].at = i, j
}

func (h *counterHeap) Push(x any) {
	k := x.(*counter) //nolint:forcetypeassert // what count pushes
	k.at = len(*h)
	*h = append(*h, k)
}

func (h *counterHeap) Pop() any {
	last := (*h)[len(*h)-1]
	*h = (*h)[:len(*h)-1]
	return last
}

// Find searches for the partition key with a hash: it reads items, such as those of a scan, until it finds one whose key has the
// hash. found is false if there is none. The first error of the items, or of hash, ends it.
//
//	who, found, err := hotkeys.Find(orders.Scan().Project(orderCustomer, orderID).All(ctx), key.Partition,
//		func(o *Order) string { return o.Customer }, orders.PartitionHash)
//
// For a key of an index, pass the items of a scan of the index, and its PartitionHash. It costs as much as the scan up to the
// item, so a scan of the whole table if the key no longer exists. A projection saves memory, not units; ddb.WithBudget limits the cost. The result is a key
// value: do not put it into logs or on a page.
func Find[T, PK any](items iter.Seq2[T, error], want hooks.PartitionHash, key func(*T) PK, hash func(PK) (hooks.PartitionHash, error)) (pk PK, found bool, err error) {
	var none PK
	if items == nil || key == nil || hash == nil {
		return none, false, errors.New("hotkeys: Find: the items or a function are nil")
	}
	for item, err := range items {
		if err != nil {
			return none, false, err
		}
		pk := key(&item)
		h, err := hash(pk)
		if err != nil {
			return none, false, err
		}
		if h == want {
			return pk, true, nil
		}
	}
	return none, false, nil
}
