// SPDX-License-Identifier: Apache-2.0

package entity

import (
	"context"
	"errors"
	"fmt"
	"reflect"

	"github.com/dynamotable/ddb"
)

// Collect reads all items of a read into the fields of the struct that into points to, each item into the field of its type:
//
//	var account struct {
//		Customer *Customer   // one item at most
//		Orders   []Order     // any number, in the order of the read
//		Lines    []*Line
//		Unknown  []Unknown   // those of KeepUnknown
//	}
//	err := entity.Collect(ctx, entity.Read(shop, customers.Query("CUSTOMER#7")), &account)
//
// Fields are slices of an item type or of pointers to it, or a pointer for a single item. Items are added to what the fields have; an empty slice
// field that got no item stays as it is. An item whose type has no field, and a second one for a pointer, end the read with an error; the
// fields have what was read before. It holds everything in memory. A struct with two fields for one type, or with a field of another kind, is refused before anything is sent.
func Collect[I any](ctx context.Context, r *ddb.Reader[I], into any) error {
	fields, err := fieldsOf(into)
	if err != nil {
		return &ddb.OpError{Op: "Collect", Err: &ddb.InvalidError{Problems: []error{err}}}
	}
	for page, err := range r.Pages(ctx) {
		if err != nil {
			return err
		}
		for i := range page.Items {
			item := reflect.ValueOf(&page.Items[i]).Elem()
			if item.Kind() == reflect.Interface {
				item = item.Elem()
			}
			if err := fields.add(item); err != nil {
				return &ddb.OpError{Op: "Collect", Err: err}
			}
		}
	}
	return nil
}

// fields are those of a struct, by the type of the items that they take.
type fields map[reflect.Type]reflect.Value

func fieldsOf(into any) (fields, error) {
	v := reflect.ValueOf(into)
	if v.Kind() != reflect.Pointer || v.IsNil() || v.Elem().Kind() != reflect.Struct {
		return nil, fmt.Errorf("the destination is a %T; it must be a pointer to a struct", into)
	}
	var (
		errs []error
		all  = fields{}
		t    = v.Elem().Type()
	)
	for i := range t.NumField() {
		item, ok := itemType(t.Field(i))
		switch {
		case !ok:
			errs = append(errs, fmt.Errorf("field %s of %s must be exported, and a slice of items, a slice of pointers to them, or a pointer to one", t.Field(i).Name, t))
		case all[item].IsValid():
			errs = append(errs, fmt.Errorf("field %s of %s is the second for items of %s", t.Field(i).Name, t, item))
		default:
			all[item] = v.Elem().Field(i)
		}
	}
	if t.NumField() == 0 {
		errs = append(errs, fmt.Errorf("%s has no fields", t))
	}
	return all, errors.Join(errs...)
}

// itemType is the type of the items that a field takes.
func itemType(f reflect.StructField) (reflect.Type, bool) {
	item := f.Type
	if k := item.Kind(); !f.IsExported() || k != reflect.Slice && k != reflect.Pointer {
		return nil, false
	}
	item = item.Elem()
	if item.Kind() == reflect.Pointer && f.Type.Kind() == reflect.Slice {
		item = item.Elem()
	}
	return item, item.Kind() == reflect.Struct
}

// add adds an item: a pointer, or what KeepUnknown made of an unknown one.
func (f fields) add(item reflect.Value) error {
	if !item.IsValid() || item.Kind() == reflect.Pointer && item.IsNil() {
		return errors.New("the function of KeepUnknown gave nil")
	}
	value, pointer := item, item
	if item.Kind() == reflect.Pointer {
		value = item.Elem()
	} else {
		pointer = reflect.New(item.Type())
		pointer.Elem().Set(item)
	}
	to, ok := f[value.Type()]
	if !ok {
		return fmt.Errorf("the read gave an item of %s, for which the destination has no field", value.Type())
	}
	if to.Kind() == reflect.Pointer {
		if !to.IsNil() {
			return fmt.Errorf("the read gave a second item of %s, for which the destination has a field for one; make it a slice", value.Type())
		}
		to.Set(pointer)
		return nil
	}
	n := to.Len()
	to.Grow(1)
	to.SetLen(n + 1)
	if to.Type().Elem().Kind() == reflect.Pointer {
		value = pointer
	}
	to.Index(n).Set(value)
	return nil
}
