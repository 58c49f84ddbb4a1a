// SPDX-License-Identifier: Apache-2.0

package handle

import (
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/dynamotable/ddb/internal/codec"
	"github.com/dynamotable/ddb/internal/itemid"
)

// KeyHandles returns the handles of a ddb.KeyField, which has several if it is a ddb.MultiKey; nil for nil.
func KeyHandles(field any) []*Handle {
	switch f := field.(type) {
	case interface{ Handle() *Handle }:
		return []*Handle{f.Handle()}
	case interface{ KeyParts() *SeveralAttrs }:
		if s := f.KeyParts(); s != nil {
			return s.Handles
		}
	}
	return []*Handle{nil}
}

// EncodeKey returns the values of at least the first n handles of a ddb.KeyField. key points to the key value.
func EncodeKey(field, key any, n int) ([]types.AttributeValue, error) {
	if f, ok := field.(interface{ KeyParts() *SeveralAttrs }); ok && f.KeyParts() != nil {
		return f.KeyParts().Encode(key, n)
	}
	h := KeyHandles(field)[0]
	av, err := Encode(h, key)
	if err != nil {
		return nil, err
	}
	if err := itemid.CheckValue(h.Path().String(), av, itemid.MaxPartitionKey); err != nil {
		return nil, err
	}
	return []types.AttributeValue{av}, nil
}

// KeyPart is one attribute of a primary or index key.
type KeyPart struct {
	Name  string
	Kind  types.ScalarAttributeType
	Value *codec.Value
}
