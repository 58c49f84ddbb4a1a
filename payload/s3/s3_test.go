// SPDX-License-Identifier: Apache-2.0

package s3_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/johannesboyne/gofakes3"
	"github.com/johannesboyne/gofakes3/backend/s3mem"

	"github.com/dynamotable/ddb"
	"github.com/dynamotable/ddb/payload"
	"github.com/dynamotable/ddb/payload/payloadtest"
	ddbs3 "github.com/dynamotable/ddb/payload/s3"
)

// inside passes requests to a handler without a socket, and injects faults.
type inside struct {
	handler http.Handler
	mu      sync.Mutex
	n       int
	fault   func(n int, req *http.Request) string
}

func (i *inside) Do(req *http.Request) (*http.Response, error) {
	if err := req.Context().Err(); err != nil {
		return nil, err
	}
	i.mu.Lock()
	i.n++
	what := ""
	if i.fault != nil {
		what = i.fault(i.n, req)
	}
	i.mu.Unlock()
	switch what {
	case "lost":
		return nil, errors.New("connection reset")
	case "500":
		return answer(req, http.StatusInternalServerError, "InternalError"), nil
	case "501":
		if req.Header.Get("If-None-Match") != "" {
			return answer(req, http.StatusNotImplemented, "NotImplemented"), nil
		}
	case "409":
		return answer(req, http.StatusConflict, "ConditionalRequestConflict"), nil
	}
	rec := httptest.NewRecorder()
	server := req.Clone(req.Context())
	if server.Body == nil {
		server.Body = http.NoBody
	}
	server.RequestURI = req.URL.RequestURI()
	server.Header.Set("Content-Length", strconv.FormatInt(req.ContentLength, 10))
	i.handler.ServeHTTP(rec, server)
	resp := rec.Result()
	resp.Request = req
	switch what {
	case "reply lost":
		return nil, errors.New("connection reset")
	case "cut":
		body, _ := io.ReadAll(resp.Body)
		resp.Body = io.NopCloser(io.MultiReader(strings.NewReader(string(body[:len(body)/2])), failing{}))
	}
	return resp, nil
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
func newBucket(t testing.TB, opts ...ddbs3.Option) (*ddbs3.Bucket, *inside) {
	t.Helper()
	in := &inside{handler: gofakes3.New(s3mem.New()).Server()}
	client := s3.New(s3.Options{
		Region: "eu-central-1", Credentials: credentials.NewStaticCredentialsProvider("id", "secret", ""), HTTPClient: in,
		BaseEndpoint: aws.String("http://127.0.0.1:1"), UsePathStyle: true,
		Retryer: retry.NewStandard(func(o *retry.StandardOptions) {
			o.Backoff = retry.BackoffDelayerFunc(func(int, error) (time.Duration, error) { return 0, nil })
		}),
	})
	if _, err := client.CreateBucket(t.Context(), &s3.CreateBucketInput{Bucket: aws.String("payloads")}); err != nil {
		t.Fatal(err)
	}
	b, err := ddbs3.New(client, "payloads", opts...)
	if err != nil {
		t.Fatal(err)
	}
	return b, in
}

func TestSuite(t *testing.T) {
	payloadtest.Run(t, func(t testing.TB) payload.Objects { b, _ := newBucket(t); return b })
}

// TestFaults makes each request fail once, in every way.
func TestFaults(t *testing.T) {
	for _, what := range []string{"lost", "reply lost", "500", "501", "409", "cut"} {
		t.Run(what, func(t *testing.T) {
			b, in := newBucket(t)
			p, err := payload.New(b)
			if err != nil {
				t.Fatal(err)
			}
			once := map[string]bool{}
			in.fault = func(_ int, req *http.Request) string {
				if once[req.Method] || what == "cut" && req.Method != http.MethodGet {
					return ""
				}
				once[req.Method] = true
				return what
			}
			data := strings.Repeat("data", 1000)
			ref, err := p.Store(t.Context(), "s", []byte(data))
			if err != nil {
				t.Fatal(err)
			}
			if what == "409" || what == "501" { // answers to puts only
				in.fault = nil
			}
			got, err := p.Fetch(t.Context(), ref)
			if err != nil || string(got) != data {
				t.Errorf("%d bytes, %v", len(got), err)
			}
		})
	}
}

func TestErrors(t *testing.T) {
	b, in := newBucket(t, ddbs3.Unconditional(), ddbs3.Prepare(func(in *s3.PutObjectInput) {
		if in.IfNoneMatch != nil {
			t.Error("a condition is sent")
		}
	}))
	if err := b.Put(t.Context(), "k", []byte("x")); err != nil {
		t.Error(err)
	}
	in.fault = func(int, *http.Request) string { return "500" }
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	for what, err := range map[string]error{"put": b.Put(ctx, "k", nil), "delete": b.Delete(ctx, "k")} {
		if err == nil || !strings.Contains(err.Error(), "payloads") || strings.Contains(err.Error(), "k ") {
			t.Errorf("%s: %v", what, err)
		}
	}
	if _, err := b.Get(ctx, "k", 10); err == nil || errors.Is(err, payload.ErrMissing) {
		t.Errorf("get: %v", err)
	}
	if _, err := ddbs3.New(nil, ""); !errors.Is(err, ddb.ErrInvalid) {
		t.Errorf("no client: %v", err)
	}
}
