// SPDX-License-Identifier: Apache-2.0

package progress

import (
	"context"
	"slices"
)

// The context holds one of these: who listens, or the task that is under way.
type contextKey struct{}

type contextState struct {
	listeners []*listener
	name      string // for the next task
	limit     func() Limit
	task      *Task // under way: calls below are part of it
	join      bool  // the next Start takes that task over
}

func stateOf(ctx context.Context) contextState {
	if s, ok := ctx.Value(contextKey{}).(*contextState); ok {
		return *s
	}
	return contextState{}
}

func (s contextState) into(ctx context.Context) context.Context {
	return context.WithValue(ctx, contextKey{}, &s)
}

// With makes the long calls of the context report: at their begin and end, when they begin or cease to wait, and once a second at most in
// between. The calls are made by goroutines of the long call, one at a time for each, and hold it up: report must be quick. A context may have
// several. A call that does nothing, because it waits, reports nothing meanwhile; a [Tracker] shows the time that goes by.
func With(ctx context.Context, report func(Progress)) context.Context {
	if report == nil {
		return ctx
	}
	return listening(ctx, &listener{report: report})
}

func listening(ctx context.Context, l *listener) context.Context {
	s := stateOf(ctx)
	s.listeners = append(slices.Clip(s.listeners), l)
	return s.into(ctx)
}

// listener is a function, or a tracker that reads tasks itself.
type listener struct {
	report  func(Progress)
	tracker *Tracker
}

// Named gives the next long call of the context a name, in place of its operation and table.
func Named(ctx context.Context, name string) context.Context {
	s := stateOf(ctx)
	s.name = name
	return s.into(ctx)
}

// Limit is what limits the rate of calls, as a pace does.
type Limit struct {
	Ceiling Units
	Waiting bool   // requests wait
	Reason  string // why it is lower than it could be, or who waits for what; no key
}

// WithLimit tells the long calls of the context what limits them. It is asked at each report and must be quick. Package pace calls it.
func WithLimit(ctx context.Context, limit func() Limit) context.Context {
	s := stateOf(ctx)
	s.limit = limit
	return s.into(ctx)
}

// LimitOf is what limits the calls of the context now. ok is false if nothing does.
func LimitOf(ctx context.Context) (limit Limit, ok bool) {
	if s := stateOf(ctx); s.limit != nil {
		return s.limit(), true
	}
	return Limit{}, false
}

// Start begins a task if somebody listens; otherwise the task is nil, whose methods do nothing. The name is used if the context has none by [Named]. The calls
// of the returned context are part of the task: their units are counted in it, and they report nothing themselves. The task must be ended.
func Start(ctx context.Context, name string) (context.Context, *Task) {
	s := stateOf(ctx)
	if s.task != nil {
		if !s.join {
			return ctx, nil
		}
		s.join = false
		return s.into(ctx), &Task{run: s.task.run, joined: true}
	}
	if len(s.listeners) == 0 {
		return ctx, nil
	}
	if s.name != "" {
		name = s.name
	}
	t := newTask(name, s.listeners, s.limit)
	s = contextState{task: t, limit: s.limit}
	t.begin()
	return s.into(ctx), t
}

// Join lets the next long call of the context report into the task that is under way: its items, parts and position become those of the task. A job
// that works by a sweep does so.
func Join(ctx context.Context) context.Context {
	s := stateOf(ctx)
	if s.task == nil {
		return ctx
	}
	s.join = true
	return s.into(ctx)
}

// From is the task that the context is part of, or nil.
func From(ctx context.Context) *Task {
	if s, ok := ctx.Value(contextKey{}).(*contextState); ok {
		return s.task
	}
	return nil
}
