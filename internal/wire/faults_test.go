// SPDX-License-Identifier: Apache-2.0

package wire_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/smithy-go"

	"github.com/dynamotable/ddb/internal/codec"
	"github.com/dynamotable/ddb/internal/wire"
)

// badReplies are replies that must not be trusted.
var badReplies = []struct {
	name    string
	a       answer
	fault   wire.Fault
	applied bool // outcome of a write
	once    bool // not even reads are repeated
}{
	{"wrong checksum", answer{status: 200, body: `{}`, crc: "12345"}, wire.ReplyCorrupt, true, false},
	{"empty", answer{status: 200}, wire.ReplyForeign, true, false},
	{"spaces", answer{status: 200, body: " \n"}, wire.ReplyForeign, true, false},
	{"foreign empty", answer{status: 200, plain: true}, wire.ReplyForeign, false, false},
	{"foreign HTML", answer{status: 200, body: `<html>Log in`, plain: true}, wire.ReplyForeign, false, false},
	{"foreign JSON", answer{status: 200, body: `{"ok":true}`, plain: true}, wire.ReplyForeign, false, false},
	{"foreign no content", answer{status: 204, plain: true}, wire.ReplyForeign, false, false},
	{"array", answer{status: 200, body: `[]`}, wire.ReplyForeign, true, false},
	{"null", answer{status: 200, body: `null`}, wire.ReplyForeign, true, false},
	{"half a body", answer{status: 200, body: `{"Item":{"pk":{"S":"a"`}, wire.ReplyCorrupt, true, false},
	{"two bodies", answer{status: 200, body: `{}{}`}, wire.ReplyCorrupt, true, false},
	{"wrong types", answer{status: 200, body: `{"ConsumedCapacity":"secret"}`}, wire.ReplyCorrupt, true, false},
	{"cut", answer{status: 200, body: `{"Item":{"pk":{"S":"a"}}}`, cut: 10, err: io.ErrUnexpectedEOF}, wire.ReplyCut, true, false},
	{"reset", answer{status: 200, body: `{}`, err: errors.New("connection reset by peer")}, wire.ReplyCut, true, false},
	{"refusal with wrong checksum", answer{status: 400, body: throttle().body, crc: "1"}, wire.ReplyCorrupt, false, false},
	{"refusal cut", answer{status: 400, body: throttle().body, cut: 5, err: io.ErrUnexpectedEOF}, wire.ReplyCut, false, false},
	{"too large", answer{status: 200, body: `{"x":"` + strings.Repeat("x", wire.MaxReplyBytes) + `"}`, crc: "-"}, wire.ReplyTooLarge, true, true},
}

// listing are the operations whose replies always contain a list.
var listing = []string{"Query", "Scan", "BatchGetItem", "BatchWriteItem", "TransactGetItems"}

func TestBadReplies(t *testing.T) {
	for _, b := range badReplies {
		t.Run(b.name, func(t *testing.T) {
			for _, w := range pathCases() {
				if w.name == "ignores options" || w.name == "other protocol" || w.name == "after throttling" ||
					w.name == "no checksum" || b.fault == wire.ReplyTooLarge && w.name != "direct" && w.name != "off" {
					continue
				}
				for _, op := range operations {
					if strings.Contains(op.name, " ") || b.name == "wrong types" && slices.Contains(listing, op.name) || b.fault == wire.ReplyTooLarge && op.name != "GetItem" && op.name != "PutItem" {
						continue
					}
					s := answering(b.a)
					_, _, err := op.run(w.client(s), w.o)
					var re *wire.ReplyError
					if !errors.As(err, &re) {
						t.Errorf("%s %s: %v", w.name, op.name, err)
						continue
					}
					isRead := strings.Contains(op.name, "Get") || op.name == "Query" || op.name == "Scan"
					if re.Fault != b.fault || re.Read != isRead || re.Operation != op.name || re.Status != b.a.status {
						t.Errorf("%s %s: %+v", w.name, op.name, re)
					}
					if re.Applied() != (b.applied && !isRead) {
						t.Errorf("%s %s: applied %v", w.name, op.name, re.Applied())
					}
					if want := map[bool]int{true: 3, false: 1}[isRead && !b.once]; s.calls != want {
						t.Errorf("%s %s: %d calls", w.name, op.name, s.calls)
					}
					if strings.Contains(err.Error(), "secret") || strings.Contains(err.Error(), "Log in") {
						t.Errorf("%s %s: the text contains the body: %v", w.name, op.name, err)
					}
				}
			}
		})
	}
}

