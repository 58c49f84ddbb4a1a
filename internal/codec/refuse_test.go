// SPDX-License-Identifier: Apache-2.0

package codec_test

import (
	"encoding/json"
	"errors"
	"math"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/attributevalue"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/dynamotable/ddb/internal/codec"
)

// unstorable is a value that must not be sent.
func unstorable[V any](name string, v V, reason string) form {
	type item struct{ V V }
	return form{name, func(t *testing.T) {
		checkRefusal(t, itemType[item](), &item{v}, "V", reason)
	}}
}

func checkRefusal(t *testing.T, typ typed, v any, path, reason string) {
	t.Helper()
	b, err := typ.appendItem([]byte("kept"), planOf(t, typ.of), v)
	var e *codec.Error
	if !errors.As(err, &e) {
		t.Fatalf("got %s and %v, want a *codec.Error", b, err)
	}
	if string(b[:4]) != "kept" {
		t.Errorf("the buffer became %s", b)
	}
	if !strings.Contains(err.Error(), reason) || !strings.HasPrefix(e.Path, path) || e.Type != typ.of || e.Decode {
		t.Errorf("error is %q (%+v), want the path %s and %q", err, e, path, reason)
	}
	if strings.Contains(err.Error(), "secret") {
		t.Errorf("error %q contains the data", err)
	}
}

type loop struct{ Next *loop }

func TestUnstorable(t *testing.T) {
	cycle := &loop{}
	cycle.Next = cycle
	var self any
	self = &self
	var list []any
	list = append(list, nil)
	list[0] = list
	digits39 := strings.Repeat("1", 39)
	tiny := new(big.Float).SetMantExp(big.NewFloat(1), -1<<30)
	for _, f := range []form{
		unstorable("NaN", math.NaN(), "NaN and infinity"),
		unstorable("infinity", math.Inf(-1), "NaN and infinity"),
		unstorable("NaN in an interface", any(math.NaN()), "NaN and infinity"),
		unstorable("float32 infinity", float32(math.Inf(1)), "NaN and infinity"),
		unstorable("too large a float", 1e126, "above 9.99E+125"),
		unstorable("too small a float", 9.9e-131, "below 1E-130"),
		unstorable("39 digits", json.Number(digits39), "more than 38"),
		unstorable("39 digits with a point", attributevalue.Number("1."+digits39[1:]), "more than 38"),
		unstorable("an empty number", json.Number(""), "empty text"),
		unstorable("not a number", json.Number("secret"), "not a number"),
		unstorable("two points", json.Number("1.2.3"), "not a number"),
		unstorable("no exponent", json.Number("1E"), "not a number"),
		unstorable("too large a number", json.Number("1E126"), "above 9.99E+125"),
		unstorable("too small a number", json.Number("9E-131"), "below 1E-130"),
		unstorable("too large a big.Int", *new(big.Int).Lsh(big.NewInt(1), 1<<20), "above 9.99E+125"),
		unstorable("39 digits in a big.Int", *new(big.Int).Exp(big.NewInt(7), big.NewInt(46), nil), "more than 38"),
		unstorable("too small a big.Float", tiny, "outside"),
		unstorable("infinite big.Float", *new(big.Float).SetInf(true), "NaN and infinity"),
		unstorable("text that is no UTF-8", "secret\xff", "not valid UTF-8"),
		unstorable("text in a list", []string{"a", "secret\xff"}, "V[1]: Go type string: the text is not valid UTF-8"),
		unstorable("text in a map", map[string]string{"secret": "\xff"}, "V.*"),
		unstorable("a map key that is no UTF-8", map[string]string{"\xff": ""}, "map key is not valid UTF-8"),
		unstorable("an empty map key", map[string]string{"": ""}, "map key is empty"),
		unstorable("an empty map key of another type", map[text]int{"": 1}, "map key is empty"),
		unstorable("a map key without text", map[color]int{99: 1}, "MarshalText of Go type codec_test.color failed with a"),
		unstorable("a year beyond 9999", time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC), "year from 0 to 9999"),
		unstorable("an empty set in a list", [][][]byte{{}}, "the set has no members"),
		unstorable("a cycle of pointers", cycle, "cyclic"),
		unstorable("a cycle of interfaces", self, "cyclic"),
		unstorable("a list that holds itself", list, "cyclic"),
		unstorable("a chan in an interface", any(make(chan int)), "no such type"),
		unstorable("a Marshaler's error", money{}, "failed with a *errors.errorString"),
		unstorable("a nil attribute value", types.AttributeValue((*types.AttributeValueMemberS)(nil)), "no attribute value"),
		unstorable("a nil attribute value in a list", []types.AttributeValue{&types.AttributeValueMemberL{Value: []types.AttributeValue{nil}}}, "V[0][0]"),
		unstorable("a Marshaler of nothing", nothing{}, "gave no value"),
	} {
		t.Run(f.name, f.run)
	}
}

