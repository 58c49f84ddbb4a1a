// SPDX-License-Identifier: Apache-2.0

package payload

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"iter"
	"path"
	"regexp"
	"time"

	"github.com/dynamotable/ddb"
)

// Option is an option of [New].
type Option func(*Payloads)

// Prefix sets the prefix of all keys; the default is "payloads". Stores with different prefixes can share a bucket.
func Prefix(prefix string) Option { return func(p *Payloads) { p.prefix = prefix } }

// Threshold sets the size of an item in bytes above which [Pack] offloads; the default is 350 KB.
func Threshold(bytes int) Option { return func(p *Payloads) { p.threshold = bytes } }

// MaxSize sets the maximum size of one payload in bytes; the default is 1 GiB. It limits the memory of a read.
func MaxSize(bytes int64) Option { return func(p *Payloads) { p.max = bytes } }

// MaxTotal sets how many bytes the payloads of one call may use together, including objects before decompression; the
// default is 1 GiB. [Payloads.Open] refuses fields that have more, before it fetches any. [Payloads.FetchAll] holds no more than that at a time: it fetches
// the next payloads only when earlier ones were yielded. Both of them, and [Payloads.Fetch], refuse a single payload that has more.
// Reading a payload may need half as much again for a moment.
func MaxTotal(bytes int64) Option { return func(p *Payloads) { p.total = bytes } }

// Concurrency sets how many objects [Payloads.FetchAll] and [Payloads.Open] fetch at the same time; the default is 8.
func Concurrency(n int) Option { return func(p *Payloads) { p.concurrency = n } }

// Clock replaces time.Now.
func Clock(now func() time.Time) Option { return func(p *Payloads) { p.now = now } }

// Compress compresses data if that makes it smaller. Data is written with the first compressor and read
// with any of them, so one can be replaced by another.
func Compress(compressors ...Compressor) Option {
	return func(p *Payloads) { p.compressors = compressors }
}

// Payloads stores large data in an object store. It is safe for concurrent use. Make it with [New].
type Payloads struct {
	objects     Objects
	prefix      string
	threshold   int
	max         int64
	total       int64
	concurrency int
	now         func() time.Time
	compressors []Compressor
	failed      error // of New; every method returns it
}

// prefixes matches the prefixes that every object store accepts unchanged.
var prefixes = regexp.MustCompile(`^[A-Za-z0-9._-]+(/[A-Za-z0-9._-]+)*$`)

// names matches the valid names of compressors.
var names = regexp.MustCompile(`^[a-z0-9]+$`)

// New makes a payload store over an object store. It sends nothing. After an error every method of the Payloads returns it.
func New(objects Objects, opts ...Option) (*Payloads, error) {
	p := &Payloads{objects: objects, prefix: "payloads", threshold: 350 << 10, max: 1 << 30, total: 1 << 30, concurrency: 8, now: time.Now}
	for _, opt := range opts {
		if opt != nil {
			opt(p)
		}
	}
	var errs []error
	if objects == nil || p.now == nil {
		errs = append(errs, errors.New("the object store or the clock is nil"))
	}
	if !prefixes.MatchString(p.prefix) || path.Clean(p.prefix) != p.prefix || path.Clean("/"+p.prefix) != "/"+p.prefix {
		errs = append(errs, errors.New("Prefix must have letters, digits, points, hyphens and underscores, and slashes between them"))
	}
	if p.threshold < 1 || p.threshold > ddb.MaxItemSize || p.max < 1 || p.total < 1 || p.concurrency < 1 {
		errs = append(errs, fmt.Errorf("Threshold must be 1 to %d bytes, MaxSize, MaxTotal and Concurrency at least 1", ddb.MaxItemSize))
	}
	seen := map[string]bool{}
	for _, c := range p.compressors {
		if c == nil || !names.MatchString(c.Name()) || seen[c.Name()] {
			errs = append(errs, errors.New("a compressor is nil, has no name of letters and digits, or is given twice"))
			continue
		}
		seen[c.Name()] = true
	}
	if err := errors.Join(errs...); err != nil {
		p.failed = &ddb.InvalidError{Problems: []error{fmt.Errorf("payload: %w", err)}}
	}
	return p, p.failed
}

// usable returns the error of the constructor, or an error for a Payloads that was not made by it.
func (p *Payloads) usable() error {
	switch {
	case p == nil:
		return notMade("Payloads", "New")
	case p.failed != nil:
		return p.failed
	case p.objects == nil:
		return notMade("Payloads", "New")
	}
	return nil
}

// notMade returns the error for a nil or zero value.
func notMade(what, constructor string) error {
	return &ddb.InvalidError{Problems: []error{fmt.Errorf("payload: a %s that %s did not make", what, constructor)}}
}

// failing yields an error.
func failing[V any](err error) iter.Seq2[V, error] {
	return func(yield func(V, error) bool) {
		var zero V
		yield(zero, err)
	}
}

