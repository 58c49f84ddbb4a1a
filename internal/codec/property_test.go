// SPDX-License-Identifier: Apache-2.0

package codec_test

import (
	"fmt"
	"math/big"
	"net/netip"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/attributevalue"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/dynamotable/ddb/internal/codec"
	"github.com/dynamotable/ddb/internal/longtest"
)

func avText(av types.AttributeValue) string {
	switch v := av.(type) {
	case *types.AttributeValueMemberN:
		return v.Value
	case *types.AttributeValueMemberS:
		return v.Value
	}
	return fmt.Sprintf("%T", av)
}

func sameNumber(a, b string) bool {
	x, ok := new(big.Rat).SetString(a)
	y, ok2 := new(big.Rat).SetString(b)
	return ok && ok2 && x.Cmp(y) == 0
}

// alike is equal, except that a nil list, set or map equals an empty one.
var alike = append(slices.Clone(equal), cmp.FilterValues(func(a, b any) bool {
	x, y := reflect.ValueOf(a), reflect.ValueOf(b)
	if !x.IsValid() || !y.IsValid() || x.Type() != y.Type() {
		return false
	}
	container := x.Kind() == reflect.Map || x.Kind() == reflect.Slice && x.Type().Elem().Kind() != reflect.Uint8
	return container && x.Len() == 0 && y.Len() == 0
}, cmp.Comparer(func(_, _ any) bool { return true })))

// deliberate is theirs with the intended differences of the codec: times that sort, and lists, maps and sets instead of NULL.
func deliberate(theirs, ours map[string]types.AttributeValue) map[string]types.AttributeValue {
	out := map[string]types.AttributeValue{}
	for name, av := range theirs {
		mine, there := ours[name]
		if _, null := av.(*types.AttributeValueMemberNULL); null && !there {
			continue // a nil set
		}
		out[name] = deliberateValue(av, mine)
	}
	return out
}

func deliberateValue(theirs, ours types.AttributeValue) types.AttributeValue {
	switch v := theirs.(type) {
	case *types.AttributeValueMemberNULL:
		switch o := ours.(type) {
		case *types.AttributeValueMemberL:
			if len(o.Value) == 0 {
				return o
			}
		case *types.AttributeValueMemberM:
			if len(o.Value) == 0 {
				return o
			}
		}
	case *types.AttributeValueMemberS:
		o, ok := ours.(*types.AttributeValueMemberS)
		if at, err := time.Parse(time.RFC3339Nano, v.Value); ok && err == nil && o.Value == at.UTC().Format(codec.Sortable) {
			return o
		}
	case *types.AttributeValueMemberM:
		if o, ok := ours.(*types.AttributeValueMemberM); ok {
			return &types.AttributeValueMemberM{Value: deliberate(v.Value, o.Value)}
		}
	case *types.AttributeValueMemberL:
		if o, ok := ours.(*types.AttributeValueMemberL); ok && len(o.Value) == len(v.Value) {
			list := make([]types.AttributeValue, len(v.Value))
			for i := range list {
				list[i] = deliberateValue(v.Value[i], o.Value[i])
			}
			return &types.AttributeValueMemberL{Value: list}
		}
	}
	return theirs
}

// byValue compares values in the SDK's form; numbers are compared by value.
var byValue = cmp.Options{
	equal,
	cmp.Comparer(func(a, b types.AttributeValueMemberN) bool { return sameNumber(a.Value, b.Value) }),
	cmp.Comparer(func(a, b types.AttributeValueMemberNS) bool {
		if len(a.Value) != len(b.Value) {
			return false
		}
		for i := range a.Value {
			if !sameNumber(a.Value[i], b.Value[i]) {
				return false
			}
		}
		return true
	}),
}

// sample is a type under test.
type sample func(t *rapid.T)

// known is a sample that attributevalue stores and reads in the same way.
func known[T any]() sample { return survives(itemType[T](), true) }

