package ddb

import (
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"

	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/attributevalue"
	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/expression"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/dynamotable/ddb/internal/expr"
	"github.com/dynamotable/ddb/internal/quiet"
)

// Cond is a condition on items of type T: a filter of a query or scan, or the
// precondition of a write ([If]). Conditions are made from handles
// (status.Eq("open")) and combined by [And], [Or] and [Not], which keep their
// grouping. The zero Cond is no condition at all: [And] leaves it out, Filter keeps every
// item, and [If] refuses it, for a guard that is missing is a mistake.
//
// A condition is an immutable value. A mistake in it, such as a value that cannot
// be stored, is reported by the call that uses it, before anything is sent.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Expressions.OperatorsAndFunctions.html
type Cond[T any] struct {
	node expr.Node
	err  error
}

// String shows the condition with attribute names and a question mark for each
// value and each key of a map, so it is safe to log. In raw conditions every name
// below an attribute is shown as a question mark, since it may be such a key.
func (c Cond[T]) String() string { return expr.Describe(c.node) }

// Eq is true where the attribute equals v. An absent attribute equals nothing.
func (a Attr[T, V]) Eq(v V) Cond[T] { return a.compare("=", v) }

// Ne is true where the attribute differs from v, or is absent.
func (a Attr[T, V]) Ne(v V) Cond[T] { return a.compare("<>", v) }

// In is true where the attribute equals one of the values; DynamoDB takes up to 100.
func (a Attr[T, V]) In(values ...V) Cond[T] {
	if len(values) == 0 || len(values) > 100 {
		return Cond[T]{err: fmt.Errorf("attribute %s: In takes 1 to 100 values, got %d", a.Name(), len(values))}
	}
	list := make([]expr.Node, len(values))
	var errs []error
	for i, v := range values {
		av, err := encode(a.h, v)
		errs = append(errs, err)
		list[i] = expr.Value{AV: av}
	}
	return a.cond(errors.Join(errs...), func(p expr.Path) expr.Node { return expr.In{Operand: p, List: list} })
}

// Exists is true where the item has the attribute, even with the value NULL.
func (a Attr[T, V]) Exists() Cond[T] { return a.call("attribute_exists") }

// NotExists is true where the item lacks the attribute.
func (a Attr[T, V]) NotExists() Cond[T] { return a.call("attribute_not_exists") }

// EqAttr is true where two attributes of the item are equal.
func (a Attr[T, V]) EqAttr(b Attr[T, V]) Cond[T] {
	err := b.h.resolve()
	return a.cond(err, func(p expr.Path) expr.Node { return expr.Compare{Left: p, Op: "=", Right: b.h.path} })
}

// IsType is true where the attribute is stored with the given DynamoDB type.
func (a Attr[T, V]) IsType(t AttributeType) Cond[T] {
	return a.cond(nil, func(p expr.Path) expr.Node {
		return expr.Call{Name: "attribute_type", Args: []expr.Node{p, expr.Value{AV: &types.AttributeValueMemberS{Value: string(t)}}}}
	})
}

// AttributeType names a DynamoDB type in [Attr.IsType].
type AttributeType string

// The types that DynamoDB stores.
const (
	TypeString    AttributeType = "S"
	TypeNumber    AttributeType = "N"
	TypeBinary    AttributeType = "B"
	TypeBool      AttributeType = "BOOL"
	TypeNull      AttributeType = "NULL"
	TypeMap       AttributeType = "M"
	TypeList      AttributeType = "L"
	TypeStringSet AttributeType = "SS"
	TypeNumberSet AttributeType = "NS"
	TypeBinarySet AttributeType = "BS"
)

// Size is the size of the attribute as a number that conditions can compare:
// bytes of text (UTF-8) and binary, elements of a set, list or map.
func (a Attr[T, V]) Size() SizeOf[T] { return SizeOf[T](a) }

// SizeOf compares the size of an attribute; see [Attr.Size].
type SizeOf[T any] struct{ h *handle }

// Eq is true where the size is n.
func (s SizeOf[T]) Eq(n int) Cond[T] { return s.compare("=", n) }

// Ne is true where the size is not n.
func (s SizeOf[T]) Ne(n int) Cond[T] { return s.compare("<>", n) }