// Store stores data and returns a reference to it, a text of some 150 bytes. A space is what the data belongs to, such as a
// stream or a customer: equal data in different spaces is stored in different objects, so that the data of
// one space can be removed. Storing the same data again is not an error, and cheap on the same day.
func (p *Payloads) Store(ctx context.Context, space string, data []byte) (string, error) {
	if err := p.usable(); err != nil {
		return "", err
	}
	if int64(len(data)) > p.max {
		return "", fmt.Errorf("payload: %w: %d bytes, MaxSize is %d", ErrTooLarge, len(data), p.max)
	}
	stored, codec := data, ""
	if len(p.compressors) > 0 {
		c := p.compressors[0]
		small, err := c.Compress(data)
		if err != nil {
			return "", fmt.Errorf("payload: compress with %s: %w", c.Name(), err)
		}
		if len(small) < len(data) {
			stored, codec = small, c.Name()
		}
	}
	r := newRef(p.prefix, space, codec, p.now(), data, len(stored))
	if err := p.objects.Put(ctx, r.key, stored); err != nil {
		return "", fmt.Errorf("payload: store %d bytes: %w", len(stored), err)
	}
	return r.String(), nil
}

// Fetch returns the data of a reference: exactly what was stored, or an error that
// matches [ErrMissing], [ErrCorrupt] or [ErrBadRef], or is the object store's.
func (p *Payloads) Fetch(ctx context.Context, reference string) ([]byte, error) {
	if err := p.usable(); err != nil {
		return nil, err
	}
	r, err := p.ref(reference)
	if err != nil {
		return nil, err
	}
	return p.fetch(ctx, r)
}

// ref parses a reference and refuses data that is too large.
func (p *Payloads) ref(reference string) (ref, error) {
	r, err := parseRef(p.prefix, reference)
	if err != nil {
		return ref{}, fmt.Errorf("payload: %w", err)
	}
	if r.size > p.max || r.stored > p.max {
		return ref{}, fmt.Errorf("payload: %w: %d bytes, MaxSize is %d", ErrTooLarge, max(r.size, r.stored), p.max)
	}
	if r.memory() > p.total {
		return ref{}, fmt.Errorf("payload: %w: it needs %d bytes, MaxTotal is %d", ErrTooLarge, r.memory(), p.total)
	}
	return r, nil
}

func (p *Payloads) fetch(ctx context.Context, r ref) ([]byte, error) {
	data, err := p.objects.Get(ctx, r.key, r.stored)
	if err != nil {
		return nil, fmt.Errorf("payload: fetch %d bytes: %w", r.stored, err)
	}
	if int64(len(data)) != r.stored {
		return nil, fmt.Errorf("payload: %w: the object has %d bytes, want %d", ErrCorrupt, len(data), r.stored)
	}
	if r.codec != "" {
		if data, err = p.decompress(r, data); err != nil {
			return nil, err
		}
	}
	if sum := sha256.Sum256(data); int64(len(data)) != r.size || !bytes.Equal(sum[:], r.sum[:]) {
		return nil, fmt.Errorf("payload: %w: its hash is different", ErrCorrupt)
	}
	return data, nil
}

func (p *Payloads) decompress(r ref, data []byte) ([]byte, error) {
	for _, c := range p.compressors {
		if c.Name() != r.codec {
			continue
		}
		plain, err := c.Decompress(data, r.size)
		if err != nil {
			return nil, fmt.Errorf("payload: %w: decompress with %s: %w", ErrCorrupt, r.codec, err)
		}
		return plain, nil
	}
	return nil, fmt.Errorf("payload: it is compressed with %s; the option Compress is missing", r.codec)
}

// FetchAll fetches several payloads at the same time, as many as [Concurrency] and [MaxTotal] allow, and yields their data in the order
// of the references. An error is yielded once, last.
func (p *Payloads) FetchAll(ctx context.Context, references []string) iter.Seq2[[]byte, error] {
	if err := p.usable(); err != nil {
		return failing[[]byte](err)
	}
	type result struct {
		data []byte
		err  error
	}
	type fetch struct {
		done   chan result
		memory int64
	}
	return func(yield func([]byte, error) bool) {
		ctx, cancel := context.WithCancel(ctx)
		var queue []fetch
		defer func() {
			cancel()
			for _, f := range queue { // no goroutine outlives the call
				<-f.done
			}
		}()
		next, held := 0, int64(0)
		for range references {
			for ; next < len(references) && len(queue) < p.concurrency; next++ {
				r, err := p.ref(references[next])
				if len(queue) > 0 && held+r.memory() > p.total {
					break
				}
				f := fetch{make(chan result, 1), r.memory()}
				queue, held = append(queue, f), held+f.memory
				if err != nil {
					f.done <- result{err: err}
					continue
				}
				go func() {
					data, err := p.fetch(ctx, r)
					f.done <- result{data, err}
				}()
			}
			f := queue[0]
			got := <-f.done
			queue = queue[1:]
			if !yield(got.data, got.err) || got.err != nil {
				return
			}
			held -= f.memory
		}
	}
}

// Drop removes the data of a reference at once, for data that must be forgotten. Everything else with the same reference
// loses it too: equal data of one space that was stored on one day. Dropping missing data is not an error.
func (p *Payloads) Drop(ctx context.Context, reference string) error {
	if err := p.usable(); err != nil {
		return err
	}
	r, err := parseRef(p.prefix, reference)
	if err != nil {
		return fmt.Errorf("payload: %w", err)
	}
	if err := p.objects.Delete(ctx, r.key); err != nil {
		return fmt.Errorf("payload: drop: %w", err)
	}
	return nil
}
