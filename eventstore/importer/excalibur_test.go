// SPDX-License-Identifier: Apache-2.0

package importer_test

import (
	"encoding/base64"
	"errors"
	"fmt"
	"maps"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/dynamotable/ddb/ddbtest"
	"github.com/dynamotable/ddb/eventstore/importer"
)

func base(text string) types.AttributeValue {
	return s(base64.StdEncoding.EncodeToString([]byte(text)))
}

// excalibur is an event as Excalibur stores it.
func excalibur(key, id string, version int) item {
	return item{
		"pk": s(key), "sk": n(version), "eventId": s(fmt.Sprintf("%s/%d", key, version)), "aggregateId": s(id), "aggregateType": s("Order"),
		"eventType": s("OrderPlaced"), "version": n(version), "timestamp": s("2026-03-01T10:00:00.1234567+01:00"), "eventData": base(fmt.Sprintf(`{"n":%d}`, version)),
		"metadata": base(`{"CorrelationId":"corr","causationId":"caus","user":"x"}`),
	}
}

func TestExcalibur(t *testing.T) {
	for _, upper := range []bool{false, true} {
		t.Run(fmt.Sprint("upper keys: ", upper), func(t *testing.T) {
			client := ddbtest.New(t)
			pk, sk := "pk", "sk"
			var items []item
			for _, k := range []struct{ key, id string }{{"Order:1", "1"}, {"t:acme:eu:Order:1", "1"}, {"Order:a:b", "a:b"}} {
				for i := range 95 {
					it := excalibur(k.key, k.id, i)
					if i == 7 {
						it["metadata"], it["isDispatched"] = &types.AttributeValueMemberNULL{Value: true}, boolean(true)
					}
					if upper {
						pk, sk = "PK", "SK"
						it["PK"], it["SK"] = it["pk"], it["sk"]
						delete(it, "pk")
						delete(it, "sk")
					}
					items = append(items, it)
				}
			}
			seedTable(t, client, "Events", pk, sk, true, items)
			src, err := importer.Excalibur(client, "Events", importer.ExcaliburOptions{UpperKeys: upper})
			if err != nil {
				t.Fatal(err)
			}
			store := newStore(t, client)
			whole(t, src, store, 3, 285)
			for _, stream := range []string{"Order-1", "Order-acme:eu/1", "Order-a:b"} {
				count := int64(0)
				for e, err := range store.Read(t.Context(), stream) {
					if err != nil {
						t.Fatal(err)
					}
					count++
					want := map[string]string{importer.SequenceKey: fmt.Sprint(e.Version - 1), importer.RecordedAtKey: "2026-03-01T09:00:00.1234567Z", "user": "x"}
					corr, caus := "corr", "caus"
					if e.Version == 8 {
						want[importer.DispatchedKey] = "true"
						delete(want, "user")
						corr, caus = "", ""
					}
					if e.Type != "OrderPlaced" || string(e.Data) != fmt.Sprintf(`{"n":%d}`, e.Version-1) || e.CorrelationID != corr || e.CausationID != caus ||
						!strings.HasSuffix(e.ID, fmt.Sprintf("/%d", e.Version-1)) || !maps.Equal(e.Metadata, want) {
						t.Fatalf("%+v", e)
					}
				}
				if count != 95 {
					t.Errorf("%s has %d events", stream, count)
				}
			}
		})
	}
}

func TestExcaliburRefused(t *testing.T) {
	with := func(attribute string, v types.AttributeValue) item {
		it := excalibur("Order:1", "1", 0)
		it[attribute] = v
		return it
	}
	for what, tc := range map[string]struct {
		item item
		text string
	}{
		"another id":      {with("aggregateId", s("secret")), "attribute pk"},
		"no tenant":       {excalibur("t::Order:1", "1", 0), "attribute pk"},
		"another version": {with("version", n(4)), "attribute version"},
		"no type":         {with("eventType", s("")), "eventType"},
		"no id":           {with("eventId", s("")), "eventId"},
		"no time":         {with("timestamp", s("secret")), "timestamp"},
		"no base64":       {with("eventData", s("secret!")), "eventData"},
		"metadata":        {with("metadata", s("secret!")), "metadata"},
	} {
		t.Run(what, func(t *testing.T) {
			client := ddbtest.New(t)
			seedTable(t, client, "Events", "pk", "sk", true, []item{tc.item})
			src, err := importer.Excalibur(client, "Events", importer.ExcaliburOptions{})
			if err != nil {
				t.Fatal(err)
			}
			_, err = importer.Import(t.Context(), src, newStore(t, client))
			if !errors.Is(err, importer.ErrMalformed) || !strings.Contains(err.Error(), tc.text) || strings.Contains(err.Error(), "secret") {
				t.Errorf("%v", err)
			}
		})
	}
	client := ddbtest.New(t)
	seedTable(t, client, "Events", "pk", "sk", true, []item{excalibur("Order:1", "1", 0), excalibur("Order:1", "1", 2)})
	src, err := importer.Excalibur(client, "Events", importer.ExcaliburOptions{Name: func(string, string, string) string { return "x" }})
	if err != nil {
		t.Fatal(err)
	}
	store := newStore(t, client)
	if _, err := importer.Import(t.Context(), src, store); !errors.Is(err, importer.ErrSequence) {
		t.Errorf("a gap: %v", err)
	}
	if head, err := store.Head(t.Context(), "x"); err == nil && head.Version > 1 {
		t.Errorf("%+v, %v", head, err)
	}
}
