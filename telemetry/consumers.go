// SPDX-License-Identifier: Apache-2.0

package telemetry

import (
	"context"
	"errors"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"

	"github.com/dynamotable/ddb/consumers"
)

const (
	consumerKey = attribute.Key("ddb.consumer")
	kindKey     = attribute.Key("ddb.consumer.kind")
)

// consumerGauge is a metric of the consumers that run in this process.
type consumerGauge struct {
	name, unit, text string
	sum              bool // it only grows
	value            func(*consumers.Stats) (float64, bool)
}

var consumerGauges = []consumerGauge{
	{"ddb.consumer.lag", "{commit}", "Commits of a feed that are not handled yet.", false, func(s *consumers.Stats) (float64, bool) { return float64(s.Lag), s.Lag >= 0 }},
	{"ddb.consumer.age", "s", "How long the oldest change or commit waits that is not handled.", false, func(s *consumers.Stats) (float64, bool) { return s.Age.Seconds(), true }},
	{"ddb.consumer.read_age", "s", "Since the last read of the slowest shard was answered.", false, func(s *consumers.Stats) (float64, bool) { return s.ReadAge.Seconds(), true }},
	{"ddb.consumer.leases", "{shard}", "Shards that this process handles.", false, func(s *consumers.Stats) (float64, bool) { return float64(s.Shards), true }},
	{"ddb.consumer.parked", "{commit}", "Commits that are parked.", false, func(s *consumers.Stats) (float64, bool) { return float64(s.Parked), true }},
	{"ddb.consumer.handled", "{change}", "Changes or commits that were handled.", true, func(s *consumers.Stats) (float64, bool) { return float64(s.Handled), true }},
	{"ddb.consumer.retries", "{attempt}", "Calls and handlers that were tried again.", true, func(s *consumers.Stats) (float64, bool) { return float64(s.Retries), true }},
	{"ddb.consumer.given_up", "{change}", "Changes or commits that were skipped, sent to dead letters or parked.", true, func(s *consumers.Stats) (float64, bool) { return float64(s.GivenUp), true }},
	{"ddb.consumer.leases_lost", "{lease}", "Leases that were lost.", true, func(s *consumers.Stats) (float64, bool) { return float64(s.LeasesLost), true }},
}

// observeConsumers reports [consumers.List]. Consumers of one name in this process are summed up, of ages the highest counts: an observer may see each
// set of attributes once.
func observeConsumers(m metric.Meter) (metric.Registration, error) {
	var errs []error
	instruments := make([]metric.Observable, len(consumerGauges))
	observe := make([]func(metric.Observer, float64, metric.MeasurementOption), len(consumerGauges))
	for i, g := range consumerGauges {
		if g.sum {
			c, err := m.Float64ObservableCounter(g.name, metric.WithUnit(g.unit), metric.WithDescription(g.text))
			errs, instruments[i] = append(errs, err), c
			observe[i] = func(o metric.Observer, v float64, a metric.MeasurementOption) { o.ObserveFloat64(c, v, a) }
			continue
		}
		c, err := m.Float64ObservableGauge(g.name, metric.WithUnit(g.unit), metric.WithDescription(g.text))
		errs, instruments[i] = append(errs, err), c
		observe[i] = func(o metric.Observer, v float64, a metric.MeasurementOption) { o.ObserveFloat64(c, v, a) }
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	return m.RegisterCallback(func(_ context.Context, o metric.Observer) error {
		for _, s := range mergeConsumers(consumers.List()) {
			set := metric.WithAttributeSet(attribute.NewSet(
				semconv.DBSystemNameAWSDynamoDB, semconv.DBCollectionName(s.Table), kindKey.String(s.Kind), consumerKey.String(s.Consumer)))
			for i, g := range consumerGauges {
				if v, ok := g.value(&s); ok {
					observe[i](o, v, set)
				}
			}
		}
		return nil
	}, instruments...)
}

// mergeConsumers makes one of consumers with the same kind, table and name, which are sorted by them.
func mergeConsumers(list []consumers.Stats) []consumers.Stats {
	var merged []consumers.Stats
	for _, s := range list {
		n := len(merged) - 1
		if n < 0 || merged[n].Kind != s.Kind || merged[n].Table != s.Table || merged[n].Consumer != s.Consumer {
			merged = append(merged, s)
			continue
		}
		merged[n] = consumers.Merge(merged[n], s)
	}
	return merged
}
