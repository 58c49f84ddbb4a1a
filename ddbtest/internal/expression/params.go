// SPDX-License-Identifier: Apache-2.0

// Package expression parses and evaluates DynamoDB's condition, filter,
// update, projection and key condition expressions.
//
// Every error is a [*value.Error] with the service's text. Parsing returns
// the errors that the service finds before it reads an item, in the service's
// order: the length, the syntax, redundant parentheses, function names, the
// places of functions, reserved words, and then, operand by operand, undefined
// placeholders and wrong types. Evaluation returns the errors that depend on the
// item.
//
// The messages begin with the name of the parameter, such as "Invalid
// UpdateExpression: ". Since 2026 the answers of PutItem, UpdateItem and
// DeleteItem put "1 validation error detected: " before them and those of the
// other operations do not; the caller adds it.
package expression

import (
	"slices"
	"strconv"
	"strings"

	"github.com/dynamotable/ddb/ddbtest/internal/value"
)

type (
	// Names is ExpressionAttributeNames: placeholder, with its #, to name.
	Names map[string]string
	// Values is ExpressionAttributeValues: placeholder, with its :, to value.
	Values map[string]value.Value
)

// Params holds the placeholders of one request and records which of them its
// expressions use. It is not safe for concurrent use.
type Params struct {
	// ReportSize makes the error for a condition or filter that is too long end
	// with its size. The service does so in Scan and TransactWriteItems.
	ReportSize bool
	// AnyLength removes the limit on the length of expressions, for those that
	// were made from a statement, whose length is limited itself.
	AnyLength bool

	names      Names
	values     Values
	usedNames  map[string]struct{}
	usedValues map[string]struct{}
}

// maxPlaceholder is the number of bytes that a placeholder may have, its # or :
// included.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html
const maxPlaceholder = 255

// NewParams returns the placeholders of a request. A nil map means that the
// parameter is absent. It fails if a map is empty or has a key that is
// not a placeholder.
func NewParams(names Names, values Values) (*Params, error) {
	if err := checkKeys("ExpressionAttributeNames", names, '#'); err != nil {
		return nil, err
	}
	if err := checkKeys("ExpressionAttributeValues", values, ':'); err != nil {
		return nil, err
	}
	return &Params{
		names:      names,
		values:     values,
		usedNames:  make(map[string]struct{}, len(names)),
		usedValues: make(map[string]struct{}, len(values)),
	}, nil
}

func checkKeys[V any](param string, m map[string]V, sigil byte) error {
	if m != nil && len(m) == 0 {
		return value.Invalid(param + " must not be empty")
	}
	var bad []string
	for key := range m {
		if len(key) > maxPlaceholder || !isPlaceholder(key, sigil) {
			bad = append(bad, key)
		}
	}
	if len(bad) == 0 {
		return nil
	}
	first := slices.Min(bad)
	if len(first) > maxPlaceholder {
		// RequestValidator in https://github.com/aws/aws-dax-js-sdk has the text except for the size.
		return value.Invalid(param + " contains invalid key: The expression attribute map contains a key that is too long; size of key: " + strconv.Itoa(len(first)))
	}
	return value.Invalid(param + ` contains invalid key: Syntax error; key: "` + first + `"`)
}

// BadName returns the first placeholder for a name with an invalid length, and
// the error of the name; nil if there is none.
func (names Names) BadName() (placeholder string, err *value.Error) {
	for key, name := range names {
		switch {
		case err != nil && key > placeholder:
		case name == "":
			placeholder, err = key, value.ErrEmptyName
		case len(name) > value.MaxNameSize:
			placeholder, err = key, value.ErrNameSize
		}
	}
	return placeholder, err
}

// Unused returns the ValidationException for placeholders that no expression
// parsed so far has used, or nil. Call it after all expressions are parsed.
func (p *Params) Unused() error {
	if err := unusedKeys("ExpressionAttributeNames", p.names, p.usedNames); err != nil {
		return err
	}
	return unusedKeys("ExpressionAttributeValues", p.values, p.usedValues)
}

func unusedKeys[V any](param string, m map[string]V, used map[string]struct{}) error {
	var unused []string
	for key := range m {
		if _, ok := used[key]; !ok {
			unused = append(unused, key)
		}
	}
	if len(unused) == 0 {
		return nil
	}
	slices.Sort(unused)
	return value.Invalid("Value provided in " + param + " unused in expressions: keys: {" + strings.Join(unused, ", ") + "}")
}

// name returns the name of a #placeholder and marks it as used.
func (p *Params) name(placeholder string) (string, bool) {
	name, ok := p.names[placeholder]
	if ok {
		p.usedNames[placeholder] = struct{}{}
	}
	return name, ok
}

// value returns the value of a :placeholder and marks it as used.
func (p *Params) value(placeholder string) (value.Value, bool) {
	v, ok := p.values[placeholder]
	if ok {
		p.usedValues[placeholder] = struct{}{}
	}
	return v, ok
}
