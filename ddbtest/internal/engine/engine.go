// SPDX-License-Identifier: Apache-2.0

// Package engine executes the operations of DynamoDB on tables in memory.
//
// Every operation is a method of [Engine] that takes the parameters of the API
// and returns its result or an [*Error] with the service's text. Package protocol implements the wire
// protocol, package expression implements expressions, and package storage the
// ordered sets in which tables and indexes are stored.
package engine

import (
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/dynamotable/ddb/ddbtest/internal/objectstore"
)

// Clock is the only source of time of the engine.
type Clock interface {
	Now() time.Time
}

// Options configure an engine. The zero value of a field takes the default.
type Options struct {
	// Clock is the clock; required.
	Clock Clock
	// Region is the Region in ARNs; "us-east-1" by default.
	Region string
	// AccountID is the account in ARNs; "000000000000" by default.
	AccountID string
	// StateDelay is how long tables and indexes stay CREATING, UPDATING or
	// DELETING; with 0, the default, every change is immediate.
	StateDelay time.Duration
	// CollectionSize is the limit of the item collections of tables with local
	// indexes, in bytes; 10 GB by default.
	CollectionSize int64
	// Shuffle, unless it is 0, is a seed for the order of answers where the
	// service guarantees none: of partitions in a scan, of equal keys in an index,
	// and of the items of a BatchGetItem.
	Shuffle uint64
	// Throughput limits the throughput, unless it is nil.
	Throughput *ThroughputModel
	// Buckets is the folder that exports write to and imports read from; "" for none.
	Buckets objectstore.Folder
	// ImportError is called for each error of an import, unless it is nil.
	ImportError func(ImportError)
	// Hooks watch and steer the engine.
	Hooks Hooks
}

// Engine holds the tables of one account in one Region. Its methods are safe
// for concurrent use.
type Engine struct {
	clock          Clock
	region         string
	account        string
	stateDelay     time.Duration
	hooks          Hooks
	tokens         tokens
	collectionSize int64
	throughput     *ThroughputModel
	order          *order
	lastTable      atomic.Uint64
	lastLabel      atomic.Int64 // of a stream, in milliseconds
	tableIDs       sync.Map     // of all tables that there ever were
	buckets        objectstore.Folder
	importError    func(ImportError)
	transfers      transfers

	mu     sync.RWMutex
	tables map[string]*Table
}

// New returns an engine without tables.
func New(o Options) *Engine {
	if o.Region == "" {
		o.Region = "us-east-1"
	}
	if o.AccountID == "" {
		o.AccountID = "000000000000"
	}
	if o.CollectionSize == 0 {
		o.CollectionSize = maxCollectionSize
	}
	return &Engine{
		collectionSize: o.CollectionSize,
		throughput:     o.Throughput,
		order:          newOrder(o.Shuffle),
		clock:          o.Clock,
		region:         o.Region,
		account:        o.AccountID,
		stateDelay:     o.StateDelay,
		hooks:          o.Hooks,
		buckets:        o.Buckets,
		importError:    o.ImportError,
		tables:         make(map[string]*Table),
	}
}

// Now returns the time of the engine's clock.
func (e *Engine) Now() time.Time { return e.clock.Now() }

// Region returns the Region in ARNs.
func (e *Engine) Region() string { return e.region }

// Tables returns the tables, in no particular order.
func (e *Engine) Tables() []*Table {
	e.mu.RLock()
	defer e.mu.RUnlock()
	tables := make([]*Table, 0, len(e.tables))
	for _, t := range e.tables {
		tables = append(tables, t)
	}
	return tables
}

// CatchUp does what has become due by now: it completes exports, and forgets tables and indexes whose
// deletion is complete, client request tokens and changes that are too old. Operations
// see the same without it; it frees their memory.
func (e *Engine) CatchUp(now time.Time) {
	e.tokens.expire(now)
	e.transfers.catchUp(now)
	for _, t := range e.Tables() {
		if e.lookup(t.name) != t {
			continue
		}
		t.mu.Lock()
		t.catchUp(now)
		t.mu.Unlock()
		if h := t.history.Load(); h != nil {
			h.forget(now)
		}
	}
}

// arn returns the ARN of a resource such as "table/name".
func (e *Engine) arn(resource string) string {
	return "arn:aws:dynamodb:" + e.region + ":" + e.account + ":" + resource
}

// lookup returns the table with a name or an ARN, or nil. It does not find a table
// whose deletion is complete.
func (e *Engine) lookup(name string) *Table {
	name = tableOf(name)
	e.mu.RLock()
	t := e.tables[name]
	e.mu.RUnlock()
	if t == nil || !t.gone(e.clock.Now) {
		return t
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.tables[name] == t {
		delete(e.tables, name)
	}
	return e.tables[name]
}

// TableOf returns the name of the table in an ARN, or name if it is not an ARN.
func TableOf(name string) string { return tableOf(name) }

// Find returns the table with a name or an ARN, or nil.
func (e *Engine) Find(name string) *Table { return e.lookup(name) }

// tableOf returns the name of the table in an ARN, or name if it is not an ARN.
func tableOf(name string) string {
	if !strings.HasPrefix(name, "arn:") {
		return name
	}
	_, resource, found := strings.Cut(name, ":table/")
	if !found {
		return name
	}
	resource, _, _ = strings.Cut(resource, "/")
	return resource
}

// table returns the table of an item operation.
func (e *Engine) table(name string) (*Table, error) {
	t := e.lookup(name)
	if t == nil {
		if table := tableOf(name); !validName(table) { // in an ARN; other names are checked before
			return nil, invalid(msgBadName)
		}
		return nil, tableMissing()
	}
	if !t.usable(e.clock.Now) {
		return nil, tableMissing()
	}
	return t, nil
}

const msgBadName = "Invalid table/index name.  Table/index names must be between 3 and 255 characters long, and may contain only the characters a-z, A-Z, 0-9, '_', '-', and '.'"
