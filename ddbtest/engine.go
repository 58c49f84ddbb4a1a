// SPDX-License-Identifier: Apache-2.0

package ddbtest

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"slices"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams"

	"github.com/dynamotable/ddb/ddbtest/fault"
	"github.com/dynamotable/ddb/ddbtest/internal/engine"
	"github.com/dynamotable/ddb/ddbtest/internal/objectstore"
	"github.com/dynamotable/ddb/ddbtest/internal/protocol"
	"github.com/dynamotable/ddb/ddbtest/internal/stream"
)

// Engine is a DynamoDB in memory. It is safe for concurrent use.
type Engine struct {
	region  string
	clock   *Clock
	core    *engine.Engine
	streams *stream.Store
	folder  *folder
	faults  atomic.Pointer[fault.Plan]
	observe func(fault.Request)
	seed    uint64
	// shuffled says that the order of answers follows from seed too.
	shuffled bool
	handler  *protocol.Handler
	closed   atomic.Bool
}

// New returns a client of a fresh engine. The two need no socket and no
// credentials, and the engine is closed at the end of the test.
func New(t testing.TB, opts ...Option) *dynamodb.Client {
	t.Helper()
	e := NewEngine(opts...)
	t.Cleanup(e.Close)
	if e.faults.Load().Random() || e.shuffled {
		t.Logf("the faults and the order of this run follow from %s=%d", seedVariable, e.Seed())
	}
	return e.Client()
}

// NewEngine returns an engine without tables, for programs and for tests that
// want more than a client.
func NewEngine(opts ...Option) *Engine {
	c := &config{region: "us-east-1", clock: newClock(), seed: freshSeed()}
	for _, o := range opts {
		if o != nil {
			o(c)
		}
	}
	e := &Engine{region: c.region, clock: c.clock, streams: stream.New(c.clock.Now, c.region), folder: c.folder, observe: c.observe, seed: c.seed, shuffled: c.shuffle}
	e.faults.Store(fault.NewPlan(c.seed, c.clock.Now, c.observe, c.faults))
	hooks := engine.Hooks{Commit: e.committed, TableChanged: e.tableChanged}
	hooks.Admit = func(ctx context.Context, a engine.Access) error { return e.faults.Load().Admit(ctx, a) }
	shuffle := uint64(0)
	if c.shuffle {
		shuffle = max(c.seed, 1)
	}
	e.core = engine.New(engine.Options{
		Clock:      c.clock,
		Region:     c.region,
		AccountID:  c.account,
		StateDelay: c.stateDelay,
		Shuffle:    shuffle,
		Throughput: c.throughput,
		Buckets:    objectstore.Folder(c.buckets),
		Hooks:      hooks,

		ImportError: c.importError(),
	})
	c.clock.onAdvance(e.catchUp)
	e.handler = protocol.New(e.core, e.streams, e.intercept())
	e.faults.Load().Bind(e.handler)
	return e
}

// intercept is what stands between the wire and the engine: faults, and before them the folder, so that what was
// executed is kept whatever becomes of its reply.
func (e *Engine) intercept() protocol.Intercept {
	type execute = func(context.Context, *protocol.Call) *protocol.Reply
	keep := func(ctx context.Context, call *protocol.Call, next execute) *protocol.Reply { return next(ctx, call) }
	if e.folder != nil {
		keep = e.folder.intercept(e)
	}
	return func(ctx context.Context, call *protocol.Call, next execute) *protocol.Reply {
		plan := e.faults.Load()
		if plan.Empty() || ctx.Value(withoutFaults{}) != nil {
			return keep(ctx, call, next)
		}
		return plan.Intercept(ctx, call, func(ctx context.Context, call *protocol.Call) *protocol.Reply { return keep(ctx, call, next) })
	}
}

// SetFaults replaces the rules by which requests go wrong, those of [WithFaults] included; without
// rules no request fails. Requests that are under way keep the rules that they met. The
// counts of the new rules begin at nothing, their chances follow from the engine's seed.
//
// StaleReads and StaleIndex need what the engine held since its beginning, so they can be given
// to WithFaults alone: with one of them SetFaults returns an error and changes nothing.
func (e *Engine) SetFaults(rules ...fault.Rule) error {
	plan := fault.NewPlan(e.seed, e.clock.Now, e.observe, slices.Clone(rules))
	if plan.Stale() {
		return errors.New("ddbtest: rules of StaleReads and StaleIndex can be given to WithFaults alone")
	}
	plan.Bind(e.handler)
	e.faults.Store(plan)
	return nil
}

