// SPDX-License-Identifier: Apache-2.0

package core

import (
	"bytes"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/dynamotable/ddb/internal/codec"
	"github.com/dynamotable/ddb/internal/expr"
	"github.com/dynamotable/ddb/internal/gotype"
	"github.com/dynamotable/ddb/internal/handle"
	"github.com/dynamotable/ddb/internal/itemid"
	"github.com/dynamotable/ddb/internal/operr"
	"github.com/dynamotable/ddb/revision"
)

// stamps are the attributes that a table maintains in an item.
type stamps struct {
	revision    revision.Revision
	setRevision func(revision.Revision)
	done        func() // copies the stamps of the stored item to the caller's
}

// stampItem returns the item to store, with its version raised, its times set and the revision after base, and the stamps that
// it got.
func stampItem(c *Table, v verb, item reflect.Value, base revision.Revision, with mark) (reflect.Value, stamps, error) {
	if c.version == nil && c.revision == nil && c.created == nil && c.updated == nil {
		return item, stamps{done: nothing}, nil
	}
	next := copyOf(item)
	st, err := stampValue(c, v, item, next, base, with)
	return next, st, err
}

// copyOf returns an addressable copy.
func copyOf(v reflect.Value) reflect.Value {
	next := reflect.New(v.Type()).Elem()
	next.Set(v)
	return next
}

// mark is what one write records in an item: its time and its tag.
type mark struct {
	time time.Time
	tag  revision.Tag
}

func stampValue(c *Table, v verb, item, next reflect.Value, base revision.Revision, with mark) (st stamps, err error) {
	if c.revision != nil {
		field := next.FieldByIndex(c.revision.Field().Index)
		st.revision = nextRevision(base, with.tag)
		st.setRevision = func(r revision.Revision) { field.Set(reflect.ValueOf(r)) }
		st.setRevision(st.revision)
	}
	if c.version != nil && !raise(next.FieldByIndex(c.version.Field().Index), v == VerbCreate) {
		err = fmt.Errorf("version attribute %s is at the largest value of its type %s; give it a larger type", c.version.Path(), c.version.Field().Type)
	}
	if c.created != nil {
		if f := next.FieldByIndex(c.created.Field().Index); f.Interface().(time.Time).IsZero() {
			f.Set(reflect.ValueOf(with.time))
		}
	}
	if c.updated != nil {
		next.FieldByIndex(c.updated.Field().Index).Set(reflect.ValueOf(with.time))
	}
	st.done = func() {
		for _, h := range c.kept() {
			item.FieldByIndex(h.Field().Index).Set(next.FieldByIndex(h.Field().Index))
		}
	}
	return st, err
}

// raise adds one to a version; a created item starts at one. It reports false at the largest value.
func raise(f reflect.Value, fresh bool) bool {
	if f.CanInt() {
		n := f.Int() + 1
		if fresh {
			n = 1
		}
		f.SetInt(n)
		return n > 0 && f.Int() == n
	}
	n := f.Uint() + 1
	if fresh {
		n = 1
	}
	f.SetUint(n)
	return n > 0 && f.Uint() == n
}

// versionIn returns the version field of an item.
func versionIn(c *Table, item reflect.Value) reflect.Value {
	return item.FieldByIndex(c.version.Field().Index)
}

// versionGuard returns the condition that the stored version is the item's. Zero is the version of an item that was never
// stored, or that another program stored with version zero or without one.
func versionGuard(c *Table, item reflect.Value) expr.Node {
	n := versionIn(c, item)
	same := expr.Compare{Left: c.version.Path(), Op: "=", Right: expr.Value{AV: versionValue(n)}}
	if !n.IsZero() {
		return same
	}
	return expr.Any(expr.Call{Name: "attribute_not_exists", Args: []expr.Node{c.version.Path()}}, same)
}

func versionValue(v reflect.Value) types.AttributeValue {
	if v.CanInt() {
		return handle.NumberValue(v.Int())
	}
	return &types.AttributeValueMemberN{Value: strconv.FormatUint(v.Uint(), 10)}
}

// largestVersion returns the largest value of a version narrower than 64 bits, 0 for one of 64 bits.
func largestVersion(t reflect.Type) int64 {
	bits := t.Bits()
	if bits == 64 {
		return 0
	}
	if t.Kind() >= reflect.Uint {
		return 1<<bits - 1
	}
	return 1<<(bits-1) - 1
}

func (c *Table) newMark() mark {
	m := mark{time: c.now()}
	if c.revision != nil {
		m.tag = newTag()
	}
	return m
}

