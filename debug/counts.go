// SPDX-License-Identifier: Apache-2.0

package debug

import (
	"slices"
	"strings"
	"time"

	"github.com/dynamotable/ddb/hooks"
)

type throttleKey struct{ table, index, operation, label, reason string }

func (r *Recorder) countThrottles(now time.Time, call *hooks.Call) {
	for _, reason := range call.Throttled {
		table, index := throttledAt(call, reason.Resource)
		key := throttleKey{name(table), name(index), name(call.Operation), name(call.Label), name(reason.Reason)}
		coarser := key
		coarser.label = overflowName
		t, key := r.throttles.at(maxKinds, key, coarser, throttleKey{overflowName, "", overflowName, overflowName, overflowName})
		t.Table, t.Index, t.Operation, t.Label, t.Reason = key.table, key.index, key.operation, key.label, key.reason
		t.HotKey = t.HotKey || reason.HotKey()
		t.Count++
		t.Last = now.UTC()
	}
}

// throttledAt returns the table and index that an ARN names if it belongs to a table of the call, and otherwise the call's own. A
// write can be throttled by an index that the call does not name.
func throttledAt(call *hooks.Call, arn string) (table, index string) {
	_, resource, ok := strings.Cut(arn, ":table/")
	if !ok {
		return call.Table, call.Index
	}
	named, rest, _ := strings.Cut(resource, "/")
	ofCall := func(t string) bool { return t == named || strings.HasSuffix(t, ":table/"+named) }
	table = call.Table
	if !ofCall(table) {
		i := slices.IndexFunc(call.Tables, ofCall)
		if i < 0 {
			return call.Table, call.Index
		}
		table = call.Tables[i]
	}
	if index, ok = strings.CutPrefix(rest, "index/"); !ok {
		return table, ""
	}
	return table, index
}

type errorKey struct{ table, operation, label, kind string }

func (r *Recorder) countError(now time.Time, call *hooks.Call) {
	key := errorKey{name(call.Table), name(call.Operation), name(call.Label), name(call.ErrorType())}
	coarser := key
	coarser.label = overflowName
	e, key := r.errors.at(maxKinds, key, coarser, errorKey{overflowName, overflowName, overflowName, overflowName})
	e.Table, e.Operation, e.Label, e.Type = key.table, key.operation, key.label, key.kind
	e.Answer = !call.Failed()
	e.Count++
	e.Last = now.UTC()
}

type pathKey struct {
	table, operation, label string
	path                    hooks.Path
	reason                  string
}

func (r *Recorder) countPath(call *hooks.Call) {
	if !offFastPath(call) {
		return
	}
	key := pathKey{name(call.Table), name(call.Operation), name(call.Label), call.Path, name(call.PathReason)}
	coarser := key
	coarser.label = overflowName
	p, key := r.paths.at(maxKinds, key, coarser, pathKey{overflowName, overflowName, overflowName, overflowName, overflowName})
	p.Table, p.Operation, p.Label, p.Path, p.Reason = key.table, key.operation, key.label, key.path, key.reason
	p.Count++
}
