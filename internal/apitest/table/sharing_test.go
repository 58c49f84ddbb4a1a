// SPDX-License-Identifier: Apache-2.0

package table_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/dynamotable/ddb"
	"github.com/dynamotable/ddb/ddbtest"
	"github.com/dynamotable/ddb/schema"
)

type customer struct {
	PK      string    `dynamodbav:"pk"`
	SK      string    `dynamodbav:"sk"`
	Email   string    `dynamodbav:"email,omitempty"`
	Country string    `dynamodbav:"country,omitempty"`
	Expires time.Time `dynamodbav:"expires,unixtime,omitempty"`
}

type invoice struct {
	PK  string `dynamodbav:"pk"`
	SK  string `dynamodbav:"sk"`
	Due string `dynamodbav:"due,omitempty"`
	// Country is a number here, unlike in customer.
	Country int       `dynamodbav:"country,omitempty"`
	Gone    time.Time `dynamodbav:"gone,unixtime,omitempty"`
}

var (
	customerPK      = ddb.StrField(func(c *customer) *string { return &c.PK })
	customerSK      = ddb.StrField(func(c *customer) *string { return &c.SK })
	customerEmail   = ddb.StrField(func(c *customer) *string { return &c.Email })
	customerCountry = ddb.StrField(func(c *customer) *string { return &c.Country })
	customerExpires = ddb.TimeField(func(c *customer) *time.Time { return &c.Expires })
	invoicePK       = ddb.StrField(func(i *invoice) *string { return &i.PK })
	invoiceSK       = ddb.StrField(func(i *invoice) *string { return &i.SK })
	invoiceDue      = ddb.StrField(func(i *invoice) *string { return &i.Due })
	invoiceCountry  = ddb.NumField(func(i *invoice) *int { return &i.Country })
	invoiceGone     = ddb.TimeField(func(i *invoice) *time.Time { return &i.Gone })
)

type customers = ddb.Table[customer, string, string]

func customersOn(t *testing.T, client ddb.Client, opts ...ddb.TableOption) *customers {
	t.Helper()
	table, err := ddb.New(client, "app", customerPK, customerSK, opts...)
	if err != nil {
		t.Fatal(err)
	}
	return table
}

func byEmail(t *testing.T, table *customers) {
	t.Helper()
	if _, err := ddb.NewSimpleIndex(table, "by-email", customerEmail); err != nil {
		t.Fatal(err)
	}
}

func byCountry(t *testing.T, table *customers) {
	t.Helper()
	if _, err := ddb.NewSimpleIndex(table, "by-country", customerCountry); err != nil {
		t.Fatal(err)
	}
}

func invoicesOn(t *testing.T, client ddb.Client, name string, opts ...ddb.TableOption) *ddb.Table[invoice, string, string] {
	t.Helper()
	table, err := ddb.New(client, name, invoicePK, invoiceSK, opts...)
	if err != nil {
		t.Fatal(err)
	}
	return table
}

// The older program of a rollback or a rolling restart finds indexes that a newer one has added, and starts.
func TestOlderProgramStarts(t *testing.T) {
	client := ddbtest.New(t)
	older, newer := customersOn(t, client), customersOn(t, client)
	byEmail(t, newer)
	for _, table := range []*customers{older, newer, older, newer} {
		if err := table.EnsureTable(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	found, err := older.VerifyTable(t.Context())
	want := schema.Difference{Index: "by-email", What: "index", Want: "absent", Got: "present, and not defined here", Extra: true}
	if err != nil || len(found) != 1 || found[0] != want {
		t.Errorf("the older program finds %v, %v", found, err)
	}
	if found, err := newer.VerifyTable(t.Context()); err != nil || len(found) > 0 {
		t.Errorf("the newer program finds %v, %v", found, err)
	}
	// Whatever differs from the description is still refused.
	other := customersOn(t, client)
	if _, err := ddb.NewSimpleIndex(other, "by-email", customerEmail, ddb.KeysOnly()); err != nil {
		t.Fatal(err)
	}
	var differs *schema.Error
	if err := other.EnsureTable(t.Context()); !errors.As(err, &differs) || len(differs.Differences) != 1 || differs.Differences[0].Extra {
		t.Errorf("another projection: %v", err)
	}
}

// slow is an engine whose tables and indexes take minutes to become active.
func slow(t *testing.T) *dynamodb.Client {
	t.Helper()
	e := ddbtest.NewEngine(ddbtest.WithStateDelay(4 * time.Minute))
	t.Cleanup(e.Close)
	client := e.Client()
	if err := customersOn(t, client).CreateTable(t.Context()); err != nil {
		t.Fatal(err)
	}
	return client
}

// EnsureTable does not wait for an index of a newer program that is being filled, but for its own.
func TestOlderProgramStartsWhileAnIndexIsFilled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client := slow(t)
		older, newer := customersOn(t, client), customersOn(t, client)
		byEmail(t, newer)
		var wg sync.WaitGroup
		start := time.Now()
		wg.Go(func() {
			if err := newer.EnsureTable(t.Context()); err != nil || time.Since(start) < 8*time.Minute {
				t.Errorf("newer: %v after %v", err, time.Since(start))
			}
		})
		<-time.After(time.Minute) // of the bubble
		if err := older.EnsureTable(t.Context()); err != nil || time.Since(start) > 61*time.Second {
			t.Errorf("older: %v after %v", err, time.Since(start))
		}
		wg.Wait()
	})
}

