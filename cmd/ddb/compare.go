// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"iter"

	"github.com/dynamotable/ddb"
	"github.com/dynamotable/ddb/dump"
	"github.com/dynamotable/ddb/progress"
	"github.com/dynamotable/ddb/rawtable"
)

// aboutDifferences explains what diff and verify print.
const aboutDifferences = `
A difference is a line of JSON: its kind, and the item on both sides. The kinds are missing (only the table lacks it), extra (only the table has it) and changed.
Numbers of the same value are equal, and sets whatever their order. With differences the exit status is 1.`

var diff = command{
	name:  "diff",
	args:  "TABLE WITH-TABLE",
	brief: "print how the items of two tables differ",
	long: `
Both tables are read completely, the second one consistently and twice: by keys, and for items that the first lacks.
` + aboutDifferences,
	prepare: func(f *flag.FlagSet) action {
		var c comparing
		var to second
		c.define(f)
		to.define(f)
		return func(ctx context.Context, s streams, args []string) error {
			if len(args) != 2 {
				return usageError("diff: name two tables")
			}
			if err := c.check(); err != nil {
				return usageError("%v", err)
			}
			from, err := tableAt(ctx, s, &c, args[0])
			if err != nil {
				return err
			}
			there := to.at(c.connection)
			t, err := tableAt(ctx, s, &there, args[1])
			if err != nil {
				return err
			}
			if c.explain {
				return printPlan(ctx, s, from, wholeTable(from))
			}
			return c.compare(ctx, s, "diff", t, func(ctx context.Context) iter.Seq2[ddb.RawItem, error] { return from.Scan().All(ctx) })
		}
	},
}

var verify = command{
	name:  "verify",
	args:  "FOLDER [TABLE]",
	brief: "check an export, and compare it with a table",
	long: `
It compares every file with its checksum and its number of items in the manifest, and reads every line. With a table it then compares the items.
` + aboutDifferences,
	prepare: func(f *flag.FlagSet) action {
		var c comparing
		c.define(f)
		name := f.String("name", "", "the `name` of the export in the folder; it needs none if there is one export")
		return func(ctx context.Context, s streams, args []string) error {
			if len(args) != 1 && len(args) != 2 {
				return usageError("verify: name a folder, and optionally a table")
			}
			if err := c.check(); err != nil {
				return usageError("%v", err)
			}
			if c.explain && len(args) == 2 {
				t, err := tableAt(ctx, s, &c, args[1])
				if err != nil {
					return err
				}
				if err := printPlan(ctx, s, t, wholeTable(t)); err != nil {
					return err
				}
				_, err = fmt.Fprintln(s.out, "and before, each item of the export by its key: at least a read unit for each")
				return err
			}
			src, err := dump.Open(ctx, dump.Dir(args[0]), *name)
			if err != nil {
				return err
			}
			shows, end := c.watch.reports(ctx, s)
			err = dump.Verify(shows, src)
			end()
			if err != nil {
				return err
			}
			fmt.Fprintf(s.err, "the export is whole: %d items in %d files\n", src.Items(), src.Files())
			if len(args) == 1 {
				return nil
			}
			t, err := tableAt(ctx, s, &c, args[1])
			if err != nil {
				return err
			}
			return c.compare(ctx, s, "verify", t, func(ctx context.Context) iter.Seq2[ddb.RawItem, error] { return dump.Items[ddb.RawItem](ctx, src) })
		}
	},
}

// comparing are the flags of commands that compare items with a table.
type comparing struct {
	connection
	spending
	keys bool
}

func (c *comparing) define(f *flag.FlagSet) {
	c.connection.define(f)
	c.spending.define(f)
	f.BoolVar(&c.keys, "keys", false, "print the keys of the items that differ, not the items")
}

// compare prints the differences.
func (c *comparing) compare(ctx context.Context, s streams, what string, t *rawtable.Table, items func(context.Context) iter.Seq2[ddb.RawItem, error]) error {
	ctx, end, err := c.bound(ctx, s, t)
	if err != nil {
		return err
	}
	defer end()
	return shown(ctx, what+" of "+t.Name(), func(ctx context.Context, _ *progress.Task) error {
		n, err := c.print(ctx, s, t, items(ctx))
		end()
		if err != nil {
			return err
		}
		if n > 0 {
			return fmt.Errorf("%d items differ", n)
		}
		fmt.Fprintln(s.err, "the items are equal")
		return nil
	})
}

// print prints how a table differs from items, and returns in how many of them.
func (c *comparing) print(ctx context.Context, s streams, t *rawtable.Table, items iter.Seq2[ddb.RawItem, error]) (n int, err error) {
	out := bufio.NewWriter(s.out)
	for d, err := range dump.Compare(progress.Join(ctx), items, t) {
		if err != nil {
			return n, errors.Join(err, out.Flush())
		}
		n++
		line, err := c.line(t, d)
		if err != nil {
			return n, err
		}
		if _, err := out.Write(line); err != nil {
			return n, err
		}
	}
	return n, out.Flush()
}

// line is a difference as JSON.
func (c *comparing) line(t *rawtable.Table, d dump.Difference) ([]byte, error) {
	item := func(i ddb.RawItem, there bool) json.RawMessage {
		if !there || c.keys {
			return nil
		}
		return i.JSON()
	}
	key, err := keyItem(t, d.Key)
	if err != nil {
		return nil, err
	}
	return jsonLine(struct {
		Kind   dump.Kind       `json:"kind"`
		Key    json.RawMessage `json:"key"`
		Item   json.RawMessage `json:"item,omitempty"`
		Stored json.RawMessage `json:"stored,omitempty"`
	}{d.Kind, key.JSON(), item(d.Item, d.Kind != dump.Extra), item(d.Stored, d.Kind != dump.Missing)})
}

// keyItem is a key as an item.
func keyItem(t *rawtable.Table, key ddb.Key[ddb.RawValue, ddb.RawValue]) (item ddb.RawItem, err error) {
	keys := t.Keys()
	if item, err = item.With(keys.Partition[0].Name, key.Partition); err == nil && len(keys.Sort) > 0 {
		item, err = item.With(keys.Sort[0].Name, key.Sort)
	}
	return item, err
}
