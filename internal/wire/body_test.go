// SPDX-License-Identifier: Apache-2.0

package wire_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"

	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/dynamotable/ddb/internal/wire"
)

type doFunc func(*http.Request) (*http.Response, error)

func (f doFunc) Do(r *http.Request) (*http.Response, error) { return f(r) }

func TestInMemoryBody(t *testing.T) {
	var seen *http.Request
	next := doFunc(func(r *http.Request) (*http.Response, error) {
		seen = r
		return nil, errors.New("sent")
	})
	h := wire.InMemoryBody(next)
	if _, ok := wire.InMemoryBody(h).(doFunc); ok || fmt.Sprintf("%T", wire.InMemoryBody(h)) != fmt.Sprintf("%T", h) {
		t.Error("wrapped twice")
	}
	for _, c := range []struct {
		name   string
		length int64
		body   io.Reader
		memory bool
	}{
		{"known length", 5, io.LimitReader(strings.NewReader("hello"), 5), true},
		{"unknown length", -1, io.LimitReader(strings.NewReader("hello"), 5), false},
		{"large", 18 << 20, io.LimitReader(strings.NewReader("hello"), 5), false},
	} {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://127.0.0.1/", c.body)
		if err != nil {
			t.Fatal(err)
		}
		r.ContentLength = c.length
		body := r.Body
		if _, err := h.Do(r); err == nil || err.Error() != "sent" {
			t.Errorf("%s: %v", c.name, err)
		}
		if r.Body != body || (seen.Body != body) != c.memory || seen.ContentLength != c.length || seen.GetBody != nil {
			t.Errorf("%s: request changed", c.name)
		}
		known := fmt.Sprintf("%T", seen.Body) == fmt.Sprintf("%T", io.NopCloser(bytes.NewReader(nil)))
		if b, err := io.ReadAll(seen.Body); known != c.memory || err != nil || string(b) != "hello" {
			t.Errorf("%s: body %T %q %v", c.name, seen.Body, b, err)
		}
	}
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://127.0.0.1/", strings.NewReader("hello"))
	if err != nil {
		t.Fatal(err)
	}
	r.ContentLength = 9
	if _, err := h.Do(r); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Error("short body:", err)
	}
}

// serve starts a server on the loopback interface that answers with a stub.
func serve(t *testing.T, s *stub) *dynamodb.Client {
	t.Helper()
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		resp, err := s.Do(r)
		if err != nil {
			panic(http.ErrAbortHandler)
		}
		maps.Copy(w.Header(), resp.Header)
		w.Header().Set("Content-Length", strconv.FormatInt(resp.ContentLength, 10))
		w.WriteHeader(resp.StatusCode)
		if _, err := io.Copy(w, resp.Body); err != nil {
			_ = http.NewResponseController(w).Flush()
			panic(http.ErrAbortHandler)
		}
	}))
	t.Cleanup(srv.Close)
	return newClient(awshttp.NewBuildableClient(), func(o *dynamodb.Options) { o.BaseEndpoint = &srv.URL })
}

func TestLoopbackAgrees(t *testing.T) {
	for _, op := range operations {
		reference := newStub(op.body)
		_, want, err := op.run(newClient(reference), wire.Options{Off: true})
		if err != nil {
			t.Fatal(err)
		}
		for _, o := range []wire.Options{{}, {StreamBody: true}, {Off: true}} {
			s := newStub(op.body, throttle(), answer{status: 500})
			_, rows, err := op.run(serve(t, s), o)
			if err != nil || fmt.Sprint(rows) != fmt.Sprint(want) {
				t.Errorf("%s: %v %v", op.name, rows, err)
			}
			sameJSON(t, reference.sent, s.sent)
		}
	}
}

// A connection that ends inside a body is a fault of the reply, whichever path the items take.
func TestLoopbackCut(t *testing.T) {
	for _, o := range []wire.Options{{}, {Off: true}} {
		cut := answer{status: 200, body: `{"Count":1,"Items":[` + item2 + `]}`, cut: 9, err: io.ErrUnexpectedEOF}
		g := &got{}
		if _, err := wire.Query(t.Context(), serve(t, newStub(`{"Count":1,"Items":[`+item2+`]}`, cut)), queryInput(), o, g); err != nil || len(g.rows) != 1 {
			t.Error(g.rows, err)
		}
		s := answering(cut)
		_, err := wire.PutItem(t.Context(), serve(t, s), putInput(), []byte(item1), o, nil)
		var re *wire.ReplyError
		if !errors.As(err, &re) || re.Fault != wire.ReplyCut && re.Fault != wire.ReplyCorrupt || !re.Applied() || s.calls != 1 {
			t.Errorf("%v, %d calls", err, s.calls)
		}
	}
}

// If a server sends a page before it has read the whole request, the connection is kept.
func TestEarlyReplyKeepsItsConnection(t *testing.T) {
	page := pageBody(t, 1000)
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Amz-Crc32", crcOf([]byte(page)))
		_, _ = io.Copy(w, strings.NewReader(page))
	}))
	defer srv.Close()
	c := newClient(awshttp.NewBuildableClient(), func(o *dynamodb.Options) { o.BaseEndpoint = &srv.URL; o.RetryMaxAttempts = 1 })
	r := &orders{}
	for i := range 50 {
		if _, err := wire.Query(t.Context(), c, queryInput(), wire.Options{}, r); err != nil || len(r.all) != 1000 {
			t.Fatalf("call %d: %v", i, err)
		}
	}
}

