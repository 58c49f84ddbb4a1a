// SPDX-License-Identifier: Apache-2.0

package write_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/expression"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/dynamotable/ddb"
	"github.com/dynamotable/ddb/ddberr"
	"github.com/dynamotable/ddb/internal/apitest"
	"github.com/dynamotable/ddb/rawexpr"
)

// answering is a client that always gets the same error from the service.
func answering(status int, body string) *dynamodb.Client {
	return dynamodb.New(dynamodb.Options{
		Region: "us-east-1", Credentials: aws.AnonymousCredentials{}, RetryMaxAttempts: 1,
		HTTPClient: apitest.Doer(func(req *http.Request) (*http.Response, error) { return answer(req, status, body), nil }),
	})
}

func TestServiceErrors(t *testing.T) {
	const arn = "arn:aws:dynamodb:us-east-1:1:table/t"
	for name, tc := range map[string]struct {
		status    int
		body      string
		is        error
		retryable bool
		text      string
	}{
		"hot key": {
			400, `{"__type":"x#ThrottlingException","message":"m","throttlingReasons":[{"reason":"TableReadKeyRangeThroughputExceeded","resource":"` + arn + `"}]}`,
			ddb.ErrThrottled, true, "TableReadKeyRangeThroughputExceeded (one partition is over its limit",
		},
		"provisioned": {
			400, `{"__type":"x#ProvisionedThroughputExceededException","message":"m","ThrottlingReasons":[{"reason":"TableReadProvisionedThroughputExceeded","resource":"` + arn + `"},{"reason":"IndexReadProvisionedThroughputExceeded","resource":"i"}]}`,
			ddb.ErrThrottled, true, "TableReadProvisionedThroughputExceeded, IndexReadProvisionedThroughputExceeded",
		},
		"account":     {400, `{"__type":"x#RequestLimitExceeded","message":"too much"}`, ddb.ErrThrottled, true, "throttled: "},
		"bare":        {400, `{"__type":"x#Throttling","message":"too much"}`, ddb.ErrThrottled, true, "throttled: Throttling (its message"},
		"no table":    {400, `{"__type":"x#ResourceNotFoundException","message":"gone"}`, ddb.ErrTableNotFound, false, "check name, region and endpoint"},
		"no rights":   {400, `{"__type":"x#AccessDeniedException","message":"no"}`, nil, false, "AccessDeniedException (its message"},
		"internal":    {500, `{"__type":"x#InternalServerError","message":"oops"}`, nil, true, "InternalServerError (its message"},
		"unavailable": {503, `{"__type":"x#ServiceUnavailable","message":"later"}`, nil, true, "ServiceUnavailable"},
	} {
		t.Run(name, func(t *testing.T) {
			users, err := ddb.NewSimple(answering(tc.status, tc.body), "users", userID)
			if err != nil {
				t.Fatal(err)
			}
			_, err = users.Get(t.Context(), "u")
			if tc.is != nil && !errors.Is(err, tc.is) {
				t.Errorf("got %v, want %v", err, tc.is)
			}
			if got := ddb.IsRetryable(err); got != tc.retryable {
				t.Errorf("retryable is %v: %v", got, err)
			}
			if text := err.Error(); !strings.Contains(text, tc.text) || !strings.HasPrefix(text, "ddb: GetItem users: ") {
				t.Errorf("text %q, want %q", text, tc.text)
			}
		})
	}
}

func TestThrottlingReasons(t *testing.T) {
	users, err := ddb.NewSimple(answering(400, `{"__type":"x#ThrottlingException","message":"m","throttlingReasons":[{"reason":"TableWriteKeyRangeThroughputExceeded","resource":"r1"},{"reason":"IndexWriteAccountLimitExceeded","resource":"r2"}]}`), "users", userID)
	if err != nil {
		t.Fatal(err)
	}
	err = users.Put(t.Context(), &user{ID: "u"})
	var throttled *ddb.ThrottledError
	if !errors.As(err, &throttled) || len(throttled.Reasons) != 2 {
		t.Fatalf("got %v", err)
	}
	if r := throttled.Reasons; !r[0].HotKey() || r[1].HotKey() || r[0].Resource != "r1" {
		t.Errorf("reasons %+v", r)
	}
	if _, ok := errors.AsType[*types.ThrottlingException](err); !ok {
		t.Error("the SDK's error is not in the chain")
	}
}

