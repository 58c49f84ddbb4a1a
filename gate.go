// SPDX-License-Identifier: Apache-2.0

package ddb

import (
	"context"
	"errors"
	"slices"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/dynamotable/ddb/hooks"
	"github.com/dynamotable/ddb/internal/operr"
)

// WithGate makes the calls with the context pass the gate, and the gates that the context already has. The same gate may be
// in many contexts; in each it counts once. A nil gate has no effect.
func WithGate(ctx context.Context, g hooks.Gate) context.Context {
	if g == nil {
		return ctx
	}
	s := callOptionsOf(ctx)
	if slices.Contains(s.gates, g) {
		return ctx
	}
	s.gates = append(append([]hooks.Gate(nil), s.gates...), g)
	return s.into(ctx)
}

// pass calls the gates in order. If one refuses, Done is called on those that have admitted the request.
func (q *request) pass(ctx context.Context, gates []hooks.Gate) error {
	for i, g := range gates {
		if err := g.Admit(ctx, &q.call.Call); err != nil {
			q.call.Err = err
			for _, admitted := range gates[:i] {
				admitted.Done(&q.call.Call)
			}
			return err
		}
	}
	q.gates = gates
	return nil
}

// gatePageSize limits a page to the page sizes of the gates.
func gatePageSize(ctx context.Context, r *read, size int) int {
	for _, g := range callOptionsOf(ctx).gates {
		if n := g.PageSize(r.core.name, r.index.label(), r.strongly); n > 0 && (size == 0 || n < size) {
			size = n
		}
	}
	return size
}

// DescribeTable returns the service's description of a table: its status, throughput, indexes, and its size as of some hours
// ago. It needs the permission dynamodb:DescribeTable and costs no units.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_DescribeTable.html
func DescribeTable(ctx context.Context, t TablePart) (*types.TableDescription, error) {
	if t == nil {
		return nil, operr.New("DescribeTable", "", "", operr.Invalid(errors.New("the table is nil")))
	}
	return t.part().admittedDescription(ctx)
}

// admittedDescription asks Explain first.
func (c *core) admittedDescription(ctx context.Context) (*types.TableDescription, error) {
	client, err := c.schemaClient()
	if err == nil {
		err = c.admitSchema(ctx, "DescribeTable")
	}
	if err != nil {
		return nil, operr.New("DescribeTable", c.label(), "", err)
	}
	d, err := c.describe(ctx, client)
	return d, operr.New("DescribeTable", c.label(), "", err)
}
