// SPDX-License-Identifier: Apache-2.0

package codec_test

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

type Base struct{ A int }

type More struct{ B int }

type Deep struct {
	*More
	D int
}

type hidden struct{ H int }

type Label string

type tree struct {
	V    int
	Kids []tree
	Next *tree
}

type nest []nest

// dated has the text methods of its embedded field.
type dated struct{ time.Time }

// color is a number with a text form.
type color int

const (
	red color = iota
	green
)

var colors = []string{"red", "green"}

func (c color) MarshalText() ([]byte, error) {
	if c < 0 || int(c) >= len(colors) {
		return nil, fmt.Errorf("no color secret-%d", int(c))
	}
	return []byte(colors[c]), nil
}

func (c *color) UnmarshalText(s []byte) error {
	for i, name := range colors {
		if name == string(s) {
			*c = color(i)
			return nil
		}
	}
	return fmt.Errorf("no color %s", s)
}

// money stores itself as text, with methods on its pointer.
type money struct {
	Amount   int
	Currency string
}

var errMoney = errors.New("no money: secret")

func (m *money) MarshalDynamoDBAttributeValue() (types.AttributeValue, error) {
	if m.Currency == "" {
		return nil, errMoney
	}
	return &types.AttributeValueMemberS{Value: fmt.Sprintf("%d %s", m.Amount, m.Currency)}, nil
}

func (m *money) UnmarshalDynamoDBAttributeValue(av types.AttributeValue) error {
	s, ok := av.(*types.AttributeValueMemberS)
	if !ok {
		return errMoney
	}
	if _, err := fmt.Sscanf(s.Value, "%d %s", &m.Amount, &m.Currency); err != nil {
		return errMoney
	}
	return nil
}

// union is an item that stores itself.
type union struct {
	Figure string
	R      int
}

func (u union) MarshalDynamoDBAttributeValue() (types.AttributeValue, error) {
	return &types.AttributeValueMemberM{Value: map[string]types.AttributeValue{
		"figure": &types.AttributeValueMemberS{Value: u.Figure},
		"r":      &types.AttributeValueMemberN{Value: fmt.Sprint(u.R)},
	}}, nil
}

func (u *union) UnmarshalDynamoDBAttributeValue(av types.AttributeValue) error {
	m := av.(*types.AttributeValueMemberM).Value
	u.Figure = m["figure"].(*types.AttributeValueMemberS).Value
	_, err := fmt.Sscan(m["r"].(*types.AttributeValueMemberN).Value, &u.R)
	return err
}

// nothing is a type that marshals to no value.
type nothing struct{ A int }

func (nothing) MarshalDynamoDBAttributeValue() (types.AttributeValue, error) { return nil, nil }

// folded is a map key whose texts collide.
type folded string

func (f folded) MarshalText() ([]byte, error) { return []byte(strings.ToLower(string(f))), nil }

func (f *folded) UnmarshalText(s []byte) error { *f = folded(s); return nil }
