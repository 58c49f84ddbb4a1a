// SPDX-License-Identifier: Apache-2.0

package keys_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"

	"github.com/dynamotable/ddb"
	"github.com/dynamotable/ddb/ddbtest"
	"github.com/dynamotable/ddb/ddbtest/fault"
	"github.com/dynamotable/ddb/eventstore"
	"github.com/dynamotable/ddb/eventstore/eventstoretest"
	"github.com/dynamotable/ddb/eventstore/keys"
	"github.com/dynamotable/ddb/schema"
)

func TestMemory(t *testing.T) {
	m := new(keys.Memory)
	eventstoretest.Keys(t, func() eventstore.Keys { return m })
}

// kms wraps keys by XOR with the id, which is enough to check that it is used.
type kms struct{}

func (kms) Wrap(_ context.Context, id string, secret []byte) ([]byte, error) {
	wrapped := []byte("wrapped:")
	for i, b := range secret {
		wrapped = append(wrapped, b^id[i%len(id)])
	}
	return wrapped, nil
}

func (k kms) Unwrap(ctx context.Context, id string, wrapped []byte) ([]byte, error) {
	rest, ok := bytes.CutPrefix(wrapped, []byte("wrapped:"))
	if !ok {
		return nil, errors.New("not wrapped")
	}
	secret, err := k.Wrap(ctx, id, rest)
	return secret[len("wrapped:"):], err
}

func open(t *testing.T, client ddb.Client, name string, opts ...keys.Option) *keys.Table {
	t.Helper()
	table, err := keys.New(client, name, opts...)
	if err == nil {
		err = table.EnsureTable(t.Context())
	}
	if err != nil {
		t.Fatal(err)
	}
	return table
}

func TestTable(t *testing.T) {
	client := ddbtest.NewFromEnv(t)
	for i, opts := range [][]keys.Option{nil, {keys.Wrap(kms{})}} {
		name := fmt.Sprint(ddbtest.TableName(t), i)
		eventstoretest.Keys(t, func() eventstore.Keys { return open(t, client, name, opts...) })
		table := open(t, client, name)
		if differences, err := table.VerifyTable(t.Context()); err != nil || len(differences) > 0 {
			t.Errorf("%v, %v", differences, err)
		}
		if _, err := table.Key(t.Context(), "bob"); (err == nil) != (opts == nil) {
			t.Errorf("without the option Wrap: %v", err)
		}
		if err := table.DeleteTable(t.Context(), schema.AllowDelete(name)); err != nil {
			t.Fatal(err)
		}
	}
	_, err := keys.New(client, "keys", keys.Wrap(nil), keys.Clock(nil))
	if !errors.Is(err, ddb.ErrInvalid) {
		t.Errorf("a wrapper that is nil: %v", err)
	}
	if _, err := new(keys.Table).Key(t.Context(), "x"); !errors.Is(err, ddb.ErrInvalid) {
		t.Errorf("a zero table: %v", err)
	}
}

// TestLostReplies: whichever reply is lost, a subject has one key, and stays forgotten.
func TestLostReplies(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, rule := range []func(fault.Matcher) fault.Rule{fault.Matcher.DropReply, fault.Matcher.DropRequest, fault.Matcher.InternalError, fault.Matcher.Duplicate} {
			for seed := range uint64(10) {
				e := ddbtest.NewEngine(ddbtest.WithSeed(seed), ddbtest.WithFaults(rule(fault.On("PutItem", "UpdateItem", "GetItem").Chance(0.3))))
				table := open(t, e.Client(), "keys")
				key := func() (k eventstore.Key) {
					for err := errors.New("not yet"); err != nil; k, err = table.Key(t.Context(), "ada") {
						if errors.Is(err, eventstore.ErrForgotten) {
							t.Fatal(err)
						}
					}
					return k
				}
				first := key()
				if again := key(); len(first.Secret) != 32 || !bytes.Equal(first.Secret, again.Secret) {
					t.Errorf("seed %d: got another key", seed)
				}
				for table.Forget(t.Context(), "ada") != nil { // until the outcome is known
					continue
				}
				for {
					_, err := table.ByID(t.Context(), first.ID)
					if errors.Is(err, eventstore.ErrForgotten) {
						break
					}
					if err == nil || errors.Is(err, ddb.ErrNotFound) {
						t.Fatalf("seed %d: %v", seed, err)
					}
				}
				e.Close()
			}
		}
	})
}

// Without its key, the data of a person can no longer be read.
func Example() {
	ctx := context.Background()
	client, stop := ddbtest.Open()
	defer stop()
	subjects, err := keys.New(client, "keys")
	if err != nil {
		fmt.Println(err)
		return
	}
	store, err := eventstore.New(client, "events", eventstore.Encrypt(subjects, func(stream string) string { return stream }))
	if err != nil {
		fmt.Println(err)
		return
	}
	if err := schema.EnsureTables(ctx, subjects, store); err != nil {
		fmt.Println(err)
		return
	}
	_, err = store.Append(ctx, "customer-42", eventstore.NoStream(), eventstore.NewEvent{Type: "moved", Data: []byte("12 Pine Street")})
	if err != nil {
		fmt.Println(err)
		return
	}
	show := func() {
		for e, err := range store.Read(ctx, "customer-42") {
			if err != nil {
				fmt.Println(err)
				return
			}
			fmt.Printf("%d %s %q, forgotten: %t\n", e.Version, e.Type, e.Data, e.Forgotten)
		}
	}
	show()
	if err := subjects.Forget(ctx, "customer-42"); err != nil {
		fmt.Println(err)
		return
	}
	show()
	// Output:
	// 1 moved "12 Pine Street", forgotten: false
	// 1 moved "", forgotten: true
}
