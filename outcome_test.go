package ddb_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/dynamotable/ddb"
	"github.com/dynamotable/ddb/ddbtest"
)

// fault is what happens to one request on its way.
type fault int

const (
	noFault    fault = iota
	lostBefore       // the connection breaks before the engine sees the request
	lostAfter        // and after it has applied it
	error500Before
	error500After
	throttled
	emptyReply // 200 without anything, from a proxy
	cutReply   // 200 with half a body
	faults
)

func (f fault) String() string {
	return [...]string{
		"none", "lost before", "lost after", "500 before", "500 after", "throttled", "empty reply", "cut reply",
		"flipped byte", "foreign reply", "throttled provisioned", "transaction conflict", "replicated write conflict", "hung", "doubled", "ghost",
	}[f]
}

var errReset = errors.New("connection reset by peer")

// faulty stands between SDK and engine and spoils the requests that plan says.
type faulty struct {
	engine *ddbtest.Engine
	apply  func(*http.Request) (*http.Response, error) // the engine's Do, or what watches it
	mu     sync.Mutex
	plan   func(op string, n int) fault
	n      int
	calls  map[string]int
}

func (f *faulty) Do(req *http.Request) (*http.Response, error) {
	_, op, _ := strings.Cut(req.Header.Get("X-Amz-Target"), ".")
	f.mu.Lock()
	what := noFault
	if f.plan != nil {
		what = f.plan(op, f.n)
		f.n++
	}
	f.calls[op]++
	f.mu.Unlock()
	if what >= faults {
		return f.rare(req, what)
	}
	switch what {
	case lostBefore:
		return nil, errReset
	case error500Before:
		return answer(req, 500, `{"__type":"com.amazonaws.dynamodb.v20120810#InternalServerError","message":"internal"}`), nil
	case throttled:
		return answer(req, 400, `{"__type":"com.amazonaws.dynamodb.v20120810#ThrottlingException","message":"slow down"}`), nil
	}
	resp, err := f.apply(req)
	if err != nil {
		return nil, err
	}
	switch what {
	case lostAfter:
		return nil, errReset
	case error500After:
		return answer(req, 500, `{"__type":"com.amazonaws.dynamodb.v20120810#InternalServerError","message":"internal"}`), nil
	case emptyReply:
		return &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Body: http.NoBody, Request: req}, nil
	case cutReply:
		body, _ := io.ReadAll(resp.Body)
		resp.Body = io.NopCloser(io.MultiReader(bytes.NewReader(body[:len(body)/2]), failing{}))
	}
	return resp, nil
}

type failing struct{}

func (failing) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

func answer(req *http.Request, status int, body string) *http.Response {
	return &http.Response{
		StatusCode: status, Header: http.Header{"Content-Type": {"application/x-amz-json-1.0"}, "X-Amzn-Requestid": {"R"}},
		Body: io.NopCloser(strings.NewReader(body)), ContentLength: int64(len(body)), Request: req,
	}
}

// newFaulty is an engine behind a faulty connection, with a client that retries.
func newFaulty(t testing.TB) (*faulty, *dynamodb.Client) {
	e := ddbtest.NewEngine()
	t.Cleanup(e.Close)
	f := &faulty{engine: e, apply: e.Do, calls: map[string]int{}}
	client := e.Client(func(o *dynamodb.Options) {
		o.HTTPClient = f
		o.Retryer = retry.NewStandard(func(so *retry.StandardOptions) {
			so.MaxAttempts = 3
			so.Backoff = retry.BackoffDelayerFunc(func(int, error) (time.Duration, error) { return time.Millisecond, nil })
			so.RateLimiter = unlimited{}
		})
	})
	return f, client
}

type unlimited struct{}

func (unlimited) GetToken(context.Context, uint) (func() error, error) {
	return func() error { return nil }, nil
}
func (unlimited) AddTokens(uint) error { return nil }

func (f *faulty) set(plan func(op string, n int) fault) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.plan, f.n = plan, 0
}

// first spoils the first request of an operation only.
func first(op string, what fault) func(string, int) fault {
	done := false
	return func(o string, _ int) fault {
		if o == op && !done {
			done = true
			return what
		}
		return noFault
	}
}

// TestSingleFaults: one fault at the first request of each verb; the reported
// outcome always agrees with what is stored.
func TestSingleFaults(t *testing.T) {
	needsEngine(t, "faults")
	for what := lostBefore; what < faults; what++ {
		t.Run(what.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f, client := newFaulty(t)
				users, err := ddb.NewSimple(client, "users", userID, ddb.Version(userVersion), ddb.Version(userRevision))
				if err != nil {
					t.Fatal(err)
				}
				plain, err := ddb.NewSimple(client, "plain", userID)
				if err != nil {
					t.Fatal(err)
				}
				ctx := t.Context()
				if err := errors.Join(users.CreateTable(ctx), plain.CreateTable(ctx)); err != nil {
					t.Fatal(err)
				}
				singleFault(ctx, t, f, users, plain, what)
			})
		})
	}
}

