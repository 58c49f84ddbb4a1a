// SPDX-License-Identifier: Apache-2.0

package engine_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/dynamotable/ddb/ddbtest/internal/engine"
	"github.com/dynamotable/ddb/ddbtest/internal/value"
)

type clock struct{}

func (clock) Now() time.Time { return time.Unix(1_700_000_000, 0) }

// newEngine returns an engine with the table "t", whose key is pk.
func newEngine(t *testing.T, hooks engine.Hooks) *engine.Engine {
	t.Helper()
	e := engine.New(engine.Options{Clock: clock{}, Hooks: hooks, CollectionSize: 3000})
	createTable(t, e, &engine.CreateTableInput{
		AttributeDefinitions: []engine.AttributeDefinition{{AttributeName: new("pk"), AttributeType: new("S")}},
		KeySchema:            []engine.KeySchemaElement{{AttributeName: new("pk"), KeyType: new("HASH")}},
	})
	return e
}

func createTable(t *testing.T, e *engine.Engine, in *engine.CreateTableInput) {
	t.Helper()
	in.TableName, in.BillingMode = new("tab"), new("PAY_PER_REQUEST")
	if _, err := e.CreateTable(context.Background(), in); err != nil {
		t.Fatal(err)
	}
}

func put(ctx context.Context, e *engine.Engine, item value.Item) error {
	_, err := e.PutItem(ctx, &engine.PutItemInput{TableName: new("tab"), Item: engine.Given(item)})
	return err
}

func typeOf(err error) string {
	var e *engine.Error
	if !errors.As(err, &e) {
		return ""
	}
	return e.Type
}

func TestCommitHookSeesEveryChange(t *testing.T) {
	var changes []string
	e := newEngine(t, engine.Hooks{Commit: func(c *engine.Change) {
		line := string(c.Key["pk"].(value.String))
		if c.Old != nil {
			line += " old"
		}
		if c.New != nil {
			line += " new"
		}
		if c.Same() {
			line += " same"
		}
		if c.Reason == engine.ReasonExpiry {
			line += " expired"
		}
		changes = append(changes, line)
	}})
	ctx := context.Background()
	key := engine.Given(value.Item{"pk": value.String("a")})
	steps := []func() error{
		func() error { return put(ctx, e, value.Item{"pk": value.String("a"), "l": value.StringSet{"x", "y"}}) },
		func() error { return put(ctx, e, value.Item{"pk": value.String("a"), "l": value.StringSet{"y", "x"}}) },
		func() error {
			_, err := e.UpdateItem(ctx, &engine.UpdateItemInput{
				TableName: new("tab"), Key: key, UpdateExpression: new("SET n = :n"),
				Placeholders: engine.Placeholders{Values: engine.Given(value.Item{":n": value.NumberFromInt(1)})},
			})
			return err
		},
		func() error {
			_, err := e.TransactWriteItems(ctx, &engine.TransactWriteItemsInput{TransactItems: []engine.TransactWriteItem{
				{Put: &engine.TransactAction{TableName: new("tab"), Item: engine.Given(value.Item{"pk": value.String("b")})}},
				{ConditionCheck: &engine.TransactAction{TableName: new("tab"), Key: key, ConditionExpression: new("attribute_exists(n)")}},
			}})
			return err
		},
		func() error {
			_, err := e.DeleteItem(ctx, &engine.DeleteItemInput{TableName: new("tab"), Key: key})
			return err
		},
		func() error {
			_, err := e.DeleteItem(ctx, &engine.DeleteItemInput{TableName: new("tab"), Key: key})
			return err
		},
		func() error {
			removed, err := e.Remove(ctx, e.Tables()[0], value.Item{"pk": value.String("b")}, engine.ReasonExpiry, func(value.Item) bool { return true })
			if !removed {
				t.Error("the item was not removed")
			}
			return err
		},
	}
	for i, step := range steps {
		if err := step(); err != nil {
			t.Fatalf("step %d: %v", i, err)
		}
	}
	want := []string{"a new", "a old new same", "a old new", "b new", "a old", "b old expired"}
	if diff := cmp.Diff(want, changes); diff != "" {
		t.Error(diff)
	}
}

func TestPreparedTransactionIsInConflict(t *testing.T) {
	var e *engine.Engine
	ctx := context.Background()
	item := func() engine.Attributes { return engine.Given(value.Item{"pk": value.String("a")}) }
	var errs []error
	e = newEngine(t, engine.Hooks{Prepared: func(ctx context.Context, _ []engine.Access) {
		if len(errs) > 0 {
			return
		}
		errs = append(errs, put(ctx, e, item().Item))
		_, err := e.TransactWriteItems(ctx, &engine.TransactWriteItemsInput{TransactItems: []engine.TransactWriteItem{{Put: &engine.TransactAction{TableName: new("tab"), Item: item()}}}})
		errs = append(errs, err)
		_, err = e.TransactGetItems(ctx, &engine.TransactGetItemsInput{TransactItems: []engine.TransactGetItem{{Get: &engine.TransactGet{TableName: new("tab"), Key: item()}}}})
		errs = append(errs, err)
		_, err = e.GetItem(ctx, &engine.GetItemInput{TableName: new("tab"), Key: item()})
		errs = append(errs, err)
	}})
	_, err := e.TransactWriteItems(ctx, &engine.TransactWriteItemsInput{TransactItems: []engine.TransactWriteItem{
		{Delete: &engine.TransactAction{TableName: new("tab"), Key: item()}},
	}})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, err := range errs {
		got = append(got, typeOf(err))
	}
	if diff := cmp.Diff([]string{"TransactionConflictException", "TransactionCanceledException", "TransactionCanceledException", ""}, got); diff != "" {
		t.Error(diff)
	}
	if err := put(ctx, e, item().Item); err != nil {
		t.Errorf("after the transaction: %v", err)
	}
}

