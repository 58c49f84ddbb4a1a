// SPDX-License-Identifier: Apache-2.0

package leaks_test

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/dynamotable/ddb"
	"github.com/dynamotable/ddb/change"
	dumps3 "github.com/dynamotable/ddb/dump/s3"
	"github.com/dynamotable/ddb/eventstore"
	"github.com/dynamotable/ddb/eventstore/importer"
	"github.com/dynamotable/ddb/grant"
	"github.com/dynamotable/ddb/keyformat"
	"github.com/dynamotable/ddb/pagetoken"
	"github.com/dynamotable/ddb/payload"
	payloads3 "github.com/dynamotable/ddb/payload/s3"
	"github.com/dynamotable/ddb/position"
	"github.com/dynamotable/ddb/snapshot"
	"github.com/dynamotable/ddb/unique"
)

// made is a value that a constructor returned with an error, or a value derived from it.
type made struct {
	value any
	err   error
	calls int // minimum number of calls that return an error
}

// made1 has the two results of a constructor for arguments.
func made1(value any, err error) made { return made{value, err, 1} }

// TestFailedStores: the value that a failed constructor of a layer returns refuses every call with the constructor's error, and so
// do values derived from it; nothing is sent. The clients, object stores and position stores here panic when called, or count calls.
func TestFailedStores(t *testing.T) {
	s := &service{status: 200, body: `{}`}
	client := s.client()
	var (
		streams   = struct{ change.Client }{}
		leases    = struct{ change.Store }{}
		objects   = struct{ payload.Objects }{}
		positions = struct{ eventstore.Positions }{}
		source    = change.OfTable("members")
	)
	good, err := eventstore.New(client, "events")
	if err != nil {
		t.Fatal(err)
	}
	store, storeErr := eventstore.New(client, "x", eventstore.Sequenced(1)) // the name is too short
	options, optionsErr := eventstore.New(client, "events", eventstore.Clock(nil), eventstore.Sequenced(-1))
	noClient, noClientErr := eventstore.New(nil, "events")
	types := eventstore.NewTypes[string](eventstore.JSON)
	fold := func(state string, _ string) string { return state }
	handle := func(context.Context, eventstore.Commit) error { return nil }
	views, viewsErr := eventstore.NewViews[string](client, "x")
	snapshots, snapshotsErr := snapshot.New(client, "snapshots", snapshot.Offload(nil, -1))
	numbers, numbersErr := position.New(client, "x")
	payloads, payloadsErr := payload.New(objects, payload.Threshold(-1))
	tokens, tokensErr := pagetoken.New(pagetoken.Key{ID: "k", Secret: []byte("short")})
	members, membersErr := ddb.NewSimple(client, "x", id)
	format := keyformat.New[struct{ C chan int }]("p")
	ofStore := func(v any) made { return made{v, storeErr, 1} }
	for name, m := range map[string]made{
		"eventstore.New":                              {store, storeErr, 20},
		"eventstore.New, options":                     {options, optionsErr, 20},
		"eventstore.New, no client":                   {noClient, noClientErr, 20},
		"eventstore.NewRepository":                    ofStore(eventstore.NewRepository(store, types, fold)),
		"eventstore.NewRepository, all":               ofStore(eventstore.NewRepository(store, types, fold, eventstore.StateStored("s", 1), eventstore.Inline(nil))),
		"eventstore.NewProjection":                    made1(eventstore.NewProjection(good.Feed(), "", 0, positions, handle)),
		"eventstore.NewProjection, of a failed store": made1(eventstore.NewProjection(store.Feed(), "p", 1, positions, handle)),
		"eventstore.NewProjection, handler":           made1(eventstore.NewProjection(good.Feed(), "p", 1, positions, nil, eventstore.Retries(-1))),
		"eventstore.Store.Edition":                    made1(good.Edition(t.Context(), "stream", "", -1)),
		"eventstore.NewViews":                         {views, viewsErr, 4},
		"snapshot.New":                                {snapshots, snapshotsErr, 10},
		"snapshot.New, name":                          made1(snapshot.New(client, "x")),
		"position.New":                                {numbers, numbersErr, 10},
		"position.New, clock":                         made1(position.New(client, "positions", position.Clock(nil))),
		"payload.New":                                 {payloads, payloadsErr, 5},
		"payload.New, no objects":                     made1(payload.New(nil)),
		"dump/s3.New":                                 made1(dumps3.New(nil, "")),
		"payload/s3.New":                              made1(payloads3.New(nil, "")),
		"grant.New":                                   made1(grant.New(client, grant.TableName("x"))),
		"grant.New, options":                          made1(grant.New(client, grant.Clock(nil))),
		"grant.NewMemory":                             made1(grant.NewMemory(grant.Clock(nil))),
		"change.NewConsumer":                          made1(change.NewConsumer(streams, source, "", leases, change.Each(func(context.Context, change.Change[member]) error { return nil }))),
		"change.NewConsumer, options":                 made1(change.NewConsumer(streams, source, "app", leases, change.Each[member](nil), change.PageLimit(-1))),
		"change.NewStream":                            made1(change.NewStream[member](streams, change.Source{})),
		"change.NewStream, options":                   made1(change.NewStream[member](streams, source, change.PollInterval(-time.Second))),
		"change.NewTableStore":                        made1(change.NewTableStore(client, "x")),
		"pagetoken.New":                               {tokens, tokensErr, 1},
		"unique.New":                                  made1(unique.New(members, "email", id)),
		"unique.New, no table":                        made1(unique.New[member, string](nil, "email", id)),
		"keyformat.New":                               {format, format.Err(), 2},
		"importer.NewSchemelessBridge":                made1(importer.NewSchemelessBridge(client, "x", importer.SchemelessBridgeOptions{})),
	} {
		t.Run(name, func(t *testing.T) {
			if v := reflect.ValueOf(m.value); m.err == nil || v.Kind() == reflect.Pointer && v.IsNil() {
				t.Fatalf("%v, %v", m.value, m.err)
			}
			if !errors.Is(m.err, ddb.ErrInvalid) {
				t.Errorf("not ErrInvalid: %v", m.err)
			}
			r := refusals{t: t, s: s, want: m.err, seen: map[reflect.Type]bool{}}
			r.of(reflect.ValueOf(m.value))
			if r.calls < m.calls {
				t.Errorf("only %d calls", r.calls)
			}
		})
	}
	for _, zero := range []any{
		(*eventstore.Store)(nil), new(eventstore.Store), (*eventstore.Feed)(nil), new(eventstore.Feed), (*eventstore.TimeFeed)(nil), new(eventstore.TimeFeed),
		(*eventstore.Edition)(nil), new(eventstore.Edition), (*eventstore.Projection)(nil), new(eventstore.Projection),
		(*eventstore.Repository[string, string])(nil), new(eventstore.Repository[string, string]), eventstore.NewRepository[string, string](nil, nil, nil),
		eventstore.NewRepository(good, nil, fold), eventstore.NewRepository[string](good, types, nil),
		(*eventstore.Views[string])(nil), new(eventstore.Views[string]), (*eventstore.Types[string])(nil), new(eventstore.Types[string]),
		eventstore.NewTypes[string](nil), (*snapshot.Store)(nil), new(snapshot.Store), (*position.Store)(nil), new(position.Store),
		(*position.Claim)(nil), new(position.Claim), (*position.Owned)(nil), new(position.Owned), (*payload.Payloads)(nil), new(payload.Payloads),
		(*dumps3.Bucket)(nil), new(dumps3.Bucket), (*payloads3.Bucket)(nil), new(payloads3.Bucket), (*grant.Store)(nil), new(grant.Store), (*change.Consumer[member])(nil), new(change.Consumer[member]),
		(*change.Stream[member])(nil), new(change.Stream[member]), (*change.TableStore)(nil), new(change.TableStore),
		(*change.View[member, member, string])(nil), new(change.View[member, member, string]), change.NewView[member, member, string](nil, nil, nil, nil),
		(*pagetoken.Sealer)(nil), new(pagetoken.Sealer), (*unique.Values[member, string, string])(nil), new(unique.Values[member, string, string]),
		(*keyformat.Format[member])(nil), new(keyformat.Format[member]), (*importer.SchemelessBridge)(nil), new(importer.SchemelessBridge),
	} {
		t.Run(fmt.Sprintf("zero %T", zero), func(t *testing.T) {
			r := refusals{t: t, s: s, want: ddb.ErrInvalid, seen: map[reflect.Type]bool{}}
			r.of(reflect.ValueOf(zero))
			if r.calls == 0 {
				t.Error("no calls")
			}
		})
	}
	if membersErr == nil || s.requests() != 0 {
		t.Errorf("%v, %d requests were sent", membersErr, s.requests())
	}
}

