// SPDX-License-Identifier: Apache-2.0

package zstd_test

import (
	"bytes"
	"crypto/rand"
	"errors"
	"testing"

	"github.com/dynamotable/ddb/payload"
	"github.com/dynamotable/ddb/payload/payloadtest"
	"github.com/dynamotable/ddb/payload/zstd"
)

func TestSuite(t *testing.T) {
	payloadtest.Run(t, func(testing.TB) payload.Objects { return payload.Memory() }, payload.Compress(zstd.New()))
}

// TestTotal: objects that unpack to more than MaxTotal together are refused before any is unpacked.
func TestTotal(t *testing.T) {
	p, err := payload.New(payload.Memory(), payload.Compress(zstd.New()), payload.MaxTotal(3<<20))
	if err != nil {
		t.Fatal(err)
	}
	ref, err := p.Store(t.Context(), "s", make([]byte, 1<<20))
	if err != nil {
		t.Fatal(err)
	}
	two := []*payload.Data{{Ref: ref}, {Ref: ref}}
	if err := p.Open(t.Context(), two...); err != nil {
		t.Error(err)
	}
	three := []*payload.Data{{Ref: ref}, {Ref: ref}, {Ref: ref}}
	if err := p.Open(t.Context(), three...); !errors.Is(err, payload.ErrTooLarge) || isOpen(three[0]) {
		t.Errorf("three of 1 MB: %v", err)
	}
	n := 0
	for data, err := range p.FetchAll(t.Context(), []string{ref, ref, ref, ref, ref, ref, ref, ref}) {
		if err != nil || len(data) != 1<<20 {
			t.Fatal(len(data), err)
		}
		n++
	}
	if n != 8 {
		t.Errorf("%d payloads", n)
	}
}

func isOpen(d *payload.Data) bool {
	_, err := d.Bytes()
	return err == nil
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
			t.Errorf("%d bytes are read back as %d, %v", len(data), len(got), err)
		}
		if len(data) > 0 {
			if got, err := zstd.New().Decompress(small, int64(len(data))-1); err == nil || got != nil {
				t.Errorf("more than the stated size: %d bytes, %v", len(got), err)
			}
		}
		if len(small) > 10 {
			if _, err := zstd.New().Decompress(small[:len(small)-5], int64(len(data))); err == nil {
				t.Error("a truncated object gave no error")
			}
		}
	}
}