func TestEqualMapKeys(t *testing.T) {
	type item struct{ V map[folded]int }
	checkRefusal(t, itemType[item](), &item{map[folded]int{"a": 1, "A": 2}}, "V", "two map keys have the same text")
}

func TestRefusedSets(t *testing.T) {
	type item struct {
		SS []string                `dynamodbav:",stringset,omitempty"`
		NS []attributevalue.Number `dynamodbav:",numberset,omitempty"`
		FS []float64               `dynamodbav:",numberset,omitempty"`
		BS [][]byte                `dynamodbav:",binaryset,omitempty"`
		AS []any                   `dynamodbav:",stringset,omitempty"`
		PS []*string               `dynamodbav:",stringset,omitempty"`
	}
	checkRefusal(t, itemType[item](), &item{SS: []string{"x", "secret", "secret"}}, "SS[2]", "twice")
	checkRefusal(t, itemType[item](), &item{NS: []attributevalue.Number{"1", "2", "1.0"}}, "NS[2]", "twice")
	checkRefusal(t, itemType[item](), &item{NS: []attributevalue.Number{"0", "-0.0E5"}}, "NS[1]", "twice")
	checkRefusal(t, itemType[item](), &item{NS: []attributevalue.Number{"1200", "12E2"}}, "NS[1]", "twice")
	checkRefusal(t, itemType[item](), &item{FS: []float64{0, math.Copysign(0, -1)}}, "FS[1]", "twice")
	checkRefusal(t, itemType[item](), &item{BS: [][]byte{{1}, {2}, {1}}}, "BS[2]", "twice")
	checkRefusal(t, itemType[item](), &item{AS: []any{"a", 1}}, "AS[1]", "a set of type SS cannot hold it")
	checkRefusal(t, itemType[item](), &item{AS: []any{nil}}, "AS[0]", "a set of type SS cannot hold it")
	checkRefusal(t, itemType[item](), &item{PS: []*string{nil}}, "PS[0]", "a set of type SS cannot hold it")
	many := make([]string, 100)
	for i := range many {
		many[i] = strings.Repeat("x", i)
	}
	if _, err := codec.Append(nil, plan[item](t), &item{SS: many}); err != nil {
		t.Error(err)
	}
	many[99] = many[3]
	checkRefusal(t, itemType[item](), &item{SS: many}, "SS[99]", "twice")

	if got := string(encode(t, nil, &item{SS: []string{}})); got != `{}` {
		t.Errorf("an empty set with omitempty became %s", got)
	}
	type elems struct {
		V []string `dynamodbav:",stringset,omitemptyelem"`
	}
	checkRefusal(t, itemType[elems](), &elems{[]string{""}}, "V", "the set has no members")
}

// A user's own error can be unwrapped, but is not part of the text.
func TestUserErrorsCanBeUnwrapped(t *testing.T) {
	type item struct{ V []money }
	_, err := codec.Append(nil, plan[item](t), &item{[]money{{}}})
	if !errors.Is(err, errMoney) || strings.Contains(err.Error(), "secret") {
		t.Errorf("encoding: %v", err)
	}
	err = codec.Decode(plan[item](t), []byte(`{"V":{"L":[{"S":"secret"}]}}`), new(item))
	if !errors.Is(err, errMoney) || strings.Contains(err.Error(), "secret") {
		t.Errorf("decoding: %v", err)
	}
	const want = "decode codec_test.item: attribute V[0]: UnmarshalDynamoDBAttributeValue of Go type codec_test.money failed with a *errors.errorString"
	if err.Error() != want {
		t.Errorf("got  %s\nwant %s", err, want)
	}
}
