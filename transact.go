package ddb

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/google/uuid"

	"github.com/dynamotable/ddb/internal/codec"
	"github.com/dynamotable/ddb/internal/expr"
	"github.com/dynamotable/ddb/internal/wire"
)

// Limits of one transaction, see
// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactWriteItems.html
const (
	maxTransactOps   = 100
	maxTransactBytes = 4 << 20
	// A token is remembered for 10 minutes; a resend that comes later would be a new transaction.
	maxTokenAge = 9 * time.Minute
)

// TxOp is one operation of [Transact], made by a table's Tx methods, or an option
// of it ([Token]).
type TxOp interface{ addTo(*transaction) }

// Transact performs up to 100 operations on items of one or several tables, all
// or none:
//
//	err := ddb.Transact(ctx, client,
//		orders.TxCreate(&o),
//		stock.TxUpdate(key, qty.Sub(1), ddb.If(qty.Ge(1))))
//
// Everything that is wrong is refused before anything is sent: more than 100
// operations, items of more than 4 MB together, two operations on one item, and
// whatever the single verbs refuse. A transaction that DynamoDB cancels is a
// [*TransactionError] that says which operations are to blame and why; conflicts and
// throttling are tried again under the [RetryPolicy] of the first table, with the same
// token, so that the transaction is applied once at most.
//
// It costs twice the write units of the single operations, also when a condition fails.
func Transact(ctx context.Context, client Client, ops ...TxOp) error {
	tx := &transaction{client: client}
	for _, op := range ops {
		if op == nil {
			tx.errs = append(tx.errs, errors.New("an operation is nil"))
			continue
		}
		op.addTo(tx)
	}
	if err := tx.check(); err != nil {
		return opError("TransactWriteItems", tx.tables(), "", err)
	}
	if err := tx.send(ctx); err != nil {
		return opError("TransactWriteItems", tx.tables(), "", err)
	}
	for _, a := range tx.actions {
		if a.done != nil {
			a.done()
		}
	}
	return nil
}

type tokenOption string

func (o tokenOption) addTo(tx *transaction) { tx.token = string(o) }

// Token makes [Transact] use an idempotency token of the caller, of 1 to 36 characters:
// within 10 minutes, calls with the same token and the same operations are
// applied once. Without it each call has a random one.
func Token(token string) TxOp { return tokenOption(token) }

// TxPut is [Table.Put] in a transaction.
func (t *items[T, K]) TxPut(item *T, opts ...WriteOption[T]) TxOp {
	return t.txPut(verbPut, item, opts)
}

// TxCreate is [Table.Create] in a transaction.
func (t *items[T, K]) TxCreate(item *T) TxOp { return t.txPut(verbCreate, item, nil) }

// TxReplace is [Table.Replace] in a transaction.
func (t *items[T, K]) TxReplace(item *T, opts ...WriteOption[T]) TxOp {
	return t.txPut(verbReplace, item, opts)
}

// TxUpdate is [Table.Update] in a transaction; it returns no item.
func (t *items[T, K]) TxUpdate(key K, changes ...UpdateOption[T]) TxOp {
	return t.txUpdate("Update", key, true, changes)
}

// TxUpsert is [Table.Upsert] in a transaction; it returns no item.
func (t *items[T, K]) TxUpsert(key K, changes ...UpdateOption[T]) TxOp {
	return t.txUpdate("Upsert", key, false, changes)
}

// TxDelete is [Table.Delete] in a transaction.
func (t *items[T, K]) TxDelete(key K, opts ...WriteOption[T]) TxOp {
	return txFunc(func(tx *transaction) {
		w, err := writeOptions(opts)
		k, err2 := t.encodeKey(key)
		tx.add(t.deleteAction(k, w, nil), err, err2, t.needsVersion(w.conds), noOld("Delete", w.old))
	})
}

// TxDeleteItem is [Table.DeleteItem] in a transaction.
func (t *items[T, K]) TxDeleteItem(item *T, opts ...WriteOption[T]) TxOp {
	return txFunc(func(tx *transaction) {
		w, err := writeOptions(opts)
		if item == nil {
			tx.add(txAction{}, err, errors.New("the item is nil"))
			return
		}
		key, err2 := t.keyOfItem(item)
		guard, err3 := t.versionGuard("DeleteItem", item)
		tx.add(t.deleteAction(key, w, guard), err, err2, err3, noOld("DeleteItem", w.old))
	})
}

// TxCheck makes a transaction depend on an item that it does not write.
func (t *items[T, K]) TxCheck(key K, conds ...Cond[T]) TxOp {
	return txFunc(func(tx *transaction) {
		k, err := t.encodeKey(key)
		cond := And(conds...)
		if cond.err == nil && cond.node == nil {
			err = errors.Join(err, errors.New("a check without a condition"))
		}
		a := t.action("Check", t.keyID(k), cond.node, false)
		var w expr.Writer
		text := w.Render(cond.node)
		a.write.ConditionCheck = &types.ConditionCheck{
			TableName: &t.name, Key: k, ConditionExpression: &text,
			ExpressionAttributeNames: w.Names(), ExpressionAttributeValues: w.Values(),
			ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld,
		}
		tx.add(a, err, cond.err)
	})
}

