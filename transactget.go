package ddb

import (
	"context"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/dynamotable/ddb/internal/codec"
	"github.com/dynamotable/ddb/internal/expr"
	"github.com/dynamotable/ddb/internal/wire"
)

// TxRead is one read of [TransactGet], made by a table's TxGet.
type TxRead interface{ addRead(*transactionRead) }

// TransactGet reads up to 100 items of one or several tables as they are at one
// moment:
//
//	var (
//		o ddb.Got[Order]
//		u ddb.Got[User]
//	)
//	err := ddb.TransactGet(ctx, client, orders.TxGet(key, &o), users.TxGet("u1", &u))
//
// Missing items are no error: their Found is false. Conflicts with transactions that write
// are tried again. It costs two read units for each 4 KB of an item.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactGetItems.html
func TransactGet(ctx context.Context, client Client, reads ...TxRead) error {
	tx := &transactionRead{}
	for _, r := range reads {
		if r == nil {
			tx.errs = append(tx.errs, errors.New("a read is nil"))
			continue
		}
		r.addRead(tx)
	}
	if isNil(client) {
		tx.errs = append(tx.errs, errors.New("client is nil"))
	}
	if n := len(tx.gets); n == 0 || n > maxTransactOps {
		tx.errs = append(tx.errs, fmt.Errorf("%d reads; a transaction takes 1 to %d", n, maxTransactOps))
	}
	names := tx.tables()
	if err := invalid(tx.errs...); err != nil {
		return opError("TransactGetItems", names, "", err)
	}
	return opError("TransactGetItems", names, "", tx.send(ctx, client))
}

type transactionRead struct {
	gets  []types.TransactGetItem
	cores []*core
	rows  []wire.Rows
	errs  []error
}

type readFunc func(*transactionRead)

func (f readFunc) addRead(tx *transactionRead) { f(tx) }

// TxGet reads one item in a transaction into dst. The option is [Project];
// [Consistent] changes nothing, for transactions always are.
func (t *items[T, K]) TxGet(key K, dst *Got[T], opts ...GetOption) TxRead {
	return readFunc(func(tx *transactionRead) {
		i := len(tx.gets)
		k, err := t.encodeKey(key)
		paths, err2 := t.projection(readOptions(opts).project, t.key.names()...)
		if dst == nil {
			err2 = errors.Join(err2, errors.New("the destination is nil"))
			dst = new(Got[T])
		}
		get := &types.Get{TableName: &t.name, Key: k}
		if len(paths) > 0 {
			var w expr.Writer
			get.ProjectionExpression = aws.String(w.Projection(paths))
			get.ExpressionAttributeNames = w.Names()
		}
		tx.errs = append(tx.errs, inputError("read", i, errors.Join(err, err2))...)
		tx.gets = append(tx.gets, types.TransactGetItem{Get: get})
		tx.cores = append(tx.cores, t.core)
		tx.rows = append(tx.rows, &gotRow[T]{oneRow[T]{plan: t.plan, dst: &dst.Item}, dst})
		*dst = Got[T]{}
	})
}

// gotRow is oneRow that also says whether there was an item.
type gotRow[T any] struct {
	oneRow[T]
	got *Got[T]
}

func (r *gotRow[T]) Reset(n int) {
	r.oneRow.Reset(n)
	r.got.Found = false
}

func (r *gotRow[T]) Row(d *codec.Decoder) error {
	err := r.oneRow.Row(d)
	r.got.Found = err == nil
	return err
}

func (tx *transactionRead) tables() string {
	t := &transaction{}
	for _, c := range tx.cores {
		t.actions = append(t.actions, txAction{core: c})
	}
	return t.tables()
}

func (tx *transactionRead) send(ctx context.Context, client Client) error {
	c := tx.cores[0]
	in := &dynamodb.TransactGetItemsInput{TransactItems: tx.gets, ReturnConsumedCapacity: c.consumed()}
	retry := newRetrier(c.retry, c.budget)
	for {
		out, err := wire.TransactGetItems(ctx, client, in, c.wire, func(i int) wire.Rows { return tx.rows[i] })
		if out != nil {
			tx.observe(ctx, out.ConsumedCapacity)
		}
		if err == nil {
			retry.succeeded()
			return nil
		}
		cause := tx.cancelled(err)
		var te *TransactionError
		if !errors.As(cause, &te) || !te.passing() {
			return cause
		}
		if stop := retry.next(ctx, false); stop != nil {
			return fmt.Errorf("%w; %w", cause, stop)
		}
	}
}

func (tx *transactionRead) observe(ctx context.Context, ccs []types.ConsumedCapacity) {
	seen := map[*core]bool{}
	for _, c := range tx.cores {
		if seen[c] {
			continue
		}
		seen[c] = true
		var own []types.ConsumedCapacity
		for _, cc := range ccs {
			if deref(cc.TableName) == c.name {
				own = append(own, cc)
			}
		}
		c.ledger.observe(ctx, "TransactGetItems", false, c.name, own...)
	}
}

func (tx *transactionRead) cancelled(err error) error {
	t := &transaction{}
	for _, c := range tx.cores {
		t.actions = append(t.actions, txAction{core: c, verb: "Get"})
	}
	return t.cancelled(err)
}
