// SPDX-License-Identifier: Apache-2.0

package importer_test

import (
	"errors"
	"fmt"
	"maps"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"pgregory.net/rapid"

	"github.com/dynamotable/ddb/ddbtest"
	"github.com/dynamotable/ddb/eventstore"
	"github.com/dynamotable/ddb/eventstore/importer"
	"github.com/dynamotable/ddb/internal/longtest"
)

const angzarrTable = "angzarr-events"

const (
	rootA = "12345678-1234-1234-1234-123456789abc"
	rootB = "00000000-0000-0000-0000-00000000000b"
)

func boolean(v bool) types.AttributeValue { return &types.AttributeValueMemberBOOL{Value: v} }

// page is an event as angzarr's code stores it.
func page(key string, seq int, message string, more item) item {
	it := item{"pk": s(key), "seq": n(seq), "event": b(message), "created_at": s("2026-03-01T10:00:00.000000001+00:00"), "committed": boolean(true)}
	maps.Copy(it, more)
	return it
}

func provisional(key string, seq int, message, cascade string) item { //nolint:unparam // as page
	return page(key, seq, message, item{"committed": boolean(false), "cascade_id": s(cascade)})
}

func marker(key string, seq int, message, cascade string) item { //nolint:unparam // as page
	return page(key, seq, message, item{"cascade_id": s(cascade)})
}

// codeOptions read messages whose text is the type of the event.
func codeOptions() importer.AngzarrOptions {
	return importer.AngzarrOptions{
		Layout: importer.AngzarrCode,
		Decode: func(message []byte) (eventstore.NewEvent, error) {
			if string(message) == "broken" {
				return eventstore.NewEvent{}, errors.New("secret")
			}
			return eventstore.NewEvent{Type: string(message), Data: message}, nil
		},
		Marker: func(message []byte) (importer.AngzarrMarker, error) {
			switch string(message) {
			case "confirm":
				return importer.Confirmation, nil
			case "revoke":
				return importer.Revocation, nil
			case "broken":
				return importer.NoMarker, errors.New("secret")
			}
			return importer.NoMarker, nil
		},
	}
}

func angzarrSource(t testing.TB, client *dynamodb.Client, o importer.AngzarrOptions) importer.Source {
	t.Helper()
	src, err := importer.Angzarr(client, angzarrTable, o)
	if err != nil {
		t.Fatal(err)
	}
	return src
}

// kinds returns the types of a stream's events in the order of versions.
func kinds(t testing.TB, store *eventstore.Store, stream string) string {
	t.Helper()
	var list []string
	for e, err := range store.Read(t.Context(), stream) {
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, e.Type)
	}
	return strings.Join(list, " ")
}

// TestAngzarrEditions: wherever an edition branches off, it is read as angzarr reads it: the main events below its first number, then its own events.
func TestAngzarrEditions(t *testing.T) {
	longtest.Checks(t, 20)
	rapid.Check(t, func(rt *rapid.T) {
		engine := ddbtest.NewEngine()
		defer engine.Close()
		client := engine.Client()
		main := fmt.Sprintf("order#angzarr#%s", rootA)
		var items []item
		var mainTypes []string
		for i := range rapid.IntRange(0, 8).Draw(rt, "main") {
			mainTypes = append(mainTypes, fmt.Sprintf("m%d", i))
			items = append(items, page(main, i, mainTypes[i], nil))
		}
		want := map[string]string{}
		parts := map[string]int64{}
		events := int64(len(mainTypes))
		for _, name := range []string{"what-if", "a#b"} {
			diverges := rapid.IntRange(0, len(mainTypes)).Draw(rt, "diverges")
			list := append([]string(nil), mainTypes[:diverges]...)
			for i := range rapid.IntRange(1, 4).Draw(rt, "own") {
				kind := fmt.Sprintf("e%d", diverges+i)
				list = append(list, kind)
				items = append(items, page("order#"+strings.ReplaceAll(name, "#", "%23")+"#"+rootA, diverges+i, kind, nil))
				events++
			}
			want[name], parts[name] = strings.Join(list, " "), int64(diverges)
		}
		seedTable(t, client, angzarrTable, "pk", "seq", true, items)
		src, store := angzarrSource(t, client, codeOptions()), newStore(t, client)
		imported(t, src, store, events)
		imported(t, src, store, 0)
		verified(t, src, store)
		for name, text := range want {
			e, err := store.Edition(t.Context(), "order-"+rootA, name, -1)
			if err != nil {
				rt.Fatal(err)
			}
			var got []string
			version := int64(0)
			for ev, err := range e.Read(t.Context(), 1) {
				if version++; err != nil || ev.Version != version {
					rt.Fatalf("%+v, %v; want version %d", ev, err, version)
				}
				got = append(got, ev.Type)
			}
			if e.Divergence() != parts[name] || strings.Join(got, " ") != text {
				rt.Errorf("%s branches off after %d: %q, want %q after %d", name, e.Divergence(), got, text, parts[name])
			}
			// It continues with the next version.
			done, err := e.Append(t.Context(), eventstore.Exactly(version), eventstore.NewEvent{Type: "next"})
			if err != nil || done.First != version+1 {
				rt.Errorf("append: %+v, %v", done, err)
			}
		}
	})
}