// Two programs that each add an index of their own at the same time both succeed.
func TestProgramsAddIndexesAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := ddbtest.NewEngine(ddbtest.WithStateDelay(3 * time.Minute))
		defer e.Close()
		a, b := customersOn(t, e.Client()), customersOn(t, e.Client())
		byEmail(t, a)
		byCountry(t, b)
		if err := customersOn(t, e.Client()).CreateTable(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := schema.EnsureTables(t.Context(), a, b); err != nil {
			t.Fatal(err)
		}
		both := customersOn(t, e.Client())
		byEmail(t, both)
		byCountry(t, both)
		if found, err := both.VerifyTable(t.Context()); err != nil || len(found) > 0 {
			t.Errorf("afterwards %v, %v", found, err)
		}
	})
}

// The error of a call that times out says what it waited for.
func TestTimeoutNamesTheState(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client := slow(t)
		table := customersOn(t, client)
		byEmail(t, table)
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
		defer cancel()
		err := table.EnsureTable(ctx)
		for _, want := range []string{"EnsureTable app", "the table is UPDATING, index by-email is CREATING", "The change continues"} {
			if !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), want) {
				t.Errorf("%v does not say %q", err, want)
			}
		}
		if err := table.EnsureTable(t.Context()); err != nil {
			t.Errorf("called again: %v", err)
		}
	})
}

// A table for several item types is one definition with the indexes of all.
func TestShare(t *testing.T) {
	client := ddbtest.New(t)
	people, bills := customersOn(t, client, ddb.TTL(customerExpires)), invoicesOn(t, client, "app")
	table, err := ddb.Share(people, bills)
	if err != nil || table.Name() != "app" {
		t.Fatal(err)
	}
	byEmail(t, people)
	byDue, err := ddb.NewIndex(bills, "by-due", invoiceDue, invoicePK)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := ddb.NewLocalIndex(people, "by-country", customerCountry); err != nil { // which only a new table can have
		t.Fatal(err)
	}
	if err := schema.EnsureTables(t.Context(), table); err != nil {
		t.Fatal(err)
	}
	if found, err := table.VerifyTable(t.Context()); err != nil || len(found) > 0 {
		t.Errorf("the whole differs: %v, %v", found, err)
	}
	for _, part := range []ddb.TablePart{people, bills} {
		if err := part.EnsureTable(t.Context()); err != nil {
			t.Errorf("a part: %v", err)
		}
	}
	if found, err := bills.VerifyTable(t.Context()); err != nil || len(found) != 2 || !found[0].Extra || !found[1].Extra {
		t.Errorf("a part differs: %v, %v", found, err)
	}
	if err := bills.Put(t.Context(), &invoice{PK: "c1", SK: "i1", Due: "2026-12-01"}); err != nil {
		t.Fatal(err)
	}
	if n, err := byDue.Query("2026-12-01").Count(t.Context()); err != nil || n != 1 {
		t.Errorf("%d by due date, %v", n, err)
	}
	if err := table.DeleteTable(t.Context(), schema.AllowDelete("app")); err != nil {
		t.Error(err)
	}
	if err := table.CreateTable(t.Context()); err != nil {
		t.Error(err)
	}
	if err := table.WaitTable(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestShareRefuses(t *testing.T) {
	client := ddbtest.New(t)
	people := customersOn(t, client, ddb.TTL(customerExpires))
	swapped, err := ddb.New(client, "app", invoiceSK, invoicePK)
	if err != nil {
		t.Fatal(err)
	}
	failed, _ := ddb.New(client, "x", invoicePK, invoiceSK)
	for _, tc := range []struct {
		parts []ddb.TablePart
		want  []string
	}{
		{nil, []string{"no tables"}},
		{[]ddb.TablePart{nil, people, failed, (*customers)(nil)}, []string{"table 0 is nil", `table name "x"`, "table 3"}},
		{[]ddb.TablePart{people, invoicesOn(t, client, "other")}, []string{"table 1 is other and the first is app"}},
		{[]ddb.TablePart{people, swapped}, []string{"HASH sk (S), RANGE pk (S)", "HASH pk (S), RANGE sk (S)"}},
		{[]ddb.TablePart{people, invoicesOn(t, client, "app", ddb.TTL(invoiceGone))}, []string{"TTL attribute gone", "expires"}},
	} {
		table, err := ddb.Share(tc.parts...)
		for _, e := range []error{err, table.EnsureTable(t.Context()), table.CreateTable(t.Context()), table.WaitTable(t.Context())} {
			for _, w := range tc.want {
				if !errors.Is(e, ddb.ErrInvalid) || !strings.Contains(e.Error(), w) {
					t.Errorf("%v does not say %q", e, w)
				}
			}
		}
	}
	bills := invoicesOn(t, client, "app")
	table, err := ddb.Share(people, bills)
	if err != nil {
		t.Fatal(err)
	}
	byCountry(t, people)
	if _, err := ddb.NewSimpleIndex(bills, "by-country", invoiceDue); err != nil {
		t.Fatal(err)
	}
	if _, err := ddb.NewSimpleIndex(bills, "by-number", invoiceCountry); err != nil {
		t.Fatal(err)
	}
	err = table.EnsureTable(t.Context())
	for _, w := range []string{"index by-country: two of the tables define it differently", "key attribute country is of type"} {
		if !errors.Is(err, ddb.ErrInvalid) || !strings.Contains(err.Error(), w) {
			t.Errorf("%v does not say %q", err, w)
		}
	}
}
