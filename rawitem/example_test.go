// SPDX-License-Identifier: Apache-2.0

package rawitem_test

import (
	"fmt"

	"github.com/dynamotable/ddb/rawitem"
)

func ExampleParse() {
	item, err := rawitem.Parse([]byte(`{"id": {"S": "a"}, "n": {"N": "1.50"}}`))
	if err != nil {
		fmt.Println(err)
		return
	}
	n, ok := item.Attr("n")
	fmt.Println(string(n.JSON()), n.Type(), ok)

	changed, err := item.With("n", rawitem.Value{}) // removes it
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(string(changed.JSON()))
	// Output:
	// {"N":"1.50"} N true
	// {"id":{"S":"a"}}
}
