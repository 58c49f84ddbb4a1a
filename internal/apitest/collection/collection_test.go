// SPDX-License-Identifier: Apache-2.0

// Package collection_test tests the sizes of item collections: when they are requested, and where they are reported.
package collection_test

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"go.uber.org/goleak"

	"github.com/dynamotable/ddb"
	"github.com/dynamotable/ddb/collection"
	"github.com/dynamotable/ddb/ddbtest"
	"github.com/dynamotable/ddb/ddbtest/fault"
	"github.com/dynamotable/ddb/hooks"
	"github.com/dynamotable/ddb/internal/apitest"
)

type post struct {
	Blog string `dynamodbav:"blog"`
	ID   int    `dynamodbav:"id"`
	Tag  string `dynamodbav:"tag,omitempty"`
}

var (
	postBlog = ddb.StrField(func(p *post) *string { return &p.Blog })
	postID   = ddb.NumField(func(p *post) *int { return &p.ID })
	postTag  = ddb.StrField(func(p *post) *string { return &p.Tag })
)

type posts = ddb.Table[post, string, int]

// TestMain adds no hook of its own, unlike apitest.Main: nothing observes some of the requests here.
func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// connection counts the requests that ask for sizes, and may change replies.
type connection struct {
	engine *ddbtest.Engine
	change *strings.Replacer // of the bodies of replies; nil for none

	mu         sync.Mutex
	sent, asks int
}

func (c *connection) Do(req *http.Request) (*http.Response, error) {
	sent, err := io.ReadAll(req.Body)
	if err != nil {
		return nil, err
	}
	req.Body = io.NopCloser(bytes.NewReader(sent))
	c.mu.Lock()
	c.sent++
	if bytes.Contains(sent, []byte(`"ReturnItemCollectionMetrics":"SIZE"`)) {
		c.asks++
	} else if bytes.Contains(sent, []byte("ReturnItemCollectionMetrics")) {
		c.asks += 1000 // no other value is valid
	}
	c.mu.Unlock()
	resp, err := c.engine.Do(req)
	if err != nil || c.change == nil {
		return resp, err
	}
	body, err := io.ReadAll(resp.Body)
	text := c.change.Replace(string(body))
	resp.Body, resp.ContentLength = io.NopCloser(strings.NewReader(text)), int64(len(text))
	resp.Header.Del("X-Amz-Crc32")
	resp.Header.Del("Content-Length")
	return resp, err
}

// counts returns what was sent since the last call.
func (c *connection) counts() (sent, asks int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	sent, asks = c.sent, c.asks
	c.sent, c.asks = 0, 0
	return sent, asks
}

func connect(t *testing.T, change *strings.Replacer, rules ...fault.Rule) (*connection, *dynamodb.Client) {
	t.Helper()
	c := &connection{engine: ddbtest.NewEngine(ddbtest.WithFaults(rules...)), change: change}
	t.Cleanup(c.engine.Close)
	return c, c.engine.Client(func(o *dynamodb.Options) { o.HTTPClient = c })
}

func newPosts(t *testing.T, client ddb.Client, name string, local bool, opts ...ddb.TableOption) *posts {
	t.Helper()
	table, err := ddb.New(client, name, postBlog, postID, opts...)
	if err == nil && local {
		_, err = ddb.NewLocalIndex(table, "by-tag", postTag)
	}
	if err == nil {
		err = table.EnsureTable(t.Context())
	}
	if err != nil {
		t.Fatal(err)
	}
	return table
}

// keeper is a hook that keeps completed calls; with asking set, it requests sizes by the context.
type keeper struct {
	asking bool
	calls  []*hooks.Call
}

func (k *keeper) Begin(ctx context.Context, _ *hooks.Call) context.Context {
	if k.asking {
		return collection.Report(ctx)
	}
	return ctx
}

func (k *keeper) End(_ context.Context, c *hooks.Call) { k.calls = append(k.calls, c) }

// take returns the sizes of all calls since the last time.
func (k *keeper) take() (all []hooks.ItemCollection) {
	for _, c := range k.calls {
		all = append(all, c.ItemCollections...)
	}
	k.calls = nil
	return all
}

// The names contain characters that JSON escapes and those that separate parts of key ids.
const blogA, blogB = "a\"1:ä\\", "b"

// write is a way to write to blogA, and to blogB too if both is set.
type write struct {
	name string
	both bool
	do   func(context.Context, *posts) error
}

