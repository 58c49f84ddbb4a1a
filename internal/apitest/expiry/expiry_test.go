// SPDX-License-Identifier: Apache-2.0

// Package expiry_test tests reads that leave out expired items, and creates that replace them.
package expiry_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"pgregory.net/rapid"

	"github.com/dynamotable/ddb"
	"github.com/dynamotable/ddb/hooks"
	"github.com/dynamotable/ddb/internal/apitest"
	"github.com/dynamotable/ddb/internal/apitest/draw"
	"github.com/dynamotable/ddb/internal/longtest"
)

func TestMain(m *testing.M) { apitest.Main(m) }

type session struct {
	User     string       `dynamodbav:"user"`
	ID       int          `dynamodbav:"id"`
	Device   string       `dynamodbav:"device"`
	Until    int64        `dynamodbav:"until,omitempty"`
	Version  int          `dynamodbav:"version,omitempty"`
	Revision ddb.Revision `dynamodbav:"revision,omitzero"`
}

// brief is a view without the attribute of time to live.
type brief struct {
	User string `dynamodbav:"user"`
	ID   int    `dynamodbav:"id"`
}

var (
	sessionUser     = ddb.StrField(func(s *session) *string { return &s.User })
	sessionID       = ddb.NumField(func(s *session) *int { return &s.ID })
	sessionDevice   = ddb.StrField(func(s *session) *string { return &s.Device })
	sessionUntil    = ddb.NumField(func(s *session) *int64 { return &s.Until })
	sessionVersion  = ddb.NumField(func(s *session) *int { return &s.Version })
	sessionRevision = ddb.Field(func(s *session) *ddb.Revision { return &s.Revision })
)

// clock is set by tests.
type clock struct{ at time.Time }

func (c *clock) now() time.Time { return c.at }

var noon = time.Date(2026, 6, 1, 12, 0, 0, 700_000_000, time.UTC)

const year = 365 * 24 * time.Hour

// states are values of the TTL attribute, and whether such an item has expired at noon. 0 means no TTL.
var states = []struct {
	name    string
	until   int64
	expired bool
}{
	{"never expires", 0, false},
	{"tomorrow", noon.Add(24 * time.Hour).Unix(), false},
	{"in a second", noon.Unix() + 1, false},
	{"in this second", noon.Unix(), true},
	{"yesterday", noon.Add(-24 * time.Hour).Unix(), true},
	{"for almost five years", noon.Add(-5*year + time.Hour).Unix(), true},
	{"for more than five years", noon.Add(-5*year - time.Hour).Unix(), false},
	{"at the beginning of time", 1, false},
	{"long before", -62135596800, false},
}

type tables struct {
	client   *dynamodb.Client
	clock    *clock
	sessions *ddb.Table[session, string, int]
	byDevice *ddb.Index[session, string, int]   // a global index of some attributes
	byTime   *ddb.Index[session, string, int64] // a global index whose key is the TTL attribute
	local    *ddb.LocalIndex[session, string, int64]
}

func newTables(t testing.TB, client *dynamodb.Client, opts ...ddb.TableOption) *tables {
	t.Helper()
	x := &tables{client: client, clock: &clock{noon}}
	opts = append([]ddb.TableOption{ddb.HideExpired(), ddb.TTL(sessionUntil), ddb.Clock(x.clock.now)}, opts...)
	var errs [4]error
	x.sessions, errs[0] = ddb.New(client, apitest.TableName(t), sessionUser, sessionID, opts...)
	x.byDevice, errs[1] = ddb.NewIndex(x.sessions, "by-device", sessionDevice, sessionID, ddb.Projecting(sessionUntil))
	x.byTime, errs[2] = ddb.NewIndex(x.sessions, "by-time", sessionDevice, sessionUntil)
	x.local, errs[3] = ddb.NewLocalIndex(x.sessions, "local", sessionUntil)
	if err := errors.Join(errs[:]...); err != nil {
		t.Fatal(err)
	}
	if err := x.sessions.CreateTable(t.Context()); err != nil {
		t.Fatal(err)
	}
	return x
}

