// SPDX-License-Identifier: Apache-2.0

package explorer_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"

	"github.com/dynamotable/ddb"
)

// record is the item of all tables. Callers that create write equal content.
type record struct {
	ID       string       `dynamodbav:"id"`
	N        int64        `dynamodbav:"n"`
	State    string       `dynamodbav:"state"`
	Version  int64        `dynamodbav:"version"`
	Until    int64        `dynamodbav:"until,omitempty"`
	Revision ddb.Revision `dynamodbav:"revision"`
}

var (
	recordID       = ddb.StrField(func(r *record) *string { return &r.ID })
	recordN        = ddb.NumField(func(r *record) *int64 { return &r.N })
	recordState    = ddb.StrField(func(r *record) *string { return &r.State })
	recordUntil    = ddb.NumField(func(r *record) *int64 { return &r.Until })
	recordVersion  = ddb.NumField(func(r *record) *int64 { return &r.Version })
	recordRevision = ddb.Field(func(r *record) *ddb.Revision { return &r.Revision })
)

type table = ddb.SimpleTable[record, string]

func fresh(key string) *record { return &record{ID: key, N: 1, State: "open"} }

// next returns the item that was read, with the caller's change.
func next(c *call) *record {
	item := c.read
	item.N++
	return &item
}

// demand is what a call requires of the stored item, however the library ensures it.
type demand uint8

const (
	anything demand = iota
	absent
	vacant // absent, or expired if the table treats that as absent
	present
	same // the same item that was read, without a later write
	open
	sameN
)

// verb is a call that a caller can make.
type verb struct {
	name    string
	reads   bool // the caller reads the item first
	byKey   bool // it reads only to state the item in a condition
	deletes bool
	foreign bool                   // a program without the library
	where   func(*protection) bool // the tables on which it exists; nil for all
	demand  func(*protection) demand
	free    func(*protection) bool // it may be applied any number of times, and late
	run     func(context.Context, *user, *call) (*record, error)
	// asks is what a call of an event store requests.
	asks *asks
	// save is what a call of positions or snapshots saves.
	save *saveCall
}

func always(d demand) func(*protection) demand { return func(*protection) demand { return d } }

// guarded requires the item that was read if the table protects it, and otherwise the given demand.
func guarded(d demand) func(*protection) demand {
	return func(p *protection) demand {
		if p.protects {
			return same
		}
		return d
	}
}

func never(*protection) bool         { return false }
func unprotected(p *protection) bool { return !p.protects }
func unswapped(p *protection) bool   { return !p.swaps }

// verbs returns the verbs for the tables of a protection, basic ones first.
func verbs(p *protection) []*verb {
	if p.layer != nil {
		return p.layer.verbs()
	}
	return slices.DeleteFunc(allVerbs(), func(v *verb) bool {
		return v.where != nil && !v.where(p) || p.expires && !slices.Contains(verbsOfExpiry, v.name)
	})
}

// verbsOfExpiry returns the verbs explored on tables that hide expired items.
var verbsOfExpiry = []string{"Create", "Put(read)", "DeleteItem(read)", "Update n+1", "Put(blind)", "TxCreate", "Expire", "Delete(key)", "foreign n+1", "foreign delete"}

const basicVerbs = 7

