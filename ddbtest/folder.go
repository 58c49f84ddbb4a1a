package ddbtest

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"sync"
	"sync/atomic"

	"github.com/dynamotable/ddb/ddbtest/internal/engine"
	"github.com/dynamotable/ddb/ddbtest/internal/journal"
	"github.com/dynamotable/ddb/ddbtest/internal/protocol"
	"github.com/dynamotable/ddb/ddbtest/internal/storage"
	"github.com/dynamotable/ddb/ddbtest/internal/value"
)

// OpenFolder returns an engine that keeps its tables and items in a folder, which it makes if it is not there.
// Every answered write is in the folder before its answer is sent: handed to the operating system, or on the
// disk with durable. So it outlives the process, and with durable the machine. The records of streams, iterators
// and client request tokens do not.
//
// The folder is read as a whole and written anew when it is opened, so opening takes time in proportion to the
// data, and the file grows with the writes of one run. One engine at a time can use a folder; an error says so,
// or that the data is damaged. Call [Engine.Close] at the end.
func OpenFolder(dir string, durable bool, opts ...Option) (*Engine, error) {
	f := &folder{tables: make(map[string][]journal.Record)}
	e := NewEngine(append(opts, func(c *config) { c.folder = f })...)
	clock := e.clock
	virtual, now := clock.virtual, clock.now
	clock.virtual = true // tables get the times that they had
	err := journal.Read(dir, func(r journal.Record) error { return f.replay(e, r) })
	clock.virtual, clock.now = virtual, now
	if err != nil {
		return nil, err
	}
	f.journal, err = journal.Create(dir, durable, func(j *journal.Journal) error { return f.rewrite(e, j) })
	if err != nil {
		return nil, err
	}
	f.live.Store(true)
	return e, nil
}

// folder keeps an engine in a journal.
type folder struct {
	journal *journal.Journal
	live    atomic.Bool // false while the journal is read

	// order is held for writing while a table changes, so that the changes of tables and items are recorded
	// in the order in which they happen.
	order  sync.RWMutex
	tables map[string][]journal.Record // the changes of each table that is there
}

// tableOperations change tables. Their requests are recorded as they are.
var tableOperations = map[string]bool{
	"CreateTable": true, "UpdateTable": true, "DeleteTable": true, "UpdateTimeToLive": true,
	"TagResource": true, "UntagResource": true, "UpdateContinuousBackups": true,
	"UpdateContributorInsights": true,
}

// intercept answers a call when what it changed is recorded.
func (f *folder) intercept(e *Engine) protocol.Intercept {
	return func(ctx context.Context, call *protocol.Call, next func(context.Context, *protocol.Call) *protocol.Reply) *protocol.Reply {
		if !f.live.Load() {
			return next(ctx, call)
		}
		reply, err := f.record(ctx, e, call, next)
		if err == nil {
			err = f.journal.Flush()
		}
		if err != nil {
			return e.handler.Fail(fmt.Errorf("the data folder cannot be written: %w", err))
		}
		return reply
	}
}

func (f *folder) record(ctx context.Context, e *Engine, call *protocol.Call, next func(context.Context, *protocol.Call) *protocol.Reply) (*protocol.Reply, error) {
	if !tableOperations[call.Operation] {
		f.order.RLock()
		defer f.order.RUnlock()
		return next(ctx, call), nil
	}
	f.order.Lock()
	defer f.order.Unlock()
	r := journal.Record{At: e.clock.Now(), Operation: call.Operation, Body: bytes.Clone(call.Body)}
	reply := next(ctx, call)
	if reply.Status != http.StatusOK {
		return reply, nil
	}
	if err := f.note(r); err != nil {
		return nil, err
	}
	return reply, f.journal.Append(r)
}

// note keeps a change of a table for the next time that the journal is written anew.
func (f *folder) note(r journal.Record) error {
	var in struct{ TableName, ResourceArn string }
	if err := json.Unmarshal(r.Body, &in); err != nil {
		return err
	}
	name := engine.TableOf(in.TableName + in.ResourceArn) // one of them
	if r.Operation == "DeleteTable" {
		delete(f.tables, name)
		return nil
	}
	f.tables[name] = append(f.tables[name], r)
	return nil
}

// commit records a change of an item. It runs under the lock of the item.
func (f *folder) commit(c *engine.Change) {
	if !f.live.Load() || c.Old == c.New {
		return
	}
	r := journal.Record{Table: c.Table.Name()}
	if c.New != nil {
		r.Put = c.New.Image
	} else {
		r.Delete = value.AppendItem(nil, c.Key)
	}
	_ = f.journal.Append(r) // what the engine stores is JSON
}

// replay does again what a record tells.
func (f *folder) replay(e *Engine, r journal.Record) error {
	ctx := context.Background()
	if r.Operation == "" {
		if e.core.Find(r.Table) == nil {
			return nil // deleted while the item was written
		}
		if r.Put != nil {
			return e.core.Restore(ctx, r.Table, r.Put)
		}
		return e.core.Forget(ctx, r.Table, r.Delete)
	}
	e.clock.now = r.At
	if reply := e.handler.Call(ctx, r.Operation, r.Body); reply.Status != http.StatusOK {
		return fmt.Errorf("%s: %s", r.Operation, reply.Body)
	}
	return f.note(r)
}

// rewrite records the present state.
func (f *folder) rewrite(e *Engine, j *journal.Journal) error {
	for name, changes := range f.tables {
		for _, r := range changes {
			if err := j.Append(r); err != nil {
				return err
			}
		}
		t := e.core.Find(name)
		if t == nil {
			continue
		}
		var err error
		n := 0
		t.Walk(func(item *storage.Item) bool {
			if err = j.Append(journal.Record{Table: name, Put: item.Image}); err == nil {
				if n++; n%1024 == 0 {
					err = j.Flush()
				}
			}
			return err == nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}
