// SPDX-License-Identifier: Apache-2.0

package write_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/dynamotable/ddb"
	"github.com/dynamotable/ddb/cost"
	"github.com/dynamotable/ddb/ddbtest"
)

// twoTables returns tables of orders and of versioned users on one client.
func twoTables(t *testing.T) (*dynamodb.Client, *ddb.Table[order, customerID, orderID], *ddb.SimpleTable[user, string]) {
	t.Helper()
	client := newClient(t)
	orders, err1 := ddb.New(client, tableName(t), orderCustomer, orderKey)
	users, err2 := ddb.NewSimple(client, tableName(t), userID, ddb.Version(userVersion))
	if err := errors.Join(err1, err2, orders.CreateTable(t.Context()), users.CreateTable(t.Context())); err != nil {
		t.Fatal(err)
	}
	return client, orders, users
}

func TestTransact(t *testing.T) {
	ctx := t.Context()
	client, orders, users := twoTables(t)
	o := someOrder()
	u := user{ID: "u1", Name: "Ann"}
	if err := ddb.Transact(ctx, client, orders.TxCreate(&o), users.TxPut(&u)); err != nil {
		t.Fatal(err)
	}
	if u.Version != 1 {
		t.Errorf("version %d after a transaction", u.Version)
	}
	second := o
	second.ID = "o2"
	u.Name = "Bea"
	err := ddb.Transact(ctx, client, orders.TxPut(&second, ddb.If(ddb.NotExists(orderKey))), users.TxReplace(&u),
		orders.TxUpdate(orders.Key("c1", "o1"), orderTotal.Add(5), ddb.If(orderStatus.Eq("open"))),
		orders.TxUpsert(orders.Key("c1", "o3"), orderTotal.Set(1)),
		users.TxUpsert("u2", userName.Set("new")),
		orders.TxCheck(orders.Key("c1", "o9"), ddb.NotExists(orderKey)))
	if err != nil || u.Version != 2 {
		t.Fatalf("%v, version %d", err, u.Version)
	}
	var (
		got1, got2, got3 ddb.Got[order]
		gotU             ddb.Got[user]
	)
	err = ddb.TransactGet(ctx, client, orders.TxGet(orders.Key("c1", "o1"), &got1), orders.TxGet(orders.Key("c1", "none"), &got2),
		users.TxGet("u1", &gotU), orders.TxGet(orders.Key("c1", "o3"), &got3, ddb.Project(orderTotal)))
	if err != nil || !got1.Found || got1.Item.Total != 47 || got2.Found || !gotU.Found || gotU.Item.Version != 2 || got3.Item.Total != 1 {
		t.Errorf("%+v %+v %+v %+v, %v", got1, got2, gotU, got3, err)
	}
	if err := ddb.Transact(ctx, client, orders.TxDelete(orders.Key("c1", "o1")), users.TxDeleteItem(&u), users.TxDelete("u2", ddb.If(userVersion.Eq(1)))); err != nil {
		t.Fatal(err)
	}
	if ok, _ := users.Exists(ctx, "u1", ddb.Consistent()); ok {
		t.Error("the item is still there")
	}
}

// TestTransactionErrorNamesOperations: the error has the index, operation, table, reason and item of each cause, and nothing is applied.
func TestTransactionErrorNamesOperations(t *testing.T) {
	ctx := t.Context()
	client, orders, users := twoTables(t)
	o, u := someOrder(), user{ID: "u1", Name: "Ann"}
	if err := errors.Join(orders.Put(ctx, &o), users.Put(ctx, &u)); err != nil {
		t.Fatal(err)
	}
	stale := user{ID: "u1", Version: 9}
	fresh := order{Customer: "c1", ID: "fresh"}
	err := ddb.Transact(ctx, client, orders.TxPut(&fresh), orders.TxCreate(&o), users.TxReplace(&stale), orders.TxUpdate(orders.Key("c1", "none"), orderTotal.Add(1)))
	var te *ddb.TransactionError
	if !errors.As(err, &te) || len(te.Failed) != 3 || !errors.Is(err, ddb.ErrConditionFailed) || !errors.Is(err, ddb.ErrNotFound) {
		t.Fatalf("got %v", err)
	}
	f := te.At(1)
	if f == nil || f.Verb != "Create" || f.Table != orders.Name() || f.Reason != "ConditionalCheckFailed" || te.At(0) != nil {
		t.Fatalf("failure %+v", f)
	}
	var failedO *ddb.ConditionFailed[order]
	var failedU *ddb.ConditionFailed[user]
	if !errors.As(f.Err, &failedO) || !errors.As(te.At(2).Err, &failedU) {
		t.Fatalf("causes %v, %v", f.Err, te.At(2).Err)
	}
	if current, ok := failedO.Current(); !ok || current.Total != 42 || failedO.Condition != "attribute_not_exists(customer_id)" {
		t.Errorf("operation 1: a current item: %t, condition %q", ok, failedO.Condition)
	}
	if current, ok := failedU.Current(); !ok || current.Name != "Ann" || stale.Version != 9 {
		t.Errorf("operation 2: a current item: %t, version %d", ok, stale.Version)
	}
	if current, ok := ddb.CurrentOf[user](err, 2); !ok || current.Name != "Ann" {
		t.Errorf("CurrentOf operation 2: a current item: %t, or a wrong one", ok)
	}
	_, blameless := ddb.CurrentOf[order](err, 0)
	_, otherType := ddb.CurrentOf[user](err, 1)
	_, missing := ddb.CurrentOf[order](err, 3)
	_, beyond := ddb.CurrentOf[order](err, 4)
	_, otherError := ddb.CurrentOf[order](errReset, 0)
	if blameless || otherType || missing || beyond || otherError {
		t.Error("CurrentOf returned an item:", blameless, otherType, missing, beyond, otherError)
	}
	for _, w := range []string{"operation 1 (Create", "operation 2 (Replace", "operation 3 (Update", "there is no item with this key"} {
		if !strings.Contains(err.Error(), w) {
			t.Errorf("text lacks %q: %v", w, err)
		}
	}
	if ok, _ := orders.Exists(ctx, "c1", "fresh", ddb.Consistent()); ok {
		t.Error("a part was applied")
	}
}

