// SPDX-License-Identifier: Apache-2.0

package codec_test

import (
	"bytes"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"
	"unsafe"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/google/go-cmp/cmp"

	"github.com/dynamotable/ddb/internal/codec"
	"github.com/dynamotable/ddb/internal/gotype"
)

func plan[T any](tb testing.TB) *codec.Plan {
	tb.Helper()
	return planOf(tb, reflect.TypeFor[T]())
}

func value[V any](tb testing.TB, tag string) *codec.Value {
	tb.Helper()
	return valueOf(tb, reflect.TypeFor[V](), tag)
}

func TestPlanFields(t *testing.T) {
	type item struct {
		PK string `dynamodbav:"pk"`
		Base
		*Deep
		Tags  []string       `dynamodbav:"tags,stringset,omitempty"`
		When  time.Time      `dynamodbav:"when,unixtime,omitzero"`
		Extra map[string]any `dynamodbav:"extra"`
		In    *inner
		Any   any
		skip  int
		Skip  int                             `dynamodbav:"-"`
		Rest  map[string]types.AttributeValue `dynamodbav:",unknown"`
	}
	_ = item{}.skip
	p := plan[item](t)
	if p != plan[item](t) {
		t.Error("a second plan was made")
	}
	type line struct {
		Name, GoPath, Index, Type string
		OmitEmpty, OmitZero       bool
		Kind                      string
	}
	var got []line
	for _, f := range p.Fields() {
		got = append(got, line{f.Name, f.GoPath, fmt.Sprint(f.Index), f.Type.String(), f.OmitEmpty, f.OmitZero, f.Codec.Kind().String()})
		if again, ok := p.Field(f.Name); !ok || again.GoPath != f.GoPath {
			t.Errorf("Field(%q) is %+v", f.Name, again)
		}
		if reflect.TypeFor[item]().FieldByIndex(f.Index).Type != gotype.Reflect(f.Type) {
			t.Errorf("index of %s is that of another field", f.Name)
		}
	}
	want := []line{
		{"pk", "PK", "[0]", "string", false, false, "S"},
		{"A", "Base.A", "[1 0]", "int", false, false, "N"},
		{"B", "Deep.More.B", "[2 0 0]", "int", false, false, "N"},
		{"D", "Deep.D", "[2 1]", "int", false, false, "N"},
		{"tags", "Tags", "[3]", "[]string", true, false, "SS"},
		{"when", "When", "[4]", "time.Time", false, true, "N"},
		{"extra", "Extra", "[5]", "map[string]interface {}", false, false, "M"},
		{"In", "In", "[6]", "*codec_test.inner", false, false, "M"},
		{"Any", "Any", "[7]", "interface {}", false, false, "any"},
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("fields (-want +got):\n%s", d)
	}
	if _, ok := p.Field("PK"); ok {
		t.Error("names are matched without regard to case")
	}
	in, _ := p.Field("In")
	if in.Codec.Struct() != plan[inner](t) || in.Codec.Elem() != nil {
		t.Error("the plan of a pointer to a struct is another one")
	}
	tags, _ := p.Field("tags")
	if tags.Codec.Struct() != nil || tags.Codec.Elem().Kind() != codec.S {
		t.Error("the elements of a string set are not text")
	}
}

func TestKinds(t *testing.T) {
	for _, c := range []struct {
		v    *codec.Value
		want codec.Kind
		elem string
	}{
		{value[string](t, ""), codec.S, ""}, {value[int](t, ""), codec.N, ""}, {value[int](t, "string"), codec.S, ""},
		{value[[]byte](t, ""), codec.B, "N"}, {value[[16]byte](t, ""), codec.B, "N"}, {value[bool](t, ""), codec.BOOL, ""},
		{value[[]string](t, ""), codec.L, "S"}, {value[[]string](t, "stringset"), codec.SS, "S"}, {value[*[]int](t, "numberset"), codec.NS, "N"},
		{value[[][]byte](t, ""), codec.BS, "B"}, {value[map[string]int](t, ""), codec.M, "N"}, {value[inner](t, ""), codec.M, ""},
		{value[any](t, ""), codec.KindAny, ""}, {value[money](t, ""), codec.KindAny, ""}, {value[time.Time](t, ""), codec.S, ""},
		{value[*time.Time](t, "unixtime"), codec.N, ""}, {value[color](t, ""), codec.N, ""}, {value[color](t, "text"), codec.S, ""},
		{value[types.AttributeValue](t, ""), codec.KindAny, ""}, {value[[]color](t, "text"), codec.L, "S"},
	} {
		if c.v.Kind() != c.want {
			t.Errorf("got %s, want %s", c.v.Kind(), c.want)
		}
		if e := c.v.Elem(); e == nil && c.elem != "" || e != nil && e.Kind().String() != c.elem {
			t.Errorf("%s: element is %v, want %q", c.want, e, c.elem)
		}
	}
	if codec.Kind(99).String() != "unknown" {
		t.Error("a kind beyond the last has a name")
	}
}

