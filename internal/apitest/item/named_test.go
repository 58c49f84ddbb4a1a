// SPDX-License-Identifier: Apache-2.0

package item_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/expression"
	"github.com/google/go-cmp/cmp"

	"github.com/dynamotable/ddb"
	"github.com/dynamotable/ddb/ddbtest"
	"github.com/dynamotable/ddb/rawexpr"
)

// A PATCH handler: names and values come from JSON, and are checked against the item's type.
func TestNamedAttributes(t *testing.T) {
	table := newTickets(t, ddbtest.New(t))
	if err := table.Put(t.Context(), &ticket{Board: "b", Opened: ten, Votes: map[string]int{"bob": 1}, Lines: []*ticketLine{{Qty: 1}}, Stats: stats{Views: 1}}); err != nil {
		t.Fatal(err)
	}
	var patch map[string]any
	d := json.NewDecoder(strings.NewReader(`{"title": "t", "due": "2026-12-01T08:00:00+01:00", "comments": ["a", "b"], "score": 12, "labels": ["x"]}`))
	if err := d.Decode(&patch); err != nil {
		t.Fatal(err)
	}
	var changes []ddb.Change[ticket]
	for name, value := range patch {
		changes = append(changes, ddb.Named[ticket](name).Set(value))
	}
	changes = append(changes, ddb.Named[ticket]("votes", "ann").Set(json.Number("3")), ddb.Remove(ddb.Named[ticket]("votes", "bob")),
		ddb.Named[ticket]("lines", "0", "qty").Set(8.0), ddb.Named[ticket]("stats", "views").Set(uint8(9)))
	key := table.Key("b", ten)
	got, err := table.Update(t.Context(), key, ddb.Changes(changes...), ddb.If(ddb.Named[ticket]("stats", "views").Eq(1)))
	if err != nil {
		t.Fatal(err)
	}
	want := ticket{Board: "b", Opened: ten, Title: "t", Due: time.Date(2026, 12, 1, 7, 0, 0, 0, time.UTC), Comments: []string{"a", "b"}, Labels: []string{"x"},
		Votes: map[string]int{"ann": 3}, Lines: []*ticketLine{{Qty: 8}}, Stats: stats{Views: 9}, Score: new(12)}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

// One error names everything that is wrong, without values, and nothing is sent.
func TestNamedAttributesAreChecked(t *testing.T) {
	table := newTickets(t, ddbtest.New(t))
	cyclic := []any{nil}
	cyclic[0] = cyclic
	for want, change := range map[string]ddb.Change[ticket]{
		`item_test.ticket has no attribute "Title"`:                       ddb.Named[ticket]("Title").Set("x"),
		`item_test.stats has no attribute "nope"`:                         ddb.Named[ticket]("stats", "nope").Set("x"),
		"attribute title of item_test.ticket is stored as S":              ddb.Named[ticket]("title", "x").Set("x"),
		"attribute lines is a list":                                       ddb.Remove(ddb.Named[ticket]("lines", "-1")),
		"attribute votes: the key of the map is empty":                    ddb.Named[ticket]("votes", "").Set(1),
		"attribute title: encode string: Go type string: a int does not":  ddb.Named[ticket]("title").Set(4711),
		"attribute score: encode *int: Go type *int: the number of a flo": ddb.Named[ticket]("score").Set(4711.5),
		"the number of a uint64 does not fit exactly":                     ddb.Named[ticket]("score").Set(uint64(1) << 63),
		"Go type time.Time: a string is not its text":                     ddb.Named[ticket]("due").Set("4711"),
		"element 0: a int does not fit":                                   ddb.Named[ticket]("comments").Set([]any{4711}),
		"nil does not fit":                                                ddb.Named[ticket]("title").Set(nil),
		"element 0: a []interface {} does not fit":                        ddb.Named[ticket]("comments").Set(cyclic),
		"the set has no members":                                          ddb.Named[ticket]("labels").Set([]any{}),
		"part of the key":                                                 ddb.Named[ticket]("board").Set("c"),
	} {
		_, err := table.Update(t.Context(), table.Key("b", ten), change)
		if !errors.Is(err, ddb.ErrInvalid) || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "4711") {
			t.Errorf("got %v, want %q", err, want)
		}
	}
}

