// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"slices"
	"strings"

	"github.com/dynamotable/ddb/ddbtest/internal/expression"
	"github.com/dynamotable/ddb/ddbtest/internal/partiql"
	"github.com/dynamotable/ddb/ddbtest/internal/value"
)

// Limits of IN.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/ql-operators.html
const (
	maxInPartitions = 50
	inPageItems     = 10
)

// selection is a SELECT bound to its table: one read for each alternative of the key
// conditions, or a single scan.
type selection struct {
	reads []*pageRead
	// single is set if the conditions name one item of the table.
	single bool
	// several is set if the conditions have several alternatives.
	several bool
}

// bindSelect finds the table of a SELECT and the parts of it that it reads.
//
// https://github.com/floci-io/floci/pull/3798 has measured the texts and the order of the checks.
func (e *Engine) bindSelect(s *partiql.Select, in *ExecuteStatementInput) (*selection, error) {
	conditions := partiql.Conjuncts(s.Where)
	if _, err := statementCondition(filterParameter, conditions); err != nil {
		return nil, err // errors of the conditions themselves come before the table
	}
	base := &pageRead{
		operation:  "ExecuteStatement",
		in:         &ReadInput{TableName: &s.Table, Limit: in.Limit, ConsistentRead: in.ConsistentRead},
		projection: projectionOfColumns(s.Columns),
	}
	if s.Index != "" {
		base.in.IndexName = &s.Index
	}
	if err := e.bindStatementTable(base, s); err != nil {
		return nil, err
	}
	branches, keyed := base.branches(conditions)
	if err := base.checkKeyTypes(branches); err != nil {
		return nil, err
	}
	if keyed && len(branches) > maxInPartitions {
		return nil, invalid("The IN operator can name at most %d values of the partition key", maxInPartitions)
	}
	if !keyed {
		if err := base.bindOrder(s, nil); err != nil {
			return nil, err
		}
		var err error
		base.filter, err = statementCondition(filterParameter, conditions)
		return &selection{reads: []*pageRead{base}}, err
	}
	if err := base.checkOverlap(branches); err != nil {
		return nil, err
	}
	if err := base.bindOrder(s, branches); err != nil {
		return nil, err
	}
	bound := &selection{several: len(branches) > 1}
	var unprojected []error
	for _, b := range branches {
		one := *base
		if err := one.bindBranch(b); err != nil {
			return nil, err
		}
		bound.reads = append(bound.reads, &one)
		if err := one.checkFiltered(); err != nil {
			unprojected = append(unprojected, err)
		}
	}
	if len(unprojected) == len(branches) { // one branch that can be read is enough
		return nil, unprojected[len(unprojected)-1]
	}
	first := branches[0]
	bound.single = !bound.several && base.index == nil && len(first.ranges) == len(base.key.Range) &&
		!slices.ContainsFunc(first.ranges, func(c keyCondition) bool { return c.term.Op != expression.OpEqual })
	return bound, nil
}

// bindStatementTable finds the table and the index of a SELECT. The texts are not those of Query.
func (e *Engine) bindStatementTable(base *pageRead, s *partiql.Select) error {
	if s.Index != "" {
		t, err := e.table(s.Table)
		if err != nil {
			return err
		}
		x := t.Schema().Index(s.Index)
		switch {
		case x == nil || x.isDeleting():
			return invalid("The table does not have the specified index")
		case len(x.Key.Hash) > 1 || len(x.Key.Range) > 1: // our text, because the service's is not known
			return invalid("PartiQL is not supported on an index with a multi-attribute key: %s", s.Index)
		case !x.Local && base.in.ConsistentRead != nil && *base.in.ConsistentRead:
			return invalid("Strongly consistent read is not supported on Global Secondary Indexes")
		}
	}
	return e.bindTable(base)
}

