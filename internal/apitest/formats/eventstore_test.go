// SPDX-License-Identifier: Apache-2.0

package formats_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/dynamotable/ddb/eventstore"
	"github.com/dynamotable/ddb/eventstore/keys"
	"github.com/dynamotable/ddb/schema"
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

// The encrypted and compressed form of events, states and views, and the table of keys.
func TestEncrypted(t *testing.T) {
	ctx := context.Background()
	type opened struct{ Owner string }
	type open struct {
		subjects *keys.Table
		store    *eventstore.Store
		accounts *eventstore.Repository[string, opened]
		views    *eventstore.Views[string]
	}
	all := func(t *testing.T, client *dynamodb.Client) open {
		t.Helper()
		subjects, err := keys.New(client, "keys")
		must(t, err)
		self := func(name string) string { return name }
		store, err := eventstore.New(client, "events", eventstore.Encrypt(subjects, self), eventstore.Compress(50))
		must(t, err)
		views, err := eventstore.NewViews[string](client, "views")
		must(t, err)
		must(t, schema.EnsureTables(ctx, subjects, store, views))
		views = views.Encrypt(subjects, self)
		types := eventstore.NewTypes[opened](eventstore.JSON).Add(opened{})
		return open{subjects, store, eventstore.NewRepository(store, types, func(_ string, e opened) string { return e.Owner }, eventstore.StateStored("", 0)), views}
	}
	check(t, "encrypted", func(t *testing.T, client *dynamodb.Client) {
		all(t, client)
	}, func(t *testing.T, client *dynamodb.Client) {
		o := all(t, client)
		_, err := o.accounts.Update(ctx, "account-1", func(string) ([]opened, error) { return []opened{{"Ada"}}, nil }, eventstore.CommitID("c1"))
		must(t, err)
		_, err = o.store.Append(ctx, "account-1", eventstore.Exactly(1), eventstore.CommitID("c2"),
			eventstore.NewEvent{ID: "e2", Type: "opened", Data: []byte(`{"Owner":"` + strings.Repeat("Bob", 100) + `"}`), Metadata: map[string]string{"by": "ann"}})
		must(t, err)
		must(t, o.views.Apply(ctx, "account-1", "account-1", 2, func(v *string) error { *v = "seen"; return nil }))
		must(t, o.subjects.Forget(ctx, "account-2"))
	}, func(t *testing.T, client *dynamodb.Client) {
		o := all(t, client)
		for e, err := range o.store.Read(ctx, "account-1", eventstore.From(2)) {
			must(t, err)
			if len(e.Data) != 312 || e.Metadata["by"] != "ann" || e.Forgotten {
				t.Errorf("read %d bytes, forgotten: %t", len(e.Data), e.Forgotten)
			}
		}
		a, err := o.accounts.LoadAt(ctx, "account-1", 1)
		must(t, err)
		v, err := o.views.Load(ctx, "account-1")
		must(t, err)
		if a.State != "Ada" || v.Value != "seen" {
			t.Errorf("the state is %q, the view %q", a.State, v.Value)
		}
		if _, err := o.subjects.Key(ctx, "account-2"); err == nil {
			t.Error("a forgotten subject still has a key")
		}
	})
}
