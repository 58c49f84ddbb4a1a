// SPDX-License-Identifier: Apache-2.0

package wire_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/smithy-go"
	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/dynamotable/ddb/internal/codec"
	"github.com/dynamotable/ddb/internal/wire"
)

// If a wrapper promises to forward options and drops them, every write with items returns an error and loses nothing silently.
func TestDroppedOptionsAreAnError(t *testing.T) {
	for _, c := range []func(*dynamodb.Client) api{
		func(c *dynamodb.Client) api { return liar{ignoring{c}} },
		func(c *dynamodb.Client) api { return copying{c} },
	} {
		for _, run := range []func(api, wire.Options) (any, [][]string, error){runPut, runBatchWrite, runTransactWrite} {
			s := newStub(`{}`)
			out, _, err := run(c(newClient(s)), wire.Options{})
			if !errors.Is(err, wire.ErrOptionsDropped) {
				t.Errorf("%T %v", out, err)
			}
		}
		// Reads lose nothing.
		_, rows, err := runQuery(c(newClient(newStub(`{"Count":1,"Items":[`+item2+`]}`))), wire.Options{})
		if err != nil || len(rows[0]) != 1 {
			t.Error(rows, err)
		}
	}
}

// copying forwards options with another input.
type copying struct{ *dynamodb.Client }

func (copying) ForwardsOptions() bool { return true }

func (c copying) PutItem(ctx context.Context, in *dynamodb.PutItemInput, fns ...func(*dynamodb.Options)) (*dynamodb.PutItemOutput, error) {
	cp := *in
	return c.Client.PutItem(ctx, &cp, fns...)
}

func (c copying) BatchWriteItem(ctx context.Context, in *dynamodb.BatchWriteItemInput, fns ...func(*dynamodb.Options)) (*dynamodb.BatchWriteItemOutput, error) {
	cp := *in
	return c.Client.BatchWriteItem(ctx, &cp, fns...)
}

func (c copying) TransactWriteItems(ctx context.Context, in *dynamodb.TransactWriteItemsInput, fns ...func(*dynamodb.Options)) (*dynamodb.TransactWriteItemsOutput, error) {
	cp := *in
	return c.Client.TransactWriteItems(ctx, &cp, fns...)
}

// mock returns the same output each time and keeps its input.
type mock struct {
	out *dynamodb.QueryOutput
	put *dynamodb.PutItemInput
}

func (m *mock) Query(context.Context, *dynamodb.QueryInput, ...func(*dynamodb.Options)) (*dynamodb.QueryOutput, error) {
	return m.out, nil
}

func (m *mock) PutItem(_ context.Context, in *dynamodb.PutItemInput, _ ...func(*dynamodb.Options)) (*dynamodb.PutItemOutput, error) {
	m.put = in
	return &dynamodb.PutItemOutput{}, nil
}

// accelerator applies functional options to its own options, which have no protocol, and replies itself, as DAX does.
type accelerator struct{ mock }

func (m *accelerator) Query(ctx context.Context, in *dynamodb.QueryInput, fns ...func(*dynamodb.Options)) (*dynamodb.QueryOutput, error) {
	m.apply(fns)
	return m.mock.Query(ctx, in)
}

func (m *accelerator) PutItem(ctx context.Context, in *dynamodb.PutItemInput, fns ...func(*dynamodb.Options)) (*dynamodb.PutItemOutput, error) {
	m.apply(fns)
	return m.mock.PutItem(ctx, in)
}

func (*accelerator) apply(fns []func(*dynamodb.Options)) {
	var o dynamodb.Options
	for _, fn := range fns {
		fn(&o)
	}
}

func TestClientWithoutProtocol(t *testing.T) {
	item, err := codec.ParseItem([]byte(item2))
	if err != nil {
		t.Fatal(err)
	}
	m := &accelerator{mock{out: &dynamodb.QueryOutput{Count: 1, Items: []map[string]types.AttributeValue{item}}}}
	g := &got{}
	if _, err := wire.Query(t.Context(), m, queryInput(), wire.Options{}, g); err != nil || len(g.rows) != 1 {
		t.Error(err, g.rows)
	}
	if _, err := wire.PutItem(t.Context(), m, putInput(), []byte(item2), wire.Options{}, nil); err != nil || canonical(m.put.Item) != canonicalItem2(t) {
		t.Error(m.put, err)
	}
}

