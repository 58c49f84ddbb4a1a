package ddb

import (
	"encoding"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"unicode/utf8"
)

// KeyFormat turns a composite key, a struct, into one text and back, so that
// several values share one key attribute:
//
//	type OrderKey struct {
//		Year int    `ddbkey:"pad=4"`
//		Seq  uint32
//	}
//
//	var orderKeys = ddb.NewKeyFormat[OrderKey]("ORDER")
//
//	func (k OrderKey) MarshalText() ([]byte, error)  { return orderKeys.Format(k) }
//	func (k *OrderKey) UnmarshalText(b []byte) error { return orderKeys.Parse(b, k) }
//
// The text of {2026, 7} is ORDER#2026#0000000007: the prefix, then each field in the
// order of the struct, with # between them.
//
// Distinct keys have distinct texts, Parse gives back what Format was given, and
// texts sort as the keys do, field by field. So keys can be queried by ranges and,
// with [KeyFormat.Prefix], by their first fields. Fields can be:
//
//   - text of any named type. Characters from NUL to the dollar sign, so also space
//     and #, are written as a dollar sign and a second character, which is what keeps
//     texts distinct and sorted. It must be valid UTF-8;
//   - integers, with zeros in front up to the most digits of the type (19 for int),
//     or to the width given by the tag ddbkey:"pad=4". Negative numbers and numbers with
//     more digits than the width are refused, because their texts would not sort;
//   - time.Time of the years 0 to 9999, in UTC with nanoseconds, or only down to the
//     unit given by the tag ddbkey:"unit=day" (year, month, day, hour, minute, second,
//     milli, micro or nano). A time with a part smaller than the unit is refused:
//     truncate it first. Parse gives the time in UTC;
//   - bool, written false or true;
//   - types with MarshalText and UnmarshalText, such as UUIDs. They sort as their texts do.
//
// A KeyFormat is immutable and safe for concurrent use.
type KeyFormat[K any] struct {
	prefix string
	fields []fieldFormat
	err    error
}

const (
	keyDelimiter = '#'
	keyEscape    = '$' // the next byte above the delimiter, so that no text sorts between the two
	escapeOffset = '@' // added to an escaped byte, which makes it printable
)

// NewKeyFormat describes the keys of struct type K. All their texts begin with the
// prefix and a #; an empty prefix is left out. A K whose fields cannot all be keys,
// or that has unexported fields, which would get lost, is reported by [New] where K
// is a key, and by Format, Parse and [KeyFormat.Err].
func NewKeyFormat[K any](prefix string) *KeyFormat[K] {
	f := &KeyFormat[K]{prefix: prefix}
	if prefix != "" {
		f.prefix += string(keyDelimiter)
	}
	var errs []error
	if !utf8.ValidString(prefix) {
		errs = append(errs, errors.New("the prefix is not valid UTF-8"))
	}
	t := reflect.TypeFor[K]()
	if t.Kind() != reflect.Struct || t.NumField() == 0 {
		errs = append(errs, errors.New("it must be a struct with at least one field"))
	} else {
		for i := range t.NumField() {
			field, err := newFieldFormat(t.Field(i))
			if err != nil {
				errs = append(errs, fmt.Errorf("field %s: %w", t.Field(i).Name, err))
			}
			f.fields = append(f.fields, field)
		}
	}
	if err := errors.Join(errs...); err != nil {
		f.err = &definitionError{fmt.Errorf("key format of %s: %w", t, err)}
	}
	return f
}

// definitionError is a mistake in a KeyFormat itself, not in a key.
type definitionError struct{ error }

func (e *definitionError) Unwrap() error { return e.error }

// Is makes it [ErrInvalid].
func (e *definitionError) Is(target error) bool { return target == ErrInvalid }

// checkKeyFormat reports the mistakes of the KeyFormat behind a key type's MarshalText, if there is one.
func checkKeyFormat(t reflect.Type) (err error) {
	m, ok := reflect.TypeAssert[encoding.TextMarshaler](reflect.Zero(t))
	if !ok || t.Kind() == reflect.Pointer {
		return nil
	}
	defer func() {
		if recover() != nil {
			err = nil // a zero value that cannot be written says nothing about others
		}
	}()
	_, err = m.MarshalText()
	if def, ok := errors.AsType[*definitionError](err); ok {
		return def
	}
	return nil
}