func allVerbs() []*verb {
	return []*verb{
		{name: "Create", demand: always(vacant), free: never, run: func(ctx context.Context, u *user, _ *call) (*record, error) {
			return nil, u.table.Create(ctx, fresh(u.run.key))
		}},
		{name: "Put(read)", reads: true, demand: guarded(anything), free: unprotected, run: func(ctx context.Context, u *user, c *call) (*record, error) {
			return nil, u.table.Put(ctx, next(c))
		}},
		{name: "DeleteItem(read)", reads: true, deletes: true, demand: guarded(anything), free: unprotected, run: func(ctx context.Context, u *user, c *call) (*record, error) {
			return nil, u.table.DeleteItem(ctx, &c.read)
		}},
		{name: "Update n+1 If(read)", reads: true, demand: guarded(sameN), free: never, run: func(ctx context.Context, u *user, c *call) (*record, error) {
			return updated(u.table.Update(ctx, u.run.key, recordN.Add(1), u.run.guard.condition(&c.read)))
		}},
		{name: "Update n+1", demand: always(present), free: never, run: func(ctx context.Context, u *user, _ *call) (*record, error) {
			return updated(u.table.Update(ctx, u.run.key, recordN.Add(1)))
		}},
		{name: "Update Set If(open)", demand: always(open), free: never, run: func(ctx context.Context, u *user, _ *call) (*record, error) {
			return updated(u.table.Update(ctx, u.run.key, recordState.Set("closed"), ddb.If(recordState.Eq("open"))))
		}},
		{name: "Delete(key)", reads: true, byKey: true, deletes: true, demand: func(p *protection) demand {
			if p.protects && !p.swaps {
				return same
			}
			return anything
		}, free: unprotected, run: func(ctx context.Context, u *user, c *call) (*record, error) {
			if p := u.run.guard; p.swaps || !p.protects {
				return nil, u.table.Delete(ctx, u.run.key)
			}
			return nil, u.table.Delete(ctx, u.run.key, u.run.guard.condition(&c.read))
		}},
		{name: "Replace(read)", reads: true, demand: guarded(present), free: unprotected, run: func(ctx context.Context, u *user, c *call) (*record, error) {
			return nil, u.table.Replace(ctx, next(c))
		}},
		{name: "Put(blind)", demand: func(p *protection) demand {
			if p.protects {
				return absent
			}
			return anything
		}, free: unprotected, run: func(ctx context.Context, u *user, _ *call) (*record, error) {
			return nil, u.table.Put(ctx, fresh(u.run.key))
		}},
		{name: "Upsert n+1", demand: always(anything), free: never, run: func(ctx context.Context, u *user, _ *call) (*record, error) {
			return updated(u.table.Upsert(ctx, u.run.key, recordN.Add(1)))
		}},
		{name: "TxCreate", demand: always(vacant), free: never, run: func(ctx context.Context, u *user, _ *call) (*record, error) {
			return nil, ddb.Transact(ctx, u.client, u.table.TxCreate(fresh(u.run.key)))
		}},
		{name: "TxPut(read)", reads: true, demand: guarded(anything), free: never, run: func(ctx context.Context, u *user, c *call) (*record, error) {
			return nil, ddb.Transact(ctx, u.client, u.table.TxPut(next(c)))
		}},
		{name: "TxUpdate n+1", demand: always(present), free: never, run: func(ctx context.Context, u *user, _ *call) (*record, error) {
			return nil, ddb.Transact(ctx, u.client, u.table.TxUpdate(u.run.key, recordN.Add(1)))
		}},
		{name: "TxDeleteItem(read)", reads: true, deletes: true, demand: guarded(anything), free: never, run: func(ctx context.Context, u *user, c *call) (*record, error) {
			return nil, ddb.Transact(ctx, u.client, u.table.TxDeleteItem(&c.read))
		}},
		{name: "Update n+1 Exact", where: unswapped, demand: always(present), free: never, run: func(ctx context.Context, u *user, _ *call) (*record, error) {
			return updated(u.table.Update(ctx, u.run.key, recordN.Add(1).Exact()))
		}},
		{name: "BatchPut", where: unprotected, demand: always(anything), free: unprotected, run: func(ctx context.Context, u *user, _ *call) (*record, error) {
			return nil, u.table.BatchPut(ctx, []record{*fresh(u.run.key)})
		}},
		{name: "BatchDelete", where: unprotected, deletes: true, demand: always(anything), free: unprotected, run: func(ctx context.Context, u *user, _ *call) (*record, error) {
			return nil, u.table.BatchDelete(ctx, []string{u.run.key})
		}},
		{name: "Expire", where: func(p *protection) bool { return p.expires }, demand: always(present), free: never, run: func(ctx context.Context, u *user, _ *call) (*record, error) {
			return updated(u.table.Update(ctx, u.run.key, recordUntil.Set(longAgo)))
		}},
		{name: "foreign n+1", foreign: true, demand: always(present), free: never, run: func(_ context.Context, u *user, _ *call) (*record, error) {
			return nil, u.raw("UpdateItem", `"UpdateExpression":"SET n = n + :one","ConditionExpression":"attribute_exists(id)","ExpressionAttributeValues":{":one":{"N":"1"}}`)
		}},
		{name: "foreign delete", foreign: true, deletes: true, demand: always(anything), free: never, run: func(_ context.Context, u *user, _ *call) (*record, error) {
			return nil, u.raw("DeleteItem", `"ReturnConsumedCapacity":"NONE"`)
		}},
	}
}

func updated(item record, err error) (*record, error) { return &item, err }

var errRejected = errors.New("refused")

// raw sends a request as a program without the library does.
func (u *user) raw(op, rest string) error {
	resp, err := u.Do(rawRequest(op, fmt.Sprintf(`{"TableName":%q,"Key":{"id":{"S":%q}},%s}`, tableName, u.run.key, rest)))
	if err != nil {
		return err
	}
	if resp.StatusCode != http.StatusOK {
		return errRejected
	}
	return nil
}

func resultOf(err error) result {
	switch {
	case err == nil, errors.Is(err, ddb.ErrReplyLost):
		return succeeded
	case errors.Is(err, ddb.ErrOutcomeUnknown):
		return unknown
	case errors.Is(err, ddb.ErrConditionFailed), errors.Is(err, errRejected):
		return rejected
	}
	return failed
}

func currentOf(err error) (item record, ok bool) {
	if f, is := errors.AsType[*ddb.ConditionFailed[record]](err); is {
		return f.Current()
	}
	return item, false
}
