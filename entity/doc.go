// SPDX-License-Identifier: Apache-2.0

// Package entity reads items of several types from one DynamoDB table with one query (single-table design):
//
//	type Record interface{ record() } // what the table holds: *Customer, *Order and *Line have the method
//
//	customers, err := ddb.New(client, "shop", customerPK, customerSK, ddb.Discriminator("type", "customer"))
//	orders, err := ddb.New(client, "shop", orderPK, orderSK, ddb.Discriminator("type", "order"))
//	lines, err := ddb.New(client, "shop", linePK, lineSK, ddb.Discriminator("type", "line"))
//
//	shop, err := entity.New[Record](entity.Parts(customers, orders, lines))
//	err = shop.EnsureTable(ctx) // with the indexes of all
//
//	for r, err := range entity.Read(shop, customers.Query("CUSTOMER#7")).All(ctx) {
//		switch r := r.(type) {
//		case *Customer:
//		case *Order:
//		case *Line:
//		}
//	}
//
// or into a struct with a field for each type:
//
//	var account struct {
//		Customer *Customer
//		Orders   []Order
//		Lines    []Line
//	}
//	err = entity.Collect(ctx, entity.Read(shop, customers.Query("CUSTOMER#7")), &account)
//
// Each typed table has an option that recognises its items ([ddb.Discriminator], [ddb.KeyPrefix], [ddb.RecognizeBy]), and never
// returns items of another type. Write items through the typed tables, several types together in transactions.
//
// A read costs as many units as the query, and about as much processor time: each item is decoded once, from the reply into its type.
//
// The pattern: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/data-modeling-foundations.html
package entity
