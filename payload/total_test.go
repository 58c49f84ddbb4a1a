// SPDX-License-Identifier: Apache-2.0

package payload_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/dynamotable/ddb/internal/longtest"
	"github.com/dynamotable/ddb/payload"
)

// watched is an object store that counts gets and how many are running.
type watched struct {
	payload.Objects
	gets, now, most atomic.Int64
}

func (w *watched) Get(ctx context.Context, key string, limit int64) ([]byte, error) {
	w.gets.Add(1)
	now := w.now.Add(1)
	defer w.now.Add(-1)
	for most := w.most.Load(); now > most && !w.most.CompareAndSwap(most, now); most = w.most.Load() {
	}
	<-time.After(time.Second) // in the bubble: by then all gets that can run at once are running
	return w.Objects.Get(ctx, key, limit)
}

// TestMaxTotal: payloads that are being fetched or not yet yielded use at most MaxTotal, and so do fields that are opened together.
func TestMaxTotal(t *testing.T) {
	for name, c := range map[string]struct {
		total int64
		most  int64 // gets at the same time
	}{
		"two at a time": {2*1000 + 999, 2}, "one at a time": {1000, 1}, "all": {8000, 8},
	} {
		synctest.Test(t, func(t *testing.T) {
			w := &watched{Objects: payload.Memory()}
			p, err := payload.New(w, payload.MaxTotal(c.total))
			if err != nil {
				t.Fatal(err)
			}
			var references []string
			fields := make([]payload.Data, 8)
			for i := range fields {
				ref, err := p.Store(t.Context(), "s", fmt.Appendf(nil, "%01000d", i))
				if err != nil {
					t.Fatal(err)
				}
				references, fields[i] = append(references, ref), payload.Data{Ref: ref}
			}
			n := 0
			for data, err := range p.FetchAll(t.Context(), references) {
				if err != nil || string(data) != fmt.Sprintf("%01000d", n) {
					t.Fatalf("%s: payload %d: %v", name, n, err)
				}
				n++
			}
			if n != 8 || w.most.Load() != c.most {
				t.Errorf("%s: %d payloads, %d at a time, want %d", name, n, w.most.Load(), c.most)
			}
			w.gets.Store(0)
			all := make([]*payload.Data, 8)
			for i := range all {
				all[i] = &fields[i]
			}
			err = p.Open(t.Context(), all...)
			if fits := c.total >= 8000; fits != (err == nil) || !fits && (!errors.Is(err, payload.ErrTooLarge) || w.gets.Load() != 0) {
				t.Errorf("%s: open: %v after %d gets", name, err, w.gets.Load())
			}
			small, err := payload.New(w, payload.MaxTotal(999))
			if err != nil {
				t.Fatal(err)
			}
			w.gets.Store(0)
			if _, err := small.Fetch(t.Context(), references[0]); !errors.Is(err, payload.ErrTooLarge) || w.gets.Load() != 0 {
				t.Errorf("%s: fetch: %v after %d gets", name, err, w.gets.Load())
			}
		})
	}
}

// TestMemoryOfBombs: eight small objects that unpack to 8 MB each, with -long to 64 MB, are refused together before any is unpacked, and each uses only the memory that it needs.
func TestMemoryOfBombs(t *testing.T) {
	size, total := 64<<20, 130<<20
	if !longtest.Enabled() {
		size, total = size/8, total/8
	}
	p, err := payload.New(payload.Memory(), payload.Compress(payload.Gzip()), payload.MaxTotal(int64(total)))
	if err != nil {
		t.Fatal(err)
	}
	ref, err := p.Store(t.Context(), "s", make([]byte, size))
	if err != nil {
		t.Fatal(err)
	}
	fields := make([]*payload.Data, 8)
	for i := range fields {
		fields[i] = &payload.Data{Ref: ref}
	}
	allocated := func(run func() error) (uint64, error) {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		err := run()
		runtime.ReadMemStats(&after)
		return after.TotalAlloc - before.TotalAlloc, err
	}
	if n, err := allocated(func() error { return p.Open(t.Context(), fields...) }); !errors.Is(err, payload.ErrTooLarge) || n > 1<<20 {
		t.Errorf("all together: %v after %d KB", err, n>>10)
	}
	if n, err := allocated(func() error { return p.Open(t.Context(), fields[:2]...) }); err != nil || n > uint64(2*size*9/4) {
		t.Errorf("two of %d MB: %v, %d MB allocated", size>>20, err, n>>20)
	}
}