func TestReadIsRepeatedAfterBadReply(t *testing.T) {
	for _, b := range badReplies {
		if b.once {
			continue
		}
		s := newStub(`{"Count":1,"Items":[`+item2+`]}`, b.a)
		g := &got{}
		out, err := wire.Query(t.Context(), newClient(s), queryInput(), wire.Options{}, g)
		if err != nil || len(g.rows) != 1 || out.Count != 1 || s.calls != 2 {
			t.Errorf("%s: %v, %d rows, %d calls", b.name, err, len(g.rows), s.calls)
		}
	}
}

func TestChecksumHeaderIsOptional(t *testing.T) {
	s := newStub("")
	s.answers[0] = answer{status: 200, body: `{"Item":` + item2 + `}`, crc: "-"}
	if _, found, err := wire.GetItem(t.Context(), newClient(s), getInput(), nil, wire.Options{}, &got{}); err != nil || !found {
		t.Fatal(found, err)
	}
}

// No reply with a changed byte passes its checksum.
func TestEveryFlippedByteIsFound(t *testing.T) {
	body := []byte(`{"Count":1,"Items":[` + item1 + `]}`)
	sum := newStub(string(body))
	if _, err := wire.Query(t.Context(), newClient(sum), queryInput(), wire.Options{}, &got{}); err != nil {
		t.Fatal(err)
	}
	crc := crcOf(body)
	for i := range body {
		bad := bytes.Clone(body)
		bad[i] ^= 1 << (i % 8)
		s := answering(answer{status: 200, body: string(bad), crc: crc})
		var re *wire.ReplyError
		if _, err := wire.Query(t.Context(), newClient(s), queryInput(), wire.Options{}, &got{}); !errors.As(err, &re) {
			t.Errorf("byte %d: %v", i, err)
		}
	}
}

func TestServiceErrorsStayTheSDKs(t *testing.T) {
	failed := answer{status: 400, body: `{"__type":"com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException","message":"no","Item":` + item2 + `}`}
	for _, w := range pathCases() {
		s := answering(failed)
		_, err := wire.PutItem(t.Context(), w.client(s), putInput(), []byte(item1), w.o, nil)
		var cc *types.ConditionalCheckFailedException
		if !errors.As(err, &cc) || canonical(cc.Item) != canonicalItem2(t) {
			t.Errorf("%s: %v", w.name, err)
		}
		s = answering(throttle(), throttle(), throttle())
		_, err = wire.Query(t.Context(), w.client(s), queryInput(), w.o, &got{})
		var pt *types.ProvisionedThroughputExceededException
		if !errors.As(err, &pt) || pt.ErrorMessage() != "slow down" {
			t.Errorf("%s: %v", w.name, err)
		}
	}
}

// Rows of an attempt are dropped when another attempt follows.
func TestRowsRestartWithEachAttempt(t *testing.T) {
	// The items of the first reply are valid, the part that the SDK decodes is not.
	bad := answer{status: 200, body: `{"Items":[` + item1 + `,` + item1 + `],"ConsumedCapacity":7}`}
	s := newStub(`{"Items":[`+item2+`]}`, bad)
	g := &got{}
	if _, err := wire.Query(t.Context(), newClient(s), queryInput(), wire.Options{}, g); err != nil {
		t.Fatal(err)
	}
	if len(g.rows) != 1 || g.resets != 2 {
		t.Errorf("%d rows, %d resets", len(g.rows), g.resets)
	}
	bad.body = `{"Responses":{"orders":[` + item1 + `],"stock":[` + item1 + `]},"UnprocessedKeys":7}`
	s = newStub(`{"Responses":{"stock":[`+item2+`]}}`, bad)
	_, rows, err := runBatchGet(newClient(s), wire.Options{})
	if err != nil || len(rows[0]) != 0 || len(rows[1]) != 1 {
		t.Error(rows, err)
	}
	bad.body = `{"Responses":[{"Item":` + item1 + `},{"Item":` + item1 + `},{"Item":` + item1 + `}],"ConsumedCapacity":7}`
	s = newStub(`{"Responses":[{},{"Item":`+item2+`},null]}`, bad)
	_, rows, err = runTransactGet(newClient(s), wire.Options{})
	if err != nil || len(rows[0]) != 0 || len(rows[1]) != 1 || len(rows[2]) != 0 {
		t.Error(rows, err)
	}
	bad.body = `{"Item":` + item1 + `,"ConsumedCapacity":7}`
	s = newStub(`{}`, bad)
	g = &got{}
	_, found, err := wire.GetItem(t.Context(), newClient(s), getInput(), nil, wire.Options{}, g)
	if err != nil || found || len(g.rows) != 0 {
		t.Error(found, g.rows, err)
	}
}

