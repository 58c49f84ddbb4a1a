// SPDX-License-Identifier: Apache-2.0

package s3_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/johannesboyne/gofakes3"
	"github.com/johannesboyne/gofakes3/backend/s3mem"

	"github.com/dynamotable/ddb"
	"github.com/dynamotable/ddb/ddbtest"
	"github.com/dynamotable/ddb/dump"
	"github.com/dynamotable/ddb/dump/dumptest"
	ddbs3 "github.com/dynamotable/ddb/dump/s3"
	"github.com/dynamotable/ddb/rawtable"
)

// fake sends requests to an S3 server in the process, and injects faults.
type fake struct {
	handler http.Handler
	mu      sync.Mutex
	fault   func(req *http.Request) string
	open    int // bodies that were not closed
}

// newFake returns a fake with one bucket.
func newFake(bucket string) *fake {
	backend := s3mem.New()
	if err := backend.CreateBucket(bucket); err != nil {
		panic(err)
	}
	return &fake{handler: gofakes3.New(backend).Server()}
}

func (f *fake) Do(req *http.Request) (*http.Response, error) {
	if err := req.Context().Err(); err != nil {
		return nil, err
	}
	f.mu.Lock()
	what := ""
	if f.fault != nil {
		what = f.fault(req)
	}
	f.mu.Unlock()
	switch what {
	case "lost":
		return nil, errors.New("connection reset")
	case "SlowDown":
		return answer(req, http.StatusServiceUnavailable, what), nil
	case "AccessDenied":
		return answer(req, http.StatusForbidden, what), nil
	case "PreconditionFailed":
		return answer(req, http.StatusPreconditionFailed, what), nil
	case "NoSuchBucket":
		return answer(req, http.StatusNotFound, what), nil
	case "PermanentRedirect":
		return answer(req, http.StatusMovedPermanently, what), nil
	case "InvalidObjectState":
		return answer(req, http.StatusForbidden, what), nil
	}
	rec := httptest.NewRecorder()
	server := req.Clone(req.Context())
	if server.Body == nil {
		server.Body = http.NoBody
	}
	if what == "no range" {
		server.Header.Del("Range")
	}
	server.RequestURI = req.URL.RequestURI()
	server.Header.Set("Content-Length", strconv.FormatInt(req.ContentLength, 10))
	f.handler.ServeHTTP(rec, server)
	resp := rec.Result()
	resp.Request = req
	switch what {
	case "reply lost":
		return nil, errors.New("connection reset")
	case "cut", "ended":
		body, _ := io.ReadAll(resp.Body)
		rest := io.Reader(failing{})
		if what == "ended" {
			rest = strings.NewReader("")
		}
		resp.Body = io.NopCloser(io.MultiReader(strings.NewReader(string(body[:len(body)/2])), rest))
	case "cut immediately":
		resp.Body = io.NopCloser(failing{})
	case "other etag":
		resp.Header.Set("ETag", `"another"`)
	}
	f.count(1)
	resp.Body = &counted{resp.Body, f, false}
	return resp, nil
}

func (f *fake) count(n int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.open += n
}

// counted counts closed bodies.
type counted struct {
	io.ReadCloser
	f      *fake
	closed bool
}

func (c *counted) Close() error {
	if !c.closed {
		c.closed = true
		c.f.count(-1)
	}
	return c.ReadCloser.Close()
}

type failing struct{}

func (failing) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

func answer(req *http.Request, status int, code string) *http.Response {
	return &http.Response{
		StatusCode: status, Header: http.Header{"Content-Type": {"application/xml"}}, Request: req,
		Body: io.NopCloser(strings.NewReader("<Error><Code>" + code + "</Code><Message>no</Message></Error>")),
	}
}

// newBucket returns a fresh bucket in memory.
func newBucket(t testing.TB, opts ...ddbs3.Option) (*ddbs3.Bucket, *fake) {
	t.Helper()
	f := newFake("backups")
	client := s3.New(s3.Options{
		Region: "eu-central-1", Credentials: credentials.NewStaticCredentialsProvider("id", "secret", ""), HTTPClient: f,
		BaseEndpoint: aws.String("http://127.0.0.1:1"), UsePathStyle: true,
		Retryer: retry.NewStandard(func(o *retry.StandardOptions) {
			o.MaxAttempts = 10 // faults of other calls must not end this one
			o.Backoff = retry.BackoffDelayerFunc(func(int, error) (time.Duration, error) { return 0, nil })
		}),
	})
	b, err := ddbs3.New(client, "backups", opts...)
	noError(t, err)
	t.Cleanup(func() {
		if f.open != 0 {
			t.Errorf("%d replies were not closed", f.open)
		}
	})
	return b, f
}

