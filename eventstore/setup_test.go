// SPDX-License-Identifier: Apache-2.0

package eventstore_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"

	"github.com/dynamotable/ddb"
	"github.com/dynamotable/ddb/ddbclient"
	"github.com/dynamotable/ddb/ddbtest"
	"github.com/dynamotable/ddb/ddbtest/fault"
	"github.com/dynamotable/ddb/eventstore"
	"github.com/dynamotable/ddb/internal/longtest"
	"github.com/dynamotable/ddb/progress"
	"github.com/dynamotable/ddb/schema"
)

// delayed delays every request by three seconds.
type delayed struct{ next aws.HTTPClient }

func (d delayed) Do(req *http.Request) (*http.Response, error) {
	select {
	case <-time.After(3 * time.Second):
	case <-req.Context().Done():
		return nil, req.Context().Err()
	}
	return d.next.Do(req)
}

// TestFirstAppendsShareSetupRead: the first appends of a store wait for one read of the setup, and each obeys its own context while it waits.
func TestFirstAppendsShareSetupRead(t *testing.T) {
	if onEndpoint() {
		t.Skip("only on the embedded engine: a virtual clock")
	}
	synctest.Test(t, func(t *testing.T) {
		e := ddbtest.NewEngine()
		t.Cleanup(e.Close)
		openStore(t, e.Client(), "events")
		client, err := ddbclient.New(t.Context(), ddbclient.WithHTTPClient(delayed{e}), ddbclient.WithEndpoint("http://127.0.0.1:1"), ddbclient.WithConfig(aws.Config{
			Region: "eu-central-1", Credentials: credentials.NewStaticCredentialsProvider("id", "secret", ""),
		}))
		if err != nil {
			t.Fatal(err)
		}
		s, err := eventstore.New(client, "events")
		if err != nil {
			t.Fatal(err)
		}
		var wg sync.WaitGroup
		for i := range 16 {
			wg.Go(func() {
				if _, err := s.Append(t.Context(), fmt.Sprint("s", i), eventstore.NoStream(), event("x")); err != nil {
					t.Error(err)
				}
			})
		}
		synctest.Wait()
		begin := time.Now()
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		defer cancel()
		if _, err := s.Append(ctx, "late", eventstore.NoStream(), event("x")); !errors.Is(err, context.DeadlineExceeded) || time.Since(begin) > 101*time.Millisecond {
			t.Errorf("a caller with 100 ms: %v after %v", err, time.Since(begin))
		}
		wg.Wait()
	})
}

// TestBackfillResumes: a failed backfill continues where it stopped, while writers run, and at its end the index is complete.
func TestBackfillResumes(t *testing.T) {
	t.Parallel()
	if onEndpoint() {
		t.Skip("only on the embedded engine: faults")
	}
	synctest.Test(t, func(t *testing.T) {
		armed, n, appends := new(atomic.Bool), new(atomic.Int64), longtest.Either(300, 120)
		e := ddbtest.NewEngine(ddbtest.WithFaults(fault.On("UpdateItem", "Scan").Where(func(fault.Request) bool {
			return armed.Load() && n.Add(1)%int64(appends*2/5) == 0
		}).Error("AccessDeniedException", "denied")))
		t.Cleanup(e.Close)
		client := stormClient(t, e)
		before := openStore(t, client, "events")
		big := make([]byte, 30<<10) // several pages
		total := 0
		put := func(s *eventstore.Store) error {
			_, err := s.Append(t.Context(), fmt.Sprint("a-", total%50), eventstore.Any(), eventstore.NewEvent{Type: "x", Data: big})
			if err == nil {
				total++
			}
			return err
		}
		for range appends {
			if err := put(before); err != nil {
				t.Fatal(err)
			}
		}
		after := openStore(t, client, "events", eventstore.TimeBuckets(eventstore.Day, 2), eventstore.ByCategory(1, nil))
		armed.Store(true)
		jobs := progress.NewTracker()
		ended := make(chan int, 1)
		go func() {
			filled := 0
			for tries := 1; ; tries++ {
				report, err := after.Backfill(jobs.With(t.Context()))
				if filled += report.Filled; err == nil {
					if tries < 2 {
						t.Error("the backfill did not fail")
					}
					ended <- filled
					return
				}
			}
		}()
		rejected := false
		for range 60 { // a writer of the previous version, which must end, and one of the new version
			if err := put(before); errors.Is(err, eventstore.ErrSetup) {
				rejected = true
			} else if err != nil && !errors.Is(err, ddb.ErrConditionFailed) {
				t.Error(err)
			} else if rejected {
				t.Error("a writer without the options was refused, and later accepted")
			}
			if err := put(after); err != nil {
				t.Error(err)
			}
			<-time.After(6 * time.Second)
		}
		if p, _ := jobs.Find("backfill of events"); p.State != progress.Running && p.State != progress.Done || p.Items == 0 {
			t.Errorf("the progress is %v", p)
		}
		filled := <-ended
		armed.Store(false)
		if !rejected {
			t.Error("a writer without the options is not refused")
		}
		<-time.After(time.Minute)
		got := 0
		for _, err := range after.TimeFeed(time.Time{}).Read(t.Context()) {
			if err != nil {
				t.Fatal(err)
			}
			got++
		}
		streams := 0
		for _, err := range after.Streams(t.Context(), "a") {
			if err != nil {
				t.Fatal(err)
			}
			streams++
		}
		if got != total || streams != 50 || filled < appends {
			t.Errorf("%d of %d events, %d of 50 streams, %d filled", got, total, streams, filled)
		}
	})
}