func TestIsRetryable(t *testing.T) {
	for name, tc := range map[string]struct {
		err  error
		want bool
	}{
		"nil":       {nil, false},
		"invalid":   {ddb.ErrInvalid, false},
		"condition": {ddb.ErrConditionFailed, false},
		"cancelled": {fmt.Errorf("x: %w", context.Canceled), false},
		"deadline":  {fmt.Errorf("x: %w", context.DeadlineExceeded), true},
		"conflict":  {&types.TransactionConflictException{}, true},
		"other":     {errors.New("x"), false},
		// A write that may have been applied must not be repeated, whatever the last error was.
		"unknown after a reset":      {&ddb.OutcomeUnknownError{}, false},
		"unknown, then throttled":    {errors.Join(ddb.ErrOutcomeUnknown, ddb.ErrThrottled), false},
		"unknown at the deadline":    {fmt.Errorf("%w: %w", ddb.ErrOutcomeUnknown, context.DeadlineExceeded), false},
		"unknown, then a conflict":   {errors.Join(ddb.ErrOutcomeUnknown, &types.TransactionConflictException{}), false},
		"applied, its reply is lost": {errors.Join(ddb.ErrReplyLost, context.DeadlineExceeded), false},
		// A batch is retryable only if every failed input is.
		"batch, throttled":           {batchOf(ddberr.BatchFailure{Err: ddb.ErrThrottled}, ddberr.BatchFailure{Err: &types.InternalServerError{}}), true},
		"batch, one unknown":         {batchOf(ddberr.BatchFailure{Err: ddb.ErrThrottled}, ddberr.BatchFailure{Err: ddb.ErrThrottled, Unknown: true}), false},
		"batch, one refused":         {batchOf(ddberr.BatchFailure{Err: ddb.ErrThrottled}, ddberr.BatchFailure{Err: errors.New("x")}), false},
		"batch, its context is over": {batchOf(ddberr.BatchFailure{Err: context.Canceled}), false},
		"batch without failures":     {batchOf(), false},
	} {
		if got := ddb.IsRetryable(tc.err); got != tc.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

func batchOf(failed ...ddberr.BatchFailure) error {
	return &ddb.OpError{Op: "BatchWriteItem", Table: "t", Err: &ddb.BatchError{Total: 9, Failed: failed}}
}

// TestRawConditions: conditions of the SDK's builder and raw text combine with typed conditions.
func TestRawConditions(t *testing.T) {
	ctx := t.Context()
	orders := newOrders(t)
	o := someOrder()
	if err := orders.Put(ctx, &o); err != nil {
		t.Fatal(err)
	}
	update := func(c ddb.Cond[order]) error {
		_, err := orders.Update(ctx, orders.Key("c1", "o1"), orderVisits.Set(1), ddb.If(c))
		return err
	}
	built := rawexpr.Cond[order](expression.Name("status").Equal(expression.Value("open")).And(expression.Name("total").Between(expression.Value(1), expression.Value(50))))
	if err := update(ddb.And(orderStatus.Eq("open"), built, orderTotal.Eq(42))); err != nil {
		t.Error(err)
	}
	if err := update(ddb.And(built, orderTotal.Eq(43))); !errors.Is(err, ddb.ErrConditionFailed) {
		t.Errorf("false condition: %v", err)
	}
	if text := built.String(); text != "(status = ?) AND (total BETWEEN ? AND ?)" {
		t.Errorf("text %q", text)
	}
	for name, tc := range map[string]struct {
		cond ddb.Cond[order]
		want string
	}{
		"builder without anything":     {rawexpr.Cond[order](expression.ConditionBuilder{}), "raw condition"},
		"reserved word":                {rawexpr.CondText[order]("status = :s", nil, map[string]any{":s": "open"}), "status"},
		"undefined value":              {rawexpr.CondText[order]("total > :x", nil, nil), ":x"},
		"unused value":                 {rawexpr.CondText[order]("attribute_exists(total)", nil, map[string]any{":x": 1}), ":x"},
		"value that cannot be encoded": {rawexpr.CondText[order]("total > :x", nil, map[string]any{":x": badValue{}}), "value :x"},
	} {
		if err := update(tc.cond); !errors.Is(err, ddb.ErrInvalid) || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%s: %v, want ErrInvalid with %q", name, err, tc.want)
		}
	}
}

type badValue struct{}

func (badValue) MarshalDynamoDBAttributeValue() (types.AttributeValue, error) {
	return nil, errors.New("cannot")
}

// TestConditionFailedHidesItsItem: no text form of the error shows the item.
func TestConditionFailedHidesItsItem(t *testing.T) {
	ctx := t.Context()
	users := newUsers(t)
	u := user{ID: "u", Name: "canary"}
	if err := users.Create(ctx, &u); err != nil {
		t.Fatal(err)
	}
	var failed *ddb.ConditionFailed[user]
	if err := users.Create(ctx, &u); !errors.As(err, &failed) {
		t.Fatal(err)
	}
	data, _ := json.Marshal(failed)
	for _, text := range []string{fmt.Sprintf("%v %+v %#v %s", failed, failed, failed, failed), string(data)} {
		if strings.Contains(text, "canary") {
			t.Errorf("shows the item: %s", text)
		}
	}
	if current, ok := failed.Current(); !ok || current.Name != "canary" {
		t.Errorf("Current: an item: %t, or a wrong one", ok)
	}
	if _, ok := errors.AsType[*types.ConditionalCheckFailedException](failed); !ok {
		t.Error("the SDK's error is not in the chain")
	}
}

// TestUnreadableCurrentItem: an unreadable current item is reported as unreadable and not as missing.
func TestUnreadableCurrentItem(t *testing.T) {
	ctx := t.Context()
	client := newClient(t)
	name := tableName(t)
	users, err := ddb.NewSimple(client, name, userID)
	if err != nil {
		t.Fatal(err)
	}
	if err := users.CreateTable(ctx); err != nil {
		t.Fatal(err)
	}
	_, err = client.PutItem(ctx, &dynamodb.PutItemInput{TableName: &name, Item: map[string]types.AttributeValue{
		"id": &types.AttributeValueMemberS{Value: "u"}, "logins": &types.AttributeValueMemberS{Value: "many"},
	}})
	if err != nil {
		t.Fatal(err)
	}
	err = users.Create(ctx, &user{ID: "u"})
	var failed *ddb.ConditionFailed[user]
	if !errors.As(err, &failed) || errors.Is(err, ddb.ErrNotFound) {
		t.Fatalf("got %v", err)
	}
	if _, ok := failed.Current(); ok {
		t.Error("got an item that cannot be read")
	}
	if _, err := users.Get(ctx, "u"); err == nil || !strings.Contains(err.Error(), "logins") || strings.Contains(err.Error(), "many") {
		t.Errorf("Get of an unreadable item: %v", err)
	}
}