func noError(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestSuite(t *testing.T) {
	for name, opts := range map[string][]ddbs3.Option{"top": nil, "prefix": {ddbs3.Prefix("a/b/")}} {
		t.Run(name, func(t *testing.T) {
			dumptest.Run(t, func(t testing.TB) dump.Storage { b, _ := newBucket(t, opts...); return b })
		})
	}
}

// Buckets with two prefixes share nothing, even if one prefix begins with the other.
func TestPrefix(t *testing.T) {
	top, f := newBucket(t)
	client := s3.New(s3.Options{Region: "eu-central-1", Credentials: credentials.NewStaticCredentialsProvider("id", "secret", ""), HTTPClient: f, BaseEndpoint: aws.String("http://127.0.0.1:1"), UsePathStyle: true})
	for _, prefix := range []string{"a", "ab", "a/b"} {
		b, err := ddbs3.New(client, "backups", ddbs3.Prefix(prefix))
		noError(t, err)
		noError(t, b.Write(t.Context(), "x", []byte(prefix)))
		noError(t, top.Write(t.Context(), prefix+"-folder/x", nil))
	}
	_, err := client.PutObject(t.Context(), &s3.PutObjectInput{Bucket: aws.String("backups"), Key: aws.String("ab/console/")})
	noError(t, err)
	for prefix, want := range map[string]string{"a": "[b-folder/x b/x x]", "ab": "[x]", "a/b": "[x]"} {
		b, err := ddbs3.New(client, "backups", ddbs3.Prefix(prefix))
		noError(t, err)
		if names, err := b.List(t.Context(), ""); err != nil || fmt.Sprint(slices.Sorted(slices.Values(names))) != want {
			t.Errorf("prefix %s has %q, %v; want %s", prefix, names, err, want)
		}
	}
	for _, prefix := range []string{"/a", "a//b", "..", "a/./b"} {
		if _, err := ddbs3.New(client, "backups", ddbs3.Prefix(prefix)); !errors.Is(err, ddb.ErrInvalid) {
			t.Errorf("prefix %q: %v", prefix, err)
		}
	}
}

type thing struct {
	ID   string `dynamodbav:"id"`
	Text string `dynamodbav:"text"`
}

// tables returns a table with items and an empty one.
func tables(t testing.TB) (from, to *rawtable.Table) {
	client := ddbtest.New(t)
	var list []*rawtable.Table
	for _, name := range []string{"from", "target"} {
		table, err := ddb.NewSimple[thing](client, name, ddb.StrField(func(t *thing) *string { return &t.ID }))
		noError(t, err)
		noError(t, table.CreateTable(t.Context()))
		if name == "from" {
			for i := range 50 {
				noError(t, table.Put(t.Context(), &thing{strconv.Itoa(i), strings.Repeat(strconv.Itoa(i), 50)}))
			}
		}
		raw, err := rawtable.Open(t.Context(), client, name, ddb.PageSize(10))
		noError(t, err)
		list = append(list, raw)
	}
	return list[0], list[1]
}

// TestFaults makes every third request of an export, its verification and its import fail, with each kind of temporary failure.
func TestFaults(t *testing.T) {
	for _, what := range []string{"lost", "reply lost", "SlowDown", "cut", "ended", "cut immediately"} {
		t.Run(what, func(t *testing.T) {
			b, f := newBucket(t, ddbs3.Prefix("p"))
			n, faults := 0, 0
			f.fault = func(req *http.Request) string {
				if (strings.HasPrefix(what, "cut") || what == "ended") && !reads(req) {
					return ""
				}
				if n++; n%3 != 0 {
					return ""
				}
				faults++
				return what
			}
			from, to := tables(t)
			_, err := dump.Export(t.Context(), from, b, dump.Name("x"), dump.Segments(2), dump.FileSize(1))
			noError(t, err)
			src, err := dump.Open(t.Context(), b, "x")
			noError(t, err)
			noError(t, dump.Verify(t.Context(), src))
			_, err = dump.Import(t.Context(), src, to)
			noError(t, err)
			for d, err := range dump.Compare(t.Context(), from.Scan().All(t.Context()), to) {
				noError(t, err)
				t.Errorf("an item is %s", d.Kind)
			}
			if faults < 4 {
				t.Errorf("only %d requests failed", faults)
			}
		})
	}
}

// reads reports whether a request reads an object.
func reads(req *http.Request) bool {
	return req.Method == http.MethodGet && !strings.Contains(req.URL.RawQuery, "list-type")
}

// TestOutage makes the bucket stop responding from the nth request of an export and of an import; each is resumed at that
// point.
func TestOutage(t *testing.T) {
	from, to := tables(t)
	for n := 1; ; n += 3 {
		b, f := newBucket(t)
		out := false
		down := func(n int) {
			f.fault = func(*http.Request) string {
				if n--; n < 0 {
					out = true
					return "SlowDown"
				}
				return ""
			}
		}
		opts := []dump.Option{dump.Name("x"), dump.Segments(2), dump.Workers(2), dump.FileSize(1)}
		down(n)
		_, err := dump.Export(t.Context(), from, b, opts...)
		stopped := out
		if f.fault = nil; stopped {
			if err == nil || !strings.Contains(err.Error(), "in bucket backups") || !strings.Contains(err.Error(), "later") {
				t.Fatalf("the export ended with %v", err)
			}
			_, err = dump.Export(t.Context(), from, b, opts...)
		}
		if !errors.Is(err, fs.ErrExist) {
			noError(t, err)
		}
		src, err := dump.Open(t.Context(), b, "x")
		noError(t, err)
		noError(t, dump.Verify(t.Context(), src))
		out = false
		down(n % 8)
		report, err := dump.Import(t.Context(), src, to, dump.Workers(2))
		if f.fault = nil; out {
			if err == nil || report.Position == "" || report.Failed != 0 || errors.Is(err, dump.ErrDamaged) {
				t.Fatalf("the import ended with %v, %+v", err, report)
			}
			_, err = dump.Import(t.Context(), src, to, dump.Workers(2), dump.From(report.Position))
		}
		noError(t, err)
		for d, err := range dump.Compare(t.Context(), from.Scan().All(t.Context()), to) {
			noError(t, err)
			t.Errorf("an item is %s", d.Kind)
		}
		if !stopped {
			return
		}
	}
}

// TestReplacedObject: after a broken connection the read continues with the same object, or ends.
func TestReplacedObject(t *testing.T) {
	data := strings.Repeat("0123456789", 1000)
	for what, want := range map[string]string{
		"PreconditionFailed": "was replaced", "other etag": "was replaced", "no range": "another part", "cut immediately": "unexpected EOF", "lost": "connection reset", "": "",
	} {
		t.Run(what, func(t *testing.T) {
			b, f := newBucket(t)
			noError(t, b.Write(t.Context(), "k", []byte(data)))
			first := true
			f.fault = func(req *http.Request) string {
				if first {
					first = false
					return "cut"
				}
				if req.Header.Get("If-Match") == "" || req.Header.Get("Range") == "" {
					t.Errorf("the second request has %q and %q", req.Header.Get("If-Match"), req.Header.Get("Range"))
				}
				return what
			}
			r, err := b.Open(t.Context(), "k")
			noError(t, err)
			got, err := io.ReadAll(r)
			noError(t, r.Close())
			switch {
			case want == "" && (err != nil || string(got) != data):
				t.Errorf("%d bytes, %v", len(got), err)
			case want != "" && (err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "k in bucket backups")):
				t.Errorf("%d bytes, %v; want %q", len(got), err, want)
			case !strings.HasPrefix(data, string(got)):
				t.Error("bytes of another object were read")
			}
			if _, err := r.Read(make([]byte, 1)); err == nil {
				t.Error("a closed object was read")
			}
		})
	}
}

