// SPDX-License-Identifier: Apache-2.0

package core

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/smithy-go"

	"github.com/dynamotable/ddb/attrtype"
	"github.com/dynamotable/ddb/ddberr"
	"github.com/dynamotable/ddb/internal/expr"
)

// lacksParent reports whether an update was refused for a missing parent, or for NULL in place of a value.
func lacksParent(err error) bool {
	api, ok := errors.AsType[smithy.APIError](err)
	if !ok || errors.Is(err, ddberr.ErrOutcomeUnknown) || api.ErrorCode() != "ValidationException" {
		return false
	}
	return strings.Contains(api.ErrorMessage(), "document path provided in the update expression is invalid") ||
		strings.Contains(api.ErrorMessage(), "operand in the update expression has an incorrect data type")
}

// withParents returns an update that also creates what the item lacks, with the condition that it still lacks it; nil if it
// lacks nothing.
func withParents(u *expr.Update, item map[string]types.AttributeValue) (_ *expr.Update, missing expr.Node, err error) {
	m := &parents{item: item}
	out := &expr.Update{}
	for _, clause := range []struct {
		from []expr.Action
		to   *[]expr.Action
		kind expr.Clause
	}{{u.Set, &out.Set, expr.ClauseSet}, {u.Remove, &out.Remove, expr.ClauseRemove}, {u.Add, &out.Add, expr.ClauseAdd}, {u.Delete, &out.Delete, expr.ClauseDelete}} {
		for _, a := range clause.from {
			taken, err := m.take(clause.kind, a)
			if err != nil {
				return nil, nil, err
			}
			if !taken {
				*clause.to = append(*clause.to, a)
			}
		}
	}
	for _, p := range m.made {
		if p.value == nil { // NULL, from which members were to be deleted
			out.Remove = append(out.Remove, expr.Action{Path: p.path})
		} else {
			out.Set = append(out.Set, expr.Action{Path: p.path, Right: expr.Value{AV: p.value}})
		}
		absent := expr.Call{Name: "attribute_not_exists", Args: []expr.Node{p.path}}
		if p.null {
			absent = expr.Call{Name: "attribute_type", Args: []expr.Node{p.path, expr.Value{AV: &types.AttributeValueMemberS{Value: string(attrtype.Null)}}}}
		}
		missing = expr.All(missing, absent)
	}
	return out, missing, nil
}

// parents are the attributes that an update has to create.
type parents struct {
	item map[string]types.AttributeValue
	made []*madeParent
}

type madeParent struct {
	path  expr.Path
	null  bool // it is NULL, not absent
	value types.AttributeValue
}

// take makes an action part of a parent that is created; if it returns false the action stays in the update.
func (m *parents) take(c expr.Clause, a expr.Action) (bool, error) {
	n, null := m.gap(a.Path)
	if n == 0 || n == len(a.Path) && (c == expr.ClauseRemove || c == expr.ClauseSet && isPlain(a.Right)) {
		return false, nil
	}
	for _, s := range a.Path[n:] {
		if s.Indexed {
			return false, fmt.Errorf("attribute %s: the list is missing, so an element has no position in it", a.Path)
		}
	}
	av, err := onAbsent(c, a)
	if err != nil {
		return false, err
	}
	p := m.parent(a.Path[:n], null)
	switch into, isMap := p.value.(*types.AttributeValueMemberM); {
	case n == len(a.Path):
		p.value = av
	case !isMap:
		p.value = &types.AttributeValueMemberM{Value: map[string]types.AttributeValue{}}
		into = p.value.(*types.AttributeValueMemberM)
		fallthrough
	default:
		if av != nil {
			place(into.Value, a.Path[n:], av)
		}
	}
	return true, nil
}

// parent returns the parent at a path.
func (m *parents) parent(path expr.Path, null bool) *madeParent {
	for _, p := range m.made {
		if slices.Equal(p.path, path) {
			return p
		}
	}
	p := &madeParent{path: path, null: null}
	m.made = append(m.made, p)
	return p
}

// gap returns the length of the prefix of a path that leads to something absent that can be created, or to NULL; 0 if there
// is none.
func (m *parents) gap(path expr.Path) (n int, null bool) {
	var at types.AttributeValue = &types.AttributeValueMemberM{Value: m.item}
	for i, s := range path {
		switch v := at.(type) {
		case *types.AttributeValueMemberM:
			at = v.Value[s.Name]
			if s.Indexed {
				return 0, false
			}
		case *types.AttributeValueMemberL:
			if !s.Indexed || s.Index >= len(v.Value) {
				return 0, false
			}
			at = v.Value[s.Index]
		default:
			return 0, false
		}
		if _, isNull := at.(*types.AttributeValueMemberNULL); isNull {
			return i + 1, true
		}
		if at == nil && i < len(path)-1 {
			return i + 1, false
		}
	}
	return 0, false
}

func isPlain(n expr.Node) bool {
	_, ok := n.(expr.Value)
	return ok
}

// onAbsent returns the value that an action gives an absent attribute, or nil.
func onAbsent(c expr.Clause, a expr.Action) (types.AttributeValue, error) {
	if c == expr.ClauseRemove || c == expr.ClauseDelete {
		return nil, nil
	}
	switch n := a.Right.(type) {
	case expr.Value:
		return n.AV, nil
	case expr.Call: // if_not_exists(path, value), list_append of it and of a list in either order
		for _, arg := range n.Args {
			if v, ok := arg.(expr.Value); ok && (n.Name == "if_not_exists" || n.Name == "list_append") {
				return v.AV, nil
			}
		}
	case expr.Arithmetic: // if_not_exists(path, 0) + n
		if v, ok := n.Right.(expr.Value); ok {
			if number := numberOf(v.AV); number != "" {
				return &types.AttributeValueMemberN{Value: signed(n.Op, number)}, nil
			}
		}
	}
	return nil, fmt.Errorf("attribute %s: its map is missing, and the change takes its value from another attribute; set the map first", a.Path)
}

// signed returns 0 + n or 0 - n.
func signed(op, n string) string {
	if op == "+" {
		return n
	}
	if rest, negative := strings.CutPrefix(n, "-"); negative {
		return rest
	}
	return "-" + n
}

// makeParents sends an update until the maps that its changes are in exist.
func (c *Table) makeParents(ctx context.Context, u *preparedUpdate) error {
	plain := *u
	plain.parents = false
	loop := c.retrier()
	for races := 0; ; races++ {
		err := c.sendUpdate(ctx, &plain)
		if !lacksParent(err) {
			return err
		}
		item, problem := c.readBack(ctx, given(u.key))
		if problem != nil {
			return fmt.Errorf("%w; reading the item, to create the missing maps, failed: %w", err, problem)
		}
		update, missing, problem := withParents(u.update, item)
		if problem != nil {
			return fmt.Errorf("%w; %w", err, problem)
		}
		if missing == nil {
			return err
		}
		with := plain
		with.update, with.extra, with.cond = update, expr.All(u.extra, missing), expr.All(u.cond, missing)
		with.repeat, with.blind = false, false
		if err = c.sendUpdate(ctx, &with); !errors.Is(err, ddberr.ErrConditionFailed) {
			return err
		}
		// Another write has created a parent, or the caller's condition is false: the plain update shows which.
		if stop := loop.Restart(ctx, races); stop != nil {
			return fmt.Errorf("%w; nothing was applied, others changed the item each time", stop)
		}
	}
}
