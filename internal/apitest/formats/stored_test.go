// SPDX-License-Identifier: Apache-2.0

package formats_test

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/dynamotable/ddb"
	"github.com/dynamotable/ddb/change"
	"github.com/dynamotable/ddb/eventstore"
	"github.com/dynamotable/ddb/grant"
	"github.com/dynamotable/ddb/job"
	"github.com/dynamotable/ddb/pagetoken"
	"github.com/dynamotable/ddb/payload"
	"github.com/dynamotable/ddb/position"
	"github.com/dynamotable/ddb/revision"
	"github.com/dynamotable/ddb/snapshot"
	"github.com/dynamotable/ddb/sweep"
	"github.com/dynamotable/ddb/unique"
)

// row is an item of a table with every attribute that the root package adds.
type row struct {
	ID       string       `dynamodbav:"id"`
	Name     string       `dynamodbav:"name"`
	Created  time.Time    `dynamodbav:"created,unixtime"`
	Revision ddb.Revision `dynamodbav:"revision"`
}

type reservation struct {
	ID    string `dynamodbav:"id"`
	Owner string `dynamodbav:"owner"`
}

type message struct {
	Room string `dynamodbav:"room"`
	At   int    `dynamodbav:"at"`
	Text string `dynamodbav:"text"`
}

var (
	rowID            = ddb.StrField(func(r *row) *string { return &r.ID })
	rowName          = ddb.StrField(func(r *row) *string { return &r.Name })
	rowRevision      = ddb.Field(func(r *row) *ddb.Revision { return &r.Revision })
	reservationID    = ddb.StrField(func(r *reservation) *string { return &r.ID })
	reservationOwner = ddb.StrField(func(r *reservation) *string { return &r.Owner })
	messageRoom      = ddb.StrField(func(m *message) *string { return &m.Room })
	messageAt        = ddb.NumField(func(m *message) *int { return &m.At })
)

func rows(t *testing.T, client *dynamodb.Client) *ddb.SimpleTable[row, string] {
	t.Helper()
	table, err := ddb.NewSimple(client, "rows", rowID, ddb.Version(rowRevision), ddb.Tombstones("deleted", time.Hour))
	must(t, err)
	return table
}

// Revisions and tombstones.
func TestRows(t *testing.T) {
	ctx := context.Background()
	check(t, "rows", func(t *testing.T, client *dynamodb.Client) {
		must(t, rows(t, client).CreateTable(ctx))
	}, func(t *testing.T, client *dynamodb.Client) {
		table := rows(t, client)
		r := row{ID: "kept", Name: "one"}
		must(t, table.Create(ctx, &r))
		r.Name = "two"
		must(t, table.Put(ctx, &r))
		_, err := table.Update(ctx, "kept", rowName.Set("three"))
		must(t, err)
		gone := row{ID: "gone"}
		must(t, table.Create(ctx, &gone))
		must(t, table.DeleteItem(ctx, &gone))
	}, func(t *testing.T, client *dynamodb.Client) {
		table := rows(t, client)
		r, err := table.Get(ctx, "kept")
		must(t, err)
		if r.Name != "three" || r.Revision.Number != 3 {
			t.Errorf("read %q of revision %d", r.Name, r.Revision.Number)
		}
		tag := r.Revision.ETag()
		back, err := revision.ParseETag(tag)
		must(t, err)
		if back.ETag() != tag {
			t.Errorf("ETag %s is read back as %s", tag, back.ETag())
		}
		must(t, table.Put(ctx, &r))
		if _, err := table.Get(ctx, "gone"); err == nil {
			t.Error("a deleted item was read")
		}
		must(t, table.Create(ctx, &row{ID: "gone"}))
	})
}