// put stores a session as another program would.
func (x *tables) put(t testing.TB, s session) {
	t.Helper()
	item := map[string]types.AttributeValue{
		"user": &types.AttributeValueMemberS{Value: s.User}, "id": &types.AttributeValueMemberN{Value: fmt.Sprint(s.ID)},
		"device": &types.AttributeValueMemberS{Value: s.Device},
	}
	if s.Until != 0 {
		item["until"] = &types.AttributeValueMemberN{Value: fmt.Sprint(s.Until)}
	}
	name := x.sessions.Name()
	if _, err := x.client.PutItem(t.Context(), &dynamodb.PutItemInput{TableName: &name, Item: item}); err != nil {
		t.Fatal(err)
	}
}

func idsOf(list []session, err error) (string, error) {
	var ids []int
	for _, s := range list {
		ids = append(ids, s.ID)
	}
	return fmt.Sprint(ids), err
}

func viewIDs(list []brief, err error) (string, error) {
	var ids []int
	for _, s := range list {
		ids = append(ids, s.ID)
	}
	return fmt.Sprint(ids), err
}

func pageIDs(page ddb.Page[session], err error) (string, error) { return idsOf(page.Items, err) }

func sorted(list []session, err error) (string, error) {
	slices.SortFunc(list, func(a, b session) int { return a.ID - b.ID })
	return idsOf(list, err)
}

