package engine

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"slices"

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

// selection is a SELECT bound to its table: one search for each partition that
// the conditions name, or a single one that scans.
type selection struct {
	searches []*search
	// single is set if the conditions name one item of the table.
	single bool
	// several is set if IN names the partitions.
	several bool
	// merged is set if the sort key orders several partitions together.
	merged bool
}

// bindSelect finds the table of a SELECT and the partitions that it reads.
func (e *Engine) bindSelect(s *partiql.Select, in *ExecuteStatementInput) (*selection, error) {
	base := &search{
		operation:  "ExecuteStatement",
		in:         &SearchInput{TableName: &s.Table, Limit: in.Limit, ConsistentRead: in.ConsistentRead},
		projection: projectionOfColumns(s.Columns),
	}
	if s.Index != "" {
		base.in.IndexName = &s.Index
	}
	if err := e.bindTable(base); err != nil {
		return nil, err
	}
	conditions := partiql.Conjuncts(s.Where)
	if s.Order != nil && s.Where == nil {
		return nil, invalid("Must have WHERE clause in the statement when using ORDER BY clause.")
	}
	partitions, rest := base.partitions(conditions)
	if len(partitions) > maxInPartitions {
		return nil, invalid("The IN operator can name at most %d values of the partition key", maxInPartitions)
	}
	if err := base.bindOrder(s.Order, partitions); err != nil {
		return nil, err
	}
	var terms []expression.KeyTerm
	if partitions != nil {
		terms, rest = base.rangeTerms(rest)
	}
	filter, err := statementCondition(filterParameter, rest)
	if err != nil {
		return nil, err
	}
	base.filter = filter
	if partitions == nil {
		return &selection{searches: []*search{base}}, nil
	}
	if err := base.checkFiltered(); err != nil {
		return nil, err
	}
	bound := &selection{several: len(partitions) > 1}
	bound.merged = bound.several && s.Order != nil && slices.ContainsFunc(base.key.Range, func(a KeyAttribute) bool {
		return a.Name == s.Order[0].Attribute
	})
	for _, p := range partitions {
		one := *base
		if err := one.bindTerms(slices.Concat(p, terms)); err != nil {
			return nil, err
		}
		bound.searches = append(bound.searches, &one)
	}
	equal := !slices.ContainsFunc(terms, func(t expression.KeyTerm) bool { return t.Op != expression.OpEqual })
	bound.single = !bound.several && base.index == nil && equal && len(terms) == len(base.key.Range)
	return bound, nil
}

// partitions returns the equalities on the partition key, once for each
// partition, and the other conditions. It returns nil if the conditions do not
// name partitions.
func (s *search) partitions(conditions []partiql.Node) ([][]expression.KeyTerm, []partiql.Node) {
	rest := conditions
	partitions := [][]expression.KeyTerm{nil}
	for _, a := range s.key.Hash {
		var values []value.Value
		at := slices.IndexFunc(rest, func(n partiql.Node) bool {
			values = equals(n, a.Name)
			return values != nil
		})
		if at < 0 {
			return nil, conditions
		}
		rest = slices.Delete(slices.Clone(rest), at, at+1)
		var next [][]expression.KeyTerm
		for _, p := range partitions {
			for _, v := range values {
				next = append(next, append(slices.Clone(p), expression.KeyTerm{Attribute: a.Name, Op: expression.OpEqual, Values: []value.Value{v}}))
			}
		}
		partitions = next
	}
	return partitions, rest
}

// equals returns the different values that a condition allows an attribute to
// have, if it is an equality or IN.
func equals(n partiql.Node, attribute string) []value.Value {
	if t, ok := keyTermOf(n); ok {
		if t.Attribute == attribute && t.Op == expression.OpEqual {
			return t.Values
		}
		return nil
	}
	in, ok := n.(*partiql.In)
	if !ok {
		return nil
	}
	if name, ok := partiql.Attribute(in.Operand); !ok || name != attribute {
		return nil
	}
	var values []value.Value
	for _, m := range in.List {
		l, ok := m.(*partiql.Literal)
		if !ok {
			return nil
		}
		if !slices.ContainsFunc(values, func(v value.Value) bool { return value.Equal(v, l.Value) }) {
			values = append(values, l.Value)
		}
	}
	return values
}