// TestTransactRefusals: one error names everything that is wrong, before anything is sent.
func TestTransactRefusals(t *testing.T) {
	ctx := t.Context()
	client, orders, users := twoTables(t)
	key := orders.Key("c1", "o1")
	var old order
	big := func(id string) *order {
		return &order{Customer: "c", ID: orderID(id), Status: strings.Repeat("x", 390<<10)}
	}
	ops := []ddb.TxOp{
		orders.TxPut(nil), orders.TxUpdate(key), orders.TxDelete(key, ddb.ReturnOld(&old)), orders.TxCheck(key), users.TxDelete("u"), nil,
		users.TxDeleteItem(nil), users.TxDeleteItem(&user{ID: "z"}), orders.TxPut(&order{}), ddb.Token(strings.Repeat("t", 37)),
		users.TxUpdate("u", userVersion.Set(1)), ddb.Token(""),
	}
	for i := range 11 {
		ops = append(ops, orders.TxPut(big(fmt.Sprint(i))))
	}
	err := ddb.Transact(ctx, client, ops...)
	for _, w := range []string{
		"operation 0: the item is nil", "operation 1: an update without changes", "operation 2: Delete: ReturnOld", "operation 3: TxCheck without a condition",
		"operation 4: a Delete by key", "an operation is nil", "operation 5: the item is nil", "operation 7: key attribute customer_id is empty",
		"token has 37 characters", "token has 0 characters", "operation 8: attribute version is kept", "are on the same item", "the limit of a transaction is 4194304",
	} {
		if !errors.Is(err, ddb.ErrInvalid) || !strings.Contains(err.Error(), w) {
			t.Errorf("got %v, want %q", err, w)
		}
	}
	puts := make([]ddb.TxOp, 101)
	for i := range puts {
		puts[i] = orders.TxPut(&order{Customer: "c", ID: orderID(fmt.Sprint(i))})
	}
	if err := ddb.Transact(ctx, client, puts...); !errors.Is(err, ddb.ErrInvalid) || !strings.Contains(err.Error(), "101 operations") {
		t.Errorf("101 operations: %v", err)
	}
	if err := ddb.Transact(ctx, client, puts[:100]...); err != nil {
		t.Errorf("100 operations: %v", err)
	}
	if err := ddb.Transact(ctx, nil); !errors.Is(err, ddb.ErrInvalid) || !strings.Contains(err.Error(), "client is nil") || !strings.Contains(err.Error(), "0 operations") {
		t.Errorf("nothing: %v", err)
	}
	err = ddb.TransactGet(ctx, nil, nil, orders.TxGet(orders.Key("", "x"), nil, ddb.Project(userName)))
	for _, w := range []string{"client is nil", "a read is nil", "read 0: key attribute customer_id is empty", "handle of", "destination is nil"} {
		if !errors.Is(err, ddb.ErrInvalid) || !strings.Contains(err.Error(), w) {
			t.Errorf("got %v, want %q", err, w)
		}
	}
	var one, two ddb.Got[order]
	err = ddb.TransactGet(ctx, client, orders.TxGet(key, &one), orders.TxGet(orders.Key("c1", "o2"), &two), orders.TxGet(orders.Key("c1", "o3"), &one))
	if !errors.Is(err, ddb.ErrInvalid) || !strings.Contains(err.Error(), "read 2: the destination is that of read 0 as well") {
		t.Errorf("one destination twice: %v", err)
	}
	// Two invalid keys do not count as the same item.
	err = ddb.Transact(ctx, client, orders.TxDelete(orders.Key("", "x")), orders.TxDelete(orders.Key("", "y")))
	if !errors.Is(err, ddb.ErrInvalid) || strings.Contains(err.Error(), "the same item") {
		t.Errorf("two empty keys: %v", err)
	}
}

