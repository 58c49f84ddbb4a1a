// SPDX-License-Identifier: Apache-2.0

package write_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/dynamotable/ddb"
	"github.com/dynamotable/ddb/ddbtest"
)

func newShared(t *testing.T, client ddb.Client, opts ...ddb.TableOption) *accounts {
	t.Helper()
	table, err := ddb.NewSimple(client, "shared", accountID, opts...)
	if err != nil {
		t.Fatal(err)
	}
	return table
}

// rawPut stores an item as another program does.
func rawPut(t *testing.T, client *dynamodb.Client, id string, n int, version *int) {
	t.Helper()
	item := map[string]types.AttributeValue{"id": &types.AttributeValueMemberS{Value: id}, "n": &types.AttributeValueMemberN{Value: fmt.Sprint(n)}}
	if version != nil {
		item["version"] = &types.AttributeValueMemberN{Value: fmt.Sprint(*version)}
	}
	name := "shared"
	if _, err := client.PutItem(t.Context(), &dynamodb.PutItemInput{TableName: &name, Item: item}); err != nil {
		t.Fatal(err)
	}
}

// TestAdoption: items without a version, or with version zero as other mappers store it, can be written like
// all others, once.
func TestAdoption(t *testing.T) {
	zero := 0
	for protection, opts := range map[string][]ddb.TableOption{
		"version": {ddb.Version(accountVersion)}, "revision": {ddb.Version(accountRevision)},
		"both": {ddb.Version(accountVersion), ddb.Version(accountRevision)},
	} {
		for before, version := range map[string]*int{"no version": nil, "version zero": &zero} {
			for verb, write := range map[string]func(ctx context.Context, t *accounts, s *account) error{
				"Put":     func(ctx context.Context, t *accounts, s *account) error { return t.Put(ctx, s) },
				"Replace": func(ctx context.Context, t *accounts, s *account) error { return t.Replace(ctx, s) },
				"Update": func(ctx context.Context, t *accounts, s *account) error {
					got, err := t.Update(ctx, s.ID, accountN.Add(1))
					*s = got
					return err
				},
				"DeleteItem": func(ctx context.Context, t *accounts, s *account) error { return t.DeleteItem(ctx, s) },
			} {
				t.Run(protection+"/"+before+"/"+verb, func(t *testing.T) {
					ctx := t.Context()
					e := ddbtest.NewEngine()
					defer e.Close()
					table := newShared(t, e.Client(), opts...)
					if err := table.CreateTable(ctx); err != nil {
						t.Fatal(err)
					}
					rawPut(t, e.Client(), "a", 5, version)
					s, err := table.Get(ctx, "a")
					if err != nil {
						t.Fatal(err)
					}
					stale := s
					if err := write(ctx, table, &s); err != nil {
						t.Fatal(err)
					}
					if verb == "DeleteItem" {
						return
					}
					if protection != "revision" && s.Version != 1 || protection != "version" && s.Revision.Number != 1 {
						t.Errorf("version %d, revision %d", s.Version, s.Revision.Number)
					}
					for name, again := range map[string]error{"Put": table.Put(ctx, &stale), "Replace": table.Replace(ctx, &stale), "DeleteItem": table.DeleteItem(ctx, &stale)} {
						if !errors.Is(again, ddb.ErrConditionFailed) {
							t.Errorf("%s of an item that was read before: %v", name, again)
						}
					}
				})
			}
		}
	}
}

// TestLargestVersion: a version that cannot be raised is refused, and nothing is stored.
func TestLargestVersion(t *testing.T) {
	ctx := t.Context()
	e := ddbtest.NewEngine()
	defer e.Close()
	table := newShared(t, e.Client(), ddb.Version(accountVersion))
	if err := table.CreateTable(ctx); err != nil {
		t.Fatal(err)
	}
	largest := math.MaxUint8
	rawPut(t, e.Client(), "a", 5, &largest)
	s, err := table.Get(ctx, "a")
	if err != nil || s.Version != math.MaxUint8 {
		t.Fatal(err, s.Version)
	}
	for name, err := range map[string]error{
		"Put": table.Put(ctx, &s), "Replace": table.Replace(ctx, &s), "TxPut": ddb.Transact(ctx, e.Client(), table.TxPut(&s)),
	} {
		if !errors.Is(err, ddb.ErrInvalid) || !strings.Contains(err.Error(), "largest value of its type uint8") {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, err := range map[string]error{
		"Update": second(table.Update(ctx, "a", accountN.Add(1))), "Upsert": second(table.Upsert(ctx, "a", accountN.Add(1))),
	} {
		if !errors.Is(err, ddb.ErrConditionFailed) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if got, err := table.Get(ctx, "a"); err != nil || got != s || got.N != 5 {
		t.Errorf("the stored item differs, n is %d, %v", got.N, err)
	}
	if err := table.DeleteItem(ctx, &s); err != nil {
		t.Error(err)
	}
}

func second[T any](_ T, err error) error { return err }

// TestRollingDeployment: while an old program with a numeric version and a new one with the version and a revision
// write the same items, no update is lost.
func TestRollingDeployment(t *testing.T) {
	ctx := t.Context()
	e := ddbtest.NewEngine()
	defer e.Close()
	older := newShared(t, e.Client(), ddb.Version(accountVersion))
	newer := newShared(t, e.Client(), ddb.Version(accountVersion), ddb.Version(accountRevision))
	if err := older.CreateTable(ctx); err != nil {
		t.Fatal(err)
	}
	if err := older.Create(ctx, &account{ID: "a"}); err != nil {
		t.Fatal(err)
	}
	const writers, rounds = 4, 20
	var wg sync.WaitGroup
	for w := range writers {
		table := older
		if w%2 == 0 {
			table = newer
		}
		wg.Go(func() {
			for i := range rounds {
				for {
					s, err := table.Get(ctx, "a", ddb.Consistent())
					if err != nil {
						t.Error(err)
						return
					}
					s.N++
					switch (w/2 + i) % 2 {
					case 0:
						if table == older {
							// The old program does not know the attribute, and drops it.
							s.Revision = ddb.Revision{}
						}
						err = table.Put(ctx, &s)
					default:
						_, err = table.Update(ctx, "a", accountN.Add(1), ddb.If(accountVersion.Eq(s.Version)))
					}
					if err == nil {
						break
					}
					if !errors.Is(err, ddb.ErrConditionFailed) && !ddb.IsRetryable(err) {
						t.Error(err)
						return
					}
				}
			}
		})
	}
	wg.Wait()
	s, err := newer.Get(ctx, "a", ddb.Consistent())
	if err != nil || s.N != writers*rounds || s.Version != writers*rounds+1 {
		t.Errorf("counted %d, version %d, want %d: %v", s.N, s.Version, writers*rounds, err)
	}
	// Once the old program no longer runs, the revision alone protects the items of both.
	alone := newShared(t, e.Client(), ddb.Version(accountRevision))
	if err := newer.Put(ctx, &s); err != nil {
		t.Fatal(err)
	}
	if err := alone.Put(ctx, &s); err != nil {
		t.Error(err)
	}
}
