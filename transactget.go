package ddb

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/dynamotable/ddb/internal/codec"
	"github.com/dynamotable/ddb/internal/expr"
	"github.com/dynamotable/ddb/internal/wire"
)

// TxRead is one read of [TransactGet], made by a table's TxGet, or an option of it
// ([StatsTo]).
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
	tx := &transactionRead{start: time.Now()}
	defer tx.report()
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
	err := invalid(tx.errs...)
	if err == nil {
		err = tx.send(ctx, client)
	}
	if err != nil {
		return opError("TransactGetItems", tableNames(tx.cores), "", err)
	}
	tx.stats.Done = len(tx.gets)
	return nil
}

type transactionRead struct {
	gets    []types.TransactGetItem
	actions []txAction
	cores   []*core
	rows    []foundRow
	dsts    []any // of the caller, to find one that is given twice
	errs    []error
	dst     *BatchStats
	stats   BatchStats
	start   time.Time
}

type readFunc func(*transactionRead)

func (f readFunc) addRead(tx *transactionRead) { f(tx) }

// TxGet reads one item in a transaction into dst. The option is [Project];
// [Consistent] changes nothing, for transactions always are.
func (t *items[T, K]) TxGet(key K, dst *Got[T], opts ...GetOption) TxRead {
	return readFunc(func(tx *transactionRead) {
		i := len(tx.gets)
		if err := t.usable(); err != nil {
			tx.errs = append(tx.errs, err)
			return
		}
		k, err := t.encodeKey(key)
		paths, err2 := t.projection(readOptions(opts).project, t.key.names()...)
		if dst == nil {
			err2 = errors.Join(err2, errors.New("the destination is nil"))
			dst = new(Got[T])
		}
		if j := slices.Index(tx.dsts, any(dst)); j >= 0 {
			err2 = errors.Join(err2, fmt.Errorf("the destination is that of read %d as well", j))
		}
		tx.dsts = append(tx.dsts, dst)
		get := &types.Get{TableName: &t.name, Key: k}
		if paths = t.withMark(paths); len(paths) > 0 {
			var w expr.Writer
			get.ProjectionExpression = aws.String(w.Projection(paths))
			get.ExpressionAttributeNames = w.Names()
		}
		tx.errs = append(tx.errs, inputError("read", i, errors.Join(err, err2))...)
		tx.gets = append(tx.gets, types.TransactGetItem{Get: get})
		id := t.keyNames.ID(k)
		tx.actions = append(tx.actions, txAction{core: t.core, verb: "Get", id: id})
		tx.cores = append(tx.cores, t.core)
		tx.rows = append(tx.rows, t.liveFound(&gotRow[T]{core: t.core, id: []byte(id), got: dst}))
		*dst = Got[T]{}
	})
}

// gotRow decodes a single item, which must have a key, and says whether there was one.
type gotRow[T any] struct {
	core *core
	id   []byte // of the key
	got  *Got[T]
}

// foundRow is a gotRow of any type.
type foundRow interface {
	wire.Rows
	found() bool
}

func (r *gotRow[T]) found() bool { return r.got.Found }

// found is how many items the reply held.
func (tx *transactionRead) found() (n int) {
	for _, r := range tx.rows {
		n += countOf(r.found())
	}
	return n
}

func (r *gotRow[T]) Reset(int) { *r.got = Got[T]{} }

func (r *gotRow[T]) Row(d *codec.Decoder) error {
	d.Watch(r.core.keyNames)
	d.Peek()
	from := d.Pos()
	err := codec.DecodeNext(r.core.plan, d, &r.got.Item)
	if err == nil {
		err = r.core.checkReplyID(r.id, d.Watched(), d.Since(from))
	}
	if r.got.Found = err == nil; !r.got.Found {
		r.Reset(0)
	}
	return err
}

func (tx *transactionRead) send(ctx context.Context, client Client) error {
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
		if te, ok := errors.AsType[*TransactionError](cause); !ok || !te.passing() {
			return cause
		}
		if stop := loop.Next(ctx, false); stop != nil {
			return fmt.Errorf("%w; %w", cause, stop)
		}
		tx.stats.Retries++
	}
}

func (tx *transactionRead) report() {
	tx.stats.Elapsed = time.Since(tx.start)
	tx.stats.report(tx.dst)
}

func (tx *transactionRead) cancelled(err error) error {
	return cancelled(tx.actions, err)
}
