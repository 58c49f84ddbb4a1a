// SPDX-License-Identifier: Apache-2.0

package ddbtest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
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

// OpenFolder returns an engine that stores its tables and items in a folder, which it creates if necessary.
// Every write is in the folder before its answer is sent: passed to the operating system or, with durable,
// written to disk. So it survives a crash of the process, and with durable a crash of the machine. The records of streams, iterators
// and client request tokens do not.
//
// The whole folder is read when it is opened, so opening takes time in proportion to the data and to what was
// written since the file was last compacted. Opening compacts the file if more than half of it is obsolete. If another
// engine uses the folder, OpenFolder returns an error. Damaged records are left out, and the original file
// is kept; [Engine.Damage] reports them. Call [Engine.Close] at the end.
func OpenFolder(dir string, durable bool, opts ...Option) (*Engine, error) {
	f := &folder{tables: make(map[string][]journal.Record)}
	e := NewEngine(append(opts, func(c *config) { c.folder = f })...)
	var err error
	if f.journal, err = journal.Open(dir, durable); err != nil {
		e.closed.Store(true)
		return e, err
	}
	if err := f.load(e); err != nil {
		e.closed.Store(true)
		return e, errors.Join(err, f.journal.Close())
	}
	f.live.Store(true)
	return e, nil
}

// Damage is what an engine left out when it opened its folder, because the file was cut short or damaged.
type Damage struct {
	// Records is the number of damaged records and of those that are unusable without them.
	Records int
	// Bytes is their size in the file.
	Bytes int64
	// Kept is the path of the original file, or empty if nothing was left out.
	Kept string
}

// Damage returns what [OpenFolder] left out. It is zero if the folder was undamaged.
func (e *Engine) Damage() Damage {
	if e.folder == nil {
		return Damage{}
	}
	return e.folder.damage
}

// folder records an engine in a journal.
type folder struct {
	journal *journal.Journal
	live    atomic.Bool // false while the journal is read

	// order is held for writing while a table changes, so that the changes of tables and items are recorded
	// in the order in which they happen.
	order  sync.RWMutex
	tables map[string][]journal.Record // the changes of each existing table

	imported *journal.Record // what makes the table of the import in progress; nil without one
	begun    bool            // that is recorded
	failed   error           // of recording it

	damage  Damage
	loader  *engine.Loader // while the journal is read
	partial string         // while the journal is read: the table of an import whose end was not read yet
	records int64          // that were read
	old     bool           // some of them have no sizes, as those of earlier versions
}

// spare is the number of useless records up to which a file is not rewritten.
const spare = 1000

// load reads the journal and makes it ready for more.
func (f *folder) load(e *Engine) error {
	clock := e.clock
	virtual, now := clock.virtual, clock.now
	clock.virtual = true // tables get their original times
	f.loader = e.core.Loader()
	damage, err := f.journal.Read(func(r *journal.Record) error { return f.replay(e, r) })
	dropped := f.partial != ""
	if dropped {
		f.loader.Drop(f.partial)
		delete(f.tables, f.partial)
	}
	err = errors.Join(err, f.loader.Finish())
	f.loader = nil
	clock.virtual, clock.now = virtual, now
	if err != nil {
		return err
	}
	e.core.RestartHistory()
	f.damage = Damage{Records: damage.Records, Bytes: damage.Bytes}
	if !f.old && !dropped && damage.Bytes == 0 && f.records <= spare+2*f.useful(e) {
		return f.journal.Resume()
	}
	f.damage.Kept, err = f.journal.Rewrite(func() error { return f.rewrite(e) })
	return err
}

// useful returns the number of records in a file without useless ones.
func (f *folder) useful(e *Engine) (n int64) {
	for name, changes := range f.tables {
		n += int64(len(changes))
		if t := e.core.Find(name); t != nil {
			n += t.Len()
		}
	}
	return n
}

// tableOperations change tables. Their requests are recorded as they are.
var tableOperations = map[string]bool{
	"CreateTable": true, "UpdateTable": true, "DeleteTable": true, "UpdateTimeToLive": true,
	"TagResource": true, "UntagResource": true, "UpdateContinuousBackups": true,
	"UpdateContributorInsights": true, importTable: true,
}

