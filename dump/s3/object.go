// SPDX-License-Identifier: Apache-2.0

package s3

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
)

// object is an object that is being read.
type object struct {
	ctx    context.Context //nolint:containedctx // of the Open that made it: it reads on in its name
	bucket *Bucket
	key    string
	body   io.ReadCloser
	etag   string
	size   int64 // -1 if the response does not contain it
	offset int64 // the number of bytes that were read
	broken int   // interruptions since the last byte was read
	err    error // that ended the reading
}

// breaks is the maximum number of interruptions without a byte in between. At each one, the client's retryer retries the request
// by itself.
const breaks = 5

// open requests the rest of the object.
func (o *object) open() error {
	in := &s3.GetObjectInput{Bucket: &o.bucket.name, Key: &o.key}
	if o.offset > 0 {
		in.Range = aws.String(fmt.Sprintf("bytes=%d-", o.offset))
	}
	if o.etag != "" {
		in.IfMatch = &o.etag
	}
	out, err := o.bucket.client.GetObject(o.ctx, in)
	if err != nil {
		return o.bucket.wrap("GetObject", o.key, err)
	}
	fault := error(nil)
	switch etag := aws.ToString(out.ETag); {
	case o.body == nil:
		o.etag, o.size = etag, -1
		if out.ContentLength != nil {
			o.size = *out.ContentLength
		}
	case etag != o.etag:
		fault = errChanged // for a store that does not support If-Match
	case o.offset > 0 && !strings.HasPrefix(aws.ToString(out.ContentRange), fmt.Sprintf("bytes %d-", o.offset)):
		fault = errors.New("the connection broke, and the store gives another part of the object than was asked for")
	}
	if fault != nil {
		return o.bucket.wrap("GetObject", o.key, errors.Join(fault, out.Body.Close()))
	}
	o.body = out.Body
	return nil
}

// Read reads the object, and reconnects after interruptions.
func (o *object) Read(p []byte) (int, error) {
	if o.err != nil || len(p) == 0 {
		return 0, o.err
	}
	for {
		n, err := o.body.Read(p)
		o.offset += int64(n)
		if n > 0 {
			o.broken = 0
		}
		if errors.Is(err, io.EOF) && o.offset < o.size {
			err = io.ErrUnexpectedEOF
		}
		switch {
		case err == nil:
			return n, nil
		case errors.Is(err, io.EOF):
			o.err = io.EOF
		case o.ctx.Err() != nil, o.offset == o.size, o.broken == breaks: // all bytes were there, and their checksum is wrong
			o.err = o.bucket.wrap("GetObject", o.key, err)
		default:
			o.broken++
			_ = o.body.Close() // the connection is broken
			o.err = o.open()
		}
		if n > 0 || o.err != nil {
			return n, o.err
		}
	}
}

// Close closes the connection.
func (o *object) Close() error {
	if o.err == nil {
		o.err = errors.New("dump/s3: a read of an object that was closed")
	}
	return o.body.Close()
}
