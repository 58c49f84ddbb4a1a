// SPDX-License-Identifier: Apache-2.0

package change_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/dynamotable/ddb"
	"github.com/dynamotable/ddb/change"
	"github.com/dynamotable/ddb/ddbtest"
	"github.com/dynamotable/ddb/ddbtest/fault"
	"github.com/dynamotable/ddb/internal/longtest"
	"github.com/dynamotable/ddb/progress"
)

// bucketed is a view of rows: those with n of 3 and more, by n modulo 3.
type bucketed struct {
	Bucket string `dynamodbav:"bucket"`
	Source string `dynamodbav:"source"`
	N      int64  `dynamodbav:"n,omitempty"`
	change.Applied
}

type bucketKey struct{ bucket, source string }

func toBucket(r *row) (bucketed, bool) {
	return bucketed{Bucket: fmt.Sprint("b", r.N%3), Source: fmt.Sprint(r.Group, "/", r.ID), N: r.N}, r.N >= 3
}

type bucketView struct {
	*change.View[row, bucketed, bucketKey]
	table *ddb.Table[bucketed, string, string]
}

func newBucketView(t testing.TB, client ddb.Client) bucketView {
	t.Helper()
	table, err := ddb.New(client, "buckets",
		ddb.StrField(func(b *bucketed) *string { return &b.Bucket }), ddb.StrField(func(b *bucketed) *string { return &b.Source }),
		ddb.TTL(ddb.Field(func(b *bucketed) *time.Time { return &b.Until })))
	if err == nil {
		err = table.EnsureTable(t.Context())
	}
	if err != nil {
		t.Fatal(err)
	}
	view := change.NewView(table, func(b *bucketed) *change.Applied { return &b.Applied },
		func(b *bucketed) bucketKey { return bucketKey{b.Bucket, b.Source} }, toBucket)
	return bucketView{view, table}
}

// check compares the view with the result for the source's items.
func (v bucketView) check(t testing.TB, w *world) {
	t.Helper()
	want, got := make(map[bucketKey]int64), make(map[bucketKey]int64)
	for r, err := range w.rows.Scan().All(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		if b, has := toBucket(&r); has {
			want[bucketKey{b.Bucket, b.Source}] = b.N
		}
	}
	for b, err := range v.table.Scan().Filter(v.Live()).All(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		got[bucketKey{b.Bucket, b.Source}] = b.N
	}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(bucketKey{})); diff != "" {
		t.Errorf("the view (-want +got):\n%s", diff)
	}
}

