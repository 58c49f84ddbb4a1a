package zstd_test

import (
	"bytes"
	"crypto/rand"
	"testing"

	"github.com/dynamotable/ddb/payload"
	"github.com/dynamotable/ddb/payload/payloadtest"
	"github.com/dynamotable/ddb/payload/zstd"
)

func TestSuite(t *testing.T) {
	payloadtest.Run(t, func(testing.TB) payload.Objects { return payload.Memory() }, payload.Compress(zstd.New()))
}

func TestRoundTrip(t *testing.T) {
	noise := make([]byte, 100_000)
	if _, err := rand.Read(noise); err != nil {
		t.Fatal(err)
	}
	for _, data := range [][]byte{nil, []byte("x"), bytes.Repeat([]byte("compressible "), 500_000), noise} {
		small, err := zstd.New().Compress(data)
		if err != nil {
			t.Fatal(err)
		}
		got, err := zstd.New().Decompress(small, int64(len(data)))
		if err != nil || !bytes.Equal(got, data) {
			t.Errorf("%d bytes come back as %d, %v", len(data), len(got), err)
		}
		if len(data) > 0 {
			if got, err := zstd.New().Decompress(small, int64(len(data))-1); err == nil || got != nil {
				t.Errorf("more than was said: %d bytes, %v", len(got), err)
			}
		}
		if len(small) > 10 {
			if _, err := zstd.New().Decompress(small[:len(small)-5], int64(len(data))); err == nil {
				t.Error("a cut object is no error")
			}
		}
	}
}
