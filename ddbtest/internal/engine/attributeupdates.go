// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"maps"
	"slices"

	"github.com/dynamotable/ddb/ddbtest/internal/expression"
	"github.com/dynamotable/ddb/ddbtest/internal/value"
)

// AttributeValueUpdate is the update of one attribute.
type AttributeValueUpdate struct {
	Value  *Attribute
	Action *string
}

// The actions of an update.
const (
	updatePut    = "PUT"
	updateAdd    = "ADD"
	updateDelete = "DELETE"
)

// updates records what is wrong with the actions of an update.
func (c *constraints) updates(l *Legacy) {
	if l == nil {
		return
	}
	for _, name := range sortedKeys(l.AttributeUpdates) {
		c.enum("attributeUpdates."+name+".member.action", l.AttributeUpdates[name].Action, "[ADD, PUT, DELETE]")
	}
}

// attributeUpdate is the update of one attribute, checked.
type attributeUpdate struct {
	name, action string
	value        value.Value // nil for a DELETE of the whole attribute
}

// attributeUpdates is an update without an expression. It is an updater.
type attributeUpdates []attributeUpdate

// attributeUpdatesOf checks the updates.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/LegacyConditionalParameters.AttributeUpdates.html
func attributeUpdatesOf(updates map[string]AttributeValueUpdate) (updater, error) {
	if len(updates) == 0 {
		return nil, nil
	}
	list := make(attributeUpdates, 0, len(updates))
	for _, name := range sortedKeys(updates) {
		u := updates[name]
		if err := checkName(name); err != nil {
			return nil, err
		}
		one := attributeUpdate{name: name, action: updatePut}
		if u.Action != nil {
			one.action = *u.Action
		}
		if u.Value == nil {
			if one.action != updateDelete {
				return nil, invalidParameter("Only DELETE action is allowed when no attribute value is specified")
			}
			list = append(list, one)
			continue
		}
		if u.Value.Err != nil {
			return nil, u.Value.Err
		}
		one.value = u.Value.Value
		kind := one.value.Kind()
		set := kind == value.KindStringSet || kind == value.KindNumberSet || kind == value.KindBinarySet
		switch {
		case one.action == updateDelete && !set:
			return nil, invalidParameter("DELETE action with value is not supported for the type %s", kind)
		case one.action == updateAdd && !set && kind != value.KindNumber && kind != value.KindList:
			return nil, invalidParameter("ADD action is not supported for the type %s", kind)
		}
		list = append(list, one)
	}
	return list, nil
}

// Apply makes the new item from the old one.
func (u attributeUpdates) Apply(old value.Item) (value.Item, error) { return u.apply(maps.Clone(old)) }

// ApplyNew makes the attributes, except the key, of an item that does not exist yet.
func (u attributeUpdates) ApplyNew(value.Item) (value.Item, error) { return u.apply(value.Item{}) }

func (u attributeUpdates) apply(item value.Item) (value.Item, error) {
	for _, one := range u {
		v, err := one.apply(item[one.name])
		if err != nil {
			return nil, err
		}
		if v == nil {
			delete(item, one.name)
			continue
		}
		item[one.name] = v
	}
	return item, nil
}

func (u *attributeUpdate) apply(old value.Value) (value.Value, error) {
	var (
		v   value.Value
		ok  bool
		err error
	)
	switch {
	case u.action == updatePut:
		return u.value, nil
	case u.value == nil:
		return nil, nil
	case u.action == updateDelete:
		v, ok = expression.Delete(old, u.value)
	default:
		if list, isList := u.value.(value.List); isList && old != nil {
			before, same := old.(value.List)
			if !same {
				return nil, mismatchedUpdate()
			}
			return slices.Concat(before, list), nil
		}
		v, ok, err = expression.Add(old, u.value)
	}
	if !ok {
		return nil, mismatchedUpdate()
	}
	return v, err
}

func mismatchedUpdate() error { return invalid("Type mismatch for attribute to update") }

// Attributes are the attributes that the update writes.
func (u attributeUpdates) Attributes() []string {
	names := make([]string, len(u))
	for i := range u {
		names[i] = u[i].name
	}
	return names
}

// Touched is what UPDATED_OLD and UPDATED_NEW return.
func (u attributeUpdates) Touched() *expression.Projection {
	return expression.ProjectAttributes(u.Attributes())
}

// Overhead is that of an expression with the same actions.
func (u attributeUpdates) Overhead() int {
	size := expression.UpdateOverhead
	for i := range u {
		if u[i].value == nil {
			size += expression.ClearOverhead
		} else {
			size += expression.WriteOverhead
		}
	}
	return size
}
