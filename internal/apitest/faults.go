// SPDX-License-Identifier: Apache-2.0

package apitest

import (
	"bytes"
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/dynamotable/ddb/ddbtest"
)

// Fault is what happens to one request on its way.
type Fault int

// The faults for any kind of request, and their number.
const (
	NoFault    Fault = iota
	LostBefore       // the connection breaks before the engine sees the request
	LostAfter        // it breaks after the engine has applied the request
	Error500Before
	Error500After
	Throttled
	EmptyReply // 200 with an empty body, from a proxy
	CutReply   // 200 with half a body
	Faults
)

func (f Fault) String() string {
	return [...]string{
		"none", "lost before", "lost after", "500 before", "500 after", "throttled", "empty reply", "cut reply",
		"flipped byte", "foreign reply", "throttled provisioned", "transaction conflict", "replicated write conflict", "hung", "doubled", "ghost",
	}[f]
}

// ErrReset is the error of a broken connection.
var ErrReset = errors.New("connection reset by peer")

// Faulty is between the SDK and the engine, and applies the faults that plan returns.
type Faulty struct {
	Engine *ddbtest.Engine
	Apply  func(*http.Request) (*http.Response, error) // Do of the engine, or a function that observes it
	Calls  map[string]int                              // by operation
	mu     sync.Mutex
	plan   func(op string, n int) Fault
	n      int
}

// NewConnection returns a faulty connection to a new engine.
func NewConnection(t testing.TB) *Faulty {
	e := ddbtest.NewEngine()
	t.Cleanup(e.Close)
	return &Faulty{Engine: e, Apply: e.Do, Calls: map[string]int{}}
}

// NewFaulty returns an engine behind a faulty connection, with a client that retries.
func NewFaulty(t testing.TB) (*Faulty, *dynamodb.Client) {
	f := NewConnection(t)
	client := f.Engine.Client(func(o *dynamodb.Options) {
		o.HTTPClient = f
		o.Retryer = retry.NewStandard(func(so *retry.StandardOptions) {
			so.MaxAttempts = 3
			so.Backoff = retry.BackoffDelayerFunc(func(int, error) (time.Duration, error) { return time.Millisecond, nil })
			so.RateLimiter = unlimited{}
		})
	})
	return f, client
}

// Do sends a request to the engine, or applies the fault of the plan.
func (f *Faulty) Do(req *http.Request) (*http.Response, error) {
	_, op, _ := strings.Cut(req.Header.Get("X-Amz-Target"), ".")
	f.mu.Lock()
	what := NoFault
	if f.plan != nil {
		what = f.plan(op, f.n)
		f.n++
	}
	f.Calls[op]++
	f.mu.Unlock()
	if what >= Faults {
		return f.rare(req, what)
	}
	switch what {
	case LostBefore:
		return nil, ErrReset
	case Error500Before:
		return Answer(req, 500, `{"__type":"com.amazonaws.dynamodb.v20120810#InternalServerError","message":"internal"}`), nil
	case Throttled:
		return Answer(req, 400, `{"__type":"com.amazonaws.dynamodb.v20120810#ThrottlingException","message":"slow down"}`), nil
	}
	resp, err := f.Apply(req)
	if err != nil {
		return nil, err
	}
	switch what {
	case LostAfter:
		return nil, ErrReset
	case Error500After:
		return Answer(req, 500, `{"__type":"com.amazonaws.dynamodb.v20120810#InternalServerError","message":"internal"}`), nil
	case EmptyReply:
		return &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Body: http.NoBody, Request: req}, nil
	case CutReply:
		body, _ := io.ReadAll(resp.Body)
		resp.Body = io.NopCloser(io.MultiReader(bytes.NewReader(body[:len(body)/2]), failing{}))
	}
	return resp, nil
}

type failing struct{}

func (failing) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

// Answer returns a reply of the service.
func Answer(req *http.Request, status int, body string) *http.Response {
	return &http.Response{
		StatusCode: status, Header: http.Header{"Content-Type": {"application/x-amz-json-1.0"}, "X-Amzn-Requestid": {"R"}},
		Body: io.NopCloser(strings.NewReader(body)), ContentLength: int64(len(body)), Request: req,
	}
}

type unlimited struct{}

