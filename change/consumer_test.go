// SPDX-License-Identifier: Apache-2.0

package change_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/dynamotable/ddb"
	"github.com/dynamotable/ddb/change"
	"github.com/dynamotable/ddb/ddbtest"
	"github.com/dynamotable/ddb/ddbtest/fault"
	"github.com/dynamotable/ddb/internal/longtest"
)

// journal records the changes that handlers get.
type journal struct {
	mu   sync.Mutex
	seen []change.Change[row]
}

func (j *journal) add(changes ...change.Change[row]) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.seen = append(j.seen, changes...)
}

func (j *journal) texts() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	texts := make([]string, len(j.seen))
	for i := range j.seen {
		texts[i] = fmt.Sprint(j.seen[i].Keys.ID)
		if j.seen[i].New != nil {
			texts[i] = fmt.Sprint(j.seen[i].New.N)
		}
	}
	return strings.Join(texts, " ")
}

func (j *journal) each() change.Handler[row] {
	return change.Each(func(_ context.Context, c change.Change[row]) error {
		j.add(c)
		return nil
	})
}

// running is a running consumer.
type running struct {
	*change.Consumer[row]
	cancel context.CancelFunc
	done   chan error
}

// start runs a consumer of the world's table until it is stopped. It belongs to the bubble.
func start(t testing.TB, w *world, store change.Store, h change.Handler[row], opts ...change.Option) *running {
	t.Helper()
	c, err := change.NewConsumer(w.streams, change.OfTable("rows"), "app", store, h, opts...)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	r := &running{c, cancel, make(chan error, 1)}
	go func() { r.done <- c.Run(ctx) }()
	return r
}

func (r *running) stop(t testing.TB) {
	t.Helper()
	r.cancel()
	if err := <-r.done; err != nil {
		t.Errorf("the consumer ended with %v", err)
	}
}

func numbers(from, to int) string {
	var b strings.Builder
	for n := from; n < to; n++ {
		fmt.Fprintf(&b, " %d", n)
	}
	return strings.TrimPrefix(b.String(), " ")
}

// A consumer handles everything once, over splits, rolls and restarts, if it is stopped gracefully.
func TestConsumerResumes(t *testing.T) {
	t.Parallel()
	for name, open := range map[string]func(testing.TB, *world) change.Store{
		"memory": func(testing.TB, *world) change.Store { return new(change.MemoryStore) },
		"table":  func(t testing.TB, w *world) change.Store { return newTableStore(t, w.db) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t)
				store, j := open(t, w), new(journal)
				n := 0
				for round := range max(3, longtest.Size(6, 4)) {
					c := start(t, w, store, j.each(), change.PageLimit(3), change.PollInterval(time.Minute), change.Failover(time.Minute))
					for range 10 {
						w.put(t, "a", 1, int64(n))
						n++
						if n%15 == 0 {
							w.SplitShards("rows", 2)
						}
						wait(time.Duration(n) * time.Second)
					}
					wait(5 * time.Minute)
					if got := j.texts(); got != numbers(0, n) {
						t.Fatalf("round %d: %s", round, got)
					}
					s := c.Stats()
					if len(s.Shards) == 0 || s.Workers != 1 || s.Worker == "" || s.Lag() != 0 || s.Leases != len(s.Shards)+s.Done || s.Shards[0].RenewalAge > time.Minute {
						t.Errorf("stats %+v", s)
					}
					c.stop(t)
					leases, _ := store.Leases(t.Context(), "app")
					for _, l := range leases {
						if l.Owner != "" {
							t.Errorf("%s is still owned by %s", l.Shard, l.Owner)
						}
					}
					wait(time.Duration(round) * time.Hour)
				}
			})
		})
	}
}

