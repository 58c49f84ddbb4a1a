// SPDX-License-Identifier: Apache-2.0

package ddb

import (
	"fmt"
	"log/slog"
	"reflect"

	"github.com/dynamotable/ddb/internal/core"
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
	var c *core.Table
	if table != nil {
		c = table.Part()
	}
	if err := c.Usable(); err != nil {
		return TableInfo{Name: c.Label()}, err
	}
	info := TableInfo{Name: c.Name, Client: c.Client, Key: c.Key.Described()}
	if h := c.GuardAttr(); h != nil {
		info.Version = h.Path().String()
	}
	return info, nil
}

// FieldOf is the function that reads the field of a top-level attribute from an item. It is an error if the handle is nil, was made by [Deref] or
// the like, names a part of an attribute, or names a field in an embedded pointer.
func FieldOf[T, V any](attr AttrOf[T, V]) (func(item *T) V, error) {
	index, err := core.FieldOf(handleOf(attr))
	if err != nil {
		return nil, err
	}
	return func(item *T) V {
		v, _ := reflect.TypeAssert[V](reflect.ValueOf(item).Elem().FieldByIndex(index))
		return v
	}, nil
}
