// SPDX-License-Identifier: Apache-2.0

package debug

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/dynamotable/ddb"
	"github.com/dynamotable/ddb/hooks"
	"github.com/dynamotable/ddb/tableinfo"
)

const usageMinutes = 60

// usage is the consumption of a table or index by minute, in a ring, and its throughput.
type usage struct {
	usageKey

	minutes [usageMinutes + 1]struct {
		at          int64
		read, write float64
	}
}

type usageKey struct{ table, index string }

func (r *Recorder) usageOf(table, index string) *usage {
	key := usageKey{name(table), name(index)}
	u, key := r.usages.at(maxKinds, key, usageKey{key.table, overflowName}, usageKey{overflowName, ""})
	u.usageKey = key
	return u
}

func (u *usage) add(now time.Time, read, write float64) {
	minute := now.Unix() / 60
	m := &u.minutes[place(minute, len(u.minutes))]
	if m.at > minute {
		return
	}
	if m.at < minute {
		m.at, m.read, m.write = minute, 0, 0
	}
	m.read += read
	m.write += write
}

// use counts the units of a call for each table and index that consumed some of them.
func (r *Recorder) use(now time.Time, k *kind, call *hooks.Call) {
	if len(call.Capacity) == 0 {
		if call.Consumed.Total() > 0 {
			k.usage.add(now, call.Consumed.ReadUnits, call.Consumed.WriteUnits)
		}
		return
	}
	for i := range call.Capacity {
		e, u := &call.Capacity[i], k.usage
		if e.Table != u.table || e.Index != u.index {
			u = r.usageOf(e.Table, e.Index)
		}
		u.add(now, e.ReadUnits, e.WriteUnits)
	}
}

// Capacity of a table or index, in units a second; zero means not known.
type capacityLimit struct {
	read, write float64
	source      string
}

// Describe requests the throughput of tables and their indexes from DynamoDB, so that the page shows how much of it is used:
// the provisioned throughput, the maximum of an on-demand table, or else its warm throughput. It sends one DescribeTable for
// each table, which costs no units and needs that permission; the recorder sends nothing by itself. Call it again when
// throughput may have changed, for example every ten minutes. Tables that cannot be described keep their previous values;
// the error joins the errors of all tables.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_DescribeTable.html
func (r *Recorder) Describe(ctx context.Context, tables ...ddb.TablePart) error {
	if r == nil || r.now == nil {
		return errors.New("debug: Describe: a Recorder that New did not make")
	}
	var errs []error
	for _, t := range tables {
		d, err := tableinfo.Describe(ctx, t)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		r.SetThroughput(d)
	}
	return errors.Join(errs...)
}

// SetThroughput is Describe for a description that the program already has. A nil description is ignored.
func (r *Recorder) SetThroughput(d *types.TableDescription) {
	if r == nil || r.now == nil || d == nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	var warm warmUnits
	if w := d.WarmThroughput; w != nil {
		warm = warmUnits{w.ReadUnitsPerSecond, w.WriteUnitsPerSecond}
	}
	r.limit(usageKey{name(of(d.TableName)), ""}, d.ProvisionedThroughput, d.OnDemandThroughput, warm)
	for i := range d.GlobalSecondaryIndexes {
		x := &d.GlobalSecondaryIndexes[i]
		warm = warmUnits{}
		if w := x.WarmThroughput; w != nil {
			warm = warmUnits{w.ReadUnitsPerSecond, w.WriteUnitsPerSecond}
		}
		r.limit(usageKey{name(of(d.TableName)), name(of(x.IndexName))}, x.ProvisionedThroughput, x.OnDemandThroughput, warm)
	}
}

type warmUnits struct{ read, write *int64 }

// limit stores the throughput of a table or index. Provisioned throughput is the limit. An on-demand table is limited by the
// maximum that was set; without a maximum, it serves its warm throughput immediately, and more after it has grown.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/on-demand-capacity-mode-max-throughput.html
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/warm-throughput.html
func (r *Recorder) limit(key usageKey, p *types.ProvisionedThroughputDescription, m *types.OnDemandThroughput, w warmUnits) {
	l := capacityLimit{float64(of(w.read)), float64(of(w.write)), "warm throughput"}
	switch {
	case p != nil && of(p.ReadCapacityUnits) > 0:
		l = capacityLimit{float64(of(p.ReadCapacityUnits)), float64(of(p.WriteCapacityUnits)), "provisioned"}
	case m != nil && (of(m.MaxReadRequestUnits) > 0 || of(m.MaxWriteRequestUnits) > 0):
		l.source = "on-demand maximum"
		if n := of(m.MaxReadRequestUnits); n > 0 {
			l.read = float64(n)
		}
		if n := of(m.MaxWriteRequestUnits); n > 0 {
			l.write = float64(n)
		}
	}
	if r.limits == nil {
		r.limits = make(map[usageKey]capacityLimit)
	}
	if _, known := r.limits[key]; known || len(r.limits) < maxKinds {
		r.limits[key] = l
	}
	r.usageOf(key.table, key.index) // shown also while nothing is consumed
}

func of[T any](p *T) (v T) {
	if p != nil {
		v = *p
	}
	return v
}

// throughput returns the usage of tables and indexes in the last hour.
func (r *Recorder) throughput(now time.Time, f Filter) []Throughput {
	list := []Throughput{}
	for key, u := range r.usages.m {
		if f.Table != "" && f.Table != key.table {
			continue
		}
		l := r.limits[key]
		t := Throughput{
			Table: key.table, Index: key.index, End: time.Unix(now.Unix()/60*60, 0).UTC(), Source: l.source, ReadLimit: l.read, WriteLimit: l.write,
			ReadMinutes: make([]float64, usageMinutes), WriteMinutes: make([]float64, usageMinutes),
		}
		used := false
		for i := range usageMinutes + 1 {
			minute := now.Unix()/60 - usageMinutes + int64(i)
			m := &u.minutes[place(minute, len(u.minutes))]
			if m.at != minute {
				continue
			}
			used = true
			if i < usageMinutes {
				t.ReadMinutes[i], t.WriteMinutes[i] = m.read, m.write
			}
		}
		if used || l.source != "" {
			t.sum()
			list = append(list, t)
		}
	}
	return list
}

// sum computes the fields that depend on the minutes.
func (t *Throughput) sum() {
	rates := func(minutes []float64, limit float64) (last, busiest float64, share *float64) {
		last = minutes[len(minutes)-1] / 60
		busiest = slices.Max(minutes) / 60
		if limit > 0 {
			used := busiest / limit
			share = &used
		}
		return last, busiest, share
	}
	t.ReadPerSecond, t.BusiestRead, t.ReadShare = rates(t.ReadMinutes, t.ReadLimit)
	t.WritePerSecond, t.BusiestWrite, t.WriteShare = rates(t.WriteMinutes, t.WriteLimit)
}
