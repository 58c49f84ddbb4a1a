// SPDX-License-Identifier: Apache-2.0

package item_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/dynamotable/ddb"
	"github.com/dynamotable/ddb/ddbtest"
	"github.com/dynamotable/ddb/internal/apitest"
	"github.com/dynamotable/ddb/internal/core"
	"github.com/dynamotable/ddb/unique"
)

func ddbSet(members ...string) types.AttributeValue {
	return &types.AttributeValueMemberSS{Value: members}
}

// group has its members in a map that is stored as a set.
type group struct {
	ID      string              `dynamodbav:"id"`
	Members map[string]struct{} `dynamodbav:"members,stringset"`
	Plain   map[string]struct{} `dynamodbav:"plain"`
	Owner   string              `dynamodbav:"owner,omitempty"` // of a claim
}

var (
	groupID      = ddb.StrField(func(g *group) *string { return &g.ID })
	groupMembers = ddb.MapSetField(func(g *group) *map[string]struct{} { return &g.Members })
	groupPlain   = ddb.MapSetField(func(g *group) *map[string]struct{} { return &g.Plain })
)

// A map[string]struct{} is a set in every way: written, read, changed and compared.
func TestMapAsASet(t *testing.T) {
	table, err := ddb.NewSimple(ddbtest.New(t), "groups", groupID)
	if err != nil {
		t.Fatal(err)
	}
	if err := table.EnsureTable(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := table.Put(t.Context(), &group{ID: "g"}); err != nil {
		t.Fatal(err)
	}
	if _, err = table.Update(t.Context(), "g", groupMembers.Insert("ann", "bob")); err != nil {
		t.Fatal(err)
	}
	got, err := table.Update(t.Context(), "g", groupMembers.Delete("ann"), ddb.If(groupMembers.Has("ann"), groupMembers.Eq([]string{"bob", "ann"})))
	if _, bob := got.Members["bob"]; err != nil || !bob || len(got.Members) != 1 {
		t.Errorf("got %v, %v", got.Members, err)
	}
	if _, err = table.Update(t.Context(), "g", groupPlain.Insert("x")); err == nil || !strings.Contains(err.Error(), "attribute plain of item_test.group is stored as M, the handle needs a set") {
		t.Errorf("got %v", err)
	}
}

// New refuses a field that could be written but never read.
func TestUnreadableFieldIsRefusedByNew(t *testing.T) {
	type drawing struct {
		ID     string       `dynamodbav:"id"`
		Figure fmt.Stringer `dynamodbav:"figure"`
	}
	_, err := apitest.Untyped[drawing](ddbtest.New(t), "drawings", ddb.StrField(func(d *drawing) *string { return &d.ID }), core.NoSort{})
	if err == nil || !strings.Contains(err.Error(), `drawing.Figure (attribute "figure"): Go type fmt.Stringer: an interface with methods can be stored`) {
		t.Errorf("got %v", err)
	}
}

// With OptionalValues an empty value reserves and releases nothing; without the option it is refused.
func TestOptionalUniqueValues(t *testing.T) {
	client := ddbtest.New(t)
	groups, err1 := ddb.NewSimple(client, "groups", groupID)
	claims, err2 := ddb.NewSimple(client, "claims", groupID)
	if err := errors.Join(err1, err2, groups.EnsureTable(t.Context()), claims.EnsureTable(t.Context())); err != nil {
		t.Fatal(err)
	}
	owner := ddb.StrField(func(g *group) *string { return &g.Owner })
	strict, err1 := unique.New(claims, "nick", owner)
	optional, err2 := unique.New(claims, "nick", owner, unique.OptionalValues())
	if err := errors.Join(err1, err2); err != nil {
		t.Fatal(err)
	}
	if err := ddb.Transact(t.Context(), client, groups.TxPut(&group{ID: "g"}), strict.TxReserve("", "", "g")); !errors.Is(err, ddb.ErrInvalid) || !strings.Contains(err.Error(), "empty value") {
		t.Errorf("got %v", err)
	}
	steps := []struct {
		op   ddb.TxOp
		want int
	}{
		{optional.TxReserve("", "", "g"), 0}, {optional.TxChange("", "", "nick", "g"), 1}, {optional.TxChange("", "nick", "", "g"), 0},
		{optional.TxRelease("", "", "g"), 0}, {optional.TxReserve("", "x", "g"), 1}, {optional.TxRelease("", "x", "g"), 0},
	}
	for i, s := range steps {
		if err := ddb.Transact(t.Context(), client, groups.TxPut(&group{ID: "g"}), s.op); err != nil {
			t.Errorf("step %d: %v", i, err)
		}
		if all, err := claims.Scan().Collect(t.Context()); err != nil || len(all) != s.want {
			t.Errorf("step %d: %d reservations, %v", i, len(all), err)
		}
	}
}
