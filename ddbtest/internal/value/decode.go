// SPDX-License-Identifier: Apache-2.0

package value

import (
	"encoding/base64"
	"strconv"
	"strings"
)

// Decode reads one value in its wire form.
//
// The error is an [*Error]. A SerializationException (the text is not the wire
// form) takes precedence over a ValidationException (the value breaks a rule)
// wherever the two occur, because the service reads the whole request before
// it validates any of it. JSON null means an absent value, which is
// invalid.
func Decode(raw []byte) (Value, error) {
	d := decoder{scanner: scanner{text: raw}}
	v := d.attribute(0)
	d.finish()
	if err := d.err(); err != nil {
		return nil, err
	}
	return v, nil
}

// DecodeItem reads a map of names to values in wire form. The errors are those
// of [Decode]; the ValidationException is that of the first invalid attribute,
// and its Key is the name of that attribute. If the error's Nesting method returns
// true, the Item is returned as well. Null gives a nil Item.
func DecodeItem(raw []byte) (Item, error) {
	d := decoder{scanner: scanner{text: raw}}
	item := d.attributes(0)
	d.finish()
	err := d.err()
	if err == nil {
		return item, nil
	}
	if d.bad || d.wire != nil || !d.deepOnly {
		return nil, err
	}
	return item, err
}

// The rules of values, with the service's texts.
const (
	msgEmptyValue   = "Supplied AttributeValue is empty, must contain exactly one of the supported datatypes"
	msgSeveralTypes = "Supplied AttributeValue has more than one datatypes set, must contain exactly one of the supported datatypes"
	msgNesting      = "Nesting Levels have exceeded supported limits: Attributes in the item have nested levels beyond supported limit"
	msgParameters   = "One or more parameter values were invalid: "

	msgNoStrings      = msgParameters + "An string set  may not be empty"
	msgNoNumbers      = msgParameters + "An number set  may not be empty"
	msgNoBinaries     = msgParameters + "Binary sets should not be empty"
	msgNullString     = msgParameters + "An string set may not have a null string as a member"
	msgNullBinary     = msgParameters + "Binary sets may not contain null or empty values"
	msgNullFalse      = msgParameters + "Null attribute value types must have the value of true"
	msgNameSize       = "Attribute name is too large, must be less than 65536 bytes"
	msgEmptyName      = "Empty attribute name"
	msgSameNumbers    = "Input collection contains duplicates"
	msgSameCollection = msgParameters + "Input collection "
)

// The errors of the wire format, with the service's texts.
const (
	msgFieldType   = "Unexpected field type"
	msgValueType   = "Unexpected value type in payload"
	msgStruct      = "Start of structure or map found where not expected"
	msgToken       = "Unexpected token received from parser"
	msgNotBase64   = "only base-64-encoded strings are convertible to bytes"
	msgCollection  = "Unrecognized collection type "
	classAttribute = "com.amazonaws.dynamodb.v20120810.AttributeValue"
)

// decoder reads values and keeps the first error of either kind.
type decoder struct {
	scanner
	wire    *Error // SerializationException
	invalid *Error // ValidationException
	// deepOnly means that the only error is too deep nesting.
	deepOnly bool
}

func (d *decoder) err() error {
	switch {
	case d.bad:
		return &Error{Type: SerializationException}
	case d.wire != nil:
		return d.wire
	case d.invalid != nil:
		return d.invalid
	default:
		return nil
	}
}

func (d *decoder) finish() {
	if d.peek() != 0 || d.pos < len(d.text) {
		d.bad = true
	}
}

func (d *decoder) failWire(message string) {
	if d.wire == nil {
		d.wire = &Error{Type: SerializationException, Message: message}
	}
}

func (d *decoder) fail(message string) {
	d.deepOnly = message == msgNesting && (d.invalid == nil || d.deepOnly)
	if d.invalid == nil {
		d.invalid = Invalid(message)
	}
}

