// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/dynamotable/ddb"
	"github.com/dynamotable/ddb/cost"
	"github.com/dynamotable/ddb/pace"
	"github.com/dynamotable/ddb/rawtable"
	"github.com/dynamotable/ddb/tableinfo"
)

// spending holds the flags that limit what a command costs.
type spending struct {
	pace, budget string
	explain      bool
	watch        watching
}

func (c *spending) define(f *flag.FlagSet) {
	f.StringVar(&c.pace, "pace", "", "the `rate` in read units and in write units a second, such as 200, or a share of what the table has, such as 50%")
	f.StringVar(&c.budget, "budget", "", "end before more `units` are spent, of reads or of writes")
	f.BoolVar(&c.explain, "explain", false, "print what would be sent and what it would cost, and send only DescribeTable")
	c.watch.define(f)
}

// check rejects flags with invalid values.
func (c *spending) check() error {
	var errs []error
	if c.budget != "" {
		if _, err := positive(c.budget); err != nil {
			errs = append(errs, fmt.Errorf("-budget: %w", err))
		}
	}
	if c.pace != "" {
		n, share := strings.CutSuffix(c.pace, "%")
		switch n, err := positive(n); {
		case err != nil:
			errs = append(errs, fmt.Errorf("-pace: %w", err))
		case share && n > 100:
			errs = append(errs, errors.New("-pace: a share is at most 100%"))
		}
	}
	return errors.Join(append(errs, c.watch.check())...)
}

// bound returns a context whose calls obey the pace and the budget, and report their progress to the errors. The returned
// function ends the line.
func (c *spending) bound(ctx context.Context, s streams, t ddb.TablePart) (context.Context, func(), error) {
	if c.budget != "" {
		n, err := positive(c.budget)
		if err != nil {
			return nil, nil, err
		}
		ctx = ddb.WithBudget(ctx, cost.NewBudget(cost.Limits{ReadUnits: n, WriteUnits: n}))
	}
	if c.pace != "" {
		text, share := strings.CutSuffix(c.pace, "%")
		n, err := positive(text)
		p := pace.New(pace.Rates{ReadUnits: n, WriteUnits: n})
		if share && err == nil {
			p, err = pace.Of(ctx, t, n/100)
		}
		if err != nil {
			return nil, nil, err
		}
		ctx = pace.With(ctx, p)
	}
	ctx, end := c.watch.reports(ctx, s)
	return ctx, end, nil
}

func positive(text string) (float64, error) {
	n, err := strconv.ParseFloat(text, 64)
	if err != nil || !(n > 0) || math.IsInf(n, 0) {
		return 0, errors.New("give a number above 0")
	}
	return n, nil
}

// plan explains a call without sending its requests. The sizes that DynamoDB has counted limit its cost.
func plan(ctx context.Context, t ddb.TablePart, call func(context.Context) error) (cost.Explanation, error) {
	if err := tableinfo.LearnSizes(ctx, t); err != nil {
		return cost.Explanation{}, err
	}
	return ddb.Explain(ctx, call)
}

// printPlan explains a call on the output.
func printPlan(ctx context.Context, s streams, t ddb.TablePart, call func(context.Context) error) error {
	x, err := plan(ctx, t, call)
	if err == nil {
		_, err = fmt.Fprintln(s.out, x)
	}
	return err
}

// explained explains a call instead of making it, if -explain is set, and reports whether it did. Otherwise it prints the
// expected cost of the call; also is an additional cost.
func (c *spending) explained(ctx context.Context, s streams, t ddb.TablePart, also string, call func(context.Context) error) (bool, error) {
	if c.explain {
		return true, printPlan(ctx, s, t, call)
	}
	x, err := plan(ctx, t, call)
	if err == nil {
		expected(s, x, also)
	}
	return false, err
}

// wholeTable is the call that reads a whole table.
func wholeTable(t *rawtable.Table) func(context.Context) error {
	return func(ctx context.Context) error { _, err := t.Scan().Collect(ctx); return err }
}

// expected prints the expected cost of a call to the errors, if it is significant.
func expected(s streams, x cost.Explanation, also string) {
	var parts []string
	for _, u := range []struct {
		kind  string
		units cost.Range
	}{{"read", x.Whole.Read}, {"write", x.Whole.Write}} {
		if u.units.Max > 0 {
			parts = append(parts, u.units.String()+" "+u.kind+" units")
		}
	}
	if also != "" {
		parts = append(parts, also)
	}
	if len(parts) > 0 {
		fmt.Fprintf(s.err, "expected: %s\n", strings.Join(parts, ", "))
	}
}
