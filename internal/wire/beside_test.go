// SPDX-License-Identifier: Apache-2.0

package wire_test

import (
	"context"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/smithy-go/middleware"

	"github.com/dynamotable/ddb/internal/wire"
)

// seesOutput is a middleware step that may change the output of a query.
func seesOutput(do func(*dynamodb.QueryOutput) *dynamodb.QueryOutput) func(*dynamodb.Options) {
	return dynamodb.WithAPIOptions(func(s *middleware.Stack) error {
		return s.Initialize.Add(middleware.InitializeMiddlewareFunc("Mine", func(ctx context.Context, in middleware.InitializeInput, next middleware.InitializeHandler) (middleware.InitializeOutput, middleware.Metadata, error) {
			out, md, err := next.HandleInitialize(ctx, in)
			if q, ok := out.Result.(*dynamodb.QueryOutput); ok {
				out.Result = do(q)
			}
			return out, md, err
		}), middleware.Before)
	})
}

// A change that a step makes anywhere in an output is delivered; a step that only reads the output causes no second decoding.
func TestChangedOutputsArrive(t *testing.T) {
	const item = `{"pk":{"S":"b"},"n":{"N":"7"},"b":{"B":"AAE="},"t":{"BOOL":true},"z":{"NULL":true},"l":{"L":[{"S":"x"},{"S":"y"}]},"m":{"M":{"k":{"S":"v"}}},"ss":{"SS":["x","y"]},"ns":{"NS":["1","2"]},"bs":{"BS":["AA=="]}}`
	body := `{"Count":2,"Items":[` + item + `,{"pk":{"S":"c"}}]}`
	at := func(o *dynamodb.QueryOutput, name string) types.AttributeValue { return o.Items[0][name] }
	for name, do := range map[string]func(o *dynamodb.QueryOutput){
		"text":          func(o *dynamodb.QueryOutput) { at(o, "pk").(*types.AttributeValueMemberS).Value = "changed" },
		"number":        func(o *dynamodb.QueryOutput) { at(o, "n").(*types.AttributeValueMemberN).Value = "8" },
		"bytes":         func(o *dynamodb.QueryOutput) { at(o, "b").(*types.AttributeValueMemberB).Value[0] = 9 },
		"bool":          func(o *dynamodb.QueryOutput) { at(o, "t").(*types.AttributeValueMemberBOOL).Value = false },
		"list":          func(o *dynamodb.QueryOutput) { slices.Reverse(at(o, "l").(*types.AttributeValueMemberL).Value) },
		"map":           func(o *dynamodb.QueryOutput) { delete(at(o, "m").(*types.AttributeValueMemberM).Value, "k") },
		"text set":      func(o *dynamodb.QueryOutput) { at(o, "ss").(*types.AttributeValueMemberSS).Value[1] = "z" },
		"number set":    func(o *dynamodb.QueryOutput) { at(o, "ns").(*types.AttributeValueMemberNS).Value[1] = "3" },
		"binary set":    func(o *dynamodb.QueryOutput) { at(o, "bs").(*types.AttributeValueMemberBS).Value[0][0] = 1 },
		"other type":    func(o *dynamodb.QueryOutput) { o.Items[0]["n"] = &types.AttributeValueMemberS{Value: "7"} },
		"new attribute": func(o *dynamodb.QueryOutput) { o.Items[1]["new"] = &types.AttributeValueMemberS{Value: "x"} },
		"renamed": func(o *dynamodb.QueryOutput) {
			o.Items[0]["pl"] = o.Items[0]["pk"]
			delete(o.Items[0], "pk")
		},
		"swapped":      func(o *dynamodb.QueryOutput) { slices.Reverse(o.Items) },
		"item dropped": func(o *dynamodb.QueryOutput) { o.Items = o.Items[:1] },
		"all dropped":  func(o *dynamodb.QueryOutput) { o.Items = nil },
		"nothing":      func(*dynamodb.QueryOutput) {},
	} {
		for _, copied := range []bool{false, true} {
			var want []string
			c := newClient(newStub(body), seesOutput(func(o *dynamodb.QueryOutput) *dynamodb.QueryOutput {
				if copied {
					cp := *o
					o = &cp
				}
				do(o)
				want = nil
				for _, i := range o.Items {
					want = append(want, canonical(maps.Clone(i)))
				}
				return o
			}))
			g, took := &got{}, wire.Took{}
			if _, err := wire.Query(t.Context(), c, queryInput(), wire.Options{Took: &took}, g); err != nil || !slices.Equal(g.rows, want) {
				t.Errorf("%s: %v, want %v, %v", name, g.rows, want, err)
			}
			if looks := name == "nothing" && !copied; looks != (took.Path == wire.Beside) || took.Path == wire.Direct || !strings.Contains(took.Why, "middleware Mine at the Initialize step") {
				t.Errorf("%s, copied %v: %+v", name, copied, took)
			}
		}
	}
}

// Steps that are declared not to read items do not prevent the fast path.
func TestDeclaredHarmless(t *testing.T) {
	body := `{"Count":1,"Items":[` + item1 + `]}`
	for name, client := range map[string]func(*stub) api{
		"Mine": func(s *stub) api { return newClient(s, dynamodb.WithAPIOptions(addInitialize("Mine"))) },
		"wire_test.nothing": func(s *stub) api {
			return newClient(s, func(o *dynamodb.Options) { o.Interceptors.AddBeforeExecution(nothing{}) })
		},
		"wire_test.wrapping": func(s *stub) api { return wrapping{newClient(s)} },
	} {
		for _, declared := range []bool{true, false} {
			o := wire.Options{Took: new(wire.Took), Harmless: []string{"other"}}
			if declared {
				o.Harmless = append(o.Harmless, name)
			}
			g := &got{}
			if _, err := wire.Query(t.Context(), client(newStub(body)), queryInput(), o, g); err != nil || len(g.rows) != 1 {
				t.Error(err, g.rows)
			}
			if want := (wire.Took{Path: wire.Direct}); declared && *o.Took != want || !declared && (o.Took.Path != wire.Beside || !strings.Contains(o.Took.Why, name)) {
				t.Errorf("%s, declared %v: %+v", name, declared, *o.Took)
			}
			if why := wire.Probe(t.Context(), client(newStub(body)), o); why != o.Took.Why {
				t.Errorf("%s: probed %q, took %+v", name, why, *o.Took)
			}
		}
	}
}
