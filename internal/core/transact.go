// SPDX-License-Identifier: Apache-2.0

package core

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/google/uuid"

	"github.com/dynamotable/ddb/ddberr"
	"github.com/dynamotable/ddb/hooks"
	"github.com/dynamotable/ddb/internal/codec"
	"github.com/dynamotable/ddb/internal/operr"
	"github.com/dynamotable/ddb/internal/quiet"
	"github.com/dynamotable/ddb/internal/redact"
	"github.com/dynamotable/ddb/internal/retry"
	"github.com/dynamotable/ddb/internal/tablename"
	"github.com/dynamotable/ddb/internal/wire"
	"github.com/dynamotable/ddb/revision"
)

// Limits of one transaction, see
// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactWriteItems.html
const (
	maxTransactOps   = 100
	maxTransactBytes = 4 << 20
	maxTokenLength   = 36
	// DynamoDB remembers a token for 10 minutes; a later resend would be a new transaction.
	maxTokenAge = 9 * time.Minute
)

// TxPart is a ddb.TxOp.
type TxPart interface{ AddTo(*Transaction) }

// Transact performs n operations.
func Transact(ctx context.Context, client wire.Client, n int, op func(int) TxPart) error {
	tx := &Transaction{client: client, start: time.Now()}
	defer tx.report()
	for i := range n {
		op := op(i)
		if _, ok := op.(TxFunc); !ok && op != nil { // options first: operations are stamped by them
			op.AddTo(tx)
		}
	}
	for i := range n {
		if op := op(i); op == nil {
			tx.errs = append(tx.errs, errors.New("an operation is nil"))
		} else if f, ok := op.(TxFunc); ok {
			f(tx)
			tx.arg++
		}
	}
	err := tx.check()
	if err == nil {
		err = tx.send(ctx)
	}
	if err != nil {
		cores := tx.cores()
		if err = operr.New("TransactWriteItems", tableNames(cores), "", err); errors.Is(err, ddberr.ErrOutcomeUnknown) {
			reportFailure(ctx, cores, hooks.Failure{Operation: "TransactWriteItems", Table: cores[0].Name, Items: len(cores), Err: err})
		}
		return err
	}
	for _, a := range tx.actions {
		if a.done != nil {
			a.done()
		}
		a.core.warnSize(a.item)
	}
	tx.stats.Done = len(tx.actions)
	return nil
}

// mark returns the time and the tag of the operation that is being added. With a token of the caller they are the same for
// every call with that token, since DynamoDB refuses a repeated token with other parameters.
func (tx *Transaction) mark(c *Table) (mark, error) {
	m := c.newMark()
	if tx.token != "" {
		sum := sha256.Sum256(fmt.Appendf(nil, "%d %d %s", tx.arg, len(tx.actions), tx.token))
		m.tag = revision.Tag(sum[:])
	}
	if !tx.stamped.IsZero() {
		m.time = tx.stamped
	} else if tx.token != "" && (c.created != nil || c.updated != nil) {
		return m, fmt.Errorf("ddb.Token with table %s, which stamps times: add ddb.StampTime, so that a repeated call sends the same times and is recognised", c.Name)
	}
	return m, nil
}

// StampTimeOption is the result of ddb.StampTime.
type StampTimeOption time.Time

// AddTo makes it a TxOp.
func (o StampTimeOption) AddTo(tx *Transaction) {
	if tx.stamped = time.Time(o); tx.stamped.IsZero() {
		tx.errs = append(tx.errs, errors.New("option StampTime: the time is zero"))
	}
}

// TokenOption is the result of ddb.Token.
type TokenOption string

// AddTo makes it a TxOp.
func (o TokenOption) AddTo(tx *Transaction) {
	if n := len(o); n == 0 || n > maxTokenLength {
		tx.errs = append(tx.errs, fmt.Errorf("the token has %d characters; it must have 1 to %d", n, maxTokenLength))
	}
	tx.token = string(o)
}

// Transaction collects the operations of one call.
type Transaction struct {
	client  wire.Client
	token   string
	stamped time.Time // zero for now
	arg     int       // how many operations were added; an operation may be several actions
	actions []txAction
	errs    []error
	dst     *BatchStats
	stats   BatchStats
	start   time.Time
}

// txAction is one operation, ready to be sent.
type txAction struct {
	core   *Table
	arg    int // the operation that it is of
	verb   string
	id     string // of the key, to find two operations on one item; empty if there is no key
	write  types.TransactWriteItem
	item   []byte
	done   func()
	failed func(item map[string]types.AttributeValue, cause error) error
	base   revision.Revision // that its condition requires, zero if it requires none
}

// neverAgain reports whether the action's condition can never be true again, given the item that it failed on: its revision
// was replaced, and revisions do not return.
func (a *txAction) neverAgain(item map[string]types.AttributeValue) bool {
	return !a.base.IsZero() && tagsOf(a.core.storedState(item).revision).Place(a.base.Tags[0]) != 0
}

// TxFunc is an operation of a transaction, as a function that adds it.
type TxFunc func(*Transaction)

// AddTo makes it a TxOp.
func (f TxFunc) AddTo(tx *Transaction) { f(tx) }

// add adds an operation, or the reasons why it is refused.
func (tx *Transaction) add(a txAction, errs ...error) {
	a.arg = tx.arg
	tx.actions = append(tx.actions, a)
	tx.errs = append(tx.errs, operr.Input("operation", a.arg, errors.Join(errs...))...)
}

