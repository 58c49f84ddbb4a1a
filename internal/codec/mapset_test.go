// SPDX-License-Identifier: Apache-2.0

package codec_test

import (
	"reflect"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/dynamotable/ddb/internal/codec"
)

// With the tag, a map to struct{} or bool is a set of its keys, as a slice is, and each reads the stored form of the other.
func TestSetsFromMaps(t *testing.T) {
	type maps struct {
		Names  map[string]struct{} `dynamodbav:"names,stringset"`
		Texts  map[text]bool       `dynamodbav:"texts,stringset"`
		Nums   map[int]struct{}    `dynamodbav:"nums,numberset"`
		Colors map[color]struct{}  `dynamodbav:"colors,stringset,text"`
		None   map[string]struct{} `dynamodbav:"none,stringset"`
		False  map[string]bool     `dynamodbav:"false,stringset"`
		Null   map[string]struct{} `dynamodbav:"null,stringset,nullempty"`
		Plain  map[string]struct{} `dynamodbav:"plain"`
	}
	type lists struct {
		Names  []string `dynamodbav:"names,stringset"`
		Texts  []text   `dynamodbav:"texts,stringset"`
		Nums   []int    `dynamodbav:"nums,numberset"`
		Colors []color  `dynamodbav:"colors,stringset,text"`
		None   []string `dynamodbav:"none,stringset"`
	}
	in := struct{}{}
	v := maps{Names: map[string]struct{}{"c": in, "a": in, "b": in}, Texts: map[text]bool{"y": true, "n": false, "x": true}, Nums: map[int]struct{}{10: in, 9: in, -1: in},
		Colors: map[color]struct{}{green: in}, False: map[string]bool{"f": false}, Plain: map[string]struct{}{"k": in}}
	const want = `{"names":{"SS":["a","b","c"]},"texts":{"SS":["x","y"]},"nums":{"NS":["-1","9","10"]},"colors":{"SS":["green"]},"null":{"NULL":true},"plain":{"M":{"k":{"M":{}}}}}`
	wire := encode(t, nil, &v)
	if string(wire) != want {
		t.Fatalf("got %s", wire)
	}
	var back maps
	if err := codec.Decode(plan[maps](t), wire, &back); err != nil {
		t.Fatal(err)
	}
	v.False, v.Texts = nil, map[text]bool{"x": true, "y": true}
	if d := cmp.Diff(v, back); d != "" {
		t.Error(d)
	}
	var list lists
	if err := codec.Decode(plan[lists](t), wire, &list); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(lists{[]string{"a", "b", "c"}, []text{"x", "y"}, []int{-1, 9, 10}, []color{green}, nil}, list); d != "" {
		t.Error(d)
	}
	var again maps
	if err := codec.Decode(plan[maps](t), encode(t, nil, &list), &again); err != nil || !reflect.DeepEqual(again.Names, v.Names) {
		t.Errorf("%v, %v", again, err)
	}
}

func TestInvalidMapSets(t *testing.T) {
	type bad struct {
		A map[string]int      `dynamodbav:"a,stringset"`
		B map[int]struct{}    `dynamodbav:"b,stringset"`
		C map[string]struct{} `dynamodbav:"c,numberset"`
	}
	_, err := codec.PlanOf(reflect.TypeFor[bad]())
	for _, want := range []string{`bad.A (attribute "a"): Go type map[string]int: a set needs`, `bad.B (attribute "b")`, "cannot hold members that are stored as N", `bad.C (attribute "c")`} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
}
