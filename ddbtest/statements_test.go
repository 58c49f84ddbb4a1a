// SPDX-License-Identifier: Apache-2.0

package ddbtest_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/dynamotable/ddb/ddbtest"
)

func batchOf(statements ...string) []types.BatchStatementRequest {
	list := make([]types.BatchStatementRequest, len(statements))
	for i := range statements {
		list[i].Statement = &statements[i]
	}
	return list
}

func transactionOf(statements ...string) []types.ParameterizedStatement {
	list := make([]types.ParameterizedStatement, len(statements))
	for i := range statements {
		list[i].Statement = &statements[i]
	}
	return list
}

// A batch as in ql-reference.multiplestatements.batching: every statement
// succeeds or fails independently.
func TestBatchStatements(t *testing.T) {
	ctx, client := context.Background(), ddbtest.New(t)
	mustCreate(t, client, musicTable())
	mustPut(t, client, "Music", item{"Artist": str("a"), "SongTitle": str("s"), "n": num("1")})
	type answer struct{ Table, Code, Message string }
	run := func(list []types.BatchStatementRequest) ([]answer, *dynamodb.BatchExecuteStatementOutput) {
		t.Helper()
		out, err := client.BatchExecuteStatement(ctx, &dynamodb.BatchExecuteStatementInput{Statements: list, ReturnConsumedCapacity: types.ReturnConsumedCapacityTotal})
		if err != nil {
			t.Fatal(err)
		}
		var got []answer
		for _, r := range out.Responses {
			a := answer{Table: aws.ToString(r.TableName)}
			if r.Error != nil {
				a.Code, a.Message = string(r.Error.Code), aws.ToString(r.Error.Message)
			}
			got = append(got, a)
		}
		return got, out
	}
	writes := batchOf(
		`INSERT INTO Music VALUE {'Artist': 'b', 'SongTitle': 's'}`,
		`UPDATE Music SET n = n + 1 WHERE Artist = 'a' AND SongTitle = 's' RETURNING ALL NEW *`,
		`DELETE FROM Nothing WHERE a = 1`,
		`no statement`,
		`DELETE FROM Music WHERE Artist = 'a'`,
	)
	got, out := run(writes)
	if diff := cmp.Diff([]answer{
		{Table: "Music"},
		{Table: "Music"},
		{"", "ResourceNotFound", "Requested resource not found"},
		{"", "ValidationError", "Statement wasn't well formed, can't be processed: Expected data manipulation"},
		{"", "ValidationError", "Where clause does not contain a mandatory equality on all key attributes"},
	}, got); diff != "" {
		t.Error(diff)
	}
	now := item{"Artist": str("a"), "SongTitle": str("s"), "n": num("2")}
	if diff := cmp.Diff(now, out.Responses[1].Item, sameValues); diff != "" {
		t.Error(diff)
	}
	failing := batchOf(
		`INSERT INTO Music VALUE {'Artist': 'b', 'SongTitle': 's'}`,
		`UPDATE Music SET n = 9 WHERE Artist = 'a' AND SongTitle = 's' AND n > 5`,
	)
	failing[1].ReturnValuesOnConditionCheckFailure = types.ReturnValuesOnConditionCheckFailureAllOld
	got, out = run(failing)
	if diff := cmp.Diff([]answer{
		{"Music", "DuplicateItem", "Duplicate primary key exists in table"},
		{"Music", "ConditionalCheckFailed", "The conditional request failed"},
	}, got); diff != "" {
		t.Error(diff)
	}
	if out.Responses[1].Error.Item != nil { // https://github.com/nubo-db/dynoxide/issues/184
		t.Errorf("the failed condition returned %v", out.Responses[1].Error.Item)
	}

	const noKey = "Select statements within BatchExecuteStatement must specify the primary key in the where clause."
	reads := batchOf(
		`SELECT n FROM Music WHERE Artist = 'a' AND SongTitle = 's'`,
		`SELECT * FROM Music WHERE Artist = 'none' AND SongTitle = 's'`,
		`SELECT * FROM Music WHERE Artist = 'b' AND SongTitle = 's' AND n > 5`,
		`SELECT * FROM Music WHERE Artist = 'a'`,
		`SELECT * FROM Music.ByGenre WHERE Genre = 'a' AND SongTitle = 's'`,
	)
	reads[0].ConsistentRead = aws.Bool(true)
	got, out = run(reads)
	if diff := cmp.Diff([]answer{{Table: "Music"}, {Table: "Music"},
		{"", "ValidationError", noKey}, {"", "ValidationError", noKey}, {"", "ValidationError", noKey},
	}, got); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(item{"n": num("2")}, out.Responses[0].Item, sameValues); diff != "" {
		t.Error(diff)
	}
	if out.Responses[1].Item != nil {
		t.Errorf("an item that is not there: %v", out.Responses)
	}
	var units []float64
	for _, c := range out.ConsumedCapacity {
		units = append(units, *c.CapacityUnits)
	}
	if diff := cmp.Diff([]float64{1, 0.5}, units); diff != "" {
		t.Error(diff)
	}

	_, err := client.BatchExecuteStatement(ctx, &dynamodb.BatchExecuteStatementInput{Statements: append(reads, writes[0])})
	wantRejected(t, err, "ValidationException", "Read and write requests together in the same batch is not supported.")
	_, err = client.BatchExecuteStatement(ctx, &dynamodb.BatchExecuteStatementInput{Statements: append(batchOf(`no statement`), reads[0], reads[0])})
	wantRejected(t, err, "ValidationException", "Provided list of item keys contains duplicates")
	_, err = client.BatchExecuteStatement(ctx, &dynamodb.BatchExecuteStatementInput{Statements: append(writes[:1:1], failing[0])})
	wantRejected(t, err, "ValidationException", "Provided list of item keys contains duplicates")
	_, err = client.BatchExecuteStatement(ctx, &dynamodb.BatchExecuteStatementInput{Statements: []types.BatchStatementRequest{}})
	wantRejected(t, err, "ValidationException", "1 validation error detected: Value '[]' at 'statements' failed to satisfy constraint: Member must have length greater than or equal to 1")
	_, err = client.BatchExecuteStatement(ctx, &dynamodb.BatchExecuteStatementInput{Statements: batchOf(slices.Repeat([]string{"SELECT * FROM Music"}, 26)...)})
	if err == nil || !strings.Contains(err.Error(), "Member must have length less than or equal to 25") {
		t.Errorf("26 statements: %v", err)
	}
}

