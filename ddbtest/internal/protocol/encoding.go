// SPDX-License-Identifier: Apache-2.0

package protocol

import (
	"bytes"
	"compress/gzip"
	"hash/crc32"
	"io"
	"net/http"
	"strings"
	"sync"

	"github.com/dynamotable/ddb/ddbtest/internal/engine"
)

const gzipped = "gzip"

// minCompressed is the shortest body that is compressed. The service's limit is not documented.
const minCompressed = 1024

// decoded returns the body of a request without its content coding.
func decoded(req *http.Request, body []byte) ([]byte, error) {
	switch coding := strings.ToLower(strings.TrimSpace(req.Header.Get("Content-Encoding"))); coding {
	case "", "identity":
		return body, nil
	case gzipped:
		r, err := gzip.NewReader(bytes.NewReader(body))
		if err != nil {
			return nil, malformed()
		}
		plain, err := io.ReadAll(io.LimitReader(r, maxRequestSize+1))
		if err != nil {
			return nil, malformed()
		}
		return plain, nil
	default:
		return nil, &engine.Error{Type: engine.SerializationException, Message: "Unsupported content encoding: " + coding}
	}
}

// acceptsGzip reports whether a client accepts compressed replies.
//
// https://www.rfc-editor.org/rfc/rfc9110#name-accept-encoding
func acceptsGzip(req *http.Request) bool {
	for coding := range strings.SplitSeq(req.Header.Get("Accept-Encoding"), ",") {
		name, parameters, _ := strings.Cut(coding, ";")
		if name = strings.TrimSpace(name); !strings.EqualFold(name, gzipped) && name != "*" {
			continue
		}
		weight := strings.ReplaceAll(strings.ToLower(parameters), " ", "")
		return !strings.HasPrefix(weight, "q=0") || strings.Trim(weight, "q=.0") != ""
	}
	return false
}

var compressors = sync.Pool{New: func() any { return gzip.NewWriter(io.Discard) }}

// compress compresses the body for a client that accepts it. The checksum is then that of the compressed body, as the
// service's is; a wrong checksum stays wrong.
//
// https://pkg.go.dev/github.com/aws/aws-sdk-go-v2/service/dynamodb#Options: EnableAcceptEncodingGzip.
func (r *Reply) compress(req *http.Request) {
	if r.Foreign != "" || len(r.Body) < minCompressed || !acceptsGzip(req) {
		return
	}
	var b bytes.Buffer
	w := compressors.Get().(*gzip.Writer)
	defer compressors.Put(w)
	w.Reset(&b)
	_, err := w.Write(r.Body)
	if e := w.Close(); err == nil {
		err = e
	}
	if err != nil {
		return // and send it as it is
	}
	wrong := r.Checksum ^ crc32.ChecksumIEEE(r.Body)
	if r.Cut > 0 {
		r.Cut = max(1, r.Cut*b.Len()/len(r.Body))
	}
	r.Body, r.encoding = b.Bytes(), gzipped
	r.Checksum = crc32.ChecksumIEEE(r.Body) ^ wrong
}