// The SDK decodes replies for which the codec is too strict; invalid JSON is an error in both.
func TestSyntaxThatOnlyTheSDKAccepts(t *testing.T) {
	s := newStub("{\"Count\":1,\"Items\":[" + item2 + ",{\"pk\":{\"S\":\"\\ud800\"}}],\"ConsumedCapacity\":{\"CapacityUnits\":1}}")
	g := &got{}
	out, err := wire.Query(t.Context(), newClient(s), queryInput(), wire.Options{}, g)
	if err != nil || len(g.rows) != 2 || out.Items != nil || *out.ConsumedCapacity.CapacityUnits != 1 {
		t.Errorf("%v %q", err, g.rows)
	}
}

// The call does not fail if its receiver refuses an item.
func TestRowErrorLeavesTheOutput(t *testing.T) {
	cause := errors.New("age is no number")
	body := `{"Items":[` + item1 + `,` + item2 + `,` + item2 + `],"LastEvaluatedKey":` + key1 + `,"Count":3}`
	for _, w := range pathCases() {
		for fail := range 3 {
			s := newStub(body)
			g := &got{err: cause, fail: fail}
			out, err := wire.Query(t.Context(), w.client(s), queryInput(), w.o, g)
			var re *wire.RowError
			if !errors.As(err, &re) || !errors.Is(err, cause) || re.Index != fail {
				t.Errorf("%s: %v", w.name, err)
				continue
			}
			if out == nil || out.Count != 3 || len(out.LastEvaluatedKey) != 1 || out.Items != nil || len(g.rows) != fail {
				t.Errorf("%s: output %+v", w.name, out)
			}
		}
		s := newStub(`{"Attributes":` + item2 + `}`)
		out, err := wire.PutItem(t.Context(), w.client(s), putInput(), []byte(item1), w.o, &got{err: cause})
		if out == nil || !errors.Is(err, cause) {
			t.Errorf("%s: %v %v", w.name, out, err)
		}
	}
}

func TestRepliesToOtherRequests(t *testing.T) {
	for _, w := range pathCases() {
		for _, c := range []struct {
			body string
			run  func(api, wire.Options) (any, [][]string, error)
		}{
			{`{"Responses":{"other":[]}}`, runBatchGet},
			{`{"Responses":[{},{}]}`, runTransactGet},
			{`{"Responses":[{},{},{},{}]}`, runTransactGet},
			{`{}`, runTransactGet},
		} {
			s := newStub(c.body)
			_, _, err := c.run(w.client(s), w.o)
			var re *wire.ReplyError
			if !errors.As(err, &re) || re.Fault != wire.ReplyMismatch || !re.RetryableError() {
				t.Errorf("%s %s: %v", w.name, c.body, err)
			}
		}
	}
}

// A reply of another operation is refused, and so is an incomplete one. A read is repeated; the outcome of a
// write is unknown.
func TestRepliesOfOtherOperations(t *testing.T) {
	replies := map[string][]string{
		`{}`:                                {"GetItem", "PutItem", "UpdateItem", "DeleteItem", "TransactWriteItems"},
		`{"ConsumedCapacity":null,"New":1}`: {"GetItem", "PutItem", "UpdateItem", "DeleteItem", "TransactWriteItems"},
		`{"Item":{"pk":{"S":"a"}}}`:         {"GetItem"},
		`{"Items":[],"Count":0}`:            {"Query", "Scan"},
		`{"Count":3,"ScannedCount":3}`:      {"Query", "Scan"},
		`{"Responses":{"orders":[]}}`:       {"BatchGetItem"},
		`{"UnprocessedKeys":{}}`:            {"BatchGetItem"},
		`{"Responses":[{},{},{}]}`:          {"TransactGetItems"},
		`{"UnprocessedItems":{}}`:           {"BatchWriteItem"},
		`{"Attributes":{"pk":{"S":"a"}}}`:   {"PutItem", "UpdateItem", "DeleteItem"},
		`{"ItemCollectionMetrics":null}`:    {"PutItem", "UpdateItem", "DeleteItem", "TransactWriteItems"},
	}
	for _, w := range pathCases() {
		if w.name == "ignores options" || w.name == "other protocol" || w.name == "after throttling" {
			continue
		}
		for body, fits := range replies {
			for _, op := range operations {
				if strings.Contains(op.name, " ") {
					continue
				}
				s := newStub(body)
				_, _, err := op.run(w.client(s), w.o)
				if slices.Contains(fits, op.name) {
					if err != nil {
						t.Errorf("%s: %s of %s: %v", w.name, body, op.name, err)
					}
					continue
				}
				isRead := strings.Contains(op.name, "Get") || op.name == "Query" || op.name == "Scan"
				var re *wire.ReplyError
				if !errors.As(err, &re) {
					t.Errorf("%s: %s of %s: %v", w.name, body, op.name, err)
					continue
				}
				// A list instead of an object is not a reply of the operation.
				if re.Fault != wire.ReplyMismatch && !strings.Contains(body, "Responses") || re.Fault == wire.ReplyMismatch && re.Applied() {
					t.Errorf("%s: %s of %s: %+v", w.name, body, op.name, re)
				}
				if want := map[bool]int{true: 3, false: 1}[isRead]; s.calls != want && re.Status != 0 {
					t.Errorf("%s: %s of %s: %d calls", w.name, body, op.name, s.calls)
				}
			}
		}
	}
}