// TestEnsureTables: one call creates all tables that a service uses, and reports each that it could not create.
func TestEnsureTables(t *testing.T) {
	if onEndpoint() {
		t.Skip("only on the embedded engine: faults")
	}
	client := ddbtest.New(t, ddbtest.WithFaults(fault.On("CreateTable").Table("views-b").Error("AccessDeniedException", "denied")))
	s, err1 := eventstore.New(client, "events", eventstore.Sequenced(2))
	a, err2 := eventstore.NewViews[counted](client, "views-a")
	b, err3 := eventstore.NewViews[counted](client, "views-b")
	if err := errors.Join(err1, err2, err3); err != nil {
		t.Fatal(err)
	}
	if err := schema.EnsureTables(t.Context(), s, a, b); err == nil || !strings.Contains(err.Error(), "EnsureTable views-b") {
		t.Errorf("a table that cannot be created: %v", err)
	}
	for range 2 {
		if err := schema.EnsureTables(t.Context(), s, a); err != nil {
			t.Error(err)
		}
	}
	if _, err := s.Append(t.Context(), "s", eventstore.NoStream(), event("x")); err != nil {
		t.Error(err)
	}
	if err := a.Apply(t.Context(), "v", "s", 1, func(*counted) error { return nil }); err != nil {
		t.Error(err)
	}
	if err := schema.EnsureTables(t.Context(), s, nil); !errors.Is(err, ddb.ErrInvalid) {
		t.Errorf("nil: %v", err)
	}
}

// TestCopyResumes: a copy that fails repeatedly, while writers run, ends with the same streams and a feed without gaps.
func TestCopyResumes(t *testing.T) {
	t.Parallel()
	if onEndpoint() {
		t.Skip("only on the embedded engine: faults")
	}
	synctest.Test(t, func(t *testing.T) {
		armed := new(atomic.Bool)
		m := fault.On("TransactWriteItems", "Scan", "Query", "UpdateItem").Where(func(fault.Request) bool { return armed.Load() })
		e := ddbtest.NewEngine(ddbtest.WithSeed(3), ddbtest.WithFaults(
			m.Chance(0.02).Error("AccessDeniedException", "denied"), m.Chance(0.05).DropReply(), m.Chance(0.05).DropRequest(), m.Chance(0.03).Duplicate()))
		t.Cleanup(e.Close)
		from := openStore(t, stormClient(t, e), "events", eventstore.Sequenced(2))
		plain := openStore(t, e.Client(), "events", eventstore.Sequenced(2))
		to := openStore(t, stormClient(t, e), "copy", eventstore.Sequenced(16))
		write(t, plain, 40*time.Second)
		armed.Store(true)
		stopped, failures := make(chan struct{}), 0
		go func() {
			defer close(stopped)
			for i := range 60 {
				if _, err := plain.Append(t.Context(), fmt.Sprint("stream-", i%9), eventstore.Any(), event("y"), event("z")); err != nil && !errors.Is(err, ddb.ErrOutcomeUnknown) && !errors.Is(err, eventstore.ErrAmbiguous) {
					continue // rejected by a fault
				}
				<-time.After(100 * time.Millisecond)
			}
		}()
		for done := false; !done; {
			select {
			case <-stopped:
				done = true
			default:
			}
			if _, err := eventstore.Copy(t.Context(), from, to); err != nil {
				failures++
				done = false
			} else if !longtest.Enabled() && !done {
				<-time.After(time.Second)
			}
		}
		armed.Store(false)
		if failures == 0 {
			t.Error("no copy failed")
		}
		events, copied := 0, 0
		for c, err := range plain.Feed().Read(t.Context(), eventstore.Position{}) {
			if err != nil {
				t.Fatal(err)
			}
			if events += len(c.Events); c.First > 1 {
				continue // its stream is compared already
			}
			if is, want := texts(t, to, c.Stream), texts(t, plain, c.Stream); is != want {
				t.Fatalf("%s: %q, copied %q", c.Stream, want, is)
			}
		}
		for c, err := range to.Feed().Read(t.Context(), eventstore.Position{}) {
			if err != nil {
				t.Fatal(err)
			}
			copied += len(c.Events)
		}
		if events != copied || events < 150 {
			t.Errorf("%d events, %d copied, %d failures", events, copied, failures)
		}
	})
}
