// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"flag"
	"fmt"

	"github.com/dynamotable/ddb"
	"github.com/dynamotable/ddb/rawitem"
	"github.com/dynamotable/ddb/rawtable"
)

var purge = command{
	name:  "purge",
	args:  "TABLE",
	brief: "delete the items of a table, or those for which a condition holds",
	long: `
The table itself is kept. It is read as by ddb scan, and each page is deleted before the position moves on. With -where an item is deleted only if the
condition is true for it at that moment. The name of the table must be given again, with -yes. To delete all items of a large table, a new table
is cheaper: deletes are billed as writes.
` + aboutConditions,
	prepare: func(f *flag.FlagSet) action {
		var c purging
		c.define(f)
		c.read.spending.define(f)
		c.read.parallel(f)
		f.StringVar(&c.read.where, "where", "", "delete the items for which this `condition` holds")
		f.StringVar(&c.yes, "yes", "", "the `name` of the table, to confirm")
		f.IntVar(&c.read.page, "page", 500, "let one request evaluate `n` items at most; those of a page that was stopped are deleted again")
		f.StringVar(&c.read.position, "position", "", "write the position to this `file` after each page, so that even a killed command can go on")
		return func(ctx context.Context, s streams, args []string) error {
			if len(args) != 1 {
				return usageError("purge: name one table")
			}
			return c.run(ctx, s, args[0])
		}
	},
}

// purging deletes the items that it reads.
type purging struct {
	changing
	read reading // of the connection that may change data
	yes  string
}

func (c *purging) run(ctx context.Context, s streams, name string) error {
	only := c.dryRun || c.read.explain
	if c.yes != name && !only {
		return usageError("purge: to delete the items of table %s add -yes %s; -dry-run counts them", name, quote(name))
	}
	r, err := c.read.read()
	if err != nil {
		return err
	}
	t, err := tableAt(ctx, s, c, name)
	if err != nil {
		return err
	}
	c.read.opened = c.opened
	keys := t.Keys()
	for _, a := range append(keys.Partition, keys.Sort...) {
		r.Project = append(r.Project, rawtable.Attr(a.Name))
	}
	deleted := func(ctx context.Context, list []rawitem.Item) error {
		if len(r.Filter) == 0 {
			keys := make([]ddb.Key[rawitem.Value, rawitem.Value], len(list))
			for i := range list {
				keys[i] = t.KeyOf(&list[i])
			}
			err := t.BatchDelete(ctx, keys)
			if err == nil {
				c.read.done += len(list)
			}
			return err
		}
		for i := range list {
			err := t.DeleteItem(ctx, &list[i], ddb.If(r.Filter...))
			if err != nil && !errors.Is(err, ddb.ErrConditionFailed) { // the item has changed, or does not exist any more
				return err
			}
			if err == nil {
				c.read.done++ // the items that -where kept are not included
			}
		}
		return nil
	}
	if only {
		deleted = func(_ context.Context, list []rawitem.Item) error { c.read.done += len(list); return nil }
	} else {
		c.read.also = "at least a write unit for each item"
	}
	_, err = c.read.run(ctx, s, "purge", t, r, deleted)
	if err != nil || c.read.explain {
		return err
	}
	verb := "deleted"
	if only {
		verb = "would delete"
	}
	fmt.Fprintf(s.err, "%s %d items\n", verb, c.read.done)
	return nil
}
