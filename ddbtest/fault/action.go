// SPDX-License-Identifier: Apache-2.0

package fault

import (
	"bytes"
	"context"
	"encoding/json"
	"net"
	"net/http"
	"os"
	"strings"
	"syscall"
	"time"

	"github.com/dynamotable/ddb/ddbtest/internal/engine"
	"github.com/dynamotable/ddb/ddbtest/internal/protocol"
)

// faultedRequest is one request that a rule applies to.
type faultedRequest struct {
	plan  *Plan
	mixed *mixed // the rule's
	call  *protocol.Call
	next  func(context.Context, *protocol.Call) *protocol.Reply
}

// action applies a fault to a request.
type action func(ctx context.Context, v *faultedRequest) *protocol.Reply

// reset is the error that a client sees when a connection breaks.
func reset() *protocol.Reply {
	return &protocol.Reply{Err: &net.OpError{Op: "read", Net: "tcp", Err: os.NewSyscallError("read", syscall.ECONNRESET)}}
}

// DropReply executes the request and breaks the connection instead of answering.
func (m Matcher) DropReply() Rule {
	return m.rule("reply dropped", func(ctx context.Context, v *faultedRequest) *protocol.Reply {
		v.next(ctx, v.call)
		return reset()
	})
}

// DropRequest breaks the connection before the request is executed; [Matcher.Applied] after it. The client sees
// the same either way.
func (m Matcher) DropRequest() Rule {
	return m.failing("request dropped", func(*faultedRequest) *protocol.Reply { return reset() })
}

// Refuse refuses the connection. Clients know that nothing was sent.
func (m Matcher) Refuse() Rule {
	m.applied = false
	return m.failing("connection refused", func(*faultedRequest) *protocol.Reply {
		return &protocol.Reply{Err: &net.OpError{Op: "dial", Net: "tcp", Err: os.NewSyscallError("connect", syscall.ECONNREFUSED)}}
	})
}

// Delay delays the request, or with [Matcher.Applied] its reply, by d, in the time of the process or of a
// testing/synctest bubble. A request whose context ends while it waits fails with its error.
func (m Matcher) Delay(d time.Duration) Rule {
	return m.rule("delayed", func(ctx context.Context, v *faultedRequest) *protocol.Reply {
		if m.applied {
			reply := v.next(ctx, v.call)
			if err := protocol.Wait(ctx, d); err != nil {
				return &protocol.Reply{Err: err}
			}
			return reply
		}
		if err := protocol.Wait(ctx, d); err != nil {
			return &protocol.Reply{Err: err}
		}
		return v.next(ctx, v.call)
	})
}

// Hang never answers: the request fails when its context ends.
func (m Matcher) Hang() Rule {
	return m.rule("hangs", func(ctx context.Context, v *faultedRequest) *protocol.Reply {
		if m.applied {
			v.next(ctx, v.call)
		}
		<-ctx.Done()
		return &protocol.Reply{Err: ctx.Err()}
	})
}

// Duplicate delivers the request twice, one right after the other, and answers with the first reply.
func (m Matcher) Duplicate() Rule {
	return m.rule("delivered twice", func(ctx context.Context, v *faultedRequest) *protocol.Reply {
		reply := v.next(ctx, v.call)
		v.next(ctx, v.call)
		return reply
	})
}

// Late breaks the connection at once and executes the request after d, when the client may have sent others. With
// [Matcher.Applied] it is also executed at once.
func (m Matcher) Late(d time.Duration) Rule {
	return m.rule("delivered late", func(ctx context.Context, v *faultedRequest) *protocol.Reply {
		if m.applied {
			v.next(ctx, v.call)
		}
		call := &protocol.Call{Operation: v.call.Operation, Body: bytes.Clone(v.call.Body)}
		next, later := v.next, context.WithoutCancel(ctx)
		time.AfterFunc(d, func() { next(later, call) })
		return reset()
	})
}

