// SPDX-License-Identifier: Apache-2.0

package codec

import (
	"unicode/utf8"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/dynamotable/ddb/internal/gotype"
)

func boolCodec(v *Value) {
	v.kind = BOOL
	v.enc = func(_ *encoder, b []byte, r ref) ([]byte, error) {
		return appendBool(b, *as[bool](r)), nil
	}
	v.dec = func(d *Decoder, k Kind, r ref) (err error) {
		if k != BOOL {
			return v.mismatch(k)
		}
		*as[bool](r), err = d.boolean()
		return err
	}
	v.plain = func(r ref) types.AttributeValue {
		return &types.AttributeValueMemberBOOL{Value: *as[bool](r)}
	}
}

const notText = "the text is not valid UTF-8, which DynamoDB cannot hold; store it as binary"

func stringCodec(v *Value) {
	v.kind = S
	v.put = func(b []byte, r ref) ([]byte, error) {
		b, ok := appendEscaped(b, *as[string](r))
		if !ok {
			return b, unfit(gotype.Reflect(v.typ), notText)
		}
		return b, nil
	}
	v.enc = v.wrapped
	v.dec = func(d *Decoder, k Kind, r ref) error {
		if k != S && k != N { // the text of a number loses nothing
			return v.mismatch(k)
		}
		s, err := d.text()
		if err != nil {
			return err
		}
		*as[string](r) = d.keep(s)
		return nil
	}
	v.text = func(d *Decoder, _ Kind, s []byte, r ref) error {
		*as[string](r) = d.keep(s)
		return nil
	}
	v.plain = func(r ref) types.AttributeValue {
		s := *as[string](r)
		if !utf8.ValidString(s) {
			return nil
		}
		return &types.AttributeValueMemberS{Value: s}
	}
}