// An import is recorded as what it does, because the objects that it has read may be gone: importTable with the parameters of CreateTable, the items, and importEnd.
// Without that the process was killed while they were written, before the import was answered. The table is then dropped when the journal is read, as if the
// import had not been requested.
const (
	importTable = "ImportTable"
	importEnd   = "ImportTableEnd"
)

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
	now, release := e.clock.hold() // so that the operation has the time of its record
	defer release()
	r := journal.Record{At: now, Operation: call.Operation, Body: bytes.Clone(call.Body)}
	if call.Operation == importTable {
		return f.recordImport(ctx, r, call, next)
	}
	reply := next(ctx, call)
	if reply.Status != http.StatusOK {
		return reply, nil
	}
	if err := f.note(r); err != nil {
		return nil, err
	}
	return reply, f.journal.Append(r)
}

// recordImport executes an ImportTable; tableChanged and commit record what comes of it.
func (f *folder) recordImport(ctx context.Context, r journal.Record, call *protocol.Call, next func(context.Context, *protocol.Call) *protocol.Reply) (*protocol.Reply, error) {
	var in struct{ TableCreationParameters json.RawMessage }
	_ = json.Unmarshal(r.Body, &in) // what is no JSON makes no table
	r.Body = in.TableCreationParameters
	f.imported, f.begun, f.failed = &r, false, nil
	reply := next(ctx, call)
	f.imported = nil
	if f.begun {
		f.failed = errors.Join(f.failed, f.journal.Append(journal.Record{At: r.At, Operation: importEnd}))
	}
	return reply, f.failed
}

// tableChanged records the table of an import. No other operation changes a table meanwhile.
func (f *folder) tableChanged(event engine.TableEvent) {
	if r := f.imported; r != nil && event == engine.TableCreated {
		f.begun = true
		if f.failed = f.note(*r); f.failed == nil {
			f.failed = f.journal.Append(*r)
		}
	}
}

// note keeps a change of a table for the next time that the journal is rewritten.
func (f *folder) note(r journal.Record) error {
	name, err := tableOf(r)
	if err != nil {
		return err
	}
	switch r.Operation {
	case "DeleteTable":
		delete(f.tables, name)
		return nil
	case importTable:
		r.Operation = "CreateTable" // a journal that is rewritten has all items
	}
	f.tables[name] = append(f.tables[name], r)
	return nil
}

// tableOf returns the table of a request.
func tableOf(r journal.Record) (string, error) {
	var in struct{ TableName, ResourceArn string } // one of them
	err := json.Unmarshal(r.Body, &in)
	return engine.TableOf(in.TableName + in.ResourceArn), err
}

// commit records a change of an item. It runs under the lock of the item.
func (f *folder) commit(c *engine.Change) {
	if !f.live.Load() || c.Old == c.New {
		return
	}
	r := journal.Record{Table: c.Table.Name()}
	if c.New != nil {
		r.Put, r.Size = c.New.Image, c.New.Size
	} else {
		r.Delete = value.AppendItem(nil, c.Key)
	}
	_ = f.journal.Append(r) // stored items are JSON
}

// replay executes a record again.
func (f *folder) replay(e *Engine, r *journal.Record) (err error) {
	f.records++
	if r.Operation == "" {
		found := true
		if r.Put != nil {
			f.old = f.old || r.Size == 0
			found, err = f.loader.Put(r.Table, bytes.Clone(r.Put), r.Size)
		} else {
			_, err = f.loader.Delete(r.Table, r.Delete)
		}
		if err == nil && !found {
			err = journal.ErrLost // the record that creates the table
		}
		return err
	}
	f.loader.Flush()
	f.partial = "" // tables change one after the other, so the import has ended, even if the record of its end is damaged
	operation := r.Operation
	switch operation {
	case importEnd:
		return nil
	case importTable:
		operation = "CreateTable"
	}
	e.clock.now = r.At
	if reply := e.handler.Call(context.Background(), operation, r.Body); reply.Status != http.StatusOK {
		return fmt.Errorf("%s: %s", operation, reply.Body)
	}
	if r.Operation == importTable {
		if f.partial, err = tableOf(*r); err != nil {
			return err
		}
	}
	return f.note(*r)
}

// rewrite records the present state.
func (f *folder) rewrite(e *Engine) error {
	for name, changes := range f.tables {
		for _, r := range changes {
			if err := f.journal.Append(r); err != nil {
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
			if err = f.journal.Append(journal.Record{Table: name, Size: item.Size, Put: item.Image}); err == nil {
				if n++; n%1024 == 0 {
					err = f.journal.Flush()
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
