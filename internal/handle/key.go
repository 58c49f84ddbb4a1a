// SPDX-License-Identifier: Apache-2.0

package handle

import (
	"errors"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/dynamotable/ddb/internal/codec"
	"github.com/dynamotable/ddb/internal/itemid"
)

// KeyHandles returns the handles of a ddb.KeyField, which has several if it is a multikey.Key; nil for nil.
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

// SeveralAttrs is a ddb.MultiKey without its type parameters.
type SeveralAttrs struct {
	Handles []*Handle
	// Encode returns the values of at least the first n attributes.
	Encode func(key any, n int) ([]types.AttributeValue, error)
}

// JoinKeys makes one key of several; values returns the addresses of their values.
func JoinKeys(values func(key any) []any, fields ...any) *SeveralAttrs {
	s := new(SeveralAttrs)
	for _, f := range fields {
		s.Handles = append(s.Handles, KeyHandles(f)...)
	}
	s.Encode = func(key any, n int) ([]types.AttributeValue, error) {
		var (
			avs  []types.AttributeValue
			errs []error
		)
		for i, v := range values(key) {
			if len(avs) >= n {
				break
			}
			part, err := EncodeKey(fields[i], v, n-len(avs))
			avs, errs = append(avs, part...), append(errs, err)
		}
		return avs, errors.Join(errs...)
	}
	return s
}
