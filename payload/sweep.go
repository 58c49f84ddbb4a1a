// SPDX-License-Identifier: Apache-2.0

package payload

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"iter"
	"time"

	"github.com/dynamotable/ddb"
)

// SweepReport is what a sweep has found and done.
type SweepReport struct {
	// References is the number of references, Objects the number of objects that were checked.
	References, Objects int
	// Kept is the number of objects that something refers to, Young of those that are too new to be removed, Foreign of those
	// whose keys were not made by this package.
	Kept, Young, Foreign int
	// Removed is the number of objects that were removed, or would have been in a dry run, and Bytes their size.
	Removed int
	Bytes   int64
}

// SweepOption is an option of [Payloads.Sweep].
type SweepOption func(*sweep)

// DryRun counts what would be removed, and removes nothing.
func DryRun() SweepOption { return func(s *sweep) { s.dry = true } }

// MinAge sets how old an object must be to be removed: 48 hours by default, which is also the minimum. A writer may
// have stored a payload but not yet the item that refers to it.
func MinAge(d time.Duration) SweepOption { return func(s *sweep) { s.age = d } }

const leastAge = 48 * time.Hour

type sweep struct {
	dry bool
	age time.Duration
}

// Sweep removes the objects below the prefix that nothing refers to and that are old enough. The references must be those of all tables that use
// the prefix; packages eventstore and snapshot list theirs with References. If any
// of them cannot be read, nothing is removed.
//
// It is safe while others write: an object's age is that of the day in its name, and names of past days are no longer
// written. It takes 48 bytes of memory for each reference. A sweep that ends early can be started again.
func (p *Payloads) Sweep(ctx context.Context, references []iter.Seq2[string, error], opts ...SweepOption) (SweepReport, error) {
	if err := p.usable(); err != nil {
		return SweepReport{}, err
	}
	s := sweep{age: leastAge}
	for _, opt := range opts {
		if opt != nil {
			opt(&s)
		}
	}
	var report SweepReport
	if s.age < leastAge {
		return report, &ddb.InvalidError{Problems: []error{fmt.Errorf("payload: a sweep of objects younger than %s could remove payloads that are about to be referred to", leastAge)}}
	}
	before := p.now().Add(-s.age)
	used := make(map[[16]byte]struct{})
	for _, seq := range references {
		for text, err := range seq {
			if err != nil {
				return report, fmt.Errorf("payload: sweep: read the references: %w", err)
			}
			r, err := parseRef(p.prefix, text)
			if err != nil {
				return report, fmt.Errorf("payload: sweep: nothing was removed: %w", err)
			}
			used[digest(r.key)] = struct{}{}
			report.References++
		}
	}
	for object, err := range p.objects.List(ctx, p.prefix+"/") {
		if err != nil {
			return report, fmt.Errorf("payload: sweep: list: %w", err)
		}
		report.Objects++
		day, _, ok := parseKey(p.prefix, object.Key)
		_, kept := used[digest(object.Key)]
		switch {
		case !ok:
			report.Foreign++
		case kept:
			report.Kept++
		// The whole day must be past, by both clocks.
		case day.Add(24*time.Hour).After(before) || object.ModifiedAt.After(before):
			report.Young++
		default:
			if !s.dry {
				if err := p.objects.Delete(ctx, object.Key); err != nil {
					return report, fmt.Errorf("payload: sweep: remove: %w", err)
				}
			}
			report.Removed++
			report.Bytes += object.Size
		}
	}
	return report, errors.Join(ctx.Err())
}

func digest(key string) [16]byte {
	sum := sha256.Sum256([]byte(key))
	return [16]byte(sum[:16])
}