// transaction gathers the operations of one call.
type transaction struct {
	client  Client
	token   string
	actions []txAction
	errs    []error
}

// txAction is one operation, ready to be sent.
type txAction struct {
	core   *core
	verb   string
	id     string // table and key, to find two operations on one item
	write  types.TransactWriteItem
	item   []byte
	done   func()
	failed func(item map[string]types.AttributeValue, cause error) error
}

type txFunc func(*transaction)

func (f txFunc) addTo(tx *transaction) { f(tx) }

// add takes an operation in, or the reasons why not.
func (tx *transaction) add(a txAction, errs ...error) {
	i := len(tx.actions)
	tx.actions = append(tx.actions, a)
	tx.errs = append(tx.errs, inputError("operation", i, errors.Join(errs...))...)
}

func (t *items[T, K]) action(verb, id string, cond expr.Node, needed bool) txAction {
	return txAction{
		core: t.core, verb: verb, id: t.name + "\x00" + id,
		failed: func(item map[string]types.AttributeValue, cause error) error {
			return conditionFailed[T](t.plan, cond, needed, item, cause)
		},
	}
}

func (t *items[T, K]) txPut(v verb, item *T, opts []WriteOption[T]) TxOp {
	return txFunc(func(tx *transaction) {
		p, err := t.preparePut(v, item, opts)
		if err != nil {
			tx.add(txAction{core: t.core}, err)
			return
		}
		a := t.action(v.String(), string(p.id), p.cond, v == verbReplace)
		a.item, a.done = p.item, p.done
		var w expr.Writer
		put := &types.Put{TableName: &t.name}
		if text := w.Render(p.cond); text != "" {
			put.ConditionExpression = &text
			put.ExpressionAttributeNames, put.ExpressionAttributeValues = w.Names(), w.Values()
			put.ReturnValuesOnConditionCheckFailure = types.ReturnValuesOnConditionCheckFailureAllOld
		}
		a.write.Put = put
		tx.add(a, noOld(v.String(), p.call.old))
	})
}

func (t *items[T, K]) txUpdate(verb string, key K, present bool, opts []UpdateOption[T]) TxOp {
	return txFunc(func(tx *transaction) {
		u, err := t.prepareUpdate(key, present, opts)
		if err != nil {
			tx.add(txAction{core: t.core}, err)
			return
		}
		a := t.action(verb, t.keyID(u.key), u.cond, present)
		var w expr.Writer
		update := &types.Update{TableName: &t.name, Key: u.key, UpdateExpression: aws.String(w.Update(u.update))}
		if text := w.Render(u.cond); text != "" {
			update.ConditionExpression = &text
			update.ReturnValuesOnConditionCheckFailure = types.ReturnValuesOnConditionCheckFailureAllOld
		}
		update.ExpressionAttributeNames, update.ExpressionAttributeValues = w.Names(), w.Values()
		a.write.Update = update
		tx.add(a, noOld(verb, u.call.old))
	})
}

func (t *items[T, K]) deleteAction(key map[string]types.AttributeValue, w writeCall[T], guard expr.Node) txAction {
	cond := And(append([]Cond[T]{{node: guard}}, w.conds...)...)
	a := t.action("Delete", t.keyID(key), cond.node, guard != nil)
	var ew expr.Writer
	del := &types.Delete{TableName: &t.name, Key: key}
	if text := ew.Render(cond.node); text != "" {
		del.ConditionExpression = &text
		del.ExpressionAttributeNames, del.ExpressionAttributeValues = ew.Names(), ew.Values()
		del.ReturnValuesOnConditionCheckFailure = types.ReturnValuesOnConditionCheckFailureAllOld
	}
	a.write.Delete = del
	return a
}

func noOld[T any](verb string, old *T) error {
	if old != nil {
		return fmt.Errorf("%s: ReturnOld in a transaction; DynamoDB returns no items from transactions", verb)
	}
	return nil
}

// tables names the tables of the transaction for error texts.
func (tx *transaction) tables() string {
	var names []string
	for _, a := range tx.actions {
		if a.core != nil && !slices.Contains(names, a.core.name) {
			names = append(names, a.core.name)
		}
	}
	return strings.Join(names, ",")
}

func (tx *transaction) check() error {
	errs := tx.errs
	if isNil(tx.client) {
		errs = append(errs, errors.New("client is nil"))
	}
	if n := len(tx.actions); n == 0 || n > maxTransactOps {
		errs = append(errs, fmt.Errorf("%d operations; a transaction takes 1 to %d", n, maxTransactOps))
	}
	if n := len(tx.token); n > 36 {
		errs = append(errs, fmt.Errorf("the token has %d characters; the limit is 36", n))
	}
	first, size := map[string]int{}, 0
	for i, a := range tx.actions {
		if a.id == "" {
			continue
		}
		if j, ok := first[a.id]; ok {
			errs = append(errs, fmt.Errorf("operations %d (%s) and %d (%s) are on the same item of table %s; a transaction takes one each", j, tx.actions[j].verb, i, a.verb, a.core.name))
			continue
		}
		first[a.id] = i
		if n, err := codec.ItemSize(a.item); a.item != nil && err == nil {
			size += n
		}
	}
	if size > maxTransactBytes {
		errs = append(errs, fmt.Errorf("the items have %d bytes together; the limit of a transaction is %d", size, maxTransactBytes))
	}
	return invalid(errs...)
}