// Err reports what is wrong with the definition, all at once, in an error that is [ErrInvalid]; nil if nothing is.
func (f *KeyFormat[K]) Err() error {
	if f == nil || f.fields == nil && f.err == nil {
		return errNoKeyFormat
	}
	return f.err
}

var errNoKeyFormat = invalid(errors.New("a KeyFormat that NewKeyFormat did not make"))

// Format gives the text of a key. Its errors name the field, never its value.
func (f *KeyFormat[K]) Format(k K) ([]byte, error) {
	if err := f.Err(); err != nil {
		return nil, err
	}
	return f.appendFields([]byte(f.prefix), k, len(f.fields))
}

// Prefix gives the text that all keys have in common whose first n fields are those
// of k; the other fields do not count. It ends with the delimiter, so user#1 does not
// match user#10. It is for BeginsWith; n must be less than the number of fields.
func (f *KeyFormat[K]) Prefix(k K, n int) (string, error) {
	if err := f.Err(); err != nil {
		return "", err
	}
	if n < 0 || n >= len(f.fields) {
		return "", fmt.Errorf("key %T: a prefix has 0 to %d fields, not %d", k, len(f.fields)-1, n)
	}
	text, err := f.appendFields([]byte(f.prefix), k, n)
	if err != nil {
		return "", err
	}
	if n > 0 {
		text = append(text, keyDelimiter)
	}
	return string(text), nil
}

func (f *KeyFormat[K]) appendFields(text []byte, k K, n int) ([]byte, error) {
	v := reflect.ValueOf(&k).Elem()
	for i, field := range f.fields[:n] {
		if i > 0 {
			text = append(text, keyDelimiter)
		}
		var err error
		if text, err = field.append(text, v.Field(i)); err != nil {
			return nil, fmt.Errorf("key %T: field %s: %w", k, field.name, err)
		}
	}
	return text, nil
}

// Parse sets k to the key whose text it is given. It takes only texts that Format
// gives and leaves k alone if it returns an error, which does not show the text.
func (f *KeyFormat[K]) Parse(text []byte, k *K) error {
	if err := f.Err(); err != nil {
		return err
	}
	if k == nil {
		return errors.New("key format: Parse into a nil pointer")
	}
	rest, ok := strings.CutPrefix(string(text), f.prefix)
	if !ok {
		return fmt.Errorf("key %T: the text does not begin with %s", *k, f.prefix)
	}
	parts := strings.SplitN(rest, string(keyDelimiter), len(f.fields)+1)
	if len(parts) != len(f.fields) {
		return fmt.Errorf("key %T: the text does not have %d fields", *k, len(f.fields))
	}
	var parsed K
	v := reflect.ValueOf(&parsed).Elem()
	for i, field := range f.fields {
		if err := field.parse(parts[i], v.Field(i)); err != nil {
			return fmt.Errorf("key %T: field %s: %w", *k, field.name, err)
		}
	}
	*k = parsed
	return nil
}

// appendEscaped writes text so that it holds no delimiter and sorts as before: every
// byte up to the escape character becomes two, in the order of the bytes.
func appendEscaped(dst []byte, text string) ([]byte, error) {
	if !utf8.ValidString(text) {
		return nil, errors.New("the text is not valid UTF-8")
	}
	for i := range len(text) {
		if b := text[i]; b <= keyEscape {
			dst = append(dst, keyEscape, b+escapeOffset)
		} else {
			dst = append(dst, b)
		}
	}
	return dst, nil
}

func unescape(text string) (string, error) {
	if !utf8.ValidString(text) {
		return "", errors.New("the text is not valid UTF-8")
	}
	plain := make([]byte, 0, len(text))
	for i := 0; i < len(text); i++ {
		b := text[i]
		switch {
		case b > keyEscape:
		case b < keyEscape || i+1 == len(text) || text[i+1] < escapeOffset || text[i+1] > escapeOffset+keyEscape:
			return "", errors.New("the text is not escaped as Format does it")
		default:
			i++
			b = text[i] - escapeOffset
		}
		plain = append(plain, b)
	}
	return string(plain), nil
}
