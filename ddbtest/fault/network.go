// SPDX-License-Identifier: Apache-2.0

package fault

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/dynamotable/ddb/ddbtest/internal/engine"
	"github.com/dynamotable/ddb/ddbtest/internal/protocol"
)

const (
	htmlType = "text/html"
	jsonType = "application/json"
)

// Repeat delivers the request, and again after d, and answers with the second reply, as a proxy does that retries
// unanswered requests. The client sees one request and one reply. A request whose context ends
// before the second delivery fails with its error and is not delivered again.
func (m Matcher) Repeat(d time.Duration) Rule {
	return m.rule("repeated by a hop", func(ctx context.Context, v *faultedRequest) *protocol.Reply {
		v.next(ctx, v.call)
		if err := protocol.Wait(ctx, d); err != nil {
			return &protocol.Reply{Err: err}
		}
		return v.next(ctx, v.call)
	})
}

// Gate keeps requests in flight until a test releases them; see [Matcher.Hold]. It is made by [NewGate] and
// safe for concurrent use.
type Gate struct {
	mu   sync.Mutex
	held []*heldRequest
	came chan struct{} // closed and replaced when a request arrives
}

type heldRequest struct {
	execute func() *protocol.Reply
	answer  chan *protocol.Reply
}

// NewGate returns a gate that holds nothing yet.
func NewGate() *Gate { return &Gate{came: make(chan struct{})} }

// Held returns how many requests are held.
func (g *Gate) Held() int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return len(g.held)
}

