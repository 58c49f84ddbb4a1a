// SPDX-License-Identifier: Apache-2.0

package ddb

import (
	"context"
	"errors"
	"slices"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/dynamotable/ddb/hooks"
	"github.com/dynamotable/ddb/internal/core"
	"github.com/dynamotable/ddb/internal/operr"
)

// WithGate makes the calls with the context pass the gate, and the gates that the context already has. The same gate may be
// in many contexts; in each it counts once. A nil gate has no effect.
func WithGate(ctx context.Context, g hooks.Gate) context.Context {
	if g == nil {
		return ctx
	}
	s := core.CallOptionsOf(ctx)
	if slices.Contains(s.Gates, g) {
		return ctx
	}
	s.Gates = append(append([]hooks.Gate(nil), s.Gates...), g)
	return s.Into(ctx)
}

// DescribeTable returns the service's description of a table: its status, throughput, indexes, and its size as of some hours
// ago. It needs the permission dynamodb:DescribeTable and costs no units.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_DescribeTable.html
func DescribeTable(ctx context.Context, t TablePart) (*types.TableDescription, error) {
	if t == nil {
		return nil, operr.New("DescribeTable", "", "", operr.Invalid(errors.New("the table is nil")))
	}
	return t.Part().AdmittedDescription(ctx)
}