func TestAdmitRefuses(t *testing.T) {
	throttle := &engine.Error{Type: engine.ProvisionedThroughputExceededException, Message: "slow down"}
	e := newEngine(t, engine.Hooks{Admit: func(_ context.Context, a engine.Access) error {
		if a.Key != nil && a.Key["pk"] == value.String("hot") {
			return throttle
		}
		return nil
	}})
	ctx := context.Background()
	cold, hot := engine.Given(value.Item{"pk": value.String("cold")}), engine.Given(value.Item{"pk": value.String("hot")})
	if err := put(ctx, e, hot.Item); !errors.Is(err, throttle) {
		t.Errorf("got %v", err)
	}
	out, err := e.BatchWriteItem(ctx, &engine.BatchWriteItemInput{RequestItems: []engine.WritesOfTable{{Table: "tab", Writes: []engine.WriteRequest{
		{PutRequest: &engine.PutRequest{Item: hot}}, {PutRequest: &engine.PutRequest{Item: cold}},
	}}}})
	if err != nil || len(out.UnprocessedItems) != 1 || len(out.UnprocessedItems[0].Writes) != 1 {
		t.Errorf("batch write: got %v, %v", out, err)
	}
	read, err := e.BatchGetItem(ctx, &engine.BatchGetItemInput{RequestItems: []engine.KeysOfTable{{Table: "tab", KeysAndAttributes: engine.KeysAndAttributes{Keys: []engine.Attributes{hot, cold}}}}})
	if err != nil || len(read.UnprocessedKeys) != 1 || len(read.Responses[0].Items) != 1 {
		t.Errorf("batch get: got %v, %v", read, err)
	}
	_, err = e.BatchGetItem(ctx, &engine.BatchGetItemInput{RequestItems: []engine.KeysOfTable{{Table: "tab", KeysAndAttributes: engine.KeysAndAttributes{Keys: []engine.Attributes{hot}}}}})
	if !errors.Is(err, throttle) {
		t.Errorf("a batch without any item read: got %v", err)
	}
	_, err = e.TransactWriteItems(ctx, &engine.TransactWriteItemsInput{TransactItems: []engine.TransactWriteItem{
		{Put: &engine.TransactAction{TableName: new("tab"), Item: cold}}, {Put: &engine.TransactAction{TableName: new("tab"), Item: hot}},
	}})
	answer := engine.AsError(err)
	want := []engine.CancellationReason{{Code: "None"}, {Code: "ProvisionedThroughputExceeded", Message: "slow down"}}
	if diff := cmp.Diff(want, answer.Reasons); diff != "" {
		t.Error(diff)
	}
}

func TestCollectionSizeLimit(t *testing.T) {
	ctx := context.Background()
	e := engine.New(engine.Options{Clock: clock{}, CollectionSize: 3000})
	createTable(t, e, &engine.CreateTableInput{
		AttributeDefinitions: []engine.AttributeDefinition{
			{AttributeName: new("pk"), AttributeType: new("S")}, {AttributeName: new("sk"), AttributeType: new("S")}, {AttributeName: new("l"), AttributeType: new("S")},
		},
		KeySchema: []engine.KeySchemaElement{{AttributeName: new("pk"), KeyType: new("HASH")}, {AttributeName: new("sk"), KeyType: new("RANGE")}},
		LocalSecondaryIndexes: []engine.SecondaryIndex{{
			IndexName:  new("local"),
			KeySchema:  []engine.KeySchemaElement{{AttributeName: new("pk"), KeyType: new("HASH")}, {AttributeName: new("l"), KeyType: new("RANGE")}},
			Projection: &engine.Projection{ProjectionType: new("KEYS_ONLY")},
		}},
	})
	item := func(sk string) value.Item {
		return value.Item{"pk": value.String("p"), "sk": value.String(sk), "d": value.String(strings.Repeat("x", 1000))}
	}
	for _, sk := range []string{"1", "2"} {
		if err := put(ctx, e, item(sk)); err != nil {
			t.Fatal(err)
		}
	}
	if err := put(ctx, e, item("3")); typeOf(err) != "ItemCollectionSizeLimitExceededException" {
		t.Errorf("a write beyond the limit: got %v", err)
	}
	if err := put(ctx, e, item("1")); err != nil {
		t.Errorf("a write that adds nothing: got %v", err)
	}
	if err := put(ctx, e, value.Item{"pk": value.String("q"), "sk": value.String("1")}); err != nil {
		t.Errorf("a write to another collection: got %v", err)
	}
}

func TestSchemaKeyAccessors(t *testing.T) {
	e := newEngine(t, engine.Hooks{})
	key := e.Tables()[0].Schema().Key
	item := value.Item{"pk": value.String("a"), "x": value.Bool(true)}
	if diff := cmp.Diff(value.Item{"pk": value.String("a")}, key.Of(item)); diff != "" {
		t.Error(diff)
	}
	if key.Has("x") || !key.Has("pk") {
		t.Error("Has does not recognise the key attributes")
	}
}
