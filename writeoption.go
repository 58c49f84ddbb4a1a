// SPDX-License-Identifier: Apache-2.0

package ddb

import (
	"errors"
	"fmt"
	"reflect"

	"github.com/dynamotable/ddb/internal/expr"
	"github.com/dynamotable/ddb/internal/handle"
)

// WriteOption is an option of Put, Replace and the deletes: [If] and [ReturnOld]. A condition alone is not an option; write
// ddb.If(status.Eq("open")).
//
// The compiler shows the name of its method for an argument of another type.
type WriteOption[T any] interface{ IfOrReturnOld(*T) any }

// UpdateOption is an option of Update and Upsert: changes, [If] and [ReturnOld]. A condition alone is not an option; write
// ddb.If(status.Eq("open")).
//
// The compiler shows the name of its method for an argument of another type.
type UpdateOption[T any] interface{ ChangeOrIf(*T) any }

// Option is an option of every write.
type Option[T any] interface {
	WriteOption[T]
	UpdateOption[T]
}

// writeCall holds the options of one write.
type writeCall struct {
	conds   []*handle.Condition
	changes []*handle.Change
	old     any // a *T
}

// returnOld is the result of [ReturnOld]; dst is a *T.
type returnOld struct{ dst any }

// take adds the results of the options' methods.
func (w *writeCall) take(options []any) error {
	var errs []error
	for _, o := range options {
		switch o := o.(type) {
		case *handle.Change:
			w.add(o)
		case []*handle.Change:
			for _, c := range o {
				w.add(c)
			}
		case *handle.Condition:
			w.conds = append(w.conds, o)
		case *returnOld:
			w.old = nil
			if !reflect.ValueOf(o.dst).IsNil() {
				w.old = o.dst
			}
		case nil:
			errs = append(errs, errors.New("an option is nil"))
		default:
			errs = append(errs, fmt.Errorf("an option of type %T, which package ddb does not know", o))
		}
	}
	return errors.Join(errs...)
}

func (w *writeCall) add(c *handle.Change) {
	if c == nil {
		c = &handle.Change{Err: errors.New("a zero Change was given; make changes with handles")}
	}
	w.changes = append(w.changes, c)
}

// guard returns all conditions of the options.
func (w *writeCall) guard() (node expr.Node, err error) { return handle.AllOf(w.conds).Parts() }

// writesOf returns the options without their item type; a nil option becomes nil.
func writesOf[T any](opts []WriteOption[T]) []any {
	list := make([]any, len(opts))
	for i, o := range opts {
		if o != nil {
			list[i] = o.IfOrReturnOld(nil)
		}
	}
	return list
}

// updatesOf is [writesOf] for updates.
func updatesOf[T any](opts []UpdateOption[T]) []any {
	list := make([]any, len(opts))
	for i, o := range opts {
		if o != nil {
			list[i] = o.ChangeOrIf(nil)
		}
	}
	return list
}

// ChangeOrIf makes a change an [UpdateOption].
func (c ChangeOf[P]) ChangeOrIf(P) any { return c.c }

// option is [If] and [ReturnOld].
type option[P any] struct{ what any }

func (o option[P]) IfOrReturnOld(P) any { return o.what }
func (o option[P]) ChangeOrIf(P) any    { return o.what }

// If makes a write happen only if all conditions are true for the stored item. Otherwise the call returns a
// [*ConditionFailed] with the stored item. A write whose condition is false still costs write units.
//
// The call refuses an If without conditions, and empty conditions (the zero [Cond], an [And] of nothing).
func If[T any](conds ...Cond[T]) Option[T] { return option[*T]{guardOf("If", untyped(conds))} }

// ReturnOld stores the item as it was before the write in dst, or the zero T if there was none. It costs nothing. With it,
// Update and Upsert also return that item instead of the new one, since DynamoDB returns only one of them.
func ReturnOld[T any](dst *T) Option[T] { return option[*T]{&returnOld{dst}} }

type changeList[P any] []ChangeOf[P]

func (l changeList[P]) ChangeOrIf(P) any {
	list := make([]*handle.Change, len(l))
	for i, c := range l {
		list[i] = c.c
	}
	return list
}

// Changes returns several changes as one option, for lists made at run time.
func Changes[T any](changes ...Change[T]) UpdateOption[T] { return changeList[*T](changes) }
