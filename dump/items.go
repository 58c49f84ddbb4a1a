// SPDX-License-Identifier: Apache-2.0

package dump

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"

	"github.com/dynamotable/ddb/progress"
	"github.com/dynamotable/ddb/rawitem"
	"github.com/dynamotable/ddb/typeditem"
)

var errNoSource = errors.New("dump: the source is nil; make it with Open")

// Items reads the items of a full export into T, file by file, with the tags and the exactness of a table of T and at the speed of its codec; as a
// [rawitem.Item] they are kept as they are. It needs no table, and sends nothing to DynamoDB.
//
// A line that is bad is yielded as a [*LineError], and a file that is damaged as a [*DamageError], each with the zero T; the loop may go on behind it, with the next line or the next
// file. Other errors, such as those of the storage, end the loop. What is wrong with a file as a whole is known at its end: to know it before the first item, run
// [Verify]. An incremental export is refused; read it by [Records].
func Items[T any](ctx context.Context, src *Source) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		var none T
		if src == nil || src.Incremental() {
			yield(none, notFull(src))
			return
		}
		for _, f := range src.files {
			goOn := src.eachLine(ctx, f, 0, func(n int, b []byte, err error) bool {
				if err == nil {
					var item T
					if item, err = itemOf[T](b); err == nil {
						return yield(item, nil)
					}
					err = &LineError{fileLabel(f), n, err}
				}
				return yield(none, err) && canContinue(err)
			})
			if !goOn {
				return
			}
		}
	}
}

func notFull(src *Source) error {
	if src == nil {
		return errNoSource
	}
	return errors.New("dump: Items of an incremental export, which has changes: read them by Records")
}

func itemOf[T any](b []byte) (item T, err error) {
	// If the text between the usual head and tail is one complete item, it is the item. Only other lines are parsed in full.
	if n := len(b) - len(itemTail); n > len(itemHead) && bytes.HasPrefix(b, itemHead) && bytes.HasSuffix(b, itemTail) {
		if item, err = decoded[T](b[len(itemHead):n]); err == nil {
			return item, nil
		}
	}
	l, err := split(b)
	if err != nil {
		return item, err
	}
	if l.item == nil {
		return item, errNoItem
	}
	return decoded[T](l.item)
}

func decoded[T any](data []byte) (item T, err error) {
	if _, raw := any(item).(rawitem.Item); raw {
		i, err := rawitem.Parse(data)
		item, _ = any(i).(T)
		return item, err
	}
	return typeditem.DecodeJSON[T](data)
}

// canContinue reports whether what follows can be read.
func canContinue(err error) bool { return errors.Is(err, ErrBadLine) || errors.Is(err, ErrDamaged) }

// Records reads the lines of an export of any kind as raw items; see [Items] for errors.
func Records(ctx context.Context, src *Source) iter.Seq2[Record, error] {
	return func(yield func(Record, error) bool) {
		if src == nil {
			yield(Record{}, errNoSource)
			return
		}
		for _, f := range src.files {
			if !src.eachRecord(ctx, f, 0, func(r Record, err error) bool { return yield(r, err) && (err == nil || canContinue(err)) }) {
				return
			}
		}
	}
}

// eachRecord reads a file behind some lines.
func (s *Source) eachRecord(ctx context.Context, f dataFile, behind int, yield func(Record, error) bool) bool {
	return s.eachLine(ctx, f, behind, func(n int, b []byte, err error) bool {
		var r Record
		if err == nil {
			if r, err = recordOf(b, s.Incremental()); err != nil {
				r, err = Record{}, &LineError{fileLabel(f), n, err}
			}
		}
		r.File, r.Line = fileLabel(f), n
		return yield(r, err)
	})
}

// eachLine reads a file behind some lines, in DynamoDB's JSON. It reports whether the next file can be read.
func (s *Source) eachLine(ctx context.Context, f dataFile, behind int, yield func(n int, b []byte, err error) bool) bool {
	l, err := s.lines(ctx, f)
	if err != nil {
		return yield(0, nil, err)
	}
	defer func() { _ = l.close() }() // what was read is checked by its checksum
	var buffer []byte
	for {
		if err := ctx.Err(); err != nil {
			yield(l.line, nil, err)
			return false
		}
		b, err := l.next()
		switch {
		case errors.Is(err, io.EOF):
			return true
		case err != nil:
			return yield(l.line, nil, err)
		case l.line <= behind:
			continue
		}
		if s.summary.OutputFormat == ionText {
			if buffer, err = fromIon(buffer[:0], b); err != nil {
				err = &LineError{fileLabel(f), l.line, err}
			}
			b = buffer
		}
		if !yield(l.line, b, err) {
			return false
		}
	}
}

// Verify reads a whole export: every file has the checksum and the number of items that the manifest names, every line is of the format, and the
// sum of the items is that of the export. All that is wrong is in the error, at most a hundred findings. It writes nothing, and asks DynamoDB nothing.
// It reports to package progress.
//
// It can be resumed: of the options it obeys [From] and [OnPosition]. A position has the files in which nothing was wrong; a resumed verification reads the others, also those with
// findings once more, so its error is that of the whole export. What it repeats is at most the file that it was reading, and those with findings. A position of another export is refused,
// also if it has the same name.
func Verify(ctx context.Context, src *Source, opts ...Option) error {
	if src == nil {
		return errNoSource
	}
	s, err := settingsOf(opts)
	at := newPosition("verification of "+src.identity(), len(src.files))
	if err == nil {
		err = at.resume(s.position)
	}
	if err != nil {
		return fmt.Errorf("dump: Verify: %w", err)
	}
	tell := func() {
		if s.onPosition != nil {
			s.onPosition(at.String)
		}
	}
	ctx, task := progress.Start(ctx, "verification of "+src.label())
	defer task.Stop("it was left by a panic") // unless it has ended before
	task.Position(at.String)
	left := at.left()
	rest, sum := int64(0), int64(0)
	for _, part := range left {
		rest += src.files[part].ItemCount
	}
	for _, f := range src.files {
		sum += f.ItemCount
	}
	if len(left) == len(src.files) {
		rest = src.Items() // as the export says
	}
	task.Total(rest)
	task.Parts(len(src.files), len(src.files)-len(left))
	tell()
	var all findings
	for _, part := range left {
		whole := true
		if !src.eachRecord(ctx, src.files[part], 0, func(_ Record, err error) bool {
			all.add(err)
			if err == nil {
				task.Items(1)
			}
			whole = whole && err == nil
			task.Work(part, 1)
			return err == nil || canContinue(err)
		}) {
			break
		}
		task.PartDone(part, true)
		if whole {
			at.advance(part, "", true)
			tell()
		}
	}
	if sum != src.summary.ItemCount {
		all.add(&DamageError{summaryName, "its number of items is not the sum of those of the files"})
	}
	if ctx.Err() != nil {
		task.End(ctx.Err())
	} else {
		task.End(all.first())
	}
	return all.err()
}

// findings are errors, of which the first are kept.
type findings struct {
	list []error
	more int
}

const maxFindings = 100

func (f *findings) add(err error) {
	switch {
	case err == nil:
	case len(f.list) < maxFindings:
		f.list = append(f.list, err)
	default:
		f.more++
	}
}

// first is the first finding, with the number of the others.
func (f *findings) first() error {
	if n := len(f.list) + f.more; n > 1 {
		return fmt.Errorf("%w, and %d more", f.list[0], n-1)
	}
	return f.err()
}

func (f *findings) err() error {
	if f.more > 0 {
		return errors.Join(append(f.list, moreError(f.more))...)
	}
	return errors.Join(f.list...)
}