// TestReadsHideExpired: every kind of read leaves out exactly the expired items, and includes them with IncludeExpired.
func TestReadsHideExpired(t *testing.T) {
	for name, opts := range map[string][]ddb.TableOption{
		"fast":            nil,
		"attribute maps":  {ddb.ThroughSDK()},
		"with tombstones": {ddb.Version(sessionRevision), ddb.Tombstones("deleted", time.Hour)},
	} {
		t.Run(name, func(t *testing.T) {
			ctx := t.Context()
			x := newTables(t, apitest.NewClient(t), opts...)
			var all, live, withTime, liveWithTime []int
			for i, s := range states {
				x.put(t, session{User: "u", ID: i, Device: "d", Until: s.until})
				all = append(all, i)
				if s.until != 0 {
					withTime = append(withTime, i)
				}
				if !s.expired {
					live = append(live, i)
					if s.until != 0 {
						liveWithTime = append(liveWithTime, i)
					}
				}
			}
			shown := ddb.IncludeExpired()
			key := x.sessions.Key
			keys := make([]ddb.Key[string, int], len(states))
			for i := range states {
				keys[i] = key("u", i)
			}
			found := func(of func(int) (bool, error)) (string, error) {
				var ids []int
				for i := range states {
					ok, err := of(i)
					if err != nil && !errors.Is(err, ddb.ErrNotFound) {
						return "", err
					}
					if ok {
						ids = append(ids, i)
					}
				}
				return fmt.Sprint(ids), nil
			}
			got := func(list []ddb.Got[session], err error) (string, error) {
				var ids []int
				for i, g := range list {
					if g.Found {
						ids = append(ids, i)
					}
					if g.Found != (g.Item.User == "u") {
						return "", fmt.Errorf("item %d: %+v", i, g)
					}
				}
				return fmt.Sprint(ids), err
			}
			count := func(n int, err error) (string, error) { return fmt.Sprint(n), err }
			type result func(opts ...ddb.ReadOption) (string, error)
			q, dev, tim, loc := x.sessions.Query("u"), x.byDevice.Query("d"), x.byTime.Query("d"), x.local.Query("u")
			for what, tc := range map[string]struct {
				read     result
				all, few []int
			}{
				"Query":      {func(o ...ddb.ReadOption) (string, error) { return idsOf(q.With(o...).Collect(ctx)) }, all, live},
				"consistent": {func(o ...ddb.ReadOption) (string, error) { return idsOf(q.Consistent().With(o...).Collect(ctx)) }, all, live},
				"projected": {func(o ...ddb.ReadOption) (string, error) {
					return idsOf(q.Project(sessionDevice).With(o...).Collect(ctx))
				}, all, live},
				"filtered": {func(o ...ddb.ReadOption) (string, error) {
					return idsOf(q.Filter(sessionDevice.Eq("d")).With(o...).Collect(ctx))
				}, all, live},
				"small pages": {func(o ...ddb.ReadOption) (string, error) { return idsOf(q.PageSize(2).With(o...).Collect(ctx)) }, all, live},
				"a page":      {func(o ...ddb.ReadOption) (string, error) { return pageIDs(q.Limit(9).PageSize(2).With(o...).Page(ctx)) }, all, live},
				"view":        {func(o ...ddb.ReadOption) (string, error) { return viewIDs(ddb.View[brief](q.With(o...)).Collect(ctx)) }, all, live},
				"Scan":        {func(o ...ddb.ReadOption) (string, error) { return sorted(x.sessions.Scan().With(o...).Collect(ctx)) }, all, live},
				"parallel": {func(o ...ddb.ReadOption) (string, error) {
					return sorted(x.sessions.Scan().Parallel(3).With(o...).Collect(ctx))
				}, all, live},
				"view of a scan": {func(o ...ddb.ReadOption) (string, error) {
					return viewIDs(ddb.View[brief](x.sessions.Scan().With(o...)).Collect(ctx))
				}, all, live},
				"index": {func(o ...ddb.ReadOption) (string, error) { return idsOf(dev.With(o...).Collect(ctx)) }, all, live},
				"view of an index": {func(o ...ddb.ReadOption) (string, error) {
					return viewIDs(ddb.View[brief](dev.With(o...)).Collect(ctx))
				}, all, live},
				"hydrated":   {func(o ...ddb.ReadOption) (string, error) { return idsOf(dev.Hydrate().With(o...).Collect(ctx)) }, all, live},
				"index scan": {func(o ...ddb.ReadOption) (string, error) { return sorted(x.byDevice.Scan().With(o...).Collect(ctx)) }, all, live},
				"hydrated scan": {func(o ...ddb.ReadOption) (string, error) {
					return sorted(x.byDevice.Scan().Hydrate().With(o...).Collect(ctx))
				}, all, live},
				"view of an index scan": {func(o ...ddb.ReadOption) (string, error) {
					return viewIDs(ddb.View[brief](x.byDevice.Scan().With(o...)).Collect(ctx))
				}, all, live},
				"local index, hydrated": {func(o ...ddb.ReadOption) (string, error) { return sorted(loc.Hydrate().With(o...).Collect(ctx)) }, withTime, liveWithTime},
				"local scan, hydrated": {func(o ...ddb.ReadOption) (string, error) {
					return sorted(x.local.Scan().Hydrate().With(o...).Collect(ctx))
				}, withTime, liveWithTime},
				"index by time": {func(o ...ddb.ReadOption) (string, error) { return sorted(tim.With(o...).Collect(ctx)) }, withTime, liveWithTime},
				"scan by time":  {func(o ...ddb.ReadOption) (string, error) { return sorted(x.byTime.Scan().With(o...).Collect(ctx)) }, withTime, liveWithTime},
				"local index":   {func(o ...ddb.ReadOption) (string, error) { return sorted(loc.With(o...).Collect(ctx)) }, withTime, liveWithTime},
				"local scan":    {func(o ...ddb.ReadOption) (string, error) { return sorted(x.local.Scan().With(o...).Collect(ctx)) }, withTime, liveWithTime},
				"Count":         {func(o ...ddb.ReadOption) (string, error) { return count(q.PageSize(4).With(o...).Count(ctx)) }, []int{len(all)}, []int{len(live)}},
				"Count, filtered": {func(o ...ddb.ReadOption) (string, error) {
					return count(q.Filter(sessionDevice.Eq("d")).With(o...).Count(ctx))
				}, []int{len(all)}, []int{len(live)}},
				"Count with a limit": {func(o ...ddb.ReadOption) (string, error) {
					return count(q.Limit(len(live)).PageSize(4).With(o...).Count(ctx))
				}, []int{len(live)}, []int{len(live)}},
				"Count by time": {func(o ...ddb.ReadOption) (string, error) { return count(tim.With(o...).Count(ctx)) }, []int{len(withTime)}, []int{len(liveWithTime)}},
				"parallel Count": {func(o ...ddb.ReadOption) (string, error) {
					return count(x.sessions.Scan().Parallel(3).With(o...).Count(ctx))
				}, []int{len(all)}, []int{len(live)}},
				"Get": {func(o ...ddb.ReadOption) (string, error) {
					return found(func(i int) (bool, error) { s, err := x.sessions.Get(ctx, "u", i, gets(o)...); return s.User != "", err })
				}, all, live},
				"Get projected": {func(o ...ddb.ReadOption) (string, error) {
					return found(func(i int) (bool, error) {
						s, err := x.sessions.Get(ctx, "u", i, append(gets(o), ddb.Project(sessionDevice))...)
						return s.Device != "", err
					})
				}, all, live},
				"GetView": {func(o ...ddb.ReadOption) (string, error) {
					return found(func(i int) (bool, error) {
						s, err := ddb.GetView[brief](ctx, x.sessions, key("u", i), gets(o)...)
						return s.User != "", err
					})
				}, all, live},
				"Exists": {func(o ...ddb.ReadOption) (string, error) {
					return found(func(i int) (bool, error) { return x.sessions.Exists(ctx, "u", i, gets(o)...) })
				}, all, live},
				"BatchGet": {func(o ...ddb.ReadOption) (string, error) { return got(x.sessions.BatchGet(ctx, keys, gets(o)...)) }, all, live},
				"BatchGet projected": {func(o ...ddb.ReadOption) (string, error) {
					return got(x.sessions.BatchGet(ctx, keys, append(gets(o), ddb.Project(sessionDevice))...))
				}, all, live},
				"TransactGet": {func(o ...ddb.ReadOption) (string, error) {
					list := make([]ddb.Got[session], len(keys))
					reads := make([]ddb.TxRead, len(keys))
					for i := range keys {
						reads[i] = x.sessions.TxGet(keys[i], &list[i], append(gets(o), ddb.Project(sessionDevice))...)
					}
					return got(list, ddb.TransactGet(ctx, x.client, reads...))
				}, all, live},
				"First": {func(o ...ddb.ReadOption) (string, error) {
					s, err := q.SortKey(ddb.Ge(3)).With(o...).First(ctx)
					return fmt.Sprintf("[%d]", s.ID), err
				}, []int{3}, []int{6}},
			} {
				if s, err := tc.read(); err != nil || strings.Trim(s, "[]") != strings.Trim(fmt.Sprint(tc.few), "[]") {
					t.Errorf("%s: %s, want %v, %v", what, s, tc.few, err)
				}
				if s, err := tc.read(shown); err != nil || strings.Trim(s, "[]") != strings.Trim(fmt.Sprint(tc.all), "[]") {
					t.Errorf("%s with IncludeExpired: %s, want %v, %v", what, s, tc.all, err)
				}
			}
		})
	}
}

