// SPDX-License-Identifier: Apache-2.0

package wire

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"slices"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
)

// maxMemoryBody is the size of the largest request body that is copied: the service rejects requests above 16 MB.
const maxMemoryBody = 17 << 20

// InMemoryBody returns a client that passes requests on to c with their bodies in memory, in a form that net/http recognizes.
// Header and body of a small request are then sent in one write, and a server that replies before it has read the request cannot
// make the transport close the connection before the reply is read: the SDK closes the body of the request as soon as it has the
// header of the reply, which makes the transport's copy of any other kind of body fail.
//
// Apart from that, c receives the same requests, and it is not changed. GetBody is not set, because with it net/http would send
// the body again to the target of a redirect. Bodies of unknown length or above 17 MB are passed on unchanged.
func InMemoryBody(c dynamodb.HTTPClient) dynamodb.HTTPClient {
	if m, ok := c.(memoryBody); ok {
		return m
	}
	return memoryBody{c}
}

type memoryBody struct{ next dynamodb.HTTPClient }

func (m memoryBody) Do(r *http.Request) (*http.Response, error) {
	cp := r.WithContext(r.Context())
	if err := toMemory(cp, nil); err != nil {
		return nil, err
	}
	return m.next.Do(cp)
}

// toMemory reads the body of r into memory. The body known, which is never modified, is not copied.
func toMemory(r *http.Request, known []byte) error {
	if r.Body == nil || r.ContentLength <= 0 || r.ContentLength > maxMemoryBody {
		return nil
	}
	b, err := inMemory(r, known)
	if err != nil {
		return err
	}
	_ = r.Body.Close()
	r.Body = io.NopCloser(bytes.NewReader(b))
	return nil
}

func inMemory(r *http.Request, known []byte) ([]byte, error) {
	buf := buffers.Get().(*buffer)
	defer buf.release()
	size := int(r.ContentLength)
	if w, ok := r.Body.(io.WriterTo); ok && len(known) == size {
		// A reader in memory writes its bytes without a copy, so its memory can be compared with known.
		buf.rest, buf.known, buf.same = buf.rest[:0], known, false
		switch _, err := w.WriteTo(buf); {
		case err != nil && !errors.Is(err, io.EOF):
			return nil, err
		case buf.same:
			return known, nil
		case len(buf.rest) < size:
			return nil, io.ErrUnexpectedEOF
		}
		return bytes.Clone(buf.rest[:size]), nil
	}
	buf.rest = slices.Grow(buf.rest[:0], size)[:size]
	if _, err := io.ReadFull(r.Body, buf.rest); err != nil {
		return nil, err
	}
	// The transport may still read it after Do has returned, so it cannot be pooled.
	return bytes.Clone(buf.rest), nil
}

// Write finds out whether the written bytes are the memory of known, and otherwise stores them in rest.
func (b *buffer) Write(p []byte) (int, error) {
	switch {
	case len(p) == 0:
		return 0, nil
	case b.same: // and there is more
		b.same, b.rest = false, append(b.rest, b.known...)
	case len(b.rest) == 0 && len(p) == len(b.known) && &p[0] == &b.known[0]:
		b.same = true
		return len(p), nil
	}
	b.rest = append(b.rest, p...)
	return len(p), nil
}