// Throttle refuses the request with the service's reasons, such as "TableWriteKeyRangeThroughputExceeded"; without
// reasons the error is a ThrottlingException without reasons.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_ThrottlingReason.html
func (m Matcher) Throttle(reasons ...string) Rule {
	e := &engine.Error{Type: engine.ThrottlingException, Message: "Throughput exceeds the current capacity of your table or index."}
	for _, r := range reasons {
		if strings.HasSuffix(r, "ProvisionedThroughputExceeded") {
			e.Type = engine.ProvisionedThroughputExceededException
		}
		e.Throttling = append(e.Throttling, engine.ThrottlingReason{Reason: r, Resource: "arn:aws:dynamodb:us-east-1:000000000000:table/throttled"})
	}
	if len(reasons) == 0 {
		e.Message = "Rate of requests exceeds the allowed throughput."
	}
	return m.refusing("throttled", e)
}

// Limit refuses the request with RequestLimitExceeded, the limit of an account.
func (m Matcher) Limit() Rule {
	return m.refusing("account limited", &engine.Error{Type: engine.RequestLimitExceeded, Message: "Throughput exceeds the current throughput limit for your account."})
}

// InternalError answers with status 500, before or, with [Matcher.Applied], after the request is executed.
func (m Matcher) InternalError() Rule {
	return m.refusing("internal error", &engine.Error{Type: engine.InternalServerError, Message: "Internal server error"})
}

// Unavailable answers with status 503.
func (m Matcher) Unavailable() Rule {
	return m.failing("unavailable", func(v *faultedRequest) *protocol.Reply {
		reply := v.plan.fail(&engine.Error{Type: "ServiceUnavailable", Message: "Service is unavailable"})
		reply.Status = http.StatusServiceUnavailable
		return reply
	})
}

// Conflict refuses a write because of a transaction in progress on its item; a transaction is cancelled, with the
// conflict as the reason of its first action.
func (m Matcher) Conflict() Rule {
	const message = "Transaction is ongoing for the item"
	return m.failing("conflict", func(v *faultedRequest) *protocol.Reply {
		var in struct{ TransactItems []json.RawMessage }
		if json.Unmarshal(v.call.Body, &in) != nil || len(in.TransactItems) == 0 {
			return v.plan.fail(&engine.Error{Type: engine.TransactionConflictException, Message: message})
		}
		e := &engine.Error{Type: engine.TransactionCanceledException, Reasons: []engine.CancellationReason{{Code: "TransactionConflict", Message: message}}}
		codes := []string{"TransactionConflict"}
		for range in.TransactItems[1:] {
			e.Reasons = append(e.Reasons, engine.CancellationReason{Code: "None"})
			codes = append(codes, "None")
		}
		e.Message = "Transaction cancelled, please refer cancellation reasons for specific reasons [" + strings.Join(codes, ", ") + "]"
		return v.plan.fail(e)
	})
}

// InProgress refuses a transaction because another request with its token is in progress.
func (m Matcher) InProgress() Rule {
	return m.refusing("in progress", &engine.Error{Type: engine.TransactionInProgressException, Message: "Transaction with the same client request token is in progress"})
}

// ReplicatedWriteConflict refuses a write because of a write to the same item in another Region.
func (m Matcher) ReplicatedWriteConflict() Rule {
	return m.refusing("replicated write conflict", &engine.Error{
		Type: "ReplicatedWriteConflictException", Message: "One or more items in this request are being modified by a request in another Region.",
	})
}

// Error refuses the request with any exception of the service and status 400.
func (m Matcher) Error(kind, message string) Rule {
	return m.refusing(kind, &engine.Error{Type: kind, Message: message})
}

// TruncateBody sends half of the body and breaks the connection.
func (m Matcher) TruncateBody() Rule {
	return m.spoiling("body cut", func(r *protocol.Reply) { r.Cut = max(1, len(r.Body)/2) })
}

// FlipByte changes one byte in the middle of the body but sends the checksum of the correct body.
func (m Matcher) FlipByte() Rule {
	return m.spoiling("byte flipped", func(r *protocol.Reply) {
		if len(r.Body) > 0 {
			r.Body = bytes.Clone(r.Body)
			r.Body[len(r.Body)/2] ^= 1
		}
	})
}

