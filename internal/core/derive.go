// SPDX-License-Identifier: Apache-2.0

package core

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/dynamotable/ddb/internal/codec"
	"github.com/dynamotable/ddb/internal/expr"
	"github.com/dynamotable/ddb/internal/gotype"
	"github.com/dynamotable/ddb/internal/handle"
	"github.com/dynamotable/ddb/internal/quiet"
)

// DeriveOption is the option ddb.Derive. from returns a pointer to the value for an item, which is a *T.
//
//go:noinline
func DeriveOption(attr *handle.Handle, members []*handle.Handle, from func(item any) (value any, ok bool)) TableOption {
	return TableOption(func(c *Table) error {
		h, err := c.ownAttr("Derive", attr, codec.KindAny)
		errs := []error{err}
		if from == nil {
			errs = append(errs, errors.New("option Derive: the function is nil"))
		}
		d := &derivation{target: h, compute: func(item any) (types.AttributeValue, any, error) { return compute(h, from, item) }}
		if len(members) == 0 {
			errs = append(errs, errors.New("option Derive: no members; name the attributes that the function reads"))
		}
		for i, m := range members {
			if err := c.checkMember(m); err != nil {
				errs = append(errs, fmt.Errorf("option Derive: member %d: %w", i, err))
				continue
			}
			d.members = append(d.members, m)
		}
		if err := errors.Join(errs...); err != nil {
			return err
		}
		c.derived = append(c.derived, d)
		return nil
	})
}

// derivation is one derived attribute, and how it is computed.
type derivation struct {
	target  *handle.Handle
	members []*handle.Handle
	// compute returns the value for an item, a *T, in its stored form and by a pointer for the Go field; nil if the item does
	// not get it.
	compute func(item any) (types.AttributeValue, any, error)
}

func compute(h *handle.Handle, from func(item any) (value any, ok bool), item any) (av types.AttributeValue, field any, err error) {
	defer func() {
		if r := recover(); r != nil {
			// What a function panics with may hold item data.
			av, err = nil, quiet.New(fmt.Sprintf("attribute %s: its function panicked; it must take an item that has its members alone, or lacks them", h.Path()), fmt.Errorf("panic: %v", r))
		}
	}()
	v, ok := from(item)
	if !ok {
		return nil, nil, nil
	}
	if f := reflect.ValueOf(v).Elem(); f.IsZero() || (f.Kind() == reflect.Slice || f.Kind() == reflect.Map) && f.Len() == 0 {
		return nil, nil, fmt.Errorf("attribute %s: its function gave an empty value, which is not stored; it must return false for that, or the field must be a pointer", h.Path())
	}
	av, err = handle.Encode(h, v)
	return av, v, err
}

func (d *derivation) memberNames() string {
	names := make([]string, len(d.members))
	for i, m := range d.members {
		names[i] = m.Path().String()
	}
	return strings.Join(names, ", ")
}

// nothing is a function that does nothing.
func nothing() {}

// deriveFields returns the item to store, which is next with its derived attributes, and done extended so that it also sets them
// in the caller's item.
func deriveFields(c *Table, item, next reflect.Value, done func()) (reflect.Value, func(), error) {
	next, done = markField(c, item, next, done)
	if len(c.derived) == 0 {
		return next, done, checkVectors(c, next)
	}
	if next.UnsafeAddr() == item.UnsafeAddr() {
		next = copyOf(item)
	}
	for _, d := range c.derived {
		next.FieldByIndex(d.target.Field().Index).SetZero()
	}
	data, err := codec.AppendSlot(nil, c.Plan, next)
	if err != nil {
		return next, done, checkVectors(c, next) // encoding it for the request fails too, and is reported there
	}
	attrs, err := codec.ParseItem(data)
	if err != nil {
		return next, done, err
	}
	var errs []error
	for _, d := range c.derived {
		av, field, err := d.compute(copyOf(next).Addr().Interface())
		if err == nil {
			err = c.checkMembers(d, attrs, av)
		}
		if errs = append(errs, err); av != nil && err == nil {
			next.FieldByIndex(d.target.Field().Index).Set(reflect.ValueOf(field).Elem())
		}
	}
	errs = append(errs, checkVectors(c, next))
	return next, func() {
		done()
		for _, d := range c.derived {
			item.FieldByIndex(d.target.Field().Index).Set(next.FieldByIndex(d.target.Field().Index))
		}
	}, errors.Join(errs...)
}

