// SPDX-License-Identifier: Apache-2.0

package ddb_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/dynamotable/ddb/internal/handle"
	"github.com/dynamotable/ddb/internal/operr"
)

func TestCheckRaw(t *testing.T) {
	for name, tt := range map[string]struct {
		text          string
		names, values []string
		want          []string // parts of the error, one for each problem
	}{
		"good":          {"size(#t) > :n AND open_orders = :n", []string{"#t"}, []string{":n"}, nil},
		"no names":      {"attribute_exists(amount)", nil, nil, nil},
		"empty":         {" \n", nil, nil, []string{"empty"}},
		"reserved":      {"status = :s AND items[0].name = :s", nil, []string{":s"}, []string{"status is", "items is", "name is"}},
		"not given":     {"#a = :b", nil, nil, []string{"#a is used but not given", ":b is used but not given"}},
		"not used":      {"a = :b", []string{"#x", "#c"}, []string{":b", ":d"}, []string{"#c is given", "#x is given", ":d is given"}},
		"no mark":       {"#t = :n", []string{"#t", "t"}, []string{":n", "n"}, []string{`name "t" must begin`, `value "n" must begin`}},
		"prefix of one": {"#ab = :n1", []string{"#a"}, []string{":n"}, []string{"#ab is used", "#a is given", ":n1 is used", ":n is given"}},
	} {
		err := handle.CheckRaw(tt.text, tt.names, tt.values)
		var problems []error
		if err != nil {
			problems = operr.Flatten(err)
		}
		if len(problems) != len(tt.want) {
			t.Errorf("%s: got %v, want %d problems", name, err, len(tt.want))
			continue
		}
		for i, want := range tt.want {
			if !strings.Contains(problems[i].Error(), want) {
				t.Errorf("%s: problem %d is %q, want it to say %q", name, i, problems[i], want)
			}
		}
	}
}

func TestCheckRawIsStable(t *testing.T) {
	a := handle.CheckRaw("x = :x", []string{"#c", "#a", "#b"}, nil)
	b := handle.CheckRaw("x = :x", []string{"#b", "#c", "#a"}, nil)
	if diff := cmp.Diff(a.Error(), b.Error()); diff != "" {
		t.Errorf("the order of the names shows in the error:\n%s", diff)
	}
}
