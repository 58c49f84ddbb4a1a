// Package cases has what the analyzers report, with a remark that says so, and what they must not report.
package cases

import (
	"context"
	"errors"
	"iter"

	"github.com/dynamotable/ddb"
)

type address struct {
	City string `dynamodbav:"city"`
}

type order struct {
	ID      string    `dynamodbav:"id"`
	Status  string    `dynamodbav:"status"`
	Total   int       `dynamodbav:"total"`
	Hidden  string    `dynamodbav:"-"`
	Note    *string   `dynamodbav:"note"`
	Lines   []address `dynamodbav:"lines"`
	ShipTo  address   `dynamodbav:"ship_to"`
	Billing *address  `dynamodbav:"billing"`
	secret  string
	inner
}

type inner struct {
	Promoted string `dynamodbav:"promoted"`
}

var (
	id     = ddb.StrField(func(o *order) *string { return &o.ID })
	status = ddb.StrField(func(o *order) *string { return &o.Status })
	total  = ddb.NumField(func(o *order) *int { return &o.Total })
	lines  = ddb.ListField(func(o *order) *[]address { return &o.Lines })

	global order

	good1 = ddb.StrField(func(o *order) *string { return &o.Promoted })
	good2 = ddb.StrField(func(o *order) *string { return &(*o).ShipTo.City })
	good3 = ddb.StrField(func(o *order) *string { return &o.Billing.City })
	good4 = ddb.StrField(func(o *order) *string { s := &o.ShipTo; return &s.City })
	good5 = ddb.StrField((*order).status)
	good6 = ddb.StrField(func(o *order) *string { return o.status() })
	good7 = ddb.Within(lines.At(0), func(a *address) *string { return &a.City })
	good8 = ddb.Field(func(o *order) **string { return &o.Note })
	good9 = ddb.StrField[order, string](func(o *order) *string { return &o.inner.Promoted })

	bad1  = ddb.StrField(func(o *order) *string { return &global.ID })                    // want "returns the address of a field of another variable"
	bad3  = ddb.StrField(func(o *order) *string { x := *o; return &x.ID })                // want "returns the address of a field of a copy"
	bad4  = ddb.StrField(func(o *order) *string { return &o.Hidden })                     // want "whose tag leaves it out"
	bad5  = ddb.StrField(func(o *order) *string { return &o.secret })                     // want "not exported"
	bad6  = ddb.StrField(func(o *order) *string { return o.Note })                        // want "value of a pointer field"
	bad7  = ddb.StrField(func(o *order) *string { return &o.Lines[0].City })              // no report: the element is reached through an index
	bad8  = ddb.Field(func(o *order) *address { return &o.Lines[0] })                     // want "address of an element"
	bad9  = ddb.StrField(func(o *order) *string { return nil })                           // want "returns nil"
	badA  = ddb.StrField(func(o *order) *string { return new(string) })                   // want "new variable"
	badB  = ddb.Field(func(o *order) *address { return &address{} })                      // want "new value"
	badC  = ddb.Field(func(o *order) *order { return o })                                 // want "its argument"
	badD  = ddb.Within(lines.At(0), func(a *address) *string { b := *a; return &b.City }) // want "field of a copy"
	goodA = ddb.StrField(func(o *order) *string {
		if o == nil {
			return nil
		}
		return &o.ID
	})
)

func (o *order) status() *string { return &o.Status }

func dropped(ctx context.Context, t *ddb.Table[order, string, int], s *ddb.SimpleTable[order, string], o *order) error {
	q := t.Query("a")
	q.Limit(5)            // want "result of Limit is thrown away.*builders return a changed copy"
	q.Filter(total.Gt(1)) // want "result of Filter"
	t.Query("a")          // want "result of Query"
	s.Scan().PageSize(3)  // want "result of PageSize"
	q.All(ctx)            // want "iterator does nothing until a loop"
	total.Add(5)          // want "result of Add.*a change that no call gets"
	status.Eq("open")     // want "result of Eq.*a condition that no call gets"
	t.TxPut(o)            // want "result of TxPut.*an operation that no transaction has"
	ddb.If(total.Gt(1))   // want "result of If.*an option that no call gets"
	defer q.Limit(3)      // want "result of Limit"

	q = q.Limit(5)
	_ = q.Limit(6)
	_, err := q.Limit(7).Page(ctx)
	t.Put(ctx, o)
	_ = t.Put(ctx, o)
	t.String()
	ddb.AddHook(nil)
	other{}.Limit(3)
	return err
}

type other struct{}

func (o other) Limit(int) other { return o }

func (o other) All(context.Context) iter.Seq2[order, error] { return nil }

func loops(ctx context.Context, t *ddb.Table[order, string, int]) (n int, err error) {
	for o := range t.Query("a").All(ctx) { // want "leaves out the error of All"
		n += o.Total
	}
	for o, _ := range t.Query("a").All(ctx) { // want "leaves out the error of All"
		n += o.Total
	}
	pages := t.Query("a").Pages(ctx)
	for p := range pages { // want "leaves out the error of Pages"
		n += len(p.Items)
	}

	for o, err := range t.Query("a").All(ctx) {
		if err != nil {
			return n, err
		}
		n += o.Total
	}
	for range t.Query("a").All(ctx) {
		break
	}
	for o := range (other{}).All(ctx) {
		n += o.Total
	}
	mine := t.Query("a").All(ctx)
	mine = kept(mine, &err)
	for o := range mine {
		n += o.Total
	}
	for i := range 3 {
		n += i
	}
	return n, err
}

// kept keeps the error elsewhere.
func kept(seq iter.Seq2[order, error], err *error) iter.Seq2[order, error] {
	return func(yield func(order, error) bool) {
		for o, e := range seq {
			if e != nil {
				*err = errors.Join(*err, e)
				return
			}
			if !yield(o, nil) {
				return
			}
		}
	}
}