// keyed accepts only items with one key.
type keyed struct {
	got
	key string
}

func (k *keyed) Row(d *codec.Decoder) error {
	raw, err := d.Raw()
	if err != nil {
		return err
	}
	if !strings.Contains(string(raw), `"pk":{"S":"`+k.key+`"}`) {
		return wire.Mismatch("another key")
	}
	k.rows = append(k.rows, string(raw))
	return nil
}

// mustHave is a receiver that requires an item.
type mustHave struct{ got }

func (*mustHave) Required() {}

// If a receiver refuses an item as that of another request, the read is repeated until the right item comes.
func TestReceiverRefusesOtherItem(t *testing.T) {
	const right, wrong = `{"Item":{"pk":{"S":"a"}}}`, `{"Item":{"pk":{"S":"b"}}}`
	for _, w := range pathCases() {
		if w.name == "after throttling" {
			continue
		}
		k := &keyed{key: "a"}
		s := newStub(wrong)
		_, found, err := wire.GetItem(t.Context(), w.client(s), getInput(), nil, w.o, k)
		var re *wire.ReplyError
		if found || !errors.As(err, &re) || re.Fault != wire.ReplyMismatch || strings.Contains(err.Error(), `"b"`) || w.direct && s.calls != 3 {
			t.Errorf("%s: %v, %v after %d calls", w.name, found, err, s.calls)
		}
		if !w.direct {
			continue // attribute values are checked after the SDK's retry loop
		}
		k = &keyed{key: "a"}
		s = newStub(right, answer{status: 200, body: wrong})
		if _, found, err = wire.GetItem(t.Context(), w.client(s), getInput(), nil, w.o, k); !found || err != nil || len(k.rows) != 1 || s.calls != 2 {
			t.Errorf("%s: %v, %v after %d calls, %v", w.name, found, err, s.calls, k.rows)
		}
	}
	for _, w := range pathCases() {
		if w.name == "after throttling" {
			continue
		}
		_, err := wire.UpdateItem(t.Context(), w.client(newStub(`{}`)), &dynamodb.UpdateItemInput{TableName: aws.String("orders"), Key: keyMap()}, w.o, &mustHave{})
		var re *wire.ReplyError
		if !errors.As(err, &re) || re.Fault != wire.ReplyMismatch || re.Applied() {
			t.Errorf("%s: an update without its item: %v", w.name, err)
		}
	}
}

// A context that ends within the body ends the call; a write with a valid header is known to be applied.
func TestContextEndsInTheBody(t *testing.T) {
	for _, o := range []wire.Options{{}, {Off: true}} {
		ctx, cancel := context.WithCancel(t.Context())
		s := answering(answer{status: 200, body: `{"Attributes":{}}`, cut: 5, err: hook{cancel}})
		_, err := wire.PutItem(ctx, newClient(s), putInput(), []byte(item1), o, nil)
		var re *wire.ReplyError
		if !errors.Is(err, context.Canceled) || !errors.As(err, &re) || !re.Applied() || s.calls != 1 {
			t.Errorf("put: %v, %d calls", err, s.calls)
		}
		ctx, cancel = context.WithCancel(t.Context())
		s = answering(answer{status: 200, body: `{"Items":[]}`, cut: 5, err: hook{cancel}})
		_, err = wire.Query(ctx, newClient(s), queryInput(), o, &got{})
		var ce *smithy.CanceledError
		if !errors.Is(err, context.Canceled) || !errors.As(err, &ce) || s.calls != 1 {
			t.Errorf("query: %v, %d calls", err, s.calls)
		}
	}
}

// hook is an error that runs a function before it is read.
type hook struct{ fn func() }

func (h hook) Error() string { return "context canceled in the body" }

func TestGzippedReply(t *testing.T) {
	s := newStub(`{"Count":1,"Items":[` + item1 + `]}`)
	var zipped bytes.Buffer
	z := gzip.NewWriter(&zipped)
	if _, err := z.Write([]byte(s.answers[0].body)); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	s.answers[0] = answer{status: 200, body: zipped.String(), gzip: true}
	c := newClient(s, func(o *dynamodb.Options) { o.EnableAcceptEncodingGzip = true })
	g := &got{}
	if _, err := wire.Query(t.Context(), c, queryInput(), wire.Options{}, g); err != nil || len(g.rows) != 1 {
		t.Fatal(err, g.rows)
	}
}
