// SPDX-License-Identifier: Apache-2.0

package core

import (
	"errors"
	"fmt"
	"reflect"

	"github.com/dynamotable/ddb/internal/expr"
	"github.com/dynamotable/ddb/internal/handle"
)

// writeCall holds the options of one write.
type writeCall struct {
	conds   []*handle.Condition
	changes []*handle.Change
	old     any // a *T
}

// ReturnOld is the result of ddb.ReturnOld; dst is a *T.
type ReturnOld struct{ Dst any }

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
		case *ReturnOld:
			w.old = nil
			if !reflect.ValueOf(o.Dst).IsNil() {
				w.old = o.Dst
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