// attributes reads a map of values.
func (d *decoder) attributes(depth int) map[string]Value {
	switch d.peek() {
	case '{':
	case 'n':
		d.literal("null")
		return nil
	case '[':
		d.failWire(msgCollection + "java.util.Map<java.lang.String, " + classAttribute + ">")
		d.skip(0)
		return nil
	default:
		d.failWire(msgFieldType)
		d.skip(0)
		return nil
	}
	m := make(map[string]Value)
	d.object(func(name string) {
		had := d.invalid
		switch {
		case len(name) > MaxNameSize:
			d.fail(msgNameSize)
		case name == "" && depth == 0:
			d.fail(msgEmptyName)
		}
		m[name] = d.attribute(depth)
		if depth == 0 && had == nil && d.invalid != nil {
			d.invalid.Key = name
		}
	})
	return m
}

// attribute reads one value at the given depth of lists and maps around it.
func (d *decoder) attribute(depth int) Value {
	if depth > maxJSONDepth {
		d.bad = true
	}
	switch d.peek() {
	case '{':
	case 'n':
		d.literal("null")
		d.fail(msgEmptyValue)
		return nil
	case '[':
		d.failWire(msgCollection + "class " + classAttribute)
		d.skip(0)
		return nil
	default:
		d.failWire(msgValueType)
		d.skip(0)
		return nil
	}
	if depth == MaxDepth {
		d.fail(msgNesting)
	}
	var v Value
	several := false
	d.object(func(descriptor string) {
		w := d.contents(descriptor, depth)
		if w == nil {
			return
		}
		several = several || v != nil
		v = w
	})
	switch {
	case v == nil:
		d.fail(msgEmptyValue)
	case several:
		d.fail(msgSeveralTypes)
	}
	return v
}

// contents reads the value after a type descriptor. It returns nil if the
// descriptor is unknown or the contents are null; both count as absent.
func (d *decoder) contents(descriptor string, depth int) Value {
	kind, ok := ParseKind(descriptor)
	if !ok {
		d.skip(0)
		return nil
	}
	if d.peek() == 'n' {
		d.literal("null")
		return nil
	}
	switch kind {
	case KindString:
		return String(d.textOf())
	case KindNumber:
		return d.numberOf(d.textOf())
	case KindBinary:
		return Binary(d.binaryOf())
	case KindBool:
		return Bool(d.booleanOf())
	case KindNull:
		return d.nullOf()
	case KindList:
		list := List{}
		d.elements(func() { list = append(list, d.attribute(depth+1)) })
		return list
	case KindMap:
		return Map(d.attributes(depth + 1))
	case KindStringSet:
		return d.stringSet()
	case KindNumberSet:
		return d.numberSet()
	default:
		return d.binarySet()
	}
}

// textOf reads the contents of S, N or one of their sets.
func (d *decoder) textOf() string {
	switch d.peek() {
	case '"':
		return d.str()
	case '{':
		d.failWire(msgStruct)
	case '[':
		d.failWire(msgCollection + "class java.lang.String")
	default:
		d.failWire(d.scalarName() + " cannot be converted to String")
	}
	d.skip(0)
	return ""
}

// scalarName returns the name of the next number or literal without consuming it.
func (d *decoder) scalarName() string {
	switch d.peek() {
	case 't':
		return "TRUE_VALUE"
	case 'f':
		return "FALSE_VALUE"
	}
	ahead := d.scanner
	if ahead.number() {
		return "NUMBER_VALUE"
	}
	return "DECIMAL_VALUE"
}

func (d *decoder) numberOf(text string) Number {
	n, err := ParseNumber(text)
	if err != nil {
		d.fail(err.(*Error).Message) //nolint:errorlint // ParseNumber gives no other
	}
	return n
}

// binaryOf reads the contents of B or a member of BS.
func (d *decoder) binaryOf() string {
	switch d.peek() {
	case '"':
	case '{':
		d.failWire(msgStruct)
		d.skip(0)
		return ""
	case '[':
		d.failWire(msgCollection + "class java.nio.ByteBuffer")
		d.skip(0)
		return ""
	default:
		d.failWire(msgNotBase64)
		d.skip(0)
		return ""
	}
	text := d.str()
	raw, err := base64.StdEncoding.Strict().DecodeString(text)
	if err != nil || strings.ContainsAny(text, "\r\n") {
		d.failWire(base64Fault(text))
	}
	return string(raw)
}

