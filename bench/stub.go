// SPDX-License-Identifier: Apache-2.0

package bench

import (
	"bytes"
	"hash/crc32"
	"io"
	"net/http"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
)

// Stub is an HTTP client that gives every request the same reply, or one for each of two operations, with a
// correct checksum, after reading the request body as a connection would.
type Stub struct {
	Body []byte
	crc  string

	items *Stub // answers BatchGetItem; nil if this one does
}

// Stub answers the requests of the call.
func (c *Call) Stub() *Stub {
	s := NewStub(c.Reply)
	if c.Items != nil {
		s.items = NewStub(c.Items)
	}
	return s
}

// NewStub makes a stub of one reply.
func NewStub(body []byte) *Stub {
	return &Stub{Body: body, crc: strconv.FormatUint(uint64(crc32.ChecksumIEEE(body)), 10)}
}

// Do answers a request.
func (s *Stub) Do(req *http.Request) (*http.Response, error) {
	if s.items != nil && strings.HasSuffix(req.Header.Get("X-Amz-Target"), ".BatchGetItem") {
		return s.items.Do(req)
	}
	if req.Body != nil {
		if _, err := io.Copy(io.Discard, req.Body); err != nil {
			return nil, err
		}
	}
	return &http.Response{
		StatusCode: http.StatusOK, ContentLength: int64(len(s.Body)), Request: req,
		Header: http.Header{
			"Content-Type": {"application/x-amz-json-1.0"}, "X-Amz-Crc32": {s.crc}, "X-Amzn-Requestid": {"BENCH"},
		},
		Body: io.NopCloser(bytes.NewReader(s.Body)),
	}, nil
}

// Client is a real SDK client over an HTTP client.
func Client(h aws.HTTPClient, opts ...func(*dynamodb.Options)) *dynamodb.Client {
	return dynamodb.New(dynamodb.Options{
		Region: "us-east-1", Credentials: credentials.NewStaticCredentialsProvider("AKID", "SECRET", ""), HTTPClient: h,
	}, opts...)
}
