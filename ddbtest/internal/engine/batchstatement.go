// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"context"
	"strconv"
	"strings"

	"github.com/dynamotable/ddb/ddbtest/internal/partiql"
	"github.com/dynamotable/ddb/ddbtest/internal/value"
)

// BatchExecuteStatementInput holds the parameters of BatchExecuteStatement.
type BatchExecuteStatementInput struct {
	Statements             []StatementInput // nil if absent
	ReturnConsumedCapacity *string
}

// BatchExecuteStatementOutput is the result of BatchExecuteStatement.
type BatchExecuteStatementOutput struct {
	Responses        []StatementResponse
	ConsumedCapacity []*ConsumedCapacity
}

// StatementResponse is the result of one statement of a batch.
type StatementResponse struct {
	TableName string // "" if the statement is malformed
	Item      []byte // the wire form, or nil
	// Failure is nil for a statement that succeeded.
	Failure *CancellationReason
}

// maxBatchStatements is the number of statements in a batch.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchExecuteStatement.html
const maxBatchStatements = 25

// BatchExecuteStatement executes up to 25 statements on one item each, all of
// them reads or all of them writes. Each succeeds or fails independently. A failed
// condition never returns the item.
//
// https://github.com/nubo-db/dynoxide/blob/main/CHANGELOG.md has measured the texts, what is refused as a whole, the
// replies that name the table, and that ReturnValuesOnConditionCheckFailure does nothing.
func (e *Engine) BatchExecuteStatement(ctx context.Context, in *BatchExecuteStatementInput) (*BatchExecuteStatementOutput, error) {
	var c constraints
	statementList(&c, "statements", in.Statements, maxBatchStatements)
	c.enum("returnConsumedCapacity", in.ReturnConsumedCapacity, capacitySet)
	if err := c.err(); err != nil {
		return nil, err
	}
	statements, errs := make([]partiql.Statement, len(in.Statements)), make([]error, len(in.Statements))
	reads, writes := false, false
	for i := range in.Statements {
		statements[i], errs[i] = in.Statements[i].parse()
		if errs[i] != nil {
			continue
		}
		if _, ok := statements[i].(*partiql.Select); ok {
			reads = true
		} else {
			writes = true
		}
	}
	if reads && writes {
		return nil, invalid("Read and write requests together in the same batch is not supported.")
	}
	if err := e.distinctStatements(statements); err != nil {
		return nil, err
	}
	out := &BatchExecuteStatementOutput{Responses: make([]StatementResponse, len(statements))}
	for i, s := range statements {
		response, err := &out.Responses[i], errs[i]
		if err == nil {
			var capacity *ConsumedCapacity
			response.TableName = s.TableName()
			response.Item, capacity, err = e.executeMember(ctx, s, &in.Statements[i], in.ReturnConsumedCapacity)
			if capacity != nil {
				out.ConsumedCapacity = append(out.ConsumedCapacity, capacity)
			}
		}
		if err != nil {
			response.Failure = statementFailure(err)
			if code := response.Failure.Code; code == "ValidationError" || code == "ResourceNotFound" {
				response.TableName = "" // it was not executed
			}
		}
	}
	return out, nil
}

// distinctStatements makes sure that no two statements are on one item. Statements that do not name an item fail
// later.
func (e *Engine) distinctStatements(statements []partiql.Statement) error {
	seen := make(map[tableKey]bool, len(statements))
	for _, s := range statements {
		if s == nil {
			continue
		}
		t := e.lookup(s.TableName())
		if t == nil {
			continue
		}
		schema := t.Schema()
		key := statementKey(&schema.Key, s)
		if key == nil || schema.checkKey(key) != nil {
			continue
		}
		at := tableKey{t, schema.Key.storageKey(key)}
		if seen[at] {
			return invalid("Provided list of item keys contains duplicates")
		}
		seen[at] = true
	}
	return nil
}

// statementKey returns the key of the item that a statement is on, or nil.
func statementKey(schema *KeySchema, s partiql.Statement) value.Item {
	var where partiql.Node
	switch s := s.(type) {
	case *partiql.Insert:
		if key := schema.Of(s.Item); len(key) == schema.Len() {
			return key
		}
		return nil
	case *partiql.Select:
		where = s.Where
	case *partiql.Update:
		where = s.Where
	case *partiql.Delete:
		where = s.Where
	}
	key, _, _ := splitKey(schema, where)
	return key
}

// statementList checks a list of statements.
func statementList(c *constraints, path string, list []StatementInput, most int) {
	if !c.required(path, list != nil) {
		return
	}
	switch n := len(list); {
	case n == 0:
		c.fail(path, "[]", false, "Member must have length greater than or equal to 1")
	case n > most:
		texts := make([]string, n)
		for i := range list {
			texts[i] = text(list[i].Statement)
		}
		c.fail(path, "["+strings.Join(texts, ", ")+"]", false, "Member must have length less than or equal to "+strconv.Itoa(most))
	}
	for i := range list {
		list[i].constraints(c, member(path, i)+".")
	}
}

// executeMember executes one statement of a batch.
func (e *Engine) executeMember(ctx context.Context, s partiql.Statement, in *StatementInput, mode *string) ([]byte, *ConsumedCapacity, error) {
	const operation = "BatchExecuteStatement"
	read, ok := s.(*partiql.Select)
	if !ok {
		silent := *in
		silent.ReturnValuesOnConditionCheckFailure = nil
		item, capacity, err := e.executeWrite(ctx, s, &silent, operation, mode)
		return item, capacity, err
	}
	if read.Exists {
		return nil, nil, errExistsAlone
	}
	r, err := e.bindStatementRead(read, operation)
	if err != nil {
		return nil, nil, err
	}
	if err := e.admit(ctx, r.access()); err != nil {
		return nil, nil, err
	}
	consistent := in.ConsistentRead != nil && *in.ConsistentRead
	item, err := e.getItem(r, consistent)
	if err != nil {
		return nil, nil, err
	}
	image, err := r.image(item)
	if err != nil {
		return nil, nil, err
	}
	var m meter
	m.addTable(readCost(sizeOf(item), consistent))
	return image, m.report(r.table.name, mode, unnamedUnits), nil
}

// bindStatementRead turns a SELECT of one item into a read, which has the key as its only condition.
//
// https://github.com/floci-io/floci/pull/3798 has measured it.
func (e *Engine) bindStatementRead(s *partiql.Select, operation string) (*read, error) {
	t, err := e.table(s.Table)
	if err != nil {
		return nil, err
	}
	if s.Index != "" && operation == executeTransaction {
		return nil, &Error{Type: ValidationException, Message: "Reads on indices are not supported within transactions.", early: true}
	}
	key, rest, _ := splitKey(&t.Schema().Key, s.Where)
	if key == nil || len(rest) > 0 || s.Index != "" {
		return nil, &Error{
			Type:    ValidationException,
			Message: "Select statements within " + operation + " must specify the primary key in the where clause.",
			early:   true,
		}
	}
	r := &read{operation: operation, key: key, projection: projectionOfColumns(s.Columns)}
	return r, e.bindRead(r, &s.Table)
}

// statementFailure returns the error of one statement of a batch.
func statementFailure(err error) *CancellationReason {
	reason, ok := reasonOf(err)
	if !ok {
		e := AsError(err)
		switch e.Type {
		case ResourceNotFoundException:
			reason.Code = "ResourceNotFound"
		case RequestLimitExceeded:
			reason.Code = "RequestLimitExceeded"
		default:
			reason.Code = "InternalServerError"
		}
	}
	return &reason
}
