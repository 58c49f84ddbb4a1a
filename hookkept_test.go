package ddb_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/dynamotable/ddb"
	"github.com/dynamotable/ddb/ddbtest"
)

type keptNote struct {
	ID   string `dynamodbav:"id"`
	Text string `dynamodbav:"text"`
	Kind string `dynamodbav:"kind,omitempty"`
}

type callKeeper struct{ calls []*ddb.Call }

func (k *callKeeper) Begin(ctx context.Context, _ *ddb.Call) context.Context { return ctx }
func (k *callKeeper) End(_ context.Context, c *ddb.Call)                     { k.calls = append(k.calls, c) }

// TestKeptCallsStayAsTheyWere: a hook may keep a call, and its explanation does not change with later calls.
func TestKeptCallsStayAsTheyWere(t *testing.T) {
	ctx := t.Context()
	k := &callKeeper{}
	notes, err := ddb.NewSimple(ddbtest.New(t), "notes", ddb.StrField(func(n *keptNote) *string { return &n.ID }), ddb.WithHook(k))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := ddb.NewSimpleIndex(notes, "by-kind", ddb.StrField(func(n *keptNote) *string { return &n.Kind })); err != nil {
		t.Fatal(err)
	}
	if err := notes.CreateTable(ctx); err != nil {
		t.Fatal(err)
	}
	list := func(n, size int) (all []keptNote) {
		for i := range n {
			all = append(all, keptNote{fmt.Sprint("id", i), strings.Repeat("x", size), strings.Repeat("k", size/3000)})
		}
		return all
	}
	for name, write := range map[string]func(size int) error{
		"BatchPut": func(size int) error { return notes.BatchPut(ctx, list(5, size)) },
		"Put":      func(size int) error { return notes.Put(ctx, &list(1, size)[0]) },
	} {
		k.calls = nil
		if err := write(3000); err != nil {
			t.Fatal(err)
		}
		first := k.calls[0]
		before := fmt.Sprint(first.Explain().Indexes)
		for range 5 {
			if err := write(10); err != nil {
				t.Fatal(err)
			}
		}
		if after := fmt.Sprint(first.Explain().Indexes); after != before {
			t.Errorf("%s: the explanation was\n%sand became\n%s", name, before, after)
		}
	}
}
