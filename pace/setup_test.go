// SPDX-License-Identifier: Apache-2.0

package pace_test

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/dynamotable/ddb"
	"github.com/dynamotable/ddb/cost"
	"github.com/dynamotable/ddb/ddbtest"
	"github.com/dynamotable/ddb/hooks"
	"github.com/dynamotable/ddb/schema"
)

// Thing is an item of any size.
type Thing struct {
	ID   string `dynamodbav:"id"`
	Kind string `dynamodbav:"kind,omitempty"`
	Data string `dynamodbav:"data,omitempty"`
}

var (
	thingID   = ddb.StrField(func(t *Thing) *string { return &t.ID })
	thingKind = ddb.StrField(func(t *Thing) *string { return &t.Kind })
)

type things = ddb.SimpleTable[Thing, string]

// newThings creates a table in an engine within the bubble of the test.
func newThings(t testing.TB, e *ddbtest.Engine, opts ...schema.Option) *things {
	t.Helper()
	client := e.Client(func(o *dynamodb.Options) { o.RetryMaxAttempts = 1 })
	table, err := ddb.NewSimple[Thing](client, "things", thingID, ddb.WithLedger(cost.NewLedger()))
	if err != nil {
		t.Fatal(err)
	}
	if err := table.CreateTable(context.Background(), opts...); err != nil {
		t.Fatal(err)
	}
	return table
}

// fill puts items with that many bytes of data, through a client of the engine without a pace.
func fill(t testing.TB, table *things, n, size int) {
	t.Helper()
	var list []Thing
	data := strings.Repeat("x", size)
	for i := range n {
		list = append(list, Thing{ID: time.Unix(int64(i), 0).UTC().Format(time.RFC3339), Data: data})
	}
	if err := table.BatchPut(context.Background(), list); err != nil {
		t.Fatal(err)
	}
}

// spent has the cost of a request and its time.
type spent struct {
	at    time.Time
	units float64
}

// meter is a hook that records the cost of requests.
type meter struct {
	label string
	lock  chan struct{}
	list  []spent
	write bool
}

func newMeter(label string) *meter { return &meter{label: label, lock: make(chan struct{}, 1)} }

func (m *meter) Begin(ctx context.Context, _ *hooks.Call) context.Context { return ctx }

func (m *meter) End(_ context.Context, c *hooks.Call) {
	if c.Label != m.label {
		return
	}
	m.lock <- struct{}{}
	defer func() { <-m.lock }()
	units := c.Consumed.ReadUnits
	if m.write {
		units = c.Consumed.WriteUnits
	}
	m.list = append(m.list, spent{time.Now(), units})
}

// total returns the sum, and most the largest single cost.
func (m *meter) total() (sum, most float64) {
	for _, s := range m.list {
		sum, most = sum+s.units, max(most, s.units)
	}
	return sum, most
}

// worst returns by how much the worst window exceeds rate x (w + 1).
func (m *meter) worst(rate float64) float64 {
	worst := 0.0
	for i := range m.list {
		sum := 0.0
		for _, s := range m.list[i:] {
			sum += s.units
			worst = max(worst, sum-rate*(s.at.Sub(m.list[i].at).Seconds()+1))
		}
	}
	return worst
}

// bubble runs a test in virtual time.
func bubble(t *testing.T, f func(t *testing.T)) {
	t.Helper()
	synctest.Test(t, f)
}

// pass advances the virtual time of a bubble.
func pass(d time.Duration) { <-time.After(d) }
