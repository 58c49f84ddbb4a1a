// SPDX-License-Identifier: Apache-2.0

package protocol

import (
	"context"

	"github.com/dynamotable/ddb/ddbtest/internal/engine"
)

// statementFields are the members that every statement has.
func statementFields[T any](part func(*T) *engine.StatementInput) structure[T] {
	member := func(name string, read func(*reader, *engine.StatementInput)) field[T] {
		return field[T]{name, func(r *reader, in *T) { read(r, part(in)) }}
	}
	return structure[T]{
		member("Statement", func(r *reader, in *engine.StatementInput) { in.Statement = r.str() }),
		member("Parameters", func(r *reader, in *engine.StatementInput) { in.Parameters = r.attributeList() }),
		member("ConsistentRead", func(r *reader, in *engine.StatementInput) { in.ConsistentRead = r.boolean() }),
		member("ReturnValuesOnConditionCheckFailure", func(r *reader, in *engine.StatementInput) {
			in.ReturnValuesOnConditionCheckFailure = r.str()
		}),
	}
}

var executeStatementStructure = append(
	statementFields(func(in *engine.ExecuteStatementInput) *engine.StatementInput { return &in.StatementInput }),
	field[engine.ExecuteStatementInput]{"Limit", func(r *reader, in *engine.ExecuteStatementInput) { in.Limit = r.integer("Integer") }},
	field[engine.ExecuteStatementInput]{"NextToken", func(r *reader, in *engine.ExecuteStatementInput) { in.NextToken = r.str() }},
	field[engine.ExecuteStatementInput]{"ReturnConsumedCapacity", func(r *reader, in *engine.ExecuteStatementInput) {
		in.ReturnConsumedCapacity = r.str()
	}},
)

func executeStatement(ctx context.Context, e *engine.Engine, r *reader) ([]byte, error) {
	var in engine.ExecuteStatementInput
	if err := readInput(r, executeStatementStructure, &in); err != nil {
		return nil, err
	}
	out, err := e.ExecuteStatement(ctx, &in)
	if err != nil {
		return nil, err
	}
	size := 256
	for _, item := range out.Items {
		size += len(item) + 1
	}
	w := newWriter(size)
	w.consumed(out.ConsumedCapacity)
	w.name("Items")
	w.images(out.Items)
	if out.LastEvaluatedKey != nil {
		w.raw("LastEvaluatedKey", out.LastEvaluatedKey)
	}
	if out.NextToken != nil {
		w.str("NextToken", *out.NextToken)
	}
	return w.end(), nil
}

var statementStructure = statementFields(func(in *engine.StatementInput) *engine.StatementInput { return in })

var batchStatementStructure = structure[engine.BatchExecuteStatementInput]{
	{"Statements", func(r *reader, in *engine.BatchExecuteStatementInput) {
		in.Statements = readList(r, statementStructure)
	}},
	{"ReturnConsumedCapacity", func(r *reader, in *engine.BatchExecuteStatementInput) { in.ReturnConsumedCapacity = r.str() }},
}

func batchExecuteStatement(ctx context.Context, e *engine.Engine, r *reader) ([]byte, error) {
	var in engine.BatchExecuteStatementInput
	if err := readInput(r, batchStatementStructure, &in); err != nil {
		return nil, err
	}
	out, err := e.BatchExecuteStatement(ctx, &in)
	if err != nil {
		return nil, err
	}
	w := newWriter(512)
	w.consumedList(out.ConsumedCapacity)
	w.name("Responses")
	w.open('[')
	for i := range out.Responses {
		w.next()
		w.statementResponse(&out.Responses[i])
	}
	w.close(']')
	return w.end(), nil
}

func (w *writer) statementResponse(s *engine.StatementResponse) {
	w.open('{')
	if f := s.Failure; f != nil {
		w.name("Error")
		w.open('{')
		w.str("Code", f.Code)
		if f.Item != nil {
			w.raw("Item", f.Item)
		}
		if f.Message != "" {
			w.str("Message", f.Message)
		}
		w.close('}')
	}
	if s.Item != nil {
		w.raw("Item", s.Item)
	}
	if s.TableName != "" {
		w.str("TableName", s.TableName)
	}
	w.close('}')
}

var executeTransactionStructure = structure[engine.ExecuteTransactionInput]{
	{"TransactStatements", func(r *reader, in *engine.ExecuteTransactionInput) {
		in.TransactStatements = readList(r, statementStructure)
	}},
	{"ClientRequestToken", func(r *reader, in *engine.ExecuteTransactionInput) { in.ClientRequestToken = r.str() }},
	{"ReturnConsumedCapacity", func(r *reader, in *engine.ExecuteTransactionInput) { in.ReturnConsumedCapacity = r.str() }},
}

func executeTransaction(ctx context.Context, e *engine.Engine, r *reader) ([]byte, error) {
	var in engine.ExecuteTransactionInput
	if err := readInput(r, executeTransactionStructure, &in); err != nil {
		return nil, err
	}
	out, err := e.ExecuteTransaction(ctx, &in)
	if err != nil {
		return nil, err
	}
	w := newWriter(512)
	w.consumedList(out.ConsumedCapacity)
	w.itemResponses(out.Responses)
	return w.end(), nil
}
