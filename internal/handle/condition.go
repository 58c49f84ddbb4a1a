// SPDX-License-Identifier: Apache-2.0

package handle

import (
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"

	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/expression"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/dynamotable/ddb/attrtype"
	"github.com/dynamotable/ddb/internal/expr"
	"github.com/dynamotable/ddb/internal/quiet"
)

// Cond is the content of a ddb.Cond. It refers to its condition by two pointers, since fmt follows one pointer of a value that
// does not fit the verb. So a Cond needs no method Format, which each package that uses a table would compile four times.
type Cond struct{ c *Condition }

// CondOf returns the Cond of a condition.
func CondOf(c *Condition) Cond { return Cond{c} }

// Condition returns the condition, nil for the zero Cond.
func (c Cond) Condition() *Condition { return c.c }

// Conditions returns the conditions of a list of ddb.Cond.
func Conditions[C ~struct{ c *Condition }](conds []C) []*Condition {
	list := make([]*Condition, len(conds))
	for i, c := range conds {
		list[i] = Cond(c).c
	}
	return list
}

// Condition is a ddb.Cond without its type parameter. A nil condition is the zero Cond. What it holds is behind a further
// pointer, since fmt follows one pointer of a value that does not fit the verb. So a Cond needs no method Format, which each
// package that uses a table would compile four times.
type Condition struct{ *conditionParts }

type conditionParts struct {
	Node expr.Node
	err  error
}

// NewCondition returns a condition of a node, or one that its user refuses with err.
func NewCondition(node expr.Node, err error) *Condition {
	c := &struct { // one allocation
		Condition
		parts conditionParts
	}{parts: conditionParts{node, err}}
	c.conditionParts = &c.parts
	return &c.Condition
}

// Parts returns node and error; both are nil for a nil condition.
func (c *Condition) Parts() (expr.Node, error) {
	if c == nil {
		return nil, nil
	}
	return c.Node, c.err
}

// Text returns the condition with a question mark in place of each value.
func (c *Condition) Text() string {
	node, _ := c.Parts()
	return expr.Describe(node)
}

// InvalidCond is a condition that its user refuses with err.
func InvalidCond(err error) *Condition { return NewCondition(nil, err) }

// Compare is attribute op *v, for the operators =, <>, <, <=, > and >=.
func Compare(h *Handle, op string, v any) *Condition {
	av, err := Encode(h, v)
	if err != nil {
		return InvalidCond(err)
	}
	return NewCondition(expr.Compare{Left: h.Node(), Op: op, Right: expr.Value{AV: av}}, nil)
}

// Between is attribute BETWEEN *low AND *high. A range that no value can be in is refused.
func Between(h *Handle, low, high any) *Condition {
	l, err1 := Encode(h, low)
	u, err2 := Encode(h, high)
	if err := errors.Join(err1, err2); err != nil {
		return InvalidCond(err)
	}
	if err := checkRange(h.Path().String(), l, u); err != nil {
		return InvalidCond(err)
	}
	return NewCondition(expr.Between{Operand: h.Node(), Low: expr.Value{AV: l}, High: expr.Value{AV: u}}, nil)
}

// InList takes a pointer to a slice.
func InList(h *Handle, values any) *Condition {
	if err := h.Resolve(); err != nil {
		return InvalidCond(err)
	}
	v := reflect.ValueOf(values).Elem()
	n := v.Len()
	if n == 0 || n > 100 {
		return InvalidCond(fmt.Errorf("attribute %s: In takes 1 to 100 values, got %d", h.Path(), n))
	}
	list := make([]expr.Node, n)
	var errs []error
	for i := range list {
		av, err := Encode(h, v.Index(i).Addr().Interface())
		errs = append(errs, err)
		list[i] = expr.Value{AV: av}
	}
	if err := errors.Join(errs...); err != nil {
		return InvalidCond(err)
	}
	return NewCondition(expr.In{Operand: h.Node(), List: list}, nil)
}

// Function is name(attribute, *v), such as begins_with.
func Function(h *Handle, name string, v any) *Condition {
	av, err := Encode(h, v)
	if err != nil {
		return InvalidCond(err)
	}
	return NewCondition(expr.Call{Name: name, Args: []expr.Node{h.Node(), expr.Value{AV: av}}}, nil)
}

