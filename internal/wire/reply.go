// SPDX-License-Identifier: Apache-2.0

package wire

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync"

	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/dynamotable/ddb/internal/codec"
)

// DeserializeResponse verifies a reply, delivers its items and passes the rest to the client's protocol. It runs once for every
// attempt that received a reply.
func (k *call) DeserializeResponse(ctx context.Context, schema *smithy.OperationSchema, reg *smithy.TypeRegistry,
	resp *smithyhttp.Response, out smithy.Deserializable,
) error {
	k.delivered, k.rowErr = false, nil
	buf := buffers.Get().(*buffer)
	kept := false
	defer func() {
		if !kept {
			buf.release()
		}
	}()

	err := buf.read(resp)
	// The checksum is known at the end of the body, and only Close returns it.
	sum := resp.Body.Close()
	if resp.Header.Get("X-Amz-Crc32") == "" {
		sum = nil // the SDK compares with 0 then
	}
	defer func() {
		// The SDK keeps the response in the metadata of the output. It must not keep the call or the buffer through it.
		resp.Body = http.NoBody
		k.rest.Reset(nil)
	}()

	rest, err := k.open(ctx, resp, buf, err, sum)
	if err != nil {
		return err
	}
	if k.plainProtocol && string(rest) == `{}` && success(resp) {
		kept = k.keep(out, buf)
		return nil // there is nothing to decode
	}
	k.rest.Reset(rest)
	resp.Body = &k.rest
	err = k.ClientProtocol.DeserializeResponse(ctx, schema, reg, resp, out)
	if err != nil && success(resp) && undecodable(err) {
		return k.fault(resp, ReplyCorrupt, err)
	}
	kept = err == nil && success(resp) && k.keep(out, buf)
	return err
}

// open returns the body that the client's protocol decodes.
func (k *call) open(ctx context.Context, resp *smithyhttp.Response, buf *buffer, err, sum error) ([]byte, error) {
	switch {
	case resp.StatusCode >= 500:
		// The status decides, whatever the body contains.
		return buf.body, nil
	case errors.Is(err, errTooLarge):
		return nil, k.fault(resp, ReplyTooLarge, nil)
	case err != nil:
		if ctx.Err() != nil {
			err = &smithy.CanceledError{Err: ctx.Err()}
		}
		return nil, k.fault(resp, ReplyCut, err)
	case sum != nil:
		return nil, k.fault(resp, ReplyCorrupt, sum)
	case !success(resp):
		return buf.body, nil
	}
	switch b := bytes.TrimLeft(buf.body, " \t\r\n"); {
	case len(b) == 0:
		return nil, k.fault(resp, ReplyForeign, errors.New("empty body"))
	case b[0] != '{':
		return nil, k.fault(resp, ReplyForeign, errors.New("no JSON object"))
	case !marked(resp.Header):
		return nil, k.fault(resp, ReplyForeign, errors.New("no request id, checksum or x-amz-json content type"))
	}
	rest, err := k.take(buf)
	switch {
	case err == nil:
		return rest, nil
	case errors.Is(err, codec.ErrSyntax):
		// If only the codec is too strict, the SDK decodes the items.
		if json.Valid(buf.body) {
			return buf.body, nil
		}
		return nil, k.fault(resp, ReplyCorrupt, err)
	default:
		return nil, k.fault(resp, ReplyMismatch, err)
	}
}

func (k *call) fault(resp *smithyhttp.Response, f Fault, err error) error {
	return &ReplyError{Operation: k.op, Read: k.read, Status: resp.StatusCode, RequestID: requestID(resp.Header), Fault: f, Err: err}
}

func success(resp *smithyhttp.Response) bool {
	return resp.StatusCode >= 200 && resp.StatusCode < 300
}

func requestID(h http.Header) string { return h.Get("X-Amzn-Requestid") }

// marked reports whether a reply has a sign of the service.
func marked(h http.Header) bool {
	return requestID(h) != "" || h.Get("X-Amz-Crc32") != "" || strings.HasPrefix(h.Get("Content-Type"), "application/x-amz-json")
}

// restReader is the body that the client's protocol decodes. It is emptied before its buffer is reused.
type restReader struct{ bytes.Reader }

func (*restReader) Close() error { return nil }

// buffer holds a body, and the rest of it without its items.
type buffer struct {
	body, rest []byte

	known []byte // a request body that may be the one that is written
	same  bool   // it is
}

const (
	maxPooled  = 4 << 20 // a 1 MB page is up to about 2.5 MB of JSON
	maxPresize = 2 << 20 // limit of what is allocated because of Content-Length alone
)

var (
	buffers     = sync.Pool{New: func() any { return new(buffer) }}
	errTooLarge = errors.New("reply too large")
)

func (b *buffer) release() {
	if cap(b.body) > maxPooled {
		b.body = nil
	}
	if cap(b.rest) > maxPresize {
		b.rest = nil
	}
	b.known = nil
	buffers.Put(b)
}

func (b *buffer) read(resp *smithyhttp.Response) error {
	p := b.body[:0]
	if n := min(resp.ContentLength, maxPresize); n > 0 && int64(cap(p)) <= n {
		p = make([]byte, 0, n+1)
	}
	var err error
	b.body, err = readAll(resp.Body, p)
	return err
}

// readAll appends what r has, up to [MaxReplyBytes].
func readAll(r io.Reader, p []byte) ([]byte, error) {
	for {
		if len(p) == cap(p) {
			p = append(p, 0)[:len(p)]
		}
		n, err := r.Read(p[len(p):cap(p)])
		p = p[:len(p)+n]
		switch {
		case len(p) > MaxReplyBytes:
			return p, errTooLarge
		case err == io.EOF:
			return p, nil
		case err != nil:
			return p, err
		}
	}
}
