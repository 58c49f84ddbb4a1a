// SPDX-License-Identifier: Apache-2.0

package sweep

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"time"

	"github.com/dynamotable/ddb"
	"github.com/dynamotable/ddb/cost"
	"github.com/dynamotable/ddb/progress"
)

// Estimate is an estimate for a whole table from a part of it.
type Estimate struct {
	// Count is the estimated number of items that the scan would find. With a probability of 95 % the true number is between Low and High, if the segments that were
	// read are like the others.
	Count, Low, High float64
	// Scanned is the estimated number of items in the table or index.
	Scanned float64
	// WholeUnits is the estimated cost of the whole scan, in read units.
	WholeUnits float64
	// Exact means that the whole table was read, because it is too small for a sample: then Count, Low and High are the same.
	Exact bool
	// Segments is the number of segments into which the table was divided, Sampled the number of them that were read.
	Segments, Sampled int
	// Found and Read are the numbers of items that were found and read in those.
	Found, Read int
	// Skew is the number of items in the largest segment divided by the mean. If it is large, the mean says little: a few partition keys have most of the items.
	Skew float64
	// Spent is the cost of the sample.
	Spent   cost.Consumed
	Elapsed time.Duration
}

// String returns the estimate in one line.
func (e Estimate) String() string {
	if e.Exact {
		return fmt.Sprintf("%.0f of %.0f items, all were read for %g read units", e.Count, e.Scanned, e.Spent.ReadUnits)
	}
	return fmt.Sprintf("about %.0f of %.0f items (95 %%: %.0f to %.0f), from %d of %d segments for %g read units; the whole costs about %.0f; the largest segment has %.1f times the mean",
		e.Count, e.Scanned, e.Low, e.High, e.Sampled, e.Segments, e.Spent.ReadUnits, e.WholeUnits, e.Skew)
}

const (
	sampled       = 100       // segments that a sample has, so that their mean is about normally distributed
	segmentItems  = 20        // in a segment, by the table's item count; with fewer, most requests read nothing
	mostInSample  = 1_000_000 // segments of a scan
	deviations    = 1.96      // of a 95 % interval
	degreesFactor = 2.4       // the correction for a small sample, about as in Student's distribution
	noneFound     = 3         // if none of n segments has a property, fewer than 3/n of all have it, with 95 % probability
)

// Sample estimates how many items a scan with a filter finds, from a share of the segments, above 0 and up to 1: 0.01 costs about a hundredth of the scan. The segments are
// chosen at random, about a hundred of them; if items have something in common, such as the partition key, the interval becomes wider, as it should. A table that
// is too small for that share is read completely; a share of fewer than a hundred segments is rounded up.
//
// Each segment costs at least half a read unit, or one unit if the scan is consistent. The number of segments follows from the table's item count, which is some
// hours old and needs the permission DescribeTable; without it only the share determines it, and the progress has a count "unknown table size". The calls obey the pace
// and budget of the context.
func Sample[T any](ctx context.Context, scan ddb.Paged[T], share float64) (Estimate, error) {
	return SampleOf(ctx, scan, share, func(T) bool { return true })
}

// SampleOf is like [Sample], but counts the items for which a function returns true.
func SampleOf[T any](ctx context.Context, scan ddb.Paged[T], share float64, counts func(T) bool) (Estimate, error) {
	if !(share > 0 && share <= 1) { // so written because of NaN
		return Estimate{}, &ddb.InvalidError{Problems: []error{fmt.Errorf("sweep: the share of a sample is %g: it must be above 0 and at most 1", share)}}
	}
	segments, err := ddb.SegmentsOf(scan)
	if err == nil && counts == nil {
		err = &ddb.InvalidError{Problems: []error{errors.New("sweep: the function that counts items is nil")}}
	}
	if err != nil {
		return Estimate{}, err
	}
	begun := time.Now()
	ctx, task := progress.Start(ctx, "sample of "+segments.Name())
	defer task.Stop("it ended with a panic") // unless it has ended before
	e, err := sample(ctx, task, segments, share, counts)
	task.End(err)
	e.Elapsed = time.Since(begun)
	return e, err
}

func sample[T any](ctx context.Context, task *progress.Task, scan *ddb.ScanSegments[T], share float64, counts func(T) bool) (e Estimate, err error) {
	total := int(min(mostInSample, math.Ceil(sampled/share)))
	if items, _ := sizeOf(ctx, scan); items > 0 {
		total = int(min(float64(total), max(1, float64(items)/segmentItems)))
	}
	n := min(total, max(sampled, int(math.Ceil(float64(total)*share))))
	e = Estimate{Segments: total, Sampled: n, Exact: n == total}
	task.Parts(n, 0)
	var found, read, units moments
	for i, number := range rand.Perm(total)[:n] { //nolint:gosec // no secret
		var inFound, inRead int
		var inUnits float64
		for after := ""; ; {
			page, err := scan.Page(ctx, number, total, after)
			for _, item := range page.Items {
				if counts(item) {
					inFound++
				}
			}
			inRead, inUnits = inRead+page.Scanned, inUnits+page.Consumed.ReadUnits
			e.Spent.ReadUnits += page.Consumed.ReadUnits
			if err != nil {
				return e, err
			}
			if after = page.Next.String(); after == "" {
				break
			}
		}
		found.add(float64(inFound))
		read.add(float64(inRead))
		units.add(inUnits)
		e.Found, e.Read = e.Found+inFound, e.Read+inRead
		task.Items(int64(inRead))
		task.Work(i, float64(inRead))
		task.PartDone(i, true)
	}
	all := float64(total)
	e.Count, e.Scanned, e.WholeUnits = all*found.mean(), all*read.mean(), all*units.mean()
	if read.sum > 0 {
		e.Skew = read.most / read.mean()
	}
	e.Low, e.High = e.Count, e.Count
	if !e.Exact {
		spread := found.spread(total)
		e.Low, e.High = max(float64(e.Found), e.Count-spread), e.Count+spread
		if e.Found == 0 {
			e.High = all * noneFound / float64(n) * read.mean()
		}
	}
	return e, nil
}

// moments are sums of a value over segments.
type moments struct{ n, sum, squares, most float64 }

func (m *moments) add(x float64) {
	m.n++
	m.sum += x
	m.squares += x * x
	m.most = max(m.most, x)
}

func (m *moments) mean() float64 { return m.sum / m.n }

// spread returns half of the 95 % interval of the sum over all segments, from which the sample was drawn without replacement.
func (m *moments) spread(segments int) float64 {
	all := float64(segments)
	variance := max(0, (m.squares-m.sum*m.mean())/max(1, m.n-1))
	return (deviations + degreesFactor/max(1, m.n-1)) * all * math.Sqrt(variance/m.n*(1-m.n/all))
}
