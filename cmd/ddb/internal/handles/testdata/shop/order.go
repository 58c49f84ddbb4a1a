// Package shop has handles by hand and generated ones.
package shop

import (
	"time"

	"github.com/dynamotable/ddb"
)

//go:generate go run github.com/dynamotable/ddb/cmd/ddb gen handles

type (
	CustomerID string
	OrderID    string
)

// Order is an item with a nested struct and lines.
type Order struct {
	Customer CustomerID   `dynamodbav:"customer_id"`
	ID       OrderID      `dynamodbav:"order_id"`
	Status   string       `dynamodbav:"status"`
	Total    int64        `dynamodbav:"total"`
	Tags     []string     `dynamodbav:"tags,stringset,omitempty"`
	PlacedAt time.Time    `dynamodbav:"placed_at"`
	ShipTo   Address      `dynamodbav:"ship_to"`
	Lines    []Line       `dynamodbav:"lines"`
	Revision ddb.Revision `dynamodbav:"revision"`
	internal int
	Cache    string `dynamodbav:"-"`
}

// Address is part of orders alone, so it has no handles of its own.
type Address struct {
	City string `dynamodbav:"city"`
	Zip  *Zip   `dynamodbav:"zip"`
}

type Zip struct {
	Code string `dynamodbav:"code"`
}

type Line struct {
	Article string `dynamodbav:"article"`
	Count   int    `dynamodbav:"count"`
}

// Handles written by hand are kept, whatever their names.
var (
	status     = ddb.StrField(func(o *Order) *string { return &o.Status })
	orderCity  = (ddb.StrField[Order, string])(func(x *Order) *string { return &(x.ShipTo.City) })
	orderTotal = ddb.AsNum(ddb.Attr[Order, int64](ddb.NumField(selectTotal)))
)

func selectTotal(o *Order) *int64 { return &o.Total }

// Table uses handles that are generated.
func Table(client ddb.Client) (*ddb.Table[Order, CustomerID, OrderID], *ddb.Index[Order, string, time.Time], error) {
	table, err := ddb.New(client, "orders", orderCustomer, orderID, ddb.Version(orderRevision))
	if err != nil {
		return nil, nil, err
	}
	byStatus, err := ddb.NewIndex(table, "by-status", status, orderPlacedAt)
	return table, byStatus, err
}

// Changes are of attributes at all depths.
func Changes() []ddb.Change[Order] {
	return []ddb.Change[Order]{
		orderTotal.Add(5), orderTags.Insert("vip"), orderCity.Set("Rome"), orderShipToZipCode.Set("00100"), orderLines.Append(Line{"pen", 2}),
		ddb.AsNum(ddb.Within(orderLines.At(0), func(l *Line) *int { return &l.Count })).Add(1),
	}
}
