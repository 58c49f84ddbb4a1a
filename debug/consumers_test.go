// SPDX-License-Identifier: Apache-2.0

package debug_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/dynamotable/ddb/consumers"
)

// TestConsumers: the page and the JSON show the consumers of the process while they run.
func TestConsumers(t *testing.T) {
	r, _, _ := newRecorder(t)
	remove := consumers.Add(func() consumers.Stats {
		return consumers.Stats{Kind: "feed", Table: "events-of-a-test", Consumer: "mailer-of-a-test", Shards: 3, Lag: 41, Age: 1500 * time.Millisecond, ReadAge: time.Second, Parked: 2}
	})
	find := func() map[string]any {
		t.Helper()
		var s struct{ Consumers []map[string]any }
		if err := json.Unmarshal(ask(r, "GET", "/?format=json", "").Body.Bytes(), &s); err != nil || s.Consumers == nil {
			t.Fatal(err)
		}
		for _, c := range s.Consumers {
			if c["table"] == "events-of-a-test" {
				return c
			}
		}
		return nil
	}
	c := find()
	for member, want := range map[string]any{"consumer": "mailer-of-a-test", "kind": "feed", "shards": 3.0, "lag": 41.0, "ageMs": 1500.0, "readAgeMs": 1000.0, "parked": 2.0, "handled": 0.0} {
		if c[member] != want {
			t.Errorf("%s is %v, want %v", member, c[member], want)
		}
	}
	if page := ask(r, "GET", "/", browserAccepts).Body.String(); !strings.Contains(page, "mailer-of-a-test") || !strings.Contains(page, "Leases lost") {
		t.Error("the page does not show the consumer")
	}
	remove()
	if find() != nil {
		t.Error("the consumer is still shown after its end")
	}
}
