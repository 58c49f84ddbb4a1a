// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"iter"
	"strings"

	"github.com/dynamotable/ddb"
	"github.com/dynamotable/ddb/cmd/ddb/internal/expression"
	"github.com/dynamotable/ddb/cost"
	"github.com/dynamotable/ddb/progress"
	"github.com/dynamotable/ddb/rawexpr"
	"github.com/dynamotable/ddb/rawitem"
	"github.com/dynamotable/ddb/rawtable"
	"github.com/dynamotable/ddb/sweep"
)

// reading holds the flags of queries, scans and counts.
type reading struct {
	connection
	spending
	index, where, attributes string
	limit, page, workers     int
	consistent, plain        bool
	position                 string
	also                     string // additional cost, as text
	done                     int    // the command's own count over all runs, saved in positions
}

func (c *reading) define(f *flag.FlagSet) {
	c.connection.define(f)
	c.spending.define(f)
	f.StringVar(&c.index, "index", "", "the `name` of an index to read instead of the table")
	f.StringVar(&c.where, "where", "", "a `condition` on what is returned, such as 'status = \"open\" AND total > 5'; what it drops is billed as well")
	f.BoolVar(&c.consistent, "consistent", false, "read consistently, for twice the units")
	f.IntVar(&c.page, "page", 0, "let one request evaluate at most `n` items; 0 for 1 MB")
	f.StringVar(&c.position, "position", "", "write the position to this `file` after each page, so that even a killed command can be resumed")
}

// parallel defines the flag of commands that read whole tables.
func (c *reading) parallel(f *flag.FlagSet) {
	f.IntVar(&c.workers, "workers", 1, "read at most `n` pages at the same time, 1 to 64, from parts of the table; more than 1 is for large tables, as each part costs at least half a unit")
}

// output defines the flags of commands that print items.
func (c *reading) output(f *flag.FlagSet) {
	f.StringVar(&c.attributes, "attributes", "", "the `attributes` to return, separated by commas; the whole items are billed")
	f.IntVar(&c.limit, "limit", 0, "return at most `n` items; 0 for all")
	f.BoolVar(&c.plain, "plain", false, "print JSON without types; sets become lists and binary values text")
}

// read returns the read that the flags describe. Its error names everything that is wrong with them.
func (c *reading) read() (rawtable.Read, error) {
	r := rawtable.Read{Index: c.index, Consistent: c.consistent, Limit: c.limit, PageSize: c.page}
	errs := []error{c.check()}
	if c.limit < 0 {
		errs = append(errs, errors.New("-limit is negative"))
	}
	if c.page < 0 {
		errs = append(errs, errors.New("-page is negative"))
	}
	if c.workers > 1 && c.limit > 0 {
		errs = append(errs, errors.New("-limit needs an order, which -workers does not have: use one of them"))
	}
	if c.where != "" {
		cond, err := condition("-where", c.where)
		r.Filter, errs = append(r.Filter, cond), append(errs, err)
	}
	if c.attributes != "" {
		paths, err := expression.Paths(c.attributes)
		if err != nil {
			errs = append(errs, fmt.Errorf("-attributes: %w", err))
		}
		for _, path := range paths {
			r.Project = append(r.Project, rawtable.Attr(path[0], path[1:]...))
		}
	}
	if err := errors.Join(errs...); err != nil {
		return r, usageError("%v", err)
	}
	return r, nil
}

// condition returns the condition of a flag.
func condition(flag, text string) (ddb.Cond[rawitem.Item], error) {
	e, err := expression.Condition(text)
	if err != nil {
		return ddb.Cond[rawitem.Item]{}, fmt.Errorf("%s: %w", flag, err)
	}
	return rawexpr.CondText[rawitem.Item](e.Text, e.Names, valuesOf(e)), nil
}

func valuesOf(e expression.Expression) map[string]any {
	values := make(map[string]any, len(e.Values))
	for name, v := range e.Values {
		values[name] = v
	}
	return values
}

// readPoint is the position at which a read was stopped.
type readPoint struct {
	Cursor string `json:"cursor"`
	Items  int    `json:"items"` // so far
	Done   int    `json:"done,omitempty"`
}