// Transactions as in ql-reference.multiplestatements.transactions and
// ql-functions.exists.
func TestTransactStatements(t *testing.T) {
	ctx := context.Background()
	e := ddbtest.NewEngine()
	t.Cleanup(e.Close)
	client := e.Client()
	mustCreate(t, client, musicTable())
	mustPut(t, client, "Music", item{"Artist": str("No One You Know"), "SongTitle": str("Call Me Today"), "n": num("1")})
	run := func(token *string, list ...types.ParameterizedStatement) (*dynamodb.ExecuteTransactionOutput, error) {
		return client.ExecuteTransaction(ctx, &dynamodb.ExecuteTransactionInput{
			TransactStatements: list, ClientRequestToken: token, ReturnConsumedCapacity: types.ReturnConsumedCapacityTotal,
		})
	}
	reasons := func(err error) []string {
		t.Helper()
		cancelled, ok := errors.AsType[*types.TransactionCanceledException](err)
		if !ok {
			t.Fatalf("got %v, want a cancelled transaction", err)
		}
		var list []string
		for _, r := range cancelled.CancellationReasons {
			list = append(list, strings.TrimSuffix(aws.ToString(r.Code)+": "+aws.ToString(r.Message), ": "))
		}
		return list
	}
	const (
		exists = `EXISTS(SELECT * FROM "Music" where Artist='No One You Know' and SongTitle='Call Me Today' and Awards is MISSING)`
		insert = `INSERT INTO Music value {'Artist': 'Acme Band','SongTitle': 'PartiQL Rocks','n': 1}`
		update = `UPDATE Music SET n = n + 1 WHERE Artist = 'b' AND SongTitle = 's'`
	)
	_, err := run(nil, transactionOf(exists, insert, update)...)
	if diff := cmp.Diff([]string{"None", "None", "ConditionalCheckFailed: The conditional request failed"}, reasons(err)); diff != "" {
		t.Error(diff)
	}
	out, err := run(aws.String("token"), transactionOf(exists, insert)...)
	if err != nil {
		t.Fatal(err)
	}
	if out.Responses == nil || len(out.Responses) != 0 || *out.ConsumedCapacity[0].CapacityUnits != 4 {
		t.Errorf("%d responses, %v", len(out.Responses), *out.ConsumedCapacity[0].CapacityUnits)
	}
	if out, err = run(aws.String("token"), transactionOf(exists, insert)...); err != nil || *out.ConsumedCapacity[0].ReadCapacityUnits != 4 {
		t.Errorf("the same token again: %v", err)
	}
	_, err = run(aws.String("token"), transactionOf(exists)...)
	if _, ok := errors.AsType[*types.IdempotentParameterMismatchException](err); !ok {
		t.Errorf("the token with another request: %v", err)
	}
	e.Clock().Advance(11 * time.Minute)
	_, err = run(aws.String("token"), transactionOf(exists, insert)...)
	if diff := cmp.Diff([]string{"None", "DuplicateItem: Duplicate primary key exists in table"}, reasons(err)); diff != "" {
		t.Error(diff)
	}
	_, err = run(nil, transactionOf(exists, `DELETE FROM Music WHERE Artist = 'a'`)...)
	if diff := cmp.Diff([]string{"None", "ValidationError: The provided key element does not match the schema"}, reasons(err)); diff != "" {
		t.Error(diff)
	}
	_, err = run(nil, transactionOf(`EXISTS(SELECT * FROM Music WHERE Artist = 'a' AND SongTitle = 'b')`)...)
	if diff := cmp.Diff([]string{"ValidationError: EXISTS() must contain a single item read with additional condition"}, reasons(err)); diff != "" {
		t.Error(diff)
	}

	out, err = run(nil, transactionOf(
		`SELECT n FROM Music WHERE Artist = 'Acme Band' AND SongTitle = 'PartiQL Rocks'`,
		`SELECT n FROM Music WHERE Artist = 'Nobody' AND SongTitle = 'PartiQL Rocks'`,
	)...)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]types.ItemResponse{{Item: item{"n": num("1")}}, {}}, out.Responses, sameValues, cmpopts.IgnoreUnexported(types.ItemResponse{})); diff != "" {
		t.Error(diff)
	}
	if got := *out.ConsumedCapacity[0].CapacityUnits; got != 4 {
		t.Errorf("%v units, want 4", got)
	}

	_, err = run(nil, transactionOf(insert, insert)...)
	wantRejected(t, err, "ValidationException", "Transaction request cannot include multiple operations on one item")
	_, err = run(nil, transactionOf(`no statement`)...)
	wantRejected(t, err, "ValidationException", "Statement wasn't well formed, can't be processed: Expected data manipulation")
	_, err = run(nil, transactionOf(`DELETE FROM Nothing WHERE a = 1`)...)
	if diff := cmp.Diff([]string{"ResourceNotFound: Requested resource not found"}, reasons(err)); diff != "" {
		t.Error(diff)
	}
	const validation = "ValidationException"
	for _, c := range []struct {
		list    []types.ParameterizedStatement
		message string
	}{
		// https://github.com/nubo-db/dynoxide/blob/main/CHANGELOG.md
		{transactionOf(insert, `SELECT * FROM Music WHERE Artist = 'a' AND SongTitle = 'b'`), "ExecuteTransaction API does not support both read and write operations in the same request."},
		{transactionOf(insert, `DELETE FROM Music WHERE Artist = 'a' AND SongTitle = 'b' RETURNING ALL OLD *`), "Validation failed in TransactStatements[1]: RETURNING clause is not supported in ExecuteTransaction."},
		// https://github.com/floci-io/floci/pull/3798
		{transactionOf(`SELECT * FROM Music.ByGenre WHERE Genre = 'a'`), "Reads on indices are not supported within transactions."},
		{transactionOf(`SELECT * FROM Music WHERE Artist = 'a'`), "Select statements within ExecuteTransaction must specify the primary key in the where clause."},
		{transactionOf(`SELECT * FROM Music WHERE Artist = 'a' AND SongTitle = 'b' AND n = 1`), "Select statements within ExecuteTransaction must specify the primary key in the where clause."},
	} {
		_, err = run(nil, c.list...)
		wantRejected(t, err, validation, c.message)
	}
	for _, statement := range []string{`DELETE FROM Music WHERE Artist = 1 AND SongTitle = 'b'`, `UPDATE Music SET n = 1 WHERE Artist = 'a' AND Artist = 'b' AND SongTitle = 'b'`} {
		_, err = run(nil, transactionOf(statement)...)
		if diff := cmp.Diff([]string{"ValidationError: The provided key element does not match the schema"}, reasons(err)); diff != "" {
			t.Errorf("%s: %s", statement, diff)
		}
	}
}

