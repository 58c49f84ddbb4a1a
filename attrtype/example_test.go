// SPDX-License-Identifier: Apache-2.0

package attrtype_test

import (
	"fmt"

	"github.com/dynamotable/ddb"
	"github.com/dynamotable/ddb/attrtype"
)

type order struct {
	ID    string `dynamodbav:"id"`
	Total any    `dynamodbav:"total"`
}

var orderTotal = ddb.Field(func(o *order) *any { return &o.Total })

func ExampleType() {
	fmt.Println(ddb.IsType(orderTotal, attrtype.Number))
	// Output: attribute_type(total, ?)
}
