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
	"github.com/dynamotable/ddb/cost"
	"github.com/dynamotable/ddb/dump"
	"github.com/dynamotable/ddb/progress"
	"github.com/dynamotable/ddb/rawitem"
	"github.com/dynamotable/ddb/rawtable"
)

// aboutDifferences explains what diff and verify print.
const aboutDifferences = `
A difference is a line of JSON: its kind, and the item on both sides. The kinds are missing (only the table lacks it), extra (only the table has it) and changed.
Numbers of the same value are equal, and sets whatever their order. With differences the exit status is 1.`

// aboutStopping explains positions of diff and verify.
const aboutStopping = `
A command that is stopped, fails or has spent its budget prints how to continue; the differences that it has printed are not printed again. One that was killed, and has -position,
prints at most those among 100 items again.`

var diff = command{
	name:  "diff",
	args:  "TABLE WITH-TABLE",
	brief: "print how the items of two tables differ",
	long: `
Both tables are read completely, the second one consistently and twice: by keys, and for items that the first lacks.
` + aboutDifferences + `
` + aboutStopping + ` When it continues it no longer knows which keys of the first table it has read, and looks up there the items of the second: at least a
read unit for each. Near the end it may be cheaper to start again.`,
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
				return c.explainDiff(ctx, s, from, t)
			}
			service := placeOf(there.opened, t) + ", from " + placeOf(c.opened, from)
			if err := s.restore(service, &c.at); err != nil {
				return err
			}
			return c.compare(ctx, s, service, "diff", t, func(ctx context.Context, options ...dump.Option) differences {
				return dump.CompareTables(ctx, from, t, options...)
			})
		}
	},
}

// explainDiff says what a diff costs.
func (c *comparing) explainDiff(ctx context.Context, s streams, from, t *rawtable.Table) error {
	if err := printPlan(ctx, s, from, wholeTable(from)); err != nil {
		return err
	}
	if _, err := fmt.Fprintf(s.out, "then each item of table %s by its key in table %s: at least a read unit for each\n", from.Name(), t.Name()); err != nil {
		return err
	}
	if err := printPlan(ctx, s, t, wholeTable(t)); err != nil {
		return err
	}
	_, err := fmt.Fprintf(s.out, "and if it was stopped and continues, items of table %s by their keys in table %s: at least a read unit for each\n", t.Name(), from.Name())
	return err
}

var verify = command{
	name:  "verify",
	args:  "FOLDER [TABLE]",
	brief: "check an export, and compare it with a table",
	long: `
It compares every file with its checksum and its number of items in the manifest, and reads every line. With a table it then compares the items.
` + aboutDifferences + `
` + aboutStopping + ` When it continues it does not check again the files in which nothing was wrong. With a table it reads them again for
their keys, which costs no units.`,
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
			service := "an export of " + src.Table()
			var t *rawtable.Table
			if len(args) == 2 {
				if t, err = tableAt(ctx, s, &c, args[1]); err != nil {
					return err
				}
				service = placeOf(c.opened, t) + ", from " + service
			}
			if err := s.restore(service, &c.at); err != nil {
				return err
			}
			if err := c.verify(ctx, s, service, src); err != nil || t == nil {
				return finished(c.position, err)
			}
			return c.compare(ctx, s, service, "verify", t, func(ctx context.Context, options ...dump.Option) differences {
				return dump.CompareExport(ctx, src, t, options...)
			})
		}
	},
}

// differences are what a comparison yields.
type differences = iter.Seq2[dump.Difference, error]

// comparing are the flags of commands that compare items with a table.
type comparing struct {
	connection
	spending
	keys     bool
	position string
	at       comparePoint
}

// comparePoint is where such a command was stopped.
type comparePoint struct {
	Verified string `json:"verified,omitempty"` // which files of an export
	Compared string `json:"compared,omitempty"` // which items
	Differ   int    `json:"differ,omitempty"`   // by then, in all runs
}

func (c *comparing) define(f *flag.FlagSet) {
	c.connection.define(f)
	c.spending.define(f)
	f.BoolVar(&c.keys, "keys", false, "print the keys of the items that differ, not the items")
	f.StringVar(&c.position, "position", "", "write the position to this `file` after each difference and every second, so that even a killed command can be resumed")
}