func TestMockKeepsItsOutput(t *testing.T) {
	item, err := codec.ParseItem([]byte(item2))
	if err != nil {
		t.Fatal(err)
	}
	m := &mock{out: &dynamodb.QueryOutput{Count: 1, Items: []map[string]types.AttributeValue{item}}}
	for range 2 {
		g := &got{}
		out, err := wire.Query(t.Context(), m, queryInput(), wire.Options{}, g)
		if err != nil || len(g.rows) != 1 || out.Items != nil || out.Count != 1 {
			t.Fatal(err, g.rows)
		}
	}
	if _, err := wire.PutItem(t.Context(), m, putInput(), []byte(item2), wire.Options{}, nil); err != nil || canonical(m.put.Item) != canonicalItem2(t) {
		t.Error(m.put, err)
	}
	if _, err := wire.Query(t.Context(), &mock{}, queryInput(), wire.Options{}, &got{}); err == nil {
		t.Error("no error for no output")
	}
}

// caching keeps outputs, as a wrapper of the client may.
type caching struct {
	*dynamodb.Client
	kept *dynamodb.QueryOutput
}

func (c *caching) Query(ctx context.Context, in *dynamodb.QueryInput, fns ...func(*dynamodb.Options)) (out *dynamodb.QueryOutput, err error) {
	if c.kept == nil {
		c.kept, err = c.Client.Query(ctx, in, fns...)
	}
	return c.kept, err
}

func TestCacheKeepsItems(t *testing.T) {
	s := newStub(`{"Count":1,"Items":[` + item2 + `]}`)
	c := &caching{Client: newClient(s)}
	for range 3 {
		g := &got{}
		if _, err := wire.Query(t.Context(), c, queryInput(), wire.Options{}, g); err != nil || len(g.rows) != 1 {
			t.Fatal(err, g.rows)
		}
	}
	if s.calls != 1 {
		t.Error(s.calls, "calls")
	}
}

// hedging sends each request twice at the same time.
type hedging struct{ *dynamodb.Client }

func (c hedging) Query(ctx context.Context, in *dynamodb.QueryInput, fns ...func(*dynamodb.Options)) (*dynamodb.QueryOutput, error) {
	outs, errs := make([]*dynamodb.QueryOutput, 2), make([]error, 2)
	var wg sync.WaitGroup
	for i := range outs {
		wg.Go(func() { outs[i], errs[i] = c.Client.Query(ctx, in, fns...) })
	}
	wg.Wait()
	return outs[0], errors.Join(errs...)
}

func TestOptionsRunTwiceAtOnce(t *testing.T) {
	g := &got{}
	c := hedging{newClient(newStub(`{"Count":1,"Items":[` + item2 + `]}`))}
	if _, err := wire.Query(t.Context(), c, queryInput(), wire.Options{}, g); err != nil || len(g.rows) != 1 {
		t.Fatal(err, g.rows)
	}
}

// A middleware that replies instead of the SDK gets the item, and the items that it returns are delivered.
func TestMiddlewareThatReplies(t *testing.T) {
	item, err := codec.ParseItem([]byte(item1))
	if err != nil {
		t.Fatal(err)
	}
	var seen any
	result := func(in any) any {
		seen = in
		switch in.(type) {
		case *dynamodb.PutItemInput:
			return &dynamodb.PutItemOutput{Attributes: item}
		default:
			return &dynamodb.QueryOutput{Count: 1, Items: []map[string]types.AttributeValue{item}}
		}
	}
	var params any
	steps := map[string]func(*middleware.Stack) error{
		"initialize": func(s *middleware.Stack) error {
			return s.Initialize.Add(middleware.InitializeMiddlewareFunc("Mock", func(_ context.Context, in middleware.InitializeInput, _ middleware.InitializeHandler) (out middleware.InitializeOutput, md middleware.Metadata, err error) {
				out.Result = result(in.Parameters)
				return
			}), middleware.Before)
		},
		"only serialize": func(s *middleware.Stack) error {
			s.Serialize.Clear()
			return s.Serialize.Add(middleware.SerializeMiddlewareFunc("OperationSerializer", func(_ context.Context, in middleware.SerializeInput, _ middleware.SerializeHandler) (out middleware.SerializeOutput, md middleware.Metadata, err error) {
				out.Result = result(in.Parameters)
				return
			}), middleware.After)
		},
		"finalize": func(s *middleware.Stack) error {
			return errors.Join(s.Initialize.Add(middleware.InitializeMiddlewareFunc("OTelInitializeMiddlewareAfter", func(ctx context.Context, in middleware.InitializeInput, next middleware.InitializeHandler) (middleware.InitializeOutput, middleware.Metadata, error) {
				params = in.Parameters
				return next.HandleInitialize(ctx, in)
			}), middleware.After), s.Finalize.Add(middleware.FinalizeMiddlewareFunc("Mock", func(_ context.Context, in middleware.FinalizeInput, _ middleware.FinalizeHandler) (out middleware.FinalizeOutput, md middleware.Metadata, err error) {
				if body, ok := in.Request.(*smithyhttp.Request).GetStream().(io.ReadSeeker); ok && strings.Contains(fmt.Sprintf("%T", params), "Put") {
					sent, _ := io.ReadAll(body)
					if !strings.Contains(string(sent), item2) {
						err = errors.New("the request has no item")
					}
				}
				out.Result = result(params)
				return
			}), middleware.Before))
		},
	}
	for name, step := range steps {
		s := newStub(`{}`)
		c := newClient(s, dynamodb.WithAPIOptions(step))
		g := &got{}
		if _, err := wire.Query(t.Context(), c, queryInput(), wire.Options{}, g); err != nil || !slices.Equal(g.rows, []string{canonical(item)}) {
			t.Errorf("%s: %v %v", name, g.rows, err)
		}
		g = &got{}
		_, err := wire.PutItem(t.Context(), c, putInput(), []byte(item2), wire.Options{}, g)
		if err != nil || !slices.Equal(g.rows, []string{canonical(item)}) || s.calls != 0 {
			t.Errorf("%s: %v %v", name, g.rows, err)
		}
		if name != "finalize" && canonical(seen.(*dynamodb.PutItemInput).Item) != canonicalItem2(t) {
			t.Errorf("%s: the middleware saw item %v", name, seen.(*dynamodb.PutItemInput).Item)
		}
	}
}