// WrongChecksum sends the correct body with a wrong checksum.
func (m Matcher) WrongChecksum() Rule {
	return m.spoiling("wrong checksum", func(r *protocol.Reply) { r.Checksum ^= 1 })
}

// EmptyBody sends status 200 and nothing else.
func (m Matcher) EmptyBody() Rule {
	return m.spoiling("empty body", func(r *protocol.Reply) { r.Status, r.Body, r.Checksum, r.RequestID = http.StatusOK, nil, 0, "" })
}

// Foreign sends status 200 and a page that is not the service's, as a proxy does.
func (m Matcher) Foreign() Rule {
	const page = "<html><body>Sign in to the network</body></html>"
	return m.spoiling("foreign body", func(r *protocol.Reply) {
		r.Status, r.Body, r.RequestID, r.Foreign = http.StatusOK, []byte(page), "", htmlType
	})
}

// Unprocessed leaves n members of a batch unprocessed.
func (m Matcher) Unprocessed(n int) Rule {
	return m.rule("left unprocessed", func(ctx context.Context, v *faultedRequest) *protocol.Reply {
		left := newUnprocessedLeft(n)
		return v.next(context.WithValue(ctx, unprocessedLeftKey{}, left), v.call)
	})
}

// StaleReads answers reads that are not strongly consistent with the data that was stored lag ago by the engine's clock.
func (m Matcher) StaleReads(lag time.Duration) Rule {
	r := m.rule("stale read", nil)
	r.lag = lag
	r.do = func(ctx context.Context, v *faultedRequest) *protocol.Reply { return v.plan.stale(ctx, v, lag, false) }
	return r
}

// StaleIndex answers reads of global indexes with the data that was stored lag ago by the engine's clock.
func (m Matcher) StaleIndex(lag time.Duration) Rule {
	r := m.rule("stale index", nil)
	r.lag = lag
	r.do = func(ctx context.Context, v *faultedRequest) *protocol.Reply { return v.plan.stale(ctx, v, lag, true) }
	return r
}

// refusing answers with an error.
func (m Matcher) refusing(name string, e *engine.Error) Rule {
	return m.failing(name, func(v *faultedRequest) *protocol.Reply { return v.plan.fail(e) })
}

// failing answers instead of the engine.
func (m Matcher) failing(name string, answer func(*faultedRequest) *protocol.Reply) Rule {
	return m.rule(name, func(ctx context.Context, v *faultedRequest) *protocol.Reply {
		if m.applied {
			v.next(ctx, v.call)
		}
		return answer(v)
	})
}

// spoiling changes the reply of an executed request.
func (m Matcher) spoiling(name string, spoil func(*protocol.Reply)) Rule {
	return m.rule(name, func(ctx context.Context, v *faultedRequest) *protocol.Reply {
		reply := v.next(ctx, v.call)
		if reply.Err == nil {
			spoil(reply)
		}
		return reply
	})
}

// Storm returns a mixture of faults of networks and the service, each with the same part of share: lost
// requests and replies, internal errors before and after the request is executed, throttling, broken replies,
// requests delivered twice and conflicts.
func Storm(share float64) []Rule {
	m := On()
	kinds := []func(Matcher) Rule{
		Matcher.DropRequest, Matcher.DropReply, Matcher.InternalError,
		func(m Matcher) Rule { return m.Applied().InternalError() },
		Matcher.Unavailable, func(m Matcher) Rule { return m.Throttle() }, Matcher.TruncateBody, Matcher.FlipByte, Matcher.EmptyBody,
	}
	left := 1.0 // of the requests that reach a rule, since the rules before it match some
	rules := make([]Rule, len(kinds))
	part := share / float64(len(kinds))
	for i, kind := range kinds {
		rules[i] = kind(m.Chance(part / left))
		left -= part
	}
	return rules
}
