// SPDX-License-Identifier: Apache-2.0

package progress

import (
	"context"
	"slices"
)

// The context has one of these: the listeners, or the running task.
type contextKey struct{}

type contextState struct {
	listeners []*listener
	name      string // for the next task
	limit     func() Limit
	task      *Task // running: calls below are part of it
	join      bool  // the next Start uses that task
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

// With makes the long calls of the context report: at their beginning and end, when they begin or end to wait, and at most once a second in
// between. The goroutines of the long call run report, one at a time for each task, and wait for it, so it must be fast. A context may have
// several. A call that waits reports nothing meanwhile; a [Tracker] shows the elapsed time.
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

// Named sets the name of the next long call of the context, instead of its operation and table.
func Named(ctx context.Context, name string) context.Context {
	s := stateOf(ctx)
	s.name = name
	return s.into(ctx)
}

// Limit describes a limit on the rate of calls, such as a pace.
type Limit struct {
	Ceiling Units
	Waiting bool   // requests wait
	Reason  string // why it is lower than it could be, or what waits for what; no key
}

// WithLimit sets the function that returns the limit of the context's long calls. It is called at each report and must be fast. Package pace uses it.
func WithLimit(ctx context.Context, limit func() Limit) context.Context {
	s := stateOf(ctx)
	s.limit = limit
	return s.into(ctx)
}

// LimitOf returns the present limit of the context's calls. ok is false if there is none.
func LimitOf(ctx context.Context) (limit Limit, ok bool) {
	if s := stateOf(ctx); s.limit != nil {
		return s.limit(), true
	}
	return Limit{}, false
}

// Start begins a task if the context has listeners; otherwise the task is nil, whose methods do nothing. The name is used if the context has none by [Named]. Calls with
// the returned context are part of the task: their units are counted in it, and they do not report themselves. The task must be ended.
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

// Join makes the next long call of the context report into the running task: its items, parts and position become those of the task. A job
// does so with its sweep.
func Join(ctx context.Context) context.Context {
	s := stateOf(ctx)
	if s.task == nil {
		return ctx
	}
	s.join = true
	return s.into(ctx)
}

// From returns the task that the context is part of, or nil.
func From(ctx context.Context) *Task {
	if s, ok := ctx.Value(contextKey{}).(*contextState); ok {
		return s.task
	}
	return nil
}
