// SPDX-License-Identifier: Apache-2.0

// Generated contains no handwritten handles: go generate writes product_ddb.go from the struct.
//
//	go generate ./examples/generated
//	go run ./examples/generated
package main

import (
	"context"
	"fmt"
	"log"

	"github.com/dynamotable/ddb"
	"github.com/dynamotable/ddb/ddbtest"
)

func main() {
	log.SetFlags(0)
	if err := run(context.Background()); err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context) error {
	client, stop := ddbtest.Open()
	defer stop()
	products, err := ddb.New(client, "products", productShop, productNumber)
	if err != nil {
		return err
	}
	if err := products.EnsureTable(ctx); err != nil {
		return err
	}
	if err := products.Create(ctx, &Product{Shop: "s1", Number: 7, Name: "lamp", Maker: Maker{City: "Bern"}}); err != nil {
		return err
	}
	p, err := products.Update(ctx, products.Key("s1", 7),
		productStock.Add(3), productTags.Insert("new"), ddb.If(productMakerCity.Eq("Bern")))
	if err != nil {
		return err
	}
	fmt.Println(p.Name, p.Stock, p.Tags)
	return nil
}
