// SPDX-License-Identifier: Apache-2.0

package handle_test

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/expression"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/google/go-cmp/cmp"

	"github.com/dynamotable/ddb/attrtype"
	"github.com/dynamotable/ddb/internal/codec"
	"github.com/dynamotable/ddb/internal/expr"
	"github.com/dynamotable/ddb/internal/handle"
)

type address struct {
	City string `dynamodbav:"city"`
}

type order struct {
	ID     string             `dynamodbav:"id"`
	Total  int                `dynamodbav:"total"`
	Due    int                `dynamodbav:"due"`
	Tags   []string           `dynamodbav:"tags,stringset"`
	Lines  []string           `dynamodbav:"lines"`
	Prices map[string]float64 `dynamodbav:"prices"`
	To     address            `dynamodbav:"to"`
	Next   *address           `dynamodbav:"next"`
	Local  string             `dynamodbav:"-"`
	Status map[string]bool    `dynamodbav:"size"`
}

var (
	id     = handle.New(func(o *order) *string { return &o.ID }, codec.S)
	total  = handle.New(func(o *order) *int { return &o.Total })
	due    = handle.New(func(o *order) *int { return &o.Due })
	tags   = handle.New(func(o *order) *[]string { return &o.Tags })
	lines  = handle.New(func(o *order) *[]string { return &o.Lines })
	prices = handle.New(func(o *order) *map[string]float64 { return &o.Prices })
	to     = handle.New(func(o *order) *address { return &o.To })
	city   = handle.New(func(a *address) *string { return &a.City })
	size   = handle.New(func(o *order) *map[string]bool { return &o.Status })

	unstored = handle.New(func(o *order) *string { return &o.Local })
	number   = handle.New(func(o *order) *string { return &o.ID }, codec.N)
	foreign  = handle.New(func(*order) *string { return new(string) })
)

// values returns the values of an expression in wire form, in the order of their placeholders.
func values(w *expr.Writer) (all []string) {
	avs := w.Values()
	for _, name := range slices.Sorted(maps.Keys(avs)) {
		b, err := codec.AppendAttributeValue(nil, avs[name])
		if err != nil {
			return []string{err.Error()}
		}
		all = append(all, string(b))
	}
	return all
}

// written replaces the placeholders of names, so that a test reads as an expression.
func written(text string, w *expr.Writer) string {
	names := w.Names()
	for _, p := range slices.Backward(slices.Sorted(maps.Keys(names))) {
		text = strings.ReplaceAll(text, p, names[p])
	}
	return text
}

func TestConditions(t *testing.T) {
	t.Parallel()
	raw := expression.Name("total").GreaterThan(expression.Value(3))
	for _, c := range []struct {
		cond   *handle.Condition
		text   string // with names in place of their placeholders
		values []string
		shown  string // without values
	}{
		{handle.Compare(total, ">=", new(3)), "total >= :0", []string{`{"N":"3"}`}, "total >= ?"},
		{handle.Between(total, new(1), new(2)), "total BETWEEN :0 AND :1", []string{`{"N":"1"}`, `{"N":"2"}`}, "total BETWEEN ? AND ?"},
		{handle.InList(id, &[]string{"a", "b"}), "id IN (:0, :1)", []string{`{"S":"a"}`, `{"S":"b"}`}, "id IN (?, ?)"},
		{handle.Function(id, "begins_with", new("a")), "begins_with(id, :0)", []string{`{"S":"a"}`}, "begins_with(id, ?)"},
		{handle.Contains(tags, new("x")), "contains(tags, :0)", []string{`{"S":"x"}`}, "contains(tags, ?)"},
		{handle.IsType(id, attrtype.String), "attribute_type(id, :0)", []string{`{"S":"S"}`}, "attribute_type(id, ?)"},
		{handle.SizeIs(lines, "<", 5), "size(lines) < :0", []string{`{"N":"5"}`}, "size(lines) < ?"},
		{handle.EqualAttrs(total, due), "total = due", nil, "total = due"},
		{handle.Compare(to.Within(city), "=", new("Rome")), "to.city = :0", []string{`{"S":"Rome"}`}, "to.city = ?"},
		{handle.Compare(lines.At(1), "=", new("a")), "lines[1] = :0", []string{`{"S":"a"}`}, "lines[1] = ?"},
		{handle.Compare(prices.Key("tea"), "<", new(2.5)), "prices.tea < :0", []string{`{"N":"2.5"}`}, "prices.? < ?"},
		{
			handle.AllOf([]*handle.Condition{handle.Compare(total, "=", new(1)), nil, handle.NotOf(handle.Compare(due, "=", new(2)))}),
			"total = :0 AND NOT (due = :1)", []string{`{"N":"1"}`, `{"N":"2"}`}, "total = ? AND NOT (due = ?)",
		},
		{
			handle.AnyOf([]*handle.Condition{handle.Compare(total, "=", new(1)), handle.Compare(due, "=", new(2))}),
			"total = :0 OR due = :1", []string{`{"N":"1"}`, `{"N":"2"}`}, "total = ? OR due = ?",
		},
		{handle.AllOf(nil), "", nil, ""},
		{handle.RawCond(raw), "total > :0", []string{`{"N":"3"}`}, ""},
		{handle.RawText("#t > :n", map[string]string{"#t": "total"}, map[string]any{":n": 3}), "total > :0", []string{`{"N":"3"}`}, ""},
		{handle.Compare(handle.Named(reflect.TypeFor[order](), "to", []string{"city"}), "=", new(any("Rome"))), "to.city = :0", []string{`{"S":"Rome"}`}, "to.city = ?"},
	} {
		node, err := c.cond.Parts()
		if err != nil {
			t.Errorf("%s: %v", c.text, err)
			continue
		}
		var w expr.Writer
		if got := written(w.Render(node), &w); got != c.text {
			t.Errorf("rendered %q, want %q", got, c.text)
		}
		if diff := cmp.Diff(c.values, values(&w)); diff != "" {
			t.Errorf("%s: values (-want +got):\n%s", c.text, diff)
		}
		if got := c.cond.Text(); c.shown != "" && got != c.shown {
			t.Errorf("%s is shown as %q, want %q", c.text, got, c.shown)
		}
	}
}

