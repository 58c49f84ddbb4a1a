// SPDX-License-Identifier: Apache-2.0

package cost_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/dynamotable/ddb"
	"github.com/dynamotable/ddb/ddbtest"
	"github.com/dynamotable/ddb/hooks"
)

type callKeeper struct{ calls []*hooks.Call }

func (k *callKeeper) Begin(ctx context.Context, _ *hooks.Call) context.Context { return ctx }
func (k *callKeeper) End(_ context.Context, c *hooks.Call)                     { k.calls = append(k.calls, c) }

// TestKeptCallsDoNotChange: a hook may keep a call: its explanation does not change with later calls.
func TestKeptCallsDoNotChange(t *testing.T) {
	ctx := t.Context()
	k := &callKeeper{}
	users, err := ddb.NewSimple(ddbtest.New(t), "users", userID, ddb.WithHook(k))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := ddb.NewSimpleIndex(users, "by-nick", userNick); err != nil {
		t.Fatal(err)
	}
	if err := users.CreateTable(ctx); err != nil {
		t.Fatal(err)
	}
	list := func(n, size int) (all []user) {
		for i := range n {
			all = append(all, user{ID: fmt.Sprint("id", i), Name: strings.Repeat("x", size), Nick: strings.Repeat("k", size/3000)})
		}
		return all
	}
	for name, write := range map[string]func(size int) error{
		"BatchPut": func(size int) error { return users.BatchPut(ctx, list(5, size)) },
		"Put":      func(size int) error { return users.Put(ctx, &list(1, size)[0]) },
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
