// SPDX-License-Identifier: Apache-2.0

package core

import (
	"context"
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/dynamotable/ddb/cost"
	"github.com/dynamotable/ddb/ddberr"
	"github.com/dynamotable/ddb/hooks"
	"github.com/dynamotable/ddb/internal/expr"
	"github.com/dynamotable/ddb/internal/operr"
	"github.com/dynamotable/ddb/internal/wire"
	"github.com/dynamotable/ddb/progress"
)

// Limits of one batch request, see
// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchWriteItem.html and API_BatchGetItem.html.
const (
	maxBatchGet   = 100
	maxBatchWrite = 25
	maxBatchBytes = 16 << 20
)

// keySlack is how much longer than the first key the other keys of a batch are expected to be.
const keySlack = 4

// BatchCall holds the options of one batch write.
type BatchCall struct{ stats *BatchStats }

// BatchStats is the content of ddb.BatchStats.
type BatchStats struct {
	Done     int
	Requests int
	Retries  int
	Elapsed  time.Duration
	Consumed cost.Consumed
}

func (s *BatchStats) add(more BatchStats) {
	s.Done += more.Done
	s.Requests += more.Requests
	s.Retries += more.Retries
	s.Elapsed += more.Elapsed
	s.Consumed = s.Consumed.Plus(more.Consumed)
}

// count counts one request, if it was answered.
func (s *BatchStats) count(write bool, r *replyInfo) {
	if r.answered {
		s.Requests++
		s.Consumed = s.Consumed.Plus(cost.ConsumedOf(write, r.capacities...))
	}
}

func (s *BatchStats) report(dst *BatchStats) {
	if dst != nil {
		*dst = *s
	}
}

// StatsOption is the result of ddb.StatsTo: batches, transactions and their reads fill in Dst when they end.
type StatsOption struct{ Dst *BatchStats }

// ApplyBatch makes it a BatchOption.
func (o StatsOption) ApplyBatch(b *BatchCall) { b.stats = o.Dst }

// ConsistentOrProject makes it a GetOption.
func (o StatsOption) ConsistentOrProject(r *ReadCall) { r.stats = o.Dst }

// AddTo makes it a TxOp.
func (o StatsOption) AddTo(tx *Transaction) { tx.dst = o.Dst }

// AddRead makes it a TxRead.
func (o StatsOption) AddRead(tx *TransactionRead) { tx.dst = o.Dst }

// batch is one batch call in progress. It sends its entries in requests of several, and some requests at a time.
type batch struct {
	core  *Table
	op    string
	write bool
	// consistent is of reads.
	consistent bool
	hide       bool         // expired items
	hidden     atomic.Int64 // how many were left out
	paths      []expr.Path  // that are read
	first      int          // index of the first input, in a stream
	entries    []batchEntry
	byKey      map[string]*batchEntry // the entry that is sent for each key
	stats      BatchStats
	start      time.Time
	mu         sync.Mutex // guards stats and queue
	queue      []*batchEntry
	all        []*batchEntry // that are sent
	halt       atomic.Value  // set once nothing more is to be sent
	idle       *time.Timer   // ends the batch when nothing was done for idleLimit
	idleLimit  time.Duration
	task       *progress.Task
	kept       atomic.Bool // a hook saw the entries and may keep them
}

// halted is the error of a request after which every other request would be refused too. (The compiler makes the methods of
// an atomic.Pointer[error] again in each package that uses a table.)
type halted struct{ cause error }

// batchEntry is one input. Only the worker that holds it writes to it.
type batchEntry struct {
	index   int
	del     bool
	key     string
	data    []byte      // the encoded item or key
	winner  *batchEntry // of the same key, which is sent in place of this one
	twin    *batchEntry // the next of the same key, in whose place this one is sent
	err     error
	other   bool // its item is of another type, and was left out
	unknown bool // a request with it was sent whose reply was lost
	rounds  int  // how often the batch has sent it
	sent    int  // how often, those of the SDK's loop included
}

// leftOf finds, by their keys, the entries of a request that its reply leaves unprocessed.
func (b *batch) leftOf(left []*batchEntry, pending []*batchEntry, key map[string]types.AttributeValue) ([]*batchEntry, error) {
	e := b.byKey[b.core.KeyNames.ID(key)]
	if e == nil || !slices.Contains(pending, e) {
		return nil, errForeignReply
	}
	if slices.Contains(left, e) {
		return left, nil
	}
	return append(left, e), nil
}

// errForeignReply is a reply that answers another request.
var errForeignReply = errors.New("the reply leaves a key unprocessed that was not in the request")

// send sends one request for some of the entries and counts it.
func (b *batch) send(ctx context.Context, o wire.Options, pending []*batchEntry, do sendFunc) error {
	info := requestInfo{op: b.op, write: b.write, consistent: b.consistent, entries: pending, whole: b.all, project: b.paths}
	r, err := b.core.send(ctx, &info, o, do)
	b.mu.Lock()
	defer b.mu.Unlock()
	b.stats.count(b.write, &r)
	return err
}

func (b *batch) result(ctx context.Context) error {
	b.stats.Elapsed = time.Since(b.start)
	var failed []ddberr.BatchFailure
	unknown := 0
	for i := range b.entries {
		n := &b.entries[i]
		for n.winner != nil {
			n = n.winner
		}
		if n.err != nil {
			failed = append(failed, ddberr.BatchFailure{Index: b.entries[i].index, Delete: n.del, Unknown: n.unknown, Err: n.err})
			if n.unknown {
				unknown++
			}
		}
	}
	b.stats.Done = len(b.entries) - len(failed)
	if len(failed) == 0 {
		return nil
	}
	err := operr.New(b.op, b.core.Name, "", &ddberr.BatchError{Total: b.first + len(b.entries), Failed: failed})
	if unknown > 0 {
		reportFailure(ctx, []*Table{b.core}, hooks.Failure{Operation: b.op, Table: b.core.Name, Items: unknown, Err: err})
	}
	return err
}