// base64Fault returns the error of a base64 text.
func base64Fault(text string) string {
	if len(text)%4 != 0 {
		return "Base64 encoded length is expected a multiple of 4 bytes but found: " + strconv.Itoa(len(text))
	}
	for _, c := range text {
		switch {
		case 'A' <= c && c <= 'Z', 'a' <= c && c <= 'z', '0' <= c && c <= '9', c == '+', c == '/', c == '=':
		default:
			return "Invalid Base64 character: '" + string(c) + "'"
		}
	}
	return "Invalid last non-pad Base64 character dectected"
}

// booleanOf reads the contents of BOOL or NULL.
func (d *decoder) booleanOf() bool {
	switch d.peek() {
	case 't':
		d.literal("true")
		return true
	case 'f':
		d.literal("false")
		return false
	case '"':
		d.failWire(msgToken)
	case '{':
		d.failWire(msgStruct)
	case '[':
		d.failWire(msgCollection + "class java.lang.Boolean")
	default:
		d.failWire(d.scalarName() + " cannot be converted to Boolean")
	}
	d.skip(0)
	return false
}

// elements reads the contents of a list or set.
func (d *decoder) elements(element func()) {
	switch d.peek() {
	case '[':
		d.array(element)
		return
	case '{':
		d.failWire(msgStruct)
	default:
		d.failWire(msgFieldType)
	}
	d.skip(0)
}

// nullOf reads the contents of NULL. For some weeks of 2026 the service read
// false as true; since then it refuses it in every Region:
// https://github.com/nubo-db/dynoxide/issues/145.
func (d *decoder) nullOf() Null { //nolint:unparam // like its sisters
	before := d.wire
	if !d.booleanOf() && d.wire == before {
		d.fail(msgNullFalse)
	}
	return Null{}
}

// members reads the contents of a set; message is the
// service's text for a null among them. An empty string or binary may be a member:
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/HowItWorks.NamingRulesDataTypes.html.
func (d *decoder) members(message string, member func()) {
	d.elements(func() {
		if d.peek() == 'n' {
			d.literal("null")
			d.fail(message)
			return
		}
		member()
	})
}

func (d *decoder) stringSet() StringSet {
	set, had := StringSet{}, d.invalid
	d.members(msgNullString, func() { set = append(set, d.textOf()) })
	switch {
	case d.invalid != had:
	case len(set) == 0:
		d.fail(msgNoStrings)
	case hasDuplicates(set):
		d.fail(msgSameCollection + "[" + strings.Join(set, ", ") + "] contains duplicates.")
	}
	return set
}

func (d *decoder) numberSet() NumberSet {
	set, had := NumberSet{}, d.invalid
	d.members(msgNotNumeric, func() { set = append(set, d.numberOf(d.textOf())) })
	switch {
	case d.invalid != had:
	case len(set) == 0:
		d.fail(msgNoNumbers)
	case hasDuplicates(set):
		d.fail(msgSameNumbers)
	}
	return set
}

func (d *decoder) binarySet() BinarySet {
	set, had := BinarySet{}, d.invalid
	d.members(msgNullBinary, func() { set = append(set, d.binaryOf()) })
	switch {
	case d.invalid != had:
	case len(set) == 0:
		d.fail(msgNoBinaries)
	case hasDuplicates(set):
		texts := make([]string, len(set))
		for i, raw := range set {
			texts[i] = base64.StdEncoding.EncodeToString([]byte(raw))
		}
		d.fail(msgSameCollection + "[" + strings.Join(texts, ", ") + "]of type BS contains duplicates.")
	}
	return set
}

func hasDuplicates[E comparable](set []E) bool {
	seen := make(map[E]struct{}, len(set))
	for _, e := range set {
		if _, ok := seen[e]; ok {
			return true
		}
		seen[e] = struct{}{}
	}
	return false
}