func TestErrors(t *testing.T) {
	b, f := newBucket(t, ddbs3.Prefix("p"), ddbs3.Prepare(func(in *s3.PutObjectInput) { in.StorageClass = types.StorageClassStandardIa }))
	for what, want := range map[string]string{
		"AccessDenied": "s3:ListBucket", "NoSuchBucket": "create the bucket", "PermanentRedirect": "another region", "InvalidObjectState": "restore it", "SlowDown": "later",
	} {
		f.fault = func(req *http.Request) string {
			if req.Method == http.MethodPut && req.Header.Get("X-Amz-Storage-Class") != "STANDARD_IA" {
				t.Error("the put was not prepared")
			}
			return what
		}
		_, open := b.Open(t.Context(), "k")
		_, list := b.List(t.Context(), "k")
		for op, err := range map[string]error{"GetObject": open, "ListObjectsV2": list, "PutObject": b.Write(t.Context(), "k", nil), "DeleteObject": b.Remove(t.Context(), "k")} {
			if err == nil || !strings.Contains(err.Error(), "dump/s3: "+op+" of p/k in bucket backups") || !strings.Contains(err.Error(), want) || errors.Is(err, fs.ErrNotExist) {
				t.Errorf("%s, %s: %v", what, op, err)
			}
		}
	}
	f.fault = func(*http.Request) string { t.Error("a request was sent"); return "lost" }
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := b.Write(ctx, "k", nil); !errors.Is(err, context.Canceled) {
		t.Errorf("a cancelled write: %v", err)
	}
	if _, err := ddbs3.New(nil, "", nil, ddbs3.Prepare(nil), ddbs3.Prefix("/")); !errors.Is(err, ddb.ErrInvalid) || strings.Count(err.Error(), "dump/s3:") != 4 {
		t.Errorf("several problems at once: %v", err)
	}
	var none *ddbs3.Bucket
	if err := none.Write(t.Context(), "k", nil); !errors.Is(err, ddb.ErrInvalid) {
		t.Errorf("no bucket: %v", err)
	}
	if err := ddbs3.Putable(5 << 30); err != nil {
		t.Error(err)
	}
	if err := ddbs3.Putable(5<<30 + 1); err == nil || !strings.Contains(err.Error(), "FileSize") {
		t.Errorf("too large: %v", err)
	}
}
