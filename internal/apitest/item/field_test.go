// SPDX-License-Identifier: Apache-2.0

package item_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/dynamotable/ddb"
)

type inner struct {
	Street string `dynamodbav:"street"`
	Deep   *deep  `dynamodbav:"deep"`
}

type deep struct {
	Value float64 `dynamodbav:"value"`
	Self  *deep   `dynamodbav:"self,omitempty"`
}

type base struct {
	Kind string `dynamodbav:"kind"`
}

type PtrBase struct {
	Owner string `dynamodbav:"owner"`
}

type figure struct {
	base // unexported embedded type: its exported fields are promoted
	*PtrBase
	ID     string           `dynamodbav:"id"`
	Home   inner            `dynamodbav:"home"`
	Work   *inner           `dynamodbav:"work"`
	Lines  []line           `dynamodbav:"lines"`
	ByName map[string]line  `dynamodbav:"by_name"`
	Count  map[string]int64 `dynamodbav:"count"`
	Hidden string           `dynamodbav:"-"`
	Empty  struct{}         `dynamodbav:"empty"`
	Plain  []string         `dynamodbav:"plain"`
	Any    any              `dynamodbav:"any"`
	secret string
}

func TestHandlePaths(t *testing.T) {
	lines := ddb.ListField(func(s *figure) *[]line { return &s.Lines })
	byName := ddb.MapField(func(s *figure) *map[string]line { return &s.ByName })
	count := ddb.MapField(func(s *figure) *map[string]int64 { return &s.Count })
	for _, tc := range []struct{ got, want string }{
		{ddb.NameOf(ddb.StrField(func(s *figure) *string { return &s.ID })), "id"},
		{ddb.NameOf(ddb.StrField(func(s *figure) *string { return &s.Kind })), "kind"},
		{ddb.NameOf(ddb.StrField(func(s *figure) *string { return &s.Owner })), "owner"},
		{ddb.NameOf(ddb.Field(func(s *figure) *inner { return &s.Home })), "home"},
		{ddb.NameOf(ddb.StrField(func(s *figure) *string { return &s.Home.Street })), "home.street"},
		{ddb.NameOf(ddb.StrField(func(s *figure) *string { return &s.Work.Street })), "work.street"},
		{ddb.NameOf(ddb.NumField(func(s *figure) *float64 { return &s.Work.Deep.Value })), "work.deep.value"},
		{ddb.NameOf(ddb.Field(func(s *figure) **inner { return &s.Work })), "work"},
		{ddb.NameOf(lines.At(3)), "lines[3]"},
		{ddb.NameOf(ddb.Within(lines.At(0), func(l *line) *int { return &l.Qty })), "lines[0].qty"},
		{ddb.NameOf(ddb.AsNum(ddb.Within(byName.Key("a.b"), func(l *line) *int { return &l.Qty }))), "by_name.?.qty"},
		{ddb.NameOf(ddb.AsNum(count.Key("x"))), "count.?"},
	} {
		if tc.got != tc.want {
			t.Errorf("path %q, want %q", tc.got, tc.want)
		}
	}
}

func TestHandleMistakesAreErrorsNotPanics(t *testing.T) {
	var foreign string
	lines := ddb.ListField(func(s *figure) *[]line { return &s.Lines })
	for name, tc := range map[string]struct {
		cond ddb.Cond[figure]
		want string
	}{
		"unexported":   {ddb.StrField(func(s *figure) *string { return &s.secret }).Eq("x"), "does not return a stored field"},
		"tag dash":     {ddb.StrField(func(s *figure) *string { return &s.Hidden }).Eq("x"), "does not return a stored field"},
		"foreign":      {ddb.StrField(func(*figure) *string { return &foreign }).Eq("x"), "does not return a stored field"},
		"nil":          {ddb.StrField(func(*figure) *string { return nil }).Eq("x"), "returned nil"},
		"element":      {ddb.StrField(func(s *figure) *string { return &s.Lines[0].SKU }).Eq("x"), "panicked"},
		"zero size":    {ddb.Exists(ddb.Field(func(s *figure) *struct{} { return &s.Empty })), "has no size"},
		"recursion":    {ddb.NumField(func(s *figure) *float64 { return &s.Work.Deep.Self.Value }).Eq(1), "panicked"},
		"not a set":    {ddb.SetField(func(s *figure) *[]string { return &s.Plain }).Has("x"), "stringset"},
		"negative":     {ddb.Exists(lines.At(-1)), "negative"},
		"zero handle":  {ddb.Attr[figure, string](nil).Eq("x"), "zero handle"},
		"no IN values": {ddb.In(ddb.StrField(func(s *figure) *string { return &s.ID })), "1 to 100"},
	} {
		t.Run(name, func(t *testing.T) {
			figures, err := ddb.NewSimple(newClient(t), tableName(t), ddb.StrField(func(s *figure) *string { return &s.ID }))
			if err != nil {
				t.Fatal(err)
			}
			_, err = figures.Scan().Filter(tc.cond).Page(context.Background())
			if !errors.Is(err, ddb.ErrInvalid) || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("got %v, want an ErrInvalid with %q", err, tc.want)
			}
		})
	}
}
