// SPDX-License-Identifier: Apache-2.0

package core

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/dynamotable/ddb/hooks"
	"github.com/dynamotable/ddb/internal/operr"
)

// gatePageSize limits a page to the page sizes of the gates.
func gatePageSize(ctx context.Context, r *Read, size int) int {
	for _, g := range CallOptionsOf(ctx).Gates {
		if n := g.PageSize(r.Core.Name, r.Index.Label(), r.strongly); n > 0 && (size == 0 || n < size) {
			size = n
		}
	}
	return size
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

// AdmittedDescription asks Explain first.
func (c *Table) AdmittedDescription(ctx context.Context) (*types.TableDescription, error) {
	client, err := c.schemaClient()
	if err == nil {
		err = c.admitSchema(ctx, "DescribeTable")
	}
	if err != nil {
		return nil, operr.New("DescribeTable", c.Label(), "", err)
	}
	d, err := c.describe(ctx, client)
	return d, operr.New("DescribeTable", c.Label(), "", err)
}
