// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"hash/maphash"
	"sync"
	"time"

	"github.com/dynamotable/ddb/ddbtest/internal/value"
)

// tokenLife is how long a client request token is remembered.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactWriteItems.html
const tokenLife = 10 * time.Minute

// tokens remembers the client request tokens of transactions. The zero value
// is empty.
type tokens struct {
	mu    sync.Mutex
	known map[string]tokenState
	ended []string // in the order of their ends
}

type tokenState struct {
	request uint64    // the fingerprint of the request
	ended   time.Time // zero while it is in progress
	sizes   []int     // by which the actions of a request that has succeeded are billed
}

// begin registers a request. If the same request has succeeded already, it
// returns the sizes by which its actions are billed.
func (ts *tokens) begin(token string, request uint64, now time.Time) (replay []int, err error) {
	ts.mu.Lock()
	defer ts.mu.Unlock()
	ts.forget(now)
	state, known := ts.known[token]
	switch {
	case !known:
		if ts.known == nil {
			ts.known = make(map[string]tokenState)
		}
		ts.known[token] = tokenState{request: request}
		return nil, nil
	case state.request != request:
		return nil, &Error{
			Type:    IdempotentParameterMismatchException,
			Message: "DynamoDB rejected the request because you retried a request with a different payload but with an idempotent token that was already used.",
		}
	case state.ended.IsZero():
		return nil, &Error{
			Type:    TransactionInProgressException,
			Message: "The transaction with the given request token is already in progress.",
		}
	}
	return state.sizes, nil
}

// end registers the end of a request. Only successful requests are remembered.
func (ts *tokens) end(token string, effects []effect, success bool, now time.Time) {
	ts.mu.Lock()
	defer ts.mu.Unlock()
	if !success {
		delete(ts.known, token)
		return
	}
	state := ts.known[token]
	state.ended = now
	for i := range effects {
		state.sizes = append(state.sizes, effects[i].size())
	}
	ts.known[token] = state
	ts.ended = append(ts.ended, token)
}

// expire removes expired tokens.
func (ts *tokens) expire(now time.Time) {
	ts.mu.Lock()
	defer ts.mu.Unlock()
	ts.forget(now)
}

// forget is expire for callers that hold mu.
func (ts *tokens) forget(now time.Time) {
	n := 0
	for n < len(ts.ended) && now.Sub(ts.known[ts.ended[n]].ended) >= tokenLife {
		delete(ts.known, ts.ended[n])
		n++
	}
	ts.ended = ts.ended[n:]
}

var tokenSeed = maphash.MakeSeed()

// fingerprint distinguishes requests: equal requests have equal fingerprints,
// whatever the order of their maps on the wire.
func fingerprint(actions []*action, in *TransactWriteItemsInput) uint64 {
	var sum uint64
	for i, a := range actions {
		_, part := in.TransactItems[i].part()
		sum = mix(sum, uint64(a.kind))
		for _, s := range []*string{&a.table.name, part.UpdateExpression, part.ConditionExpression, part.ReturnValuesOnConditionCheckFailure} {
			sum = mix(sum, maphash.String(tokenSeed, text(s)))
		}
		var names uint64
		for name, attribute := range part.Placeholders.Names {
			names += mix(maphash.String(tokenSeed, name), maphash.String(tokenSeed, attribute))
		}
		for _, n := range []uint64{names, hashItem(part.Item.Item), hashItem(part.Key.Item), hashItem(part.Placeholders.Values.Item)} {
			sum = mix(sum, n)
		}
	}
	return sum
}

// hashItem hashes attributes without regard to their order.
func hashItem(item value.Item) uint64 {
	var sum uint64
	for name, v := range item {
		sum += mix(maphash.String(tokenSeed, name), hashValue(v))
	}
	return sum
}

func hashValue(v value.Value) uint64 {
	var sum uint64
	switch v := v.(type) {
	case value.Map:
		sum = hashItem(value.Item(v))
	case value.List:
		for _, e := range v {
			sum = mix(sum, hashValue(e))
		}
	case value.StringSet:
		for _, s := range v {
			sum += maphash.String(tokenSeed, s)
		}
	case value.BinarySet:
		for _, s := range v {
			sum += maphash.String(tokenSeed, s)
		}
	case value.NumberSet:
		for _, n := range v {
			sum += maphash.Comparable(tokenSeed, n)
		}
	case nil:
		return 0
	default:
		sum = maphash.Comparable(tokenSeed, v)
	}
	return mix(uint64(v.Kind()), sum)
}

// mix combines two hashes; the order matters.
func mix(a, b uint64) uint64 {
	a = (a ^ 0x9e3779b97f4a7c15) * 0xff51afd7ed558ccd
	return (a ^ a>>32) + b*0xc4ceb9fe1a85ec53 ^ b>>29
}