// A middleware can change the body after the items were inserted.
func TestChangedBodyIsSent(t *testing.T) {
	s := newStub(`{}`)
	c := newClient(s, dynamodb.WithAPIOptions(func(st *middleware.Stack) error {
		return st.Build.Add(middleware.BuildMiddlewareFunc("Mine", func(ctx context.Context, in middleware.BuildInput, next middleware.BuildHandler) (
			out middleware.BuildOutput, md middleware.Metadata, err error,
		) {
			req := in.Request.(*smithyhttp.Request)
			b, err := io.ReadAll(req.GetStream())
			if err != nil {
				return out, md, err
			}
			if in.Request, err = req.SetStream(bytes.NewReader(bytes.ReplaceAll(b, []byte("orders"), []byte("Orders")))); err != nil {
				return out, md, err
			}
			return next.HandleBuild(ctx, in)
		}), middleware.After)
	}))
	_, err := wire.PutItem(t.Context(), c, putInput(), []byte(item1), wire.Options{}, nil)
	if err != nil || !bytes.Contains(s.sent, []byte(`"Orders"`)) || !bytes.Contains(s.sent, []byte(item1)) {
		t.Fatalf("%v %s", err, s.sent)
	}
}

// stream is a request body with its own WriteTo.
type stream struct {
	io.ReadSeeker
	writeTo func(w io.Writer, body io.ReadSeeker) error
}

func (s stream) WriteTo(w io.Writer) (int64, error) { return 0, s.writeTo(w, s.ReadSeeker) }

// TestStreamsOfAnyKind: the middleware's body is sent at each attempt, however its reader is read.
func TestStreamsOfAnyKind(t *testing.T) {
	broken := errors.New("broken stream")
	for name, c := range map[string]struct {
		writeTo func(w io.Writer, body io.ReadSeeker) error
		want    error
	}{
		"whole": {func(w io.Writer, body io.ReadSeeker) error {
			_, err := io.Copy(w, body)
			return err
		}, nil},
		"in pieces": {func(w io.Writer, body io.ReadSeeker) error {
			_, err := io.CopyBuffer(struct{ io.Writer }{w}, struct{ io.Reader }{body}, make([]byte, 7))
			return err
		}, nil},
		"with trailing bytes": {func(w io.Writer, body io.ReadSeeker) error {
			if _, err := io.Copy(w, body); err != nil {
				return err
			}
			_, err := w.Write([]byte("more"))
			return err
		}, nil},
		"without trailing bytes": {func(w io.Writer, body io.ReadSeeker) error {
			if _, err := io.Copy(w, body); err != nil {
				return err
			}
			_, err := w.Write(nil)
			return err
		}, nil},
		"closed": {func(io.Writer, io.ReadSeeker) error { return io.EOF }, io.ErrUnexpectedEOF},
		"short": {func(w io.Writer, body io.ReadSeeker) error {
			_, err := io.CopyN(w, body, 5)
			return err
		}, io.ErrUnexpectedEOF},
		"broken": {func(w io.Writer, body io.ReadSeeker) error {
			if _, err := io.CopyN(w, body, 5); err != nil {
				return err
			}
			return broken
		}, broken},
	} {
		reference := newStub(`{}`)
		if _, err := wire.PutItem(t.Context(), newClient(reference), putInput(), []byte(item1), wire.Options{}, nil); err != nil {
			t.Fatal(err)
		}
		s := newStub(`{}`, throttle())
		// After the hash of the payload and before the signature, so that only the transport reads it with WriteTo.
		c2 := newClient(s, dynamodb.WithAPIOptions(func(st *middleware.Stack) error {
			return st.Finalize.Insert(middleware.FinalizeMiddlewareFunc("Mine", func(ctx context.Context, in middleware.FinalizeInput, next middleware.FinalizeHandler) (
				out middleware.FinalizeOutput, md middleware.Metadata, err error,
			) {
				req := in.Request.(*smithyhttp.Request)
				size := req.ContentLength
				if in.Request, err = req.SetStream(stream{req.GetStream().(io.ReadSeeker), c.writeTo}); err != nil {
					return out, md, err
				}
				in.Request.(*smithyhttp.Request).ContentLength = size
				return next.HandleFinalize(ctx, in)
			}), "Signing", middleware.Before)
		}))
		_, err := wire.PutItem(t.Context(), c2, putInput(), []byte(item1), wire.Options{}, nil)
		switch {
		case c.want != nil:
			if !errors.Is(err, c.want) || s.calls > 0 {
				t.Errorf("%s: %v, %d calls, want %v", name, err, s.calls, c.want)
			}
		case err != nil || s.calls != 2 || !bytes.Equal(s.sent, reference.sent):
			t.Errorf("%s: %v, %d calls, %s", name, err, s.calls, s.sent)
		}
	}
}
