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

// Engine is an in-memory DynamoDB engine. It is safe for concurrent use.
type Engine struct {
	region  string
	clock   *Clock
	core    *engine.Engine
	streams *stream.Store
	folder  *folder
	faults  atomic.Pointer[fault.Plan]
	observe func(fault.Request)
	seed    uint64
	// shuffled means that the seed also determines the order of answers.
	shuffled bool
	handler  *protocol.Handler
	closed   atomic.Bool
}

// New returns a client of a new engine. It needs neither a socket nor
// credentials, and the engine is closed at the end of the test.
func New(t testing.TB, opts ...Option) *dynamodb.Client {
	t.Helper()
	e := NewEngine(opts...)
	t.Cleanup(e.Close)
	if e.faults.Load().Random() || e.shuffled {
		t.Logf("the faults and the order of this run can be repeated with %s=%d", seedVariable, e.Seed())
	}
	return e.Client()
}

// NewEngine returns an engine without tables, for programs and for tests that
// need more than a client.
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

// intercept returns what is between the protocol and the engine: faults, and before them the folder, so that an executed
// request is recorded whatever happens to its reply.
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

// SetFaults replaces the rules of faults, including those of [WithFaults]; without
// rules no faults are injected. Requests in flight keep the rules that matched them. The
// counts of the new rules start at zero, and their chances are determined by the engine's seed.
//
// StaleReads and StaleIndex need the history of the engine from its start, so they can only be given
// to WithFaults: with one of them SetFaults returns an error and changes nothing.
func (e *Engine) SetFaults(rules ...fault.Rule) error {
	plan := fault.NewPlan(e.seed, e.clock.Now, e.observe, slices.Clone(rules))
	if plan.Stale() {
		return errors.New("ddbtest: rules of StaleReads and StaleIndex can only be given to WithFaults")
	}
	plan.Bind(e.handler)
	e.faults.Store(plan)
	return nil
}

type withoutFaults struct{}

// WithoutFaults returns a context whose requests are not affected by rules of faults, not counted by them
// and not seen by observers. It works for clients in the engine's process. Use it to look at the tables of a
// test while faults are on.
func WithoutFaults(ctx context.Context) context.Context {
	return context.WithValue(ctx, withoutFaults{}, true)
}

// Seed returns the seed of the chances of faults and of a shuffled order.
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
// everything else. Its requests are not really signed, unless optFns gives it
// another endpoint: the engine requires a signature but cannot check it.
func (e *Engine) Client(optFns ...func(*dynamodb.Options)) *dynamodb.Client {
	return dynamodb.New(dynamodb.Options{
		Region:       e.region,
		Credentials:  staticCredentials(),
		BaseEndpoint: aws.String(inProcess),
		HTTPClient:   e,
		HTTPSignerV4: newSigner(),
	}, optFns...)
}

// StreamsClient returns a client of the engine's streams.
func (e *Engine) StreamsClient(optFns ...func(*dynamodbstreams.Options)) *dynamodbstreams.Client {
	return dynamodbstreams.New(dynamodbstreams.Options{
		Region:       e.region,
		Credentials:  staticCredentials(),
		BaseEndpoint: aws.String(inProcess),
		HTTPClient:   e,
		HTTPSignerV4: newSigner(),
	}, optFns...)
}

// inProcess is the endpoint of in-process clients; nothing connects to it.
const (
	inProcess     = "http://" + inProcessHost
	inProcessHost = "ddbtest.invalid"
)

func staticCredentials() aws.CredentialsProvider {
	return credentials.NewStaticCredentialsProvider("ddbtest", "ddbtest", "")
}

// errClosed is the error of a request to a closed engine.
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

// catchUp performs what has become due.
func (e *Engine) catchUp(now time.Time) {
	e.core.CatchUp(now)
	_, _ = e.core.Expire(context.Background()) // items in a state that cannot be deleted stay
	e.streams.CatchUp(now)
}

// Format prints only the type's name, for every verb.
func (e *Engine) Format(s fmt.State, _ rune) { _, _ = fmt.Fprint(s, "ddbtest.Engine") }

// Clock returns the clock of the engine.
func (e *Engine) Clock() *Clock { return e.clock }

// Close closes the engine: every later request fails. Closing it again does
// nothing.
func (e *Engine) Close() {
	if !e.closed.Swap(true) && e.folder != nil {
		_ = e.folder.journal.Close() // everything that was answered is written
	}
}