// bindOrder checks ORDER BY, which names key attributes only, and sets the order of the branches and in them.
// Without conditions on the partition key, there are no branches.
func (s *pageRead) bindOrder(statement *partiql.Select, branches []branch) error {
	order := statement.Order
	if order == nil {
		return nil
	}
	if statement.Where == nil {
		return invalid("Must have WHERE clause in the statement when using ORDER BY clause.")
	}
	hash := s.key.Hash[0].Name
	byHash, hashDescending := false, false
	s.reverse = true // key attributes that ORDER BY does not name are descending
	for _, o := range order {
		if !s.key.Has(o.Attribute) {
			return invalid("Attribute %s in ORDER BY clause must be part of the primary key", o.Attribute)
		}
		if o.Attribute == hash {
			byHash, hashDescending = true, o.Descending
		} else {
			s.reverse = o.Descending
		}
	}
	if branches == nil {
		return invalid("Must have at least one non-optional hash key condition in WHERE clause when using ORDER BY clause.")
	}
	if len(branches) > 1 && !byHash {
		return invalid("Must have hash key in ORDER BY clause when more than one hash key condition specified in WHERE clause.")
	}
	slices.SortStableFunc(branches, func(a, b branch) int {
		if order, _ := value.Compare(a.partition, b.partition); order != 0 {
			if hashDescending {
				return -order
			}
			return order
		}
		order := strings.Compare(s.rangeOf(a).Low, s.rangeOf(b).Low)
		if s.reverse {
			return -order
		}
		return order
	})
	return nil
}

// nextToken is where a SELECT continues.
type nextToken struct {
	Statement uint64          // the fingerprint of the request
	Partition int             // the read to continue with
	Key       json.RawMessage `json:",omitempty"` // its start key; nil for its beginning
}

func (t *nextToken) encode() (string, error) {
	b, err := json.Marshal(t)
	if err != nil {
		return "", err
	}
	return base64.StdEncoding.EncodeToString(b), nil
}

// readToken reads the token of a request.
func (in *ExecuteStatementInput) readToken(reads int) (*nextToken, error) {
	t := &nextToken{Statement: in.fingerprint()}
	if in.NextToken == nil {
		return t, nil
	}
	var given nextToken
	b, err := base64.StdEncoding.DecodeString(*in.NextToken)
	if err == nil {
		err = json.Unmarshal(b, &given)
	}
	if err != nil {
		return nil, invalid("Invalid NextToken")
	}
	if given.Statement != t.Statement || given.Partition < 0 || given.Partition >= reads {
		return nil, errToken
	}
	return &given, nil
}

var errToken = invalid("NextToken does not match request")

// executeSelect reads one page.
func (e *Engine) executeSelect(ctx context.Context, s *partiql.Select, in *ExecuteStatementInput) (*ExecuteStatementOutput, error) {
	bound, err := e.bindSelect(s, in)
	if err != nil {
		return nil, err
	}
	at, err := in.readToken(len(bound.reads))
	if err != nil {
		return nil, err
	}
	left := int64(-1)
	if in.Limit != nil {
		left = *in.Limit
	}
	if bound.several && (left < 0 || left > inPageItems) {
		left = inPageItems
	}
	out := &ExecuteStatementOutput{Items: [][]byte{}}
	var m meter
	more, err := e.selectPages(ctx, bound, at, left, out, &m)
	if err != nil {
		return nil, err
	}
	if more {
		token, err := at.encode()
		if err != nil {
			return nil, err
		}
		out.NextToken = &token
	}
	out.ConsumedCapacity = m.report(bound.reads[0].table.name, in.ReturnConsumedCapacity, unnamedUnits)
	return out, nil
}

// selectPages reads one partition after the other until the page is full, and
// moves at to its end. It reports whether there is more. A negative limit means
// no limit.
func (e *Engine) selectPages(ctx context.Context, bound *selection, at *nextToken, limit int64, out *ExecuteStatementOutput, m *meter) (bool, error) {
	for {
		page, err := e.selectPage(ctx, bound.reads[at.Partition], at, limit, m)
		if err != nil {
			return false, err
		}
		out.Items = append(out.Items, page.Items...)
		if !bound.single {
			out.LastEvaluatedKey = page.LastEvaluatedKey
		}
		if at.Key = out.LastEvaluatedKey; at.Key != nil {
			return true, nil
		}
		at.Partition++
		if at.Partition == len(bound.reads) {
			return false, nil
		}
		if limit > 0 {
			limit -= int64(page.ScannedCount)
		}
		if limit == 0 {
			return true, nil
		}
	}
}

// selectPage reads one page of one partition, or of the scan.
func (e *Engine) selectPage(ctx context.Context, s *pageRead, at *nextToken, limit int64, m *meter) (*ReadOutput, error) {
	in := *s.in
	s.in = &in
	if limit >= 0 {
		in.Limit = &limit
	}
	if at.Key != nil {
		start, err := value.DecodeItem(at.Key)
		if err != nil {
			return nil, errToken
		}
		in.ExclusiveStartKey = Given(start)
	}
	bind := s.bindStart
	if s.partitionLength == "" {
		bind = func() error { return s.bindSegment(nil, nil) }
	}
	if err := bind(); err != nil {
		return nil, err
	}
	return e.readMetered(ctx, s, m)
}