type withoutFaults struct{}

// WithoutFaults returns a context whose requests meet no rules of faults, are not counted by them
// and not seen by observers. It is for clients that are in the engine's process: those that look at the tables of a
// test while faults are on.
func WithoutFaults(ctx context.Context) context.Context {
	return context.WithValue(ctx, withoutFaults{}, true)
}

// Seed is what the chances of faults, and a shuffled order, follow from.
func (e *Engine) Seed() uint64 { return e.seed }

const seedVariable = "DDBTEST_SEED"

func freshSeed() uint64 {
	if n, err := strconv.ParseUint(os.Getenv(seedVariable), 10, 64); err == nil {
		return n
	}
	return rand.Uint64() //nolint:gosec // a seed to be printed
}

// committed is called for every change of an item.
func (e *Engine) committed(c *engine.Change) {
	if e.folder != nil {
		if !e.folder.live.Load() {
			return // it happened before
		}
		e.folder.commit(c)
	}
	e.streams.Commit(c)
	e.faults.Load().Commit(c)
}

// tableChanged is called for every table that is made, deleted, or gets another stream.
func (e *Engine) tableChanged(t *engine.Table, event engine.TableEvent) {
	if e.folder != nil {
		e.folder.tableChanged(event)
	}
	e.streams.TableChanged(t, event)
}

// Client returns a client of the engine. It is an ordinary client of the SDK,
// with all its middleware, whose HTTP client is the engine; optFns may change
// everything else.
func (e *Engine) Client(optFns ...func(*dynamodb.Options)) *dynamodb.Client {
	return dynamodb.New(dynamodb.Options{
		Region:       e.region,
		Credentials:  staticCredentials(),
		BaseEndpoint: aws.String(inProcess),
		HTTPClient:   e,
	}, optFns...)
}

// StreamsClient returns a client of the engine's streams.
func (e *Engine) StreamsClient(optFns ...func(*dynamodbstreams.Options)) *dynamodbstreams.Client {
	return dynamodbstreams.New(dynamodbstreams.Options{
		Region:       e.region,
		Credentials:  staticCredentials(),
		BaseEndpoint: aws.String(inProcess),
		HTTPClient:   e,
	}, optFns...)
}

// inProcess is the endpoint of clients that need none.
const inProcess = "http://ddbtest.invalid"

func staticCredentials() aws.CredentialsProvider {
	return credentials.NewStaticCredentialsProvider("ddbtest", "ddbtest", "")
}

// errClosed is what a request to a closed engine fails with.
var errClosed = errors.New("ddbtest: the engine is closed")

// Do answers a request as the service would. It makes the engine the HTTP
// client of SDK clients.
func (e *Engine) Do(req *http.Request) (*http.Response, error) {
	if e.closed.Load() {
		return nil, errClosed
	}
	return e.handler.Do(req)
}

// Handler returns the engine as an HTTP server's handler.
func (e *Engine) Handler() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		if e.closed.Load() {
			http.Error(w, errClosed.Error(), http.StatusServiceUnavailable)
			return
		}
		e.handler.ServeHTTP(w, req)
	})
}

// catchUp does what has become due.
func (e *Engine) catchUp(now time.Time) {
	e.core.CatchUp(now)
	_, _ = e.core.Expire(context.Background()) // items in a state that cannot be deleted stay
	e.streams.CatchUp(now)
}

// Format prints the type's name, for every verb, and nothing of its tables.
func (e *Engine) Format(s fmt.State, _ rune) { _, _ = fmt.Fprint(s, "ddbtest.Engine") }

// Clock returns the clock of the engine.
func (e *Engine) Clock() *Clock { return e.clock }

// Close ends the engine: every later request fails. Closing it again does
// nothing.
func (e *Engine) Close() {
	if !e.closed.Swap(true) && e.folder != nil {
		_ = e.folder.journal.Close() // what was answered is written
	}
}
