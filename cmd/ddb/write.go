// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"flag"

	"github.com/dynamotable/ddb"
	"github.com/dynamotable/ddb/cmd/ddb/internal/expression"
	"github.com/dynamotable/ddb/rawexpr"
	"github.com/dynamotable/ddb/rawitem"
	"github.com/dynamotable/ddb/rawtable"
)

// writing holds the flags of commands that write items.
type writing struct {
	changing
	spending
	cond string
}

func (c *writing) define(f *flag.FlagSet) {
	c.changing.define(f)
	c.spending.define(f)
}

func (c *writing) defineIf(f *flag.FlagSet) {
	f.StringVar(&c.cond, "if", "", "change the item only if this `condition` holds for it as it is stored")
}

// condition returns the condition of -if, or nil.
func (c *writing) condition() ([]ddb.Cond[rawitem.Item], error) {
	errs := []error{c.check()}
	var list []ddb.Cond[rawitem.Item]
	if c.cond != "" {
		cond, err := condition("-if", c.cond)
		list, errs = append(list, cond), append(errs, err)
	}
	if err := errors.Join(errs...); err != nil {
		return nil, usageError("%v", err)
	}
	return list, nil
}

// change changes one item and reports whether it did. With -dry-run and -explain it only explains the change.
func (c *writing) change(ctx context.Context, s streams, t *rawtable.Table, call func(context.Context) error) (made bool, err error) {
	if c.dryRun || c.explain {
		return false, printPlan(ctx, s, t, call)
	}
	ctx, end, err := c.bound(ctx, s, t)
	if err != nil {
		return false, err
	}
	defer end()
	if err := call(ctx); err != nil {
		return false, mayBeMade(ctx, err)
	}
	return true, nil
}

var errUnsure = errors.New("the change may have been made or not")

// mayBeMade adds to an error that an interrupted change may have been made.
func mayBeMade(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return errors.Join(errUnsure, err)
	}
	return err
}

var updateItem = command{
	name:  "update",
	args:  "TABLE PARTITION [SORT] EXPRESSION",
	brief: "change attributes of an item, and print it",
	long: `
The expression is an update expression of DynamoDB with names and values in it: SET total = total + 5, note = "late" REMOVE gift ADD tags <<"new">>.
An item that is not there is a failure unless -upsert is given.
` + aboutConditions,
	prepare: func(f *flag.FlagSet) action {
		var c writing
		c.define(f)
		c.defineIf(f)
		upsert := f.Bool("upsert", false, "make the item if it is not there")
		old := f.Bool("old", false, "print the item as it was before")
		asPlain := f.Bool("plain", false, "print JSON without types")
		return func(ctx context.Context, s streams, args []string) error {
			cond, err := c.condition()
			if err != nil {
				return err
			}
			if len(args) < 3 {
				return usageError("update: name a table and a key, and give an update expression")
			}
			e, err := expression.Update(args[len(args)-1])
			if err != nil {
				return usageError("update: expression: %v", err)
			}
			t, err := firstTable(ctx, s, &c, "update", args)
			if err != nil {
				return err
			}
			key, err := keyOf(t, "update", args[1:len(args)-1])
			if err != nil {
				return err
			}
			options := []ddb.UpdateOption[rawitem.Item]{rawexpr.ChangeText[rawitem.Item](e.Text, e.Names, valuesOf(e))}
			if len(cond) > 0 {
				options = append(options, ddb.If(cond...))
			}
			var before rawitem.Item
			if *old {
				options = append(options, ddb.ReturnOld(&before))
			}
			update := t.Update
			if *upsert {
				update = t.Upsert
			}
			var item rawitem.Item
			made, err := c.change(ctx, s, t, func(ctx context.Context) (err error) {
				item, err = update(ctx, key, options...)
				return err
			})
			if !made || err != nil {
				return err
			}
			return one(s, item, *asPlain)
		}
	},
}

var deleteItem = command{
	name:  "delete",
	args:  "TABLE PARTITION [SORT]",
	brief: "delete an item, and print it as it was",
	long: `
An item that is not there is none: nothing is printed. For many items there is ddb purge -where.
` + aboutConditions,
	prepare: func(f *flag.FlagSet) action {
		var c writing
		c.define(f)
		c.defineIf(f)
		asPlain := f.Bool("plain", false, "print JSON without types")
		return func(ctx context.Context, s streams, args []string) error {
			cond, err := c.condition()
			if err != nil {
				return err
			}
			t, err := firstTable(ctx, s, &c, "delete", args)
			if err != nil {
				return err
			}
			key, err := keyOf(t, "delete", args[1:])
			if err != nil {
				return err
			}
			var before rawitem.Item
			options := []ddb.WriteOption[rawitem.Item]{ddb.ReturnOld(&before)}
			if len(cond) > 0 {
				options = append(options, ddb.If(cond...))
			}
			made, err := c.change(ctx, s, t, func(ctx context.Context) error { return t.DeleteKey(ctx, key, options...) })
			if !made || err != nil || string(before.JSON()) == "{}" {
				return err
			}
			return one(s, before, *asPlain)
		}
	},
}
