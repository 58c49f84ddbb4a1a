// SPDX-License-Identifier: Apache-2.0

package codec

import (
	"bytes"
	"slices"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// EqualItems reports whether two items in wire form are equal as DynamoDB stores them: attributes and members of sets in any
// order, and numbers by value.
func EqualItems(a, b []byte) bool {
	if bytes.Equal(a, b) {
		return true
	}
	x, err1 := ParseItem(a)
	y, err2 := ParseItem(b)
	return err1 == nil && err2 == nil && equalMaps(x, y)
}

// EqualValues is [EqualItems] for two values.
func EqualValues(a, b []byte) bool {
	if bytes.Equal(a, b) {
		return true
	}
	x, err1 := ParseAttributeValue(a)
	y, err2 := ParseAttributeValue(b)
	return err1 == nil && err2 == nil && equalAV(x, y)
}

func equalMaps(a, b map[string]types.AttributeValue) bool {
	if len(a) != len(b) {
		return false
	}
	for name, v := range a {
		w, ok := b[name]
		if !ok || !equalAV(v, w) {
			return false
		}
	}
	return true
}

func equalAV(a, b types.AttributeValue) bool {
	switch x := a.(type) {
	case *types.AttributeValueMemberS:
		y, ok := b.(*types.AttributeValueMemberS)
		return ok && x.Value == y.Value
	case *types.AttributeValueMemberN:
		y, ok := b.(*types.AttributeValueMemberN)
		return ok && numberID(x.Value) == numberID(y.Value)
	case *types.AttributeValueMemberB:
		y, ok := b.(*types.AttributeValueMemberB)
		return ok && bytes.Equal(x.Value, y.Value)
	case *types.AttributeValueMemberBOOL:
		y, ok := b.(*types.AttributeValueMemberBOOL)
		return ok && x.Value == y.Value
	case *types.AttributeValueMemberNULL:
		y, ok := b.(*types.AttributeValueMemberNULL)
		return ok && x.Value == y.Value
	case *types.AttributeValueMemberM:
		y, ok := b.(*types.AttributeValueMemberM)
		return ok && equalMaps(x.Value, y.Value)
	case *types.AttributeValueMemberL:
		y, ok := b.(*types.AttributeValueMemberL)
		return ok && slices.EqualFunc(x.Value, y.Value, equalAV)
	case *types.AttributeValueMemberSS:
		y, ok := b.(*types.AttributeValueMemberSS)
		return ok && equalSets(x.Value, y.Value, func(s string) string { return s })
	case *types.AttributeValueMemberNS:
		y, ok := b.(*types.AttributeValueMemberNS)
		return ok && equalSets(x.Value, y.Value, numberID)
	case *types.AttributeValueMemberBS:
		y, ok := b.(*types.AttributeValueMemberBS)
		return ok && equalSets(x.Value, y.Value, func(b []byte) string { return string(b) })
	}
	return false
}

// equalSets compares members in any order. id returns the same text for equal members.
func equalSets[E any](a, b []E, id func(E) string) bool {
	ids := func(set []E) []string {
		list := make([]string, len(set))
		for i, e := range set {
			list[i] = id(e)
		}
		slices.Sort(list)
		return list
	}
	return slices.Equal(ids(a), ids(b))
}

// numberID returns the same text for equal numbers. For text that is not a number it returns a text that no number has.
func numberID(text string) string {
	d, problem := parseDecimal(text)
	if problem != "" {
		return "?" + text
	}
	return string(d.appendKey(nil))
}
