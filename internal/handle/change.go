// SPDX-License-Identifier: Apache-2.0

package handle

import (
	"errors"
	"fmt"
	"reflect"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/dynamotable/ddb/internal/expr"
	"github.com/dynamotable/ddb/internal/quiet"
)

// Change is a ddb.Change without its type parameter. A nil change is the zero Change.
type Change struct {
	Clause  expr.Clause
	Action  expr.Action
	Counts  bool // applying it twice has another effect than once
	Again   bool // and the caller accepts that
	Exact   bool // or the caller pays for a transaction
	Parents bool // the maps that it is in are created
	Err     error
}

// AtLeastOnce accepts that the change may be applied twice after a lost reply.
func (c *Change) AtLeastOnce() *Change {
	if c == nil {
		return nil
	}
	changed := *c
	changed.Again = true
	return &changed
}

// Exactly makes the update a transaction, which is applied once.
func (c *Change) Exactly() *Change {
	if c == nil {
		return nil
	}
	changed := *c
	changed.Exact = true
	return &changed
}

// Format names the attribute that is changed, without its value, for every verb. Each package that uses a table would compile what is inlined.
//
//go:noinline
func (c *Change) Format(s fmt.State, verb rune) {
	text := "no change"
	if c != nil {
		text = "change of " + c.Action.Path.String()
	}
	quiet.Format(s, verb, text)
}

// Set is SET attribute = *v.
func Set(h *Handle, v any) *Change {
	av, err := Encode(h, v)
	return newChange(h, expr.ClauseSet, expr.Value{AV: av}, err)
}

// SetIfMissing sets the attribute to *v unless there is a value.
func SetIfMissing(h *Handle, v any) *Change {
	av, err := Encode(h, v)
	if err != nil {
		return &Change{Err: err}
	}
	return newChange(h, expr.ClauseSet, expr.Call{Name: "if_not_exists", Args: []expr.Node{h.Node(), expr.Value{AV: av}}}, nil)
}

// SetFrom sets the attribute to the stored value of another. Applied twice it may have another effect than once.
func SetFrom(h, from *Handle) *Change {
	if err := errors.Join(h.Resolve(), from.Resolve()); err != nil {
		return &Change{Err: err}
	}
	return counting(newChange(h, expr.ClauseSet, from.Node(), nil))
}

// Remove is REMOVE attribute.
func Remove(h *Handle) *Change { return newChange(h, expr.ClauseRemove, nil, nil) }

// Shift adds *n to a number or, with the operator -, subtracts it. A missing number counts as 0.
func Shift(h *Handle, op string, n any) *Change {
	av, err := Encode(h, n)
	if err != nil {
		return &Change{Err: err}
	}
	base := expr.Call{Name: "if_not_exists", Args: []expr.Node{h.Node(), expr.Value{AV: NumberValue(0)}}}
	return counting(newChange(h, expr.ClauseSet, expr.Arithmetic{Left: base, Op: op, Right: expr.Value{AV: av}}, nil))
}

// SetMembers adds members, a pointer to a slice, to a set, or deletes them from it, as the clause says.
func SetMembers(h *Handle, c expr.Clause, members any) *Change {
	if reflect.ValueOf(members).Elem().Len() == 0 {
		return &Change{Err: fmt.Errorf("attribute %s: a set change needs at least one member", h.Name())}
	}
	av, err := Encode(h, members)
	return newChange(h, c, expr.Value{AV: av}, err)
}

// Extend adds elements, a pointer to a slice, to a list: to its front or its end. A missing list counts as empty.
func Extend(h *Handle, elements any, front bool) *Change {
	if reflect.ValueOf(elements).Elem().Len() == 0 {
		return &Change{Err: fmt.Errorf("attribute %s: a list change needs at least one element", h.Name())}
	}
	av, err := Encode(h, elements)
	if err != nil {
		return &Change{Err: err}
	}
	empty := expr.Value{AV: &types.AttributeValueMemberL{Value: []types.AttributeValue{}}}
	old := expr.Call{Name: "if_not_exists", Args: []expr.Node{h.Node(), empty}}
	args := []expr.Node{old, expr.Value{AV: av}}
	if front {
		args[0], args[1] = args[1], args[0]
	}
	return counting(newChange(h, expr.ClauseSet, expr.Call{Name: "list_append", Args: args}, nil))
}

func newChange(h *Handle, c expr.Clause, right expr.Node, err error) *Change {
	if e := h.Resolve(); e != nil {
		return &Change{Err: e}
	}
	if err != nil {
		return &Change{Err: err}
	}
	// Indexes shift when elements are removed, and an index past the end appends.
	counts := h.Path()[len(h.Path())-1].Indexed
	return &Change{Clause: c, Action: expr.Action{Path: h.Path(), Right: right}, Counts: counts}
}

// counting marks a change whose second application has another effect.
func counting(c *Change) *Change {
	c.Counts = true
	return c
}

// WithParents makes the update create the maps that the attribute is in.
func (c *Change) WithParents() *Change {
	if c == nil {
		return nil
	}
	changed := *c
	changed.Parents = true
	return &changed
}

// NumberValue is an integer as DynamoDB stores it.
func NumberValue(n int64) types.AttributeValue {
	return &types.AttributeValueMemberN{Value: strconv.FormatInt(n, 10)}
}