// gets returns those options of queries that are also options of reads by key.
func gets(opts []ddb.ReadOption) (list []ddb.GetOption) {
	for _, o := range opts {
		list = append(list, o.(ddb.GetOption)) //nolint:forcetypeassert // the test passes no other
	}
	return list
}

// TestExpiryClock: the table's clock determines what is hidden, also for a query value that is run again.
func TestExpiryClock(t *testing.T) {
	ctx := t.Context()
	x := newTables(t, apitest.NewClient(t))
	x.put(t, session{User: "u", ID: 1, Device: "d", Until: noon.Unix() + 60})
	q := x.sessions.Query("u")
	for _, step := range []struct {
		at   time.Time
		want string
	}{{noon, "[1]"}, {noon.Add(59 * time.Second), "[1]"}, {noon.Add(60 * time.Second), "[]"}, {noon, "[1]"}} {
		x.clock.at = step.at
		if s, err := idsOf(q.Collect(ctx)); err != nil || s != step.want {
			t.Errorf("at %v: %s, want %s, %v", step.at, s, step.want, err)
		}
	}
}

// TestPagesHideExpired: whichever items have expired, pages are full up to their limit, follow one another without gaps, and count the hidden items.
func TestPagesHideExpired(t *testing.T) {
	client := apitest.NewClient(t)
	x := newTables(t, client)
	partition := 0
	longtest.Checks(t, 40)
	rapid.Check(t, func(rt *rapid.T) {
		ctx := context.Background()
		partition++
		user := fmt.Sprint("u", partition)
		var live []int
		expired := 0
		items := make([]session, draw.Int(rt, 0, 12, "items"))
		for i := range items {
			items[i] = session{User: user, ID: i, Device: user, Until: noon.Unix() + 60}
			if draw.Bool(rt, "expired") {
				items[i].Until = noon.Unix() - 60
				expired++
			} else {
				live = append(live, i)
			}
		}
		if err := x.sessions.BatchPut(ctx, items); err != nil {
			rt.Fatal(err)
		}
		limit, size := draw.Int(rt, 1, 5, "limit"), draw.Int(rt, 1, 6, "page size")
		q := x.sessions.Query(user).Limit(limit).PageSize(size)
		if draw.Bool(rt, "filter") {
			q = q.Filter(sessionDevice.Eq(user))
		}
		var got []int
		hidden := 0
		var before ddb.Page[session]
		for at := (ddb.Cursor[session]{}); ; {
			page, err := q.After(at).Page(ctx)
			if err != nil {
				rt.Fatal(err)
			}
			for _, s := range page.Items {
				got = append(got, s.ID)
			}
			hidden += page.Hidden
			if !page.Prev.IsZero() {
				back, err := q.Before(page.Prev).Page(ctx)
				if err != nil || fmt.Sprint(back.Items) != fmt.Sprint(before.Items) {
					rt.Fatalf("before the page are %v, not %v: %v", back.Items, before.Items, err)
				}
			}
			before = page
			if page.Hidden > page.Scanned || len(page.Items) < limit && !page.Next.IsZero() {
				rt.Fatalf("%d items of %d, %d hidden of %d read", len(page.Items), limit, page.Hidden, page.Scanned)
			}
			if at = page.Next; at.IsZero() {
				break
			}
		}
		if fmt.Sprint(got) != fmt.Sprint(live) || hidden < expired {
			rt.Fatalf("%v, want %v; %d hidden of %d", got, live, hidden, expired)
		}
		whole, err := x.byDevice.Query(user).Limit(20).Hydrate().Page(ctx)
		if s, _ := pageIDs(whole, err); err != nil || s != fmt.Sprint(live) || whole.Hidden != expired || whole.Missing != 0 {
			rt.Fatalf("index: %s, %d hidden, %d missing, %v", s, whole.Hidden, whole.Missing, err)
		}
	})
}

