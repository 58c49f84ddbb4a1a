// SPDX-License-Identifier: Apache-2.0

package codec_test

import (
	"reflect"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/dynamotable/ddb/internal/codec"
)

// typed is a Go type and the codec's functions for it, which take and give pointers to values of the type. Checks that
// work with a typed are compiled once, and not for each of a hundred types.
type typed struct {
	of reflect.Type

	appendItem  func(b []byte, p *codec.Plan, v any) ([]byte, error)
	decodeItem  func(p *codec.Plan, data []byte, v any) error
	appendValue func(b []byte, c *codec.Value, v any) ([]byte, error)
	decodeValue func(c *codec.Value, data []byte, v any) error
	toSDK       func(c *codec.Value, v any) (types.AttributeValue, error)
}

// itemType is the type of an item.
func itemType[T any]() typed {
	return typed{
		of:         reflect.TypeFor[T](),
		appendItem: func(b []byte, p *codec.Plan, v any) ([]byte, error) { return codec.Append(b, p, v.(*T)) },
		decodeItem: func(p *codec.Plan, data []byte, v any) error { return codec.Decode(p, data, v.(*T)) },
	}
}

// valueType is the type of an attribute.
func valueType[V any]() typed {
	return typed{
		of:          reflect.TypeFor[V](),
		appendValue: func(b []byte, c *codec.Value, v any) ([]byte, error) { return codec.AppendValue(b, c, v.(*V)) },
		decodeValue: func(c *codec.Value, data []byte, v any) error { return codec.DecodeValue(c, data, v.(*V)) },
		toSDK:       func(c *codec.Value, v any) (types.AttributeValue, error) { return codec.ToAttributeValue(c, v.(*V)) },
	}
}

// zero returns a pointer to a zero value.
func (typ typed) zero() any { return reflect.New(typ.of).Interface() }

// pointee returns the value that v points to.
func pointee(v any) any { return reflect.ValueOf(v).Elem().Interface() }

func planOf(tb testing.TB, t reflect.Type) *codec.Plan {
	tb.Helper()
	p, err := codec.PlanOf(t)
	if err != nil {
		tb.Fatal(err)
	}
	return p
}

func valueOf(tb testing.TB, t reflect.Type, tag string) *codec.Value {
	tb.Helper()
	c, err := codec.ValueOf(t, tag)
	if err != nil {
		tb.Fatal(err)
	}
	return c
}
