// SPDX-License-Identifier: Apache-2.0

// Deploy prints the tables of a program for a deployment tool, and compares a deployed table with the program's definition.
//
//	go run ./examples/deploy                          a configuration for Terraform, and a comparison at start
//	go run ./examples/deploy -format cloudformation   only the template; also terraform, cdk
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log"
	"time"

	"github.com/dynamotable/ddb"
	"github.com/dynamotable/ddb/ddbtest"
	"github.com/dynamotable/ddb/definition"
	"github.com/dynamotable/ddb/schema"
	"github.com/dynamotable/ddb/tableinfo"
)

type Order struct {
	Customer string    `dynamodbav:"customer"`
	ID       string    `dynamodbav:"id"`
	Status   string    `dynamodbav:"status"`
	Expires  time.Time `dynamodbav:"expires,unixtime,omitzero"`
}

var (
	orderCustomer = ddb.StrField(func(o *Order) *string { return &o.Customer })
	orderID       = ddb.StrField(func(o *Order) *string { return &o.ID })
	orderStatus   = ddb.StrField(func(o *Order) *string { return &o.Status })
	orderExpires  = ddb.TimeField(func(o *Order) *time.Time { return &o.Expires })
)

// settings are the settings of the deployed table, for the template and for the comparison.
var settings = []schema.Option{schema.PointInTimeRecovery(7)}

func main() {
	log.SetFlags(0)
	format := flag.String("format", "", "cloudformation, terraform or cdk")
	flag.Parse()
	if err := run(context.Background(), *format); err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context, format string) error {
	client, stop := ddbtest.Open()
	defer stop()
	orders, err := ddb.New(client, "orders", orderCustomer, orderID, ddb.TTL(orderExpires))
	if err != nil {
		return err
	}
	// The table as it was first deployed, when the program had no index yet.
	if err := orders.EnsureTable(ctx); err != nil {
		return err
	}
	if _, err := ddb.NewIndex(orders, "by-status", orderStatus, orderID); err != nil {
		return err
	}
	table, err := tableinfo.Definition(orders, settings...)
	if err != nil {
		return err
	}
	write := map[string]func(...*schema.Definition) ([]byte, error){
		"cloudformation": definition.CloudFormation, "terraform": definition.Terraform, "cdk": definition.CDK, "": definition.Terraform,
	}[format]
	if write == nil {
		return errors.New("the format is none of cloudformation, terraform, cdk")
	}
	text, err := write(table)
	if err != nil {
		return err
	}
	fmt.Println(string(text))
	if format != "" {
		return nil
	}
	differences, err := orders.VerifyTable(ctx, settings...)
	if err != nil {
		return err
	}
	for _, d := range differences {
		if !d.Extra { // an older or newer program may need this
			fmt.Println("orders:", d)
		}
	}
	return nil
}