func TestUnique(t *testing.T) {
	ctx := context.Background()
	names := func(t *testing.T, client *dynamodb.Client) *unique.Values[reservation, string, string] {
		t.Helper()
		table, err := ddb.NewSimple(client, "reservations", reservationID)
		must(t, err)
		unique, err := unique.New(table, "email", reservationOwner)
		must(t, err)
		return unique
	}
	check(t, "unique", func(t *testing.T, client *dynamodb.Client) {
		table, err := ddb.NewSimple(client, "reservations", reservationID)
		must(t, err)
		must(t, table.CreateTable(ctx))
	}, func(t *testing.T, client *dynamodb.Client) {
		u := names(t, client)
		must(t, ddb.Transact(ctx, client, u.TxReserve("tenant", "a#b@example.org", "u1"), u.TxReserve("", strings.Repeat("x", 300), "u2")))
	}, func(t *testing.T, client *dynamodb.Client) {
		u := names(t, client)
		if err := ddb.Transact(ctx, client, u.TxReserve("tenant", "a#b@example.org", "u3")); err == nil {
			t.Error("a reserved value was reserved again")
		}
		must(t, ddb.Transact(ctx, client, u.TxRelease("tenant", "a#b@example.org", "u1"), u.TxRelease("", strings.Repeat("x", 300), "u2")))
	})
}

// The states of jobs.
func TestJobs(t *testing.T) {
	ctx := context.Background()
	store := func(t *testing.T, client *dynamodb.Client) *job.TableStore {
		t.Helper()
		s, err := job.NewTableStore(client, "jobs")
		must(t, err)
		return s
	}
	running := job.State{Position: "position", Token: "token", Owner: "host, process 7", Until: time.UnixMilli(946684860123).UTC(), Runs: 2}
	check(t, "jobs", func(t *testing.T, client *dynamodb.Client) {
		must(t, store(t, client).EnsureTable(ctx))
	}, func(t *testing.T, client *dynamodb.Client) {
		s := store(t, client)
		must(t, s.Swap(ctx, "running", job.State{}, running))
		must(t, s.Swap(ctx, "done", job.State{}, job.State{Runs: 1}))
	}, func(t *testing.T, client *dynamodb.Client) {
		s := store(t, client)
		if is, err := s.Load(ctx, "running"); err != nil || is != running {
			t.Errorf("%v, %v", is, err)
		}
		if is, err := s.Load(ctx, "done"); err != nil || is != (job.State{Runs: 1}) {
			t.Errorf("%v, %v", is, err)
		}
	})
}

// handed are the texts that programs get and pass back.
type handed struct {
	Cursor   string
	Token    string
	ETag     string
	Revision json.RawMessage
	Payload  string
	Position string
	Sweep    string
}

