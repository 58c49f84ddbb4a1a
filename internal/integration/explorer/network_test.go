// SPDX-License-Identifier: Apache-2.0

package explorer_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"
	"syscall"
)

// mode is what happens to a request.
type mode uint8

const (
	delivered   mode = iota
	lost             // before it arrived
	replyLost        // applied, the connection breaks
	late             // the connection breaks; the request arrives at any later time
	silent           // no reply until the caller gives up; the request arrives at any later time, perhaps while the caller still waits
	firstReply       // delivered twice: the first reply is returned, a copy arrives at any later time
	secondReply      // delivered twice, perhaps with others in between; the second reply is returned
	hopBefore        // a gateway replies instead of the engine
	hopAfter         // a gateway replies although the engine has applied it
	modes
)

func (m mode) String() string {
	return [...]string{"delivered", "lost", "reply lost", "late", "silent and late", "twice, first reply", "twice, second reply", "refused by a hop before", "refused by a hop after"}[m]
}

// circumstance is a set of conditions that a history needs.
type circumstance uint8

const (
	plain         circumstance = 1 << iota // requests and replies are lost, hops refuse
	second                                 // a hop repeats a request and returns the second reply
	latecomers                             // a request or its copy arrives late
	deletion                               // the item is deleted
	transaction                            // a transaction writes the item
	foreignWrite                           // a program without the library changes it
	foreignDelete                          // a program without the library deletes it
	foreignItem                            // a program without the library has created it
)

func (c circumstance) String() string {
	var list []string
	for i, name := range []string{"plain", "2nd reply", "late", "deletion", "transaction", "foreign write", "foreign delete", "foreign item"} {
		if c&(1<<i) != 0 {
			list = append(list, name)
		}
	}
	if list == nil {
		return "no fault"
	}
	return strings.Join(list, "+")
}

func (m mode) circumstance() circumstance {
	switch m {
	case delivered:
		return 0
	case secondReply:
		return second
	case late, silent, firstReply:
		return latecomers
	}
	return plain
}

// gatewayStatuses are the statuses of the hops in successive programs.
var gatewayStatuses = []int{403, 502, 400, 429, 504, 404, 503, 413}

// request is one request at the scheduler.
type request struct {
	user   *user
	call   *call
	op     string
	req    *http.Request
	body   []byte
	answer chan answer
	// own: the caller itself reads; foreign: a program without the library writes. The network delivers both.
	own, foreign bool
	again        bool // delivered once, the second delivery is due
	awaited      bool // silent, and its caller has not given up
}

type answer struct {
	resp *http.Response
	err  error
}

func (q *request) writes() bool {
	return q.op != "GetItem" && q.op != "Query" && q.op != "BatchGetItem"
}

// Do is the transport of a caller: each request waits for the scheduler.
func (u *user) Do(req *http.Request) (*http.Response, error) {
	body := make([]byte, req.ContentLength)
	_, err := io.ReadFull(req.Body, body)
	if err != nil {
		return nil, err
	}
	_, op, _ := strings.Cut(req.Header.Get("X-Amz-Target"), ".")
	maps.Copy(req.Header, rawHeader) // in place of a signature
	q := &request{user: u, op: op, req: req, body: body, answer: make(chan answer, 1)}
	if u.run == nil || bytes.Contains(body, setUpKey) { // the world is being set up, or an event store reads its setup
		return u.engine.Do(q.fresh())
	}
	u.run.arrive(q)
	select {
	case a := <-q.answer:
		return a.resp, a.err
	case <-req.Context().Done():
		u.run.giveUp(q)
		return nil, req.Context().Err()
	}
}

// fresh returns a copy of the request that can be delivered again, even after its caller has given up.
func (q *request) fresh() *http.Request {
	req := q.req.WithContext(context.Background())
	req.Body = io.NopCloser(bytes.NewReader(q.body))
	return req
}

func (r *run) arrive(q *request) {
	r.mu.Lock()
	q.call, q.own, q.foreign = q.user.call, !q.user.call.active, q.user.call.verb.foreign
	if q.writes() {
		q.call.attempts++
	}
	r.waiting[q.user.index] = append(r.waiting[q.user.index], q)
	r.mu.Unlock()
	r.awake()
}

