// SPDX-License-Identifier: Apache-2.0

package leaks_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/smithy-go"

	"github.com/dynamotable/ddb"
	"github.com/dynamotable/ddb/hooks"
)

// TestReversedRanges: a range with reversed bounds is refused before anything is sent. DynamoDB would
// answer with both bounds in its text.
func TestReversedRanges(t *testing.T) {
	ctx := t.Context()
	members, s := newMembers(t, 200, `{"Items":[],"Count":0,"ScannedCount":0}`)
	q := members.Query("c")
	for name, rejected := range map[string]*ddb.Query[member, string]{
		"sort key":     q.SortKey(ddb.Between("SSN-900", "SSN-100")),
		"number":       q.Filter(age.Between(10, 9)), // as text they would be in order
		"negative":     q.Filter(age.Between(-1, -2)),
		"binary":       q.Filter(photo.Between([]byte{0x80}, []byte{0x7f})),
		"nested":       q.Filter(ddb.Or(age.Eq(1), ddb.Not(city.Between("b", "a")))),
		"of a map":     q.Filter(ddb.AsNum(votes.Key(canary)).Between(2, 1)),
		"UTF-8, above": q.Filter(city.Between("\U00010000", "\uffff")), // as UTF-16 they would be in order
	} {
		_, err := rejected.Page(ctx)
		if !errors.Is(err, ddb.ErrInvalid) || !strings.Contains(err.Error(), "Between") || strings.Contains(err.Error(), "SSN") {
			t.Errorf("%s: %v", name, err)
		}
	}
	if s.requests() != 0 {
		t.Errorf("%d requests were sent", s.requests())
	}
	for name, good := range map[string]*ddb.Query[member, string]{
		"equal bounds": q.SortKey(ddb.Between("a", "a")).Filter(age.Between(7, 7)),
		"in order":     q.SortKey(ddb.Between("SSN-100", "SSN-900")).Filter(age.Between(9, 10), age.Between(-2, -1), photo.Between([]byte{0x7f}, []byte{0x80})),
	} {
		if _, err := good.Page(ctx); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestServiceTextIsNotShown: data in messages of the service is in no error text, log or unwrapped error; errors.As
// finds the SDK's own error with everything that it holds.
func TestServiceTextIsNotShown(t *testing.T) {
	for name, c := range map[string]struct {
		status  int
		message string
		shown   string
	}{
		"range": {
			400, "Invalid KeyConditionExpression: The BETWEEN operator requires upper bound to be greater than or equal to lower bound; lower bound operand: AttributeValue: {S:SSN-4711}, upper bound operand: AttributeValue: {S:SSN-100}",
			"ValidationException: Invalid KeyConditionExpression: The BETWEEN operator requires upper bound",
		},
		"unknown":          {400, "The value SSN-4711 is odd", "ValidationException (its message may quote data"},
		"known":            {400, "The provided key element does not match the schema", "does not match the schema (request R1); the live table has other keys"},
		"duplicates":       {400, "One or more parameter values were invalid: Input collection [SSN-4711, SSN-4711] contains duplicates.", "Input collection"},
		"server":           {500, "broken at SSN-4711", "(request R1)"},
		"advice":           {400, "Type mismatch for key SSN-4711 of {S: SSN-4711}", "VerifyTable"},
		"none of a DB's":   {502, "<html>SSN-4711</html>", ""},
		"table, quoted":    {400, "Requested resource not found: SSN-4711 in {S: x}", ""},
		"nothing readable": {200, "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			body, _ := json.Marshal(map[string]string{"__type": "com.amazonaws.dynamodb.v20120810#ValidationException", "message": c.message})
			if c.status == 502 {
				body = []byte(c.message)
			}
			if c.status == 200 {
				body = []byte(`{"Items":[{"club":{"S":"c"},"age":{"N":"SSN-4711"}}],"LastEvaluatedKey":"SSN-4711"}`)
			}
			var log bytes.Buffer
			hook := hooks.LogCalls(slog.New(slog.NewJSONHandler(&log, nil)), 0)
			members, _ := newMembers(t, c.status, string(body), ddb.WithHook(hook), ddb.WithHook(printer{&log}))
			_, queried := members.Query("c").Page(t.Context())
			written := members.BatchPut(t.Context(), []member{{Club: "c", ID: "1"}, {Club: "c", ID: "2"}})
			if c.status == 200 {
				written = nil // a batch accepts such a reply
			}
			for _, err := range []error{queried, written} {
				if err == nil {
					continue
				}
				if text := everyText(err) + log.String(); strings.Contains(text, canary) {
					t.Errorf("shows data: %s", text)
				}
				if !strings.Contains(err.Error(), c.shown) {
					t.Errorf("%v, want %q", err, c.shown)
				}
				if api, ok := errors.AsType[smithy.APIError](err); c.status == 400 && (!ok || api.ErrorMessage() != c.message) {
					t.Errorf("errors.As gives %v", api)
				}
			}
		})
	}
}

// printer is a hook that prints calls as users would.
type printer struct{ to *bytes.Buffer }

func (p printer) Begin(ctx context.Context, _ *hooks.Call) context.Context { return ctx }

func (p printer) End(_ context.Context, call *hooks.Call) {
	_, _ = fmt.Fprintf(p.to, "%v %+v %#v %s", call, call, *call, call)
	text, err := json.Marshal(call)
	_, _ = fmt.Fprintf(p.to, "%s %v", text, err)
}

// TestTransactionTextIsNotShown: the reasons of a cancelled transaction are messages of the service as well.
func TestTransactionTextIsNotShown(t *testing.T) {
	members, s := newMembers(t, 400, `{"__type":"com.amazonaws.dynamodb.v20120810#TransactionCanceledException","message":"Transaction cancelled, please refer cancellation reasons for specific reasons [ValidationError]",`+
		`"CancellationReasons":[{"Code":"ValidationError","Message":"Invalid UpdateExpression: odd value SSN-4711"},{"Code":"ConditionalCheckFailed","Message":"The conditional request failed","Item":{"club":{"S":"SSN-4711"},"id":{"S":"SSN-4711"}}}]}`)
	err := ddb.Transact(t.Context(), s.client(), members.TxPut(&member{Club: "c", ID: "1"}), members.TxCreate(&member{Club: "c", ID: "2"}))
	te, ok := errors.AsType[*ddb.TransactionError](err)
	if !ok || len(te.Failed) != 2 {
		t.Fatal(err)
	}
	for _, x := range []any{err, te, te.Failed, te.Failed[0], te.At(1)} {
		if text := everyText(x); strings.Contains(text, canary) {
			t.Errorf("shows data: %s", text)
		}
	}
	if current, ok := ddb.CurrentOf[member](err, 1); !ok || current.ID != canary {
		t.Errorf("the current item is %+v, %v", current, ok)
	}
	if tce, ok := errors.AsType[*types.TransactionCanceledException](err); !ok || !strings.Contains(*tce.CancellationReasons[0].Message, canary) {
		t.Error("the SDK's error is not found")
	}
}
