// SPDX-License-Identifier: Apache-2.0

package handle_test

import (
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/google/go-cmp/cmp"

	"github.com/dynamotable/ddb/internal/expr"
	"github.com/dynamotable/ddb/internal/handle"
)

// sortField is a key field, as the handles of package ddb are.
type sortField struct{ h *handle.Handle }

func (f sortField) Handle() *handle.Handle { return f.h }

func TestSortConditions(t *testing.T) {
	t.Parallel()
	field, parts := sortField{id}, []handle.KeyPart{{Name: "id", Kind: types.ScalarAttributeTypeS}}
	for _, c := range []struct {
		cond        handle.SortCond
		text, shown string
		values      []string
		err         string
	}{
		{handle.SortCond{}, "", "no condition", nil, "a zero sort-key condition"},
		{handle.NewSortCond("=", new("a"), nil), "id = :0", "sort key = ?", []string{`{"S":"a"}`}, ""},
		{handle.NewSortCond(">=", new("a"), nil), "id >= :0", "sort key >= ?", []string{`{"S":"a"}`}, ""},
		{handle.NewSortCond("BETWEEN", new("a"), new("b")), "id BETWEEN :0 AND :1", "sort key BETWEEN ? AND ?", []string{`{"S":"a"}`, `{"S":"b"}`}, ""},
		{handle.NewSortCond("begins_with", new("a"), nil), "begins_with(id, :0)", "begins_with(sort key, ?)", []string{`{"S":"a"}`}, ""},
		{handle.BeginsWithText("a"), "begins_with(id, :0)", "begins_with(sort key, ?)", []string{`{"S":"a"}`}, ""},
		{handle.NewSortCond("BETWEEN", new("b"), new("a")), "", "", nil, "id"},
		{handle.NewSortCond("=", new(""), nil), "", "", nil, "id"},
	} {
		node, err := c.cond.Node(field, parts)
		if c.err != "" {
			if err == nil || !strings.Contains(err.Error(), c.err) {
				t.Errorf("%v: %v", c.cond, err)
			}
			continue
		}
		var w expr.Writer
		if got := written(w.Render(node), &w); err != nil || got != c.text {
			t.Errorf("rendered %q, %v, want %q", got, err, c.text)
		}
		if diff := cmp.Diff(c.values, values(&w)); diff != "" {
			t.Errorf("%s: values (-want +got):\n%s", c.text, diff)
		}
		if got := c.cond.String(); got != c.shown {
			t.Errorf("%s is shown as %q, want %q", c.text, got, c.shown)
		}
	}
}