func TestConsumerStarts(t *testing.T) {
	for _, c := range []struct {
		start change.Start
		want  string
	}{
		{change.FromHorizon(), numbers(0, 20)}, {change.FromLatest(), numbers(10, 20)}, {change.FromTime(time.Date(2000, 1, 1, 0, 5, 0, 0, time.UTC)), numbers(5, 20)},
	} {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t)
			for n := range int64(10) {
				w.put(t, "a", 1, n)
				wait(time.Minute)
				if n == 3 {
					w.SplitShards("rows", 2)
				}
			}
			store, j := new(change.MemoryStore), new(journal)
			start(t, w, store, j.each(), change.StartFrom(c.start)).kill(t)
			wait(time.Minute)
			// Changes written while no consumer runs are not lost, even if the consumer started from the latest.
			for n := int64(10); n < 20; n++ {
				w.put(t, "a", 1, n)
				w.SplitShards("rows", 1)
			}
			r := start(t, w, store, j.each(), change.StartFrom(c.start))
			wait(time.Minute)
			r.stop(t)
			if got := j.texts(); got != c.want {
				t.Errorf("from %v: %s", c.start, got)
			}
		})
	}
}

// kill starts a consumer, so that it stores its start position, and stops it.
func (r *running) kill(t testing.TB) {
	t.Helper()
	wait(5 * time.Second)
	r.stop(t)
}

var errNo = errors.New("no")

func TestHandlers(t *testing.T) {
	bad := func(c change.Change[row]) bool { return c.New.N == 4 || c.New.N == 9 }
	var dead []string
	letters := 0
	deadLetter := func(_ context.Context, f change.Failure[row]) error {
		if letters++; letters%2 == 1 {
			return errNo // the dead letter handler may fail too
		}
		dead = append(dead, fmt.Sprintf("%d/%d %v", f.Change.New.N, f.Attempts, errors.Is(f.Err, errNo) && f.Record != nil))
		return nil
	}
	retry := change.RetryPolicy{MaxAttempts: 3}
	for _, c := range []struct {
		name    string
		handler func(*journal) change.Handler[row]
		want    string
		dead    string
		stops   bool
	}{
		{"Each stops", func(j *journal) change.Handler[row] {
			return change.Each(func(_ context.Context, c change.Change[row]) error {
				if bad(c) {
					return errNo
				}
				j.add(c)
				return nil
			}).Retry(retry)
		}, "0 1 2 3", "", true},
		{"Each skips", func(j *journal) change.Handler[row] {
			return change.Each(func(_ context.Context, c change.Change[row]) error {
				j.add(c)
				if bad(c) {
					return errNo
				}
				return nil
			}).Retry(retry).Skip()
		}, "0 1 2 3 4 4 4 5 6 7 8 9 9 9", "", false},
		{"Each to dead letters", func(j *journal) change.Handler[row] {
			return change.Each(func(_ context.Context, c change.Change[row]) error {
				if bad(c) {
					return errNo
				}
				j.add(c)
				return nil
			}).Retry(retry).DeadLetter(deadLetter)
		}, "0 1 2 3 5 6 7 8", "4/3 true;9/3 true", false},
		{"Each recovers", func(j *journal) change.Handler[row] {
			failures := 0
			return change.Each(func(_ context.Context, c change.Change[row]) error {
				if failures++; bad(c) && failures%3 != 0 {
					return errNo
				}
				j.add(c)
				return nil
			}).Retry(retry)
		}, numbers(0, 10), "", false},
		{"whole batches", func(j *journal) change.Handler[row] {
			return change.Batches(func(_ context.Context, list []change.Change[row]) error {
				if slices.ContainsFunc(list, bad) {
					return errNo
				}
				j.add(list...)
				return nil
			}).Retry(retry).DeadLetter(deadLetter)
		}, "0 1 2 3 5 6 7 8", "4/3 true;9/3 true", false},
		{"parts of batches", func(j *journal) change.Handler[row] {
			return change.Batches(func(_ context.Context, list []change.Change[row]) error {
				for i, c := range list {
					if bad(c) {
						return change.Handled(i, errNo)
					}
					j.add(c)
				}
				return change.Handled(len(list), nil)
			}).Retry(retry).DeadLetter(deadLetter)
		}, "0 1 2 3 5 6 7 8", "4/3 true;9/3 true", false},
		{"batches stop", func(j *journal) change.Handler[row] {
			return change.Batches(func(_ context.Context, list []change.Change[row]) error {
				for i, c := range list {
					if bad(c) {
						return change.Handled(i, errNo)
					}
					j.add(c)
				}
				return nil
			}).Retry(retry)
		}, "0 1 2 3", "", true},
		{"manual", func(j *journal) change.Handler[row] {
			return change.Manual(func(_ context.Context, d *change.Delivery[row]) error {
				for i, c := range d.Changes {
					if bad(c) {
						return errNo
					}
					j.add(c)
					if err := d.Confirm(i + 1); err != nil {
						return err
					}
				}
				return nil
			}).Retry(retry).DeadLetter(deadLetter)
		}, "0 1 2 3 5 6 7 8", "4/3 true;9/3 true", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				dead = nil
				w := newWorld(t)
				for n := range int64(10) {
					w.put(t, "a", 1, n)
				}
				store, j := new(change.MemoryStore), new(journal)
				r := start(t, w, store, c.handler(j))
				wait(2 * time.Minute)
				if c.stops {
					he, ok := errors.AsType[*change.HandlerError](<-r.done)
					if !ok || he.Attempts != 3 || !errors.Is(he, errNo) || he.Shard == "" || he.Seq == "" {
						t.Errorf("ended with %v", he)
					}
					// No handled change is delivered again, and no unhandled one is skipped.
					r = start(t, w, store, j.each())
					wait(time.Minute)
					c.want = numbers(0, 10)
				}
				r.stop(t)
				r = start(t, w, store, j.each()) // nothing is delivered again
				wait(time.Minute)
				r.stop(t)
				if got := j.texts(); got != c.want {
					t.Errorf("handled %s, want %s", got, c.want)
				}
				if got := strings.Join(dead, ";"); got != c.dead {
					t.Errorf("dead letters %s, want %s", got, c.dead)
				}
			})
		})
	}
}

