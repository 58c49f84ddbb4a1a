// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"flag"
	"fmt"
	"strings"

	"github.com/dynamotable/ddb/rawitem"
	"github.com/dynamotable/ddb/rawtable"
	"github.com/dynamotable/ddb/sweep"
)

// aboutConditions explains the syntax of -where and -if.
const aboutConditions = `
Conditions are DynamoDB's, with names and values in them: status = "open" AND (total > 5 OR contains(tags, 'new')). Texts are in
quotes of either kind; there are numbers, true, false, null, lists [1, "a"], maps {"a": 1}, sets <<"a", "b">> and binary values b"aGk=".
A name with characters other than letters, digits and underscores must be in backquotes.`

var query = command{
	name:  "query",
	args:  "TABLE PARTITION...",
	brief: "print the items of one partition key, in the order of the sort key",
	long: `
The partition key is a value, or one for each attribute of an index that has several. It has the type of the attribute; binary keys are in base64.
` + aboutConditions,
	prepare: func(f *flag.FlagSet) action {
		var c reading
		var r sortRange
		c.define(f)
		c.output(f)
		r.define(f)
		reverse := f.Bool("reverse", false, "from the highest sort key to the lowest")
		return func(ctx context.Context, s streams, args []string) error {
			read, err := c.read()
			if err != nil {
				return err
			}
			t, err := firstTable(ctx, s, &c, "query", args)
			if err != nil {
				return err
			}
			keys, err := keysOf(t, c.index)
			if err != nil {
				return err
			}
			if err := partition(&read, keys, args[1:]); err != nil {
				return err
			}
			if read.Sort, err = r.sort(keys); err != nil {
				return err
			}
			read.Descending = *reverse
			return c.print(ctx, s, "query", t, read)
		}
	},
}

var scan = command{
	name:  "scan",
	args:  "TABLE",
	brief: "print the items of a table or an index",
	long: `
It reads, and is billed for, the whole table unless -limit ends it. With -workers it reads several parts of a large table at the same time.
` + aboutConditions,
	prepare: func(f *flag.FlagSet) action {
		var c reading
		c.define(f)
		c.output(f)
		c.parallel(f)
		return func(ctx context.Context, s streams, args []string) error {
			read, err := c.read()
			if err != nil {
				return err
			}
			t, err := firstTable(ctx, s, &c, "scan", args)
			if err != nil {
				return err
			}
			if len(args) > 1 {
				return usageError("scan: name one table; use ddb query for the items of a partition key")
			}
			return c.print(ctx, s, "scan", t, read)
		}
	},
}

var count = command{
	name:  "count",
	args:  "TABLE [PARTITION...]",
	brief: "count the items of a table, an index or a partition key",
	long: `
It reads, and is billed for, everything that it counts. DynamoDB's own count, which is at most about six hours old, is in ddb describe and costs nothing.
` + aboutConditions,
	prepare: func(f *flag.FlagSet) action {
		var c reading
		var r sortRange
		c.define(f)
		r.define(f)
		c.parallel(f)
		sample := f.String("sample", "", "estimate the number from this `share` of the table, such as 1%")
		return func(ctx context.Context, s streams, args []string) error {
			read, err := c.read()
			if err != nil {
				return err
			}
			t, err := firstTable(ctx, s, &c, "count", args)
			if err != nil {
				return err
			}
			keys, err := keysOf(t, c.index)
			if err != nil {
				return err
			}
			if len(args) > 1 {
				if c.workers > 1 || *sample != "" {
					return usageError("count: -workers and -sample are for whole tables")
				}
				if err := partition(&read, keys, args[1:]); err != nil {
					return err
				}
			}
			if read.Sort, err = r.sort(keys); err != nil {
				return err
			}
			if *sample != "" {
				if c.explain { // the number of requests that find the share depends on what they read
					return usageError("count: -sample cannot be explained; it reads about its share of what count -explain says")
				}
				return c.estimate(ctx, s, t, read, *sample)
			}
			for _, a := range t.Keys().Partition {
				read.Project = append(read.Project, rawtable.Attr(a.Name))
			}
			n, err := c.run(ctx, s, "count", t, read, func(context.Context, []rawitem.Item) error { return nil })
			if err != nil || c.explain {
				return err
			}
			_, err = fmt.Fprintln(s.out, n)
			return err
		}
	},
}