// givenBy returns the value that a member has after an update, nil if it has none, if the update or the key determines it.
func givenBy(key map[string]types.AttributeValue, u *expr.Update, member expr.Path) (av types.AttributeValue, known bool) {
	if av := valueAt(key, member); av != nil {
		return av, true
	}
	for _, a := range u.Remove {
		if len(a.Path) <= len(member) && a.Path.Overlaps(member) {
			return nil, true
		}
	}
	for _, a := range u.Set {
		v, plain := a.Right.(expr.Value)
		if !plain || len(a.Path) > len(member) || !a.Path.Overlaps(member) {
			continue
		}
		rest := member[len(a.Path):]
		if len(rest) == 0 {
			return v.AV, true
		}
		m, ok := v.AV.(*types.AttributeValueMemberM)
		if !ok {
			return nil, true
		}
		return valueAt(m.Value, rest), true
	}
	return nil, false
}

// valueAt returns the value at a path of names, or nil.
func valueAt(attrs map[string]types.AttributeValue, path expr.Path) types.AttributeValue {
	for ; len(path) > 1; path = path[1:] {
		m, ok := attrs[path[0].Name].(*types.AttributeValueMemberM)
		if !ok {
			return nil
		}
		attrs = m.Value
	}
	return attrs[path[0].Name]
}

// place puts a value at a path of names, and makes missing maps.
func place(attrs map[string]types.AttributeValue, path expr.Path, av types.AttributeValue) {
	for ; len(path) > 1; path = path[1:] {
		m, ok := attrs[path[0].Name].(*types.AttributeValueMemberM)
		if !ok {
			m = &types.AttributeValueMemberM{Value: map[string]types.AttributeValue{}}
			attrs[path[0].Name] = m
		}
		attrs = m.Value
	}
	attrs[path[0].Name] = av
}

// checkMember resolves the handle of a member.
func (c *Table) checkMember(h *handle.Handle) error {
	if err := resolveFor(c.Plan, h); err != nil {
		return err
	}
	for _, s := range h.Path() {
		if s.Indexed {
			return fmt.Errorf("%s is a list element, which moves when others go; name the list", h.Path())
		}
	}
	return nil
}

// checkDerivations refuses derived attributes that do not fit the other options.
func (c *Table) checkDerivations() error {
	var errs []error
	targets := map[string]bool{}
	for _, d := range c.derived {
		name := d.target.Path().String()
		refuse := func(format string, args ...any) {
			errs = append(errs, fmt.Errorf("option Derive: attribute "+name+" "+format, args...))
		}
		if targets[name] {
			refuse("is derived twice")
		}
		targets[name] = true
		if c.keeps(name) {
			refuse("is kept by the table itself")
		}
		if f := d.target.Field(); !f.OmitZero && (!f.OmitEmpty || gotype.Reflect(f.Type).Kind() == reflect.Struct) {
			refuse("cannot be absent; add omitempty to its dynamodbav tag, or omitzero for a struct")
		}
	}
	for _, d := range c.derived {
		for i, m := range d.members {
			name, top := m.Path().String(), m.Path()[0].Name
			switch {
			case slices.ContainsFunc(d.members[:i], func(o *handle.Handle) bool { return len(o.Path()) == len(m.Path()) && o.Path().Overlaps(m.Path()) }):
				errs = append(errs, fmt.Errorf("option Derive: attribute %s has the member %s twice", d.target.Path(), name))
			case targets[top]:
				errs = append(errs, fmt.Errorf("option Derive: attribute %s has the member %s, which is derived itself; name the members of that", d.target.Path(), name))
			case c.keeps(top):
				errs = append(errs, fmt.Errorf("option Derive: attribute %s has the member %s, which is kept by the table itself, so that no update could give it", d.target.Path(), name))
			}
		}
	}
	return errors.Join(errs...)
}

// keeps reports whether the table itself writes the attribute.
func (c *Table) keeps(name string) bool {
	for _, h := range c.kept() {
		if h.Path()[0].Name == name {
			return true
		}
	}
	return false
}

// checkMembers compares the value derived from an item with the value derived from its members alone, which is what an
// update would derive.
func (c *Table) checkMembers(d *derivation, attrs map[string]types.AttributeValue, whole types.AttributeValue) error {
	members := map[string]types.AttributeValue{}
	for _, m := range d.members {
		if av := valueAt(attrs, m.Path()); av != nil {
			place(members, m.Path(), av)
		}
	}
	alone, err := c.computeFrom(d, members)
	if err != nil {
		return err
	}
	if !reflect.DeepEqual(alone, whole) {
		return fmt.Errorf("attribute %s: its function gives another value when the item has nothing but %s, as they are stored; name all attributes that it reads as members of Derive",
			d.target.Path(), d.memberNames())
	}
	return nil
}

func (c *Table) computeFrom(d *derivation, members map[string]types.AttributeValue) (types.AttributeValue, error) {
	item := reflect.New(gotype.Reflect(c.of.item))
	if err := decodeMap(c.Plan, members, item.Elem()); err != nil {
		return nil, fmt.Errorf("attribute %s: its members do not make an item: %w", d.target.Path(), err)
	}
	av, _, err := d.compute(item.Interface())
	return av, err
}