// Raw changes combine with typed ones, and the same rules apply to them.
func TestRawChanges(t *testing.T) {
	table := newTickets(t, ddbtest.New(t))
	if err := table.Put(t.Context(), &ticket{Board: "b", Opened: ten, Votes: map[string]int{"a": 1, "b": 2}, Labels: []string{"x", "y"}, Score: new(5)}); err != nil {
		t.Fatal(err)
	}
	key := table.Key("b", ten)
	_, err := table.Update(t.Context(), key, ticketTitle.Set("t"),
		rawexpr.ChangeText[ticket]("set votes.#a = votes.b + :n,#s=if_not_exists ( nope , :n ) Remove #s2.x , votes.b delete labels :l",
			map[string]string{"#a": "a", "#s": "score", "#s2": "stats"}, map[string]any{":n": 3, ":l": ddbSet("y")}))
	if err == nil {
		t.Error("stats is not there, and its part was removed")
	}
	got, err := table.Update(t.Context(), key, ticketTitle.Set("t"),
		rawexpr.ChangeText[ticket]("set votes.#a = votes.b + :n,#s=if_not_exists ( nope , :n ) Remove votes.b delete labels :l",
			map[string]string{"#a": "a", "#s": "score"}, map[string]any{":n": 3, ":l": ddbSet("y")}),
		rawexpr.Change[ticket](expression.Set(expression.Name("comments"), expression.Value([]string{"c"})).Add(expression.Name("stats2"), expression.Value(1))))
	if err != nil {
		t.Fatal(err)
	}
	if got.Votes["a"] != 5 || len(got.Votes) != 1 || *got.Score != 3 || len(got.Labels) != 1 || got.Title != "t" || len(got.Comments) != 1 {
		t.Errorf("got %+v", got)
	}
	for text, want := range map[string]string{
		"":                             "the text is empty",
		"title = :v":                   "not an update expression",
		"SET title :v":                 "not an update expression",
		"SET title = :v, = :v":         "not an update expression",
		"SET title = :v SET due = :v":  "not an update expression",
		"REMOVE title, votes[x]":       "not an update expression",
		"SET status = :v":              "status is a reserved word",
		"SET #nope = :v":               "#nope is used but not given",
		"SET board = :v":               "part of the key",
		"SET title = :v REMOVE title":  "changed twice",
		"SET votes.x = :v, votes = :v": "overlap",
	} {
		_, err := table.Update(t.Context(), key, rawexpr.ChangeText[ticket](text, nil, map[string]any{":v": "v"}))
		if !errors.Is(err, ddb.ErrInvalid) || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: got %v, want %q", text, err, want)
		}
	}
	if _, err := table.Update(t.Context(), key, rawexpr.ChangeText[ticket]("SET due = :t", nil, map[string]any{":t": ten})); err == nil || !strings.Contains(err.Error(), "is a time") {
		t.Errorf("got %v", err)
	}
}

// Paths lead into elements of elements, and into elements that are pointers.
func TestPathsIntoElements(t *testing.T) {
	table := newTickets(t, ddbtest.New(t))
	if err := table.Put(t.Context(), &ticket{Board: "b", Opened: ten, Grid: map[string]map[string]int{"r": {"c": 1}}, Lines: []*ticketLine{{Qty: 1}, {Qty: 2, At: ten}}}); err != nil {
		t.Fatal(err)
	}
	second := ddb.Deref(ticketLines.At(1))
	qty := ddb.Within(second, func(l *ticketLine) *int { return &l.Qty })
	at := ddb.Within(second, func(l *ticketLine) *time.Time { return &l.At })
	row := ddb.AsMap(ticketGrid.Key("r"))
	got, err := table.Update(t.Context(), table.Key("b", ten), ddb.AsNum(qty).Add(5), row.Key("d").Set(7), ddb.AsNum(row.Key("c")).Add(1),
		ddb.If(qty.Eq(2), at.Eq(ten.In(time.FixedZone("", 3600))), row.Key("c").Eq(1)))
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(map[string]map[string]int{"r": {"c": 2, "d": 7}}, got.Grid); d != "" || got.Lines[1].Qty != 7 {
		t.Errorf("lines %v, %s", got.Lines[1], d)
	}
	if _, err := table.Update(t.Context(), table.Key("b", ten), ddb.AsList(ddb.Field(func(t *ticket) *[]string { return &t.Labels })).Append("x")); err == nil || !strings.Contains(err.Error(), "attribute labels of item_test.ticket is stored as SS") {
		t.Errorf("got %v", err)
	}
}
