// SPDX-License-Identifier: Apache-2.0

package main

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"flag"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/dynamotable/ddb"
	"github.com/dynamotable/ddb/dump"
	"github.com/dynamotable/ddb/rawtable"
)

// bulk holds the flags of commands on whole tables.
type bulk struct {
	spending
	name     string // of the export
	workers  int
	segments int
	missing  bool
	older    string
	failures string
	position string
	at       bulkPoint
}

// bulkPoint is the position at which such a command was stopped.
type bulkPoint struct {
	Name     string `json:"name,omitempty"` // of an export
	Position string `json:"position,omitempty"`
	Failed   int64  `json:"failed,omitempty"` // so far, in all runs; failures after the position that fail again count twice
}

func (c *bulk) define(f *flag.FlagSet) {
	c.spending.define(f)
	f.IntVar(&c.workers, "workers", 8, "work on `n` files or segments at the same time, 1 to 64")
}

func (c *bulk) defineName(f *flag.FlagSet) {
	f.StringVar(&c.name, "name", "", "the `name` of the export in the folder; reading needs none if there is one export")
}

// defineTarget defines the flags of commands that write to a table.
func (c *bulk) defineTarget(f *flag.FlagSet) {
	f.BoolVar(&c.missing, "only-missing", false, "write only items whose key has none in the table")
	f.StringVar(&c.older, "only-older", "", "write an item only if the table has none with its key, or one whose `attribute`, a version or a time, is lower")
	f.StringVar(&c.failures, "failures", "", "write to this `file` which lines were bad and which items were not written")
	f.StringVar(&c.position, "position", "", "write the position to this `file` every second, so that even a killed command can go on")
}

// options returns the options for package dump.
func (c *bulk) options() []dump.Option {
	list := []dump.Option{dump.Workers(c.workers), dump.From(c.at.Position)}
	if c.missing {
		list = append(list, dump.OnlyMissing())
	}
	if c.older != "" {
		list = append(list, dump.OnlyOlder(c.older))
	}
	return list
}

// target runs an import or a copy: it reports failures, saves positions, and prints a summary.
func (c *bulk) target(ctx context.Context, s streams, service string, t *rawtable.Table, run func(context.Context, ...dump.Option) (dump.Report, error)) (err error) {
	if err := s.restore(service, &c.at); err != nil {
		return err
	}
	var file *os.File
	if c.failures != "" {
		if file, err = os.OpenFile(c.failures, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600); err != nil {
			return err
		}
		defer func() { err = errors.Join(err, file.Close()) }()
	}
	ctx, end, err := c.bound(ctx, s, t)
	if err != nil {
		return err
	}
	defer end()
	var unsaved error
	failures := c.at.Failed // the failures of earlier runs still count at the end of this one
	options := append(c.options(), dump.OnFailure(func(e *dump.LineError) {
		failures++ // it is called once at a time, and never together with OnPosition
		fmt.Fprintln(s.err, e)
		if file != nil {
			_, err := fmt.Fprintln(file, e)
			unsaved = errors.Join(unsaved, err)
		}
	}))
	w := saver{streams: s, file: c.position, service: service}
	if c.position != "" {
		options = append(options, dump.OnPosition(func(position func() string) {
			if w.due() {
				w.save(bulkPoint{Position: position(), Failed: failures}, true)
			}
		}))
	}
	report, err := run(ctx, options...)
	end()
	unsaved = errors.Join(unsaved, w.err)
	if errors.Is(err, ddb.ErrInvalid) && report.Items == 0 {
		return err // nothing was started
	}
	parts := []string{fmt.Sprintf("wrote %d items", report.Items)}
	for _, p := range []struct {
		n    int64
		what string
	}{{report.Deleted, "deleted"}, {report.Kept, "kept as they were"}, {report.Failed, "failed"}} {
		if p.n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", p.n, p.what))
		}
	}
	fmt.Fprintln(s.err, strings.Join(parts, ", "))
	if _, ok := errors.AsType[*dump.FailedError](err); ok || err == nil && failures > 0 {
		return finished(c.position, errors.Join(errPartly, &dump.FailedError{N: failures}, unsaved))
	}
	if err != nil && report.Position != "" {
		if unsaved != nil { // the message of an interrupted command does not include it
			fmt.Fprintln(s.err, unsaved)
		}
		return s.interrupt(err, c.position, service, bulkPoint{Position: report.Position, Failed: failures})
	}
	return finished(c.position, errors.Join(err, unsaved))
}

