// SPDX-License-Identifier: Apache-2.0

package wire_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"hash/crc32"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/ratelimit"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/smithy-go"

	"github.com/dynamotable/ddb/internal/codec"
)

// answer is one reply of a stub.
type answer struct {
	status  int
	body    string
	crc     string // "" computes it, "-" leaves it out
	gzip    bool
	plain   bool  // none of the service's headers
	cut     int   // body ends with an error after this many bytes
	err     error // the error at the cut
	noReply error // Do fails
}

// stub is an HTTP client that returns its answers in turn, and the last one repeatedly.
type stub struct {
	mu      sync.Mutex
	answers []answer
	calls   int
	sent    []byte // body of the last request
	request *http.Request
}

func newStub(body string, more ...answer) *stub {
	return &stub{answers: append(more, answer{status: 200, body: body})}
}

func answering(a ...answer) *stub { return &stub{answers: a} }

func (s *stub) Do(r *http.Request) (*http.Response, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	a := s.answers[min(s.calls, len(s.answers)-1)]
	s.calls++
	s.request = r
	var err error
	if s.sent, err = io.ReadAll(r.Body); err != nil {
		return nil, err
	}
	if a.noReply != nil {
		return nil, a.noReply
	}
	h := http.Header{}
	if !a.plain {
		h.Set("Content-Type", "application/x-amz-json-1.0")
		h.Set("X-Amzn-Requestid", "REQ"+strconv.Itoa(s.calls))
		switch a.crc {
		case "":
			h.Set("X-Amz-Crc32", crcOf([]byte(a.body)))
		case "-":
		default:
			h.Set("X-Amz-Crc32", a.crc)
		}
	}
	if a.gzip {
		h.Set("Content-Encoding", "gzip")
	}
	var body io.Reader = strings.NewReader(a.body) // without a copy, as one is very large
	if a.err != nil {
		body = io.MultiReader(strings.NewReader(a.body[:a.cut]), failing{a.err})
	}
	return &http.Response{
		StatusCode: a.status, Header: h, Body: io.NopCloser(body), ContentLength: int64(len(a.body)),
		Request: r, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
	}, nil
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) {
	if h := (hook{}); errors.As(f.err, &h) {
		h.fn()
	}
	return 0, f.err
}

func crcOf(b []byte) string {
	return strconv.FormatUint(uint64(crc32.ChecksumIEEE(b)), 10)
}

func throttle() answer {
	return answer{status: 400, body: `{"__type":"com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException","message":"slow down"}`}
}

func newClient(h aws.HTTPClient, fns ...func(*dynamodb.Options)) *dynamodb.Client {
	cfg := aws.Config{
		Region: "eu-central-1", HTTPClient: h,
		Credentials: aws.NewCredentialsCache(credentials.NewStaticCredentialsProvider("AKIDEXAMPLE", "not-a-secret", "")),
	}
	return dynamodb.NewFromConfig(cfg, append([]func(*dynamodb.Options){quick}, fns...)...)
}

// quick removes the waits between retries.
func quick(o *dynamodb.Options) {
	o.Retryer = retry.NewStandard(func(s *retry.StandardOptions) {
		s.MaxAttempts = 3
		s.Backoff = retry.BackoffDelayerFunc(func(int, error) (time.Duration, error) { return 0, nil })
		s.RateLimiter = ratelimit.None
	})
}

// got collects rows as canonical wire JSON.
type got struct {
	rows   []string
	resets int
	hint   int
	err    error // returned by Row for the row at index fail
	fail   int
}

func (g *got) Reset(hint int) {
	g.rows, g.hint = nil, hint
	g.resets++
}

func (g *got) Row(d *codec.Decoder) error {
	raw, err := d.Raw()
	if err != nil {
		return err
	}
	if g.err != nil && len(g.rows) == g.fail {
		return g.err
	}
	item, err := codec.ParseItem(raw)
	if err != nil {
		return err
	}
	g.rows = append(g.rows, canonical(item))
	return nil
}

