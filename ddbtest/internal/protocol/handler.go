// SPDX-License-Identifier: Apache-2.0

// Package protocol implements DynamoDB's wire protocol, JSON 1.0 over HTTP, for an
// engine: it finds the operation of a request, reads its parameters and writes
// the reply or the error.
package protocol

import (
	"bytes"
	"cmp"
	"context"
	"hash/crc32"
	"io"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/dynamotable/ddb/ddbtest/internal/engine"
	"github.com/dynamotable/ddb/ddbtest/internal/stream"
)

// maxRequestSize is the largest body that the service reads: 16 MB.
const maxRequestSize = 16 << 20

// Call is one request on its way to the engine.
type Call struct {
	// Operation is the name of the operation, such as "PutItem".
	Operation string
	// Body is the JSON of the parameters. It must not be kept.
	Body []byte
}

// Reply is the answer to a call.
type Reply struct {
	Status int
	// Body is the JSON of the answer.
	Body []byte
	// RequestID is sent as x-amzn-RequestId.
	RequestID string
	// Checksum is sent as X-Amz-Crc32.
	Checksum uint32
	// Cut, if it is positive, breaks the connection after that many bytes of the
	// body.
	Cut int
	// Reset makes a connection that breaks in the body end with a reset.
	Reset bool
	// Pace, if it is positive, is the time before each byte of the body.
	Pace time.Duration
	// Foreign, if it is not empty, is the content type of a reply that does not come from
	// the service: the service's headers are left out.
	Foreign string
	// Err, if it is not nil, fails the request without an answer.
	Err error

	encoding string // of the body, "" for none
}

// Intercept is called between the protocol and the engine: it may delay a call, answer
// it itself, or change the reply after the engine has executed it.
type Intercept func(ctx context.Context, call *Call, next func(context.Context, *Call) *Reply) *Reply

// Handler serves an engine. It is an http.Handler and, through Do, an HTTP
// client that needs no socket. It is safe for concurrent use.
type Handler struct {
	engine    *engine.Engine
	streams   *stream.Store
	intercept Intercept
	ids       requestIDs
}

// New returns the handler of an engine and its streams. intercept may be nil.
func New(e *engine.Engine, streams *stream.Store, intercept Intercept) *Handler {
	return &Handler{engine: e, streams: streams, intercept: intercept}
}

var bodies = sync.Pool{New: func() any { return new(bytes.Buffer) }}

// Do answers a request as if it had been sent over a network. It obeys the
// context of the request.
func (h *Handler) Do(req *http.Request) (*http.Response, error) {
	ctx := req.Context()
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	buffer := bodies.Get().(*bytes.Buffer)
	defer bodies.Put(buffer)
	buffer.Reset()
	if req.Body != nil {
		_, err := buffer.ReadFrom(io.LimitReader(req.Body, maxRequestSize+1))
		if e := req.Body.Close(); err == nil {
			err = e
		}
		if err != nil {
			return nil, err
		}
	}
	reply := h.reply(ctx, req, buffer.Bytes())
	if reply.Err != nil {
		return nil, reply.Err
	}
	header := make(http.Header, 4)
	reply.setHeader(header)
	resp := &http.Response{
		Status:        strconv.Itoa(reply.Status) + " " + http.StatusText(reply.Status),
		StatusCode:    reply.Status,
		Proto:         "HTTP/1.1",
		ProtoMajor:    1,
		ProtoMinor:    1,
		Header:        header,
		ContentLength: int64(len(reply.Body)),
		Request:       req,
	}
	resp.Body = io.NopCloser(reply.reader(ctx))
	return resp, nil
}

// ServeHTTP answers one request.
func (h *Handler) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	buffer := bodies.Get().(*bytes.Buffer)
	defer bodies.Put(buffer)
	buffer.Reset()
	if _, err := buffer.ReadFrom(io.LimitReader(req.Body, maxRequestSize+1)); err != nil {
		panic(http.ErrAbortHandler) // the client has gone away
	}
	reply := h.reply(req.Context(), req, buffer.Bytes())
	if reply.Err != nil {
		panic(http.ErrAbortHandler)
	}
	reply.setHeader(w.Header())
	w.Header().Set("Content-Length", strconv.Itoa(len(reply.Body)))
	w.WriteHeader(reply.Status)
	reply.write(req.Context(), w)
}

func (r *Reply) setHeader(header http.Header) {
	if r.Foreign != "" {
		header["Content-Type"] = []string{r.Foreign}
		return
	}
	header["Content-Type"] = contentTypes
	if r.encoding != "" {
		header["Content-Encoding"] = []string{r.encoding}
	}
	header["X-Amzn-Requestid"] = []string{r.RequestID}
	header["X-Amz-Crc32"] = []string{strconv.FormatUint(uint64(r.Checksum), 10)}
	header["Server"] = servers
}

var (
	contentTypes = []string{jsonType}
	servers      = []string{"Server"}
)

// reply answers a request in the encoding that the client accepts.
func (h *Handler) reply(ctx context.Context, req *http.Request, body []byte) *Reply {
	size := len(body)
	body, err := decoded(req, body)
	reply := h.answer(ctx, req, body, max(size, len(body)), err)
	reply.compress(req)
	return reply
}

// answer answers a request. Its body could not be decoded if invalid is not nil.
func (h *Handler) answer(ctx context.Context, req *http.Request, body []byte, size int, invalid error) *Reply {
	target := req.Header.Get("X-Amz-Target")
	run, known := operations[target]
	if read, ok := streamOperations[target]; ok {
		known = true
		run = func(_ context.Context, _ *engine.Engine, r *reader) ([]byte, error) { return read(h.streams, r) }
	}
	if reply := h.refuse(req, size, known); reply != nil {
		return reply
	}
	if invalid != nil {
		return h.Fail(invalid)
	}
	host := cmp.Or(req.Host, req.URL.Host)
	call := &Call{Operation: operationName(target), Body: body}
	next := func(ctx context.Context, call *Call) *Reply {
		out, err := run(ctx, h.engine, &reader{data: call.Body, host: host})
		if err != nil {
			return h.finish(errorReply(err))
		}
		return h.finish(http.StatusOK, out)
	}
	if h.intercept == nil {
		return next(ctx, call)
	}
	return h.intercept(ctx, call, next)
}

// Call executes an operation without a request.
func (h *Handler) Call(ctx context.Context, operation string, body []byte) *Reply {
	run, known := operations[tablePrefix+operation]
	if !known {
		return h.refusal("UnknownOperationException", "")
	}
	out, err := run(ctx, h.engine, &reader{data: body})
	if err != nil {
		return h.Fail(err)
	}
	return h.finish(http.StatusOK, out)
}

// Fail returns the reply for an error, for an [Intercept] that answers itself.
func (h *Handler) Fail(err error) *Reply { return h.finish(errorReply(err)) }

func (h *Handler) finish(status int, body []byte) *Reply {
	return &Reply{Status: status, Body: body, RequestID: h.ids.next(), Checksum: crc32.ChecksumIEEE(body)}
}
