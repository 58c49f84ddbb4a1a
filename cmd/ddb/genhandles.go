// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"strings"

	"github.com/dynamotable/ddb/cmd/ddb/internal/handles"
)

var genHandles = command{
	name:  "gen handles",
	args:  "[packages]",
	brief: "write the attribute handles of structs with dynamodbav tags",
	long: `
Without packages it uses the one in the current folder, as for go:generate. The handles of the structs in order.go are
written to order_ddb.go, in variables such as orderTotal for Order.Total and orderAddressCity for a field of a nested struct.
A handle that the package already has in a variable is not written. Structs that are part of another get handles only if
-type names them. The new code is type-checked before a file is written, and a second run changes nothing.`,
	prepare: func(f *flag.FlagSet) action {
		var c handles.Config
		list := f.String("type", "", "the `structs` that get handles, separated by commas; without it all that have tags and are part of no other")
		f.StringVar(&c.Tags, "tags", "", "build `tags`, separated by commas")
		f.BoolVar(&c.Tests, "test", false, "structs of test files as well")
		f.BoolVar(&c.Exported, "export", false, "write handles with exported names")
		check := f.Bool("check", false, "write nothing, and fail if a file would change")
		return func(ctx context.Context, s streams, args []string) error {
			c.Packages = args
			if *list != "" {
				c.Types = strings.Split(*list, ",")
			}
			return writeHandles(ctx, s, c, *check)
		}
	},
}

func writeHandles(ctx context.Context, s streams, c handles.Config, check bool) error {
	r, err := handles.Generate(ctx, c)
	for _, note := range r.Notes {
		fmt.Fprintln(s.err, note)
	}
	if err != nil {
		fmt.Fprintln(s.err, err)
		return errShown
	}
	if check && len(r.Files) > 0 {
		for _, f := range r.Files {
			fmt.Fprintf(s.err, "%s is out of date\n", handles.Short(f.Path))
		}
		return errors.New("run it without -check")
	}
	for _, f := range r.Files {
		if f.Content == nil {
			if err := os.Remove(f.Path); err != nil {
				return err
			}
			fmt.Fprintf(s.err, "removed %s\n", handles.Short(f.Path))
			continue
		}
		if err := os.WriteFile(f.Path, f.Content, 0o644); err != nil { //nolint:gosec // source code, as readable as the code next to it
			return err
		}
		fmt.Fprintf(s.err, "wrote %s\n", handles.Short(f.Path))
	}
	return nil
}
