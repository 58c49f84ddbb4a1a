// SPDX-License-Identifier: Apache-2.0

package change_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams/types"
	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"
	"pgregory.net/rapid"

	"github.com/dynamotable/ddb/change"
	"github.com/dynamotable/ddb/internal/longtest"
	"github.com/dynamotable/ddb/typeditem"
)

func TestMain(m *testing.M) {
	longtest.CollectLess()
	// Keep-alive connections outlive a test when stores run on a real endpoint.
	goleak.VerifyTestMain(m,
		goleak.IgnoreAnyFunction("net/http.(*persistConn).readLoop"),
		goleak.IgnoreAnyFunction("net/http.(*persistConn).writeLoop"))
}

type thing struct {
	PK    string            `dynamodbav:"pk"`
	SK    int64             `dynamodbav:"sk"`
	Text  string            `dynamodbav:"text,omitempty"`
	Bin   []byte            `dynamodbav:"bin,omitempty"`
	Tags  []string          `dynamodbav:"tags,stringset,omitempty"`
	Nums  []int             `dynamodbav:"nums,numberset,omitempty"`
	Bins  [][]byte          `dynamodbav:"bins,binaryset,omitempty"`
	Map   map[string]string `dynamodbav:"map,omitempty"`
	List  []any             `dynamodbav:"list,omitempty"`
	Flag  bool              `dynamodbav:"flag,omitempty"`
	Maybe *string           `dynamodbav:"maybe"`
}

type attrs = map[string]types.AttributeValue

func str(s string) types.AttributeValue { return &types.AttributeValueMemberS{Value: s} }
func num(s string) types.AttributeValue { return &types.AttributeValueMemberN{Value: s} }

func record(kind types.OperationType, before, after attrs) *types.Record {
	return &types.Record{
		EventID: aws.String("e1"), EventName: kind,
		Dynamodb: &types.StreamRecord{
			Keys: attrs{"pk": str("a"), "sk": num("1")}, OldImage: before, NewImage: after, SequenceNumber: aws.String("100000000000000000001"),
			ApproximateCreationDateTime: aws.Time(time.Unix(1700000000, 0)),
		},
	}
}

func TestDecode(t *testing.T) {
	t.Parallel()
	image := attrs{
		"pk": str("a"), "sk": num("1"), "text": str("q\"\\\n\x01é"), "bin": &types.AttributeValueMemberB{Value: []byte{0, 255}},
		"tags": &types.AttributeValueMemberSS{Value: []string{"x", "y\""}}, "nums": &types.AttributeValueMemberNS{Value: []string{"1", "2"}},
		"bins": &types.AttributeValueMemberBS{Value: [][]byte{{1}, {2}}}, "flag": &types.AttributeValueMemberBOOL{Value: true},
		"map":   &types.AttributeValueMemberM{Value: attrs{"k\t": str("v")}},
		"list":  &types.AttributeValueMemberL{Value: []types.AttributeValue{str("e"), &types.AttributeValueMemberBOOL{}}},
		"maybe": &types.AttributeValueMemberNULL{Value: true},
	}
	want := thing{
		PK: "a", SK: 1, Text: "q\"\\\n\x01é", Bin: []byte{0, 255}, Tags: []string{"x", "y\""}, Nums: []int{1, 2}, Bins: [][]byte{{1}, {2}},
		Map: map[string]string{"k\t": "v"}, List: []any{"e", false}, Flag: true,
	}
	keys := thing{PK: "a", SK: 1}
	base := change.Change[thing]{Keys: keys, Seq: "100000000000000000001", EventID: "e1", ApproxTime: time.Unix(1700000000, 0)}

	for _, c := range []struct {
		kind     types.OperationType
		old, new attrs
	}{{"INSERT", nil, image}, {"MODIFY", image, image}, {"REMOVE", image, nil}, {"MODIFY", nil, nil}} {
		got, err := change.Decode[thing](record(c.kind, c.old, c.new))
		expected := base
		expected.Kind = change.Kind(c.kind)
		if c.old != nil {
			expected.Old = &want
		}
		if c.new != nil {
			expected.New = &want
		}
		if diff := cmp.Diff(expected, got); err != nil || diff != "" {
			t.Errorf("%s: %v %s", c.kind, err, diff)
		}
		if image := got.Image(); (image == nil) != (c.old == nil && c.new == nil) || c.new != nil && image != got.New {
			t.Errorf("%s: image %v", c.kind, image)
		}
	}

	expired := record("REMOVE", image, nil)
	expired.UserIdentity = &types.Identity{Type: aws.String("Service"), PrincipalId: aws.String("dynamodb.amazonaws.com")}
	if got, err := change.Decode[thing](expired); err != nil || !got.TTLExpired {
		t.Errorf("expiry: %+v, %v", got, err)
	}
	expired.UserIdentity.PrincipalId = aws.String("someone")
	if got, err := change.Decode[thing](expired); err != nil || got.TTLExpired {
		t.Errorf("a removal by another principal: %+v, %v", got, err)
	}
}

