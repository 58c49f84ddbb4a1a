// SPDX-License-Identifier: Apache-2.0

package loader_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/dynamotable/ddb"
	"github.com/dynamotable/ddb/cost"
	"github.com/dynamotable/ddb/ddberr"
	"github.com/dynamotable/ddb/ddbtest"
	"github.com/dynamotable/ddb/loader"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// fake is a table that takes a second for each batch.
type fake struct {
	mu      sync.Mutex
	batches [][]string
	ended   atomic.Int32 // reads that ended with their context
}

var errBroken = errors.New("broken")

func (f *fake) BatchGet(ctx context.Context, keys []string, _ ...ddb.GetOption) ([]ddb.Got[string], error) {
	if slices.Contains(keys, "") {
		return nil, &ddb.InvalidError{Problems: []error{errors.New("key is empty")}}
	}
	f.mu.Lock()
	f.batches = append(f.batches, keys)
	f.mu.Unlock()
	select {
	case <-time.After(time.Second):
	case <-ctx.Done():
		f.ended.Add(1)
		return make([]ddb.Got[string], len(keys)), ctx.Err()
	}
	got := make([]ddb.Got[string], len(keys))
	failed := &ddb.BatchError{Total: len(keys)}
	for i, k := range keys {
		switch k {
		case "broken":
			failed.Failed = append(failed.Failed, ddberr.BatchFailure{Index: i, Err: errBroken})
		case "missing":
		default:
			got[i] = ddb.Got[string]{Item: "item " + k, Found: true}
		}
	}
	if len(failed.Failed) > 0 {
		return got, failed
	}
	return got, nil
}

// TestGathers: calls within a short time are batches of at most 100, and each call gets its item or its own error.
func TestGathers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var f fake
		l := loader.New(t.Context(), &f)
		keys := []string{"broken", "missing", "", "a", "a"}
		for i := range 245 {
			keys = append(keys, fmt.Sprint(i))
		}
		var wg sync.WaitGroup
		for _, k := range keys {
			wg.Go(func() {
				item, err := l.Get(t.Context(), k)
				want := map[string]error{"broken": errBroken, "missing": ddb.ErrNotFound, "": ddb.ErrInvalid}[k]
				if !errors.Is(err, want) || want == nil && item != "item "+k {
					t.Errorf("%s: %q, %v", k, item, err)
				}
			})
		}
		wg.Wait()
		if s := l.Stats(); s.Calls != 250 || s.Batches != 3 {
			t.Errorf("%+v", s)
		}
		for _, b := range f.batches {
			if len(b) > 100 {
				t.Errorf("a batch of %d keys", len(b))
			}
		}
		// Later calls are in another batch: nothing is cached.
		if item, err := l.Get(t.Context(), "a"); err != nil || item != "item a" || l.Stats().Batches != 4 {
			t.Errorf("%s, %v, %+v", item, err, l.Stats())
		}
	})
}

// TestCallers: a caller that gives up does not end the read for others; the last caller ends it, and so does the loader's context.
func TestCallers(t *testing.T) {
	for _, wait := range []time.Duration{loader.Moment / 2, 100 * time.Millisecond} { // while it collects calls, and while it reads
		synctest.Test(t, func(t *testing.T) {
			var f fake
			l := loader.New(t.Context(), &f)
			ctx, cancel := context.WithTimeout(t.Context(), wait)
			defer cancel()
			var wg sync.WaitGroup
			wg.Go(func() {
				if _, err := l.Get(ctx, "a"); !errors.Is(err, context.DeadlineExceeded) {
					t.Error(err)
				}
			})
			wg.Go(func() {
				if item, err := l.Get(t.Context(), "b"); err != nil || item != "item b" {
					t.Error(item, err)
				}
			})
			wg.Wait()
			if f.ended.Load() != 0 {
				t.Error("the read ended with one caller")
			}
		})
		synctest.Test(t, func(t *testing.T) {
			var f fake
			l := loader.New(t.Context(), &f)
			ctx, cancel := context.WithTimeout(t.Context(), wait)
			defer cancel()
			start := time.Now()
			if _, err := l.Get(ctx, "a"); !errors.Is(err, context.DeadlineExceeded) || time.Since(start) != wait {
				t.Error(err, time.Since(start))
			}
			synctest.Wait() // no goroutine is left; the bubble would wait for it
			if item, err := l.Get(t.Context(), "a"); err != nil || item != "item a" {
				t.Error(item, err)
			}
		})
		synctest.Test(t, func(t *testing.T) {
			var f fake
			ctx, cancel := context.WithTimeout(t.Context(), wait)
			defer cancel()
			if _, err := loader.New(ctx, &f).Get(t.Context(), "a"); !errors.Is(err, context.DeadlineExceeded) {
				t.Error(err)
			}
		})
	}
}

func TestZero(t *testing.T) {
	var l loader.Loader[string, string]
	if _, err := l.Get(t.Context(), "a"); !errors.Is(err, ddb.ErrInvalid) {
		t.Error(err)
	}
}

type user struct {
	ID   string   `dynamodbav:"id"`
	Tags []string `dynamodbav:"tags"`
}

var userID = ddb.StrField(func(u *user) *string { return &u.ID })

// TestTable: on a table, one request reads all, and equal keys share nothing.
func TestTable(t *testing.T) {
	users, err := ddb.NewSimple(ddbtest.New(t), "users", userID)
	if err != nil {
		t.Fatal(err)
	}
	if err := users.CreateTable(t.Context()); err != nil {
		t.Fatal(err)
	}
	for i := range 20 {
		if err := users.Put(t.Context(), &user{ID: fmt.Sprint(i), Tags: []string{"x"}}); err != nil {
			t.Fatal(err)
		}
	}
	meter := cost.NewBudget(cost.Limits{})
	l := loader.New(ddb.WithBudget(t.Context(), meter), users, ddb.Consistent())
	var wg sync.WaitGroup
	for i := range 60 {
		wg.Go(func() {
			u, err := l.Get(t.Context(), fmt.Sprint(i%30))
			if i%30 >= 20 {
				if !errors.Is(err, ddb.ErrNotFound) {
					t.Error(i, err)
				}
				return
			}
			if err != nil || u.ID != fmt.Sprint(i%30) || u.Tags[0] != "x" {
				t.Error(i, u, err)
				return
			}
			u.Tags[0] = "y" // which no other caller sees
		})
	}
	wg.Wait()
	if spent, s := meter.Spent(), l.Stats(); spent.Requests != int64(s.Batches) || s.Calls != 60 || spent.ReadUnits < 30 {
		t.Errorf("%+v, %+v", spent, s)
	}
}