// Changes that are repeated, late or out of order leave a correct view.
func TestViewApply(t *testing.T) {
	t.Parallel()
	for seed := range uint64(longtest.Size(100, 25)) {
		rnd := rand.New(rand.NewPCG(seed, 0))
		v := newBucketView(t, ddbtest.New(t))
		var list []change.Change[row]
		var last *row
		for n := range 12 {
			c := change.Change[row]{Kind: change.Modify, Keys: row{Group: "g", ID: 1}, Old: last, Seq: change.Seq(fmt.Sprint(n * 3))}
			next := &row{Group: "g", ID: 1, N: rnd.Int64N(8)}
			switch {
			case last == nil:
				c.Kind = change.Insert
			case rnd.IntN(3) == 0:
				c.Kind, next = change.Remove, nil
			}
			c.New, last = next, next
			list = append(list, c)
		}
		apply := func(c change.Change[row]) {
			t.Helper()
			if err := v.Apply(t.Context(), c); err != nil {
				t.Fatal(err)
			}
		}
		for i := range list {
			apply(list[i])
			for rnd.IntN(2) == 0 { // an older change is repeated
				apply(list[rnd.IntN(i+1)])
			}
		}
		want := map[string]int64{}
		if last != nil && last.N >= 3 {
			want[fmt.Sprint("b", last.N%3)] = last.N
		}
		got := map[string]int64{}
		for b, err := range v.table.Scan().All(t.Context()) {
			if err != nil {
				t.Fatal(err)
			}
			if !b.Tombstone {
				got[b.Bucket] = b.N
			}
			if b.Tombstone == b.Until.IsZero() || len(b.Seq) != 40 {
				t.Errorf("%+v", b)
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("seed %d: %s", seed, diff)
		}
	}
}

func TestViewRefuses(t *testing.T) {
	t.Parallel()
	v := newBucketView(t, ddbtest.New(t))
	r := &row{Group: "g", ID: 1, N: 5}
	for _, c := range []change.Change[row]{
		{Kind: change.Insert, New: r}, {Kind: change.Insert, Seq: "1"}, {Kind: change.Modify, New: r, Seq: "1"},
		{Kind: change.Modify, Old: r, Seq: "1"}, {Kind: change.Remove, Seq: "1"},
	} {
		if err := v.Apply(t.Context(), c); err == nil || !strings.Contains(err.Error(), "buckets") {
			t.Errorf("%+v: %v", c, err)
		}
	}
	if n, err := v.table.Scan().Count(t.Context()); n != 0 || err != nil {
		t.Errorf("%d items, %v", n, err)
	}
}

// A view that workers build while its source is written, and while workers crash, matches the source at the end.
func TestViewRebuild(t *testing.T) {
	t.Parallel()
	for seed := range uint64(longtest.Size(8, 1)) {
		synctest.Test(t, func(t *testing.T) {
			rnd := rand.New(rand.NewPCG(seed, 0))
			scans := fault.On("Scan").Table("rows").Delay(time.Duration(rnd.IntN(20)) * time.Second)
			if seed%2 == 0 {
				scans = fault.On("Scan").StaleReads(30 * time.Second)
			}
			w := newWorld(t, ddbtest.WithSeed(seed), ddbtest.WithFaults(fault.On("PutItem", "Scan").Chance(0.02).DropReply(), scans))
			v := newBucketView(t, w.db)
			write := func() {
				id := rowID(rnd.IntN(30))
				if rnd.IntN(4) == 0 {
					if err := w.rows.Delete(t.Context(), "g", id); err != nil {
						t.Fatal(err)
					}
					return
				}
				if err := w.rows.Put(t.Context(), &row{Group: "g", ID: id, N: rnd.Int64N(10)}); err != nil {
					t.Fatal(err)
				}
			}
			for range 200 {
				write()
			}
			wait(30 * time.Hour) // the stream alone is not enough
			for range 20 {
				write()
			}
			wait(5 * time.Second) // nor is an outdated scan
			store := new(change.MemoryStore)
			opts := []change.Option{change.StartFrom(change.FromLatest()), change.PageLimit(7)}
			c, err := change.NewConsumer(w.streams, change.OfTable("rows"), "app", store, change.Each(v.Apply), opts...)
			if err != nil {
				t.Fatal(err)
			}
			done := make(chan error, 1)
			go func() {
				_, err := v.Rebuild(context.Background(), c, w.rows)
				done <- err
			}()
			stop, open := func() {}, 1
			for n := range 200 {
				write()
				if n%10 == 0 {
					wait(time.Duration(rnd.IntN(3000)) * time.Millisecond)
				}
				if n%40 == 20 { // the worker crashes, and another takes over
					stop()
					m := &machine{Client: w.streams, store: store, audit: &audit{writes: make(map[string]map[int64]change.Lease)}}
					h := change.Each(func(ctx context.Context, ch change.Change[row]) error {
						if err := m.gate(ctx); err != nil {
							return err
						}
						return v.Apply(ctx, ch)
					})
					c, err := change.NewConsumer(m, change.OfTable("rows"), "app", m, h, opts...)
					if err != nil {
						t.Fatal(err)
					}
					ctx, cancel := context.WithCancel(context.Background())
					ended := make(chan error, 1)
					go func() { ended <- c.Run(ctx) }()
					stop = func() { m.crash(); cancel(); <-ended }
				}
				if rnd.IntN(50) == 0 { // the shards double up to 8, then they roll: each one is polled every second
					children := min(2, 8/open)
					w.SplitShards("rows", children)
					open *= children
				}
			}
			if err := <-done; err != nil {
				t.Errorf("rebuilding: %v", err)
			}
			wait(5 * time.Minute)
			v.check(t, w)
			stop()
		})
	}
}

func TestRebuildEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, ddbtest.WithFaults(fault.On("PutItem").Where(func(r fault.Request) bool { return r.Tables[0] == "buckets" }).Error("AccessDeniedException", "not yours")))
		v := newBucketView(t, w.db)
		for n := range int64(100) {
			w.put(t, "g", rowID(n), 5)
		}
		c, err := change.NewConsumer(w.streams, change.OfTable("rows"), "app", new(change.MemoryStore), change.Each(v.Apply))
		if err != nil {
			t.Fatal(err)
		}
		jobs := progress.NewTracker()
		if n, err := v.Rebuild(jobs.With(t.Context()), c, w.rows); n != 0 || err == nil || !strings.Contains(err.Error(), "AccessDenied") {
			t.Errorf("%d items, %v", n, err)
		}
		if p, _ := jobs.Find("rebuild of buckets"); p.State != progress.Failed || p.Items != 0 || !strings.Contains(p.Reason, "AccessDenied") {
			t.Errorf("the progress is %v", p)
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := v.Rebuild(ctx, c, w.rows); err == nil {
			t.Error("it was rebuilt under an ended context")
		}
	})
}