func writes(client ddb.Client) []write {
	return []write{
		{"Put", false, func(ctx context.Context, t *posts) error { return t.Put(ctx, &post{blogA, 1, "x"}) }},
		{"Put with a condition", false, func(ctx context.Context, t *posts) error {
			return t.Put(ctx, &post{blogA, 1, "x"}, ddb.If(ddb.Exists(postTag)))
		}},
		{"Update", false, func(ctx context.Context, t *posts) error {
			_, err := t.Update(ctx, t.Key(blogA, 1), postTag.Set("y"))
			return err
		}},
		{"Upsert", false, func(ctx context.Context, t *posts) error {
			_, err := t.Upsert(ctx, t.Key(blogA, 2), postTag.Set("y"))
			return err
		}},
		{"Delete", false, func(ctx context.Context, t *posts) error { return t.Delete(ctx, blogA, 2) }},
		{"DeleteItem", false, func(ctx context.Context, t *posts) error { return t.DeleteItem(ctx, &post{Blog: blogA, ID: 2}) }},
		{"BatchPut", true, func(ctx context.Context, t *posts) error {
			return t.BatchPut(ctx, []post{{blogA, 1, "x"}, {blogA, 2, "x"}, {blogB, 3, ""}})
		}},
		{"BatchDelete", true, func(ctx context.Context, t *posts) error {
			return t.BatchDelete(ctx, []ddb.Key[string, int]{t.Key(blogA, 2), t.Key(blogB, 3)})
		}},
		{"Transact", true, func(ctx context.Context, t *posts) error {
			return ddb.Transact(ctx, client, t.TxPut(&post{blogA, 1, "x"}), t.TxUpsert(t.Key(blogB, 4), postTag.Set("z")), t.TxDelete(t.Key(blogA, 9)))
		}},
	}
}

// want are the sizes of a write, each the same range.
func want(t *testing.T, table *posts, low, high float64, blogs ...string) (all []hooks.ItemCollection) {
	t.Helper()
	for _, blog := range blogs {
		hash, err := table.PartitionHash(blog)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, hooks.ItemCollection{Table: table.Name(), Partition: hash, MinGB: low, MaxGB: high})
	}
	return all
}

func check(t *testing.T, what string, got, want []hooks.ItemCollection) {
	t.Helper()
	order := func(a, b hooks.ItemCollection) int {
		return cmp.Or(strings.Compare(a.Table, b.Table), cmp.Compare(a.Partition, b.Partition))
	}
	slices.SortFunc(got, order)
	slices.SortFunc(want, order)
	if !slices.Equal(got, want) {
		t.Errorf("%s: %v, want %v", what, got, want)
	}
}

// TestEveryWriteRequestsSizes: every kind of write reports the sizes of the collections that it wrote to, once each, to hooks and to the
// option, however they were requested and whichever path items take.
func TestEveryWriteRequestsSizes(t *testing.T) {
	conn, client := connect(t, nil)
	asked := collection.Report(t.Context())
	for name, who := range map[string]struct {
		ctx          context.Context
		hook, option bool
		table        []ddb.TableOption
	}{
		"context":                  {ctx: asked},
		"context, through the SDK": {ctx: asked, table: []ddb.TableOption{ddb.ThroughSDK(), ddb.WithoutCapacity()}},
		"hook":                     {ctx: t.Context(), hook: true},
		"option":                   {ctx: t.Context(), option: true},
		"option, through the SDK":  {ctx: t.Context(), option: true, table: []ddb.TableOption{ddb.ThroughSDK()}},
	} {
		t.Run(name, func(t *testing.T) {
			var warned []hooks.ItemCollection
			hook := &keeper{asking: who.hook}
			opts := append(slices.Clip(who.table), ddb.WithHook(hook))
			if who.option {
				opts = append(opts, collection.Warn(0, func(c hooks.ItemCollection) { warned = append(warned, c) }))
			}
			table := newPosts(t, client, apitest.TableName(t), true, opts...)
			conn.counts()
			for _, w := range writes(client) {
				if err := w.do(who.ctx, table); err != nil {
					t.Fatalf("%s: %v", w.name, err)
				}
				blogs := []string{blogA}
				if w.both {
					blogs = []string{blogA, blogB}
				}
				check(t, w.name, hook.take(), want(t, table, 0, 1, blogs...))
				if who.option {
					check(t, w.name+", option", warned, want(t, table, 0, 1, blogs...))
				}
				warned = nil
				if sent, asks := conn.counts(); sent != 1 || asks != 1 {
					t.Errorf("%s: %d requests, of which %d ask", w.name, sent, asks)
				}
			}
			if _, err := table.Query(blogA).Collect(who.ctx); err != nil {
				t.Fatal(err)
			}
			if got := hook.take(); got != nil {
				t.Errorf("a query gives %v", got)
			}
			if _, asks := conn.counts(); asks != 0 {
				t.Error("a query asks")
			}
		})
	}
}

