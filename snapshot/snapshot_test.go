// SPDX-License-Identifier: Apache-2.0

package snapshot_test

import (
	"context"
	"fmt"
	"testing"

	"go.uber.org/goleak"

	"github.com/dynamotable/ddb"
	"github.com/dynamotable/ddb/ddbtest"
	"github.com/dynamotable/ddb/ddbtest/fault"
	"github.com/dynamotable/ddb/layerstats"
	"github.com/dynamotable/ddb/schema"
	"github.com/dynamotable/ddb/snapshot"
	"github.com/dynamotable/ddb/snapshot/snapshottest"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m,
		goleak.IgnoreAnyFunction("net/http.(*persistConn).readLoop"),
		goleak.IgnoreAnyFunction("net/http.(*persistConn).writeLoop"))
}

func open(t testing.TB, client ddb.Client, opts ...snapshot.Option) *snapshot.Store {
	t.Helper()
	s, err := snapshot.New(client, ddbtest.TableName(t), opts...)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.EnsureTable(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.DeleteTable(context.WithoutCancel(t.Context()), schema.AllowDelete(s.Name())) })
	return s
}

func TestSuite(t *testing.T) {
	snapshottest.Run(t, func(t testing.TB, opts ...snapshot.Option) *snapshot.Store {
		return open(t, ddbtest.NewFromEnv(t), opts...)
	})
}

// TestPruneFails: a snapshot is saved even if older ones could not be removed; the next save removes them.
func TestPruneFails(t *testing.T) {
	client := ddbtest.New(t, ddbtest.WithFaults(fault.On("BatchWriteItem").First(1).Error("AccessDeniedException", "not allowed")))
	s := open(t, client, snapshot.Keep(snapshot.KeepLast(1)))
	save := func(version int64) error {
		return s.Save(t.Context(), snapshot.Snapshot{Stream: "s", Version: version, State: []byte{byte(version)}})
	}
	if err := save(1); err != nil {
		t.Fatal(err)
	}
	if err := save(2); err == nil {
		t.Error("a prune that failed is not reported")
	}
	if got, err := s.Latest(t.Context(), "s"); err != nil || got.Version != 2 {
		t.Errorf("latest: %+v, %v", got, err)
	}
	if err := save(3); err != nil {
		t.Fatal(err)
	}
	n := 0
	for range s.List(t.Context(), "s") {
		n++
	}
	if n != 1 {
		t.Errorf("%d snapshots are kept", n)
	}
}

func Example() {
	ctx := context.Background()
	client, stop := ddbtest.Open()
	defer stop()
	snapshots, err := snapshot.New(client, "snapshots", snapshot.When(snapshot.EveryN(50)), snapshot.Keep(snapshot.KeepLast(2)))
	if err != nil {
		fmt.Println(err)
		return
	}
	if err := snapshots.EnsureTable(ctx); err != nil {
		fmt.Println(err)
		return
	}
	for v := int64(100); v <= 300; v += 100 {
		err = snapshots.Save(ctx, snapshot.Snapshot{Stream: "account-42", Version: v, Type: "account", Schema: 1, State: []byte(`{"balance":1}`)})
		if err != nil {
			fmt.Println(err)
			return
		}
	}
	old, _ := snapshots.AtOrBefore(ctx, "account-42", 250)
	_, gone := snapshots.AtOrBefore(ctx, "account-42", 150)
	fmt.Println("at or before 250:", old.Version)
	fmt.Println("pruned:", gone != nil)
	// Output:
	// at or before 250: 200
	// pruned: true
}

// TestCounts: saves and loads are counted by table.
func TestCounts(t *testing.T) {
	s := open(t, ddbtest.NewFromEnv(t))
	if err := s.Save(t.Context(), snapshot.Snapshot{Stream: "a", Version: 3, Type: "n", Schema: 1, State: []byte("3")}); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		stream, kind string
		version      int64
	}{{"a", "n", 3}, {"a", "other", 0}, {"b", "n", 0}} {
		if v, _, _, err := s.LoadState(t.Context(), c.stream, c.kind, 1, 10); err != nil || v != c.version {
			t.Fatal(v, err)
		}
	}
	got := map[string]int64{}
	for _, c := range layerstats.List() {
		if c.Layer == "snapshot" && c.Table == s.Name() {
			got[c.Event] = c.Count
		}
	}
	if got["saved"] != 1 || got["loads with a snapshot"] != 1 || got["loads without a snapshot"] != 2 || len(got) != 3 {
		t.Errorf("counts %v", got)
	}
}
