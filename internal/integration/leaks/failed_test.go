// SPDX-License-Identifier: Apache-2.0

package leaks_test

import (
	"context"
	"errors"
	"iter"
	"reflect"
	"strings"
	"testing"

	"github.com/dynamotable/ddb"
)

// TestFailedConstructors: the value that a failed constructor returns refuses every call with the constructor's
// error, and nothing panics, so a program that ignores the error fails at its first call.
func TestFailedConstructors(t *testing.T) {
	s := &service{status: 200, body: `{}`}
	table, err1 := ddb.New(s.client(), "x", club, id)                     // the name is too short
	simple, err2 := ddb.NewSimple[member, string](nil, "members", nil)    // no client, no key
	index, err3 := ddb.NewIndex(table, "by-age", age, id)                 // its table failed
	alone, err4 := ddb.NewSimpleIndex[member, string](nil, "by-age", nil) // no table
	local, err5 := ddb.NewLocalIndex(table, "by-age", age)                // its table failed
	good, _ := newMembers(t, 200, `{}`)
	twice, err6 := ddb.NewIndex(good, "by-age", age, age)                                                   // an attribute twice
	zero, err7 := ddb.New[member, string, string](s.client(), "members", ddb.Attr[member, string](nil), id) // a zero handle
	for name, h := range map[string]struct {
		handle any
		err    error
	}{
		"New": {table, err1}, "NewSimple": {simple, err2}, "NewIndex": {index, err3}, "NewSimpleIndex": {alone, err4},
		"NewLocalIndex": {local, err5}, "NewIndex, wrong": {twice, err6}, "New, zero handle": {zero, err7},
	} {
		if h.err == nil || reflect.ValueOf(h.handle).IsNil() {
			t.Fatalf("%s: %v, %v", name, h.handle, h.err)
		}
		v := reflect.ValueOf(h.handle)
		calls := 0
		for i := range v.NumMethod() {
			method := v.Type().Method(i).Name
			if method == "Name" || method == "IndexName" || method == "String" || method == "Key" || method == "KeyOf" || method == "Part" {
				v.Method(i).Call(arguments(t, v.Method(i).Type()))
				continue // no calls
			}
			t.Run(name+"/"+method, func(t *testing.T) {
				for _, err := range outcomes(t, s, v.Method(i)) {
					calls++
					if err == nil || !errors.Is(err, h.err) && !strings.Contains(err.Error(), h.err.Error()) {
						t.Errorf("%v, want %v", err, h.err)
					}
				}
			})
		}
		if calls < 8 {
			t.Errorf("%s: only %d calls", name, calls)
		}
	}
	if s.requests() != 0 {
		t.Errorf("%d requests were sent", s.requests())
	}
	if _, err := ddb.GetView[struct {
		ID string `dynamodbav:"id"`
	}](t.Context(), table, table.Key("c", "1")); !errors.Is(err, err1) {
		t.Errorf("GetView: %v", err)
	}
	view := ddb.View[struct {
		ID string `dynamodbav:"id"`
	}](table.Query("c"))
	if _, err := view.Page(t.Context()); !errors.Is(err, err1) {
		t.Errorf("View: %v", err)
	}
}

// arguments returns a context where needed, and zero values; variadic arguments are left out.
func arguments(t *testing.T, f reflect.Type) []reflect.Value {
	var args []reflect.Value
	for i := range f.NumIn() {
		switch in := f.In(i); {
		case f.IsVariadic() && i == f.NumIn()-1:
		case in == reflect.TypeFor[context.Context]():
			args = append(args, reflect.ValueOf(t.Context()))
		default:
			args = append(args, reflect.Zero(in))
		}
	}
	return args
}

// outcomes calls a method, and sends the operation that it returns.
func outcomes(t *testing.T, s *service, method reflect.Value) (errs []error) {
	t.Helper()
	results := method.Call(arguments(t, method.Type()))
	if len(results) == 0 {
		t.Fatal("no result")
	}
	last := results[len(results)-1]
	if last.Type() == errorType {
		err, _ := reflect.TypeAssert[error](last)
		return []error{err}
	}
	switch r := results[0].Interface().(type) {
	case ddb.TxOp:
		return []error{ddb.Transact(t.Context(), s.client(), r)}
	case ddb.TxRead:
		return []error{ddb.TransactGet(t.Context(), s.client(), r)}
	case iter.Seq2[ddb.Got[member], error]:
		for _, err := range r {
			errs = append(errs, err)
		}
		return errs
	}
	for _, terminal := range []string{"Page", "Collect", "Count", "First"} {
		m := results[0].MethodByName(terminal)
		if !m.IsValid() {
			t.Fatalf("%T has no %s", results[0].Interface(), terminal)
		}
		errs = append(errs, outcomes(t, s, m)...)
	}
	for name, one := range map[string]string{"Filter": "Page", "Limit": "Page", "Descending": "Page", "Hydrate": "Page", "Parallel": "Count"} {
		if m := results[0].MethodByName(name); m.IsValid() {
			next := m.Call(arguments(t, m.Type()))[0]
			errs = append(errs, outcomes(t, s, next.MethodByName(one))...)
		}
	}
	return errs
}