// refusals calls the methods of the value of a failed constructor, and of the values that these return.
type refusals struct {
	t     *testing.T
	s     *service
	want  error
	seen  map[reflect.Type]bool
	calls int
}

func (r *refusals) of(v reflect.Value) {
	if r.seen[v.Type()] {
		return
	}
	r.seen[v.Type()] = true
	for i := range v.NumMethod() {
		if _, byValue := v.Type().Elem().MethodByName(v.Type().Method(i).Name); byValue && v.IsNil() {
			continue // Go itself refuses the call
		}
		name := fmt.Sprintf("%s.%s", v.Type(), v.Type().Method(i).Name)
		if v.Type().Method(i).Name == "Format" && v.Method(i).Type().NumOut() == 0 {
			continue // for package fmt
		}
		r.result(name, v.Method(i).Call(arguments(r.t, v.Method(i).Type())))
	}
}

// result is what a method returned: an error, a sequence with errors, an operation to send, or a value with its own methods.
func (r *refusals) result(name string, results []reflect.Value) {
	for i, v := range results {
		typ := v.Type()
		switch {
		case typ == errorType:
			err, _ := reflect.TypeAssert[error](v)
			r.check(name, err)
		case typ == reflect.TypeFor[ddb.TxOp]():
			op, _ := reflect.TypeAssert[ddb.TxOp](v)
			r.check(name, ddb.Transact(r.t.Context(), r.s.client(), op))
		case typ.Kind() == reflect.Func && typ.CanSeq2():
			n := 0
			for _, last := range v.Seq2() {
				if err, ok := reflect.TypeAssert[error](last); ok {
					r.check(name, err)
				}
				n++
			}
			if n != 1 {
				r.t.Errorf("%s yields %d times", name, n)
			}
		case typ.Kind() == reflect.Pointer && ours(typ.Elem()) && (i == len(results)-1 || !v.IsNil()): // not a zero value with an error
			r.of(v)
		}
	}
}

func (r *refusals) check(name string, err error) {
	r.calls++
	if err == nil || !errors.Is(err, ddb.ErrInvalid) || !errors.Is(err, r.want) && !strings.Contains(err.Error(), r.want.Error()) {
		r.t.Errorf("%s: %v, want %v", name, err, r.want)
	}
}