// TestOptionNeedsNoHook: the option works where nothing else observes requests.
func TestOptionNeedsNoHook(t *testing.T) {
	_, client := connect(t, nil)
	var warned []hooks.ItemCollection
	table := newPosts(t, client, "posts", true, ddb.WithoutCapacity(), collection.Warn(0, func(c hooks.ItemCollection) { warned = append(warned, c) }))
	for _, w := range writes(client) {
		warned = nil
		if err := w.do(t.Context(), table); err != nil {
			t.Fatal(err)
		}
		blogs := []string{blogA}
		if w.both {
			blogs = []string{blogA, blogB}
		}
		check(t, w.name, warned, want(t, table, 0, 1, blogs...))
	}
}

// TestNoSizesUnlessRequested: without a request for sizes no request asks for them, and tables without local indexes have none.
func TestNoSizesUnlessRequested(t *testing.T) {
	conn, client := connect(t, nil)
	hook := &keeper{}
	quiet := newPosts(t, client, "quiet", true, ddb.WithHook(hook))
	plain := newPosts(t, client, "plain", false, ddb.WithHook(hook), collection.Warn(0, func(c hooks.ItemCollection) { t.Errorf("warned of %v", c) }))
	conn.counts()
	for _, w := range writes(client) {
		for _, table := range []*posts{quiet, plain} {
			if err := w.do(t.Context(), table); err != nil {
				t.Fatalf("%s: %v", w.name, err)
			}
			_, asks := conn.counts()
			if want := map[*posts]int{plain: 1}[table]; asks != want {
				t.Errorf("%s on %v: %d requests ask, want %d", w.name, table, asks, want)
			}
			if got := hook.take(); got != nil {
				t.Errorf("%s on %v gives %v", w.name, table, got)
			}
		}
	}
}

// TestWarnsAboveThreshold: the option warns of collections whose upper bound is above the threshold, on the tables that have the option.
func TestWarnsAboveThreshold(t *testing.T) {
	_, client := connect(t, strings.NewReplacer(`"SizeEstimateRangeGB":[0.0,1.0]`, `"SizeEstimateRangeGB":[7.5,8.5]`))
	warned := map[float64][]hooks.ItemCollection{}
	for _, mark := range []float64{0, 8.4, 8.5, 9.9} {
		hook := &keeper{}
		table := newPosts(t, client, "posts", true, ddb.WithHook(hook), collection.Warn(mark, func(c hooks.ItemCollection) { warned[mark] = append(warned[mark], c) }))
		other := newPosts(t, client, "other", true)
		for _, w := range writes(client) {
			warned[mark] = nil
			if err := w.do(t.Context(), table); err != nil {
				t.Fatal(err)
			}
			blogs := []string{blogA}
			if w.both {
				blogs = []string{blogA, blogB}
			}
			sizes := want(t, table, 7.5, 8.5, blogs...)
			check(t, w.name, hook.take(), slices.Clone(sizes))
			if mark >= 8.5 {
				sizes = nil
			}
			check(t, fmt.Sprintf("%s, mark %g", w.name, mark), warned[mark], sizes)
		}
		// A transaction on two tables: the hook sees both, and each table's option warns of its own
		// collections. An item that is only checked has no size.
		warned[mark] = nil
		if err := ddb.Transact(t.Context(), client, other.TxPut(&post{Blog: blogA}), other.TxCheck(other.Key(blogB, 1), ddb.NotExists(postTag)), table.TxPut(&post{Blog: blogB}), table.TxPut(&post{Blog: blogB, ID: 2})); err != nil {
			t.Fatal(err)
		}
		own := want(t, table, 7.5, 8.5, blogB)
		check(t, "two tables", hook.take(), append(want(t, other, 7.5, 8.5, blogA), own...))
		if mark >= 8.5 {
			own = nil
		}
		check(t, "two tables, warned", warned[mark], own)
	}
}