// TestAngzarrCascades: provisional events are imported only if their cascade was confirmed.
func TestAngzarrCascades(t *testing.T) {
	const key = "order#angzarr#" + rootA
	for what, tc := range map[string]struct {
		items   []item
		want    string
		pending int64
		abandon bool
	}{
		"confirmed":          {[]item{page(key, 0, "a", nil), provisional(key, 1, "b", "c1"), page(key, 2, "c", nil), marker(key, 3, "confirm", "c1")}, "a b c confirm", 0, false},
		"revoked":            {[]item{page(key, 0, "a", nil), provisional(key, 1, "b", "c1"), page(key, 2, "c", nil), marker(key, 3, "revoke", "c1")}, "a angzarr-withheld c revoke", 0, false},
		"undecided":          {[]item{page(key, 0, "a", nil), provisional(key, 1, "b", "c1"), page(key, 2, "c", nil)}, "a", 1, false},
		"no cascade":         {[]item{page(key, 0, "a", nil), page(key, 1, "b", item{"committed": boolean(false)})}, "a", 1, false},
		"abandoned":          {[]item{page(key, 0, "a", nil), provisional(key, 1, "b", "c1"), page(key, 2, "c", nil)}, "a angzarr-withheld c", 0, true},
		"of another cascade": {[]item{provisional(key, 0, "a", "c1"), marker(key, 1, "confirm", "c2")}, "", 1, false},
		"two cascades":       {[]item{provisional(key, 0, "a", "c1"), provisional(key, 1, "b", "c2"), marker(key, 2, "revoke", "c1"), marker(key, 3, "confirm", "c2")}, "angzarr-withheld b revoke confirm", 0, false},
		"no marker":          {[]item{provisional(key, 0, "a", "c1"), marker(key, 1, "x", "c1")}, "", 1, false},
	} {
		t.Run(what, func(t *testing.T) {
			client := ddbtest.New(t)
			seedTable(t, client, angzarrTable, "pk", "seq", true, tc.items)
			o := codeOptions()
			o.Abandon = tc.abandon
			src, store := angzarrSource(t, client, o), newStore(t, client)
			r, err := importer.Import(t.Context(), src, store)
			if err != nil || r.Pending != tc.pending {
				t.Errorf("%+v, %v", r, err)
			}
			if got := kinds(t, store, "order-"+rootA); got != tc.want {
				t.Errorf("%q, want %q", got, tc.want)
			}
			verified(t, src, store)
			for e, err := range store.Read(t.Context(), "order-"+rootA) {
				if err != nil || e.Type == importer.WithheldType && (len(e.Data) > 0 || e.Metadata[importer.CascadeKey] != "c1") {
					t.Errorf("%+v, %v", e, err)
				}
			}
		})
	}
}

// TestAngzarrDecidedLater: a stream that ends before a provisional event continues when the cascade is decided; an event that was treated as revoked and is
// confirmed later is reported.
func TestAngzarrDecidedLater(t *testing.T) {
	const key = "order#angzarr#" + rootA
	client := ddbtest.New(t)
	seedTable(t, client, angzarrTable, "pk", "seq", true, []item{page(key, 0, "a", nil), provisional(key, 1, "b", "c1"), page(key, 2, "c", nil)})
	src, store := angzarrSource(t, client, codeOptions()), newStore(t, client)
	imported(t, src, store, 1)
	o := codeOptions()
	o.Abandon = true
	abandoned, early := angzarrSource(t, client, o), newStoreIn(t, client, "early-events")
	imported(t, abandoned, early, 3)

	put(t, client, angzarrTable, marker(key, 3, "confirm", "c1"))
	imported(t, src, store, 3)
	if got := kinds(t, store, "order-"+rootA); got != "a b c confirm" {
		t.Error(got)
	}
	verified(t, src, store)
	imported(t, src, early, 1)
	verified(t, src, early, "order-"+rootA+" 2 it is missing", "order-"+rootA+" 2 it is not in the source")
}