func canonical(item map[string]types.AttributeValue) string {
	b, err := codec.AppendItemMap(nil, item)
	if err != nil {
		return "bad item: " + err.Error()
	}
	return string(b)
}

func canonicalItem2(t *testing.T) string {
	t.Helper()
	m, err := codec.ParseItem([]byte(item2))
	if err != nil {
		t.Fatal(err)
	}
	return canonical(m)
}

func sameJSON(t *testing.T, a, b []byte) {
	t.Helper()
	var x, y any
	if err := errors.Join(json.Unmarshal(a, &x), json.Unmarshal(b, &y)); err != nil {
		t.Fatalf("%v\n%s\n%s", err, a, b)
	}
	xs, _ := json.Marshal(x)
	ys, _ := json.Marshal(y)
	if !bytes.Equal(xs, ys) {
		t.Errorf("requests differ\n%s\n%s", xs, ys)
	}
}

// ignoring is a client without functional options.
type ignoring struct{ c *dynamodb.Client }

// wrapping forwards functional options and overrides nothing.
type wrapping struct{ *dynamodb.Client }

// declared promises to forward options.
type declared struct{ *dynamodb.Client }

func (declared) ForwardsOptions() bool { return true }

// liar promises to forward options and drops them.
type liar struct{ ignoring }

func (liar) ForwardsOptions() bool { return true }

func (m ignoring) GetItem(ctx context.Context, in *dynamodb.GetItemInput, _ ...func(*dynamodb.Options)) (*dynamodb.GetItemOutput, error) {
	return m.c.GetItem(ctx, in)
}
func (m ignoring) PutItem(ctx context.Context, in *dynamodb.PutItemInput, _ ...func(*dynamodb.Options)) (*dynamodb.PutItemOutput, error) {
	return m.c.PutItem(ctx, in)
}
func (m ignoring) UpdateItem(ctx context.Context, in *dynamodb.UpdateItemInput, _ ...func(*dynamodb.Options)) (*dynamodb.UpdateItemOutput, error) {
	return m.c.UpdateItem(ctx, in)
}
func (m ignoring) DeleteItem(ctx context.Context, in *dynamodb.DeleteItemInput, _ ...func(*dynamodb.Options)) (*dynamodb.DeleteItemOutput, error) {
	return m.c.DeleteItem(ctx, in)
}
func (m ignoring) Query(ctx context.Context, in *dynamodb.QueryInput, _ ...func(*dynamodb.Options)) (*dynamodb.QueryOutput, error) {
	return m.c.Query(ctx, in)
}
func (m ignoring) Scan(ctx context.Context, in *dynamodb.ScanInput, _ ...func(*dynamodb.Options)) (*dynamodb.ScanOutput, error) {
	return m.c.Scan(ctx, in)
}
func (m ignoring) BatchGetItem(ctx context.Context, in *dynamodb.BatchGetItemInput, _ ...func(*dynamodb.Options)) (*dynamodb.BatchGetItemOutput, error) {
	return m.c.BatchGetItem(ctx, in)
}
func (m ignoring) BatchWriteItem(ctx context.Context, in *dynamodb.BatchWriteItemInput, _ ...func(*dynamodb.Options)) (*dynamodb.BatchWriteItemOutput, error) {
	return m.c.BatchWriteItem(ctx, in)
}
func (m ignoring) TransactGetItems(ctx context.Context, in *dynamodb.TransactGetItemsInput, _ ...func(*dynamodb.Options)) (*dynamodb.TransactGetItemsOutput, error) {
	return m.c.TransactGetItems(ctx, in)
}
func (m ignoring) TransactWriteItems(ctx context.Context, in *dynamodb.TransactWriteItemsInput, _ ...func(*dynamodb.Options)) (*dynamodb.TransactWriteItemsOutput, error) {
	return m.c.TransactWriteItems(ctx, in)
}

// otherProtocol hides the name of the client's protocol.
type otherProtocol struct{ protocol }

func (otherProtocol) ID() smithy.ShapeID { return smithy.ShapeID{Name: "rpcv2Cbor"} }