func TestChanges(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		change *handle.Change
		clause expr.Clause
		text   string
		values []string
		counts bool // applied twice it has another effect than once
	}{
		{handle.Set(total, new(3)), expr.ClauseSet, "SET total = :0", []string{`{"N":"3"}`}, false},
		{handle.SetIfMissing(total, new(3)), expr.ClauseSet, "SET total = if_not_exists(total, :0)", []string{`{"N":"3"}`}, false},
		{handle.SetFrom(total, due), expr.ClauseSet, "SET total = due", nil, true},
		{handle.Shift(total, "-", new(2)), expr.ClauseSet, "SET total = if_not_exists(total, :0) - :1", []string{`{"N":"0"}`, `{"N":"2"}`}, true},
		{handle.Remove(total), expr.ClauseRemove, "REMOVE total", nil, false},
		{handle.Remove(lines.At(0)), expr.ClauseRemove, "REMOVE lines[0]", nil, true},
		{handle.Set(lines.At(9), new("a")), expr.ClauseSet, "SET lines[9] = :0", []string{`{"S":"a"}`}, true},
		{handle.SetMembers(tags, expr.ClauseAdd, &[]string{"x"}), expr.ClauseAdd, "ADD tags :0", []string{`{"SS":["x"]}`}, false},
		{handle.SetMembers(tags, expr.ClauseDelete, &[]string{"x"}), expr.ClauseDelete, "DELETE tags :0", []string{`{"SS":["x"]}`}, false},
		{
			handle.Extend(lines, &[]string{"a"}, false), expr.ClauseSet, "SET lines = list_append(if_not_exists(lines, :0), :1)",
			[]string{`{"L":[]}`, `{"L":[{"S":"a"}]}`}, true,
		},
		{
			handle.Extend(lines, &[]string{"a"}, true), expr.ClauseSet, "SET lines = list_append(:0, if_not_exists(lines, :1))",
			[]string{`{"L":[{"S":"a"}]}`, `{"L":[]}`}, true,
		},
		{
			handle.RawChanges("SET #t = #t + :n", map[string]string{"#t": "total"}, map[string]types.AttributeValue{":n": handle.NumberValue(2)}, nil)[0],
			expr.ClauseSet, "SET total = total + :0", []string{`{"N":"2"}`}, true,
		},
	} {
		if c.change.Err != nil || c.change.Clause != c.clause {
			t.Errorf("%s: clause %v, %v", c.text, c.change.Clause, c.change.Err)
			continue
		}
		var (
			u expr.Update
			w expr.Writer
		)
		list := map[expr.Clause]*[]expr.Action{expr.ClauseSet: &u.Set, expr.ClauseRemove: &u.Remove, expr.ClauseAdd: &u.Add, expr.ClauseDelete: &u.Delete}[c.clause]
		*list = []expr.Action{c.change.Action}
		if got := written(w.Update(&u), &w); got != c.text {
			t.Errorf("rendered %q, want %q", got, c.text)
		}
		if diff := cmp.Diff(c.values, values(&w)); diff != "" {
			t.Errorf("%s: values (-want +got):\n%s", c.text, diff)
		}
		if c.change.Counts != c.counts {
			t.Errorf("%s: counts is %v", c.text, c.change.Counts)
		}
	}
}

