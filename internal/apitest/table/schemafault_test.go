// SPDX-License-Identifier: Apache-2.0

package table_test

import (
	"context"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/dynamotable/ddb"
	"github.com/dynamotable/ddb/ddbtest"
	faultrule "github.com/dynamotable/ddb/ddbtest/fault"
)

// An invalid reply ends a call on a table with an error, wherever it occurs.
func TestSchemaCallsUnderFaults(t *testing.T) {
	needsEngine(t, "faults")
	for name, spoil := range map[string]func(faultrule.Matcher) faultrule.Rule{
		"empty": faultrule.Matcher.EmptyBody, "cut": faultrule.Matcher.TruncateBody, "lost": faultrule.Matcher.DropReply, "internal error": faultrule.Matcher.InternalError,
	} {
		for _, operation := range []string{"DescribeTable", "DescribeTimeToLive"} {
			for verb, call := range map[string]func(context.Context, *ddb.Table[visit, string, int64]) error{
				"WaitTable":   func(ctx context.Context, v *ddb.Table[visit, string, int64]) error { return v.WaitTable(ctx) },
				"EnsureTable": func(ctx context.Context, v *ddb.Table[visit, string, int64]) error { return v.EnsureTable(ctx) },
				"VerifyTable": func(ctx context.Context, v *ddb.Table[visit, string, int64]) error {
					_, err := v.VerifyTable(ctx)
					return err
				},
			} {
				armed := false
				e := ddbtest.NewEngine(ddbtest.WithFaults(spoil(faultrule.On(operation).Where(func(faultrule.Request) bool { return armed }))))
				client := e.Client(func(o *dynamodb.Options) { o.Retryer = aws.NopRetryer{} })
				visits := newVisits(t, client, "visits")
				if err := visits.CreateTable(t.Context()); err != nil {
					t.Fatal(err)
				}
				armed = true
				if err := call(t.Context(), visits); err == nil && (operation == "DescribeTable" || verb == "VerifyTable") {
					t.Errorf("%s with the reply of %s %s: no error", verb, operation, name)
				}
				e.Close()
			}
		}
	}
}
