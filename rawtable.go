// SPDX-License-Identifier: Apache-2.0

package ddb

import (
	"github.com/dynamotable/ddb/internal/core"
	"github.com/dynamotable/ddb/rawitem"
)

// RawTable is a table whose items are of no Go type: its methods are those of every [Table], and functions that take a table, an item
// type or a handle take it, for [rawitem.Item]. A table without a sort key is a RawTable as well; the Sort of its keys is the zero [rawitem.Value].
type RawTable = Table[rawitem.Item, rawitem.Value, rawitem.Value]

// NewRaw describes a table by the attributes of its key; sort is nil for a table without a sort key:
//
//	t, err := ddb.NewRaw(client, "orders", rawtable.KeyAttr("customer", attrtype.String), rawtable.KeyAttr("id", attrtype.String))
//
// Items are read and written as the service writes them, through no struct, so nothing of them is lost or changed. Package rawtable
// makes such a table by what DynamoDB says of it. Options that keep an attribute of the item, such as [Version] and [TTL], are refused. NewRaw sends nothing. Its
// error is as that of [New].
func NewRaw(client Client, name string, partition, sort Ord[rawitem.Item, rawitem.Value], opts ...TableOption) (*RawTable, error) {
	var by any = sort
	if sort == nil {
		by = core.NoSort{}
	}
	c, err := core.New(client, name, core.NewItemOf((*[]rawitem.Item)(nil), newConditionFailed[rawitem.Item]), partition, by, tableOptions(opts), budgetOf(client))
	return &RawTable{c}, err
}
