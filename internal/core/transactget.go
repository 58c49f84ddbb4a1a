// SPDX-License-Identifier: Apache-2.0

package core

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/dynamotable/ddb/ddberr"
	"github.com/dynamotable/ddb/internal/codec"
	"github.com/dynamotable/ddb/internal/expr"
	"github.com/dynamotable/ddb/internal/itemid"
	"github.com/dynamotable/ddb/internal/operr"
	"github.com/dynamotable/ddb/internal/replykey"
	"github.com/dynamotable/ddb/internal/wire"
)

// TxReadPart is a ddb.TxRead.
type TxReadPart interface{ AddRead(*TransactionRead) }

// TransactGet performs n reads.
func TransactGet(ctx context.Context, client wire.Client, n int, read func(int) TxReadPart) error {
	tx := &TransactionRead{start: time.Now()}
	defer tx.report()
	for i := range n {
		r := read(i)
		if r == nil {
			tx.errs = append(tx.errs, errors.New("a read is nil"))
			continue
		}
		r.AddRead(tx)
	}
	if isNil(client) {
		tx.errs = append(tx.errs, errors.New("client is nil"))
	}
	if n := len(tx.gets); n == 0 || n > maxTransactOps {
		tx.errs = append(tx.errs, fmt.Errorf("%d reads; a transaction takes 1 to %d", n, maxTransactOps))
	}
	err := operr.Invalid(tx.errs...)
	if err == nil {
		err = tx.send(ctx, client)
	}
	if err != nil {
		return operr.New("TransactGetItems", tableNames(tx.cores), "", err)
	}
	tx.stats.Done = len(tx.gets)
	return nil
}

// TransactionRead collects the reads of one call.
type TransactionRead struct {
	gets    []types.TransactGetItem
	actions []txAction
	cores   []*Table
	rows    []foundRow
	dsts    []any // of the caller, to find a destination that is given twice
	errs    []error
	dst     *BatchStats
	stats   BatchStats
	start   time.Time
}

// TxReadFunc is a read of a transaction, as a function that adds it.
type TxReadFunc func(*TransactionRead)

// AddRead makes it a TxRead.
func (f TxReadFunc) AddRead(tx *TransactionRead) { f(tx) }

// gotRow decodes a single item, which must have the key, and reports whether there was one.
type gotRow struct {
	core *Table
	id   []byte        // of the key
	got  reflect.Value // a Got
}

// foundRow is implemented by gotRow of any type.
type foundRow interface {
	wire.Rows
	found() bool
}

func (r *gotRow) found() bool { return r.got.Field(1).Bool() }

// found returns how many items the reply held.
func (tx *TransactionRead) found() (n int) {
	for _, r := range tx.rows {
		n += countOf(r.found())
	}
	return n
}

func (r *gotRow) Reset(int) { r.got.SetZero() }

// other skips an item of another type.
func (r *gotRow) other(d *codec.Decoder, err error) error {
	if err != nil {
		return err
	}
	raw, err := d.Raw()
	if err == nil {
		err = replykey.CheckID(r.core.KeyNames, r.id, itemid.Plain(raw, r.core.KeyNames), raw)
	}
	if err == nil {
		err = r.core.otherEntity()
	}
	return err
}

func (r *gotRow) Row(d *codec.Decoder) error {
	if own, err := r.core.owns(d); err != nil || !own {
		return r.other(d, err)
	}
	d.Capture(r.core.KeyNames)
	d.Peek()
	from := d.Pos()
	err := codec.DecodeNextSlot(r.core.Plan, d, r.got.Field(0))
	if err == nil {
		err = replykey.CheckID(r.core.KeyNames, r.id, d.Captured(), d.Since(from))
	}
	if err != nil {
		r.Reset(0)
		return err
	}
	r.got.Field(1).SetBool(true)
	return nil
}

func (tx *TransactionRead) send(ctx context.Context, client wire.Client) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	c := tx.cores[0]
	in := &dynamodb.TransactGetItemsInput{TransactItems: tx.gets}
	loop := c.retrier()
	for {
		info := requestInfo{op: "TransactGetItems", consistent: true, actions: tx.actions}
		r, err := sendAll(ctx, tx.cores, &info, c.wire, func(ctx context.Context, o outgoing) (replyInfo, error) {
			in.ReturnConsumedCapacity = o.capacity
			out, err := wire.TransactGetItems(ctx, client, in, o.options, func(i int) wire.Rows { return tx.rows[i] })
			if out == nil {
				return replyInfo{}, err
			}
			return replyInfo{answered: true, capacities: out.ConsumedCapacity, items: len(tx.gets), returned: tx.found()}, err
		})
		tx.stats.count(false, &r)
		if err == nil {
			loop.Succeeded()
			return nil
		}
		cause := tx.cancelled(err)
		if te, ok := errors.AsType[*ddberr.TransactionError](cause); !ok || !ddberr.IsRetryable(te) {
			return cause
		}
		if stop := loop.Next(ctx, false); stop != nil {
			return fmt.Errorf("%w; %w", cause, stop)
		}
		tx.stats.Retries++
	}
}

func (tx *TransactionRead) report() {
	tx.stats.Elapsed = time.Since(tx.start)
	tx.stats.report(tx.dst)
}

func (tx *TransactionRead) cancelled(err error) error {
	return cancelled(tx.actions, err)
}

// TxGet reads by the key that key points to into dst, a *Got.
//
//go:noinline
func (c *Table) TxGet(key, dst any, r ReadCall) TxReadFunc {
	return TxReadFunc(func(tx *TransactionRead) {
		i := len(tx.gets)
		if err := c.Usable(); err != nil {
			tx.errs = append(tx.errs, err)
			return
		}
		k, err := c.encodeKey(key)
		hide := c.hides(r.expired)
		paths, err2 := c.projection(r.project, c.Key.names()...)
		got := reflect.ValueOf(dst)
		if got.IsNil() {
			err2 = errors.Join(err2, errors.New("the destination is nil"))
			got = reflect.New(got.Type().Elem())
		} else if j := slices.Index(tx.dsts, dst); j >= 0 {
			err2 = errors.Join(err2, fmt.Errorf("the destination is that of read %d as well", j))
		}
		tx.dsts = append(tx.dsts, got.Interface())
		get := &types.Get{TableName: &c.Name, Key: k}
		if paths = c.withExpiry(c.withMark(paths), hide); len(paths) > 0 {
			var w expr.Writer
			get.ProjectionExpression = aws.String(w.Projection(paths))
			get.ExpressionAttributeNames = w.Names()
		}
		tx.errs = append(tx.errs, operr.Input("read", i, errors.Join(err, err2))...)
		tx.gets = append(tx.gets, types.TransactGetItem{Get: get})
		id := c.KeyNames.ID(k)
		tx.actions = append(tx.actions, txAction{core: c, verb: "Get", id: id})
		tx.cores = append(tx.cores, c)
		row := &gotRow{core: c, id: []byte(id), got: got.Elem()}
		tx.rows = append(tx.rows, c.liveFound(row, hide))
		row.Reset(0)
	})
}