func (tx *Transaction) check() error {
	errs := tx.errs
	if isNil(tx.client) {
		errs = append(errs, errors.New("client is nil"))
	}
	if n := len(tx.actions); n == 0 || n > maxTransactOps {
		errs = append(errs, fmt.Errorf("%d operations; a transaction takes 1 to %d", n, maxTransactOps))
	}
	first, size := map[string]int{}, 0
	for i, a := range tx.actions {
		if a.id == "" {
			continue
		}
		id := tablename.Short(a.core.Name) + "\x00" + a.id
		if j, ok := first[id]; ok {
			errs = append(errs, fmt.Errorf("operations %d (%s) and %d (%s) are on the same item of table %s; a transaction takes one each", tx.actions[j].arg, tx.actions[j].verb, a.arg, a.verb, a.core.Name))
			continue
		}
		first[id] = i
		if n, err := codec.ItemSize(a.item); a.item != nil && err == nil {
			size += n
		}
	}
	if size > maxTransactBytes {
		errs = append(errs, fmt.Errorf("the items have %d bytes together; the limit of a transaction is %d", size, maxTransactBytes))
	}
	return operr.Invalid(errs...)
}

// send sends the transaction until it is applied, permanently refused, or given up.
func (tx *Transaction) send(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	c := tx.actions[0].core
	if tx.token == "" {
		tx.token = uuid.NewString()
	}
	cores := tx.cores()
	in := &dynamodb.TransactWriteItemsInput{ClientRequestToken: &tx.token}
	items := map[int][]byte{}
	for i, a := range tx.actions {
		in.TransactItems = append(in.TransactItems, a.write)
		if a.item != nil {
			items[i] = a.item
		}
	}
	var (
		loop  = c.retrier()
		sent  int
		worst outcome
	)
	for {
		seen := &attempts{repeat: true} // by the token it is the same transaction
		info := requestInfo{op: "TransactWriteItems", write: true, actions: tx.actions}
		r, err := sendAll(ctx, cores, &info, seen.into(c.wire), func(ctx context.Context, o outgoing) (replyInfo, error) {
			in.ReturnConsumedCapacity, in.ReturnItemCollectionMetrics = o.capacity, o.metrics
			out, err := wire.TransactWriteItems(ctx, tx.client, in, items, o.options)
			if out == nil {
				return replyInfo{}, err
			}
			return replyInfo{answered: true, capacities: out.ConsumedCapacity, collections: out.ItemCollectionMetrics, items: len(tx.actions)}, err
		})
		tx.stats.count(true, &r)
		if r.sent {
			sent += max(seen.n, 1)
		}
		if err == nil || outcomeOf(err) == applied {
			loop.Succeeded()
			return nil
		}
		worst = max(worst, seen.worst, outcomeOf(err))
		cause := cancelled(tx.actions, err)
		te, ok := errors.AsType[*ddberr.TransactionError](cause)
		if ok && !ddberr.IsRetryable(te) {
			// The token proves that no earlier request was applied before this one was refused. One that is still in flight
			// can be applied later, unless a failed condition can never be true again.
			if worst == notApplied || tx.neverAgain(err) {
				return cause
			}
			// Without the cause: it is not known whether the condition failed.
			return unknownAfter(ctx, sent, err)
		}
		if ok {
			stop := tx.wait(ctx, loop)
			if stop == nil {
				tx.stats.Retries++
				continue
			}
			cause = fmt.Errorf("%w; %w", cause, stop)
		}
		if worst != notApplied {
			return unknownAfter(ctx, sent, cause)
		}
		return cause
	}
}

// neverAgain reports whether a condition failed that can never be true again.
func (tx *Transaction) neverAgain(err error) bool {
	var tce *types.TransactionCanceledException
	if !errors.As(err, &tce) {
		return false
	}
	for i, r := range tce.CancellationReasons {
		if i < len(tx.actions) && aws.ToString(r.Code) == "ConditionalCheckFailed" && tx.actions[i].neverAgain(r.Item) {
			return true
		}
	}
	return false
}

// wait waits for the next attempt, unless the token would expire before it.
func (tx *Transaction) wait(ctx context.Context, loop *retry.Loop) error {
	if err := loop.Next(ctx, false); err != nil {
		return err
	}
	if time.Since(tx.start) > maxTokenAge {
		return errors.New("gave up before the token expires")
	}
	return nil
}

func (tx *Transaction) report() {
	tx.stats.Elapsed = time.Since(tx.start)
	tx.stats.report(tx.dst)
}

func (tx *Transaction) cores() []*Table {
	cores := make([]*Table, 0, len(tx.actions))
	for _, a := range tx.actions {
		cores = append(cores, a.core)
	}
	return cores
}

// tableNames returns the names of the tables for error texts.
func tableNames(cores []*Table) string {
	var names []string
	for _, c := range cores {
		if name := c.Label(); name != "" && !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return strings.Join(names, ",")
}

// cancelled converts the service's cancellation to a TransactionError.
func cancelled(actions []txAction, err error) error {
	var tce *types.TransactionCanceledException
	if !errors.As(err, &tce) {
		return err
	}
	e := ddberr.Transaction(err)
	for i, r := range tce.CancellationReasons {
		code := quiet.Code(aws.ToString(r.Code))
		if code == "None" || code == "" || i >= len(actions) {
			continue
		}
		a := actions[i]
		e.Failed = append(e.Failed, ddberr.TransactionFailure{Index: a.arg, Verb: a.verb, Table: a.core.Name, Reason: code, Err: a.reason(r, err)})
	}
	return e
}

func (a txAction) reason(r types.CancellationReason, cause error) error {
	reason := errors.New(redact.Message(aws.ToString(r.Message)))
	switch aws.ToString(r.Code) {
	case "ConditionalCheckFailed":
		return a.failed(r.Item, cause)
	case "ThrottlingError", "ProvisionedThroughputExceeded":
		return ddberr.Throttled(reason, 0)
	case "ValidationError":
		return operr.AdviseOn("ValidationException", aws.ToString(r.Message), reason)
	}
	return reason
}