type counting struct{ n *int }

func (c counting) BeforeDeserialization(context.Context, *smithyhttp.InterceptorContext) error {
	*c.n++
	return nil
}

func (c counting) AfterAttempt(context.Context, *smithyhttp.InterceptorContext) error {
	*c.n++
	return nil
}

func TestInterceptorsAndOptionsRun(t *testing.T) {
	n := 0
	s := newStub(`{"Count":1,"Items":[`+item2+`]}`, throttle())
	c := newClient(s, func(o *dynamodb.Options) {
		o.Interceptors.AddBeforeDeserialization(counting{&n})
		o.Interceptors.AddAfterAttempt(counting{&n})
	})
	own := 0
	o := wire.Options{Client: []func(*dynamodb.Options){func(*dynamodb.Options) { own++ }}}
	if _, err := wire.Query(t.Context(), c, queryInput(), o, &got{}); err != nil || n != 4 || own != 1 {
		t.Fatal(err, n, own)
	}
}

// Items are inserted even if a protocol streams its body in another way.
func TestSpliceIntoAnotherStream(t *testing.T) {
	s := newStub(`{}`)
	c := newClient(s, func(o *dynamodb.Options) { o.Protocol = streaming{o.Protocol} })
	if _, err := wire.PutItem(t.Context(), c, putInput(), []byte(item1), wire.Options{}, nil); err != nil || !strings.Contains(string(s.sent), item1) {
		t.Fatalf("%v %s", err, s.sent)
	}
	if s.request.ContentLength != int64(len(s.sent)) {
		t.Error("content length")
	}
	c = newClient(s, func(o *dynamodb.Options) { o.Protocol = broken{o.Protocol} })
	calls := s.calls
	if _, err := wire.PutItem(t.Context(), c, putInput(), []byte(item1), wire.Options{}, nil); err == nil || s.calls != calls {
		t.Fatal("a request that cannot be spliced was sent")
	}
}

type streaming struct{ protocol }

func (p streaming) SerializeRequest(ctx context.Context, schema *smithy.OperationSchema, in smithy.Serializable, req *smithyhttp.Request) error {
	if err := p.protocol.SerializeRequest(ctx, schema, in, req); err != nil {
		return err
	}
	b, err := io.ReadAll(req.GetStream())
	if err != nil {
		return err
	}
	r, err := req.SetStream(strings.NewReader(string(b)))
	*req = *r
	return err
}

type broken struct{ protocol }

func (p broken) SerializeRequest(_ context.Context, _ *smithy.OperationSchema, _ smithy.Serializable, req *smithyhttp.Request) error {
	r, err := req.SetStream(strings.NewReader("<xml/>"))
	*req = *r
	return err
}