// run reads all pages and calls each with the items of a page.
func (c *reading) run(ctx context.Context, s streams, name string, t *rawtable.Table, r rawtable.Read, page func(context.Context, []rawitem.Item) error) (items int, err error) {
	var at readPoint
	service := placeOf(c.opened, t)
	if err := s.restore(service, &at); err != nil {
		return 0, err
	}
	c.done = at.Done
	if r.Limit > 0 {
		if r.Limit -= at.Items; r.Limit <= 0 {
			return at.Items, finished(c.position, nil)
		}
	}
	reader, err := t.Reader(r)
	if err != nil {
		return 0, err
	}
	pages, err := c.pages(reader, at.Cursor)
	if err != nil {
		return 0, err
	}
	if done, err := c.explained(ctx, s, t, c.also, func(ctx context.Context) error { _, err := reader.Collect(ctx); return err }); done || err != nil {
		return 0, err
	}
	ctx, end, err := c.bound(ctx, s, t)
	if err != nil {
		return 0, err
	}
	defer end()
	stopped := func(err error) error {
		end()
		at.Done = c.done
		return s.interrupt(err, c.position, service, at)
	}
	err = shown(ctx, name+" of "+t.Name(), func(ctx context.Context, task *progress.Task) error {
		for p, err := range pages(ctx) {
			if err != nil {
				if to := sweep.PositionOf(err); to != "" {
					at.Cursor = to
				}
				if at.Cursor == "" && s.from == nil && !errors.Is(err, cost.ErrBudgetExceeded) && ctx.Err() == nil {
					return err // nothing was read
				}
				return stopped(err)
			}
			if s.mixed {
				end()
			}
			if err := page(ctx, p.items); err != nil {
				return stopped(err)
			}
			if c.workers <= 1 { // a sweep counts the items itself
				task.Items(int64(len(p.items)))
			}
			at.Cursor, at.Items, at.Done = p.next(), at.Items+len(p.items), c.done
			if c.position != "" && at.Cursor != "" {
				if _, err := s.save(c.position, service, at); err != nil {
					return err
				}
			}
		}
		return finished(c.position, nil)
	})
	return at.Items, err
}

// readPage is a page of a read or of a sweep.
type readPage struct {
	items []rawitem.Item
	next  func() string // the position after the page
}

// pages yields the pages of a read after a position, one after the other or several at a time.
func (c *reading) pages(reader *ddb.Reader[rawitem.Item], from string) (func(context.Context) iter.Seq2[readPage, error], error) {
	if c.workers > 1 {
		s, err := sweep.Of(reader, sweep.Workers(c.workers)).Resume(from)
		return func(ctx context.Context) iter.Seq2[readPage, error] {
			return func(yield func(readPage, error) bool) {
				for p, err := range s.Pages(progress.Join(ctx)) {
					if !yield(readPage{p.Items, p.Position}, err) {
						return
					}
				}
			}
		}, err
	}
	start, err := reader.ParseCursor(from)
	return func(ctx context.Context) iter.Seq2[readPage, error] {
		return func(yield func(readPage, error) bool) {
			for p, err := range reader.After(start).Pages(ctx) {
				if !yield(readPage{p.Items, p.Next.String}, err) {
					return
				}
			}
		}
	}, err
}

// print reads and prints items.
func (c *reading) print(ctx context.Context, s streams, name string, t *rawtable.Table, r rawtable.Read) error {
	out := newItems(s.out, c.plain)
	_, err := c.run(ctx, s, name, t, r, func(_ context.Context, list []rawitem.Item) error {
		for _, item := range list {
			if err := out.write(item); err != nil {
				return err
			}
		}
		return out.flush()
	})
	out.warn(s)
	return err
}

// keyOf parses the key that follows the name of a table.
func keyOf(t *rawtable.Table, command string, args []string) (ddb.Key[rawitem.Value, rawitem.Value], error) {
	keys := t.Keys()
	want := len(keys.Partition) + len(keys.Sort)
	if len(args) != want {
		return ddb.Key[rawitem.Value, rawitem.Value]{}, usageError("%s: the key of table %s is %s: give %d values", command, t.Name(), attributes(keys), want)
	}
	sort := ""
	if len(args) > 1 {
		sort = args[1]
	}
	key, err := t.ParseKey(args[0], sort)
	if err != nil {
		return key, usageError("%s: %v", command, err)
	}
	return key, nil
}

// attributes returns the names of the attributes of a key.
func attributes(keys rawtable.Keys) string {
	var names []string
	for _, a := range append(keys.Partition, keys.Sort...) {
		names = append(names, a.Name)
	}
	return strings.Join(names, ", ")
}