func TestTexts(t *testing.T) {
	file := filepath.Join("testdata", "texts.json")
	ctx := context.Background()
	client := open(t)
	table, err := ddb.New(client, "messages", messageRoom, messageAt)
	must(t, err)
	must(t, table.CreateTable(ctx))
	for i := range 4 {
		must(t, table.Put(ctx, &message{Room: "go", At: i, Text: "text"}))
	}
	tokens, err := pagetoken.New(pagetoken.Key{ID: "1", Secret: []byte(strings.Repeat("k", 32))})
	must(t, err)
	objects, err := payload.New(payload.Memory(), payload.Clock(func() time.Time { return time.Date(2026, 11, 29, 0, 0, 0, 0, time.UTC) }))
	must(t, err)
	q := table.Query("go").Limit(2)

	page, err := q.Page(ctx)
	must(t, err)
	now := handed{Cursor: page.Next.String()}
	now.Token, err = tokens.Seal(page.Next, pagetoken.ForTenant("t"), pagetoken.ValidFor(99*365*24*time.Hour))
	must(t, err)
	now.Payload, err = objects.Store(ctx, "space", []byte(strings.Repeat("payload ", 1000)))
	must(t, err)
	now.Position, err = feedPosition(t, client)
	must(t, err)
	now.Sweep = sweepPosition(t, table)
	revisions := rows(t, client)
	must(t, revisions.CreateTable(ctx))
	r := row{ID: "r"}
	must(t, revisions.Create(ctx, &r))
	now.ETag = r.Revision.ETag()
	now.Revision, err = json.Marshal(r.Revision)
	must(t, err)
	if *update {
		text, err := json.MarshalIndent(now, "", "  ")
		must(t, err)
		must(t, os.WriteFile(file, append(text, '\n'), 0o600))
	}
	text, err := os.ReadFile(file)
	must(t, err)
	var before handed
	must(t, json.Unmarshal(text, &before))

	if now.Cursor != before.Cursor {
		t.Errorf("a cursor was %q, is %q", before.Cursor, now.Cursor)
	}
	if now.Payload != before.Payload {
		t.Errorf("a payload reference was %q, is %q", before.Payload, now.Payload)
	}
	if now.Position != before.Position {
		t.Errorf("a position was %q, is %q", before.Position, now.Position)
	}
	if now.Sweep != before.Sweep {
		t.Errorf("the position of a sweep was %q, is %q", before.Sweep, now.Sweep)
	}
	if len(now.Token) != len(before.Token) || len(now.ETag) != len(before.ETag) || len(now.Revision) != len(before.Revision) {
		t.Errorf("lengths: token %d, %d; ETag %d, %d; revision %d, %d",
			len(before.Token), len(now.Token), len(before.ETag), len(now.ETag), len(before.Revision), len(now.Revision))
	}
	cursor, err := table.ParseCursor(before.Cursor)
	must(t, err)
	next, err := q.After(cursor).Page(ctx)
	must(t, err)
	if len(next.Items) != 2 || next.Items[0].At != 2 {
		t.Errorf("after the cursor of the earlier format: %+v", next.Items)
	}
	cursor, err = pagetoken.Open(tokens, q, before.Token, pagetoken.ForTenant("t"))
	must(t, err)
	if cursor.String() != before.Cursor {
		t.Error("the token of the earlier format has another cursor")
	}
	revision, err := revision.ParseETag(before.ETag)
	must(t, err)
	var same ddb.Revision
	must(t, json.Unmarshal(before.Revision, &same))
	if revision.ETag() != before.ETag || same.ETag() != before.ETag {
		t.Error("the revision of the earlier format is read as another one")
	}
	resumed, err := sweep.Of(table.Scan()).Resume(before.Sweep)
	must(t, err)
	left := 0
	for page, err := range resumed.Pages(ctx) {
		must(t, err)
		left += len(page.Items)
	}
	if left != 2 {
		t.Errorf("after the position of a sweep of the earlier format: %d items", left)
	}
	data, err := objects.Fetch(ctx, before.Payload)
	must(t, err)
	if len(data) != 8000 {
		t.Errorf("the payload reference of the earlier format has %d bytes", len(data))
	}
}

// sweepPosition returns the position of a sweep after the second of four items.
func sweepPosition(t *testing.T, table *ddb.Table[message, string, int]) (position string) {
	t.Helper()
	items := 0
	for page, err := range sweep.Of(table.Scan().PageSize(1), sweep.Segments(12), sweep.Workers(1)).Pages(context.Background()) {
		must(t, err)
		if items += len(page.Items); items == 2 {
			return page.Position()
		}
	}
	t.Fatal("the sweep has no second item")
	return ""
}

func feedPosition(t *testing.T, client *dynamodb.Client) (string, error) {
	t.Helper()
	ctx := context.Background()
	store, err := eventstore.New(client, "feed", eventstore.Sequenced(2))
	must(t, err)
	must(t, store.EnsureTable(ctx))
	_, err = store.Append(ctx, "account-1", eventstore.NoStream(), eventstore.NewEvent{ID: "e1", Type: "opened", Data: []byte("{}")})
	must(t, err)
	position, err := store.ReplayAll(ctx, eventstore.Position{}, func(context.Context, eventstore.Event) error { return nil })
	if err != nil {
		return "", err
	}
	text, err := position.MarshalText()
	return string(text), err
}

