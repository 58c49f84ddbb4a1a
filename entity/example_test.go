// SPDX-License-Identifier: Apache-2.0

package entity_test

import (
	"context"
	"fmt"

	"github.com/dynamotable/ddb"
	"github.com/dynamotable/ddb/ddbtest"
	"github.com/dynamotable/ddb/entity"
)

// Record is an item of the table.
type Record interface{ record() }

type Customer struct {
	PK   string `dynamodbav:"pk"`
	SK   string `dynamodbav:"sk"`
	Name string `dynamodbav:"name"`
}

type Order struct {
	PK    string `dynamodbav:"pk"`
	SK    string `dynamodbav:"sk"`
	Total int    `dynamodbav:"total"`
}

func (*Customer) record() {}
func (*Order) record()    {}

var (
	customerPK = ddb.StrField(func(c *Customer) *string { return &c.PK })
	customerSK = ddb.StrField(func(c *Customer) *string { return &c.SK })
	orderPK    = ddb.StrField(func(o *Order) *string { return &o.PK })
	orderSK    = ddb.StrField(func(o *Order) *string { return &o.SK })
)

func Example() {
	ctx := context.Background()
	client, stop := ddbtest.Open()
	defer stop()
	customers, err := ddb.New(client, "shop", customerPK, customerSK, ddb.Discriminator("type", "customer"))
	if err != nil {
		fmt.Println(err)
		return
	}
	orders, err := ddb.New(client, "shop", orderPK, orderSK, ddb.Discriminator("type", "order"))
	if err != nil {
		fmt.Println(err)
		return
	}
	shop, err := entity.New[Record](entity.Parts(customers, orders))
	if err != nil {
		fmt.Println(err)
		return
	}
	if err := shop.EnsureTable(ctx); err != nil {
		fmt.Println(err)
		return
	}
	err = ddb.Transact(ctx, client, customers.TxCreate(&Customer{"CUSTOMER#7", "CUSTOMER", "Ann"}), orders.TxCreate(&Order{"CUSTOMER#7", "ORDER#1", 40}))
	if err != nil {
		fmt.Println(err)
		return
	}
	for r, err := range entity.Read(shop, customers.Query("CUSTOMER#7")).All(ctx) {
		switch r := r.(type) {
		case *Customer:
			fmt.Println("customer", r.Name)
		case *Order:
			fmt.Println("order", r.Total)
		default:
			fmt.Println(err)
		}
	}
	var account struct {
		Customer *Customer
		Orders   []Order
	}
	err = entity.Collect(ctx, entity.Read(shop, customers.Query("CUSTOMER#7")), &account)
	fmt.Println(account.Customer.Name, len(account.Orders), err)
	// Output:
	// customer Ann
	// order 40
	// Ann 1 <nil>
}