// TestHydrateHides: an item that has expired after its entry in the index was read is hidden, not missing.
func TestHydrateHides(t *testing.T) {
	apitest.NeedsEngine(t, "a write between two requests makes the index older than its table")
	ctx := t.Context()
	x := newTables(t, apitest.NewClient(t))
	for i := range 3 {
		x.put(t, session{User: "u", ID: i, Device: "d", Until: noon.Unix() + 10 + int64(i)})
	}
	at := noon
	x.clock.at = at
	hooked, err := ddb.New(x.client, x.sessions.Name(), sessionUser, sessionID, ddb.TTL(sessionUntil), ddb.HideExpired(),
		ddb.Clock(func() time.Time { return at }), ddb.WithHook(afterQuery(func() { at = noon.Add(11 * time.Second) })))
	if err != nil {
		t.Fatal(err)
	}
	index, err := ddb.NewIndex(hooked, "by-device", sessionDevice, sessionID, ddb.Projecting(sessionUntil))
	if err != nil {
		t.Fatal(err)
	}
	page, err := index.Query("d").Hydrate().Page(ctx)
	if s, _ := pageIDs(page, err); err != nil || s != "[2]" || page.Hidden != 2 || page.Missing != 0 {
		t.Errorf("%s, %d hidden, %d missing, %v", s, page.Hidden, page.Missing, err)
	}
}