// TestSizesOfSuccessfulWritesOnly: writes that are refused or get no reply report no sizes. Neither do replies to other requests and replies without a size..
func TestSizesOfSuccessfulWritesOnly(t *testing.T) {
	none := func(c hooks.ItemCollection) { t.Errorf("warned of %v", c) }
	hook := &keeper{}
	for name, change := range map[string][]string{
		"another partition": {`"ItemCollectionKey":{"blog":{"S":"b"}}`, `"ItemCollectionKey":{"blog":{"S":"c"}}`},
		"another attribute": {`"ItemCollectionKey":{"blog":{"S":"b"}}`, `"ItemCollectionKey":{"log":{"S":"b"}}`},
		"no key":            {`"ItemCollectionKey":{"blog":{"S":"b"}},`, ``},
		"no size":           {`,"SizeEstimateRangeGB":[0.0,1.0]`, ``},
		"half a size":       {`[0.0,1.0]`, `[9]`},
		"null":              {`[0.0,1.0]`, `null`},
	} {
		_, client := connect(t, strings.NewReplacer(change...))
		table := newPosts(t, client, "posts", true, ddb.WithHook(hook), collection.Warn(0, none))
		for i, err := range []error{
			table.Put(t.Context(), &post{Blog: blogB}),
			table.BatchPut(t.Context(), []post{{Blog: blogB}}),
			ddb.Transact(t.Context(), client, table.TxPut(&post{Blog: blogB})),
		} {
			if err != nil {
				t.Errorf("%s, write %d: %v", name, i, err)
			}
		}
		check(t, name, hook.take(), nil)
	}
	_, client := connect(t, nil, fault.On("PutItem").DropReply())
	table := newPosts(t, client, "posts", true, ddb.WithHook(hook), collection.Warn(0, none))
	if err := table.Create(t.Context(), &post{Blog: blogB}); !errors.Is(err, ddb.ErrOutcomeUnknown) {
		t.Error(err)
	}
	if err := ddb.Transact(t.Context(), client, table.TxCreate(&post{Blog: blogB})); err == nil {
		t.Error("the item is there")
	}
	if _, err := table.Update(t.Context(), table.Key(blogB, 7), postTag.Set("x")); !errors.Is(err, ddb.ErrNotFound) {
		t.Error(err)
	}
	check(t, "refused writes", hook.take(), nil)
}

// TestExplainSendsNothing: with a context for sizes and for Explain nothing is sent.
func TestExplainSendsNothing(t *testing.T) {
	conn, client := connect(t, nil)
	table := newPosts(t, client, "posts", true)
	conn.counts()
	_, err := ddb.Explain(collection.Report(t.Context()), func(ctx context.Context) error { return table.Put(ctx, &post{Blog: blogA}) })
	if sent, _ := conn.counts(); sent != 0 || err != nil {
		t.Errorf("%d requests, %v", sent, err)
	}
}

// TestLogCalls: the log has the upper bound of the largest collection, and no key.
func TestLogCalls(t *testing.T) {
	_, client := connect(t, nil)
	var log bytes.Buffer
	logger := slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	table := newPosts(t, client, "posts", true, ddb.WithHook(hooks.LogCalls(logger, 0)))
	const secret = "secret-blog"
	if err := table.Put(collection.Report(t.Context()), &post{Blog: secret}); err != nil {
		t.Fatal(err)
	}
	if err := table.Put(t.Context(), &post{Blog: secret}); err != nil {
		t.Fatal(err)
	}
	if text := log.String(); strings.Count(text, "item_collection_gb=1") != 1 || strings.Contains(text, secret) {
		t.Error(text)
	}
}

// TestWrongOptions: an option that can never warn is refused, and one error names all its problems.
func TestWrongOptions(t *testing.T) {
	_, client := connect(t, nil)
	for _, mark := range []float64{-1, 10, math.NaN(), math.Inf(1)} {
		_, err := ddb.New(client, "posts", postBlog, postID, collection.Warn(mark, nil))
		for _, want := range []string{fmt.Sprintf("WarnCollectionSize %g: the mark must be", mark), "the function is nil"} {
			if !errors.Is(err, ddb.ErrInvalid) || !strings.Contains(err.Error(), want) {
				t.Errorf("%v does not say %q", err, want)
			}
		}
	}
	_, err := ddb.NewSimple(client, "posts", postBlog, collection.Warn(0, func(hooks.ItemCollection) {}))
	if !errors.Is(err, ddb.ErrInvalid) || !strings.Contains(err.Error(), "without a sort key") {
		t.Error(err)
	}
}