// slim reads rows whose n is a small number; others cannot be read.
type slim struct {
	Group groupID `dynamodbav:"group"`
	ID    rowID   `dynamodbav:"id"`
	N     int8    `dynamodbav:"n"`
}

// A record that cannot be read stops the consumer, or is skipped, in any kind of handler.
func TestUnreadableRecords(t *testing.T) {
	for _, skip := range []bool{false, true} {
		for kind := range 3 {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t)
				for _, n := range []int64{1, 2, 999, 3, 998, 4} {
					w.put(t, "a", rowID(n), n)
				}
				var got []int8
				var h change.Handler[slim]
				switch kind {
				case 0:
					h = change.Each(func(_ context.Context, c change.Change[slim]) error { got = append(got, c.New.N); return nil })
				case 1:
					h = change.Batches(func(_ context.Context, list []change.Change[slim]) error {
						for _, c := range list {
							got = append(got, c.New.N)
						}
						return nil
					})
				case 2:
					h = change.Manual(func(_ context.Context, d *change.Delivery[slim]) error {
						for _, c := range d.Changes {
							got = append(got, c.New.N)
						}
						go func() { // confirmed after later records were skipped
							wait(time.Second)
							if err := d.Confirm(len(d.Changes)); err != nil {
								t.Error(err)
							}
						}()
						return nil
					})
				}
				want := []int8{1, 2}
				if skip {
					h, want = h.Skip(), []int8{1, 2, 3, 4}
				}
				store := new(change.MemoryStore)
				c, err := change.NewConsumer(w.streams, change.OfTable("rows"), "app", store, h)
				if err != nil {
					t.Fatal(err)
				}
				ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
				defer cancel()
				err = c.Run(ctx)
				if de, ok := errors.AsType[*change.DecodeError](err); ok == skip || ok && (de.Seq == "" || strings.Contains(err.Error(), "999")) {
					t.Errorf("kind %d, skip %v: %v", kind, skip, err)
				}
				if !slices.Equal(got, want) {
					t.Errorf("kind %d, skip %v: %v", kind, skip, got)
				}
				wait(time.Minute)
				leases, _ := store.Leases(t.Context(), "app")
				i := slices.IndexFunc(leases, func(l change.Lease) bool { return l.Shard != "" })
				if seq, ok := leases[i].Checkpoint.Seq(); !ok || seq == "" || leases[i].Owner != "" {
					t.Errorf("kind %d, skip %v: %+v", kind, skip, leases[i])
				}
			})
		}
	}
}

