package ddb

import (
	"errors"
	"fmt"
	"reflect"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/dynamotable/ddb/internal/codec"
	"github.com/dynamotable/ddb/internal/expr"
)

// Change is one change of an update on items of type T, made from a handle
// (total.Add(5)). Only the attributes named by changes are written; all changes
// of one call are applied together or not at all.
//
// A Change is an immutable value; a mistake in it is reported by the call that
// uses it, before anything is sent.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Expressions.UpdateExpressions.html
type Change[T any] struct {
	clause clause
	action expr.Action
	counts bool // applied twice it has another effect than once
	again  bool // and the caller accepts that
	exact  bool // or pays for a transaction
	err    error
}

// AtLeastOnce lets the SDK send a counting change (Add, Sub, Append, Prepend, and
// changes of list elements by their index) again when the reply of an attempt was
// lost, so that it may be applied twice. Without it such a call ends with
// [ErrOutcomeUnknown] instead. [Change.Exact] makes the count exact.
func (c Change[T]) AtLeastOnce() Change[T] {
	c.again = true
	return c
}

// Exact makes Update and Upsert send all changes of the call as a transaction of this one
// operation, which DynamoDB recognises when it is sent again after a lost reply: a nil
// error means that they were applied exactly once. It costs twice the write units and a
// consistent read; the item that the call returns is the one read back, with what others
// have changed since. If it cannot be read, the error matches [ErrReplyLost]. [ReturnOld]
// is refused. In [Transact] it changes nothing.
func (c Change[T]) Exact() Change[T] {
	c.exact = true
	return c
}

type clause uint8

const (
	clauseSet clause = iota
	clauseRemove
	clauseAdd
	clauseDelete
)

// Set writes the attribute. A nil pointer, map or slice is stored as NULL; use
// [Attr.Remove] to drop the attribute.
func (a Attr[T, V]) Set(v V) Change[T] {
	av, err := encode(a.h, v)
	return change[T](a.h, clauseSet, expr.Value{AV: av}, err)
}

// SetIfMissing writes the attribute only where the item lacks it.
func (a Attr[T, V]) SetIfMissing(v V) Change[T] {
	av, err := encode(a.h, v)
	return changeAt[T](a.h, clauseSet, err, func(p expr.Path) expr.Node {
		return expr.Call{Name: "if_not_exists", Args: []expr.Node{p, expr.Value{AV: av}}}
	})
}

// SetFrom copies the value that another attribute of the item has before the
// update. The call fails where the other attribute is absent.
func (a Attr[T, V]) SetFrom(b Attr[T, V]) Change[T] {
	err := b.h.resolve()
	return counting[T](a.h, err, func(expr.Path) expr.Node { return b.h.path })
}

// Remove drops the attribute, list element or map key from the item.
func (a Attr[T, V]) Remove() Change[T] { return change[T](a.h, clauseRemove, nil, nil) }

// Add adds n to the number, counting an absent attribute as zero: an atomic
// counter. See [Table.Update] for what happens when a reply is lost.
func (a Num[T, V]) Add(n V) Change[T] { return a.shift("+", n) }

// Sub subtracts n from the number, counting an absent attribute as zero.
func (a Num[T, V]) Sub(n V) Change[T] { return a.shift("-", n) }

func (a Num[T, V]) shift(op string, n V) Change[T] {
	av, err := encode(a.h, n)
	return counting[T](a.h, err, func(p expr.Path) expr.Node {
		base := expr.Call{Name: "if_not_exists", Args: []expr.Node{p, expr.Value{AV: numberValue(0)}}}
		return expr.Arithmetic{Left: base, Op: op, Right: expr.Value{AV: av}}
	})
}

// Insert adds members to the set, making it where it is absent.
func (s Set[T, E]) Insert(members ...E) Change[T] { return s.change(clauseAdd, members) }

// Delete takes members out of the set. A set that becomes empty is removed.
func (s Set[T, E]) Delete(members ...E) Change[T] { return s.change(clauseDelete, members) }

