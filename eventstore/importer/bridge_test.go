// SPDX-License-Identifier: Apache-2.0

package importer_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/dynamotable/ddb"
	"github.com/dynamotable/ddb/ddbtest"
	"github.com/dynamotable/ddb/ddbtest/fault"
	"github.com/dynamotable/ddb/eventstore"
	"github.com/dynamotable/ddb/eventstore/importer"
)

func newBridge(t testing.TB, client ddb.Client, o importer.SchemelessBridgeOptions) *importer.SchemelessBridge {
	t.Helper()
	b, err := importer.NewSchemelessBridge(client, schemelessTable, o)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func placed(id, data string) eventstore.NewEvent {
	return eventstore.NewEvent{ID: id, Type: "placed", Data: []byte(data)}
}

func TestBridgeAppend(t *testing.T) {
	client := ddbtest.New(t)
	seedTable(t, client, schemelessTable, "id", "created", false, []item{schemelessItem("a", "1", 1, schemelessStart), schemelessHead("1", 1)})
	b := newBridge(t, client, importer.SchemelessBridgeOptions{})
	at := schemelessStart.Add(time.Minute + 123456789*time.Nanosecond)
	for range 2 { // the second is a repeat
		last, err := b.Append(t.Context(), "order", "1", 1, at, placed("b", `{"n":1}`), eventstore.NewEvent{
			ID: "c", Type: "sent", Schema: 3, Metadata: map[string]string{"user": "x", importer.SequenceKey: "9"}, CorrelationID: "corr", CausationID: "caus",
		})
		if err != nil || last != 3 {
			t.Fatalf("%d, %v", last, err)
		}
	}
	_, err := b.Append(t.Context(), "order", "1", 1, at, placed("d", `1`))
	if moved, ok := errors.AsType[*importer.WrongExpectedSequence](err); !ok || moved.Actual != 3 || !errors.Is(err, importer.ErrWrongExpectedSequence) {
		t.Errorf("an old sequence: %v", err)
	}
	if _, err := b.Append(t.Context(), "order", "1", 3, at, placed("c", `1`), placed("d", `1`)); !errors.Is(err, eventstore.ErrCorruptIdempotency) {
		t.Errorf("a part of the events exists: %v", err)
	}
	if last, err := b.Append(t.Context(), "order", "", 0, at, placed("e", ``)); err != nil || last != 1 {
		t.Errorf("a stream without an identifier: %d, %v", last, err)
	}
	var items []string
	for _, it := range scanned(t, client) {
		items = append(items, shown(it))
	}
	for _, want := range []string{
		"created=2026-02-01T00:00:59.123Z domain=order id=EventID#b identifier=1 payload={\"n\":1} sequence=2 timeBucket=2026-02 type=placed",
		"causationId=caus correlationId=corr created=2026-02-01T00:00:59.123Z domain=order id=EventID#c identifier=1 meta=map[schemaVersion:3 user:x] sequence=3 timeBucket=2026-02 type=sent",
		"created=2026-02-01T00:00:59.123Z domain=order id=EventID#e sequence=1 timeBucket=2026-02 type=placed",
		"created=HEAD id=EventID#HEAD::order::1 version=3",
		"created=HEAD id=EventID#HEAD::order:: version=1",
	} {
		if !strings.Contains("\n"+strings.Join(items, "\n")+"\n", "\n"+want+"\n") {
			t.Errorf("no item %s in\n%s", want, strings.Join(items, "\n"))
		}
	}
	store := newStore(t, client)
	src := schemelessSource(t, client)
	imported(t, src, store, 4)
	verified(t, src, store)
}

func TestBridgeRefused(t *testing.T) {
	client := ddbtest.New(t)
	seedTable(t, client, schemelessTable, "id", "created", false, nil)
	b := newBridge(t, client, importer.SchemelessBridgeOptions{})
	many := make([]eventstore.NewEvent, 100)
	for i := range many {
		many[i] = placed(fmt.Sprint(i), "")
	}
	together := make([]eventstore.NewEvent, 11)
	for i := range together {
		together[i] = placed(fmt.Sprint(i), `"`+strings.Repeat("x", 300_000)+`"`)
	}
	for what, tc := range map[string]struct {
		domain string
		events []eventstore.NewEvent
		want   string
	}{
		"no domain": {"", []eventstore.NewEvent{placed("a", "")}, "the domain"},
		"a domain":  {"a::b", []eventstore.NewEvent{placed("a", "")}, "the domain"},
		"none":      {"order", nil, "0 events"},
		"many":      {"order", many, "100 events"},
		"no id":     {"order", []eventstore.NewEvent{{Type: "x"}}, "event 0 has no id"},
		"two ids":   {"order", []eventstore.NewEvent{placed("a", ""), placed("a", "")}, "event 1 has no id"},
		"not JSON":  {"order", []eventstore.NewEvent{placed("a", "secret")}, "not JSON"},
		"large":     {"order", []eventstore.NewEvent{placed("a", `"`+strings.Repeat("x", 400_000)+`"`)}, "the option Store"},
		"together":  {"order", together, "at once"},
		"metadata":  {"order", []eventstore.NewEvent{{ID: "a", Type: "x", Metadata: map[string]string{importer.MetadataKey: "secret"}}}, "import-metadata are not JSON"},
	} {
		t.Run(what, func(t *testing.T) {
			_, err := b.Append(t.Context(), tc.domain, "1", importer.AnySequence, schemelessStart, tc.events...)
			if !errors.Is(err, ddb.ErrInvalid) || !strings.Contains(err.Error(), tc.want) || strings.Contains(err.Error(), "secret") {
				t.Errorf("%v", err)
			}
		})
	}
	if _, err := importer.NewSchemelessBridge(client, schemelessTable, importer.SchemelessBridgeOptions{Store: func(context.Context, string, string, []byte) error { return nil }}); !errors.Is(err, ddb.ErrInvalid) {
		t.Errorf("a store without a bucket: %v", err)
	}
}

// TestBridgeHandle: events of the new store are copied to the old table once, and imported events are not copied back.
func TestBridgeHandle(t *testing.T) {
	client := ddbtest.New(t)
	seedTable(t, client, schemelessTable, "id", "created", false, []item{
		schemelessItem("b", "1", 1, schemelessStart), schemelessItem("a", "1", 2, schemelessStart), schemelessItem("a", "1", 3, schemelessStart.Add(time.Second)),
		schemelessHead("1", 3),
	})
	objects := map[string][]byte{}
	bridge := newBridge(t, client, importer.SchemelessBridgeOptions{Bucket: "events", Store: func(_ context.Context, bucket, key string, body []byte) error {
		objects[bucket+"/"+key] = bytes.Clone(body)
		return nil
	}})
	src, err := importer.Schemeless(client, schemelessTable, importer.SchemelessOptions{Fetch: func(_ context.Context, bucket, key string) ([]byte, error) {
		return objects[bucket+"/"+key], nil
	}})
	if err != nil {
		t.Fatal(err)
	}
	store, err := eventstore.New(client, "new-events", eventstore.Sequenced(1), eventstore.Frames(64<<10))
	if err == nil {
		err = store.EnsureTable(t.Context())
	}
	if err != nil {
		t.Fatal(err)
	}
	imported(t, src, store, 3)
	large := `"` + strings.Repeat("<x>", 120_000) + `"`
	var list []eventstore.NewEvent
	for i := range 150 {
		list = append(list, placed(fmt.Sprintf("n%03d", i), fmt.Sprint(i)))
	}
	for stream, events := range map[string][]eventstore.NewEvent{"order-1": list, "order-2": {placed("large", large)}, "stock": {placed("s", "")}} {
		if _, err := store.Append(t.Context(), stream, eventstore.Any(), eventstore.Events(events)); err != nil {
			t.Fatal(err)
		}
	}
	for range 2 { // the second from the beginning again
		for c, err := range store.Feed().Read(t.Context(), eventstore.Position{}) {
			if err == nil {
				err = bridge.Handle(t.Context(), c)
			}
			if err != nil {
				t.Fatal(err)
			}
		}
	}
	again := newStoreIn(t, client, "again-events")
	imported(t, src, again, 3+150+1+1)
	verified(t, src, again)
	if got := order(t, again, "order-1"); !strings.HasPrefix(got, "b a ") || !strings.Contains(got, " n000 n001 ") || !strings.HasSuffix(got, " n149") {
		t.Error(got)
	}
	for e, err := range again.Read(t.Context(), "order-2") {
		if err != nil || string(e.Data) != large {
			t.Errorf("%.100s, %v", e.Data, err)
		}
	}
	if len(objects) != 1 {
		t.Errorf("%d objects", len(objects))
	}
}

// shown returns an item as "attribute=value ...", in the order of attributes.
func shown(it item) string {
	list := make([]string, 0, len(it))
	for name, value := range it {
		list = append(list, name+"="+plain(value))
	}
	slices.Sort(list)
	return strings.Join(list, " ")
}

func plain(v types.AttributeValue) string {
	switch v := v.(type) {
	case *types.AttributeValueMemberS:
		return v.Value
	case *types.AttributeValueMemberN:
		return v.Value
	case *types.AttributeValueMemberM:
		m := map[string]string{}
		for name, value := range v.Value {
			m[name] = plain(value)
		}
		return fmt.Sprint(m)
	}
	return fmt.Sprintf("%T", v)
}

func scanned(t testing.TB, client *dynamodb.Client) []item {
	t.Helper()
	out, err := client.Scan(t.Context(), &dynamodb.ScanInput{TableName: new(schemelessTable)})
	if err != nil {
		t.Fatal(err)
	}
	return out.Items
}

// TestBridgeStorm: writers of one stream whose requests and replies are lost at random number every event once and without gaps.
func TestBridgeStorm(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		on := fault.On("TransactWriteItems", "GetItem", "BatchGetItem")
		e := ddbtest.NewEngine(ddbtest.WithSeed(7), ddbtest.WithFaults(
			on.Chance(0.05).DropReply(), on.Chance(0.05).DropRequest(), on.Chance(0.03).Applied().InternalError(), on.Chance(0.03).Throttle(),
			on.Chance(0.02).Duplicate(), on.Chance(0.05).Late(time.Second), fault.On("TransactWriteItems").Chance(0.05).Conflict(),
		))
		defer e.Close()
		client := e.Client()
		seedTable(t, client, schemelessTable, "id", "created", false, nil)
		b := newBridge(t, client, importer.SchemelessBridgeOptions{})
		const writers, appends = 6, 10
		var wg sync.WaitGroup
		for w := range writers {
			wg.Go(func() {
				for i := range appends {
					events := []eventstore.NewEvent{placed(fmt.Sprintf("%d-%d-a", w, i), ""), placed(fmt.Sprintf("%d-%d-b", w, i), "")}
					for tries := 0; ; tries++ {
						_, err := b.Append(t.Context(), "order", "1", importer.AnySequence, schemelessStart, events...)
						if err == nil {
							break
						}
						if tries == 20 {
							t.Error(err)
							return
						}
					}
				}
			})
		}
		wg.Wait()
		ids, numbers := map[string]bool{}, map[string]bool{}
		for _, it := range scanned(t, client) {
			if plain(it["created"]) == "HEAD" {
				if got := plain(it["version"]); got != fmt.Sprint(2*writers*appends) {
					t.Errorf("the head is at %s", got)
				}
				continue
			}
			ids[plain(it["id"])], numbers[plain(it["sequence"])] = true, true
		}
		if len(ids) != 2*writers*appends || len(numbers) != len(ids) || !numbers["1"] || !numbers[fmt.Sprint(len(ids))] {
			t.Errorf("%d events with %d numbers", len(ids), len(numbers))
		}
	})
}