func TestDecodeRefuses(t *testing.T) {
	t.Parallel()
	deep := str("x")
	for range 100 {
		deep = &types.AttributeValueMemberL{Value: []types.AttributeValue{deep}}
	}
	noKeys := record("INSERT", nil, nil)
	noKeys.Dynamodb.Keys = nil
	for name, r := range map[string]*types.Record{
		"no change":  {EventName: "INSERT"},
		"kind":       record("REPLACE", nil, nil),
		"keys":       noKeys,
		"wrong type": record("INSERT", nil, attrs{"sk": str("424242")}),
		"nil value":  record("INSERT", nil, attrs{"text": nil}),
		"depth":      record("INSERT", nil, attrs{"list": deep}),
		"no UTF-8":   record("INSERT", nil, attrs{"text": str("424242\xff")}),
	} {
		c, err := change.Decode[thing](r)
		var de *change.DecodeError
		if !errors.As(err, &de) || strings.Contains(err.Error(), "424242") {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if r.Dynamodb != nil && (c.Seq == "" || de.Seq != c.Seq) {
			t.Errorf("%s: the readable part is missing: %+v", name, c)
		}
	}
}

// Texts of any kind survive the JSON between the SDK's types and those of the package.
func TestDecodeText(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.String().Draw(t, "text")
		c, err := change.Decode[thing](record("INSERT", nil, attrs{"text": str(text), "map": &types.AttributeValueMemberM{Value: attrs{text: str(text)}}}))
		if err != nil || c.New.Text != text || c.New.Map[text] != text {
			t.Fatalf("%+v, %v", c.New, err)
		}
	})
}

func TestSeq(t *testing.T) {
	t.Parallel()
	ordered := []change.Seq{"", "1", "9", "10", "0011", "100000000000000000000", "100000000000000000001"}
	for i, a := range ordered {
		for j, b := range ordered {
			if got := a.Compare(b); (got < 0) != (i < j) || (got > 0) != (i > j) || a.After(b) != (i > j) {
				t.Errorf("%q against %q: %d", a, b, got)
			}
		}
	}
}

func lambdaEvent(records ...string) []byte {
	return []byte(`{"Records":[` + strings.Join(records, ",") + `]}`)
}

func lambdaRecord(seq int, kind, more string) string {
	return fmt.Sprintf(`{"eventID":"id%d","eventName":%q,"eventVersion":"1.1","eventSource":"aws:dynamodb","awsRegion":"us-east-1",
		"dynamodb":{"ApproximateCreationDateTime":1479499740,"Keys":{"pk":{"S":"a"},"sk":{"N":"%d"}},"SequenceNumber":"%d","SizeBytes":26,"StreamViewType":"NEW_AND_OLD_IMAGES"%s}}`, seq, kind, seq, seq, more)
}

func TestDecodeLambda(t *testing.T) {
	t.Parallel()
	changes, err := change.DecodeLambda[thing](lambdaEvent(
		lambdaRecord(7, "MODIFY", `,"NewImage":{"pk":{"S":"a"},"sk":{"N":"7"},"bin":{"B":"AP8="}},"OldImage":null`),
		strings.TrimSuffix(lambdaRecord(8, "REMOVE", ``), "}")+`,"userIdentity":{"type":"Service","principalId":"dynamodb.amazonaws.com"}}`,
	))
	at := time.Unix(1479499740, 0).UTC()
	want := []change.Change[thing]{
		{Kind: change.Modify, Keys: thing{PK: "a", SK: 7}, New: &thing{PK: "a", SK: 7, Bin: []byte{0, 255}}, Seq: "7", EventID: "id7", ApproxTime: at},
		{Kind: change.Remove, Keys: thing{PK: "a", SK: 8}, Seq: "8", EventID: "id8", ApproxTime: at, TTLExpired: true},
	}
	if diff := cmp.Diff(want, changes); err != nil || diff != "" {
		t.Fatalf("%v %s", err, diff)
	}
	changes, err = change.DecodeLambda[thing](lambdaEvent(lambdaRecord(1, "INSERT", ``), lambdaRecord(2, "INSERT", `,"NewImage":{"pk":{"BOOL":true}}`)))
	var de *change.DecodeError
	if len(changes) != 1 || !errors.As(err, &de) || de.Seq != "2" || de.Part != "NewImage" {
		t.Errorf("%v, %v", changes, err)
	}
	for _, bad := range []string{``, `[]`, `{"Records":424242}`, `{"Records":[{"eventID":424242}]}`} {
		if _, err := change.DecodeLambda[thing]([]byte(bad)); err == nil || strings.Contains(err.Error(), "424242") {
			t.Errorf("%s: %v", bad, err)
		}
	}
}