type (
	cyclicA struct{ *cyclicB }
	cyclicB struct{ CyclicC }
	CyclicC struct{ *CyclicD }
	CyclicD struct{ *CyclicC }
	left    struct{ X int }
	right   struct{ X int }
	badKey  struct{ A, B int }
)

// One error names every mistake in a type.
func TestPlanProblems(t *testing.T) {
	type item struct {
		Chan    chan int
		Func    func() `dynamodbav:"f"`
		Complex complex128
		Uintptr uintptr
		Unsafe  unsafe.Pointer
		Key     map[badKey]int
		Deep    []map[string]*chan int
		Twice   int                             `dynamodbav:"name"`
		Other   int                             `dynamodbav:"name"`
		Option  int                             `dynamodbav:",omitemtpy"`
		Set     int                             `dynamodbav:",stringset"`
		Sets    []int                           `dynamodbav:",stringset,numberset"`
		Members []int                           `dynamodbav:",stringset"`
		Bytes   []byte                          `dynamodbav:",binaryset"`
		Unix    string                          `dynamodbav:",unixtime"`
		Both    int                             `dynamodbav:",omitempty,nullempty"`
		BothEl  []int                           `dynamodbav:",omitemptyelem,nullemptyelem"`
		Text    int                             `dynamodbav:",text"`
		Rest    int                             `dynamodbav:",unknown"`
		Named   map[string]types.AttributeValue `dynamodbav:"x,unknown"`
		//lint:ignore U1000 only to be refused
		lost int `dynamodbav:"lost"`
		time.Time
		left
		right
		hidden `dynamodbav:"h"`
		*cyclicA
		*Deep2
	}
	_, err := codec.PlanOf(reflect.TypeFor[item]())
	if err == nil {
		t.Fatal("no error")
	}
	text := err.Error()
	for _, want := range []string{
		`type codec_test.item cannot be stored:`,
		`codec_test.item.Chan (attribute "Chan"): Go type chan int: DynamoDB has no such type`,
		`codec_test.item.Func (attribute "f"): Go type func(): DynamoDB has no such type`,
		`Go type complex128`, `Go type uintptr`, `Go type unsafe.Pointer`,
		`codec_test.item.Key (attribute "Key"): Go type map[codec_test.badKey]int: a map key must be`,
		`codec_test.item.Deep (attribute "Deep"): Go type chan int`,
		`codec_test.item.Other (attribute "name"): attribute name "name" is taken by field Twice`,
		`codec_test.item.Option (attribute "Option"): unknown tag option "omitemtpy"`,
		`codec_test.item.Set (attribute "Set"): Go type int: a set needs a slice, an array, or a map`,
		`codec_test.item.Sets (attribute "Sets"): two set options contradict each other`,
		`codec_test.item.Members (attribute "Members"): Go type []int: a set of type SS cannot hold members that are stored as N`,
		`codec_test.item.Bytes (attribute "Bytes"): Go type []uint8: a set needs a slice, an array, or a map`,
		`codec_test.item.Unix (attribute "Unix"): Go type string: tag option unixtime needs a time.Time`,
		`codec_test.item.Both (attribute "Both"): tag options omitempty and nullempty contradict`,
		`codec_test.item.BothEl (attribute "BothEl"): tag options omitemptyelem and nullemptyelem contradict`,
		`codec_test.item.Text (attribute "Text"): Go type int: tag option text needs MarshalText and UnmarshalText`,
		`codec_test.item.Rest: unknown attributes need a map`,
		`codec_test.item.Named (attribute "x"): the field of unknown attributes has no name`,
		`codec_test.item.lost (attribute "lost"): an unexported field cannot be stored`,
		`codec_test.item.Time (attribute "Time"): embedded time.Time is stored as one value`,
		`codec_test.item.right.X (attribute "X"): attribute name "X" is taken by field left.X`,
		`codec_test.item.hidden (attribute "h"): an embedded unexported struct cannot have a name`,
		`codec_test.item.cyclicA (attribute "cyclicA"): an embedded pointer to an unexported struct`,
		`Deep2.CyclicC.CyclicD.CyclicC (attribute "CyclicC"): embeds codec_test.CyclicC within itself`,
	} {
		if !strings.Contains(text, want) {
			t.Errorf("missing: %s", want)
		}
	}
	if t.Failed() {
		t.Log(text)
	}
	for _, bad := range []reflect.Type{nil, reflect.TypeFor[int](), reflect.TypeFor[*inner]()} {
		if _, err := codec.PlanOf(bad); err == nil {
			t.Errorf("a plan of %v was made", bad)
		}
	}
	if _, err := codec.ValueOf(nil, ""); err == nil {
		t.Error("a codec of no type was made")
	}
	if _, err := codec.ValueOf(reflect.TypeFor[int](), "strnig"); err == nil {
		t.Error("an unknown option was taken")
	}
}

