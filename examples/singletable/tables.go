// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"time"

	"github.com/dynamotable/ddb"
	"github.com/dynamotable/ddb/entity"
	"github.com/dynamotable/ddb/rawitem"
)

// Record is an item of the table: *Customer, *Order, *Line, or an item of an unknown type.
type Record interface{ record() }

// Customer is stored under CUSTOMER#7, PROFILE.
type Customer struct {
	PK   string `dynamodbav:"pk"`
	SK   string `dynamodbav:"sk"`
	Name string `dynamodbav:"name"`
	// Status is the status of the account: the index by-status contains customers and orders.
	Status string    `dynamodbav:"status"`
	Since  time.Time `dynamodbav:"since"`
}

// Order is stored under CUSTOMER#7, ORDER#0001.
type Order struct {
	PK     string    `dynamodbav:"pk"`
	SK     string    `dynamodbav:"sk"`
	Total  int       `dynamodbav:"total"`
	Status string    `dynamodbav:"status"`
	Since  time.Time `dynamodbav:"since"`
}

// Line is stored under CUSTOMER#7, ORDER#0001#LINE#01.
type Line struct {
	PK  string `dynamodbav:"pk"`
	SK  string `dynamodbav:"sk"`
	SKU string `dynamodbav:"sku"`
	Qty int    `dynamodbav:"qty"`
}

// Unknown is an item of a type that this program does not know.
type Unknown struct{ rawitem.Item }

func (*Customer) record() {}
func (*Order) record()    {}
func (*Line) record()     {}
func (Unknown) record()   {}

var (
	customerPK     = ddb.StrField(func(c *Customer) *string { return &c.PK })
	customerSK     = ddb.StrField(func(c *Customer) *string { return &c.SK })
	customerStatus = ddb.StrField(func(c *Customer) *string { return &c.Status })
	customerSince  = ddb.TimeField(func(c *Customer) *time.Time { return &c.Since })
	orderPK        = ddb.StrField(func(o *Order) *string { return &o.PK })
	orderSK        = ddb.StrField(func(o *Order) *string { return &o.SK })
	orderTotal     = ddb.NumField(func(o *Order) *int { return &o.Total })
	orderStatus    = ddb.StrField(func(o *Order) *string { return &o.Status })
	orderSince     = ddb.TimeField(func(o *Order) *time.Time { return &o.Since })
	linePK         = ddb.StrField(func(l *Line) *string { return &l.PK })
	lineSK         = ddb.StrField(func(l *Line) *string { return &l.SK })
	lineQty        = ddb.NumField(func(l *Line) *int { return &l.Qty })
)

// shop is one DynamoDB table: the typed table of each type, and the whole.
type shop struct {
	client    ddb.Client
	customers *ddb.Table[Customer, string, string]
	orders    *ddb.Table[Order, string, string]
	lines     *ddb.Table[Line, string, string]
	byStatus  *ddb.Index[Order, string, time.Time]
	all       *entity.Table[Record]
}

func open(ctx context.Context, client ddb.Client) (*shop, error) {
	const name = "singletable-shop"
	s := &shop{client: client}
	var err error
	// The attribute type names the type of an item. The typed tables write it, and accept no other items.
	if s.customers, err = ddb.New(client, name, customerPK, customerSK, ddb.Discriminator("type", "customer")); err != nil {
		return nil, err
	}
	if s.orders, err = ddb.New(client, name, orderPK, orderSK, ddb.Discriminator("type", "order"), ddb.SkipOthers()); err != nil {
		return nil, err
	}
	if s.lines, err = ddb.New(client, name, linePK, lineSK, ddb.Discriminator("type", "line")); err != nil {
		return nil, err
	}
	// Both types define the index, in the same way.
	if _, err = ddb.NewIndex(s.customers, "by-status", customerStatus, customerSince); err != nil {
		return nil, err
	}
	if s.byStatus, err = ddb.NewIndex(s.orders, "by-status", orderStatus, orderSince); err != nil {
		return nil, err
	}
	s.all, err = entity.New(entity.Parts(s.customers, s.orders, s.lines), entity.KeepUnknown(func(i rawitem.Item) Record { return Unknown{i} }))
	if err != nil {
		return nil, err
	}
	// One definition creates the table with its index.
	return s, s.all.EnsureTable(ctx)
}
