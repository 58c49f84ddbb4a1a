package payload

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
)

// Compressor makes payloads smaller. Package payload/zstd has a better one than [Gzip].
type Compressor interface {
	// Name is stored with each payload, and must not change: lower-case letters and digits.
	Name() string
	Compress(data []byte) ([]byte, error)
	// Decompress must not return more than size bytes, nor take up much more.
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

// ReadAtMost reads all of r, which must not give more than size bytes; for compressors and object stores.
func ReadAtMost(r io.Reader, size int64) ([]byte, error) {
	var b bytes.Buffer
	n, err := io.Copy(&b, io.LimitReader(r, size+1))
	if err != nil {
		return nil, err
	}
	if n > size {
		return nil, fmt.Errorf("%w: it has more than %d bytes", ErrCorrupt, size)
	}
	return b.Bytes(), nil
}
