// SPDX-License-Identifier: Apache-2.0

package loader_test

import (
	"context"
	"fmt"
	"sync"

	"github.com/dynamotable/ddb"
	"github.com/dynamotable/ddb/ddbtest"
	"github.com/dynamotable/ddb/loader"
)

func Example() {
	ctx := context.Background()
	client, stop := ddbtest.Open()
	defer stop()
	users, err := ddb.NewSimple(client, "users", userID)
	if err != nil {
		fmt.Println(err)
		return
	}
	if err := users.CreateTable(ctx); err != nil {
		fmt.Println(err)
		return
	}
	if err := users.BatchPut(ctx, []user{{ID: "ann"}, {ID: "bob"}}); err != nil {
		fmt.Println(err)
		return
	}

	l := loader.New(ctx, users) // for one request that is served
	found := make([]string, 2)
	var wg sync.WaitGroup
	for i, id := range []string{"ann", "bob"} { // two resolvers
		wg.Go(func() {
			if u, err := l.Get(ctx, id); err == nil {
				found[i] = u.ID
			}
		})
	}
	wg.Wait()
	fmt.Println(found, l.Stats().Calls, "calls")
	// Output: [ann bob] 2 calls
}
