// SPDX-License-Identifier: Apache-2.0

package item_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/dynamotable/ddb"
)

func TestIsReserved(t *testing.T) {
	for word, want := range map[string]bool{
		"ZONE": true, "zone": true, "Zone": true, "name": true, "date": true, "status": true, "ttl": true,
		"zone ": false, " zone": false, "": false, "zones": false, "user_id": false, "remove": false, "contains": false, "é": false,
	} {
		if got := ddb.IsReserved(word); got != want {
			t.Errorf("IsReserved(%q) = %v", word, got)
		}
	}
}

func TestReservedIn(t *testing.T) {
	for text, want := range map[string][]string{
		"":                nil,
		"amount = :total": nil,
		"#name = :name":   nil,
		"name = :n":       {"name"},
		"NAME = :n OR Name=:n OR name=:n AND NAME=:x": {"NAME", "Name", "name"},

		"a = :x AND b = :y or not c IN (:x, :y)": nil,
		"a BETWEEN :lo AND :hi":                  nil,
		"date between :lo and :hi":               {"date"},
		"NOT (a = :x) AND NOT contains(b, :y)":   nil,
		"not = :x":                               {"not"},
		"and = :x and or = :y":                   {"and", "or"},
		"a = between":                            {"between"},
		"between BETWEEN :in AND and":            {"between", "and"},
		"in in (:a, in)":                         {"in"},

		"size(tags) > :n":                nil,
		"size (tags) > :n AND size = :n": {"size"},
		"size(size) > :n":                {"size"},
		"contains(path, :p)":             {"path"},

		"a.name = :x AND items[0].b.set = :y AND c[12] = :z": {"name", "items", "set"},
		"#a.name":      {"name"},
		"a.size(b)":    {"size"},
		"a.remove.b":   nil,
		"id, year, #n": {"year"},
		"SET a = :a, b = if_not_exists(b, :zero) + :one REMOVE c, d ADD e :one DELETE f :set": nil,
		"set set = :set remove remove add add :x delete delete :y":                            {"set", "add", "delete"},
		"SET a = list_append(list, :x)":                                                       {"list"},
		"REMOVE zone":                                                                         {"zone"},
		"delete = :x":                                                                         {"delete"},
		"a = :x - count":                                                                      {"count"},
		"a-name = :x":                                                                         {"name"},

		"user_name = :x AND _name = :y AND name2 = :z AND naïveté = :q": nil,
		"((((": nil, "#": nil, ":": nil, "a = = [..] , NOT": {"NOT"}, "\xffname = :x": {"name"},
	} {
		if diff := cmp.Diff(want, ddb.ReservedIn(text)); diff != "" {
			t.Errorf("ReservedIn(%q):\n%s", text, diff)
		}
	}
}

func FuzzReservedIn(f *testing.F) {
	for _, text := range []string{"SET a = :a, #b = size(c) REMOVE d[0].name", "NOT (a BETWEEN :x AND :y) OR b IN (:z)", "a.\xff#:"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		for _, w := range ddb.ReservedIn(text) {
			if !ddb.IsReserved(w) {
				t.Errorf("ReservedIn(%q) names %q, which is not reserved", text, w)
			}
		}
	})
}
