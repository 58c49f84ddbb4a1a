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
	TableName string // "" if the statement has no form
	Item      []byte // the wire form, or nil
	// Failure is nil for a statement that succeeded.
	Failure *CancellationReason
}

// maxBatchStatements is the number of statements in a batch.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchExecuteStatement.html
const maxBatchStatements = 25

// BatchExecuteStatement executes up to 25 statements on one item each, all of
// them reads or all of them writes. Each succeeds or fails by itself.
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
		return nil, invalid("The batch must consist of either read statements or write statements, both cannot be mixed")
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
		}
	}
	return out, nil
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
		return e.executeWrite(ctx, s, in, operation, mode)
	}
	if read.Exists {
		return nil, nil, invalid("EXISTS is only supported in ExecuteTransaction")
	}
	r, err := e.bindStatementRead(read, operation, errBatchKey)
	if err != nil {
		return nil, nil, err
	}
	if err := e.admit(ctx, r.access()); err != nil {
		return nil, nil, err
	}
	item := r.table.items.Get(r.storeKey)
	image, err := r.image(item)
	if err != nil {
		return nil, nil, err
	}
	var m meter
	m.addTable(readCost(sizeOf(item), in.ConsistentRead != nil && *in.ConsistentRead))
	return image, m.report(r.table.name, mode, unnamedUnits), nil
}

var errBatchKey = invalid("Select statements within BatchExecuteStatement must specify the primary key in the where clause.")

// bindStatementRead turns a SELECT of one item into a read. It fails with noKey
// if the conditions do not name one item of the table.
func (e *Engine) bindStatementRead(s *partiql.Select, operation string, noKey error) (*read, error) {
	t, err := e.table(s.Table)
	if err != nil {
		return nil, err
	}
	key, rest := splitKey(&t.Schema().Key, s.Where)
	if key == nil || s.Index != "" {
		return nil, noKey
	}
	filter, err := statementCondition(filterParameter, rest)
	if err != nil {
		return nil, err
	}
	r := &read{operation: operation, key: key, projection: projectionOfColumns(s.Columns)}
	if filter != nil {
		r.projection = filtered{filter, r.projection}
	}
	return r, e.bindRead(r, &s.Table)
}

// filtered is a projection that leaves nothing of an item that does not meet a
// condition.
type filtered struct {
	condition
	projection
}

// Apply returns nil for an item that does not meet the condition.
func (f filtered) Apply(item value.Item) value.Item {
	if met, err := f.Eval(item); err != nil || !met {
		return nil
	}
	if f.projection == nil {
		return item
	}
	return f.projection.Apply(item)
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
