// SPDX-License-Identifier: Apache-2.0

package pace

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/dynamotable/ddb"
	"github.com/dynamotable/ddb/tableinfo"
)

// share is the state of a pace that follows a table.
type share struct {
	part  ddb.TablePart
	table string
	of    float64
	next  time.Time // when the table is described next; zero while a request does that
}

// How often the table is described.
const (
	followEvery = 5 * time.Minute
	followAgain = time.Minute // after an error
)

// Of returns a pace that uses a share of a table's throughput, above 0 and up to 1: of its provisioned throughput, of the maximum
// of an on-demand table, or else of its warm throughput. A write costs units on the table and on its indexes, and each of them
// has its own throughput. So the rate of writes is the share of the smallest of these, and a request counts with the most that it
// costs on one of them. Requests on other tables pass without waiting.
//
// The rate starts at 50 units a second or less, doubles each second, and falls when DynamoDB throttles. The table is described
// again every 5 minutes, with the context of a request at that time. If that fails, [Stats] has the error and the previous
// figures remain in use.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_DescribeTable.html
func Of(ctx context.Context, table ddb.TablePart, of float64) (*Pace, error) {
	if !(of > 0 && of <= 1) { // written this way to refuse NaN
		return nil, fmt.Errorf("%w: pace: the share is %g: it must be above 0 and at most 1", ddb.ErrInvalid, of)
	}
	d, err := tableinfo.Describe(ctx, table)
	if err != nil {
		return nil, err
	}
	p := newPace()
	p.share = &share{part: table, table: deref(d.TableName), of: of}
	now := time.Now()
	if err := p.take(now, d); err != nil {
		return nil, err
	}
	for _, b := range []*bucket{&p.read, &p.write} {
		b.rate, b.growing = min(firstRate, b.ceiling), true
	}
	return p, nil
}

// take sets the ceilings from a description.
func (p *Pace) take(now time.Time, d *types.TableDescription) error {
	have, source := throughputOf(d)
	if have.ReadUnits <= 0 || have.WriteUnits <= 0 {
		return errors.New("pace: the description of the table has no throughput to take a share of: neither provisioned, nor an on-demand maximum, nor warm throughput")
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.setCeiling(now, Rates{have.ReadUnits * p.share.of, have.WriteUnits * p.share.of})
	p.stats.Source, p.stats.FollowError = source, ""
	p.share.next = now.Add(followEvery)
	return nil
}

// follow describes the table again when that is due. One request does it, and the others continue.
func (p *Pace) follow(ctx context.Context) {
	now := time.Now()
	p.mu.Lock()
	due := !p.share.next.IsZero() && !now.Before(p.share.next)
	if due {
		p.share.next = time.Time{}
	}
	p.mu.Unlock()
	if !due {
		return
	}
	d, err := tableinfo.Describe(ctx, p.share.part)
	if err == nil {
		err = p.take(time.Now(), d)
	}
	if err != nil {
		p.mu.Lock()
		p.stats.FollowError, p.share.next = err.Error(), time.Now().Add(followAgain)
		p.mu.Unlock()
	}
}

// throughputOf returns the throughput of a table, in units a second.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/on-demand-capacity-mode-max-throughput.html
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/warm-throughput.html
func throughputOf(d *types.TableDescription) (Rates, string) {
	own, source := ratesOf(d.ProvisionedThroughput, d.OnDemandThroughput, d.WarmThroughput)
	for i := range d.GlobalSecondaryIndexes {
		x := &d.GlobalSecondaryIndexes[i]
		var warm *types.TableWarmThroughputDescription
		if w := x.WarmThroughput; w != nil {
			warm = &types.TableWarmThroughputDescription{ReadUnitsPerSecond: w.ReadUnitsPerSecond, WriteUnitsPerSecond: w.WriteUnitsPerSecond}
		}
		if its, _ := ratesOf(x.ProvisionedThroughput, x.OnDemandThroughput, warm); its.WriteUnits > 0 {
			own.WriteUnits = min(own.WriteUnits, its.WriteUnits)
		}
	}
	return own, source
}

func ratesOf(p *types.ProvisionedThroughputDescription, m *types.OnDemandThroughput, w *types.TableWarmThroughputDescription) (r Rates, source string) {
	if p != nil && deref(p.ReadCapacityUnits) > 0 {
		return Rates{float64(deref(p.ReadCapacityUnits)), float64(deref(p.WriteCapacityUnits))}, "provisioned"
	}
	if w != nil {
		r, source = Rates{float64(deref(w.ReadUnitsPerSecond)), float64(deref(w.WriteUnitsPerSecond))}, "warm throughput"
	}
	if m != nil {
		if n := deref(m.MaxReadRequestUnits); n > 0 {
			r.ReadUnits, source = float64(n), "on-demand maximum"
		}
		if n := deref(m.MaxWriteRequestUnits); n > 0 {
			r.WriteUnits, source = float64(n), "on-demand maximum"
		}
	}
	return r, source
}

func deref[V any](p *V) (v V) {
	if p != nil {
		v = *p
	}
	return v
}
