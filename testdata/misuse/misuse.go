// Package misuse holds calls that must not compile. Each line with a want
// comment must give an error that matches it, and no other line may give one.
package misuse

import (
	"context"

	"github.com/dynamotable/ddb"
	"github.com/dynamotable/ddb/schema"
	"github.com/dynamotable/ddb/vector"
)

type (
	CustomerID string
	OrderID    string
)

type Order struct {
	Customer CustomerID `dynamodbav:"customer_id"`
	ID       OrderID    `dynamodbav:"order_id"`
	Status   string     `dynamodbav:"status"`
	Total    int64      `dynamodbav:"total"`
	Tags     []string   `dynamodbav:"tags,stringset,omitempty"`
	Seq      int64      `dynamodbav:"seq"`
	Vector   []float32  `dynamodbav:"vector,omitempty"`
}

type User struct {
	ID   string `dynamodbav:"id"`
	Name string `dynamodbav:"name"`
}

var (
	customer = ddb.StrField(func(o *Order) *CustomerID { return &o.Customer })
	id       = ddb.StrField(func(o *Order) *OrderID { return &o.ID })
	status   = ddb.StrField(func(o *Order) *string { return &o.Status })
	total    = ddb.NumField(func(o *Order) *int64 { return &o.Total })
	tags     = ddb.SetField(func(o *Order) *[]string { return &o.Tags })
	seq      = ddb.NumField(func(o *Order) *int64 { return &o.Seq })
	position = ddb.ListField(func(o *Order) *[]float32 { return &o.Vector })

	userID   = ddb.StrField(func(u *User) *string { return &u.ID })
	userName = ddb.StrField(func(u *User) *string { return &u.Name })

	misspelt  = ddb.StrField(func(o *Order) *string { return &o.Statsu }) // want "Statsu"
	wrongType = ddb.NumField(func(o *Order) *int64 { return &o.Status })  // want "cannot use &o.Status"
	textNum   = ddb.NumField(func(o *Order) *string { return &o.Status }) // want "does not satisfy"
	numText   = ddb.StrField(func(o *Order) *int64 { return &o.Total })   // want "does not satisfy"
	setOfText = ddb.SetField(func(o *Order) *string { return &o.Status }) // want "string"
)

func misuse(ctx context.Context, client ddb.Client, cond ddb.Cond[User]) {
	orders, _ := ddb.New(client, "orders", customer, id)
	numbered, _ := ddb.New(client, "numbered", customer, seq)
	users, _ := ddb.NewSimple(client, "users", userID)
	byStatus, _ := ddb.NewIndex(orders, "by-status", status, total)
	byTotal, _ := ddb.NewSimpleIndex(orders, "by-total", total)

	_ = status.Set(5)                                   // want "cannot use 5"
	_ = total.Eq("many")                                // want "cannot use \"many\""
	_ = status.Add(1)                                   // want "status.Add undefined"
	_ = total.BeginsWith(1)                             // want "total.BeginsWith undefined"
	_ = tags.Insert(7)                                  // want "cannot use 7"
	_ = ddb.SetFrom(status, total)                      // want "does not match|cannot use"
	_ = ddb.SetFrom(status, userName)                   // want "does not match|cannot use"
	_ = ddb.NameOf("status")                            // want "cannot use \"status\".*missing method Handle"
	_ = ddb.And(status.Eq("open"), userName.Eq("Ann"))  // want "does not match|cannot use"
	_, _ = ddb.New(client, "mixed", customer, userName) // want "does not match|cannot use|cannot infer"

	var (
		pk CustomerID = "c1"
		sk OrderID    = "o1"
	)
	_, _ = orders.Get(ctx, sk, pk)                                   // want "cannot use sk" "cannot use pk"
	_, _ = orders.Get(ctx, pk)                                       // want "not enough arguments"
	_, _ = users.Get(ctx, "u1", "s1")                                // want "cannot use \"s1\""
	_, _ = orders.Update(ctx, orders.Key(pk, sk), userName.Set("x")) // want "cannot use userName.Set"
	_ = orders.Put(ctx, &User{})                                     // want "cannot use &User"
	_ = orders.Put(ctx, &Order{}, ddb.If(cond))                      // want "cannot use ddb.If"
	_ = orders.Put(ctx, &Order{}, status.Set("open"))                // want "cannot use status.Set.*missing method IfOrReturnOld"
	_ = orders.Put(ctx, &Order{}, status.Eq("open"))                 // want "cannot use status.Eq.*missing method IfOrReturnOld"
	_ = orders.Delete(ctx, pk, sk, status.Eq("open"))                // want "cannot use status.Eq.*missing method IfOrReturnOld"

	_, _ = orders.Update(ctx, orders.Key(pk, sk), status.Set("x"), status.Eq("open")) // want "cannot use status.Eq.*missing method ChangeOrIf"
	_, _ = orders.Update(ctx, orders.Key(pk, sk), status)                             // want "cannot use status.*missing method ChangeOrIf"

	_ = numbered.Query(pk).SortKey(ddb.BeginsWith(int64(1))) // want "does not satisfy"
	_ = orders.Query(pk).SortKey(ddb.Eq("o1"))               // want "cannot use"
	_ = orders.Query(pk).Filter(cond)                        // want "cannot use cond"
	_ = byStatus.Query(5)                                    // want "cannot use 5"
	_ = byStatus.Query("open").Consistent()                  // want "Consistent undefined"
	_ = byStatus.Query("open").SortKey(ddb.BeginsWith("1"))  // want "cannot use"
	_ = byTotal.Query(5).SortKey(ddb.Eq("x"))                // want "SortKey undefined|cannot use"

	near, _ := vector.New(orders, "near", position, 2, schema.Cosine, customer)
	_, _ = near.Search(ctx, []float32{1, 2}, 10)                               // want "not enough arguments"
	_, _ = near.Search(ctx, 5, []float32{1, 2}, 10)                            // want "cannot use 5"
	_, _ = near.Search(ctx, pk, []float32{1, 2}, 10, cond)                     // want "cannot use cond"
	_, _ = vector.NewSimple(orders, "far", status, 2, schema.Cosine)           // want "does not match|cannot use|missing method"
	_, _ = vector.New(orders, "of-user", position, 2, schema.Cosine, userName) // want "does not match|cannot use|cannot infer"

	page, _ := users.Scan().Page(ctx)
	_ = orders.Query(pk).After(page.Next)     // want "cannot use page.Next"
	_, _ = users.BatchGet(ctx, []OrderID{sk}) // want "cannot use"
}
