// SPDX-License-Identifier: Apache-2.0

package apitest

import (
	"time"

	"github.com/dynamotable/ddb"
)

// CustomerID is the partition key of an order.
type CustomerID string

// OrderID is the sort key of an order.
type OrderID string

// Address is a part of an order.
type Address struct {
	City string `dynamodbav:"city"`
	Zip  string `dynamodbav:"zip"`
}

// Line is an element of a list in an order.
type Line struct {
	SKU string `dynamodbav:"sku"`
	Qty int    `dynamodbav:"qty"`
}

// Order is an item with a sort key.
type Order struct {
	Customer CustomerID        `dynamodbav:"customer_id"`
	ID       OrderID           `dynamodbav:"order_id"`
	Status   string            `dynamodbav:"status"`
	Total    int64             `dynamodbav:"total"`
	Tags     []string          `dynamodbav:"tags,stringset,omitempty"`
	PlacedAt time.Time         `dynamodbav:"placed_at"`
	Address  Address           `dynamodbav:"address"`
	Lines    []Line            `dynamodbav:"lines,omitempty"`
	Notes    []string          `dynamodbav:"notes,omitempty"`
	Labels   map[string]string `dynamodbav:"labels,omitempty"`
	Gift     *bool             `dynamodbav:"gift,omitempty"`
	Visits   int               `dynamodbav:"visits,omitempty"`
}

// Handles of [Order].
var (
	OrderCustomer = ddb.StrField(func(o *Order) *CustomerID { return &o.Customer })
	OrderKey      = ddb.StrField(func(o *Order) *OrderID { return &o.ID })
	OrderStatus   = ddb.StrField(func(o *Order) *string { return &o.Status })
	OrderTotal    = ddb.NumField(func(o *Order) *int64 { return &o.Total })
	OrderTags     = ddb.SetField(func(o *Order) *[]string { return &o.Tags })
	OrderPlacedAt = ddb.TimeField(func(o *Order) *time.Time { return &o.PlacedAt })
	OrderCity     = ddb.StrField(func(o *Order) *string { return &o.Address.City })
	OrderLines    = ddb.ListField(func(o *Order) *[]Line { return &o.Lines })
	OrderNotes    = ddb.ListField(func(o *Order) *[]string { return &o.Notes })
	OrderLabels   = ddb.MapField(func(o *Order) *map[string]string { return &o.Labels })
	OrderGift     = ddb.Field(func(o *Order) **bool { return &o.Gift })
	OrderVisits   = ddb.NumField(func(o *Order) *int { return &o.Visits })
)

// User is an item without a sort key, with attributes that a table can maintain.
type User struct {
	ID      string    `dynamodbav:"id"`
	Email   string    `dynamodbav:"email"`
	Name    string    `dynamodbav:"name"`
	Logins  int64     `dynamodbav:"logins"`
	Points  int64     `dynamodbav:"points"`
	Nick    string    `dynamodbav:"nick,omitempty"`
	Avatar  []byte    `dynamodbav:"avatar,omitempty"`
	Version int64     `dynamodbav:"version"`
	Made    time.Time `dynamodbav:"made"`
	Changed time.Time `dynamodbav:"changed"`

	Revision ddb.Revision `dynamodbav:"revision,omitzero"`
}

// Handles of [User].
var (
	UserID       = ddb.StrField(func(u *User) *string { return &u.ID })
	UserEmail    = ddb.StrField(func(u *User) *string { return &u.Email })
	UserName     = ddb.StrField(func(u *User) *string { return &u.Name })
	UserLogins   = ddb.NumField(func(u *User) *int64 { return &u.Logins })
	UserPoints   = ddb.NumField(func(u *User) *int64 { return &u.Points })
	UserNick     = ddb.StrField(func(u *User) *string { return &u.Nick })
	UserAvatar   = ddb.BinField(func(u *User) *[]byte { return &u.Avatar })
	UserVersion  = ddb.NumField(func(u *User) *int64 { return &u.Version })
	UserRevision = ddb.Field(func(u *User) *ddb.Revision { return &u.Revision })
	UserMade     = ddb.TimeField(func(u *User) *time.Time { return &u.Made })
	UserChanged  = ddb.TimeField(func(u *User) *time.Time { return &u.Changed })
)

// SomeOrder returns an order with a value in each attribute.
func SomeOrder() Order {
	gift := true
	return Order{
		Customer: "c1", ID: "o1", Status: "open", Total: 42, Tags: []string{"a", "b"},
		PlacedAt: time.Date(2026, 2, 28, 23, 59, 59, 123456789, time.UTC),
		Address:  Address{City: "Genève", Zip: "1200"}, Lines: []Line{{"x", 1}, {"y", 2}},
		Notes: []string{"first"}, Labels: map[string]string{"k": "v"}, Gift: &gift,
	}
}
