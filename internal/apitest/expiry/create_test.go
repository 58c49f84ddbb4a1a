// SPDX-License-Identifier: Apache-2.0

package expiry_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/dynamotable/ddb"
	"github.com/dynamotable/ddb/cost"
	"github.com/dynamotable/ddb/internal/apitest"
)

// protections are the options of a table by which the outcome of a write can be proven.
var protections = map[string][]ddb.TableOption{
	"none":             nil,
	"version":          {ddb.Version(sessionVersion)},
	"revision":         {ddb.Version(sessionRevision)},
	"both":             {ddb.Version(sessionVersion), ddb.Version(sessionRevision)},
	"tombstones":       {ddb.Version(sessionRevision), ddb.Tombstones("deleted", time.Hour)},
	"both, tombstones": {ddb.Version(sessionVersion), ddb.Version(sessionRevision), ddb.Tombstones("deleted", time.Hour)},
}

// stored returns the stored item, whether it has expired or not.
func (x *tables) stored(t testing.TB, id int) session {
	t.Helper()
	s, err := x.sessions.Get(t.Context(), "u", id, ddb.Consistent(), ddb.IncludeExpired())
	if err != nil && !errors.Is(err, ddb.ErrNotFound) {
		t.Fatal(err)
	}
	return s
}

// TestCreateOverExpired: a create treats an expired item as absent, alone or in a transaction, whichever program has written
// it. Any other item makes the create fail and stays unchanged..
func TestCreateOverExpired(t *testing.T) {
	for name, opts := range protections {
		t.Run(name, func(t *testing.T) {
			ctx := t.Context()
			x := newTables(t, apitest.NewClient(t), opts...)
			id := 0
			for _, foreign := range []bool{false, true} {
				for _, inTransaction := range []bool{false, true} {
					for _, state := range append(states, states[0]) {
						id++
						there := session{User: "u", ID: id, Device: "old", Until: state.until}
						if foreign {
							x.put(t, there)
						} else if err := x.sessions.Create(ctx, &there); err != nil {
							t.Fatal(err)
						}
						fresh := session{User: "u", ID: id, Device: "new", Until: noon.Unix() + 100}
						create := func() error { return x.sessions.Create(ctx, &fresh) }
						if inTransaction {
							create = func() error { return ddb.Transact(ctx, x.client, x.sessions.TxCreate(&fresh)) }
						}
						what := fmt.Sprintf("%s, foreign %t, in a transaction %t", state.name, foreign, inTransaction)
						err := create()
						now := x.stored(t, id)
						switch {
						case state.expired && (err != nil || now.Device != "new" || now.Revision.IsZero() != fresh.Revision.IsZero() || !now.Revision.Same(fresh.Revision) && !fresh.Revision.IsZero()):
							t.Errorf("%s: %+v, %v", what, now, err)
						case !state.expired && (!errors.Is(err, ddb.ErrConditionFailed) || now.Device != "old"):
							t.Errorf("%s: %+v, %v", what, now, err)
						}
						// Further writes of the created item succeed.
						if err == nil {
							fresh.Device = "again"
							if err := x.sessions.Put(ctx, &fresh); err != nil {
								t.Errorf("%s: a put of what was created: %v", what, err)
							}
							if err := x.sessions.Create(ctx, &session{User: "u", ID: id, Device: "third"}); !errors.Is(err, ddb.ErrConditionFailed) {
								t.Errorf("%s: a second create: %v", what, err)
							}
						}
					}
				}
			}
		})
	}
}

// TestCreateOverExpiredIsEstimated: the replaced item's entries of indexes are deleted, so that such a create costs as much as a put.
func TestCreateOverExpiredIsEstimated(t *testing.T) {
	x := newTables(t, apitest.NewClient(t))
	fresh := session{User: "u", Device: "new", Until: noon.Unix() + 100}
	for name, create := range map[string]func(context.Context) error{
		"alone":            func(ctx context.Context) error { return x.sessions.Create(ctx, &fresh) },
		"in a transaction": func(ctx context.Context) error { return ddb.Transact(ctx, x.client, x.sessions.TxCreate(&fresh)) },
	} {
		fresh.ID++
		x.put(t, session{User: "u", ID: fresh.ID, Device: "old", Until: noon.Unix() - 5})
		plan, err := ddb.Explain(t.Context(), create)
		if err != nil {
			t.Fatal(err)
		}
		budget := cost.NewBudget(cost.Limits{})
		if err := create(ddb.WithBudget(t.Context(), budget)); err != nil {
			t.Fatal(err)
		}
		if used := budget.Spent().WriteUnits; used < 5 || used > plan.Write.Max {
			t.Errorf("%s: the create used %g units, estimated were %v", name, used, plan.Write)
		}
	}
}

// TestCreateWithoutHiding: if expired items are shown, a create treats them as existing.
func TestCreateWithoutHiding(t *testing.T) {
	ctx := t.Context()
	x := newTables(t, apitest.NewClient(t))
	x.put(t, session{User: "u", ID: 1, Until: noon.Unix() - 5, Device: "old"})
	plain, err := ddb.New(x.client, x.sessions.Name(), sessionUser, sessionID, ddb.TTL(sessionUntil), ddb.Clock(x.clock.now))
	if err != nil {
		t.Fatal(err)
	}
	if err := plain.Create(ctx, &session{User: "u", ID: 1, Device: "new"}); !errors.Is(err, ddb.ErrConditionFailed) {
		t.Error(err)
	}
	if s, err := plain.Get(ctx, "u", 1); err != nil || s.Device != "old" {
		t.Errorf("%+v, %v", s, err)
	}
}

