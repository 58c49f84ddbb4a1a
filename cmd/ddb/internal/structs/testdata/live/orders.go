package live

import (
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/dynamotable/ddb"
	"github.com/dynamotable/ddb/multikey"
	"github.com/dynamotable/ddb/schema"
)

// Order is an item of the table orders. It was written by ddb gen struct, from a sample of 12 items, and is yours to edit.
// A remark says in how many of them an attribute was, and with which types.
type Order struct {
	CustomerID string                          `dynamodbav:"customer_id"`               // 12 of 12: S
	Order      int64                           `dynamodbav:"order"`                     // 12 of 12: N
	Status     string                          `dynamodbav:"status"`                    // 12 of 12: S
	Country    string                          `dynamodbav:"country"`                   // 12 of 12: S
	Placed     string                          `dynamodbav:"placed"`                    // 12 of 12: S
	Hash       []byte                          `dynamodbav:"hash,omitempty"`            // 6 of 12: B
	NeverSeen  types.AttributeValue            `dynamodbav:"never seen,omitempty"`      // in none
	Total      float64                         `dynamodbav:"total"`                     // 12 of 12: N
	Score      *int64                          `dynamodbav:"score,omitempty"`           // 6 of 12: N
	Expires    time.Time                       `dynamodbav:"expires,unixtime,omitzero"` // 6 of 12: N
	At         time.Time                       `dynamodbav:"at,omitzero"`               // 6 of 12: S
	Lines      []OrderLinesItem                `dynamodbav:"lines"`                     // 12 of 12: L
	Paid       bool                            `dynamodbav:"paid"`                      // 12 of 12: BOOL
	Tags       []string                        `dynamodbav:"tags,stringset"`            // 12 of 12: SS
	Rest       map[string]types.AttributeValue `dynamodbav:",unknown"`                  // what no field is for, kept when an item is written back
}

type OrderLinesItem struct {
	Qty  *int64                          `dynamodbav:"qty,omitempty"` // 12 of 24: N
	SKU  string                          `dynamodbav:"sku"`           // 24 of 24: S
	Rest map[string]types.AttributeValue `dynamodbav:",unknown"`      // what no field is for, kept when an item is written back
}

// Handles of the attributes of [Order].
var (
	orderCustomerID = ddb.StrField(func(v *Order) *string { return &v.CustomerID })
	orderOrder      = ddb.NumField(func(v *Order) *int64 { return &v.Order })
	orderStatus     = ddb.StrField(func(v *Order) *string { return &v.Status })
	orderCountry    = ddb.StrField(func(v *Order) *string { return &v.Country })
	orderPlaced     = ddb.StrField(func(v *Order) *string { return &v.Placed })
	orderHash       = ddb.BinField(func(v *Order) *[]byte { return &v.Hash })
	orderNeverSeen  = ddb.Field(func(v *Order) *types.AttributeValue { return &v.NeverSeen })
	orderTotal      = ddb.NumField(func(v *Order) *float64 { return &v.Total })
	orderScore      = ddb.Field(func(v *Order) **int64 { return &v.Score })
	orderExpires    = ddb.TimeField(func(v *Order) *time.Time { return &v.Expires })
	orderAt         = ddb.TimeField(func(v *Order) *time.Time { return &v.At })
	orderLines      = ddb.ListField(func(v *Order) *[]OrderLinesItem { return &v.Lines })
	orderPaid       = ddb.Field(func(v *Order) *bool { return &v.Paid })
	orderTags       = ddb.SetField(func(v *Order) *[]string { return &v.Tags })
)

// OrderTable is the table orders with its indexes.
type OrderTable struct {
	*ddb.Table[Order, string, int64]
	ByStatus *ddb.Index[Order, multikey.Two[string, string], string]
	ByHash   *ddb.SimpleIndex[Order, []byte]
	Table2   *ddb.LocalIndex[Order, string, *int64]
}

// NewOrderTable defines the table. It sends nothing.
func NewOrderTable(client ddb.Client, opts ...ddb.TableOption) (*OrderTable, error) {
	opts = append([]ddb.TableOption{ddb.TTL(orderExpires)}, opts...)
	t, err := ddb.New(client, "orders", orderCustomerID, orderOrder, opts...)
	if err != nil {
		return nil, err
	}
	all := &OrderTable{Table: t}
	if all.ByStatus, err = ddb.NewIndex(t, "by-status", multikey.Of2(orderStatus, orderCountry), orderPlaced); err != nil {
		return nil, err
	}
	if all.ByHash, err = ddb.NewSimpleIndex(t, "by.hash", orderHash, ddb.Projecting(orderNeverSeen, orderTotal)); err != nil {
		return nil, err
	}
	if all.Table2, err = ddb.NewLocalIndex(t, "table", orderScore, ddb.KeysOnly()); err != nil {
		return nil, err
	}
	return all, nil
}

// OrderSchema is what EnsureTable and VerifyTable are to know besides.
func OrderSchema() []schema.Option {
	return []schema.Option{
		schema.Provisioned(5, 6),
		schema.IndexProvisioned("by-status", 7, 8),
		schema.Stream("NEW_IMAGE"),
		schema.InfrequentAccess(),
		schema.DeletionProtection(true),
	}
}