// TestTransactionOfTwoTypesInOneTable: two item types of one table count as one table
// in the ledger, and operations of both on one key are operations on the same item.
func TestTransactionOfTwoTypesInOneTable(t *testing.T) {
	ctx := t.Context()
	type note struct {
		Customer customerID `dynamodbav:"customer_id"`
		ID       orderID    `dynamodbav:"order_id"`
		Text     string     `dynamodbav:"text"`
	}
	client, name, ledger := newClient(t), tableName(t), cost.NewLedger()
	orders, err1 := ddb.New(client, name, orderCustomer, orderKey, ddb.WithLedger(ledger))
	notes, err2 := ddb.New(client, name, ddb.StrField(func(n *note) *customerID { return &n.Customer }), ddb.StrField(func(n *note) *orderID { return &n.ID }), ddb.WithLedger(ledger))
	if err := errors.Join(err1, err2, orders.CreateTable(ctx)); err != nil {
		t.Fatal(err)
	}
	o, n := order{Customer: "c", ID: "o"}, note{Customer: "c", ID: "n"}
	var stats ddb.BatchStats
	if err := ddb.Transact(ctx, client, orders.TxPut(&o), ddb.StatsTo(&stats), notes.TxPut(&n)); err != nil {
		t.Fatal(err)
	}
	if stats.Done != 2 || stats.Requests != 1 || stats.Retries != 0 || stats.Elapsed <= 0 || stats.Consumed.WriteUnits != 4 {
		t.Errorf("stats %+v", stats)
	}
	var (
		gotO ddb.Got[order]
		gotN ddb.Got[note]
		read ddb.BatchStats
	)
	if err := ddb.TransactGet(ctx, client, ddb.StatsTo(&read), orders.TxGet(orders.Key("c", "o"), &gotO), notes.TxGet(notes.Key("c", "n"), &gotN)); err != nil || !gotO.Found || !gotN.Found {
		t.Fatalf("%+v, %+v, %v", gotO, gotN, err)
	}
	if read.Done != 2 || read.Requests != 1 || read.Consumed.ReadUnits != 4 {
		t.Errorf("stats %+v", read)
	}
	total := ledger.Snapshot()
	if total.Write() != 4 || total.Read() != 4 || total.Operations() != 2 {
		t.Errorf("ledger: %v read, %v written, %d operations", total.Read(), total.Write(), total.Operations())
	}
	n.ID = "o"
	err := ddb.Transact(ctx, client, orders.TxPut(&o), notes.TxPut(&n), ddb.StatsTo(&stats))
	if !errors.Is(err, ddb.ErrInvalid) || !strings.Contains(err.Error(), "operations 0 (Put) and 1 (Put) are on the same item") || stats.Done != 0 || stats.Requests != 0 {
		t.Errorf("one item twice: %v, %+v", err, stats)
	}
}

// cancelling is a client whose transactions are cancelled for given reasons, one list for each request, and then succeed.
type cancelling struct {
	ddb.Client
	reasons [][]string
	tokens  []string
	seen    func() // called at each request
	always  error
}

func (c *cancelling) next() error {
	if c.seen != nil {
		c.seen()
	}
	if c.always != nil {
		return c.always
	}
	if len(c.reasons) == 0 {
		return nil
	}
	var list []types.CancellationReason
	for _, r := range c.reasons[0] {
		list = append(list, types.CancellationReason{Code: aws.String(r), Message: aws.String("why " + r)})
	}
	c.reasons = c.reasons[1:]
	return &types.TransactionCanceledException{Message: aws.String("cancelled"), CancellationReasons: list}
}

func (c *cancelling) TransactWriteItems(ctx context.Context, in *dynamodb.TransactWriteItemsInput, opts ...func(*dynamodb.Options)) (*dynamodb.TransactWriteItemsOutput, error) {
	c.tokens = append(c.tokens, aws.ToString(in.ClientRequestToken))
	if err := c.next(); err != nil {
		return nil, err
	}
	return c.Client.TransactWriteItems(ctx, in, opts...)
}