func TestEvents(t *testing.T) {
	ctx := context.Background()
	store := func(t *testing.T, client *dynamodb.Client) *eventstore.Store {
		t.Helper()
		s, err := eventstore.New(client, "events", eventstore.Sequenced(2), eventstore.ByCorrelation(), eventstore.ByCausation(),
			eventstore.ByCategory(2, nil), eventstore.UniqueIDs())
		must(t, err)
		return s
	}
	framed := func(t *testing.T, client *dynamodb.Client) *eventstore.Store {
		t.Helper()
		s, err := eventstore.New(client, "frames", eventstore.Frames(4096))
		must(t, err)
		return s
	}
	check(t, "events", func(t *testing.T, client *dynamodb.Client) {
		must(t, store(t, client).EnsureTable(ctx))
		must(t, framed(t, client).EnsureTable(ctx))
	}, func(t *testing.T, client *dynamodb.Client) {
		s := store(t, client)
		_, err := s.Append(ctx, "account-1", eventstore.NoStream(), eventstore.CommitID("c1"),
			eventstore.NewEvent{ID: "e1", Type: "opened", Schema: 2, Data: []byte(`{"a":1}`), Metadata: map[string]string{"by": "ann"}, CorrelationID: "k1", CausationID: "k0"},
			eventstore.NewEvent{ID: "e2", Type: "paid", Data: []byte("2")})
		must(t, err)
		_, err = s.Commit(ctx, eventstore.CommitID("c2"), eventstore.To("account-1", eventstore.Exactly(2), eventstore.NewEvent{ID: "e3", Type: "paid", Data: []byte("3")}),
			eventstore.To("account-2", eventstore.NoStream(), eventstore.NewEvent{ID: "e4", Type: "opened", Data: []byte("4")}), eventstore.Dedup(time.Hour))
		must(t, err)
		must(t, s.Truncate(ctx, "account-1", 2))
		_, err = framed(t, client).Append(ctx, "f-1", eventstore.NoStream(), eventstore.CommitID("c3"),
			eventstore.NewEvent{ID: "f1", Type: "a", Data: []byte("1")}, eventstore.NewEvent{ID: "f2", Type: "b", Data: []byte("2")})
		must(t, err)
	}, func(t *testing.T, client *dynamodb.Client) {
		s := store(t, client)
		var ids []string
		for e, err := range s.Read(ctx, "account-1") {
			must(t, err)
			ids = append(ids, e.ID+"/"+string(e.Data))
		}
		for e, err := range framed(t, client).Read(ctx, "f-1") {
			must(t, err)
			ids = append(ids, e.ID+"/"+string(e.Data))
		}
		if got := strings.Join(ids, " "); got != "e2/2 e3/3 f1/1 f2/2" {
			t.Errorf("read %s", got)
		}
		count := 0
		_, err := s.ReplayAll(ctx, eventstore.Position{}, func(context.Context, eventstore.Event) error { count++; return nil })
		must(t, err)
		if count != 3 {
			t.Errorf("the feed has %d events", count)
		}
		for _, err := range s.Correlated(ctx, "k1") {
			must(t, err)
		}
		again, err := s.Append(ctx, "account-2", eventstore.Exactly(1), eventstore.CommitID("c4"), eventstore.NewEvent{ID: "e5", Type: "paid"})
		must(t, err)
		if again.Last != 2 {
			t.Errorf("appended version %d", again.Last)
		}
	})
}

func TestSnapshots(t *testing.T) {
	ctx := context.Background()
	store := func(t *testing.T, client *dynamodb.Client) *snapshot.Store {
		t.Helper()
		s, err := snapshot.New(client, "snapshots")
		must(t, err)
		return s
	}
	check(t, "snapshots", func(t *testing.T, client *dynamodb.Client) {
		must(t, store(t, client).EnsureTable(ctx))
	}, func(t *testing.T, client *dynamodb.Client) {
		must(t, store(t, client).Save(ctx, snapshot.Snapshot{Stream: "account-1", Version: 7, Type: "account", Schema: 2, State: []byte("state")}))
		must(t, store(t, client).Save(ctx, snapshot.Snapshot{Stream: "account-1", Version: 9, Type: "account", Schema: 2, State: []byte("kept"), Persistent: true}))
	}, func(t *testing.T, client *dynamodb.Client) {
		s, err := store(t, client).Latest(ctx, "account-1")
		must(t, err)
		if s.Version != 9 || string(s.State) != "kept" || s.Schema != 2 || !s.Persistent {
			t.Errorf("read version %d, schema %d", s.Version, s.Schema)
		}
		s, err = store(t, client).AtOrBefore(ctx, "account-1", 8)
		must(t, err)
		if s.Version != 7 || string(s.State) != "state" {
			t.Errorf("read version %d", s.Version)
		}
	})
}

