// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"

	"github.com/dynamotable/ddb/cmd/ddb/internal/structs"
	"github.com/dynamotable/ddb/ddberr"
)

var genStruct = command{
	name:  "gen struct",
	args:  "TABLE",
	brief: "write the Go struct, handles and definition of a live table",
	long: `
It describes the table and reads a sample of its items, spread over the table, and prints Go code: the struct of an item, the
structs in it, handles, the table with its indexes, and the options of its schema. An item of the sample that is read into the struct and
written back is what it was: numbers keep their digits, and attributes whose types differ from item to item stay as they are. The code holds
names of attributes and no data. It is a starting point for you to edit.

Region, credentials and endpoint come from the environment, as for ddbclient.New: AWS_REGION, AWS_PROFILE, AWS_ENDPOINT_URL_DYNAMODB. The
sample costs read units: one for each 8 KB.`,
	prepare: func(f *flag.FlagSet) action {
		n := f.Int("sample", 200, "how many `items` are read at most")
		var o structs.Options
		f.StringVar(&o.Package, "package", "main", "the `name` of the package")
		f.StringVar(&o.Type, "type", "", "the `name` of the struct; without it one made from the table's")
		var at connection
		at.define(f)
		file := f.String("o", "", "write to a new `file`, and not to standard output")
		return func(ctx context.Context, s streams, args []string) error {
			if len(args) != 1 || args[0] == "" {
				return usageError("gen struct: name one table; see ddb help gen struct")
			}
			if *n < 1 {
				return usageError("gen struct: -sample must be at least 1")
			}
			client, err := at.client(ctx, s)
			if err != nil {
				return err
			}
			sample, err := structs.Take(ctx, client, args[0], *n)
			if err != nil {
				return fmt.Errorf("table %s: %w", args[0], ddberr.Redact(err))
			}
			text, err := structs.Source(sample, o)
			if err != nil {
				return fmt.Errorf("table %s: %w", args[0], err)
			}
			fmt.Fprintf(s.err, "sample of %d items, %.1f read units\n", len(sample.Items), sample.Units)
			if *file == "" {
				_, err = s.out.Write(text)
				return err
			}
			return create(*file, text)
		}
	},
}

// create writes a file that is not there yet.
func create(name string, text []byte) error {
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644) //nolint:gosec // source code, as readable as other code
	if errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("%s already exists, and may have been edited; give another name", name)
	}
	if err != nil {
		return err
	}
	_, err = f.Write(text)
	return errors.Join(err, f.Close())
}
