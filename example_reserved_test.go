// SPDX-License-Identifier: Apache-2.0

package ddb_test

import (
	"fmt"

	"github.com/dynamotable/ddb"
)

func ExampleIsReserved() {
	fmt.Println(ddb.IsReserved("status"), ddb.IsReserved("order_status"))
	fmt.Println(ddb.ReservedIn("#s = :open AND size(tags) > :n AND date > :d"))
	// Output:
	// true false
	// [date]
}