func TestWritesThatAreRefused(t *testing.T) {
	put := wire.Write{Put: []byte(item1)}
	for _, w := range pathCases() {
		s := newStub(`{}`)
		c := w.client(s)
		for name, err := range map[string]error{
			"table twice": batchWrite(c, w.o, wire.TableWrites{Table: "a", Writes: []wire.Write{put}}, wire.TableWrites{Table: "a", Writes: []wire.Write{put}}),
			"neither":     batchWrite(c, w.o, wire.TableWrites{Table: "a", Writes: []wire.Write{{}}}),
			"both":        batchWrite(c, w.o, wire.TableWrites{Table: "a", Writes: []wire.Write{{Put: put.Put, Delete: put.Put}}}),
			"no item":     batchWrite(c, w.o, wire.TableWrites{Table: "a", Writes: []wire.Write{{Put: []byte{}}}}),
			"no key":      batchWrite(c, w.o, wire.TableWrites{Table: "a", Writes: []wire.Write{put, {Delete: []byte(`"x"`)}}}),
			"empty put": func() error {
				_, err := wire.PutItem(t.Context(), c, putInput(), nil, w.o, nil)
				return err
			}(),
			"no such action":  transact(c, w.o, map[int][]byte{1: put.Put}),
			"negative action": transact(c, w.o, map[int][]byte{-1: put.Put}),
			"broken item":     transact(c, w.o, map[int][]byte{0: []byte(`{`)}),
		} {
			if err == nil || s.calls != 0 {
				t.Errorf("%s: %s: %v, %d calls", w.name, name, err, s.calls)
			}
		}
	}
}

func batchWrite(c api, o wire.Options, t ...wire.TableWrites) error {
	_, err := wire.BatchWriteItem(context.Background(), c, &dynamodb.BatchWriteItemInput{}, t, o)
	return err
}

func transact(c api, o wire.Options, items map[int][]byte) error {
	in := &dynamodb.TransactWriteItemsInput{TransactItems: []types.TransactWriteItem{{Put: &types.Put{TableName: aws.String("a")}}}}
	_, err := wire.TransactWriteItems(context.Background(), c, in, items, o)
	return err
}

func TestTableNames(t *testing.T) {
	for _, name := range []string{"orders", "arn:aws:dynamodb:eu-central-1:123456789012:table/orders"} {
		s := newStub(`{"UnprocessedItems":{}}`)
		if err := batchWrite(newClient(s), wire.Options{}, wire.TableWrites{Table: name, Writes: []wire.Write{{Put: []byte(item1)}}}); err != nil {
			t.Errorf("%q: %v", name, err)
			continue
		}
		var sent struct{ RequestItems map[string]json.RawMessage }
		if err := json.Unmarshal(s.sent, &sent); err != nil || len(sent.RequestItems[name]) == 0 {
			t.Errorf("%q: %v %s", name, err, s.sent)
		}
	}
	for _, name := range []string{`a"b`, `a\b`, "a\nb", "ä", "\xff"} {
		s := newStub(`{}`)
		err := batchWrite(newClient(s), wire.Options{}, wire.TableWrites{Table: name, Writes: []wire.Write{{Put: []byte(item1)}}})
		if err == nil || s.calls != 0 {
			t.Errorf("%q: %v, %d calls", name, err, s.calls)
		}
	}
}

// The size hint never requests more memory than the reply can fill.
func TestHintIsBounded(t *testing.T) {
	for body, limit := range map[string]int{
		`{"Count":2147483647,"Items":[` + item2 + `]}`:          len(item2),
		`{"Items":[` + item2 + `,` + item2 + `,` + item2 + `]}`: 4,
		`{"Count":3,"Items":[` + item2 + `]}`:                   3,
		`{"Items":[]}`:                                          0,
		`{"Count":0}`:                                           0,
	} {
		g := &got{}
		if _, err := wire.Query(t.Context(), newClient(newStub(body)), queryInput(), wire.Options{}, g); err != nil || g.hint > limit || g.hint < len(g.rows) {
			t.Errorf("hint %d, limit %d, %d rows: %v", g.hint, limit, len(g.rows), err)
		}
	}
}

// Kept rows do not change when their buffers are reused for other calls.
func TestConcurrentCallsShareNothing(t *testing.T) {
	var wg sync.WaitGroup
	for n := range 8 {
		wg.Go(func() {
			c := newClient(newStub(pageBody(t, n*3+1)))
			want := newOrders(n*3 + 1)
			var kept []*orders
			for range 10 {
				r := &orders{}
				if _, err := wire.Query(t.Context(), c, queryInput(), wire.Options{}, r); err != nil {
					t.Error(err)
					return
				}
				kept = append(kept, r)
			}
			for _, r := range kept {
				for i := range want {
					if fmt.Sprint(r.all[i]) != fmt.Sprint(want[i]) {
						t.Errorf("row %d changed:\n%v\n%v", i, r.all[i], want[i])
						return
					}
				}
			}
		})
	}
	wg.Wait()
}
