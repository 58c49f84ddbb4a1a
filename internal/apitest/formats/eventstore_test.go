package formats_test

import (
	"context"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/dynamotable/ddb/eventstore"
)

func TestExpiring(t *testing.T) {
	ctx := context.Background()
	store := func(t *testing.T, client *dynamodb.Client) *eventstore.Store {
		t.Helper()
		s, err := eventstore.New(client, "carts", eventstore.Sequenced(1), eventstore.Expiring(func(string) time.Duration { return time.Hour }))
		must(t, err)
		return s
	}
	check(t, "expiring", func(t *testing.T, client *dynamodb.Client) {
		must(t, store(t, client).EnsureTable(ctx))
	}, func(t *testing.T, client *dynamodb.Client) {
		_, err := store(t, client).Append(ctx, "cart-1", eventstore.NoStream(), eventstore.CommitID("c1"),
			eventstore.NewEvent{ID: "e1", Type: "added", Data: []byte("tea")}, eventstore.NewEvent{ID: "e2", Type: "added", Data: []byte("cup")})
		must(t, err)
	}, func(t *testing.T, client *dynamodb.Client) {
		s := store(t, client)
		n := 0
		for e, err := range s.Read(ctx, "cart-1") {
			must(t, err)
			if n++; !e.ExpiresAt.Equal(time.Date(2000, 1, 1, 1, 0, 0, 0, time.UTC)) {
				t.Errorf("version %d expires at %v", e.Version, e.ExpiresAt)
			}
		}
		done, err := s.Append(ctx, "cart-1", eventstore.Exactly(2), eventstore.NewEvent{Type: "added"})
		must(t, err)
		if n != 2 || done.First != 3 {
			t.Errorf("%d events, then version %d", n, done.First)
		}
	})
}