func TestLambdaHandler(t *testing.T) {
	t.Parallel()
	event := lambdaEvent(lambdaRecord(1, "INSERT", ``), lambdaRecord(2, "INSERT", ``), lambdaRecord(3, "INSERT", ``))
	for _, c := range []struct {
		name  string
		fails int64
		event []byte
		want  string
		calls int
	}{
		{"all succeed", 0, event, `{"batchItemFailures":[]}`, 3},
		{"one fails", 2, event, `{"batchItemFailures":[{"itemIdentifier":"2"}]}`, 2},
		{"unreadable", 0, lambdaEvent(lambdaRecord(1, "INSERT", ``), lambdaRecord(2, "INSERT", `,"NewImage":{"pk":{"BOOL":true}}`)), `{"batchItemFailures":[{"itemIdentifier":"2"}]}`, 1},
		{"empty", 0, []byte(`{}`), `{"batchItemFailures":[]}`, 0},
	} {
		calls, reported := 0, change.Seq("")
		handler := change.LambdaHandler(func(_ context.Context, ch change.Change[thing]) error {
			calls++
			if ch.Keys.SK == c.fails {
				return errors.New("no")
			}
			return nil
		}, func(_ context.Context, ch change.Change[thing], _ error) { reported = ch.Seq })
		response, err := handler(t.Context(), c.event)
		got, _ := json.Marshal(response)
		if err != nil || string(got) != c.want || calls != c.calls || (reported != "") != strings.Contains(c.want, "item") {
			t.Errorf("%s: %s after %d calls, reported %s, %v", c.name, got, calls, reported, err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	handler := change.LambdaHandler(func(context.Context, change.Change[thing]) error { cancel(); return nil }, nil)
	if response, err := handler(ctx, event); err != nil || len(response.BatchItemFailures) != 1 || response.BatchItemFailures[0].ItemIdentifier != "2" {
		t.Errorf("ended context: %v, %v", response, err)
	}
	if _, err := handler(t.Context(), []byte(`x`)); err == nil {
		t.Error("an invalid event was handled")
	}
	if _, err := handler(t.Context(), []byte(`{"Records":[{}]}`)); err == nil {
		t.Error("a record without a number was skipped")
	}
}

func TestDecodeKinesis(t *testing.T) {
	t.Parallel()
	const data = `{"awsRegion":"us-east-1","eventID":"k1","eventName":"INSERT","userIdentity":null,"recordFormat":"application/json","tableName":"t",
		"dynamodb":{"ApproximateCreationDateTime":%s,"Keys":{"pk":{"S":"a"},"sk":{"N":"1"}},"NewImage":{"pk":{"S":"a"},"sk":{"N":"1"},"text":{"S":"x"}},"SizeBytes":21},"eventSource":"aws:dynamodb"}`
	for number, want := range map[string]time.Time{
		`1640995200123`: time.Unix(1640995200, 123e6).UTC(),
		`1640995200123456,"ApproximateCreationDateTimePrecision":"MICROSECOND"`: time.Unix(1640995200, 123456e3).UTC(),
		`1.640995200E12,"ApproximateCreationDateTimePrecision":"MILLISECOND"`:   time.Unix(1640995200, 0).UTC(),
	} {
		c, err := change.DecodeKinesis[thing](fmt.Appendf(nil, data, number))
		if err != nil || !c.ApproxTime.Equal(want) || c.Kind != change.Insert || c.New.Text != "x" || c.EventID != "k1" || c.Seq != "" {
			t.Errorf("%s: %+v, %v", number, c, err)
		}
	}
	for _, bad := range []string{``, `{}`, `{"eventName":"INSERT","dynamodb":{}}`, fmt.Sprintf(data, `1,"ApproximateCreationDateTimePrecision":"HOUR"`), fmt.Sprintf(data, `1e400`)} {
		if _, err := change.DecodeKinesis[thing]([]byte(bad)); err == nil {
			t.Errorf("%s was read", bad)
		}
	}
}

func FuzzDecodeLambda(f *testing.F) {
	f.Add(lambdaEvent(lambdaRecord(7, "MODIFY", `,"NewImage":{"pk":{"S":"a"},"sk":{"N":"7"}}`)))
	f.Fuzz(func(t *testing.T, event []byte) {
		changes, err := change.DecodeLambda[thing](event)
		for _, c := range changes {
			if c.Kind == "" {
				t.Errorf("a change without a kind, error %v", err)
			}
		}
		_, _ = change.DecodeKinesis[thing](event)
	})
}

// An item does not change when the next record is read, and its type may have fewer attributes than the stored item.
func TestItemsShareNoMemory(t *testing.T) {
	t.Parallel()
	type slim struct {
		PK string `dynamodbav:"pk"`
	}
	c, err := change.Decode[slim](record("INSERT", nil, attrs{"pk": str("a"), "sk": num("1"), "other": str("o")}))
	if err != nil || c.New.PK != "a" || c.Keys.PK != "a" {
		t.Fatalf("%+v, %v", c, err)
	}
	if _, err := typeditem.DecodeJSON[slim]([]byte(`{"pk":{"S":"b"}}`)); err != nil || c.New.PK != "a" {
		t.Fatalf("a later item changed an earlier one: %+v, %v", c.New, err)
	}
}