// send sends the transaction until it is applied, refused for good, or given up.
func (tx *transaction) send(ctx context.Context) error {
	c := tx.actions[0].core
	if tx.token == "" {
		tx.token = uuid.NewString()
	}
	in := &dynamodb.TransactWriteItemsInput{ClientRequestToken: &tx.token, ReturnConsumedCapacity: c.consumed()}
	items := map[int][]byte{}
	for i, a := range tx.actions {
		in.TransactItems = append(in.TransactItems, a.write)
		if a.item != nil {
			items[i] = a.item
		}
	}
	retry, start := newRetrier(c.retry, c.budget), time.Now()
	for {
		out, err := wire.TransactWriteItems(ctx, tx.client, in, items, c.wire)
		if err == nil {
			retry.succeeded()
			tx.observe(ctx, out.ConsumedCapacity)
			return nil
		}
		tx.observe(ctx, nil)
		cause := tx.cancelled(err)
		var te *TransactionError
		if !errors.As(cause, &te) || !te.passing() {
			return cause
		}
		if time.Since(start) > maxTokenAge {
			return fmt.Errorf("gave up before the token expires: %w", cause)
		}
		if stop := retry.next(ctx, false); stop != nil {
			return fmt.Errorf("%w; %w", cause, stop)
		}
	}
}

func (tx *transaction) observe(ctx context.Context, ccs []types.ConsumedCapacity) {
	seen := map[*core]bool{}
	for _, a := range tx.actions {
		if seen[a.core] {
			continue
		}
		seen[a.core] = true
		var own []types.ConsumedCapacity
		for _, cc := range ccs {
			if deref(cc.TableName) == a.core.name {
				own = append(own, cc)
			}
		}
		a.core.ledger.observe(ctx, "TransactWriteItems", true, a.core.name, own...)
	}
}

// TransactionError is a transaction that DynamoDB cancelled; nothing of it was
// applied. Failed lists the operations to blame.
type TransactionError struct {
	Failed []TransactionFailure
	cause  error
}

// TransactionFailure is one operation that made DynamoDB cancel its transaction.
type TransactionFailure struct {
	Index int    // the place in the arguments of Transact, options not counted
	Verb  string // such as Create
	Table string
	// Reason is DynamoDB's code, such as ConditionalCheckFailed, TransactionConflict or ThrottlingError.
	Reason string
	// Err is the typed cause: a [*ConditionFailed] of the table's item type, a
	// [*ThrottledError], or DynamoDB's message.
	Err error
}

// Error lists the operations to blame.
func (e *TransactionError) Error() string {
	texts := make([]string, len(e.Failed))
	for i, f := range e.Failed {
		texts[i] = fmt.Sprintf("operation %d (%s %s) %s: %s", f.Index, f.Verb, f.Table, f.Reason, causeText(f.Err))
	}
	return "transaction cancelled: " + strings.Join(texts, "; ")
}

// At is the failure of the operation at an index, or nil if it is not to blame.
func (e *TransactionError) At(index int) *TransactionFailure {
	for i := range e.Failed {
		if e.Failed[i].Index == index {
			return &e.Failed[i]
		}
	}
	return nil
}

// Unwrap returns the causes of all failures and the service's error.
func (e *TransactionError) Unwrap() []error {
	errs := make([]error, 0, len(e.Failed)+1)
	for _, f := range e.Failed {
		errs = append(errs, f.Err)
	}
	return append(errs, e.cause)
}

// passing reports whether all reasons may be gone at the next attempt.
func (e *TransactionError) passing() bool {
	for _, f := range e.Failed {
		switch f.Reason {
		case "TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded":
		default:
			return false
		}
	}
	return len(e.Failed) > 0
}

// cancelled turns the service's cancellation into a TransactionError.
func (tx *transaction) cancelled(err error) error {
	var tce *types.TransactionCanceledException
	if !errors.As(err, &tce) {
		return err
	}
	e := &TransactionError{cause: err}
	for i, r := range tce.CancellationReasons {
		code := deref(r.Code)
		if code == "None" || code == "" || i >= len(tx.actions) {
			continue
		}
		a := tx.actions[i]
		e.Failed = append(e.Failed, TransactionFailure{Index: i, Verb: a.verb, Table: a.core.name, Reason: code, Err: a.reason(r, err)})
	}
	return e
}

func (a txAction) reason(r types.CancellationReason, cause error) error {
	switch deref(r.Code) {
	case "ConditionalCheckFailed":
		return a.failed(r.Item, cause)
	case "ThrottlingError", "ProvisionedThroughputExceeded":
		return &ThrottledError{err: errors.New(deref(r.Message))}
	}
	return errors.New(deref(r.Message))
}
