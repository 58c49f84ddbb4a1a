// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"context"
)

// ScanInput holds the parameters of Scan.
type ScanInput struct {
	ReadInput
	Segment       *int64
	TotalSegments *int64
}

const maxSegments = 1_000_000

// Scan reads a page of all items of a table or an index, or of one segment of
// them, in the order of the hash of the partition key.
func (e *Engine) Scan(ctx context.Context, in *ScanInput) (*ReadOutput, error) {
	if err := checkTable(in.TableName); err != nil {
		return nil, err
	}
	var c constraints
	in.constraints(&c)
	c.atLeast("limit", in.Limit, 1)
	c.atLeast("totalSegments", in.TotalSegments, 1)
	c.atMost("totalSegments", in.TotalSegments, maxSegments)
	c.atLeast("segment", in.Segment, 0)
	c.atMost("segment", in.Segment, maxSegments-1)
	if err := c.err(); err != nil {
		return nil, err
	}
	params, err := placeholders(opScan, &in.Placeholders, in.Legacy.names(),
		parameter{projectionParameter, in.ProjectionExpression},
		parameter{filterParameter, in.FilterExpression})
	if err != nil {
		return nil, err
	}
	s := &pageRead{operation: opScan, in: &in.ReadInput}
	if err := s.parseLegacy(); err != nil {
		return nil, err
	}
	if err := in.check(s.operation); err != nil {
		return nil, err
	}
	if err := in.checkSegment(); err != nil {
		return nil, err
	}
	if err := s.parse(params); err != nil {
		return nil, err
	}
	if err := e.bindTable(s); err != nil {
		return nil, err
	}
	if err := s.bindSegment(in.Segment, in.TotalSegments); err != nil {
		return nil, err
	}
	if err := s.schema.checkPaths(s.projection); err != nil {
		return nil, err
	}
	if err := s.schema.checkPaths(s.filter); err != nil {
		return nil, err
	}
	return e.readPage(ctx, s)
}

func (in *ScanInput) checkSegment() error {
	switch {
	case in.Segment != nil && in.TotalSegments == nil:
		return invalid("The TotalSegments parameter is required but was not present in the request when Segment parameter is present")
	case in.Segment == nil && in.TotalSegments != nil:
		return invalid("The Segment parameter is required but was not present in the request when parameter TotalSegments is present")
	case in.Segment != nil && *in.Segment >= *in.TotalSegments:
		return invalid("The Segment parameter is zero-based and must be less than parameter TotalSegments: Segment: %d is not less than TotalSegments: %d", *in.Segment, *in.TotalSegments)
	}
	return nil
}
