// SPDX-License-Identifier: Apache-2.0

package core

import (
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/dynamotable/ddb/internal/expr"
	"github.com/dynamotable/ddb/internal/handle"
)

// NoSort is the sort key of a table or an index that has none.
type NoSort struct{}

// partitionNode returns the condition that all partition attributes are equal.
func partitionNode(parts []handle.KeyPart, avs []types.AttributeValue) expr.Node {
	if len(parts) == 1 {
		return equals(parts[0], avs[0])
	}
	terms := make([]expr.Node, len(parts))
	for i, p := range parts {
		terms[i] = equals(p, avs[i])
	}
	return expr.All(terms...)
}

func equals(p handle.KeyPart, av types.AttributeValue) expr.Node {
	return expr.Compare{Left: expr.Attribute(p.Name), Op: "=", Right: expr.Value{AV: av}}
}
