// SPDX-License-Identifier: Apache-2.0

package eventstore_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"pgregory.net/rapid"

	"github.com/dynamotable/ddb/ddbtest"
	"github.com/dynamotable/ddb/eventstore"
	"github.com/dynamotable/ddb/internal/longtest"
)

// TestExpiryAgainstAModel: after random appends with any limits and clocks, deletions of expired items in any order, and truncations, reads, the feed
// and copies have the events that have not expired, versions never decrease, and nothing is refused or missed.
func TestExpiryAgainstAModel(t *testing.T) {
	if onEndpoint() {
		t.Skip("only on the embedded engine: many tables")
	}
	longtest.Checks(t, 9)
	e := ddbtest.NewEngine()
	t.Cleanup(e.Close)
	client := e.Client()
	table, looks := 0, 0
	rapid.Check(t, func(r *rapid.T) {
		table++
		now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
		skew := time.Duration(0)
		opts := []eventstore.Option{
			eventstore.Sequenced(1),
			eventstore.Clock(func() time.Time { return now.Add(skew) }),
			eventstore.Waits(func(ctx context.Context, _ time.Duration) error { looks++; return ctx.Err() }),
		}
		open := func(name string) *eventstore.Store {
			s, err := eventstore.New(client, name+strconv.Itoa(table), opts...)
			if err == nil {
				err = s.EnsureTable(t.Context())
			}
			if err != nil {
				r.Fatal(err)
			}
			return s
		}
		s := open("expiry-")
		type stored struct {
			expires time.Time
			commit  int
			gone    bool
		}
		var events []stored // of versions from 1 on
		var commits []int   // how many events each has
		cut := 1
		// first is the first version that a read returns.
		first := func() int {
			n := cut
			for n <= len(events) && !events[n-1].expires.After(now) {
				n++
			}
			return n
		}
		check := func(what string, s *eventstore.Store, opts ...eventstore.ReadOption) []int64 {
			var got []int64
			for e, err := range s.Read(t.Context(), "cart", opts...) {
				if err != nil {
					r.Fatalf("%s: %v", what, err)
				}
				got = append(got, e.Version)
			}
			return got
		}
		shown := func(from, to int) (want []int64) {
			for v := max(first(), from); v <= min(to, len(events)); v++ {
				want = append(want, int64(v))
			}
			return want
		}
		r.Repeat(map[string]func(*rapid.T){
			"append": func(r *rapid.T) {
				n, limit := rapid.IntRange(1, 3).Draw(r, "events"), time.Duration(rapid.IntRange(1, 40).Draw(r, "limit"))*time.Minute
				skew = time.Duration(rapid.IntRange(-14, 14).Draw(r, "skew")) * time.Minute
				expected := eventstore.Any()
				if rapid.Bool().Draw(r, "exactly") {
					expected = eventstore.Exactly(int64(len(events)))
				}
				args := []eventstore.AppendArg{eventstore.ExpireAfter(limit)}
				for range n {
					args = append(args, event("x"))
				}
				done, err := s.Append(t.Context(), "cart", expected, args...)
				expires := now.Add(skew + limit)
				skew = 0
				if err != nil || done.First != int64(len(events)+1) {
					r.Fatalf("append after version %d: %+v, %v", len(events), done, err)
				}
				if k := len(events); k > 0 && events[k-1].expires.After(expires) {
					expires = events[k-1].expires
				}
				for range n {
					events = append(events, stored{expires: expires, commit: len(commits)})
				}
				commits = append(commits, n)
			},
			"time passes": func(r *rapid.T) { now = now.Add(time.Duration(rapid.IntRange(1, 30).Draw(r, "minutes")) * time.Minute) },
			"delete": func(r *rapid.T) {
				var expired []int
				for v := 1; v < first(); v++ {
					if !events[v-1].gone && !events[v-1].expires.After(now) {
						expired = append(expired, v)
					}
				}
				if len(expired) == 0 {
					return
				}
				v := rapid.SampledFrom(expired).Draw(r, "version")
				events[v-1].gone = true
				if _, err := client.DeleteItem(t.Context(), &dynamodb.DeleteItemInput{TableName: aws.String(s.Name()), Key: map[string]types.AttributeValue{
					"pk": &types.AttributeValueMemberS{Value: "S#cart"}, "sk": &types.AttributeValueMemberN{Value: strconv.Itoa(v)},
				}}); err != nil {
					r.Fatal(err)
				}
			},
			"truncate": func(r *rapid.T) {
				if len(events) == 0 || rapid.IntRange(0, 5).Draw(r, "rarely") > 0 {
					return
				}
				before := rapid.IntRange(1, len(events)+1).Draw(r, "before")
				if err := s.Truncate(t.Context(), "cart", int64(before)); err != nil {
					r.Fatal(err)
				}
				cut = max(cut, before)
			},
			"": func(r *rapid.T) {
				if rapid.IntRange(0, 2).Draw(r, "look") > 0 {
					return
				}
				looks = 0
				if got, want := check("read", s), shown(1, len(events)); !slices.Equal(got, want) {
					r.Fatalf("read %v, want %v", got, want)
				}
				if len(events) > 0 {
					from, to := rapid.IntRange(1, len(events)).Draw(r, "from"), rapid.IntRange(1, len(events)).Draw(r, "to")
					want := shown(from, to)
					slices.Reverse(want)
					got := check("read backward", s, eventstore.From(int64(from)), eventstore.UpTo(int64(to)), eventstore.Backward())
					if !slices.Equal(got, want) {
						r.Fatalf("read backward from %d to %d: %v, want %v", to, from, got, want)
					}
				}
				n, at := 0, 1
				for c, err := range s.Feed().Read(t.Context(), eventstore.Position{}) {
					if err != nil {
						r.Fatalf("feed: %v", err)
					}
					want := len(shown(at, at+commits[n]-1))
					if c.Number != int64(n+1) || len(c.Events) != want || c.Truncated != commits[n]-want {
						r.Fatalf("commit %d of versions %d to %d: %d events, %d truncated, want %d", c.Number, c.First, c.Last, len(c.Events), c.Truncated, want)
					}
					at += commits[n]
					n++
				}
				if n != len(commits) || looks > 0 {
					r.Fatalf("%d of %d commits in the feed, waited %d times", n, len(commits), looks)
				}
			},
		})
		to := open("copy-")
		for range 2 {
			if _, err := eventstore.Copy(t.Context(), s, to); err != nil {
				r.Fatalf("copy: %v", err)
			}
			if got, want := check("copy", to), shown(1, len(events)); !slices.Equal(got, want) {
				r.Fatalf("the copy has %v, want %v", got, want)
			}
		}
		if len(events) > 0 {
			_, err := to.Append(t.Context(), "cart", eventstore.NoStream(), event("x"), eventstore.ExpireAfter(time.Hour))
			if wrong, ok := errors.AsType[*eventstore.WrongExpectedVersion](err); !ok || wrong.Actual != int64(len(events)) {
				r.Fatal(fmt.Sprint("the copy accepts events at version 1: ", err))
			}
		}
	})
}