// alien is a sample that attributevalue treats differently; docs/codec.md says why.
func alien[T any]() sample { return survives(itemType[T](), false) }

func survives(typ typed, same bool) sample { return func(t *rapid.T) { survive(t, typ, same) } }

func survive(t *rapid.T, typ typed, same bool) {
	p, err := codec.PlanOf(typ.of)
	if err != nil {
		t.Fatal(err)
	}
	v, out := typ.zero(), typ.zero()
	fill(t, reflect.ValueOf(v).Elem(), 0)
	wire, err := typ.appendItem(nil, p, v)
	if err != nil {
		t.Fatal(err)
	}
	if err := typ.decodeItem(p, wire, out); err != nil {
		t.Fatalf("%s: %v", wire, err)
	}
	if d := cmp.Diff(pointee(v), pointee(out), alike); d != "" {
		t.Fatalf("%s did not survive (-want +got):\n%s", wire, d)
	}
	item, err := codec.ParseItem(wire)
	if err != nil {
		t.Fatal(err)
	}
	if n, err := codec.ItemSize(wire); err != nil || n != modelSize(item) {
		t.Fatalf("%s: size is %d (%v), want %d", wire, n, err, modelSize(item))
	}
	if same {
		agree(t, v, typ.zero(), wire, item)
	}
}

// agree compares attributevalue with the codec, in both directions; out points to a zero value.
func agree(t *rapid.T, v, out any, wire []byte, item map[string]types.AttributeValue) {
	theirs, err := attributevalue.MarshalMap(v)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(deliberate(theirs, item), item, byValue); d != "" {
		t.Fatalf("attributevalue stores it differently (-theirs +ours):\n%s", d)
	}
	if err := attributevalue.UnmarshalMap(item, out); err != nil {
		t.Fatalf("attributevalue cannot read %s: %v", wire, err)
	}
	if d := cmp.Diff(pointee(out), pointee(v), alike); d != "" {
		t.Fatalf("attributevalue reads %s differently (-theirs +ours):\n%s", wire, d)
	}
}

type one[V any] struct{ V V }

type two[V, W any] struct {
	V V `dynamodbav:"first,omitempty"`
	W W `dynamodbav:"second"`
}

var samples = []sample{
	known[one[string]](), known[one[text]](), known[one[bool]](), known[one[int]](), known[one[int8]](), known[one[int16]](), known[one[int32]](), known[one[int64]](),
	known[one[uint]](), known[one[uint8]](), known[one[uint16]](), known[one[uint32]](), known[one[uint64]](), known[one[float32]](), known[one[float64]](), known[one[count]](),
	known[one[[]byte]](), known[one[blob]](), known[one[[4]byte]](), known[one[[]string]](), known[one[[]text]](), known[one[[]int]](), known[one[[][]int]](), known[one[[3]int]](),
	known[one[map[string]string]](), known[one[map[text]int]](), known[one[map[int]string]](), known[one[map[uint8][]bool]](), known[one[map[string]map[string]int]](),
	known[one[*string]](), known[one[*int]](), known[one[[]*int]](), known[one[map[string]*inner]](), known[one[inner]](), known[one[*inner]](), known[one[[]inner]](),
	known[one[time.Time]](), known[one[*time.Time]](), known[one[stamp]](), known[one[[]time.Time]](), known[one[attributevalue.Number]](), known[one[any]](), known[one[[]any]](),
	known[one[map[string]any]](), known[tree](), known[row](), known[two[[]int, map[string]bool]](), known[two[*row, []byte]](), known[two[string, any]](),
	known[struct {
		A []string  `dynamodbav:",stringset"`
		B []int     `dynamodbav:",numberset"`
		C [][]byte  `dynamodbav:",binaryset"`
		D []float64 `dynamodbav:",numberset"`
		E []text    `dynamodbav:",stringset"`
	}](),
	known[struct {
		A int       `dynamodbav:",string"`
		B float64   `dynamodbav:",string,omitempty"`
		C *uint     `dynamodbav:",string"`
		D time.Time `dynamodbav:"d"`
	}](),
	known[struct {
		Base
		Label
		hidden
		X []tree
	}](),
	alien[one[big.Int]](), alien[one[*big.Int]](), alien[one[netip.Addr]](), alien[one[map[string]netip.Addr]](), alien[one[map[string]money]](),
	alien[one[color]](), alien[struct {
		V color   `dynamodbav:",text"`
		W []color `dynamodbav:",text"`
		X *color  `dynamodbav:",text"`
	}](),
	alien[struct {
		V time.Time `dynamodbav:",omitzero"`
		W inner     `dynamodbav:",omitzero"`
		X *tree     `dynamodbav:",omitzero"`
	}](),
	alien[struct {
		*Deep
		C int
	}](),
}

