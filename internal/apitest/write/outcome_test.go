// SPDX-License-Identifier: Apache-2.0

package write_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/dynamotable/ddb"
	"github.com/dynamotable/ddb/ddbtest"
)

var updateDocs = flag.Bool("update", false, "write the table of outcomes into docs/guarantees.md")

// way decides the fate of a write request; next passes it to DynamoDB.
type way func(next func() *http.Response) (*http.Response, error)

// onWay is a client that applies the planned fate to its next write, and sends all other requests directly.
type onWay struct {
	engine *ddbtest.Engine
	plan   way
}

func (w *onWay) Do(req *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(req.Body)
	if err != nil {
		return nil, err
	}
	next := func() *http.Response {
		again := req.Clone(req.Context())
		again.Body = io.NopCloser(strings.NewReader(string(body)))
		resp, err := w.engine.Do(again)
		if err != nil {
			panic(err)
		}
		return resp
	}
	if w.plan == nil || strings.HasSuffix(req.Header.Get("X-Amz-Target"), ".GetItem") {
		return next(), nil
	}
	plan := w.plan
	w.plan = nil
	return plan(next)
}

// situation is what the network and other callers do during the first request of a write.
type situation struct {
	name string
	way  func(others func()) way
	// others is what another caller does to item "a" at that moment.
	others func(ctx context.Context, t *accounts)
}

func lostRequest(others func()) way {
	return func(func() *http.Response) (*http.Response, error) {
		others()
		return nil, errReset
	}
}

func lostReply(others func()) way {
	return func(next func() *http.Response) (*http.Response, error) {
		_ = next().Body.Close()
		others()
		return nil, errReset
	}
}

func secondReply(others func()) way {
	return func(next func() *http.Response) (*http.Response, error) {
		_ = next().Body.Close()
		others()
		return next(), nil
	}
}

func nobody(context.Context, *accounts) {}

// writesIt writes the item, or creates it.
func writesIt(ctx context.Context, t *accounts) {
	s, err := t.Get(ctx, "a", ddb.Consistent())
	if errors.Is(err, ddb.ErrNotFound) {
		s = account{ID: "a"}
	}
	s.N += 100
	if err := t.Put(ctx, &s); err != nil {
		panic(err)
	}
}

// removesIt deletes the item and creates it again.
func removesIt(ctx context.Context, t *accounts) {
	if s, err := t.Get(ctx, "a", ddb.Consistent()); err == nil {
		if err := t.DeleteItem(ctx, &s); err != nil {
			panic(err)
		}
	}
	if err := t.Create(ctx, &account{ID: "a", N: 100}); err != nil {
		panic(err)
	}
}

var situations = []situation{
	{"request lost", lostRequest, nobody},
	{"reply lost", lostReply, nobody},
	{"second reply of two", secondReply, nobody},
	{"request lost, others write", lostRequest, writesIt},
	{"reply lost, others write", lostReply, writesIt},
	{"reply lost, deleted and created again", lostReply, removesIt},
}

