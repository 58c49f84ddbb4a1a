// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"flag"

	"github.com/dynamotable/ddb"
	"github.com/dynamotable/ddb/rawitem"
)

var get = command{
	name:  "get",
	args:  "TABLE PARTITION [SORT]",
	brief: "print an item",
	long: `
The values of the key have the types that the table defines. Binary keys are in base64; a key that begins with a hyphen must follow --. If there is no item, the command fails.`,
	prepare: func(f *flag.FlagSet) action {
		var c reading
		c.connection.define(f)
		f.StringVar(&c.attributes, "attributes", "", "the `attributes` to return, separated by commas; the whole item is billed")
		f.BoolVar(&c.plain, "plain", false, "print JSON without types; sets become lists and binary values text")
		f.BoolVar(&c.consistent, "consistent", false, "read consistently, for twice the units")
		f.BoolVar(&c.explain, "explain", false, "print what would be sent and what it would cost, and send only DescribeTable")
		return func(ctx context.Context, s streams, args []string) error {
			read, err := c.read()
			if err != nil {
				return err
			}
			t, err := firstTable(ctx, s, &c, "get", args)
			if err != nil {
				return err
			}
			key, err := keyOf(t, "get", args[1:])
			if err != nil {
				return err
			}
			var opts []ddb.GetOption
			if c.consistent {
				opts = append(opts, ddb.Consistent())
			}
			if len(read.Project) > 0 {
				opts = append(opts, ddb.Project(read.Project...))
			}
			if c.explain {
				return printPlan(ctx, s, t, func(ctx context.Context) error { _, err := t.GetKey(ctx, key, opts...); return err })
			}
			item, err := t.GetKey(ctx, key, opts...)
			if err != nil {
				return err
			}
			return one(s, item, c.plain)
		}
	},
}

// one prints one item.
func one(s streams, item rawitem.Item, plain bool) error {
	out := newItems(s.out, plain)
	if err := out.write(item); err != nil {
		return err
	}
	out.warn(s)
	return out.flush()
}