// Manual confirmations move the checkpoint. Until they come, reading and the end of a shard wait. After the lease is lost they are refused.
func TestManual(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		for n := range int64(20) {
			w.put(t, "a", 1, n)
		}
		w.SplitShards("rows", 1)
		w.put(t, "a", 1, 20)
		store := new(change.MemoryStore)
		got := make(chan *change.Delivery[row], 100)
		manual := change.Manual(func(_ context.Context, d *change.Delivery[row]) error { got <- d; return nil })
		r := start(t, w, store, manual, change.PageLimit(4), change.MaxPending(8))
		wait(time.Minute)
		if len(got) != 2 {
			t.Fatalf("%d deliveries in progress, want 2 of 4 changes", len(got))
		}
		if s := r.Stats(); len(s.Shards) != 1 || s.Shards[0].Pending != 8 {
			t.Errorf("%+v", s)
		}
		first, second := <-got, <-got
		if err := errors.Join(second.Confirm(2), first.Confirm(4)); err != nil { // the later one confirms both
			t.Error(err)
		}
		if first.Confirm(5) == nil || first.Confirm(-1) == nil {
			t.Error("changes were confirmed that do not exist")
		}
		wait(time.Minute)
		r.cancel()
		wait(20 * time.Second)
		if err := <-r.done; err == nil || !strings.Contains(err.Error(), "draining") {
			t.Errorf("with deliveries in progress: %v", err)
		}
		if err := second.Confirm(4); !errors.Is(err, change.ErrLeaseLost) {
			t.Errorf("confirmed after the end: %v", err)
		}
		for len(got) > 0 {
			<-got
		}

		r = start(t, w, store, manual, change.PageLimit(4), change.MaxPending(100))
		wait(time.Minute)
		next := 6 // four of the first delivery, two of the second
		var last *change.Delivery[row]
		for len(got) > 0 {
			last = <-got
			for _, c := range last.Changes {
				if c.New.N != int64(next) {
					t.Errorf("got %d, want %d", c.New.N, next)
				}
				next++
			}
		}
		if next != 20 {
			t.Errorf("delivered up to %d: a shard was begun before its parent was confirmed", next)
		}
		if err := last.Confirm(len(last.Changes)); err != nil {
			t.Error(err)
		}
		wait(time.Minute)
		if d := <-got; d.Changes[0].New.N != 20 || d.Shard == last.Shard {
			t.Errorf("%+v", d)
		} else if err := d.Confirm(1); err != nil {
			t.Error(err)
		}
		r.stop(t)
	})
}

// A disabled stream is handled to its end, and the next one from its beginning, after the data loss policy was called for the gap.
func TestStreamIsReplaced(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		store, j := new(change.MemoryStore), new(journal)
		var losses []string
		opts := []change.Option{change.StartFrom(change.FromLatest()), change.PollInterval(5 * time.Minute), change.Failover(time.Minute), change.OnDataLoss(func(_ context.Context, e *change.DataLossError) error {
			losses = append(losses, string(e.Reason))
			return nil
		})}
		r := start(t, w, store, j.each(), opts...)
		wait(5 * time.Minute)
		w.put(t, "a", 1, 0)
		r.stop(t)
		w.put(t, "a", 1, 1)
		w.setStream(t, false)
		w.put(t, "a", 1, 100) // not in any stream
		wait(5 * time.Minute)
		w.setStream(t, true)
		w.put(t, "a", 1, 2)
		r = start(t, w, store, j.each(), opts...)
		wait(5 * time.Minute)
		w.put(t, "a", 1, 3)
		wait(5 * time.Minute)
		w.setStream(t, false) // while it runs
		wait(5 * time.Minute)
		w.setStream(t, true)
		w.put(t, "a", 1, 4)
		wait(30 * time.Hour) // the first streams expire
		r.stop(t)
		if got := j.texts(); got != numbers(0, 5) {
			t.Errorf("handled %s", got)
		}
		if got := strings.Join(losses, ";"); got != "stream replaced;stream replaced" {
			t.Errorf("reported %s", got)
		}

		r = start(t, w, store, j.each())
		wait(time.Minute)
		w.put(t, "a", 1, 5)
		wait(time.Minute)
		r.stop(t)
		if got := j.texts(); got != numbers(0, 6) {
			t.Errorf("handled %s", got)
		}
		leases, _ := store.Leases(t.Context(), "app")
		for _, l := range leases {
			if l.Stream != leases[0].Stream {
				t.Errorf("leases of an expired stream are left: %+v", l)
			}
		}
	})
}

func TestStreamEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.put(t, "a", 1, 0)
		var arn string
		out, err := w.streams.ListStreams(t.Context(), nil)
		if err == nil {
			arn = *out.Streams[0].StreamArn
		}
		w.SplitShards("rows", 3)
		w.setStream(t, false)
		j, store := new(journal), new(change.MemoryStore)
		c, err := change.NewConsumer(w.streams, change.OfStream(arn), "app", store, j.each())
		if err != nil {
			t.Fatal(err)
		}
		for range 2 {
			if err := c.Run(t.Context()); !errors.Is(err, change.ErrStreamEnded) || j.texts() != "0" {
				t.Errorf("%v after %s", err, j.texts())
			}
		}
	})
}

// Records that were trimmed while no consumer ran are reported, whether the checkpoint, the shard or the beginning of its child was trimmed.
func TestConsumerDataLoss(t *testing.T) {
	for _, pause := range []time.Duration{23 * time.Hour, 26 * time.Hour, 60 * time.Hour} {
		for _, resume := range []bool{false, true} {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t)
				store, j := new(change.MemoryStore), new(journal)
				w.put(t, "a", 1, 0)
				start(t, w, store, j.each()).kill(t)
				w.put(t, "a", 1, 1)
				wait(pause)
				w.put(t, "a", 1, 2)
				reported := 0
				opts := []change.Option{change.PollInterval(time.Minute)}
				if resume {
					opts = append(opts, change.OnDataLoss(func(context.Context, *change.DataLossError) error { reported++; return nil }))
				}
				r := start(t, w, store, j.each(), opts...)
				wait(5 * time.Minute)
				r.cancel()
				err := <-r.done
				lost := pause > 24*time.Hour
				want := "0 1 2"
				switch {
				case lost && resume:
					want = "0 2"
				case lost:
					want = "0"
				}
				if errors.Is(err, change.ErrDataLoss) != (lost && !resume) || (reported > 0) != (lost && resume) || j.texts() != want {
					t.Errorf("after %v: reported %d times, handled %s, %v", pause, reported, j.texts(), err)
				}
			})
		}
	}
}

// After any temporary failure the consumer continues.
func TestConsumerSurvivesOutage(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		begin := time.Now()
		w := newWorld(t, ddbtest.WithFaults(
			fault.On().Between(begin.Add(10*time.Minute), begin.Add(190*time.Minute)).DropRequest()))
		store, j := newTableStore(t, w.db), new(journal)
		r := start(t, w, store, j.each(), change.PollInterval(time.Minute), change.Failover(30*time.Second))
		w.put(t, "a", 1, 0)
		wait(10*time.Minute - time.Second - time.Since(begin))
		w.put(t, "a", 1, 1)
		wait(3*time.Hour + 2*time.Second)
		w.put(t, "a", 1, 2)
		wait(2 * time.Minute)
		if got := j.texts(); got != "0 1 2" && got != "0 1 1 2" {
			t.Errorf("handled %s", got)
		}
		if s := r.Stats(); s.Lag() != 0 || s.Workers != 1 {
			t.Errorf("%+v", s)
		}
		r.stop(t)
	})
}

