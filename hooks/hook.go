// SPDX-License-Identifier: Apache-2.0

// Package hooks has what sees the requests of tables: hooks for traces, metrics and logs, and the calls that they see.
//
//	remove := hooks.Add(hooks.LogCalls(logger, 100*time.Millisecond)) // sees the requests of all tables
//	orders, err := ddb.New(client, "orders", customer, id, ddb.WithHook(h)) // h sees those of one
//
// A [Call] holds no key values and no item data, so all of it may be logged. A [PartitionHash] names a partition key without showing it.
package hooks

import (
	"context"
	"reflect"
	"slices"
	"sync"
	"sync/atomic"
)

// Hook sees every request that tables send, for traces, metrics and logs. Package telemetry has one for OpenTelemetry,
// package debug one for its page, package hotkeys one that finds hot keys; [LogCalls] returns one that logs. [Add] adds
// a hook to all tables, ddb.WithHook to one.
//
// A Hook is called by many goroutines at once. It must not block: the caller of the
// table waits for it. Requests that create, describe and delete tables are not seen.
type Hook interface {
	// Begin is called before a request is sent. It returns ctx or a context derived from it, which is used for the request
	// and passed to End.
	Begin(ctx context.Context, call *Call) context.Context
	// End is called when the request has ended, with the same call, now complete. The hook may keep the call, but must not
	// change it.
	End(ctx context.Context, call *Call)
}

// FailureHook is a [Hook] that also sees failures that no single request shows: writes that ended with an unknown outcome,
// and requests that a budget (ddb.WithBudget) did not allow.
type FailureHook interface {
	Hook
	// Failed is called after the failure, with the context of the call. Like the other methods, it must not block.
	Failed(ctx context.Context, f *Failure)
}

var (
	globalHooks atomic.Pointer[[]Hook]
	hookIDs     []*byte // of each hook of globalHooks; guarded by hooksMutex
	hooksMutex  sync.Mutex
)

// Add makes a hook see the requests of all tables, until remove is called. For requests that have begun, End is still
// called. Adding a hook a second time has no effect, and either remove removes it. Hooks whose type cannot be compared, such
// as a struct with a slice, are added each time.
func Add(h Hook) (remove func()) {
	if h == nil {
		return func() {}
	}
	hooksMutex.Lock()
	defer hooksMutex.Unlock()
	all := Registered()
	at := slices.IndexFunc(all, func(other Hook) bool { return sameHook(h, other) })
	if at < 0 {
		at = len(all)
		setHooks(append(slices.Clip(all), h), append(slices.Clip(hookIDs), new(byte)))
	}
	id := hookIDs[at]
	return func() { removeHook(id) }
}

func removeHook(id *byte) {
	hooksMutex.Lock()
	defer hooksMutex.Unlock()
	if at := slices.Index(hookIDs, id); at >= 0 {
		setHooks(slices.Delete(slices.Clone(Registered()), at, at+1), slices.Delete(slices.Clone(hookIDs), at, at+1))
	}
}

func setHooks(all []Hook, ids []*byte) {
	hookIDs = ids
	if len(all) == 0 {
		globalHooks.Store(nil)
		return
	}
	globalHooks.Store(&all)
}

// Registered returns the hooks of [Add]. It must not be changed.
func Registered() []Hook {
	if p := globalHooks.Load(); p != nil {
		return *p
	}
	return nil
}

// Append adds a hook to a list that lacks it. It returns a new slice, since others may be reading the old one.
func Append(all []Hook, h Hook) []Hook {
	if slices.ContainsFunc(all, func(other Hook) bool { return sameHook(h, other) }) {
		return all
	}
	return append(slices.Clip(all), h)
}

func sameHook(a, b Hook) bool {
	return reflect.ValueOf(a).Comparable() && reflect.ValueOf(b).Comparable() && a == b
}