// Lt is true where the size is less than n.
func (s SizeOf[T]) Lt(n int) Cond[T] { return s.compare("<", n) }

// Le is true where the size is at most n.
func (s SizeOf[T]) Le(n int) Cond[T] { return s.compare("<=", n) }

// Gt is true where the size is greater than n.
func (s SizeOf[T]) Gt(n int) Cond[T] { return s.compare(">", n) }

// Ge is true where the size is at least n.
func (s SizeOf[T]) Ge(n int) Cond[T] { return s.compare(">=", n) }

func (s SizeOf[T]) compare(op string, n int) Cond[T] {
	return Attr[T, any](s).cond(nil, func(p expr.Path) expr.Node {
		return expr.Compare{Left: expr.Call{Name: "size", Args: []expr.Node{p}}, Op: op, Right: expr.Value{AV: numberValue(int64(n))}}
	})
}

// Lt is true where the attribute is less than v.
func (a Ord[T, V]) Lt(v V) Cond[T] { return a.compare("<", v) }

// Le is true where the attribute is at most v.
func (a Ord[T, V]) Le(v V) Cond[T] { return a.compare("<=", v) }

// Gt is true where the attribute is greater than v.
func (a Ord[T, V]) Gt(v V) Cond[T] { return a.compare(">", v) }

// Ge is true where the attribute is at least v.
func (a Ord[T, V]) Ge(v V) Cond[T] { return a.compare(">=", v) }

// Between is true where low <= attribute <= high. A call with low above high is refused.
func (a Ord[T, V]) Between(low, high V) Cond[T] {
	l, err1 := encode(a.h, low)
	h, err2 := encode(a.h, high)
	return a.cond(errors.Join(err1, err2, checkRange(a.Name(), l, h)), func(p expr.Path) expr.Node {
		return expr.Between{Operand: p, Low: expr.Value{AV: l}, High: expr.Value{AV: h}}
	})
}

// BeginsWith is true where the text begins with the prefix.
func (a Str[T, V]) BeginsWith(prefix V) Cond[T] { return a.function("begins_with", prefix) }

// Contains is true where the text contains the other text.
func (a Str[T, V]) Contains(part V) Cond[T] { return a.function("contains", part) }

// BeginsWith is true where the bytes begin with the prefix.
func (a Bin[T, V]) BeginsWith(prefix V) Cond[T] { return a.function("begins_with", prefix) }

// Contains is true where the bytes contain the other bytes.
func (a Bin[T, V]) Contains(part V) Cond[T] { return a.function("contains", part) }

// Has is true where the set has the member.
func (s Set[T, E]) Has(member E) Cond[T] { return contains[T](s.h, member) }

// Has is true where the list has an element equal to the value.
func (l List[T, E]) Has(element E) Cond[T] { return contains[T](l.h, element) }

func contains[T, E any](h *handle, e E) Cond[T] {
	av, err := encodeElem(h, e)
	return Attr[T, any]{h}.cond(err, func(p expr.Path) expr.Node {
		return expr.Call{Name: "contains", Args: []expr.Node{p, expr.Value{AV: av}}}
	})
}

func (a Attr[T, V]) compare(op string, v V) Cond[T] {
	av, err := encode(a.h, v)
	return a.cond(err, func(p expr.Path) expr.Node {
		return expr.Compare{Left: p, Op: op, Right: expr.Value{AV: av}}
	})
}

func (a Attr[T, V]) function(name string, v V) Cond[T] {
	av, err := encode(a.h, v)
	return a.cond(err, func(p expr.Path) expr.Node {
		return expr.Call{Name: name, Args: []expr.Node{p, expr.Value{AV: av}}}
	})
}

func (a Attr[T, V]) call(name string) Cond[T] {
	return a.cond(nil, func(p expr.Path) expr.Node { return expr.Call{Name: name, Args: []expr.Node{p}} })
}

func (a Attr[T, V]) cond(err error, build func(expr.Path) expr.Node) Cond[T] {
	if e := a.h.resolve(); e != nil {
		return Cond[T]{err: e}
	}
	if err != nil {
		return Cond[T]{err: err}
	}
	if t := reflect.TypeFor[T](); t != a.h.item {
		return Cond[T]{err: fmt.Errorf("handle of %s used on %s", a.h.item, t)}
	}
	return Cond[T]{node: build(a.h.path)}
}