func (unlimited) GetToken(context.Context, uint) (func() error, error) {
	return func() error { return nil }, nil
}
func (unlimited) AddTokens(uint) error { return nil }

// Set sets the plan for the next requests, which are numbered from 0; nil means no faults.
func (f *Faulty) Set(plan func(op string, n int) Fault) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.plan, f.n = plan, 0
}

// Requests returns the number of requests since Set, while there is a plan.
func (f *Faulty) Requests() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.n
}

// Doer is an HTTP client that is a function.
type Doer func(*http.Request) (*http.Response, error)

// Do calls the function.
func (d Doer) Do(req *http.Request) (*http.Response, error) { return d(req) }

// First applies the fault only to the first request of an operation.
func First(op string, what Fault) func(string, int) Fault {
	done := false
	return func(o string, _ int) Fault {
		if o == op && !done {
			done = true
			return what
		}
		return NoFault
	}
}

// More faults; AllFaults is their end.
const (
	FlippedByte   = Faults + iota // of a reply with a checksum
	ForeignReply                  // 200 with a page from a proxy
	Provisioned                   // throttled, with a reason
	TxConflict                    // with a transaction in progress
	WriteConflict                 // with a write of another Region
	Hung                          // no reply until the attempt is given up
	Doubled                       // delivered twice
	Ghost                         // the connection breaks, and the request arrives up to 5 s later
	AllFaults
)

// ErrorType is the start of the body of an error, up to its type.
const ErrorType = `{"__type":"com.amazonaws.dynamodb.v20120810#`

const (
	foreignPage  = "<html><body>Please log in</body></html>"
	throttleText = ErrorType + `ProvisionedThroughputExceededException","message":"too much",` +
		`"ThrottlingReasons":[{"reason":"TableWriteKeyRangeThroughputExceeded","resource":"arn:aws:dynamodb:eu-central-1:1:table/t"}]}`
)

// Refusal reports whether a fault is a reply of the service which states that nothing was done.
func (f Fault) Refusal() bool {
	return f == Throttled || f == Provisioned || f == TxConflict || f == WriteConflict
}

// Twice reports whether a fault can make the network deliver a request again, unknown to the client.
func (f Fault) Twice() bool { return f == Doubled || f == Ghost }

func (f *Faulty) rare(req *http.Request, what Fault) (*http.Response, error) {
	switch what {
	case ForeignReply:
		return &http.Response{
			StatusCode: http.StatusOK, Header: http.Header{"Content-Type": {"text/html"}},
			Body: io.NopCloser(strings.NewReader(foreignPage)), ContentLength: int64(len(foreignPage)), Request: req,
		}, nil
	case Provisioned:
		return Answer(req, 400, throttleText), nil
	case TxConflict:
		return Answer(req, 400, ErrorType+`TransactionConflictException","message":"Transaction is ongoing for the item"}`), nil
	case WriteConflict:
		return Answer(req, 400, ErrorType+`ReplicatedWriteConflictException","message":"in conflict with another Region"}`), nil
	case Hung:
		<-req.Context().Done()
		return nil, req.Context().Err()
	}
	body, err := io.ReadAll(req.Body)
	if err != nil {
		return nil, err
	}
	ctx := context.WithoutCancel(req.Context())
	again := func() *http.Request {
		r := req.Clone(ctx)
		r.Body = io.NopCloser(bytes.NewReader(body))
		return r
	}
	switch what {
	case Ghost:
		delay := rand.N(5 * time.Second) //nolint:gosec // no secret
		go func() {
			<-time.After(delay)
			f.deliver(again())
		}()
		return nil, ErrReset
	case Doubled:
		resp, err := f.Apply(again())
		f.deliver(again())
		return resp, err
	}
	resp, err := f.Apply(again())
	if err != nil {
		return nil, err
	}
	reply, err := io.ReadAll(resp.Body)
	if len(reply) > 0 {
		reply[len(reply)/2] ^= 1
	}
	resp.Body = io.NopCloser(bytes.NewReader(reply))
	return resp, err
}

// deliver delivers a request whose reply is not read.
func (f *Faulty) deliver(req *http.Request) {
	if resp, err := f.Apply(req); err == nil {
		_ = resp.Body.Close()
	}
}
