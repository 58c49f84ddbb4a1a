// SPDX-License-Identifier: Apache-2.0

package importer_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"sort"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/dynamotable/ddb"
	"github.com/dynamotable/ddb/ddbclient"
	"github.com/dynamotable/ddb/ddbtest"
	"github.com/dynamotable/ddb/eventstore"
	"github.com/dynamotable/ddb/eventstore/importer"
	"github.com/dynamotable/ddb/internal/longtest"
	"github.com/dynamotable/ddb/progress"
	"github.com/dynamotable/ddb/schema"
)

func TestMain(m *testing.M) {
	longtest.CollectLess()
	goleak.VerifyTestMain(m)
}

// seedTable creates a table and writes items as the old system does.
func seedTable(t testing.TB, client *dynamodb.Client, name, pk, sk string, number bool, items []map[string]types.AttributeValue) {
	t.Helper()
	kind := types.ScalarAttributeTypeS
	if number {
		kind = types.ScalarAttributeTypeN
	}
	_, err := client.CreateTable(t.Context(), &dynamodb.CreateTableInput{
		TableName: &name, BillingMode: types.BillingModePayPerRequest,
		KeySchema:            []types.KeySchemaElement{{AttributeName: &pk, KeyType: types.KeyTypeHash}, {AttributeName: &sk, KeyType: types.KeyTypeRange}},
		AttributeDefinitions: []types.AttributeDefinition{{AttributeName: &pk, AttributeType: types.ScalarAttributeTypeS}, {AttributeName: &sk, AttributeType: kind}},
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, item := range items {
		if _, err := client.PutItem(t.Context(), &dynamodb.PutItemInput{TableName: &name, Item: item}); err != nil {
			t.Fatal(err)
		}
	}
}

func s(v string) types.AttributeValue { return &types.AttributeValueMemberS{Value: v} }
func n(v int) types.AttributeValue    { return &types.AttributeValueMemberN{Value: fmt.Sprint(v)} }
func b(v string) types.AttributeValue { return &types.AttributeValueMemberB{Value: []byte(v)} }

type item = map[string]types.AttributeValue

// dynamoES creates a table with unusual ids, a stream of over 2 MB, and one with a single event.
func dynamoES(t testing.TB, client *dynamodb.Client) importer.Source {
	t.Helper()
	var items []item
	for id, events := range map[string]int{"1": 130, "2:3": 5, "a#b": 3, "": 1} {
		for i := 1; i <= events; i++ {
			payload := fmt.Sprintf(`{"n":%d,"text":"%s"}`, i, strings.Repeat("x", 18_000*min(events/130, 1)))
			it := item{
				"AggregateTypeAndId": s("account:" + id), "AggregateIdSequence": n(i), "AggregateType": s("account"), "AggregateId": s(id),
				"EventType": s("Deposited"), "EventVersion": s("1.0"), "Payload": b(payload), "Metadata": b(`{"user":"x"}`),
			}
			if id == "" {
				it["AggregateId"] = s("")
			}
			items = append(items, it)
		}
	}
	seedTable(t, client, "Events", "AggregateTypeAndId", "AggregateIdSequence", true, items)
	src, err := importer.DynamoES(client, "Events", nil)
	if err != nil {
		t.Fatal(err)
	}
	return src
}

func newStore(t testing.TB, client ddb.Client) *eventstore.Store {
	t.Helper()
	return newStoreIn(t, client, "new-events")
}

func newStoreIn(t testing.TB, client ddb.Client, table string) *eventstore.Store {
	t.Helper()
	store, err := eventstore.New(client, table, eventstore.Sequenced(2))
	if err != nil {
		t.Fatal(err)
	}
	if err := store.EnsureTable(t.Context()); err != nil {
		t.Fatal(err)
	}
	return store
}

// whole imports a source and verifies it, twice.
func whole(t *testing.T, src importer.Source, store *eventstore.Store, streams, events int64, opts ...importer.Option) {
	t.Helper()
	dry, err := importer.Import(t.Context(), src, store, append(opts, importer.DryRun())...)
	if err != nil || dry.Streams != streams || dry.Events != events || dry.Written != 0 {
		t.Errorf("dry run: %+v, %v", dry, err)
	}
	for again := range 2 {
		var mu sync.Mutex
		handled := int64(0)
		jobs := progress.NewTracker()
		r, err := importer.Import(jobs.With(t.Context()), src, store, append(opts, importer.OnProgress(func(_ importer.Stream, n int64) {
			mu.Lock()
			handled += n
			mu.Unlock()
		}))...)
		written := events * int64(1-again)
		if err != nil || r.Streams != streams || r.Events != events || r.Written != written || handled != events {
			t.Errorf("import %d: %+v, %v, handled %d", again, r, err, handled)
		}
		if p, _ := jobs.Find("import of events"); p.State != progress.Done || p.Items != events || p.Counts[0] != (progress.Count{Name: "streams", N: streams}) || p.Units.Read == 0 {
			t.Errorf("import %d: the progress is %v", again, p)
		}
	}
	v, err := importer.Verify(t.Context(), src, store, opts...)
	if err != nil || v.Streams != streams || v.Events != events || len(v.Differences) != 0 {
		t.Errorf("verify: %+v, %v", v, err)
	}
}

func TestDynamoES(t *testing.T) {
	client := ddbtest.New(t)
	src, store := dynamoES(t, client), newStore(t, client)
	whole(t, src, store, 4, 139)
	for e, err := range store.Read(t.Context(), "account-2:3") {
		if err != nil || e.Type != "Deposited" || e.Schema != 1 || e.Metadata["user"] != "x" || e.Metadata[importer.TypeVersionKey] != "1.0" {
			t.Errorf("%+v, %v", e, err)
		}
	}
}

func TestDynamoESViews(t *testing.T) {
	client := ddbtest.New(t)
	views, err := importer.DynamoESViews(client, "Views")
	if err != nil {
		t.Fatal(err)
	}
	snapshots, err := importer.DynamoESSnapshots(client, "Snapshots")
	if err != nil {
		t.Fatal(err)
	}
	for _, create := range []func(context.Context, ...schema.Option) error{views.CreateTable, snapshots.CreateTable} {
		if err := create(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	put := func(table string, it item) {
		if _, err := client.PutItem(t.Context(), &dynamodb.PutItemInput{TableName: &table, Item: it}); err != nil {
			t.Fatal(err)
		}
	}
	put("Views", item{"ViewId": s("v"), "ViewVersion": n(7), "Payload": b("{}")})
	put("Snapshots", item{"AggregateTypeAndId": s("a:1"), "AggregateType": s("a"), "AggregateId": s("1"), "CurrentSequence": n(9), "CurrentSnapshot": n(2), "Payload": b("{}")})
	v, err := views.Get(t.Context(), "v")
	if err != nil || v.Version != 7 {
		t.Fatalf("%+v, %v", v, err)
	}
	old := v
	v.Payload = []byte(`{"a":1}`)
	if err := views.Put(t.Context(), &v); err != nil {
		t.Error(err)
	}
	if err := views.Put(t.Context(), &old); !errors.Is(err, ddb.ErrConditionFailed) {
		t.Errorf("a write at an old version: %v", err)
	}
	if sn, err := snapshots.Get(t.Context(), "a:1"); err != nil || sn.Sequence != 9 || string(sn.Payload) != "{}" {
		t.Errorf("%+v, %v", sn, err)
	}
}

func TestAngzarr(t *testing.T) {
	for _, layout := range []importer.AngzarrLayout{importer.AngzarrDocumented, importer.AngzarrCode} {
		t.Run(string(layout), func(t *testing.T) {
			client := ddbtest.New(t)
			var items []item
			sk := "sk"
			if layout == importer.AngzarrCode {
				sk = "seq"
			}
			for _, key := range []string{"order#angzarr#1", "order##2", "order#what-if#1", "a%23b#angzarr#%25"} {
				for i := range 95 {
					it := item{"pk": s(key), sk: n(i)}
					if layout == importer.AngzarrCode {
						it["event"] = b(fmt.Sprint("message ", i))
					} else {
						it["event_type"], it["payload"], it["correlation_id"], it["created_at"] = s("placed"), b("x"), s("corr"), s("2026-03-01T10:00:00.5+02:00")
					}
					items = append(items, it)
				}
			}
			seedTable(t, client, "angzarr-events", "pk", sk, true, items)
			src, err := importer.Angzarr(client, "angzarr-events", importer.AngzarrOptions{Layout: layout})
			if err != nil {
				t.Fatal(err)
			}
			store := newStore(t, client)
			whole(t, src, store, 4, 380)
			for _, name := range []string{"order-1", "order-2", eventstore.EditionStream("order-1", "what-if"), "a#b-%"} {
				count := 0
				for e, err := range store.Read(t.Context(), name) {
					if err != nil || e.Metadata[importer.SequenceKey] != fmt.Sprint(e.Version-1) {
						t.Fatalf("%s: %+v, %v", name, e, err)
					}
					if layout == importer.AngzarrDocumented && (e.CorrelationID != "corr" || e.Metadata[importer.RecordedAtKey] != "2026-03-01T08:00:00.5Z") {
						t.Fatalf("%s: %+v", name, e)
					}
					count++
				}
				if count != 95 {
					t.Errorf("%s has %d events", name, count)
				}
			}
		})
	}
}

// TestSchemeless has events without numbers, as older versions of the adapter wrote them.
func TestSchemeless(t *testing.T) {
	client := ddbtest.New(t)
	at := time.Date(2026, 1, 31, 23, 59, 59, 0, time.UTC)
	var items []item
	for i := range 200 {
		at = at.Add(time.Second)
		it := item{
			"id": s(fmt.Sprintf("EventID#%04d", 999-i)), "created": s(at.Format("2006-01-02T15:04:05.000Z")), "domain": s("order"), "type": s("placed"),
			"identifier": s([]string{"1", "2::3", ""}[i%3]), "correlationId": s("corr"), "causationId": s("caus"),
			"payload": s(fmt.Sprintf(`{"n":%d}`, i)), "meta": &types.AttributeValueMemberM{Value: item{"user": s("x")}}, "timeBucket": s("2026-02"),
		}
		switch i {
		case 5:
			it["payload"] = &types.AttributeValueMemberM{Value: item{"n": n(i)}}
		case 7:
			delete(it, "payload")
			it["s3Reference"] = s("bucket::some/key")
		}
		if i%3 == 2 {
			delete(it, "identifier")
		}
		items = append(items, it)
	}
	seedTable(t, client, "schemeless-event-store", "id", "created", false, items)
	options := importer.SchemelessOptions{Fetch: func(_ context.Context, bucket, key string) ([]byte, error) {
		if bucket != "bucket" || key != "some/key" {
			t.Errorf("fetched %s, %s", bucket, key)
		}
		return json.Marshal(map[string]any{"domain": "order", "type": "placed", "payload": map[string]int{"n": 7}})
	}}
	src, err := importer.Schemeless(client, "schemeless-event-store", options)
	if err != nil {
		t.Fatal(err)
	}
	store := newStore(t, client)
	whole(t, src, store, 3, 200)
	seen := map[string]bool{}
	for _, name := range []string{"order-1", "order-2::3", "order-"} {
		last := -1
		for e, err := range store.Read(t.Context(), name) {
			var p struct{ N int }
			if err != nil || json.Unmarshal(e.Data, &p) != nil || p.N <= last || seen[e.ID] {
				t.Fatalf("%s: %+v after %d, %v", name, e, last, err)
			}
			last, seen[e.ID] = p.N, true
			if p.N != 7 && (e.CorrelationID != "corr" || e.CausationID != "caus" || e.Metadata["user"] != "x") || e.Metadata[importer.RecordedAtKey] == "" {
				t.Errorf("%+v", e)
			}
		}
	}
	if len(seen) != 200 {
		t.Errorf("%d events", len(seen))
	}
	plain, err := importer.Schemeless(client, "schemeless-event-store", importer.SchemelessOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := importer.Verify(t.Context(), plain, store); err == nil || !strings.Contains(err.Error(), "Fetch") {
		t.Errorf("without Fetch: %v", err)
	}
}

// dying passes a number of requests and fails all later ones.
type dying struct {
	next aws.HTTPClient
	mu   sync.Mutex
	left int
}

func (d *dying) Do(req *http.Request) (*http.Response, error) {
	d.mu.Lock()
	d.left--
	dead := d.left < 0
	d.mu.Unlock()
	if dead {
		return nil, errors.New("the importer was killed")
	}
	return d.next.Do(req)
}

// TestResume stops the import at every request, and resumes it each time.
func TestResume(t *testing.T) {
	for what, tc := range map[string]struct {
		seed   func(t *testing.T, client *dynamodb.Client)
		open   func(client ddb.Client) (importer.Source, error)
		events int64
	}{
		"numbers": {
			func(t *testing.T, client *dynamodb.Client) { dynamoES(t, client) },
			func(client ddb.Client) (importer.Source, error) { return importer.DynamoES(client, "Events", nil) }, 139,
		},
		"without numbers": {
			func(t *testing.T, client *dynamodb.Client) {
				var items []item
				for i := range 170 {
					items = append(items, schemelessItem(fmt.Sprint(999-i), fmt.Sprint(i%2), 0, schemelessStart.Add(time.Duration(i)*time.Second)))
				}
				seedTable(t, client, schemelessTable, "id", "created", false, items)
			},
			func(client ddb.Client) (importer.Source, error) {
				return importer.Schemeless(client, schemelessTable, importer.SchemelessOptions{})
			}, 170,
		},
		"requests": {
			func(t *testing.T, client *dynamodb.Client) {
				var items []item
				for i := range 100 {
					items = append(items, page("order#angzarr#"+rootA, i, "e", item{"external_id": s([]string{"a", "bulk", "c"}[min(i/4, 1)+i/96])}))
				}
				seedTable(t, client, angzarrTable, "pk", "seq", true, items)
			},
			func(client ddb.Client) (importer.Source, error) {
				return importer.Angzarr(client, angzarrTable, codeOptions())
			}, 100,
		},
	} {
		t.Run(what, func(t *testing.T) {
			e := ddbtest.NewEngine()
			defer e.Close()
			clean := e.Client()
			tc.seed(t, clean)
			src, err := tc.open(clean)
			if err != nil {
				t.Fatal(err)
			}
			store := newStore(t, clean)
			for left, done := 0, false; !done; left += longtest.Every(5) {
				if left >= 1000 {
					t.Fatal("it does not end")
				}
				client, err := ddbclient.New(t.Context(), ddbclient.WithHTTPClient(&dying{next: e, left: left}), ddbclient.WithEndpoint("http://127.0.0.1:1"), ddbclient.WithMaxAttempts(1),
					ddbclient.WithConfig(aws.Config{Region: "eu-central-1", Credentials: credentials.NewStaticCredentialsProvider("id", "secret", "")}))
				if err != nil {
					t.Fatal(err)
				}
				dyingStore, err1 := eventstore.New(client, "new-events", eventstore.Sequenced(2), eventstore.MaxTries(1))
				dyingSource, err2 := tc.open(client)
				if err := errors.Join(err1, err2); err != nil {
					t.Fatal(err)
				}
				_, err = importer.Import(t.Context(), dyingSource, dyingStore, importer.Concurrency(2))
				done = err == nil
			}
			imported(t, src, store, 0)
			if v, err := importer.Verify(t.Context(), src, store); err != nil || len(v.Differences) != 0 || v.Events != tc.events {
				t.Errorf("%+v, %v", v, err)
			}
			for st, err := range src.Streams(t.Context()) {
				if err != nil {
					t.Fatal(err)
				}
				for ev, err := range store.Read(t.Context(), st.Name) {
					if err != nil || ev.Metadata[importer.LateKey] != "" {
						t.Fatalf("%+v, %v", ev, err)
					}
				}
			}
		})
	}
}

func TestRefused(t *testing.T) {
	esItem := func(change func(item)) item {
		it := item{
			"AggregateTypeAndId": s("a:1"), "AggregateIdSequence": n(1), "AggregateType": s("a"), "AggregateId": s("1"),
			"EventType": s("secret"), "EventVersion": s("1"), "Payload": b("secret"), "Metadata": b("[secret"),
		}
		change(it)
		return it
	}
	for what, tc := range map[string]struct {
		items []item
		want  error
		text  string
	}{
		"no type":            {[]item{esItem(func(i item) { delete(i, "EventType") })}, importer.ErrMalformed, "EventType"},
		"another key":        {[]item{esItem(func(i item) { i["AggregateId"] = s("2") })}, importer.ErrMalformed, "AggregateTypeAndId"},
		"a wrong type":       {[]item{esItem(func(i item) { i["Payload"] = n(7) })}, nil, "Payload"},
		"a gap":              {[]item{esItem(func(item) {}), esItem(func(i item) { i["AggregateIdSequence"] = n(3) })}, importer.ErrSequence, "3 follows 1"},
		"a late beginning":   {[]item{esItem(func(i item) { i["AggregateIdSequence"] = n(2) })}, importer.ErrSequence, "2 follows"},
		"odd metadata":       {[]item{esItem(func(item) {})}, nil, ""},
		"no metadata":        {[]item{esItem(func(i item) { delete(i, "Metadata") })}, nil, ""},
		"an incomplete type": {[]item{esItem(func(i item) { i["EventVersion"] = s("beta") })}, nil, ""},
	} {
		t.Run(what, func(t *testing.T) {
			client := ddbtest.New(t)
			seedTable(t, client, "Events", "AggregateTypeAndId", "AggregateIdSequence", true, tc.items)
			src, err := importer.DynamoES(client, "Events", nil)
			if err != nil {
				t.Fatal(err)
			}
			store := newStore(t, client)
			_, err = importer.Import(t.Context(), src, store)
			if tc.want == nil && tc.text == "" {
				if err != nil {
					t.Error(err)
				}
				return
			}
			if err == nil || tc.want != nil && !errors.Is(err, tc.want) || !strings.Contains(err.Error(), tc.text) || strings.Contains(err.Error(), "secret") {
				t.Errorf("%v", err)
			}
			if errors.Is(err, importer.ErrSequence) {
				whole(t, src, store, 1, int64(len(tc.items)), importer.Renumber())
			}
		})
	}
}

// TestDifferences: every change and addition in the new store is found.
func TestDifferences(t *testing.T) {
	client := ddbtest.New(t)
	src := dynamoES(t, client)
	store := newStore(t, client)
	if _, err := store.Append(t.Context(), "account-a#b", eventstore.NoStream(), eventstore.NewEvent{Type: "Deposited", Data: []byte("other")}); err != nil {
		t.Fatal(err)
	}
	v, err := importer.Verify(t.Context(), src, store)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, d := range v.Differences {
		if d.Stream == "account-a#b" {
			got = append(got, fmt.Sprintf("%d %s", d.Version, d.What))
		}
	}
	sort.Strings(got)
	if text := strings.Join(got, ", "); text != "1 it is missing, 1 it is not in the source, 2 it is missing, 3 it is missing" {
		t.Errorf("%s", text)
	}
	if len(v.Differences) != 4+136 {
		t.Errorf("%d differences", len(v.Differences))
	}
	if _, err := importer.Import(t.Context(), src, store); !errors.Is(err, importer.ErrForeign) {
		t.Errorf("a stream that begins with another event: %v", err)
	}
	// A stream with further events differs from the source's.
	if err := store.Reset(t.Context(), schema.AllowDelete(store.Name())); err != nil {
		t.Fatal(err)
	}
	if _, err := importer.Import(t.Context(), src, store); err != nil {
		t.Fatal(err)
	}
	if _, err := store.Append(t.Context(), "account-1", eventstore.Exactly(130), eventstore.NewEvent{Type: "new"}); err != nil {
		t.Fatal(err)
	}
	if _, err = importer.Import(t.Context(), src, store); !errors.Is(err, importer.ErrForeign) {
		t.Errorf("a stream with further events: %v", err)
	}
	if _, err := importer.Import(t.Context(), nil, nil, importer.Concurrency(0)); !errors.Is(err, ddb.ErrInvalid) {
		t.Errorf("bad input: %v", err)
	}
}

// TestUniqueIDs: a store with unique ids accepts fewer events in one append, and an import continues where it stopped.
func TestUniqueIDs(t *testing.T) {
	client := ddbtest.New(t)
	src := dynamoES(t, client)
	store, err := eventstore.New(client, "new-events", eventstore.UniqueIDs(), eventstore.Sequenced(2))
	if err == nil {
		err = store.EnsureTable(t.Context())
	}
	if err != nil {
		t.Fatal(err)
	}
	whole(t, src, store, 4, 139)
	for e, err := range store.Read(t.Context(), "account-1", eventstore.From(130)) {
		if err != nil {
			t.Fatal(err)
		}
		if found, err := store.EventByID(t.Context(), e.ID); err != nil || found.Version != 130 {
			t.Errorf("%+v, %v", found, err)
		}
	}
}