func TestTypesSurvive(t *testing.T) {
	longtest.Checks(t, 30) // of each type
	for i, s := range samples {
		t.Run(fmt.Sprint(i), func(t *testing.T) { rapid.Check(t, s) })
	}
}

var leafTypes = []reflect.Type{
	reflect.TypeFor[string](), reflect.TypeFor[int](), reflect.TypeFor[uint16](), reflect.TypeFor[float64](), reflect.TypeFor[bool](),
	reflect.TypeFor[[]byte](), reflect.TypeFor[time.Time](), reflect.TypeFor[any](), reflect.TypeFor[inner](), reflect.TypeFor[text](), reflect.TypeFor[attributevalue.Number](),
}

func randomType(t *rapid.T, depth int) reflect.Type {
	kind := rapid.IntRange(0, 8).Draw(t, "kind")
	if depth > 3 {
		kind = 0
	}
	switch kind {
	case 1:
		return reflect.SliceOf(randomType(t, depth+1))
	case 2:
		return reflect.MapOf(reflect.TypeFor[string](), randomType(t, depth+1))
	case 3:
		return reflect.PointerTo(rapid.SampledFrom(leafTypes[:5]).Draw(t, "pointee"))
	case 4:
		return reflect.ArrayOf(rapid.IntRange(0, 3).Draw(t, "len"), randomType(t, depth+1))
	case 5:
		var fields []reflect.StructField
		for i := range rapid.IntRange(0, 4).Draw(t, "fields") {
			tag := rapid.SampledFrom([]string{"", `dynamodbav:",omitempty"`, fmt.Sprintf(`dynamodbav:"n%d"`, i)}).Draw(t, "tag")
			fields = append(fields, reflect.StructField{Name: fmt.Sprintf("F%d", i), Type: randomType(t, depth+1), Tag: reflect.StructTag(tag)})
		}
		return reflect.StructOf(fields)
	}
	return rapid.SampledFrom(leafTypes).Draw(t, "leaf")
}

// Unusual types, reached through a pointer in an interface.
func TestRandomTypesSurvive(t *testing.T) {
	p := plan[one[any]](t)
	rapid.Check(t, func(t *rapid.T) {
		in := reflect.New(reflect.StructOf([]reflect.StructField{{Name: "T", Type: randomType(t, 0)}}))
		fill(t, in.Elem(), 0)
		wire, err := codec.Append(nil, p, &one[any]{in.Interface()})
		if err != nil {
			t.Fatalf("%v: %v", in.Type(), err)
		}
		out := reflect.New(in.Type().Elem())
		into := one[any]{out.Interface()}
		if err := codec.Decode(p, wire, &into); err != nil {
			t.Fatalf("%v: %s: %v", in.Type(), wire, err)
		}
		if d := cmp.Diff(in.Interface(), out.Interface(), alike); d != "" {
			t.Fatalf("%v: %s did not survive (-want +got):\n%s", in.Type(), wire, d)
		}
	})
}