func singleFault(ctx context.Context, t *testing.T, f *faulty, users, plain *ddb.SimpleTable[user, string], what fault) {
	// Conditional writes on a versioned table end as success: no false conflict.
	u := user{ID: "u", Name: "first"}
	f.set(first("PutItem", what))
	if err := users.Create(ctx, &u); err != nil || u.Version != 1 {
		t.Errorf("Create: %v, version %d", err, u.Version)
	}
	u.Name = "second"
	f.set(first("PutItem", what))
	if err := users.Put(ctx, &u); err != nil || u.Version != 2 {
		t.Errorf("Put: %v, version %d", err, u.Version)
	}
	stale := u
	f.set(first("PutItem", what))
	if err := users.Replace(ctx, &u); err != nil || u.Version != 3 {
		t.Errorf("Replace: %v, version %d", err, u.Version)
	}
	// A conflict stays a conflict, and holds the other's item.
	stale.Name = "stale"
	f.set(first("PutItem", what))
	err := users.Put(ctx, &stale)
	var failed *ddb.ConditionFailed[user]
	if !errors.As(err, &failed) || stale.Version != 2 {
		t.Errorf("stale Put: %v", err)
	} else if current, ok := failed.Current(); !ok || current.Name != "second" {
		t.Errorf("stale Put: current %+v", current)
	}
	// Plain puts and idempotent updates are repeated.
	p := user{ID: "p", Name: "plain"}
	f.set(first("PutItem", what))
	if err := plain.Put(ctx, &p); err != nil {
		t.Errorf("plain Put: %v", err)
	}
	f.set(first("UpdateItem", what))
	if got, err := plain.Update(ctx, "p", userName.Set("set")); err != nil || got.Name != "set" {
		t.Errorf("idempotent Update: %+v, %v", got, err)
	}
	// A counter is applied once, or the outcome is unknown; never twice.
	f.set(first("UpdateItem", what))
	got, err := plain.Update(ctx, "p", userLogins.Add(1))
	f.set(nil)
	stored, rerr := plain.Get(ctx, "p", ddb.Consistent())
	if rerr != nil {
		t.Fatal(rerr)
	}
	switch {
	case err == nil && (stored.Logins != 1 || got.Logins != 1):
		t.Errorf("Add: success with %d stored, %d returned", stored.Logins, got.Logins)
	case errors.Is(err, ddb.ErrOutcomeUnknown):
		if stored.Logins > 1 || what == throttled {
			t.Errorf("Add: unknown with %d stored", stored.Logins)
		}
	case err != nil:
		t.Errorf("Add: %v", err)
	}
	// In a transaction it counts exactly once.
	f.set(first("TransactWriteItems", what))
	err = ddb.Transact(ctx, plainClient(f), plain.TxUpdate("p", userPoints.Add(1)))
	f.set(nil)
	stored, _ = plain.Get(ctx, "p", ddb.Consistent())
	if err == nil && stored.Points != 1 || stored.Points > 1 {
		t.Errorf("Add in a transaction: %v, stored %d", err, stored.Points)
	}
	// A delete that is repeated finds nothing, which is what was wanted.
	f.set(first("DeleteItem", what))
	if err := plain.Delete(ctx, "p"); err != nil {
		t.Errorf("Delete: %v", err)
	}
	f.set(nil)
	if ok, _ := plain.Exists(ctx, "p"); ok {
		t.Error("Delete left the item")
	}
}

func plainClient(f *faulty) *dynamodb.Client {
	return f.engine.Client(func(o *dynamodb.Options) { o.HTTPClient = f })
}

// TestWorstAttemptDecides: a throttle after an attempt whose reply was lost does
// not make the write "not applied".
func TestWorstAttemptDecides(t *testing.T) {
	needsEngine(t, "faults")
	synctest.Test(t, func(t *testing.T) {
		f, client := newFaulty(t)
		plain, err := ddb.NewSimple(client, "plain", userID)
		if err != nil {
			t.Fatal(err)
		}
		ctx := t.Context()
		if err := plain.CreateTable(ctx); err != nil {
			t.Fatal(err)
		}
		f.set(func(op string, n int) fault {
			if n == 0 {
				return lostAfter
			}
			return throttled
		})
		u := user{ID: "u"}
		err = plain.Put(ctx, &u)
		var unknown *ddb.OutcomeUnknownError
		if !errors.As(err, &unknown) || !errors.Is(err, ddb.ErrOutcomeUnknown) || unknown.Attempts != 3 || ddb.IsRetryable(err) ||
			!errors.Is(err, ddb.ErrThrottled) || !strings.Contains(err.Error(), "outcome unknown") {
			t.Errorf("reset, then throttled: %v", err)
		}
		f.set(func(string, int) fault { return throttled })
		if err := plain.Put(ctx, &u); !errors.Is(err, ddb.ErrThrottled) || errors.Is(err, ddb.ErrOutcomeUnknown) {
			t.Errorf("throttled only: %v", err)
		}
		// Counting at least once is the caller's choice.
		f.set(first("UpdateItem", lostAfter))
		if got, err := plain.Update(ctx, "u", userLogins.Add(1).AtLeastOnce()); err != nil || got.Logins != 2 {
			t.Errorf("at least once: %+v, %v", got, err)
		}
	})
}

// TestOutcomeAfterCancel: a context that ends in flight leaves the outcome unknown and is visible in the error.
func TestOutcomeAfterCancel(t *testing.T) {
	needsEngine(t, "faults")
	f, client := newFaulty(t)
	plain, err := ddb.NewSimple(client, "plain", userID)
	if err != nil {
		t.Fatal(err)
	}
	if err := plain.CreateTable(t.Context()); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	f.set(func(string, int) fault {
		cancel()
		return lostAfter
	})
	u := user{ID: "u"}
	if err := plain.Put(ctx, &u); !errors.Is(err, ddb.ErrOutcomeUnknown) || !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled in flight: %v", err)
	}
	if err := plain.Put(ctx, &u); !errors.Is(err, context.Canceled) || errors.Is(err, ddb.ErrOutcomeUnknown) {
		t.Errorf("cancelled before: %v", err)
	}
}

var _ aws.HTTPClient = (*faulty)(nil)
