// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/dynamotable/ddb"
	"github.com/dynamotable/ddb/schema"
)

// Order is held for its customer until it is paid.
type Order struct {
	Customer  string    `dynamodbav:"customer"`
	ID        string    `dynamodbav:"id"`
	Total     int64     `dynamodbav:"total"`
	Paid      int64     `dynamodbav:"paid"`
	HeldUntil time.Time `dynamodbav:"held_until,unixtime,omitzero"`

	Revision ddb.Revision `dynamodbav:"revision"`
}

var (
	orderCustomer  = ddb.StrField(func(o *Order) *string { return &o.Customer })
	orderID        = ddb.StrField(func(o *Order) *string { return &o.ID })
	orderHeldUntil = ddb.TimeField(func(o *Order) *time.Time { return &o.HeldUntil })
	orderRevision  = ddb.Field(func(o *Order) *ddb.Revision { return &o.Revision })
)

// ErrPlaced means that an order with the id exists.
var ErrPlaced = errors.New("the order is placed already")

const hold = 30 * time.Minute

// Orders is the service. It is safe for concurrent use.
type Orders struct {
	table *ddb.Table[Order, string, string]
	now   func() time.Time
}

// NewOrders creates the table if it does not exist. The service takes the time from now.
func NewOrders(ctx context.Context, client ddb.Client, table string, now func() time.Time) (*Orders, error) {
	t, err := ddb.New(client, table, orderCustomer, orderID,
		ddb.Version(orderRevision), ddb.TTL(orderHeldUntil))
	if err != nil {
		return nil, err
	}
	return &Orders{t, now}, t.EnsureTable(ctx, schema.Stream(types.StreamViewTypeNewAndOldImages))
}

// Place stores a new order, or returns ErrPlaced.
func (s *Orders) Place(ctx context.Context, customer, id string, total int64) error {
	err := s.table.Create(ctx, &Order{Customer: customer, ID: id, Total: total, HeldUntil: s.now().Add(hold)})
	if errors.Is(err, ddb.ErrConditionFailed) {
		return ErrPlaced
	}
	return err
}

// Pay adds to the amount paid, and starts again if another write came in between. An order
// that is paid in full no longer expires. After ddb.ErrOutcomeUnknown the amount may have
// been counted.
func (s *Orders) Pay(ctx context.Context, customer, id string, amount int64) (Order, error) {
	for {
		o, err := s.table.Get(ctx, customer, id, ddb.Consistent())
		if err != nil {
			return Order{}, err
		}
		if !o.HeldUntil.IsZero() && !s.now().Before(o.HeldUntil) { // the item may exist for days after it has expired
			return Order{}, fmt.Errorf("order %w any more", ddb.ErrNotFound)
		}
		if o.Paid += amount; o.Paid >= o.Total {
			o.HeldUntil = time.Time{}
		}
		if err = s.table.Put(ctx, &o); !errors.Is(err, ddb.ErrConditionFailed) {
			return o, err
		}
	}
}

// Of returns the orders of a customer.
func (s *Orders) Of(ctx context.Context, customer string) ([]Order, error) {
	return s.table.Query(customer).Consistent().Collect(ctx)
}