// Await waits until at least n requests are held. If the context ends first, it returns the context's error.
func (g *Gate) Await(ctx context.Context, n int) error {
	for {
		g.mu.Lock()
		enough, came := len(g.held) >= n, g.came
		g.mu.Unlock()
		if enough {
			return nil
		}
		select {
		case <-came:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// Release executes the held requests in the order in which they were sent, and returns how many there
// were. A caller that still waits gets its reply; one that gave up gets nothing more.
func (g *Gate) Release() int {
	g.mu.Lock()
	held := g.held
	g.held = nil
	g.mu.Unlock()
	for _, h := range held {
		h.answer <- h.execute()
	}
	return len(held)
}

func (g *Gate) hold(h *heldRequest) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.held = append(g.held, h)
	close(g.came)
	g.came = make(chan struct{})
}

// Hold keeps the request in flight until [Gate.Release], even after its caller has given up: then it is executed
// late, and no one gets the reply. A caller without a deadline waits until then. With [Matcher.Applied] it is also executed
// at once, so that the late one is a second delivery. [Matcher.Late] does the same after a fixed time and
// breaks the connection at once.
func (m Matcher) Hold(g *Gate) Rule {
	return m.rule("held", func(ctx context.Context, v *faultedRequest) *protocol.Reply {
		if m.applied {
			v.next(ctx, v.call)
		}
		call := &protocol.Call{Operation: v.call.Operation, Body: bytes.Clone(v.call.Body)}
		next, later := v.next, context.WithoutCancel(ctx)
		h := &heldRequest{execute: func() *protocol.Reply { return next(later, call) }, answer: make(chan *protocol.Reply, 1)}
		g.hold(h)
		select {
		case reply := <-h.answer:
			return reply
		case <-ctx.Done():
			return &protocol.Reply{Err: ctx.Err()}
		}
	})
}

// SwapReplies executes the request and waits up to d for another one that the rule matches. Each of the two gets the
// reply to the other, as when a proxy mixes up two connections. Without another request, it gets its own reply.
func (m Matcher) SwapReplies(d time.Duration) Rule {
	return m.rule("replies swapped", func(ctx context.Context, v *faultedRequest) *protocol.Reply {
		own, m := v.next(ctx, v.call), v.mixed
		m.mu.Lock()
		if other := m.waiting; other != nil {
			m.waiting = nil
			m.mu.Unlock()
			other.partner <- own
			return other.reply
		}
		mine := &swap{reply: own, partner: make(chan *protocol.Reply, 1)}
		m.waiting = mine
		m.mu.Unlock()
		err := waitFor(ctx, d, mine.partner)
		m.mu.Lock()
		alone := m.waiting == mine
		if alone {
			m.waiting = nil
		}
		m.mu.Unlock()
		switch {
		case !alone: // another request has the reply, whatever else happened
			return <-mine.partner
		case err != nil:
			return &protocol.Reply{Err: err}
		}
		return own
	})
}

// mixed is what a rule of a plan remembers of earlier requests.
type mixed struct {
	mu      sync.Mutex
	waiting *swap
	last    *protocol.Reply
}

// swap is a request that waits for another.
type swap struct {
	reply   *protocol.Reply
	partner chan *protocol.Reply
}

// waitFor waits until a reply is available, which it does not take, or until d has passed.
func waitFor(ctx context.Context, d time.Duration, replies chan *protocol.Reply) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case r := <-replies:
		replies <- r
		return nil
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// PreviousReply executes each request and answers it with the reply to the previous request that the rule matched, as on a
// connection whose replies are off by one: a read gets the item of another key, a write the answer to another
// write. The first request gets its own reply.
func (m Matcher) PreviousReply() Rule {
	return m.rule("previous reply", func(ctx context.Context, v *faultedRequest) *protocol.Reply {
		own, m := v.next(ctx, v.call), v.mixed
		m.mu.Lock()
		defer m.mu.Unlock()
		before, kept := m.last, *own
		m.last = &kept
		if before == nil {
			return own
		}
		return before
	})
}

// Trickle executes the request and sends the body of the reply byte by byte, one byte per pace, in the
// time of the process or of a testing/synctest bubble, until all is sent or the context of the request ends.
func (m Matcher) Trickle(pace time.Duration) Rule {
	return m.spoiling("reply trickles", func(r *protocol.Reply) { r.Pace = pace })
}

// ResetBody sends half of the body and resets the connection. [Matcher.TruncateBody] closes it.
func (m Matcher) ResetBody() Rule {
	return m.spoiling("reset in the body", func(r *protocol.Reply) { r.Cut, r.Reset = max(1, len(r.Body)/2), true })
}

// GatewayJSON answers with a status and a JSON object that contains the status, as gateways, service meshes and API firewalls
// do: with the content type application/json and without a mark of the service, such as x-amzn-requestid,
// x-amz-crc32 or the content type of its protocol. The request is not executed; with [Matcher.Applied] it is, and
// the gateway refuses the answer. Statuses 204 and 304 have no body.
func (m Matcher) GatewayJSON(status int) Rule {
	return m.gateway(status, jsonType, fmt.Sprintf(`{"message":%q}`, http.StatusText(status)))
}

// GatewayHTML is [Matcher.GatewayJSON] with a page instead of the object, as load balancers and proxies send it.
func (m Matcher) GatewayHTML(status int) Rule {
	return m.gateway(status, htmlType, fmt.Sprintf("<html><head><title>%d %s</title></head></html>\r\n", status, http.StatusText(status)))
}

func (m Matcher) gateway(status int, kind, body string) Rule {
	if status == http.StatusNoContent || status == http.StatusNotModified {
		body = ""
	}
	return m.failing(fmt.Sprintf("gateway answers %d", status), func(*faultedRequest) *protocol.Reply {
		return &protocol.Reply{Status: status, Body: []byte(body), Foreign: kind}
	})
}

// Deny refuses the request as the service does when no policy allows it: AccessDeniedException, status 400. With
// On("GetItem") the role may only write, so that nothing can be read back after a lost reply.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Programming.Errors.html
func (m Matcher) Deny() Rule {
	return m.failing("access denied", func(v *faultedRequest) *protocol.Reply {
		resource := "*"
		if tables := tablesOf(v.call.Body); len(tables) > 0 {
			resource = "arn:aws:dynamodb:us-east-1:000000000000:table/" + tables[0]
		}
		return v.plan.fail(&engine.Error{Type: "AccessDeniedException", Message: fmt.Sprintf(
			"User: arn:aws:iam::000000000000:user/ddbtest is not authorized to perform: dynamodb:%s on resource: %s because no identity-based policy allows the dynamodb:%s action",
			v.call.Operation, resource, v.call.Operation)})
	})
}
