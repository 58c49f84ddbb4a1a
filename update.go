// SPDX-License-Identifier: Apache-2.0

package ddb

import (
	"errors"
	"fmt"
	"reflect"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/dynamotable/ddb/internal/expr"
)

// Change is one change of an update of items of type T, made from a handle (total.Add(5)). Only the attributes named by
// changes are written. All changes of one call are applied together or not at all.
//
// A Change is an immutable value; a mistake in it is reported by the call that
// uses it, before anything is sent.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Expressions.UpdateExpressions.html
type Change[T any] = ChangeOf[*T]

// ChangeOf is the type behind [Change]: Change[Order] is ChangeOf[*Order].
type ChangeOf[P any] struct{ c *change }

// AtLeastOnce allows a counting change (Add, Sub, Append, Prepend, and changes of list elements by their index) to be sent
// again if the reply of an attempt was lost, so that it may be applied twice. Without it such a call ends with
// [ErrOutcomeUnknown]. [ChangeOf.Exact] makes the count exact.
func (c ChangeOf[P]) AtLeastOnce() ChangeOf[P] { return ChangeOf[P]{c.c.atLeastOnce()} }

// Exact makes Update and Upsert send all changes of the call as a transaction of one operation, which DynamoDB recognises if
// it is sent again after a lost reply: a nil error means that the changes were applied exactly once. It costs twice the
// write units and a consistent read. The call returns the item that was read back, which may include later changes of
// others. If it cannot be read, the error matches [ErrReplyLost]. [ReturnOld] is refused. In [Transact] it has no effect.
func (c ChangeOf[P]) Exact() ChangeOf[P] { return ChangeOf[P]{c.c.exactly()} }

// change is a [Change] without its type parameter. A nil change is the zero Change.
type change struct {
	clause  expr.Clause
	action  expr.Action
	counts  bool // applying it twice has another effect than once
	again   bool // and the caller accepts that
	exact   bool // or the caller pays for a transaction
	parents bool // the maps that it is in are created
	err     error
}

func (c *change) atLeastOnce() *change {
	if c == nil {
		return nil
	}
	changed := *c
	changed.again = true
	return &changed
}

func (c *change) exactly() *change {
	if c == nil {
		return nil
	}
	changed := *c
	changed.exact = true
	return &changed
}

func (c *change) text() string {
	if c == nil {
		return "no change"
	}
	return "change of " + c.action.Path.String()
}

// The functions that follow make the changes of handles. Values are given by their address.

func set(h *handle, v any) *change {
	av, err := encode(h, v)
	return newChange(h, expr.ClauseSet, expr.Value{AV: av}, err)
}

func setIfMissing(h *handle, v any) *change {
	av, err := encode(h, v)
	if err != nil {
		return &change{err: err}
	}
	return newChange(h, expr.ClauseSet, expr.Call{Name: "if_not_exists", Args: []expr.Node{h.node(), expr.Value{AV: av}}}, nil)
}

func setFrom(h, from *handle) *change {
	if err := errors.Join(h.resolve(), from.resolve()); err != nil {
		return &change{err: err}
	}
	return counting(newChange(h, expr.ClauseSet, from.node(), nil))
}

// SetFrom copies the value that another attribute of the item has before the update. The call fails if that attribute is absent.
func SetFrom[T, V any](to, from AttrOf[T, V]) Change[T] {
	return Change[T]{setFrom(handleOf(to), handleOf(from))}
}

// SetIfMissing writes the attribute only if the item lacks it.
func SetIfMissing[T, V any](attr AttrOf[T, V], v V) Change[T] {
	return Change[T]{setIfMissing(handleOf(attr), &v)}
}

// Remove removes the attribute, list element or map key from the item:
//
//	users.Update(ctx, "u1", ddb.Remove(userNickname), ddb.Remove(userAvatar))
func Remove[T, V any](attr AttrOf[T, V]) Change[T] { return Change[T]{remove(handleOf(attr))} }

