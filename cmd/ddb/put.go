// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"iter"
	"os"

	"github.com/aws/smithy-go"

	"github.com/dynamotable/ddb"
	"github.com/dynamotable/ddb/cmd/ddb/internal/plain"
	"github.com/dynamotable/ddb/progress"
	"github.com/dynamotable/ddb/rawitem"
	"github.com/dynamotable/ddb/rawtable"
)

var put = command{
	name:  "put",
	args:  "TABLE [ITEM...]",
	brief: "put items, given as arguments or one on a line of the input",
	long: `
An item is in DynamoDB's JSON, as ddb get and ddb scan print it: {"id": {"S": "a"}, "n": {"N": "1"}}; with -plain it is JSON without types.
It replaces the stored item. Items that cannot be put, because a line is not an item or the condition is false, are reported by their number,
written to the file of -failures, and make the exit status 3; all others are put. When it is stopped, ddb resume continues after the items that were
put; give it the same input. What was in flight is put again.
` + aboutConditions,
	prepare: func(f *flag.FlagSet) action {
		var p putter
		p.define(f)
		p.defineIf(f)
		f.BoolVar(&p.create, "create", false, "put an item only if there is none with its key")
		f.BoolVar(&p.plain, "plain", false, "the items are JSON without types")
		f.StringVar(&p.failures, "failures", "", "write the items that were not put to this `file`")
		return func(ctx context.Context, s streams, args []string) error {
			cond, err := p.condition()
			if err != nil {
				return err
			}
			if p.create && len(cond) > 0 {
				return usageError("put: -create is a condition; use either -create or -if")
			}
			t, err := firstTable(ctx, s, &p, "put", args)
			if err != nil {
				return err
			}
			p.s, p.table, p.cond = s, t, cond
			return p.run(ctx, args[1:])
		}
	},
}

// putter puts items, in batches if there is no condition.
type putter struct {
	writing
	s             streams
	table         *rawtable.Table
	cond          []ddb.Cond[rawitem.Item]
	create, plain bool
	failures      string

	at      putPoint
	file    *os.File   // for the items that failed
	first   int        // the first item that a resumed put sends; 0 for a new put
	pending []numbered // the next batch
	task    *progress.Task
}

// putPoint is the position of a put in its input.
type putPoint struct {
	Done   int `json:"done"` // items of the input
	Failed int `json:"failed"`
}

// numbered is an item of the input, counted from 1.
type numbered struct {
	n    int
	line []byte
	item rawitem.Item
}

// batchSize is the number of items that are put together; the library sends them in four batches at once.
const batchSize = 100

func (p *putter) run(ctx context.Context, args []string) (err error) {
	service := placeOf(p.opened, p.table)
	if err := p.s.restore(service, &p.at); err != nil {
		return err
	}
	if p.s.from != nil {
		p.first = p.at.Done + 1
	}
	if p.failures != "" && !p.dryRun {
		mode := os.O_CREATE | os.O_WRONLY | os.O_EXCL
		if p.s.from != nil { // the file belongs to the previous run, even if no item was done
			mode = os.O_CREATE | os.O_WRONLY | os.O_APPEND
		}
		if p.file, err = os.OpenFile(p.failures, mode, 0o600); err != nil {
			return err
		}
		defer func() { err = errors.Join(err, p.file.Close()) }()
	}
	ctx, end, err := p.bound(ctx, p.s, p.table)
	if err != nil {
		return err
	}
	defer end()
	return shown(ctx, "put to "+p.table.Name(), func(ctx context.Context, task *progress.Task) error {
		p.task = task
		n, err := p.all(ctx, args)
		end()
		switch {
		case err != nil:
			return p.s.interrupt(err, "", service, p.at)
		case n < p.at.Done:
			return fmt.Errorf("the input has %d items, but %d were put before: it is a different input", n, p.at.Done)
		}
		verb := "put"
		if p.dryRun || p.explain {
			verb = "would put"
		}
		fmt.Fprintf(p.s.err, "%s %d items\n", verb, p.at.Done-p.at.Failed)
		if p.at.Failed > 0 {
			return fmt.Errorf("%w: %d of %d items were not put", errPartly, p.at.Failed, p.at.Done)
		}
		return nil
	})
}

// all puts the items of the input, after those that were put by earlier runs, and returns the number of items in the input.
func (p *putter) all(ctx context.Context, args []string) (n int, err error) {
	for line, err := range lines(ctx, p.s.in, args) {
		if err != nil { // the items before it are put; the rest can be put when the input is corrected
			if ctx.Err() == nil {
				err = errors.Join(err, p.flush(ctx))
			}
			return n, err
		}
		if n++; n <= p.at.Done {
			continue
		}
		if err := p.add(ctx, numbered{n: n, line: line}); err != nil {
			return n, err
		}
	}
	return n, p.flush(ctx)
}

// maxLine limits the length of a line of the input: an item of 400 KB with every byte escaped.
const maxLine = 16 << 20

