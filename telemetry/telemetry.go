// SPDX-License-Identifier: Apache-2.0

package telemetry

import (
	"errors"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/trace"

	"github.com/dynamotable/ddb"
	"github.com/dynamotable/ddb/cost"
	"github.com/dynamotable/ddb/hooks"
	"github.com/dynamotable/ddb/progress"
)

const scopeName = "github.com/dynamotable/ddb/telemetry"

// Option is an option of [Start] and [New].
type Option func(*settings)

type settings struct {
	traces  trace.TracerProvider
	meters  metric.MeterProvider
	ledgers []*cost.Ledger

	trackers []*progress.Tracker
}

// WithTracerProvider reports spans to the given provider instead of the global one.
func WithTracerProvider(p trace.TracerProvider) Option {
	return func(s *settings) { s.traces = p }
}

// WithMeterProvider reports metrics to the given provider instead of the global one.
func WithMeterProvider(p metric.MeterProvider) Option {
	return func(s *settings) { s.meters = p }
}

// WithLedger makes [Start] report the given ledger instead of ddb.DefaultLedger. If the option is given several times, the
// ledgers are reported as one.
func WithLedger(l *cost.Ledger) Option {
	return func(s *settings) { s.ledgers = append(s.ledgers, l) }
}

func settingsOf(opts []Option) settings {
	s := settings{}
	for _, o := range opts {
		if o != nil {
			o(&s)
		}
	}
	if s.traces == nil {
		s.traces = otel.GetTracerProvider()
	}
	if s.meters == nil {
		s.meters = otel.GetMeterProvider()
	}
	if s.ledgers == nil {
		s.ledgers = []*cost.Ledger{ddb.DefaultLedger()}
	}
	return s
}

// Start reports the requests of all tables, the units of a ledger, the consumers of this process ([consumers.List]), and the
// long calls of trackers ([WithProgress]), until stop is called. Errors come from the providers.
func Start(opts ...Option) (stop func() error, err error) {
	s := settingsOf(opts)
	hook, err := s.hook()
	if err != nil {
		return func() error { return err }, err
	}
	meter := s.meters.Meter(scopeName)
	registered, err := observeLedgers(meter, s.ledgers)
	if err != nil {
		return func() error { return err }, err
	}
	consumers, err := observeConsumers(meter)
	if err != nil {
		err = errors.Join(err, registered.Unregister())
		return func() error { return err }, err
	}
	jobs, err := observeJobs(meter, s.trackers)
	if err != nil {
		err = errors.Join(err, registered.Unregister(), consumers.Unregister())
		return func() error { return err }, err
	}
	remove := hooks.Add(hook)
	return func() error {
		remove()
		return errors.Join(registered.Unregister(), consumers.Unregister(), jobs.Unregister())
	}, nil
}

// New returns a hook for single tables ([ddb.WithHook]); it does not report a ledger.
func New(opts ...Option) (hooks.Hook, error) {
	s := settingsOf(opts)
	return s.hook()
}

func (s *settings) hook() (hooks.Hook, error) {
	i, err := newInstruments(s.meters.Meter(scopeName))
	if err != nil {
		return nil, err
	}
	return &hook{tracer: s.traces.Tracer(scopeName), instruments: i}, nil
}

func observeLedgers(m metric.Meter, ledgers []*cost.Ledger) (metric.Registration, error) {
	reads, err1 := m.Float64ObservableCounter("ddb.ledger.read_units", metric.WithUnit("{unit}"),
		metric.WithDescription("Read units consumed."))
	writes, err2 := m.Float64ObservableCounter("ddb.ledger.write_units", metric.WithUnit("{unit}"),
		metric.WithDescription("Write units consumed."))
	operations, err3 := m.Int64ObservableCounter("ddb.ledger.operations", metric.WithUnit("{operation}"),
		metric.WithDescription("Operations that were answered."))
	if err := errors.Join(err1, err2, err3); err != nil {
		return nil, err
	}
	return m.RegisterCallback(ledgerCallback(ledgers, reads, writes, operations), reads, writes, operations)
}
