// SPDX-License-Identifier: Apache-2.0

package payload

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
)

// Compressor compresses payloads. The one of package payload/zstd is better than [Gzip].
type Compressor interface {
	// Name is stored with each payload and must not change. It has lower-case letters and digits.
	Name() string
	Compress(data []byte) ([]byte, error)
	// Decompress must not return more than size bytes, nor use much more memory.
	Decompress(data []byte, size int64) ([]byte, error)
}

// Gzip is the compression of compress/gzip.
func Gzip() Compressor { return gzipped{} }

type gzipped struct{}

func (gzipped) Name() string { return "gzip" }

func (gzipped) Compress(data []byte) ([]byte, error) {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	if _, err := w.Write(data); err != nil {
		return nil, err
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

func (gzipped) Decompress(data []byte, size int64) ([]byte, error) {
	r, err := gzip.NewReader(bytes.NewReader(data))
	if err != nil {
		return nil, err
	}
	return ReadAtMost(r, size)
}

// ReadAtMost reads all of r, which must not return more than size bytes. It is meant for compressors and
// object stores. It needs memory for one and a half times the bytes that it reads, not for size.
func ReadAtMost(r io.Reader, size int64) ([]byte, error) {
	if r == nil || size < 0 {
		return nil, errors.New("payload: ReadAtMost: the reader is nil, or the size is negative")
	}
	const first = 64 << 10
	b := make([]byte, 0, min(size, first)+1)
	for {
		n, err := r.Read(b[len(b):cap(b)])
		b = b[:len(b)+n]
		switch {
		case int64(len(b)) > size:
			return nil, fmt.Errorf("%w: it has more than %d bytes", ErrCorrupt, size)
		case errors.Is(err, io.EOF):
			return b, nil
		case err != nil:
			return nil, err
		}
		if len(b) == cap(b) {
			larger := make([]byte, len(b), min(2*int64(cap(b)), size+1))
			copy(larger, b)
			b = larger
		}
	}
}