// found is what a check found that has done all. There is nothing to go on with.
type found struct{ error }

func (f found) Unwrap() error { return f.error }

// stopped ends a command with an error, and saves its position if there is one: something was done, or more can be done another time.
func (c *comparing) stopped(ctx context.Context, s streams, service string, err error, begun bool) error {
	if begun || s.from != nil || ctx.Err() != nil || errors.Is(err, cost.ErrBudgetExceeded) {
		return s.interrupt(err, c.position, service, c.at)
	}
	return err
}

// verify checks an export.
func (c *comparing) verify(ctx context.Context, s streams, service string, src *dump.Source) error {
	shows, end := c.watch.reports(ctx, s)
	defer end()
	w := saver{streams: s, file: c.position, service: service}
	accepted, begun := false, c.at != comparePoint{}
	err := dump.Verify(shows, src, dump.From(c.at.Verified), dump.OnPosition(func(position func() string) {
		begun = begun || accepted
		accepted = true
		c.at.Verified = position()
		w.save(c.at, false)
	}))
	end()
	switch {
	case err == nil:
		fmt.Fprintf(s.err, "the export is whole: %d items in %d files\n", src.Items(), src.Files())
		return w.err
	case !accepted: // the position is refused
		return err
	case ctx.Err() == nil && (errors.Is(err, dump.ErrDamaged) || errors.Is(err, dump.ErrBadLine)):
		return found{err}
	}
	return c.stopped(ctx, s, service, err, begun)
}

// compare prints the differences.
func (c *comparing) compare(ctx context.Context, s streams, service, what string, t *rawtable.Table, run func(context.Context, ...dump.Option) differences) error {
	ctx, end, err := c.bound(ctx, s, t)
	if err != nil {
		return err
	}
	defer end()
	return shown(ctx, what+" of "+t.Name(), func(ctx context.Context, _ *progress.Task) error {
		err := c.print(ctx, s, service, t, run)
		end()
		if err == nil && c.at.Differ > 0 {
			err = found{fmt.Errorf("%d items differ", c.at.Differ)}
		}
		if err == nil {
			fmt.Fprintln(s.err, "the items are equal")
		}
		return finished(c.position, err)
	})
}

// print prints how a table differs from items. A position is of what is printed.
func (c *comparing) print(ctx context.Context, s streams, service string, t *rawtable.Table, run func(context.Context, ...dump.Option) differences) error {
	out := bufio.NewWriter(s.out)
	w := saver{streams: s, file: c.position, service: service}
	accepted, begun, n := false, c.at != comparePoint{}, c.at.Differ
	moved := dump.OnPosition(func(position func() string) {
		begun = begun || accepted
		accepted = true
		if out.Flush() != nil { // the next write has the error
			return
		}
		c.at.Compared = position()
		differ := n > c.at.Differ
		c.at.Differ = n
		w.save(c.at, differ)
	})
	for d, err := range run(progress.Join(ctx), dump.From(c.at.Compared), moved) {
		var line []byte
		if err == nil {
			line, err = c.line(t, d)
		}
		if err == nil {
			n++
			_, err = out.Write(line) // what could not be written before is an error, too
		}
		if err != nil && !accepted { // the call or the position is refused
			return err
		}
		if err != nil {
			return c.stopped(ctx, s, service, err, begun)
		}
	}
	if err := out.Flush(); err != nil {
		return c.stopped(ctx, s, service, err, begun)
	}
	return w.err
}

// line is a difference as JSON.
func (c *comparing) line(t *rawtable.Table, d dump.Difference) ([]byte, error) {
	item := func(i rawitem.Item, there bool) json.RawMessage {
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
func keyItem(t *rawtable.Table, key ddb.Key[rawitem.Value, rawitem.Value]) (item rawitem.Item, err error) {
	keys := t.Keys()
	if item, err = item.With(keys.Partition[0].Name, key.Partition); err == nil && len(keys.Sort) > 0 {
		item, err = item.With(keys.Sort[0].Name, key.Sort)
	}
	return item, err
}
