// SPDX-License-Identifier: Apache-2.0

package wire

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/smithy-go"
	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"
	"github.com/aws/smithy-go/transport/http/protocol/awsjson"
)

// ErrOptionsDropped means that a [Forwarder] did not pass the input or the functional options on to the SDK, so the items of a
// write cannot have reached the service through it.
var ErrOptionsDropped = errors.New("the client did not pass the call's input and options on as ForwardsOptions promises; its items cannot have been written")

const (
	read  = true
	write = false
)

// call is an operation in progress. It replaces the client's protocol and does the encoding and decoding of items.
type call struct {
	smithyhttp.ClientProtocol                     // the client's own
	transport                 dynamodb.HTTPClient // the client's own

	op           string
	read         bool
	o            Options
	sink         sink  // receiver of the items of the reply, may be nil
	requestItems items // items of the request, may be nil

	direct        bool   // items take the fast path
	plainProtocol bool   // ClientProtocol is the SDK's, not a wrapper that needs to see requests and replies
	delivered     bool   // the sink has the items of the last reply
	spliced       bool   // the request has its items
	body          []byte // of the request with its items
	rowErr        error
	why           string // reason for not taking the fast path
	owner         *call  // the call that this one replaces
	replies       replies

	// Parts that would otherwise be allocated separately.
	one  oneSink
	page listSink
	fns  [2]func(*dynamodb.Options)
	rest restReader
}

func newCall(op string, read bool, o Options, client any) *call {
	k := &call{op: op, read: read, o: o, direct: !o.Off && direct(client, o.Harmless)}
	switch {
	case o.Off:
		k.becausef("the option ThroughSDK")
	case !k.direct:
		k.becausef("client %T", client)
	}
	return k
}

// send prepares the items of the request for the path that they take.
func (k *call) send(f items) error {
	k.requestItems = f
	if k.direct {
		f.placeholder()
		return nil
	}
	return f.setAttributeValues()
}

func (k *call) options() []func(*dynamodb.Options) {
	return append(append(k.fns[:0], k.o.Client...), k.configure)
}

// configure installs the call in the client's options.
func (k *call) configure(o *dynamodb.Options) {
	p := k
	if !k.direct {
		// A wrapper may run the options more than once, and at the same time.
		p = &call{op: k.op, read: k.read, o: k.o, owner: k}
		p.o.Took = nil
	}
	if _, done := o.HTTPClient.(memoryBody); !done && !k.o.StreamBody && o.HTTPClient != nil {
		p.transport, o.HTTPClient = o.HTTPClient, p
	}
	if o.Protocol == nil || o.Protocol.ID().Name != "awsJson1_0" {
		if o.Protocol != nil && k.direct {
			k.becausef("protocol %s", o.Protocol.ID().Name)
		}
		k.fallBack(o)
		return
	}
	_, p.plainProtocol = o.Protocol.(*awsjson.Protocol)
	p.ClientProtocol, o.Protocol = o.Protocol, p
	if !k.direct {
		return
	}
	if found := k.interceptors(o); len(found) > 0 {
		k.becausef("%s", strings.Join(found, ", "))
		k.fallBack(o)
	} else if len(o.APIOptions) > 0 {
		g := &stackGuard{call: k}
		o.APIOptions = slices.Concat([]func(*middleware.Stack) error{g.before}, o.APIOptions, []func(*middleware.Stack) error{g.after})
	}
}

// Do sends a request with its body in memory, see [InMemoryBody]. The SDK has made the request for this attempt only.
func (k *call) Do(r *http.Request) (*http.Response, error) {
	if err := toMemory(r, k.body); err != nil {
		return nil, err
	}
	return k.transport.Do(r)
}

// fallBack changes the call to attribute values while the SDK builds it, before any step sees the input.
func (k *call) fallBack(o *dynamodb.Options) {
	if !k.direct {
		return
	}
	k.direct = false
	if k.requestItems != nil {
		o.APIOptions = append(slices.Clip(o.APIOptions), func(*middleware.Stack) error { return k.requestItems.setAttributeValues() })
	}
}

// failed returns the error of the call, given the result of the client's method.
func (k *call) failed(noOutput bool, err error) error {
	if k.direct {
		k.took(Direct)
	} else {
		k.took(Values)
	}
	if err != nil || noOutput {
		k.replies.end()
	}
	switch {
	case err != nil:
		return err
	case k.requestItems != nil && k.direct && !k.spliced:
		return fmt.Errorf("%s: %w", k.op, ErrOptionsDropped)
	case noOutput:
		return fmt.Errorf("%s: the client returned neither an output nor an error", k.op)
	}
	return nil
}

// answered returns the output of the client's method, or the error of the call.
func answered[O any](k *call, out *O, err error) (*O, error) {
	if err = k.failed(out == nil, err); err != nil {
		return nil, err
	}
	return out, nil
}

// attributeSink is a sink that also accepts the items I of an output as attribute values.
type attributeSink[I any] interface{ bridge(*bridge, I) error }

// finish is answered for a call with items in its output. It passes them to the sink, unless the sink has already received the
// items of the reply, and removes them from the output.
func finish[O, I any](k *call, out *O, err error, items func(*O) *I, s attributeSink[I]) (*O, error) {
	if out, err = answered(k, out, err); err != nil {
		return nil, err
	}
	if k.sink != nil && !k.delivered {
		of := *items(out)
		if err := k.deliver(out, func(b *bridge) error { return s.bridge(b, of) }); err != nil {
			return nil, err
		}
		// The output may belong to a mock or a cache.
		var none I
		cp := *out
		out, *items(&cp) = &cp, none
	}
	return out, k.rowError()
}

// keepRowError reports whether err is the error of an item, and keeps it for the end of the call.
func (k *call) keepRowError(err error) bool {
	if err == nil {
		return false
	}
	var row *RowError
	if !errors.As(err, &row) {
		return false
	}
	k.rowErr = row
	return true
}

// rowError returns the error of an item in an otherwise valid reply. Callers add the operation.
func (k *call) rowError() error { return k.rowErr }

// SerializeRequest lets the client's protocol write everything except the items, and inserts the items. It runs once for a call,
// before the first attempt.
func (k *call) SerializeRequest(ctx context.Context, schema *smithy.OperationSchema, in smithy.Serializable, req *smithyhttp.Request) error {
	if k.requestItems == nil || !k.direct {
		return k.ClientProtocol.SerializeRequest(ctx, schema, in, req)
	}
	if in != k.requestItems.input() {
		return fmt.Errorf("%s: %w", k.op, ErrOptionsDropped)
	}
	if done, err := k.writeWhole(schema, req); done || err != nil {
		return err
	}
	k.requestItems.hide()
	err := k.ClientProtocol.SerializeRequest(ctx, schema, in, req)
	k.requestItems.placeholder()
	if err != nil {
		return err
	}
	if k.body, err = splice(k.requestItems, req); err != nil {
		return &smithy.SerializationError{Err: fmt.Errorf("%s: %w", k.op, err)}
	}
	k.spliced = true
	return nil
}
