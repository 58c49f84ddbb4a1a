// SPDX-License-Identifier: Apache-2.0

package ddb

import (
	"fmt"
	"log/slog"
	"reflect"

	"github.com/dynamotable/ddb/internal/gotype"
	"github.com/dynamotable/ddb/internal/handle"
	"github.com/dynamotable/ddb/internal/quiet"
	"github.com/dynamotable/ddb/schema"
)

// What packages that build on this one need to know of a caller's tables and handles. Package unique is made with it.

// TableInfo is what a table was made with, for packages that build on this one; see [InfoOf].
type TableInfo struct {
	Name   string
	Client Client `json:"-"`
	Key    schema.Key
	// Version is the attribute of [Version], empty for none.
	Version string
}

// String is the name of the table.
func (i TableInfo) String() string { return i.Name }

// Format prints the name of the table, for every verb: a client may show secrets.
func (i TableInfo) Format(s fmt.State, verb rune) { quiet.Format(s, verb, i.Name) }

// LogValue is the name of the table.
func (i TableInfo) LogValue() slog.Value { return slog.StringValue(i.Name) }

// InfoOf returns the definition of a table. The error is that of the table's constructor, or says that the table is nil. It sends nothing.
func InfoOf(table TablePart) (TableInfo, error) {
	var c *core
	if table != nil {
		c = table.part()
	}
	if err := c.usable(); err != nil {
		return TableInfo{Name: c.label()}, err
	}
	info := TableInfo{Name: c.name, Client: c.client, Key: c.key.described()}
	if h := c.guardAttr(); h != nil {
		info.Version = h.Path().String()
	}
	return info, nil
}

// FieldOf is the function that reads the field of a top-level attribute from an item. It is an error if the handle is nil, was made by [Deref] or
// the like, names a part of an attribute, or names a field in an embedded pointer.
func FieldOf[T, V any](attr AttrOf[T, V]) (func(item *T) V, error) {
	index, err := fieldOf(handleOf(attr))
	if err != nil {
		return nil, err
	}
	return func(item *T) V {
		v, _ := reflect.TypeAssert[V](reflect.ValueOf(item).Elem().FieldByIndex(index))
		return v
	}, nil
}

func fieldOf(h *handle.Handle) (index []int, err error) {
	switch err := h.Resolve(); {
	case err != nil:
		return nil, err
	case len(h.Path()) != 1:
		return nil, fmt.Errorf("%s is not a top-level attribute", h.Path())
	case gotype.Reflect(h.Field().Type) == nil: // made by Deref or the like
		return nil, fmt.Errorf("attribute %s is not named by the handle of its field; pass the handle that ddb.Field, StrField or another constructor made", h.Path())
	case throughPointer(gotype.Reflect(h.Item()), h.Field().Index):
		return nil, fmt.Errorf("attribute %s is inside an embedded pointer, which may be nil", h.Path())
	}
	return h.Field().Index, nil
}
