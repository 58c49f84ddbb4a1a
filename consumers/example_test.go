// SPDX-License-Identifier: Apache-2.0

package consumers_test

import (
	"fmt"
	"time"

	"github.com/dynamotable/ddb/consumers"
)

func Example() {
	// The layers add their consumers automatically; this one belongs to the program.
	remove := consumers.Add(func() consumers.Stats {
		return consumers.Stats{Kind: "change", Table: "orders", Consumer: "mails", Shards: 4, Lag: -1, ReadAge: 7 * time.Minute}
	})
	defer remove()

	// A health check finds a consumer that does not read.
	for _, c := range consumers.List() {
		if c.ReadAge > 5*time.Minute {
			fmt.Printf("consumer %s of table %s has read nothing for %s\n", c.Consumer, c.Table, c.ReadAge)
		}
	}
	// Output:
	// consumer mails of table orders has read nothing for 7m0s
}
