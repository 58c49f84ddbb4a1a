// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"

	"github.com/dynamotable/ddb"
	"github.com/dynamotable/ddb/ddbclient"
	"github.com/dynamotable/ddb/ddbtest"
	"github.com/dynamotable/ddb/eventstore"
	"github.com/dynamotable/ddb/payload"
	"github.com/dynamotable/ddb/snapshot"
)

// power fails after a number of steps: requests, their replies, and calls of the object store.
type power struct {
	mu    sync.Mutex
	steps int
	left  int // negative: it never fails
}

var errPower = errors.New("the power is out")

func (p *power) step() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.steps++
	if p.left == 0 {
		return errPower
	}
	p.left--
	return nil
}

// powered is an HTTP client that stops when the power fails, before a request is sent or before its reply arrives.
type powered struct {
	power *power
	next  aws.HTTPClient
}

func (c powered) Do(req *http.Request) (*http.Response, error) {
	if err := c.power.step(); err != nil {
		return nil, err
	}
	resp, err := c.next.Do(req)
	if dead := c.power.step(); dead != nil {
		return nil, dead
	}
	return resp, err
}

// poweredObjects is an object store whose caller stops when the power fails.
type poweredObjects struct {
	power *power
	payload.Objects
}

func (o poweredObjects) Put(ctx context.Context, key string, data []byte) error {
	if err := o.power.step(); err != nil {
		return err
	}
	err := o.Objects.Put(ctx, key, data)
	return errors.Join(o.power.step(), err)
}

func (o poweredObjects) Get(ctx context.Context, key string, limit int64) ([]byte, error) {
	if err := o.power.step(); err != nil {
		return nil, err
	}
	return o.Objects.Get(ctx, key, limit)
}

// document is an aggregate with large events.
type document struct{ Pages []string }

type written struct{ Text string }

// TestCrash lets the power fail at every step of an update that offloads its event and takes a snapshot, and
// then repeats the update: the complete event is stored once, and the state agrees with the events.
func TestCrash(t *testing.T) {
	types := eventstore.NewTypes[written](eventstore.JSON)
	eventstore.Register[written](types, "written", 1)
	fold := func(d document, w written) document {
		return document{Pages: append(append([]string(nil), d.Pages...), w.Text[:10])}
	}
	died := 0
	for crash := 0; ; crash++ {
		e := ddbtest.NewEngine()
		objects := payload.Memory()
		open := func(p *power) (*eventstore.Store, *eventstore.Repository[document, written]) {
			t.Helper()
			client, err := ddbclient.New(t.Context(), ddbclient.WithHTTPClient(powered{p, e}), ddbclient.WithEndpoint("http://127.0.0.1:1"), ddbclient.WithMaxAttempts(1),
				ddbclient.WithConfig(aws.Config{Region: "eu-central-1", Credentials: credentials.NewStaticCredentialsProvider("id", "secret", "")}))
			if err != nil {
				t.Fatal(err)
			}
			payloads, err := payload.New(poweredObjects{p, objects})
			if err != nil {
				t.Fatal(err)
			}
			snapshots, err := snapshot.New(client, "snapshots", snapshot.When(snapshot.EveryN(1)), snapshot.Keep(snapshot.KeepLast(1)), snapshot.Offload(payloads, 1000))
			if err != nil {
				t.Fatal(err)
			}
			s, err := eventstore.New(client, "events", eventstore.Offload(payloads, 0), eventstore.Sequenced(1), eventstore.MaxTries(2),
				eventstore.TableOptions(ddb.Retry(ddb.RetryPolicy{MaxAttempts: 1})))
			if err != nil {
				t.Fatal(err)
			}
			if p.left < 0 {
				if err := errors.Join(s.EnsureTable(t.Context()), snapshots.EnsureTable(t.Context())); err != nil {
					t.Fatal(err)
				}
			}
			return s, eventstore.NewRepository(s, types, fold, eventstore.WithSnapshots(snapshots, "document", 1), eventstore.OnSnapshotError(func(error) {}))
		}
		write := func(repo *eventstore.Repository[document, written], n int) error {
			_, err := repo.Update(t.Context(), "d", func(document) ([]written, error) {
				return []written{{Text: fmt.Sprintf("page %05d", n) + strings.Repeat("x", 500_000)}}, nil
			}, eventstore.CommitID(fmt.Sprint("page ", n)))
			return err
		}
		store, repo := open(&power{left: -1})
		if err := write(repo, 1); err != nil {
			t.Fatal(err)
		}
		p := &power{left: crash}
		_, dying := open(p)
		err := write(dying, 2)
		if err != nil {
			died++
		}
		before, err2 := repo.Load(t.Context(), "d")
		if err2 != nil {
			t.Fatalf("crash at step %d: load: %v", crash, err2)
		}
		if n := len(before.State.Pages); int64(n) != before.Version || n < 1 || n > 2 || err == nil && n != 2 {
			t.Fatalf("crash at step %d (%v): version %d with %d pages", crash, err, before.Version, n)
		}
		// A new process repeats the update, with the same commit id.
		if err := write(repo, 2); err != nil {
			t.Fatalf("crash at step %d: again: %v", crash, err)
		}
		after, err2 := repo.Load(t.Context(), "d")
		if err2 != nil || fmt.Sprint(after.State.Pages) != "[page 00001 page 00002]" {
			t.Fatalf("crash at step %d: %v, %v", crash, after.State.Pages, err2)
		}
		commits := 0
		for c, err := range store.Feed().Read(t.Context(), eventstore.Position{}) {
			if err != nil || len(c.Events) != 1 || len(c.Events[0].Data) < 500_000 {
				t.Fatalf("crash at step %d: %v", crash, err)
			}
			commits++
		}
		if commits != 2 {
			t.Fatalf("crash at step %d: %d commits in the feed", crash, commits)
		}
		e.Close()
		if p.left > 0 { // the update ended before the power failed
			break
		}
	}
	if died < 10 {
		t.Errorf("the update failed at only %d steps", died)
	}
	t.Logf("%d updates failed", died)
}