type Deep2 struct{ CyclicC }

// At one depth a name from a tag hides a name from a field, as in attributevalue.
func TestTaggedNameHidesUntagged(t *testing.T) {
	type tagged struct {
		Y int `dynamodbav:"X"`
	}
	type item struct {
		left
		tagged
	}
	f, ok := plan[item](t).Field("X")
	if !ok || f.GoPath != "tagged.Y" {
		t.Errorf("X is %+v", f)
	}
}

func TestPlansOfManyFields(t *testing.T) {
	var fields []reflect.StructField
	for i := range 300 {
		fields = append(fields, reflect.StructField{Name: fmt.Sprintf("F%d", i), Type: reflect.TypeFor[int]()})
	}
	p, err := codec.PlanOf(reflect.StructOf(fields))
	if err != nil || len(p.Fields()) != 300 {
		t.Fatalf("%v", err)
	}
	in, out := reflect.New(gotype.Reflect(p.Type())), reflect.New(gotype.Reflect(p.Type()))
	for i := range 300 {
		in.Elem().Field(i).SetInt(int64(i))
		out.Elem().Field(i).SetInt(-1)
	}
	in.Elem().Field(7).SetInt(0)
	box := one[any]{in.Interface()}
	wire := encode(t, nil, &box)
	wire = bytes.Replace(wire, []byte(`"F7":{"N":"0"},`), nil, 1)
	box.V = out.Interface()
	if err := codec.Decode(plan[one[any]](t), wire, &box); err != nil || in.Elem().Interface() != out.Elem().Interface() {
		t.Errorf("got %+v, %v", out, err)
	}
	wire = bytes.Replace(wire, []byte(`"F299":`), []byte(`"F298":`), 1)
	if err := codec.Decode(plan[one[any]](t), wire, &box); !errors.Is(err, codec.ErrSyntax) {
		t.Errorf("a name that occurs twice: %v", err)
	}
}

// DynamoDB allows 32 levels of nesting, whatever the Go types.
func TestNestingOf32Levels(t *testing.T) {
	type node struct{ V any }
	v := one[any]{"x"}
	for range 31 {
		v.V = &node{new(v.V)}
	}
	wire := encode(t, nil, &v)
	if n := bytes.Count(wire, []byte(`{"M":`)); n != 31 {
		t.Errorf("%d levels", n)
	}
	var out one[any]
	if err := codec.Decode(plan[one[any]](t), wire, &out); err != nil {
		t.Error(err)
	}
}

// A tag that reflect cannot parse would rename the attribute silently.
func TestMalformedTagIsRefused(t *testing.T) {
	for tag, rejected := range map[reflect.StructTag]bool{
		`dynamodbav:id`: true, `json:"id" dynamodbav:id`: true, `dynamodbav:'id'`: true,
		`dynamodbav:"id"`: false, `json:"id"`: false, `mydynamodbav:id`: false, ``: false,
	} {
		_, err := codec.PlanOf(reflect.StructOf([]reflect.StructField{{Name: "ID", Type: reflect.TypeFor[string](), Tag: tag}}))
		if got := err != nil && strings.Contains(err.Error(), "not in quotes"); got != rejected || !rejected && err != nil {
			t.Errorf("%s: %v", tag, err)
		}
	}
}
