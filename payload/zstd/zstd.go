// SPDX-License-Identifier: Apache-2.0

// Package zstd compresses payloads with Zstandard, which is faster than gzip and compresses better. It is a separate module, so that only its
// importers build the library:
//
//	payloads, err := payload.New(bucket, payload.Compress(zstd.New(), payload.Gzip()))
package zstd

import (
	"bytes"
	"fmt"

	"github.com/klauspost/compress/zstd"

	"github.com/dynamotable/ddb/payload"
)

// New returns the compressor, at the library's default level. It is safe for concurrent use.
func New() payload.Compressor { return compressor{} }

type compressor struct{}

func (compressor) Name() string { return "zstd" }

func (compressor) Compress(data []byte) ([]byte, error) {
	w, err := zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1))
	if err != nil {
		return nil, err
	}
	out := w.EncodeAll(data, make([]byte, 0, len(data)/4+64))
	return out, w.Close()
}

func (compressor) Decompress(data []byte, size int64) ([]byte, error) {
	// The window limits the memory that a hostile object can use.
	r, err := zstd.NewReader(bytes.NewReader(data), zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(uint64(max(size, 1<<20))), zstd.WithDecoderMaxWindow(8<<20))
	if err != nil {
		return nil, fmt.Errorf("zstd: %w", err)
	}
	defer r.Close()
	return payload.ReadAtMost(r, size)
}
