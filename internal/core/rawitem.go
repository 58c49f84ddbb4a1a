// SPDX-License-Identifier: Apache-2.0

package core

import (
	"reflect"

	"github.com/dynamotable/ddb/internal/operr"
	"github.com/dynamotable/ddb/rawitem"
)

// DecodeRaw is DecodeRaw into the value that to points to.
func (c *Table) DecodeRaw(item rawitem.Item, to any) error {
	if err := c.Usable(); err != nil {
		return err
	}
	return operr.New("DecodeRaw", c.Name, "", decodeOwn(c, item.JSON(), reflect.ValueOf(to).Elem()))
}