// estimate counts a part of the table, and prints an estimate for the whole table.
func (c *reading) estimate(ctx context.Context, s streams, t *rawtable.Table, r rawtable.Read, share string) error {
	number, percent := strings.CutSuffix(share, "%")
	n, err := positive(number)
	if percent {
		n /= 100
	}
	if err != nil || n > 1 {
		return usageError("count: -sample is a share such as 1%% or 0.01")
	}
	reader, err := t.Reader(r)
	if err != nil {
		return err
	}
	ctx, end, err := c.bound(ctx, s, t)
	if err != nil {
		return err
	}
	defer end()
	e, err := sweep.Sample(ctx, reader, n)
	if err != nil {
		return err
	}
	end()
	_, err = fmt.Fprintln(s.out, e)
	return err
}

// keysOf returns the keys of a table or its index.
func keysOf(t *rawtable.Table, index string) (rawtable.Keys, error) {
	if index == "" {
		return t.Keys(), nil
	}
	if x := t.Index(index); x != nil {
		return x.Keys, nil
	}
	_, err := t.Reader(rawtable.Read{Index: index})
	return rawtable.Keys{}, err
}

// partition adds the values of a partition key to a read.
func partition(r *rawtable.Read, keys rawtable.Keys, values []string) error {
	if len(values) != len(keys.Partition) {
		return usageError("the partition key is %s: give %d values", attributes(rawtable.Keys{Partition: keys.Partition}), len(keys.Partition))
	}
	for i, a := range keys.Partition {
		v, err := a.Parse(values[i])
		if err != nil {
			return usageError("%v", err)
		}
		r.Partition = append(r.Partition, v)
	}
	return nil
}

// sortRange holds the flags that limit the sort key.
type sortRange struct{ equal, begins, from, to, after, before string }

func (r *sortRange) define(f *flag.FlagSet) {
	f.StringVar(&r.equal, "sort", "", "the sort key is this `value`; several values of an index with several sort attributes are separated by commas")
	f.StringVar(&r.begins, "begins", "", "the sort key begins with this `value`")
	f.StringVar(&r.from, "from", "", "the sort key is this `value` or a higher one")
	f.StringVar(&r.to, "to", "", "the sort key is this `value` or a lower one")
	f.StringVar(&r.after, "after", "", "the sort key is higher than this `value`")
	f.StringVar(&r.before, "before", "", "the sort key is lower than this `value`")
}

// sort returns the condition on the sort key.
func (r *sortRange) sort(keys rawtable.Keys) (rawtable.Sort, error) {
	var given []string
	var cond rawtable.Sort
	high := ""
	low := ""
	for _, x := range []struct{ flag, op, value string }{
		{"sort", "=", r.equal}, {"begins", "begins_with", r.begins}, {"from", ">=", r.from}, {"to", "<=", r.to}, {"after", ">", r.after}, {"before", "<", r.before},
	} {
		if x.value != "" {
			given = append(given, "-"+x.flag)
			cond.Op, low = x.op, x.value
		}
	}
	if r.from != "" && r.to != "" && len(given) == 2 {
		cond.Op, low, high = "BETWEEN", r.from, r.to
	} else if len(given) > 1 {
		return cond, usageError("DynamoDB takes one condition on the sort key, or -from with -to: not %s", strings.Join(given, " with "))
	}
	if len(given) == 0 {
		return cond, nil
	}
	if len(keys.Sort) == 0 {
		return cond, usageError("%s: there is no sort key", strings.Join(given, ", "))
	}
	var err error
	if cond.Values, err = sortValues(keys, low); err == nil && high != "" {
		cond.High, err = sortValues(keys, high)
	}
	if err != nil {
		return cond, usageError("%v", err)
	}
	return cond, nil
}

// sortValues returns the values of a sort key. For an index with several sort attributes, these may be only the first ones.
func sortValues(keys rawtable.Keys, text string) (list []rawitem.Value, err error) {
	parts := []string{text}
	if len(keys.Sort) > 1 {
		parts = strings.Split(text, ",")
	}
	if len(parts) > len(keys.Sort) {
		return nil, fmt.Errorf("the sort key is %s: give %d values at most", attributes(rawtable.Keys{Sort: keys.Sort}), len(keys.Sort))
	}
	for i, part := range parts {
		v, err := keys.Sort[i].Parse(part)
		if err != nil {
			return nil, err
		}
		list = append(list, v)
	}
	return list, nil
}