func TestPositions(t *testing.T) {
	ctx := context.Background()
	store := func(t *testing.T, client *dynamodb.Client) *position.Store {
		t.Helper()
		s, err := position.New(client, "positions")
		must(t, err)
		return s
	}
	check(t, "positions", func(t *testing.T, client *dynamodb.Client) {
		must(t, store(t, client).EnsureTable(ctx))
	}, func(t *testing.T, client *dynamodb.Client) {
		s := store(t, client)
		must(t, s.Save(ctx, "mailer", "0", 41))
		must(t, s.Reset(ctx, "mailer", "0", 7, "ann", "again"))
		_, err := s.Claim(ctx, "mailer", "1", "worker")
		must(t, err)
	}, func(t *testing.T, client *dynamodb.Client) {
		s := store(t, client)
		p, err := s.Get(ctx, "mailer", "0")
		must(t, err)
		if p.Number != 7 {
			t.Errorf("read position %d", p.Number)
		}
		must(t, s.Save(ctx, "mailer", "0", 8))
		if p, err = s.Get(ctx, "mailer", "1"); err != nil || p.Owner != "worker" || p.Epoch != 1 {
			t.Errorf("read owner %q, epoch %d: %v", p.Owner, p.Epoch, err)
		}
		for r, err := range s.Resets(ctx, "mailer", "0") {
			must(t, err)
			if r.By != "ann" {
				t.Errorf("reset by %q", r.By)
			}
		}
	})
}

func TestLeases(t *testing.T) {
	ctx := context.Background()
	store := func(t *testing.T, client *dynamodb.Client) *change.TableStore {
		t.Helper()
		s, err := change.NewTableStore(client, "leases")
		must(t, err)
		return s
	}
	lease := change.Lease{
		App: "app", Stream: "arn:aws:dynamodb:eu-central-1:000000000000:table/t/stream/1", Shard: "shard-1", Owner: "w1", Counter: 3,
		Parent: "shard-0", Children: []string{"shard-2"}, Checkpoint: change.TrimHorizon,
	}
	check(t, "leases", func(t *testing.T, client *dynamodb.Client) {
		must(t, store(t, client).EnsureTable(ctx))
	}, func(t *testing.T, client *dynamodb.Client) {
		must(t, store(t, client).Create(ctx, lease))
	}, func(t *testing.T, client *dynamodb.Client) {
		leases, err := store(t, client).Leases(ctx, "app")
		must(t, err)
		if len(leases) != 1 || leases[0].Checkpoint != lease.Checkpoint || leases[0].Counter != 3 {
			t.Errorf("read %+v", leases)
		}
		will := leases[0]
		will.Owner, will.Counter = "w2", 4
		if _, swapped, err := store(t, client).Swap(ctx, leases[0], will); err != nil || !swapped {
			t.Errorf("swapped %v: %v", swapped, err)
		}
	})
}

func TestGrants(t *testing.T) {
	ctx := context.Background()
	store := func(t *testing.T, client *dynamodb.Client) *grant.Store {
		t.Helper()
		s, err := grant.New(client, grant.TableName("grants"))
		must(t, err)
		return s
	}
	key := grant.Key{Tenant: grant.TenantOf("t"), User: "u#1", Type: "role", Qualifier: "admin"}
	check(t, "grants", func(t *testing.T, client *dynamodb.Client) {
		must(t, store(t, client).Ensure(ctx))
	}, func(t *testing.T, client *dynamodb.Client) {
		s := store(t, client)
		_, err := s.Save(ctx, grant.Grant{Key: key, FullName: "A", GrantedBy: "root", ExpiresAt: time.Now().Add(time.Hour)}, grant.IfAbsent())
		must(t, err)
		_, err = s.Revoke(ctx, key, grant.Act{By: "root", Reason: "left"})
		must(t, err)
		must(t, s.AddActivities(ctx, grant.TenantOf("t"), "group", grant.Act{By: "root"}, grant.Activity{Type: "read", Qualifier: "orders"}))
	}, func(t *testing.T, client *dynamodb.Client) {
		g, err := store(t, client).Get(ctx, key)
		must(t, err)
		if g.GrantedBy != "root" || g.Revoked == nil || g.Revoked.Reason != "left" || g.Rev != 2 {
			t.Errorf("read rev %d, revoked %v", g.Rev, g.Revoked != nil)
		}
		n := 0
		for _, err := range store(t, client).History(ctx, key) {
			must(t, err)
			n++
		}
		if n != 2 {
			t.Errorf("%d entries of history", n)
		}
	})
}