// inputLine is a line of the input, or the error that occurred instead.
type inputLine struct {
	text []byte
	err  error
}

// lines yields the items of the arguments, or of the input. It skips empty lines. When the context ends, it yields the context's
// error as the last one, even if the input has nothing to read. Then the goroutine that waits for input remains, which only
// happens at the end of the program.
func lines(ctx context.Context, in io.Reader, args []string) iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		if len(args) > 0 {
			for _, arg := range args {
				if !yield([]byte(arg), nil) {
					return
				}
			}
			return
		}
		read, enough := make(chan inputLine), make(chan struct{})
		defer close(enough)
		go readLines(in, read, enough)
		for {
			select {
			case <-ctx.Done():
				yield(nil, ctx.Err())
				return
			case line, more := <-read:
				if !more || !yield(line.text, line.err) || line.err != nil {
					return
				}
			}
		}
	}
}

// readLines sends the lines of the input, and closes the channel at its end.
func readLines(in io.Reader, to chan<- inputLine, enough <-chan struct{}) {
	defer close(to)
	send := func(line inputLine) bool {
		select {
		case to <- line:
			return true
		case <-enough:
			return false
		}
	}
	r := bufio.NewScanner(in)
	r.Buffer(nil, maxLine)
	for r.Scan() {
		if len(bytes.TrimSpace(r.Bytes())) > 0 && !send(inputLine{text: bytes.Clone(r.Bytes())}) {
			return
		}
	}
	if err := r.Err(); err != nil {
		send(inputLine{err: fmt.Errorf("input: %w", err)})
	}
}

// add puts an item, or adds it to the batch.
func (p *putter) add(ctx context.Context, item numbered) (err error) {
	line := item.line
	if p.plain {
		line, err = plain.ToItem(line)
	}
	if err == nil {
		item.item, err = rawitem.Parse(line)
	}
	if err != nil {
		if err := p.flush(ctx); err != nil {
			return err
		}
		return p.fail(item, err)
	}
	p.pending = append(p.pending, item)
	if len(p.pending) < batchSize && p.batched() {
		return nil
	}
	return p.flush(ctx)
}

// batched reports whether items are put in batches.
func (p *putter) batched() bool { return len(p.cond) == 0 && !p.create && !p.dryRun && !p.explain }

// flush puts the batch.
func (p *putter) flush(ctx context.Context) error {
	list := p.pending
	p.pending = nil
	if p.batched() && len(list) > 1 {
		items := make([]rawitem.Item, len(list))
		for i := range list {
			items[i] = list[i].item
		}
		err := p.table.BatchPut(ctx, items)
		if err == nil {
			p.at.Done += len(list)
			p.task.Items(int64(len(list)))
			return nil
		}
		if !errors.Is(err, ddb.ErrInvalid) && !isRejected(err) {
			return err // the next run puts the whole batch again
		}
		// One of them is invalid, or two have the same key: put each separately, or report it.
	}
	for _, item := range list {
		switch err := p.one(ctx, item.item); {
		case err == nil, p.wasDone(item, err):
			p.at.Done++
			p.task.Items(1)
		case errors.Is(err, ddb.ErrInvalid), errors.Is(err, ddb.ErrConditionFailed), isRejected(err):
			if err := p.fail(item, err); err != nil {
				return err
			}
		default:
			return err
		}
	}
	return nil
}

// one puts one item.
func (p *putter) one(ctx context.Context, item rawitem.Item) error {
	call := func(ctx context.Context) error {
		switch {
		case p.create:
			return p.table.Create(ctx, &item)
		case len(p.cond) > 0:
			return p.table.Put(ctx, &item, ddb.If(p.cond...))
		}
		return p.table.Put(ctx, &item)
	}
	if !p.dryRun && !p.explain {
		return call(ctx)
	}
	x, err := ddb.Explain(ctx, call)
	if err == nil && p.explain {
		_, err = fmt.Fprintln(p.s.out, x)
	}
	return err
}

// wasDone reports whether the previous run put the item and only the reply was lost: then the item itself makes its condition
// false.
func (p *putter) wasDone(item numbered, err error) bool {
	failed, ok := errors.AsType[*ddb.ConditionFailed[rawitem.Item]](err)
	if !ok || item.n != p.first {
		return false
	}
	current, ok := failed.Current()
	return ok && current.Equal(item.item)
}

// fail reports an item that was not put, with its number.
func (p *putter) fail(item numbered, why error) error {
	fmt.Fprintf(p.s.err, "item %d: %v\n", item.n, why)
	p.at.Done++
	p.at.Failed++
	if p.file == nil {
		return nil
	}
	_, err := p.file.Write(append(bytes.TrimSpace(item.line), '\n'))
	return err
}

// isRejected reports whether the service rejected the item itself.
func isRejected(err error) bool {
	api, ok := errors.AsType[smithy.APIError](err)
	return ok && api.ErrorCode() == "ValidationException"
}