// TestOtherWritesActOnExpired: all writes except Create act on the stored item.
func TestOtherWritesActOnExpired(t *testing.T) {
	ctx := t.Context()
	x := newTables(t, apitest.NewClient(t))
	x.put(t, session{User: "u", ID: 1, Until: noon.Unix() - 5, Device: "old"})
	s, err := x.sessions.Update(ctx, x.sessions.Key("u", 1), sessionUntil.Set(noon.Unix()+50))
	if err != nil || s.Device != "old" {
		t.Errorf("%+v, %v", s, err)
	}
	if s, err := x.sessions.Get(ctx, "u", 1); err != nil || s.Device != "old" {
		t.Errorf("a prolonged session: %+v, %v", s, err)
	}
	x.put(t, session{User: "u", ID: 2, Until: noon.Unix() - 5, Device: "old"})
	var old session
	if err := x.sessions.Put(ctx, &session{User: "u", ID: 2, Device: "new"}, ddb.ReturnOld(&old)); err != nil || old.Device != "old" {
		t.Errorf("a put over an expired item returned another old item, or %v", err)
	}
}

// TestCreateKeepsProlongedItem: an item whose expiry another program has extended in the meantime is not replaced, although its revision is the same.
func TestCreateKeepsProlongedItem(t *testing.T) {
	for name, opts := range protections {
		t.Run(name, func(t *testing.T) {
			apitest.NeedsEngine(t, "a write comes between two requests")
			ctx := t.Context()
			f, client := apitest.NewFaulty(t)
			x := newTables(t, client, opts...)
			if err := x.sessions.Create(ctx, &session{User: "u", ID: 1, Until: noon.Unix() - 5, Device: "old"}); err != nil {
				t.Fatal(err)
			}
			table := x.sessions.Name()
			prolonged := false
			f.Set(func(op string, _ int) apitest.Fault {
				if op == "PutItem" && f.Calls["PutItem"] >= 1 && !prolonged {
					prolonged = true
					_, err := f.Engine.Client().UpdateItem(ctx, &dynamodb.UpdateItemInput{
						TableName:        &table,
						Key:              map[string]types.AttributeValue{"user": &types.AttributeValueMemberS{Value: "u"}, "id": &types.AttributeValueMemberN{Value: "1"}},
						UpdateExpression: new("SET #u = :u"), ExpressionAttributeNames: map[string]string{"#u": "until"},
						ExpressionAttributeValues: map[string]types.AttributeValue{":u": &types.AttributeValueMemberN{Value: fmt.Sprint(noon.Unix() + 500)}},
					})
					if err != nil {
						t.Error(err)
					}
				}
				return apitest.NoFault
			})
			err := x.sessions.Create(ctx, &session{User: "u", ID: 1, Until: noon.Unix() + 5, Device: "new"})
			f.Set(nil)
			if now := x.stored(t, 1); !prolonged || !errors.Is(err, ddb.ErrConditionFailed) || now.Device != "old" {
				t.Errorf("%+v, %v", now, err)
			}
		})
	}
}

//go:fix inline

// TestCreateOverExpiredWithFaults: after any fault of one request, the reported outcome is the real one; on a table with tombstones it is always known.
func TestCreateOverExpiredWithFaults(t *testing.T) {
	apitest.NeedsEngine(t, "faults")
	for name, opts := range protections {
		for fault := range apitest.Faults {
			for nth := range 3 {
				t.Run(fmt.Sprintf("%s, %v at request %d", name, fault, nth), func(t *testing.T) {
					ctx := t.Context()
					f, client := apitest.NewFaulty(t)
					x := newTables(t, client, opts...)
					if err := x.sessions.Create(ctx, &session{User: "u", ID: 1, Until: noon.Unix() - 5, Device: "old"}); err != nil {
						t.Fatal(err)
					}
					f.Set(func(_ string, n int) apitest.Fault {
						if n == nth {
							return fault
						}
						return apitest.NoFault
					})
					fresh := session{User: "u", ID: 1, Until: noon.Unix() + 5, Device: "new"}
					err := x.sessions.Create(ctx, &fresh)
					f.Set(nil)
					now := x.stored(t, 1)
					switch {
					case err == nil && (now.Device != "new" || !fresh.Revision.IsZero() && !now.Revision.Same(fresh.Revision)):
						t.Error("success was reported, but another item is stored")
					case errors.Is(err, ddb.ErrOutcomeUnknown):
						if _, lasting := map[string]bool{"tombstones": true, "both, tombstones": true}[name]; lasting {
							t.Errorf("unknown, although the tags outlive the item: %v", err)
						}
					case err != nil && now.Device != "old":
						t.Errorf("%v, but the old item is not stored", err)
					case errors.Is(err, ddb.ErrConditionFailed):
						t.Errorf("a failed condition over an expired item: %v", err)
					}
				})
			}
		}
	}
}
