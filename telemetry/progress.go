// SPDX-License-Identifier: Apache-2.0

package telemetry

import (
	"context"
	"errors"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"

	"github.com/dynamotable/ddb/progress"
)

const (
	jobKey   = attribute.Key("ddb.job")
	stateKey = attribute.Key("ddb.job.state")

	maxJobs = 100 // that are reported in all
)

// WithProgress makes [Start] report the long calls of a tracker, at most 100 of all trackers. Of several calls with one name
// it reports the one that began last. If the option is given several times, all trackers are reported; if several have a
// name, the first one's call is.
func WithProgress(t *progress.Tracker) Option {
	return func(s *settings) {
		if t != nil {
			s.trackers = append(s.trackers, t)
		}
	}
}

// jobGauge is a metric of long calls.
type jobGauge struct {
	name, unit, text string
	value            func(*progress.Progress) (float64, bool)
}

var jobGauges = []jobGauge{
	{"ddb.job.share", "1", "How much of a long call is done.", func(p *progress.Progress) (float64, bool) { return p.Share(), p.Share() >= 0 }},
	{"ddb.job.items", "{item}", "Items that a long call has read or written.", func(p *progress.Progress) (float64, bool) { return float64(p.Items), true }},
	{"ddb.job.read_units", "{unit}", "Read units that a long call has cost.", func(p *progress.Progress) (float64, bool) { return p.Units.Read, true }},
	{"ddb.job.write_units", "{unit}", "Write units that a long call has cost.", func(p *progress.Progress) (float64, bool) { return p.Units.Write, true }},
	{"ddb.job.elapsed", "s", "How long a long call has run.", func(p *progress.Progress) (float64, bool) { return p.Elapsed().Seconds(), true }},
	{"ddb.job.left", "s", "How long the rest of a long call will take at most, if that is known.", func(p *progress.Progress) (float64, bool) {
		return p.LeftHigh.Seconds(), !p.State.Ended() && p.LeftHigh > 0
	}},
}

// observeJobs reports what trackers list.
func observeJobs(m metric.Meter, trackers []*progress.Tracker) (metric.Registration, error) {
	var errs []error
	gauges := make([]metric.Float64ObservableGauge, len(jobGauges))
	observables := make([]metric.Observable, 0, len(jobGauges)+1)
	for i, g := range jobGauges {
		var err error
		gauges[i], err = m.Float64ObservableGauge(g.name, metric.WithUnit(g.unit), metric.WithDescription(g.text))
		errs, observables = append(errs, err), append(observables, gauges[i])
	}
	state, err := m.Float64ObservableGauge("ddb.job.state", metric.WithUnit("{call}"), metric.WithDescription("1 for the state that a long call is in."))
	if err := errors.Join(append(errs, err)...); err != nil {
		return nil, err
	}
	return m.RegisterCallback(func(_ context.Context, o metric.Observer) error {
		seen := map[string]bool{}
		for _, t := range trackers {
			for _, listed := range t.List() {
				p, ok := t.Find(listed.Job)
				if !ok || seen[p.Job] || len(seen) >= maxJobs {
					continue
				}
				seen[p.Job] = true
				attrs := []attribute.KeyValue{semconv.DBSystemNameAWSDynamoDB, jobKey.String(p.Job)}
				set := metric.WithAttributeSet(attribute.NewSet(attrs...))
				for i, g := range jobGauges {
					if v, ok := g.value(&p); ok {
						o.ObserveFloat64(gauges[i], v, set)
					}
				}
				o.ObserveFloat64(state, 1, metric.WithAttributeSet(attribute.NewSet(append(attrs, stateKey.String(string(p.State)))...)))
			}
		}
		return nil
	}, append(observables, state)...)
}