// afterQuery is a hook that calls a function after each Query.
type afterQuery func()

func (afterQuery) Begin(ctx context.Context, _ *hooks.Call) context.Context { return ctx }

func (f afterQuery) End(_ context.Context, call *hooks.Call) {
	if call.Operation == "Query" {
		f()
	}
}

// TestHideExpiredRefused: a table or index that cannot recognise expired items is refused when it is defined.
func TestHideExpiredRefused(t *testing.T) {
	client := apitest.NewClient(t)
	if _, err := ddb.New(client, "sessions", sessionUser, sessionID, ddb.HideExpired()); err == nil || !strings.Contains(err.Error(), "HideExpired needs ddb.TTL") {
		t.Errorf("without TTL: %v", err)
	}
	sessions, err := ddb.New(client, "sessions", sessionUser, sessionID, ddb.HideExpired(), ddb.TTL(sessionUntil))
	if err != nil {
		t.Fatal(err)
	}
	second := func(_ any, err error) error { return err }
	for name, tc := range map[string]struct {
		err error
		ok  bool
	}{
		"keys only":                 {second(ddb.NewIndex(sessions, "index-1", sessionDevice, sessionID, ddb.KeysOnly())), false},
		"other attributes":          {second(ddb.NewIndex(sessions, "index-2", sessionDevice, sessionID, ddb.Projecting(sessionVersion))), false},
		"all":                       {second(ddb.NewIndex(sessions, "index-3", sessionDevice, sessionID)), true},
		"the attribute":             {second(ddb.NewIndex(sessions, "index-4", sessionDevice, sessionID, ddb.Projecting(sessionUntil))), true},
		"as the sort key":           {second(ddb.NewIndex(sessions, "index-5", sessionDevice, sessionUntil, ddb.KeysOnly())), true},
		"as the partition key":      {second(ddb.NewSimpleIndex(sessions, "index-6", sessionUntil, ddb.KeysOnly())), true},
		"simple index, keys only":   {second(ddb.NewSimpleIndex(sessions, "index-7", sessionDevice, ddb.KeysOnly())), false},
		"local, keys only":          {second(ddb.NewLocalIndex(sessions, "index-8", sessionVersion, ddb.KeysOnly())), false},
		"local, other attributes":   {second(ddb.NewLocalIndex(sessions, "index-9", sessionVersion, ddb.Projecting(sessionDevice))), false},
		"local, the attribute":      {second(ddb.NewLocalIndex(sessions, "index-10", sessionVersion, ddb.Projecting(sessionUntil))), true},
		"local, by the attribute":   {second(ddb.NewLocalIndex(sessions, "index-11", sessionUntil, ddb.KeysOnly())), true},
		"local, all the attributes": {second(ddb.NewLocalIndex(sessions, "index-12", sessionVersion)), true},
	} {
		if tc.ok != (tc.err == nil) || !tc.ok && !(errors.Is(tc.err, ddb.ErrInvalid) && strings.Contains(tc.err.Error(), "does not hold attribute until")) {
			t.Errorf("%s: %v", name, tc.err)
		}
	}
	// Without the option such an index is accepted.
	plain, err := ddb.New(client, "sessions", sessionUser, sessionID, ddb.TTL(sessionUntil))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := ddb.NewIndex(plain, "index-1", sessionDevice, sessionID, ddb.KeysOnly()); err != nil {
		t.Error(err)
	}
}