// kept returns the attributes that the table itself writes.
func (c *Table) kept() []*handle.Handle {
	var all []*handle.Handle
	for _, h := range []*handle.Handle{c.version, c.revision, c.created, c.updated} {
		if h != nil {
			all = append(all, h)
		}
	}
	return all
}

// demandedVersion returns the value that a condition requires of the numeric version, such as ddb.If(version.Eq(n)).
func (c *Table) demandedVersion(cond expr.Node) (string, bool) {
	switch n := cond.(type) {
	case expr.Logic:
		if n.Op != "AND" {
			return "", false
		}
		for _, t := range n.Terms {
			if v, ok := c.demandedVersion(t); ok {
				return v, true
			}
		}
	case expr.Compare:
		path, isPath := n.Left.(expr.Path)
		value, isValue := n.Right.(expr.Value)
		if n.Op == "=" && isPath && isValue && path.String() == c.version.Path().String() {
			v := numberOf(value.AV)
			return v, v != ""
		}
	}
	return "", false
}

// isStale reports whether a failed condition required another version or revision than the stored item has.
func (c *Table) isStale(cond expr.Node, item map[string]types.AttributeValue) bool {
	if c.revision != nil {
		want, ok := c.demandedTag(cond)
		return ok && revisionOf(item[c.revision.Path()[0].Name]).Tags[0] != want
	}
	if c.version == nil {
		return false
	}
	want, ok := c.demandedVersion(cond)
	have := numberOf(item[c.version.Path()[0].Name])
	return ok && !bytes.Equal(itemid.NormalNumber([]byte(have)), itemid.NormalNumber([]byte(want)))
}

// stampUpdate adds the attributes that the table maintains to an update, except for the revision, and returns the condition
// that the version can still be raised.
func (c *Table) stampUpdate(u *expr.Update, present bool, now time.Time) (raisable expr.Node) {
	if c.version != nil {
		p := c.version.Path()
		base := expr.Call{Name: "if_not_exists", Args: []expr.Node{p, expr.Value{AV: handle.NumberValue(0)}}}
		u.Set = append(u.Set, expr.Action{Path: p, Right: expr.Arithmetic{Left: base, Op: "+", Right: expr.Value{AV: handle.NumberValue(1)}}})
		if most := largestVersion(gotype.Reflect(c.version.Field().Type)); most > 0 {
			raisable = expr.Any(expr.Call{Name: "attribute_not_exists", Args: []expr.Node{p}}, expr.Compare{Left: p, Op: "<", Right: expr.Value{AV: handle.NumberValue(most)}})
		}
	}
	c.markUpdate(u, present)
	if c.created == nil && c.updated == nil {
		return raisable
	}
	if c.created != nil && !present {
		if av, err := codec.ToAttributeValue(c.created.Value(), &now); err == nil {
			p := c.created.Path()
			u.Set = append(u.Set, expr.Action{Path: p, Right: expr.Call{Name: "if_not_exists", Args: []expr.Node{p, expr.Value{AV: av}}}})
		}
	}
	if c.updated != nil {
		if av, err := codec.ToAttributeValue(c.updated.Value(), &now); err == nil {
			u.Set = append(u.Set, expr.Action{Path: c.updated.Path(), Right: expr.Value{AV: av}})
		}
	}
	return raisable
}

// checkChanged refuses updates of attributes that the caller must not change.
func (c *Table) checkChanged(u *expr.Update) error {
	var errs []error
	for _, p := range u.Paths() {
		name := p[0].Name
		if slices.Contains(c.Key.names(), name) {
			errs = append(errs, fmt.Errorf("attribute %s is part of the key; a key cannot change: delete the item and put another", name))
		}
		for _, h := range c.kept() {
			if h.Path()[0].Name == name {
				errs = append(errs, fmt.Errorf("attribute %s is kept by the table itself", name))
			}
		}
		if c.entity != nil && c.entity.mark != nil && c.entity.mark.attr == name {
			errs = append(errs, fmt.Errorf("attribute %s names the type of the items, which cannot change", name))
		}
		for _, d := range c.derived {
			if d.target.Path()[0].Name == name {
				errs = append(errs, fmt.Errorf("attribute %s is derived from %s; set these", name, d.memberNames()))
			}
		}
	}
	return operr.Invalid(errs...)
}

// GuardAttr returns the attribute of option Version, nil without it.
func (c *Table) GuardAttr() *handle.Handle {
	if c.revision != nil {
		return c.revision
	}
	return c.version
}