// Statements consume what the corresponding operations consume.
func TestStatementCapacity(t *testing.T) {
	ctx, client := context.Background(), ddbtest.New(t)
	mustCreate(t, client, musicTable())
	big := strings.Repeat("x", 5000)
	for _, c := range []struct {
		statement  string
		consistent bool
		units      float64
	}{
		{`INSERT INTO Music VALUE {'Artist': 'a', 'SongTitle': 's', 'v': '` + big + `'}`, false, 5},
		{`INSERT INTO Music VALUE {'Artist': 'a', 'SongTitle': 't', 'Genre': 'g'}`, false, 2}, // and the index
		{`SELECT * FROM Music`, false, 1},
		{`SELECT * FROM Music WHERE Artist = 'a'`, true, 2},
		{`SELECT * FROM Music WHERE Artist = 'a' AND SongTitle = 'none'`, false, 0.5},
		{`SELECT * FROM Music WHERE Artist IN ['a', 'b']`, false, 1.5},
		{`SELECT * FROM Music.ByGenre WHERE Genre = 'g'`, false, 0.5},
		{`UPDATE Music SET w = 1 WHERE Artist = 'a' AND SongTitle = 's'`, false, 5},
		{`DELETE FROM Music WHERE Artist = 'a' AND SongTitle = 's'`, false, 5},
		{`DELETE FROM Music WHERE Artist = 'a' AND SongTitle = 's'`, false, 1},
	} {
		out, err := client.ExecuteStatement(ctx, &dynamodb.ExecuteStatementInput{
			Statement: &c.statement, ConsistentRead: &c.consistent, ReturnConsumedCapacity: types.ReturnConsumedCapacityTotal,
		})
		if err != nil {
			t.Fatalf("%.60s: %v", c.statement, err)
		}
		if got := *out.ConsumedCapacity.CapacityUnits; got != c.units {
			t.Errorf("%.60s: %v units, want %v", c.statement, got, c.units)
		}
	}
}