// TestOutcomes tests the table of docs/guarantees.md: what each verb reports under each protection if its request or reply is
// lost. Every report except "unknown" is compared with what was applied.
func TestOutcomes(t *testing.T) {
	type call func(ctx context.Context, c ddb.Client, t *accounts, s *account) error
	verbs := []struct {
		name   string
		absent bool
		run    call
		tx     func(t *accounts, s *account) ddb.TxOp
	}{
		{"Create", true, func(ctx context.Context, _ ddb.Client, t *accounts, _ *account) error {
			return t.Create(ctx, &account{ID: "a", N: 1})
		}, func(t *accounts, _ *account) ddb.TxOp { return t.TxCreate(&account{ID: "a", N: 1}) }},
		{"Put of a read item", false, func(ctx context.Context, _ ddb.Client, t *accounts, s *account) error { s.N++; return t.Put(ctx, s) }, func(t *accounts, s *account) ddb.TxOp { s.N++; return t.TxPut(s) }},
		{"Replace", false, func(ctx context.Context, _ ddb.Client, t *accounts, s *account) error {
			s.N++
			return t.Replace(ctx, s)
		}, func(t *accounts, s *account) ddb.TxOp { s.N++; return t.TxReplace(s) }},
		{"Update, Set", false, func(ctx context.Context, _ ddb.Client, t *accounts, _ *account) error {
			return second(t.Update(ctx, "a", accountN.Set(1)))
		}, func(t *accounts, _ *account) ddb.TxOp { return t.TxUpdate("a", accountN.Set(1)) }},
		{"Update, Add", false, func(ctx context.Context, _ ddb.Client, t *accounts, _ *account) error {
			return second(t.Update(ctx, "a", accountN.Add(1)))
		}, func(t *accounts, _ *account) ddb.TxOp { return t.TxUpdate("a", accountN.Add(1)) }},
		{"Update, If", false, func(ctx context.Context, _ ddb.Client, t *accounts, _ *account) error {
			return second(t.Update(ctx, "a", accountN.Add(1), ddb.If(accountN.Lt(1))))
		}, func(t *accounts, _ *account) ddb.TxOp {
			return t.TxUpdate("a", accountN.Add(1), ddb.If(accountN.Lt(1)))
		}},
		{"Upsert, Add", true, func(ctx context.Context, _ ddb.Client, t *accounts, _ *account) error {
			return second(t.Upsert(ctx, "a", accountN.Add(1)))
		}, nil},
		{"Delete", false, func(ctx context.Context, _ ddb.Client, t *accounts, s *account) error {
			if s.Version > 0 && s.Revision.IsZero() {
				return t.Delete(ctx, "a", ddb.If(accountVersion.Eq(s.Version)))
			}
			return t.Delete(ctx, "a")
		}, nil},
		{"DeleteItem", false, func(ctx context.Context, _ ddb.Client, t *accounts, s *account) error { return t.DeleteItem(ctx, s) }, func(t *accounts, s *account) ddb.TxOp { return t.TxDeleteItem(s) }},
	}
	protections := []struct {
		name string
		opts []ddb.TableOption
		tx   bool
	}{
		{"none", nil, false},
		{"integer", []ddb.TableOption{ddb.Version(accountVersion)}, false},
		{"`Revision`", []ddb.TableOption{ddb.Version(accountRevision)}, false},
		{"and `Tombstones`", []ddb.TableOption{ddb.Version(accountRevision), ddb.Tombstones("deleted", time.Hour)}, false},
		{"`Revision` in `Transact`", []ddb.TableOption{ddb.Version(accountRevision)}, true},
	}
	var doc strings.Builder
	doc.WriteString("| | protection |")
	for _, s := range situations {
		doc.WriteString(" " + s.name + " |")
	}
	doc.WriteString("\n|---|---|" + strings.Repeat("---|", len(situations)) + "\n")
	for _, v := range verbs {
		for i, p := range protections {
			if p.tx && v.tx == nil {
				continue
			}
			name := v.name
			if i > 0 {
				name = ""
			}
			fmt.Fprintf(&doc, "| %s | %s |", name, p.name)
			for _, s := range situations {
				var outcome string
				synctest.Test(t, func(t *testing.T) {
					run := v.run
					if p.tx {
						run = func(ctx context.Context, c ddb.Client, t *accounts, s *account) error {
							return ddb.Transact(ctx, c, v.tx(t, s))
						}
					}
					outcome = playOutcome(t, p.name, v.name, v.absent, s, p.opts, run)
				})
				fmt.Fprintf(&doc, " %s |", outcome)
			}
			doc.WriteString("\n")
		}
	}
	const file, from, to = "../../../docs/guarantees.md", "<!-- outcomes -->\n", "<!-- end -->"
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, found := strings.Cut(string(text), from)
	table, after, ended := strings.Cut(rest, to)
	if !found || !ended {
		t.Fatalf("%s has no table of outcomes", file)
	}
	if *updateDocs {
		if err := os.WriteFile(file, []byte(before+from+doc.String()+to+after), 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	if table != doc.String() {
		t.Errorf("docs/guarantees.md has another table; update it with go test ./internal/apitest/write -run TestOutcomes -update:\n%s", doc.String())
	}
}

// playOutcome makes one call and returns the name of what it reported.
func playOutcome(t *testing.T, guard, verb string, absent bool, s situation, opts []ddb.TableOption, run func(context.Context, ddb.Client, *accounts, *account) error) string {
	ctx := t.Context()
	e := ddbtest.NewEngine()
	defer e.Close()
	road := &onWay{engine: e}
	client := e.Client(func(o *dynamodb.Options) { o.HTTPClient = road })
	mine, theirs := newShared(t, client, opts...), newShared(t, e.Client(), opts...)
	if err := theirs.CreateTable(ctx); err != nil {
		t.Fatal(err)
	}
	item := account{ID: "a"}
	if !absent {
		if err := theirs.Create(ctx, &item); err != nil {
			t.Fatal(err)
		}
	}
	road.plan = s.way(func() { s.others(ctx, theirs) })
	err := run(ctx, client, mine, &item)
	stored, rerr := theirs.Get(ctx, "a", ddb.Consistent())
	deleted := errors.Is(rerr, ddb.ErrNotFound)
	ours := stored.N % 100 // the other callers add hundreds
	counts := strings.HasSuffix(verb, "Add")
	switch {
	case errors.Is(err, ddb.ErrOutcomeUnknown):
		return "unknown"
	case err == nil:
		if counts && ours > 1 {
			return "**ok, twice**"
		}
		if stored.N == 1 && s.name == "reply lost, others write" || strings.HasPrefix(verb, "Delete") && deleted && !strings.HasSuffix(s.name, "write") && strings.Contains(s.name, "again") {
			return "**ok, over the other's**"
		}
		return "ok"
	case errors.Is(err, ddb.ErrConditionFailed):
		if applied := ours > 0 || deleted; applied && (strings.Contains(guard, "Tombstones") || strings.Contains(guard, "Revision") && !strings.HasPrefix(verb, "Delete")) {
			t.Errorf("%s, %s: a failed condition was reported, and the write is stored", verb, s.name)
		} else if applied {
			return "**failed, though applied**"
		}
		return "failed"
	}
	t.Errorf("%s, %s: %v", verb, s.name, err)
	return "error"
}
