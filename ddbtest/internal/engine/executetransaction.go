// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"context"

	"github.com/dynamotable/ddb/ddbtest/internal/partiql"
)

// ExecuteTransactionInput holds the parameters of ExecuteTransaction.
type ExecuteTransactionInput struct {
	TransactStatements     []StatementInput // nil if absent
	ClientRequestToken     *string
	ReturnConsumedCapacity *string
}

// ExecuteTransactionOutput is the result of ExecuteTransaction.
type ExecuteTransactionOutput struct {
	// Responses are the wire forms of the items that are read, nil for one that
	// is absent. Writes have none.
	Responses        [][]byte
	ConsumedCapacity []*ConsumedCapacity
}

// executeTransaction is the name of the operation for the hooks.
const executeTransaction = "ExecuteTransaction"

// ExecuteTransaction executes up to 100 statements on one item each, all of
// them or none. They are all reads, or all writes and condition checks.
//
// https://github.com/nubo-db/dynoxide/blob/main/CHANGELOG.md has measured the texts.
func (e *Engine) ExecuteTransaction(ctx context.Context, in *ExecuteTransactionInput) (*ExecuteTransactionOutput, error) {
	var c constraints
	statementList(&c, "transactStatements", in.TransactStatements, maxTransactItems)
	if in.ClientRequestToken != nil {
		c.length("clientRequestToken", *in.ClientRequestToken, 1, 36)
	}
	c.enum("returnConsumedCapacity", in.ReturnConsumedCapacity, capacitySet)
	if err := c.err(); err != nil {
		return nil, err
	}
	statements := make([]partiql.Statement, len(in.TransactStatements))
	var reads []*partiql.Select
	for i := range in.TransactStatements {
		s, err := in.TransactStatements[i].parse()
		if err != nil {
			return nil, err
		}
		if returning(s) != "" {
			return nil, invalid("Validation failed in TransactStatements[%d]: RETURNING clause is not supported in ExecuteTransaction.", i)
		}
		if read, ok := s.(*partiql.Select); ok && !read.Exists {
			reads = append(reads, read)
		}
		statements[i] = s
	}
	switch len(reads) {
	case 0:
		return e.transactStatements(ctx, statements, in)
	case len(statements):
		return e.transactSelects(ctx, reads, in)
	default:
		return nil, invalid("ExecuteTransaction API does not support both read and write operations in the same request.")
	}
}

// transactStatements executes statements that write or check.
func (e *Engine) transactStatements(ctx context.Context, statements []partiql.Statement, in *ExecuteTransactionInput) (*ExecuteTransactionOutput, error) {
	actions := make([]*action, len(statements))
	if err := each(len(statements), func(i int) (err error) {
		actions[i], err = e.bindWrite(statements[i], &in.TransactStatements[i], executeTransaction)
		return err
	}); err != nil {
		return nil, err
	}
	if err := distinct(actions); err != nil {
		return nil, err
	}
	var request uint64
	for i := range in.TransactStatements {
		request = mix(request, in.TransactStatements[i].fingerprint())
	}
	effects, replay, err := e.transactToken(ctx, actions, text(in.ClientRequestToken), request)
	if err != nil {
		return nil, err
	}
	out := &ExecuteTransactionOutput{Responses: [][]byte{}}
	if replay != nil {
		out.ConsumedCapacity = replayed(actions, replay, in.ReturnConsumedCapacity)
	} else {
		out.ConsumedCapacity = transacted(actions, effects, in.ReturnConsumedCapacity)
	}
	return out, nil
}

// each binds the members of a transaction. An error of one of them cancels the
// transaction, unless the service finds it before it starts one.
//
// https://github.com/floci-io/floci/pull/3798 has measured that a missing table cancels as well.
func each(n int, bind func(i int) error) error {
	reasons, failed := make([]CancellationReason, n), false
	for i := range n {
		err := bind(i)
		if err == nil {
			continue
		}
		answer := AsError(err)
		code := "ValidationError"
		switch {
		case answer.Type == ResourceNotFoundException:
			code = "ResourceNotFound"
		case answer.Type != ValidationException, answer.early:
			return err
		}
		reasons[i], failed = CancellationReason{Code: code, Message: answer.Message}, true
	}
	if failed {
		return cancelled(reasons)
	}
	return nil
}

// transactSelects executes statements that read.
func (e *Engine) transactSelects(ctx context.Context, selects []*partiql.Select, in *ExecuteTransactionInput) (*ExecuteTransactionOutput, error) {
	reads := make([]*read, len(selects))
	if err := each(len(selects), func(i int) (err error) {
		reads[i], err = e.bindStatementRead(selects[i], executeTransaction)
		return err
	}); err != nil {
		return nil, err
	}
	keys, seen := make([]tableKey, len(reads)), make(map[tableKey]bool, len(reads))
	for i, r := range reads {
		keys[i] = tableKey{r.table, r.storeKey}
		if seen[keys[i]] {
			return nil, errDuplicateActions
		}
		seen[keys[i]] = true
	}
	items, err := e.readTogether(ctx, reads, keys)
	if err != nil {
		return nil, err
	}
	images, capacity, err := readImages(reads, items, in.ReturnConsumedCapacity)
	if err != nil {
		return nil, err
	}
	return &ExecuteTransactionOutput{Responses: images, ConsumedCapacity: capacity}, nil
}