// rangeTerms takes the conditions on the sort key that bound a query, from the
// left to the first that is no equality. The others are left to the filter.
func (s *search) rangeTerms(conditions []partiql.Node) (terms []expression.KeyTerm, rest []partiql.Node) {
	rest = conditions
	for _, a := range s.key.Range {
		var term expression.KeyTerm
		at := slices.IndexFunc(rest, func(n partiql.Node) bool {
			t, ok := keyTermOf(n)
			if ok && t.Attribute == a.Name {
				term = t
				return true
			}
			return false
		})
		if at < 0 {
			break
		}
		terms = append(terms, term)
		rest = slices.Delete(slices.Clone(rest), at, at+1)
		if term.Op != expression.OpEqual {
			break
		}
	}
	return terms, rest
}

// bindOrder checks ORDER BY, which names key attributes only, and sets the
// direction. Partitions come in the order of their keys if it names these.
func (s *search) bindOrder(order []partiql.Order, partitions [][]expression.KeyTerm) error {
	if order == nil {
		return nil
	}
	if partitions == nil {
		return invalid("Must have at least one non-optional hash key condition in WHERE clause when using ORDER BY clause.")
	}
	for _, o := range order {
		if !s.key.Has(o.Attribute) {
			return invalid("Variable reference %s in ORDER BY clause must be part of the primary key", o.Attribute)
		}
		at := slices.IndexFunc(s.key.Hash, func(a KeyAttribute) bool { return a.Name == o.Attribute })
		if at < 0 {
			s.reverse = o.Descending
			continue
		}
		slices.SortStableFunc(partitions, func(p, q []expression.KeyTerm) int {
			order, _ := value.Compare(p[at].Values[0], q[at].Values[0])
			if o.Descending {
				return -order
			}
			return order
		})
	}
	return nil
}

// nextToken says where a SELECT goes on.
type nextToken struct {
	Statement uint64          // the fingerprint of the request
	Partition int             // the search to go on with
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
func (in *ExecuteStatementInput) readToken(searches int) (*nextToken, error) {
	t := &nextToken{Statement: in.fingerprint()}
	if in.NextToken == nil {
		return t, nil
	}
	var given nextToken
	b, err := base64.StdEncoding.DecodeString(*in.NextToken)
	if err == nil {
		err = json.Unmarshal(b, &given)
	}
	if err != nil || given.Statement != t.Statement || given.Partition < 0 || given.Partition >= searches {
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
	at, err := in.readToken(len(bound.searches))
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
	var more bool
	if bound.merged {
		var page *SearchOutput
		g := &merge{bound.searches, left}
		if page, more, err = g.page(ctx, e, at, &m); err == nil {
			out.Items, out.LastEvaluatedKey = page.Items, page.LastEvaluatedKey
		}
	} else {
		more, err = e.selectPages(ctx, bound, at, left, out, &m)
	}
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
	out.ConsumedCapacity = m.report(bound.searches[0].table.name, in.ReturnConsumedCapacity, unnamedUnits)
	return out, nil
}

// selectPages reads one partition after the other until the page is full, and
// moves at to its end. It reports whether there is more. A negative limit is
// none.
func (e *Engine) selectPages(ctx context.Context, bound *selection, at *nextToken, limit int64, out *ExecuteStatementOutput, m *meter) (bool, error) {
	for {
		page, err := e.selectPage(ctx, bound.searches[at.Partition], at, limit, m)
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
		if at.Partition == len(bound.searches) {
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
func (e *Engine) selectPage(ctx context.Context, s *search, at *nextToken, limit int64, m *meter) (*SearchOutput, error) {
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
	if s.partition == "" {
		bind = func() error { return s.bindSegment(nil, nil) }
	}
	if err := bind(); err != nil {
		return nil, err
	}
	return e.searchPage(ctx, s, m)
}
