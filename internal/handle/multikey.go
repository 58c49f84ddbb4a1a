// SPDX-License-Identifier: Apache-2.0

package handle

import (
	"errors"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

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

// OnFirst returns the condition on the first n attributes; whole returns the address of a whole key for the address of its
// first values.
func (c SortCond) OnFirst(n int, whole func(any) any) SortCond {
	c.first = n
	if c.Low != nil {
		c.Low = whole(c.Low)
	}
	if c.High != nil {
		c.High = whole(c.High)
	}
	return c
}