func TestConsumerRefuses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		h := new(journal).each()
		for name, open := range map[string]func() (*change.Consumer[row], error){
			"client": func() (*change.Consumer[row], error) {
				return change.NewConsumer(nil, change.OfTable("rows"), "app", new(change.MemoryStore), h)
			},
			"source": func() (*change.Consumer[row], error) {
				return change.NewConsumer(w.streams, change.Source{}, "app", new(change.MemoryStore), h)
			},
			"app": func() (*change.Consumer[row], error) {
				return change.NewConsumer(w.streams, change.OfTable("rows"), "", new(change.MemoryStore), h)
			},
			"store": func() (*change.Consumer[row], error) {
				return change.NewConsumer(w.streams, change.OfTable("rows"), "app", nil, h)
			},
			"handler": func() (*change.Consumer[row], error) {
				return change.NewConsumer(w.streams, change.OfTable("rows"), "app", new(change.MemoryStore), change.Handler[row]{})
			},
			"retry": func() (*change.Consumer[row], error) {
				return change.NewConsumer(w.streams, change.OfTable("rows"), "app", new(change.MemoryStore), h.Retry(change.RetryPolicy{MaxAttempts: -1}))
			},
		} {
			if _, err := open(); err == nil {
				t.Errorf("a missing %s was accepted", name)
			}
		}
		r := start(t, w, new(change.MemoryStore), h)
		synctest.Wait()
		if err := r.Run(t.Context()); err == nil {
			t.Error("it ran twice at the same time")
		}
		r.stop(t)

		missing, err := change.NewTableStore(w.db, "nothing")
		if err != nil {
			t.Fatal(err)
		}
		if err := <-start(t, w, missing, h).done; !errors.Is(err, ddb.ErrTableNotFound) {
			t.Errorf("without a table of leases: %v", err)
		}
	})
}

// A stopped worker finishes the current change, not the page, and the next worker continues after it.
func TestDrainStopsBetweenChanges(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		for n := range int64(100) {
			w.put(t, "a", 1, n)
		}
		store, j := new(change.MemoryStore), new(journal)
		slow := change.Each(func(ctx context.Context, c change.Change[row]) error {
			wait(time.Second)
			j.add(c)
			return ctx.Err()
		})
		r := start(t, w, store, slow)
		wait(3500 * time.Millisecond)
		r.cancel()
		begin := time.Now()
		if err := <-r.done; err != nil || time.Since(begin) > time.Second || j.texts() != numbers(0, 4) {
			t.Errorf("%v after %v, handled %s", err, time.Since(begin), j.texts())
		}
		r = start(t, w, store, j.each())
		wait(time.Minute)
		r.stop(t)
		if got := j.texts(); got != numbers(0, 100) {
			t.Errorf("handled %s", got)
		}
	})
}

// The context of a handler that does not end in time is cancelled, and Run returns an error.
func TestDrainTakesTooLong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.put(t, "a", 1, 0)
		store, j := new(change.MemoryStore), new(journal)
		r := start(t, w, store, change.Each(func(ctx context.Context, _ change.Change[row]) error {
			<-ctx.Done()
			return ctx.Err()
		}), change.DrainTimeout(30*time.Second))
		wait(time.Minute)
		r.cancel()
		begin := time.Now()
		if err := <-r.done; err == nil || time.Since(begin) != 30*time.Second {
			t.Errorf("%v after %v", err, time.Since(begin))
		}
		r = start(t, w, store, j.each())
		wait(time.Second) // the lease was released
		r.stop(t)
		if got := j.texts(); got != "0" {
			t.Errorf("handled %s", got)
		}
	})
}

// A known shard that was not begun for a day may have lost its first records, which only its lineage shows.
func TestLateStart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		store, j := new(change.MemoryStore), new(journal)
		r := start(t, w, store, j.each(), change.MaxShards(1))
		wait(time.Minute)
		w.SplitShards("rows", 2)
		for n := range int64(20) {
			w.put(t, groupID(fmt.Sprint("g", n)), 1, n)
		}
		wait(time.Minute)
		r.stop(t)
		if n := len(j.seen); n == 0 || n == 20 {
			t.Fatalf("%d changes were handled", n)
		}
		wait(25 * time.Hour)
		r = start(t, w, store, j.each())
		wait(time.Minute)
		r.cancel()
		if err := <-r.done; !errors.Is(err, change.ErrDataLoss) {
			t.Errorf("it ended with %v", err)
		}
		reported := make(map[change.LossReason]int)
		var mu sync.Mutex
		r = start(t, w, store, j.each(), change.OnDataLoss(func(_ context.Context, e *change.DataLossError) error {
			mu.Lock()
			defer mu.Unlock()
			reported[e.Reason]++
			return nil
		}))
		wait(10 * time.Minute)
		w.put(t, "z", 1, 99)
		wait(time.Minute)
		r.stop(t)
		if reported[change.LateStart] != 1 || !strings.HasSuffix(j.texts(), " 99") {
			t.Errorf("reported %v, handled %s", reported, j.texts())
		}
	})
}