// Contains is contains(attribute, *element) of a list or set.
func Contains(h *Handle, element any) *Condition {
	av, err := encodeElem(h, element)
	if err != nil {
		return InvalidCond(err)
	}
	return NewCondition(expr.Call{Name: "contains", Args: []expr.Node{h.Node(), expr.Value{AV: av}}}, nil)
}

// IsType is attribute_type(attribute, t).
func IsType(h *Handle, t attrtype.Type) *Condition {
	if err := h.Resolve(); err != nil {
		return InvalidCond(err)
	}
	name := expr.Value{AV: &types.AttributeValueMemberS{Value: string(t)}}
	return NewCondition(expr.Call{Name: "attribute_type", Args: []expr.Node{h.Node(), name}}, nil)
}

// SizeIs is size(attribute) op n.
func SizeIs(h *Handle, op string, n int) *Condition {
	if err := h.Resolve(); err != nil {
		return InvalidCond(err)
	}
	size := expr.Call{Name: "size", Args: []expr.Node{h.Node()}}
	return NewCondition(expr.Compare{Left: size, Op: op, Right: expr.Value{AV: NumberValue(int64(n))}}, nil)
}

// EqualAttrs is a = b, of two attributes.
func EqualAttrs(a, b *Handle) *Condition {
	if err := errors.Join(a.Resolve(), b.Resolve()); err != nil {
		return InvalidCond(err)
	}
	return NewCondition(expr.Compare{Left: a.Node(), Op: "=", Right: b.Node()}, nil)
}

// AllOf joins conditions by AND and leaves out empty ones; nil if all are.
func AllOf(conds []*Condition) *Condition {
	nodes, err := NodesOf(conds)
	if len(nodes) == 0 && err == nil {
		return nil
	}
	return NewCondition(expr.All(nodes...), err)
}

// AnyOf joins conditions by OR. An OR of nothing is refused.
func AnyOf(conds []*Condition) *Condition {
	nodes, err := NodesOf(conds)
	if len(nodes) == 0 {
		err = errors.Join(err, errors.New("an Or of no conditions, which would hold for no item: leave the call out when the list is empty"))
	}
	node := expr.Any(nodes...)
	return NewCondition(node, errors.Join(err, expr.Check(node)))
}

// NotOf negates a condition. A NOT of nothing is refused.
func NotOf(c *Condition) *Condition {
	node, err := c.Parts()
	if node == nil {
		return InvalidCond(errors.Join(err, errors.New("a Not of no condition, which would hold for no item")))
	}
	return NewCondition(expr.Not{Term: node}, err)
}

// NodesOf returns the nodes of the conditions that are not empty, and their errors.
func NodesOf(conds []*Condition) ([]expr.Node, error) {
	nodes := make([]expr.Node, 0, len(conds))
	var errs []error
	for _, c := range conds {
		node, err := c.Parts()
		if err != nil {
			errs = append(errs, err)
		}
		if node != nil {
			nodes = append(nodes, node)
		}
	}
	return nodes, errors.Join(errs...)
}

// RawCond is a condition of the SDK's expression builder.
func RawCond(b expression.ConditionBuilder) *Condition {
	e, err := expression.NewBuilder().WithCondition(b).Build()
	if err != nil {
		return InvalidCond(fmt.Errorf("raw condition: %w", BuilderError(err)))
	}
	return NewCondition(expr.Text{Text: *e.Condition(), Names: e.Names(), Values: e.Values()}, nil)
}

// RawText is a condition as text, with its placeholders.
func RawText(text string, names map[string]string, values map[string]any) *Condition {
	avs, err := RawValues(values)
	err = errors.Join(CheckRaw(text, slices.Collect(maps.Keys(names)), slices.Collect(maps.Keys(values))), err)
	return NewCondition(expr.Text{Text: text, Names: names, Values: avs}, err)
}

// BuilderError returns an error of the SDK's expression builder or encoder. If its text may quote a value, only its type is
// shown.
func BuilderError(err error) error {
	if errors.As(err, new(expression.UnsetParameterError)) || errors.As(err, new(expression.InvalidParameterError)) {
		return err
	}
	return quiet.New(fmt.Sprintf("the SDK refuses it with a %T", err), err)
}
