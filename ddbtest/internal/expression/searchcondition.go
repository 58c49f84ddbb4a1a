// SPDX-License-Identifier: Apache-2.0

package expression

import "github.com/dynamotable/ddb/ddbtest/internal/value"

// SearchTerm is one equality of the condition of a vector search.
type SearchTerm struct {
	Attribute string
	Nested    bool // the path continues below the attribute
	Value     value.Value
}

const searchCondition = "SearchConditionExpression"

// ParseSearchCondition parses a SearchConditionExpression: equalities of attributes and values, joined by AND.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_SearchVectors.html; the text for an invalid one has been measured in
// https://github.com/nubo-db/dynoxide/pull/175.
func ParseSearchCondition(text string, params *Params) ([]SearchTerm, error) {
	root, err := parseConditionTree(searchCondition, text, params)
	if err != nil {
		return nil, err
	}
	c := &checker{param: searchCondition, params: params}
	if err := c.condition(root); err != nil {
		return nil, err
	}
	return searchTerms(root, nil)
}

func searchTerms(n node, terms []SearchTerm) ([]SearchTerm, error) {
	if j, ok := n.(*junctionNode); ok && !j.or {
		for _, part := range j.conditions {
			var err error
			if terms, err = searchTerms(part, terms); err != nil {
				return nil, err
			}
		}
		return terms, nil
	}
	comparison, ok := n.(*compareNode)
	if !ok || comparison.op != OpEqual {
		return nil, invalidComparator()
	}
	path, ok := comparison.left.(*pathNode)
	operand, ok2 := comparison.right.(*valueNode)
	if !ok {
		path, ok = comparison.right.(*pathNode)
		operand, ok2 = comparison.left.(*valueNode)
	}
	if !ok || !ok2 {
		return nil, invalidComparator()
	}
	return append(terms, SearchTerm{Attribute: path.path[0].name, Nested: len(path.path) > 1, Value: operand.value}), nil
}

func invalidComparator() error {
	return invalid(searchCondition, "Invalid comparator used in SearchConditionExpression")
}