var export = command{
	name:  "export",
	args:  "TABLE FOLDER",
	brief: "export a table to a folder, in the layout of DynamoDB's exports",
	long: `
Each part of the table becomes a compressed file, and manifests with checksums are written last: ImportTable and other tools read them. It
prints the name of the export. The table is read as by a scan, and shows no single moment. An export that was stopped goes on with ddb resume, and one that
was killed with the same -name.`,
	prepare: func(f *flag.FlagSet) action {
		var c bulk
		var at connection
		at.define(f)
		c.define(f)
		c.defineName(f)
		f.IntVar(&c.segments, "segments", 0, "read the table in `n` parts, 1 to 4096; 0 for one for each 64 MB")
		return func(ctx context.Context, s streams, args []string) error {
			if len(args) != 2 {
				return usageError("export: name a table and a folder")
			}
			if err := c.check(); err != nil {
				return usageError("%v", err)
			}
			t, err := firstTable(ctx, s, &at, "export", args)
			if err != nil {
				return err
			}
			service := placeOf(at.opened, t)
			if err := s.restore(service, &c.at); err != nil {
				return err
			}
			if done, err := c.explained(ctx, s, t, "", wholeTable(t)); done || err != nil {
				return err
			}
			c.name = cmp.Or(c.name, c.at.Name, fmt.Sprintf("%014d-%s", time.Now().UnixMilli(), strings.ToLower(rand.Text()[:8])))
			ctx, end, err := c.bound(ctx, s, t)
			if err != nil {
				return err
			}
			defer end()
			options := []dump.Option{dump.Name(c.name), dump.Workers(c.workers)}
			if c.segments != 0 {
				options = append(options, dump.Segments(c.segments))
			}
			report, err := dump.Export(ctx, t, dump.Dir(args[1]), options...)
			end()
			switch {
			case errors.Is(err, ddb.ErrInvalid), errors.Is(err, os.ErrExist):
				return err
			case err != nil:
				return s.interrupt(err, "", service, bulkPoint{Name: c.name})
			}
			fmt.Fprintf(s.err, "exported %d items to %d files, %d bytes\n", report.Items, report.Files, report.Bytes)
			_, err = fmt.Fprintln(s.out, report.Name)
			return err
		}
	},
}

var importTable = command{
	name:  "import",
	args:  "FOLDER TABLE",
	brief: "write the items of an export to a table",
	long: `
It reads exports of ddb and of DynamoDB, full and incremental, JSON and Ion. The table must be there; each item replaces the one with its key unless
-only-missing or -only-older is given. Bad lines, damaged files and items that the table cannot hold are named, and make the exit status 3; the
rest is written. Run ddb verify before.`,
	prepare: func(f *flag.FlagSet) action {
		var c bulk
		var to changing
		to.define(f)
		c.define(f)
		c.defineName(f)
		c.defineTarget(f)
		return func(ctx context.Context, s streams, args []string) error {
			if len(args) != 2 {
				return usageError("import: name a folder and a table")
			}
			if err := c.check(); err != nil {
				return usageError("%v", err)
			}
			client, err := to.client(ctx, s)
			if err != nil {
				return err
			}
			src, err := dump.Open(ctx, dump.Dir(args[0]), c.name)
			if err != nil {
				return err
			}
			t, err := rawtable.Open(ctx, client, args[1])
			if err != nil {
				return err
			}
			if to.dryRun || c.explain {
				fmt.Fprintf(s.err, "would write %d items, at a write unit for each at least\n", src.Items())
				return nil
			}
			fmt.Fprintf(s.err, "expected: %d items, at least a write unit for each\n", src.Items())
			return c.target(ctx, s, placeOf(client, t), t, func(ctx context.Context, options ...dump.Option) (dump.Report, error) {
				return dump.Import(ctx, src, t, options...)
			})
		}
	},
}

// second is the location of the second table of a command, if it differs from the first.
type second struct{ endpoint, region string }

func (c *second) define(f *flag.FlagSet) {
	f.StringVar(&c.endpoint, "to-endpoint", "", "the `URL` of the endpoint of the second table; without it, and without -to-region, that of the first")
	f.StringVar(&c.region, "to-region", "", "the `Region` of the second table; without it that of the first")
}

// at returns the connection of the second table.
func (c *second) at(first connection) connection {
	if c.endpoint == "" && c.region != "" { // the environment decides, or else AWS: the endpoint of the first table belongs to its own Region
		return connection{region: c.region}
	}
	return connection{endpoint: cmp.Or(c.endpoint, first.endpoint), region: cmp.Or(c.region, first.region)}
}

var copyTable = command{
	name:  "copy",
	args:  "TABLE TO-TABLE",
	brief: "write all items of a table to another",
	long: `
The second table must be there, with the same key; ddb describe -format helps to make it. Each item replaces the one with its key unless -only-missing or
-only-older is given. Items that are written meanwhile may be copied or not: compare with ddb diff, or follow the changes with ddb streams tail.`,
	prepare: func(f *flag.FlagSet) action {
		var c bulk
		var from changing // the flags of the source, which is only read
		var to second
		from.define(f)
		to.define(f)
		c.define(f)
		c.defineTarget(f)
		return func(ctx context.Context, s streams, args []string) error {
			if len(args) != 2 {
				return usageError("copy: name two tables")
			}
			if err := c.check(); err != nil {
				return usageError("%v", err)
			}
			target := changing{connection: to.at(from.connection), live: from.live, dryRun: from.dryRun}
			client, err := target.client(ctx, s)
			if err != nil {
				return err
			}
			source, err := firstTable(ctx, s, &from.connection, "copy", args)
			if err != nil {
				return err
			}
			t, err := rawtable.Open(ctx, client, args[1])
			if err != nil {
				return err
			}
			if args[0] == args[1] && serviceOf(client) == serviceOf(from.opened) {
				return usageError("copy: the tables are one")
			}
			if done, err := c.explained(ctx, s, source, "at least a write unit for each item", wholeTable(source)); done || err != nil {
				return err
			}
			if target.dryRun {
				fmt.Fprintf(s.err, "would copy table %s to table %s at %s\n", args[0], args[1], serviceOf(client))
				return nil
			}
			place := placeOf(client, t) + ", from " + placeOf(from.opened, source)
			return c.target(ctx, s, place, t, func(ctx context.Context, options ...dump.Option) (dump.Report, error) {
				return dump.Copy(ctx, source, t, options...)
			})
		}
	},
}