func (s Set[T, E]) change(c clause, members []E) Change[T] {
	if len(members) == 0 {
		return Change[T]{err: fmt.Errorf("attribute %s: a set change needs at least one member", s.Name())}
	}
	av, err := encode(s.h, members)
	return change[T](s.h, c, expr.Value{AV: av}, err)
}

// Append adds elements at the end of the list, making it where it is absent.
func (l List[T, E]) Append(elements ...E) Change[T] { return l.extend(elements, false) }

// Prepend adds elements before the first of the list, making it where it is absent.
func (l List[T, E]) Prepend(elements ...E) Change[T] { return l.extend(elements, true) }

func (l List[T, E]) extend(elements []E, front bool) Change[T] {
	if len(elements) == 0 {
		return Change[T]{err: fmt.Errorf("attribute %s: a list change needs at least one element", l.Name())}
	}
	av, err := encode(l.h, elements)
	return counting[T](l.h, err, func(p expr.Path) expr.Node {
		empty := expr.Value{AV: &types.AttributeValueMemberL{Value: []types.AttributeValue{}}}
		old := expr.Node(expr.Call{Name: "if_not_exists", Args: []expr.Node{p, empty}})
		args := []expr.Node{old, expr.Value{AV: av}}
		if front {
			args[0], args[1] = args[1], args[0]
		}
		return expr.Call{Name: "list_append", Args: args}
	})
}

func change[T any](h *handle, c clause, right expr.Node, err error) Change[T] {
	return changeAt[T](h, c, err, func(expr.Path) expr.Node { return right })
}

func changeAt[T any](h *handle, c clause, err error, right func(expr.Path) expr.Node) Change[T] {
	if e := h.resolve(); e != nil {
		return Change[T]{err: e}
	}
	if err != nil {
		return Change[T]{err: err}
	}
	if t := reflect.TypeFor[T](); t != h.item {
		return Change[T]{err: fmt.Errorf("handle of %s used on %s", h.item, t)}
	}
	// Indexes shift when elements go, and an index past the end appends.
	counts := h.path[len(h.path)-1].Indexed
	return Change[T]{clause: c, action: expr.Action{Path: h.path, Right: right(h.path)}, counts: counts}
}

// counting is a SET whose second application has another effect.
func counting[T any](h *handle, err error, right func(expr.Path) expr.Node) Change[T] {
	c := changeAt[T](h, clauseSet, err, right)
	c.counts = true
	return c
}

// updateOf gathers changes into one update expression. It names every mistake:
// changes that are wrong in themselves, and paths that overlap, which DynamoDB
// would refuse.
func updateOf[T any](changes []Change[T]) (*expr.Update, error) {
	var (
		u    expr.Update
		errs []error
	)
	for i, c := range changes {
		if c.err != nil {
			errs = append(errs, c.err)
			continue
		}
		if c.action.Path == nil {
			errs = append(errs, errors.New("a zero Change was given; make changes with handles"))
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
		case clauseSet:
			u.Set = append(u.Set, c.action)
		case clauseRemove:
			u.Remove = append(u.Remove, c.action)
		case clauseAdd:
			u.Add = append(u.Add, c.action)
		case clauseDelete:
			u.Delete = append(u.Delete, c.action)
		}
	}
	return &u, errors.Join(errs...)
}

func numberValue(n int64) types.AttributeValue {
	return &types.AttributeValueMemberN{Value: strconv.FormatInt(n, 10)}
}

// encodeElem is the wire value of a member or element of a set or list.
func encodeElem[E any](h *handle, e E) (types.AttributeValue, error) {
	if err := h.resolve(); err != nil {
		return nil, err
	}
	elem := h.value.Elem()
	if elem == nil {
		return nil, fmt.Errorf("attribute %s of %s has no elements", h.path, h.item)
	}
	av, err := codec.ToAttributeValue(elem, &e)
	if err != nil {
		return nil, fmt.Errorf("attribute %s: %w", h.path, err)
	}
	return av, nil
}