// TestChangeOptions: the options of a change return another change, and leave the first as it is.
func TestChangeOptions(t *testing.T) {
	t.Parallel()
	plain := handle.Shift(total, "+", new(1))
	for name, c := range map[string]struct {
		changed *handle.Change
		isSet   func(*handle.Change) bool
	}{
		"AtLeastOnce": {plain.AtLeastOnce(), func(c *handle.Change) bool { return c.Again }},
		"Exactly":     {plain.Exactly(), func(c *handle.Change) bool { return c.Exact }},
		"WithParents": {plain.WithParents(), func(c *handle.Change) bool { return c.Parents }},
	} {
		if !c.isSet(c.changed) || c.isSet(plain) {
			t.Errorf("%s: set in the result is %v, in the first %v", name, c.isSet(c.changed), c.isSet(plain))
		}
	}
	var none *handle.Change
	if none.AtLeastOnce() != nil || none.Exactly() != nil || none.WithParents() != nil {
		t.Error("an option of the zero change makes a change")
	}
	if got := fmt.Sprintf("%v, %+v", plain, none); got != "change of total, no change" {
		t.Errorf("they print %s", got)
	}
}

// TestMistakes: what is wrong is in what the function returns, and names the attribute.
func TestMistakes(t *testing.T) {
	t.Parallel()
	cond := func(c *handle.Condition) error {
		_, err := c.Parts()
		return err
	}
	wrong := handle.Compare(unstored, "=", new("a"))
	for i, c := range []struct {
		err  error
		want string
	}{
		{cond(wrong), "does not return a stored field of type string"},
		{cond(handle.Compare(nil, "=", new("a"))), "a zero handle was used"},
		{cond(handle.Compare(number, "=", new("a"))), "attribute id of handle_test.order is stored as S, the handle needs [N]"},
		{cond(handle.Compare(foreign, "=", new("a"))), "handle_test.go"},
		{cond(handle.Compare(lines.At(-1), "=", new("a"))), "list index -1 is negative"},
		{cond(handle.Compare(prices.Key(""), "=", new(1.0))), "the key of the map is empty"},
		{cond(handle.Compare(total.At(0), "=", new(1))), "attribute total of handle_test.order has no elements"},
		{cond(handle.Compare(total.Within(city), "=", new("a"))), "attribute total of handle_test.order is stored as N and has no fields"},
		{cond(handle.Between(total, new(2), new(1))), "total"},
		{cond(handle.InList(total, new([]int))), "attribute total: In takes 1 to 100 values, got 0"},
		{cond(handle.AnyOf(nil)), "an Or of no conditions"},
		{cond(handle.NotOf(nil)), "a Not of no condition"},
		{cond(handle.AllOf([]*handle.Condition{wrong, handle.InList(total, new([]int))})), "In takes 1 to 100"},
		{cond(handle.RawText("total > :n", nil, nil)), ":n"},
		{handle.Set(unstored, new("a")).Err, "handle_test.go:"},
		{handle.Shift(number, "+", new("a")).Err, "needs [N]"},
		{handle.Extend(lines, new([]string), true).Err, "attribute lines: a list change needs at least one element"},
		{handle.SetMembers(tags, expr.ClauseAdd, new([]string)).Err, "attribute tags: a set change needs at least one member"},
		{handle.SetFrom(total, nil).Err, "a zero handle was used"},
		{handle.RawChanges("total = 3", nil, nil, nil)[0].Err, "not an update expression"},
		{handle.Named(reflect.TypeFor[order](), "none", nil).Resolve(), `order has no attribute "none"`},
		{handle.Named(reflect.TypeFor[order](), "to", []string{"street"}).Resolve(), `has no attribute "street"`},
		{handle.Named(reflect.TypeFor[order](), "lines", []string{"first"}).Resolve(), "the name of an element is its index"},
		{handle.RawKey("k", attrtype.List).Resolve(), "a key is text (S), number (N) or binary (B)"},
	} {
		if c.err == nil || !strings.Contains(c.err.Error(), c.want) {
			t.Errorf("%d: %v, want %q in it", i, c.err, c.want)
		}
	}
}

// TestHandlesAreNotShown: a handle prints its item type and path, with every verb, and no map key.
func TestHandlesAreNotShown(t *testing.T) {
	t.Parallel()
	if got := prices.Key("secret").Text(); strings.Contains(got, "secret") || !strings.HasPrefix(got, "handle_test.order.prices") {
		t.Errorf("%q", got)
	}
	if got := size.Text(); got != "handle_test.order.size" {
		t.Errorf("%q", got)
	}
	c := handle.Compare(id, "=", new("secret"))
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%x", "%d"} {
		if got := fmt.Sprintf(verb, c); strings.Contains(got, "secret") || strings.Contains(got, fmt.Sprintf("%x", "secret")) {
			t.Errorf("%s shows %s", verb, got)
		}
	}
}
