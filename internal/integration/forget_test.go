// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/dynamotable/ddb/ddbtest"
	"github.com/dynamotable/ddb/debug"
	"github.com/dynamotable/ddb/eventstore"
	"github.com/dynamotable/ddb/eventstore/keys"
	"github.com/dynamotable/ddb/payload"
	"github.com/dynamotable/ddb/payload/zstd"
	"github.com/dynamotable/ddb/position"
	"github.com/dynamotable/ddb/schema"
	"github.com/dynamotable/ddb/snapshot"
)

type wrote struct{ Text string }

// everyByte returns the contents of all tables of a database.
func everyByte(t *testing.T, client *dynamodb.Client) []byte {
	t.Helper()
	var all bytes.Buffer
	var walk func(v types.AttributeValue)
	walk = func(v types.AttributeValue) {
		switch v := v.(type) {
		case *types.AttributeValueMemberS:
			all.WriteString(v.Value + "\n")
		case *types.AttributeValueMemberB:
			all.Write(append(v.Value, '\n'))
		case *types.AttributeValueMemberL:
			for _, e := range v.Value {
				walk(e)
			}
		case *types.AttributeValueMemberM:
			for _, e := range v.Value {
				walk(e)
			}
		}
	}
	tables, err := client.ListTables(t.Context(), &dynamodb.ListTablesInput{})
	if err != nil {
		t.Fatal(err)
	}
	for _, table := range tables.TableNames {
		page, err := client.Scan(t.Context(), &dynamodb.ScanInput{TableName: &table})
		if err != nil {
			t.Fatal(err)
		}
		for _, item := range page.Items {
			walk(&types.AttributeValueMemberM{Value: item})
		}
	}
	return all.Bytes()
}

// TestForgetEverywhere: with snapshots, positions, payloads, views, parked commits and the debug page, the data of a subject are
// nowhere stored in plain text, and no read returns them after its key was deleted. Without the option, the same search finds them.
func TestForgetEverywhere(t *testing.T) {
	for _, encrypted := range []bool{false, true} {
		t.Run(fmt.Sprint("encrypted ", encrypted), func(t *testing.T) {
			ctx := t.Context()
			e := ddbtest.NewEngine()
			t.Cleanup(e.Close)
			client := e.Client()
			subjects, err1 := keys.New(client, "keys")
			objects := payload.Memory()
			payloads, err2 := payload.New(objects)
			var opts []eventstore.Option
			if encrypted {
				opts = []eventstore.Option{eventstore.Encrypt(subjects, func(stream string) string { return eventstore.CategoryOf(stream) + stream })}
			}
			store, err3 := eventstore.New(client, "events", append(opts, eventstore.Sequenced(1), eventstore.Offload(payloads, 4<<10), eventstore.Compress(20<<10, zstd.New()))...)
			snapshots, err4 := snapshot.New(client, "snapshots", snapshot.When(snapshot.EveryN(1)), snapshot.Offload(payloads, 16<<10))
			positions, err5 := position.New(client, "positions")
			views, err6 := eventstore.NewViews[[]string](client, "views")
			if err := errors.Join(err1, err2, err3, err4, err5, err6, schema.EnsureTables(ctx, subjects, store, snapshots, positions, views)); err != nil {
				t.Fatal(err)
			}
			if encrypted {
				views = views.Encrypt(subjects, func(id string) string { return eventstore.CategoryOf(id) + id })
			}
			registry := eventstore.NewTypes[wrote](eventstore.JSON).Add(wrote{})
			diaries := eventstore.NewRepository(store, registry, func(d []string, w wrote) []string { return append(slices.Clip(d), w.Text) },
				eventstore.WithSnapshots(snapshots, "", 0), eventstore.StateStored("", 0))
			large := ""
			for i := range 700 {
				large += fmt.Sprint("Lovelace ", i*i, " ")
			}
			for _, text := range []string{"Ada Lovelace", large, strings.Repeat("Lovelace ", 4000)} {
				if _, err := diaries.Update(ctx, "diary-1", func([]string) ([]wrote, error) { return []wrote{{text}}, nil }); err != nil {
					t.Fatal(err)
				}
			}
			handle := func(ctx context.Context, c eventstore.Commit) error {
				if c.Number == 3 {
					return errors.New("broken") // it is parked
				}
				return views.ApplyCommit(ctx, c.Stream, c, func(d *[]string) error {
					for _, e := range c.Events {
						*d = append(*d, string(e.Data))
					}
					return nil
				})
			}
			if err := store.Feed().Subscribe(ctx, "views", positions, handle, eventstore.UntilEnd(), eventstore.Park(0), eventstore.Retries(0)); err != nil {
				t.Fatal(err)
			}
			found := func() bool {
				all := everyByte(t, client)
				for object, err := range objects.List(ctx, "") {
					if err != nil {
						t.Fatal(err)
					}
					data, err := objects.Get(ctx, object.Key, 1<<20)
					if err != nil {
						t.Fatal(err)
					}
					all = append(all, data...)
				}
				page := httptest.NewRecorder()
				debug.Handler().ServeHTTP(page, httptest.NewRequest(http.MethodGet, "/", nil))
				return bytes.Contains(append(all, page.Body.Bytes()...), []byte("Lovelace"))
			}
			if found() == encrypted {
				t.Fatalf("the data are found: %t", !encrypted)
			}
			if !encrypted {
				return
			}
			if err := subjects.Forget(ctx, "diarydiary-1"); err != nil {
				t.Fatal(err)
			}
			if found() {
				t.Error("the data are found after the key was deleted")
			}
			for e, err := range store.Read(ctx, "diary-1") {
				if err != nil || !e.Forgotten || e.Data != nil {
					t.Errorf("version %d: forgotten: %t, %v", e.Version, e.Forgotten, err)
				}
			}
			if a, err := diaries.Load(ctx, "diary-1"); err != nil || a.Version != 3 || len(a.State) != 0 {
				t.Errorf("loaded %d texts of version %d, %v", len(a.State), a.Version, err)
			}
			if v, err := views.Load(ctx, "diary-1"); err != nil || !v.Forgotten || len(v.Value) != 0 {
				t.Errorf("the view has %d texts, %v", len(v.Value), err)
			}
			if n, err := store.Feed().Replay(ctx, "views"); err != nil || n != 1 {
				t.Fatalf("%d parked commits, %v", n, err)
			}
			replayed := 0
			err := store.Feed().Subscribe(ctx, "views", positions, func(_ context.Context, c eventstore.Commit) error {
				for _, e := range c.Events {
					if replayed++; !c.Replayed || !e.Forgotten || e.Data != nil {
						t.Errorf("a parked event: forgotten: %t", e.Forgotten)
					}
				}
				return nil
			}, eventstore.UntilEnd(), eventstore.Park(0))
			if err != nil || replayed != 1 {
				t.Errorf("%d events were replayed, %v", replayed, err)
			}
		})
	}
}