// TestAngzarrOrigin: repeated requests are recognised, and the cause of an event is imported.
func TestAngzarrOrigin(t *testing.T) {
	const order, stock = "order#angzarr#" + rootA, "stock##" + rootB
	client := ddbtest.New(t)
	from := item{
		"source_domain": s("order"), "source_edition": s("angzarr"), "source_root": s(rootA), "source_seq": n(1),
		"source_component": s("saga"), "source_command_index": n(0), "ext": b("route"),
	}
	seedTable(t, client, angzarrTable, "pk", "seq", true, []item{
		page(order, 0, "opened", item{"external_id": s("req-1")}), page(order, 1, "paid", item{"external_id": s("req-2")}), page(order, 2, "sent", item{"external_id": s("req-2")}),
		page(order, 3, "closed", nil),
		page(stock, 0, "reserved", from),
	})
	src, store := angzarrSource(t, client, codeOptions()), newStore(t, client)
	imported(t, src, store, 5)
	imported(t, src, store, 0)
	verified(t, src, store)
	var paid, reserved eventstore.Event
	for e, err := range store.Read(t.Context(), "order-"+rootA) {
		if err != nil {
			t.Fatal(err)
		}
		if e.Type == "paid" {
			paid = e
		}
	}
	for e, err := range store.Read(t.Context(), "stock-"+rootB) {
		if err != nil {
			t.Fatal(err)
		}
		reserved = e
	}
	if paid.CommitID != "req-2" || paid.Metadata[importer.ExternalIDKey] != "req-2" || reserved.CausationID != paid.ID {
		t.Errorf("%+v led to %+v", paid, reserved)
	}
	for key, want := range map[string]string{
		importer.SourceDomainKey: "order", importer.SourceEditionKey: "angzarr", importer.SourceRootKey: rootA, importer.SourceSequenceKey: "1",
		importer.SourceComponentKey: "saga", importer.SourceCommandIndexKey: "0", importer.ExtKey: "cm91dGU=",
	} {
		if reserved.Metadata[key] != want {
			t.Errorf("%s: %q", key, reserved.Metadata[key])
		}
	}
	done, err := store.Append(t.Context(), "order-"+rootA, eventstore.Any(), eventstore.CommitID("req-2"),
		eventstore.NewEvent{Type: "paid", Data: []byte("paid")}, eventstore.NewEvent{Type: "sent", Data: []byte("sent")})
	if err != nil || !done.Deduplicated || done.First != 2 || done.Last != 3 {
		t.Errorf("a repeat of an imported request: %+v, %v", done, err)
	}
}

// TestAngzarrRequestOfMany: a request with more events than fit into one append is imported, and an import that ends within it can be continued.
func TestAngzarrRequestOfMany(t *testing.T) {
	const key = "order#angzarr#" + rootA
	client := ddbtest.New(t)
	var items []item
	for i := range 100 {
		items = append(items, page(key, i, "e", item{"external_id": s("bulk")}))
	}
	seedTable(t, client, angzarrTable, "pk", "seq", true, items[:90])
	src, store := angzarrSource(t, client, codeOptions()), newStore(t, client)
	imported(t, src, store, 90)
	put(t, client, angzarrTable, items[90:]...)
	imported(t, src, store, 10)
	verified(t, src, store)
}

func TestAngzarrDeployed(t *testing.T) {
	client := ddbtest.New(t)
	key := "order#angzarr#" + rootA
	seedTable(t, client, angzarrTable, "aggregate_id", "sequence", true, []item{
		{"aggregate_id": s(key), "sequence": n(0), "event_type": s("placed"), "payload": b("x"), "correlation_id": s("corr")},
		{"aggregate_id": s(key), "sequence": n(1), "event": b("sent")},
	})
	o := codeOptions()
	o.Layout = importer.AngzarrDeployed
	src, store := angzarrSource(t, client, o), newStore(t, client)
	whole(t, src, store, 1, 2)
	if got := kinds(t, store, "order-"+rootA); got != "placed sent" {
		t.Error(got)
	}
}

func TestAngzarrRefused(t *testing.T) {
	const key = "order#angzarr#" + rootA
	for what, tc := range map[string]struct {
		items []item
		text  string
		want  error
	}{
		"a message":       {[]item{page(key, 0, "broken", nil)}, "attribute event: it cannot be decoded", importer.ErrMalformed},
		"a marker":        {[]item{provisional(key, 0, "a", "c"), marker(key, 1, "broken", "c")}, "Marker cannot read it", importer.ErrMalformed},
		"a key":           {[]item{page("order#"+rootA, 0, "a", nil)}, "attribute pk", importer.ErrMalformed},
		"a time":          {[]item{page(key, 0, "a", item{"created_at": s("secret")})}, "created_at", importer.ErrMalformed},
		"a gap":           {[]item{page(key, 0, "a", nil), page(key, 2, "a", nil)}, "2 follows 0", importer.ErrSequence},
		"a late begin":    {[]item{page(key, 2, "a", nil)}, "2 follows", importer.ErrSequence},
		"an edition":      {[]item{page("order#x#"+rootA, 3, "a", nil), page("order#x#"+rootA, 5, "a", nil)}, "5 follows 3", importer.ErrSequence},
		"without options": {[]item{provisional(key, 0, "a", "c"), marker(key, 1, "b", "c")}, "the option Marker is missing", nil},
	} {
		t.Run(what, func(t *testing.T) {
			client := ddbtest.New(t)
			seedTable(t, client, angzarrTable, "pk", "seq", true, tc.items)
			o := codeOptions()
			if what == "without options" {
				o = importer.AngzarrOptions{Layout: importer.AngzarrCode}
			}
			_, err := importer.Import(t.Context(), angzarrSource(t, client, o), newStore(t, client))
			if err == nil || tc.want != nil && !errors.Is(err, tc.want) || !strings.Contains(err.Error(), tc.text) || strings.Contains(err.Error(), "secret") {
				t.Errorf("%v", err)
			}
		})
	}
}