func (c *cancelling) TransactGetItems(ctx context.Context, in *dynamodb.TransactGetItemsInput, opts ...func(*dynamodb.Options)) (*dynamodb.TransactGetItemsOutput, error) {
	if err := c.next(); err != nil {
		return nil, err
	}
	return c.Client.TransactGetItems(ctx, in, opts...)
}

// TestCancellationReasons: all triples of reasons. Permanent reasons have precedence; temporary ones are retried with the same
// token.
func TestCancellationReasons(t *testing.T) {
	needsEngine(t, "reasons by choice")
	codes := []string{"None", "ConditionalCheckFailed", "ItemCollectionSizeLimitExceeded", "TransactionConflict", "ProvisionedThroughputExceeded", "ThrottlingError", "ValidationError"}
	transient := map[string]bool{"None": true, "TransactionConflict": true, "ProvisionedThroughputExceeded": true, "ThrottlingError": true}
	synctest.Test(t, func(t *testing.T) {
		e := ddbtest.NewEngine()
		defer e.Close()
		c := &cancelling{Client: e.Client()}
		orders, err := ddb.New(e.Client(), "orders", orderCustomer, orderKey, ddb.WithRetryBudget(nil))
		if err != nil {
			t.Fatal(err)
		}
		if err := orders.CreateTable(t.Context()); err != nil {
			t.Fatal(err)
		}
		for i := range len(codes) * len(codes) * len(codes) {
			triple := []string{codes[i%7], codes[i/7%7], codes[i/49]}
			blamed, retried := 0, true
			for _, r := range triple {
				if r != "None" {
					blamed++
				}
				retried = retried && transient[r]
			}
			c.reasons, c.tokens = [][]string{triple}, nil
			start := time.Now()
			err := ddb.Transact(t.Context(), c, orders.TxPut(&order{Customer: "c", ID: "1"}), orders.TxPut(&order{Customer: "c", ID: "2"}), orders.TxPut(&order{Customer: "c", ID: "3"}))
			var te *ddb.TransactionError
			switch {
			case blamed == 0: // a cancellation without a reason
				if err == nil {
					t.Errorf("%v: no error", triple)
				}
			case retried:
				if err != nil || len(c.tokens) != 2 || c.tokens[0] != c.tokens[1] || c.tokens[0] == "" || time.Since(start) == 0 {
					t.Errorf("%v: %v, tokens %v after %v", triple, err, c.tokens, time.Since(start))
				}
			case !errors.As(err, &te) || len(te.Failed) != blamed || len(c.tokens) != 1:
				t.Errorf("%v: %v after %d requests", triple, err, len(c.tokens))
			default:
				for _, f := range te.Failed {
					if f.Reason != triple[f.Index] {
						t.Errorf("%v: failure %+v", triple, f)
					}
				}
			}
		}
		// It gives up eventually, and the error says so.
		for range 1000 {
			c.reasons = append(c.reasons, []string{"ThrottlingError"})
		}
		err = ddb.Transact(t.Context(), c, orders.TxPut(&order{Customer: "c", ID: "1"}))
		if !errors.Is(err, ddb.ErrThrottled) || !strings.Contains(err.Error(), "gave up") {
			t.Errorf("endless throttling: %v", err)
		}
		var got ddb.Got[order]
		if err := ddb.TransactGet(t.Context(), c, orders.TxGet(orders.Key("c", "1"), &got)); !errors.Is(err, ddb.ErrThrottled) {
			t.Errorf("endless throttling of a read: %v", err)
		}
		c.reasons = [][]string{{"TransactionConflict"}}
		if err := ddb.TransactGet(t.Context(), c, orders.TxGet(orders.Key("c", "1"), &got)); err != nil || !got.Found {
			t.Errorf("read after a conflict: %+v, %v", got, err)
		}
	})
}

// TestTransactionToken: the same token and operations are applied once.
func TestTransactionToken(t *testing.T) {
	ctx := t.Context()
	client, orders, _ := twoTables(t)
	o := someOrder()
	if err := orders.Put(ctx, &o); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		if err := ddb.Transact(ctx, client, ddb.Token("once"), orders.TxUpdate(orders.Key("c1", "o1"), orderTotal.Add(1))); err != nil {
			t.Fatal(err)
		}
	}
	if got, err := orders.Get(ctx, "c1", "o1", ddb.Consistent()); err != nil || got.Total != 43 {
		t.Errorf("total %d, %v", got.Total, err)
	}
	err := ddb.Transact(ctx, client, ddb.Token("once"), orders.TxUpdate(orders.Key("c1", "o1"), orderTotal.Add(2)))
	if _, ok := errors.AsType[*types.IdempotentParameterMismatchException](err); !ok {
		t.Errorf("the same token for other operations: %v", err)
	}
}