// And is true where all conditions are. Zero conditions are left out. And of nothing, or of
// zero conditions alone, is the zero Cond: as a filter it keeps every item, as all of no
// conditions hold; [If] refuses it.
func And[T any](conds ...Cond[T]) Cond[T] {
	nodes, err := nodesOf(conds)
	return Cond[T]{node: expr.All(nodes...), err: err}
}

// Or is true where at least one condition is. Zero conditions are left out. Or of nothing,
// or of zero conditions alone, would hold for no item; the call that uses it refuses it, as
// DynamoDB has no such condition. For a list that may be empty, leave the call out then.
func Or[T any](conds ...Cond[T]) Cond[T] {
	nodes, err := nodesOf(conds)
	if len(nodes) == 0 {
		err = errors.Join(err, errors.New("an Or of no conditions, which would hold for no item: leave the call out when the list is empty"))
	}
	return Cond[T]{node: expr.Any(nodes...), err: err}
}

// Not is true where the condition is not. Not of the zero Cond would hold for no item, and is refused as [Or] of nothing is.
func Not[T any](c Cond[T]) Cond[T] {
	if c.node == nil {
		c.err = errors.Join(c.err, errors.New("a Not of no condition, which would hold for no item"))
		return c
	}
	return Cond[T]{node: expr.Not{Term: c.node}, err: c.err}
}

// guardOf is And of conditions that must all be some: a guard that is missing would let everything through.
func guardOf[T any](of string, conds []Cond[T]) Cond[T] {
	c := And(conds...)
	if len(conds) == 0 {
		c.err = errors.Join(c.err, fmt.Errorf("%s without a condition, which would let everything through", of))
	}
	for i, cond := range conds {
		if cond.node == nil && cond.err == nil {
			c.err = errors.Join(c.err, fmt.Errorf("condition %d of %s is none, being the zero Cond or an And of nothing, and would let everything through", i+1, of))
		}
	}
	return c
}

func nodesOf[T any](conds []Cond[T]) ([]expr.Node, error) {
	nodes := make([]expr.Node, 0, len(conds))
	var errs []error
	for _, c := range conds {
		errs = append(errs, c.err)
		if c.node != nil {
			nodes = append(nodes, c.node)
		}
	}
	return nodes, errors.Join(errs...)
}

// Raw makes a condition from the SDK's expression builder, for what handles
// cannot say. Its names and values are given their own placeholders, so it
// combines with typed conditions.
func Raw[T any](b expression.ConditionBuilder) Cond[T] {
	e, err := expression.NewBuilder().WithCondition(b).Build()
	if err != nil {
		return Cond[T]{err: fmt.Errorf("raw condition: %w", builderError(err))}
	}
	return Cond[T]{node: expr.Text{Text: *e.Condition(), Names: e.Names(), Values: e.Values()}}
}

// RawText makes a condition from expression text with its own placeholders:
//
//	ddb.RawText[Order]("size(#t) > :n", map[string]string{"#t": "tags"}, map[string]any{":n": 3})
//
// Names may also stand in the text by themselves, unless they are reserved words:
// the call that uses the condition refuses those, and placeholders that are
// missing or unused. Values are encoded like the SDK's attributevalue.Marshal.
func RawText[T any](text string, names map[string]string, values map[string]any) Cond[T] {
	avs := make(map[string]types.AttributeValue, len(values))
	errs := []error{checkRaw(text, slices.Collect(maps.Keys(names)), slices.Collect(maps.Keys(values)))}
	for k, v := range values {
		av, err := attributevalue.Marshal(v)
		if err != nil {
			errs = append(errs, fmt.Errorf("raw condition: value %s: %w", k, builderError(err)))
		}
		avs[k] = av
	}
	return Cond[T]{node: expr.Text{Text: text, Names: names, Values: avs}, err: errors.Join(errs...)}
}

// builderError is an error of the SDK's expression builder or encoder. That of a value may quote it.
func builderError(err error) error {
	if errors.As(err, new(expression.UnsetParameterError)) || errors.As(err, new(expression.InvalidParameterError)) {
		return err
	}
	return quiet.New(fmt.Sprintf("the SDK refuses it with a %T", err), err)
}
