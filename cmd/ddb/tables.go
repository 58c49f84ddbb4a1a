// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"strings"
	"text/tabwriter"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/dynamotable/ddb/ddberr"
)

var tables = command{
	name:  "tables",
	brief: "list the tables",
	long: `
It prints the name of each table on a line. With -long it also prints key, state, and the items and bytes that DynamoDB has counted,
which it does about every six hours.`,
	prepare: func(f *flag.FlagSet) action {
		var c connection
		c.define(f)
		long := f.Bool("long", false, "describe each table")
		return func(ctx context.Context, s streams, args []string) error {
			if len(args) > 0 {
				return usageError("tables: takes no arguments")
			}
			client, err := c.client(ctx, s)
			if err != nil {
				return err
			}
			w := tabwriter.NewWriter(s.out, 0, 8, 2, ' ', 0)
			if *long {
				fmt.Fprintln(w, "TABLE\tKEY\tSTATE\tITEMS\tBYTES")
			}
			err = eachTable(ctx, client, func(name string) error {
				if !*long {
					_, err := fmt.Fprintln(s.out, name)
					return err
				}
				out, err := client.DescribeTable(ctx, &dynamodb.DescribeTableInput{TableName: &name})
				if err != nil {
					return fmt.Errorf("table %s: %w", name, ddberr.Redact(err))
				}
				t := out.Table
				_, err = fmt.Fprintf(w, "%s\t%s\t%s\t%d\t%d\n", name, strings.Join(keyNames(t.KeySchema), ", "), t.TableStatus, aws.ToInt64(t.ItemCount), aws.ToInt64(t.TableSizeBytes))
				return err
			})
			return errors.Join(err, w.Flush())
		}
	},
}

// eachTable calls f with the names of all tables.
func eachTable(ctx context.Context, client *dynamodb.Client, f func(name string) error) error {
	pages := dynamodb.NewListTablesPaginator(client, &dynamodb.ListTablesInput{})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return ddberr.Redact(err)
		}
		for _, name := range page.TableNames {
			if err := f(name); err != nil {
				return err
			}
		}
	}
	return nil
}
