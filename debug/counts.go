// SPDX-License-Identifier: Apache-2.0

package debug

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/dynamotable/ddb"
)

const (
	maxKinds     = 256
	maxNameBytes = 255 // of a table's name; labels and error types are cut
	overflowName = "other"
)

// bounded is a map that does not grow beyond maxKinds and one more, which holds the rest.
type bounded[K comparable, V any] struct{ m map[K]*V }

// at is the value at a key, or at overflow if there is no room for another key.
func (b *bounded[K, V]) at(key, overflow K) (v *V, at K) {
	if v = b.m[key]; v != nil {
		return v, key
	}
	if len(b.m) >= maxKinds {
		key = overflow
		if v = b.m[key]; v != nil {
			return v, key
		}
	}
	if b.m == nil {
		b.m = make(map[K]*V)
	}
	v = new(V)
	b.m[key] = v
	return v, key
}

// name keeps a text short, and lets go of what it was cut out of.
func name(s string) string {
	if len(s) <= maxNameBytes {
		return s
	}
	return strings.ToValidUTF8(strings.Clone(s[:maxNameBytes]), "")
}

// callKind is what latencies and estimates are kept apart by.
type callKind struct{ operation, table string }

func kindOf(call *ddb.Call) callKind { return callKind{call.Operation, name(call.Table)} }

func (k callKind) compare(o callKind) int {
	return cmp.Or(cmp.Compare(k.table, o.table), cmp.Compare(k.operation, o.operation))
}

func (t *Totals) add(call *ddb.Call) {
	t.Calls++
	t.ReadUnits += call.Consumed.ReadUnits
	t.WriteUnits += call.Consumed.WriteUnits
	t.Throttled += int64(len(call.Throttled))
	t.Retries += int64(max(0, call.Attempts-1))
	if call.Failed() {
		t.Failed++
	}
	if offFastPath(call) {
		t.OffFastPath++
	}
}

type throttleKey struct{ table, index, operation, reason string }

func (r *Recorder) countThrottles(now time.Time, call *ddb.Call) {
	for _, reason := range call.Throttled {
		table, index := throttledAt(call, reason.Resource)
		key := throttleKey{name(table), name(index), call.Operation, name(reason.Reason)}
		t, key := r.throttles.at(key, throttleKey{overflowName, "", overflowName, overflowName})
		t.Table, t.Index, t.Operation, t.Reason = key.table, key.index, key.operation, key.reason
		t.HotKey = t.HotKey || reason.HotKey()
		t.Count++
		t.Last = now
	}
}

// throttledAt is the table and index that an ARN names, if it is of a table of the call;
// the call's own otherwise. A write is throttled by an index that it never named.
func throttledAt(call *ddb.Call, arn string) (table, index string) {
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

type errorKey struct{ table, operation, kind string }

func (r *Recorder) countError(now time.Time, call *ddb.Call) {
	key := errorKey{name(call.Table), call.Operation, name(call.ErrorType())}
	e, key := r.errors.at(key, errorKey{overflowName, overflowName, overflowName})
	e.Table, e.Operation, e.Type = key.table, key.operation, key.kind
	e.Answer = !call.Failed()
	e.Count++
	e.Last = now
}

// countEstimate compares what an answered request has cost with what was expected.
func (r *Recorder) countEstimate(call *ddb.Call) {
	actual := call.Consumed.Total()
	if actual == 0 { // the reply does not say
		return
	}
	a, key := r.estimates.at(kindOf(call), callKind{overflowName, overflowName})
	a.Table, a.Operation = key.table, key.operation
	a.Calls++
	a.Actual += actual
	expected := expectedOf(call)
	a.Expected.Min += expected.Min
	a.Expected.Max += expected.Max
	switch {
	case call.Estimate.Contains(call.Consumed):
		a.Within++
	case actual < expected.Min:
		a.Below++
	default:
		a.Above++
	}
}

func expectedOf(call *ddb.Call) Range {
	e := call.Estimate
	return Range{Min: e.Read.Min + e.Write.Min, Max: e.Read.Max + e.Write.Max}
}

// offFastPath reports whether the items of a call went another way than the fast path. A call that no table made says nothing of it.
func offFastPath(call *ddb.Call) bool { return call.Path != "" && call.Path != ddb.FastPath }

type pathKey struct {
	table, operation string
	path             ddb.Path
	reason           string
}

func (r *Recorder) countPath(call *ddb.Call) {
	if !offFastPath(call) {
		return
	}
	key := pathKey{name(call.Table), call.Operation, call.Path, name(call.PathReason)}
	p, key := r.paths.at(key, pathKey{overflowName, overflowName, overflowName, overflowName})
	p.Table, p.Operation, p.Path, p.Reason = key.table, key.operation, key.path, key.reason
	p.Count++
}