// Prepend adds elements at the front of the list. It creates the list if it is absent.
func Prepend[T, E any](list List[T, E], elements ...E) Change[T] {
	return Change[T]{extend((*handle)(list), &elements, true)}
}

func remove(h *handle) *change { return newChange(h, expr.ClauseRemove, nil, nil) }

func shift(h *handle, op string, n any) *change {
	av, err := encode(h, n)
	if err != nil {
		return &change{err: err}
	}
	base := expr.Call{Name: "if_not_exists", Args: []expr.Node{h.node(), expr.Value{AV: numberValue(0)}}}
	return counting(newChange(h, expr.ClauseSet, expr.Arithmetic{Left: base, Op: op, Right: expr.Value{AV: av}}, nil))
}

// setMembers takes a pointer to a slice, as extend does.
func setMembers(h *handle, c expr.Clause, members any) *change {
	if reflect.ValueOf(members).Elem().Len() == 0 {
		return &change{err: fmt.Errorf("attribute %s: a set change needs at least one member", h.name())}
	}
	av, err := encode(h, members)
	return newChange(h, c, expr.Value{AV: av}, err)
}

func extend(h *handle, elements any, front bool) *change {
	if reflect.ValueOf(elements).Elem().Len() == 0 {
		return &change{err: fmt.Errorf("attribute %s: a list change needs at least one element", h.name())}
	}
	av, err := encode(h, elements)
	if err != nil {
		return &change{err: err}
	}
	empty := expr.Value{AV: &types.AttributeValueMemberL{Value: []types.AttributeValue{}}}
	old := expr.Call{Name: "if_not_exists", Args: []expr.Node{h.node(), empty}}
	args := []expr.Node{old, expr.Value{AV: av}}
	if front {
		args[0], args[1] = args[1], args[0]
	}
	return counting(newChange(h, expr.ClauseSet, expr.Call{Name: "list_append", Args: args}, nil))
}

func newChange(h *handle, c expr.Clause, right expr.Node, err error) *change {
	if e := h.resolve(); e != nil {
		return &change{err: e}
	}
	if err != nil {
		return &change{err: err}
	}
	// Indexes shift when elements are removed, and an index past the end appends.
	counts := h.path()[len(h.path())-1].Indexed
	return &change{clause: c, action: expr.Action{Path: h.path(), Right: right}, counts: counts}
}

// counting marks a change whose second application has another effect.
func counting(c *change) *change {
	c.counts = true
	return c
}

// updateOf combines changes into one update expression. It reports every mistake: invalid changes, and overlapping paths,
// which DynamoDB would refuse.
func updateOf(changes []*change) (*expr.Update, error) {
	var (
		u    expr.Update
		errs []error
	)
	for i, c := range changes {
		if c.err != nil {
			errs = append(errs, c.err)
			continue
		}
		for _, before := range changes[:i] {
			if before.action.Path != nil && before.action.Path.Overlaps(c.action.Path) {
				twice := fmt.Errorf("attribute %s is changed twice in one update", c.action.Path)
				if a, b := c.action.Path.String(), before.action.Path.String(); a != b {
					twice = fmt.Errorf("attributes %s and %s overlap, and are changed in one update", b, a)
				}
				errs = append(errs, twice)
				break
			}
		}
		switch c.clause {
		case expr.ClauseSet:
			u.Set = append(u.Set, c.action)
		case expr.ClauseRemove:
			u.Remove = append(u.Remove, c.action)
		case expr.ClauseAdd:
			u.Add = append(u.Add, c.action)
		case expr.ClauseDelete:
			u.Delete = append(u.Delete, c.action)
		}
	}
	return &u, errors.Join(errs...)
}

func numberValue(n int64) types.AttributeValue {
	return &types.AttributeValueMemberN{Value: strconv.FormatInt(n, 10)}
}