// awake wakes the scheduler.
func (r *run) awake() {
	select {
	case r.wake <- struct{}{}:
	default:
	}
}

// giveUp is called when the caller of a request no longer waits. A write may still arrive.
func (r *run) giveUp(q *request) {
	r.mu.Lock()
	defer r.mu.Unlock()
	q.awaited = false
	if r.take(q) && q.writes() {
		r.pending = append(r.pending, q)
		r.used[late]++
	}
}

// deliver lets the engine execute a request, and records its effect.
func (r *run) deliver(q *request) answer {
	resp, err := r.engine.Do(q.fresh())
	if err != nil {
		return answer{err: err}
	}
	if q.own && r.model == nil {
		q.call.base = r.now()
	}
	if !q.writes() || resp.StatusCode != http.StatusOK {
		return answer{resp: resp}
	}
	if q.foreign {
		r.writers |= foreignWrite
		if q.call.verb.deletes { // a tombstone too
			r.writers |= foreignDelete
		}
	}
	switch {
	case !r.tookEffect(q):
	case r.model != nil:
		r.model.effect(q.call)
	default:
		r.effect(q.call, r.stored())
	}
	return answer{resp: resp}
}

// tookEffect reports whether a request that was answered with success changed anything.
func (r *run) tookEffect(q *request) bool {
	if q.op == "TransactWriteItems" {
		_, token, _ := bytes.Cut(q.body, []byte(`"ClientRequestToken":"`))
		token, _, _ = bytes.Cut(token, []byte(`"`))
		if r.tokens[string(token)] {
			return false // a repeated transaction gets its stored reply
		}
		r.tokens[string(token)] = true
		r.writers |= transaction
	}
	return r.model != nil || !q.call.verb.deletes || r.now().live
}

// stored reads the item without the library and the network.
func (r *run) stored() ghost {
	var out struct{ Item wireItem }
	r.raw("GetItem", `"Key":{"id":{"S":"`+r.key+`"}}`, &out)
	_, dead := out.Item[r.guard.tombstone]
	if out.Item == nil || dead {
		return ghost{}
	}
	n, err := strconv.ParseInt(out.Item["n"].N, 10, 64)
	if err != nil {
		panic(err)
	}
	_, until := out.Item["until"]
	return ghost{live: true, n: n, state: out.Item["state"].S, expired: r.guard.expires && until}
}

var rawHeader = http.Header{
	"Content-Type":  {"application/x-amz-json-1.0"},
	"Authorization": {"AWS4-HMAC-SHA256 Credential=a/20260101/us-east-1/dynamodb/aws4_request, SignedHeaders=host, Signature=0"},
	"X-Amz-Date":    {"20260101T000000Z"},
}

// rawRequest returns a request of a program without the library.
func rawRequest(op, body string) *http.Request {
	header := maps.Clone(rawHeader)
	header.Set("X-Amz-Target", "DynamoDB_20120810."+op)
	return &http.Request{
		Method: http.MethodPost, URL: &url.URL{Scheme: "http", Host: "engine.invalid", Path: "/"}, Header: header,
		Body: io.NopCloser(strings.NewReader(body)), ContentLength: int64(len(body)),
	}
}

func reset() answer {
	return answer{err: &net.OpError{Op: "read", Net: "tcp", Err: os.NewSyscallError("read", syscall.ECONNRESET)}}
}

// gateway returns a reply without a mark of the service.
func gateway(status int) answer {
	kind, body := "application/json", fmt.Sprintf(`{"message":%q}`, http.StatusText(status))
	if status >= http.StatusInternalServerError {
		kind, body = "text/html", "<html><body>"+http.StatusText(status)+"</body></html>"
	}
	return answer{resp: &http.Response{
		Status: strconv.Itoa(status) + " " + http.StatusText(status), StatusCode: status, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: http.Header{"Content-Type": {kind}}, ContentLength: int64(len(body)), Body: io.NopCloser(strings.NewReader(body)),
	}}
}
