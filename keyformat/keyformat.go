// SPDX-License-Identifier: Apache-2.0

// Package keyformat writes composite keys as one text that sorts, and reads them back.
package keyformat

import "errors"

// Format turns a composite key, a struct, into one text and back, so that
// several values share one key attribute:
//
//	type OrderKey struct {
//		Year int    `ddbkey:"pad=4"`
//		Seq  uint32
//	}
//
//	var orderKeys = keyformat.New[OrderKey]("ORDER")
//
//	func (k OrderKey) MarshalText() ([]byte, error)  { return orderKeys.Format(k) }
//	func (k *OrderKey) UnmarshalText(b []byte) error { return orderKeys.Parse(b, k) }
//
// The text of {2026, 7} is ORDER#2026#0000000007: the prefix, then each field in the
// order of the struct, with # between them.
//
// Distinct keys have distinct texts, Parse is the inverse of Format, and
// texts sort as the keys do, field by field. So keys can be queried by ranges and,
// with [Format.Prefix], by their first fields. Fields can be:
//
//   - text of any named type. Characters from NUL to the dollar sign,
//     which include space and #, are written as a dollar sign and a second character; this keeps
//     texts distinct and sorted. It must be valid UTF-8;
//   - integers, with leading zeros up to the maximum number of digits of the type (19 for int),
//     or to the width given by the tag ddbkey:"pad=4". Negative numbers and numbers with
//     more digits than the width are refused, because their texts would not sort;
//   - time.Time of the years 0 to 9999, in UTC with nanoseconds, or only down to the
//     unit given by the tag ddbkey:"unit=day" (year, month, day, hour, minute, second,
//     milli, micro or nano). A time with a part smaller than the unit is refused:
//     truncate it first. Parse returns the time in UTC;
//   - bool, written false or true;
//   - types with MarshalText and UnmarshalText, such as UUIDs. They sort as their texts do.
//
// Text with the tag ddbkey:"raw" is written unchanged, for keys that other programs have written. A value that contains the character
// after the field is then refused, and values with characters below it need not sort. [Pattern] has constants between the fields.
//
// A Format is immutable and safe for concurrent use.
type Format[K any] struct{ core any } // see format

// New describes the keys of struct type K. All their texts begin with the
// prefix and a #; an empty prefix is left out. A K whose fields cannot all be keys,
// or that has unexported fields, which would be lost, is reported by ddb.New if K
// is a key, and by Format, Parse and [Format.Err].
func New[K any](prefix string) *Format[K] { return &Format[K]{newFormat((*K)(nil), prefix)} }

// Err returns everything that is wrong with the definition, in one error that matches ddb.ErrInvalid; nil if it is valid.
func (f *Format[K]) Err() error {
	if f == nil {
		return errNotMade
	}
	return errOf(f.core)
}

// Format returns the text of a key. Its errors name the field, never its value.
func (f *Format[K]) Format(k K) ([]byte, error) {
	if f == nil {
		return nil, errNotMade
	}
	return appendKey(f.core, &k)
}

// Prefix returns the common prefix of all keys whose first n fields are those
// of k; the other fields are ignored. It ends with the delimiter, or the constant of a [Pattern], so user#1 does not
// match user#10. Use it with BeginsWith. n must be less than the number of fields.
func (f *Format[K]) Prefix(k K, n int) (string, error) {
	if f == nil {
		return "", errNotMade
	}
	return prefixOf(f.core, &k, n)
}

// Parse sets k to the key with the given text. It accepts only texts that Format
// returns. If it returns an error, which does not show the text, k is not changed.
func (f *Format[K]) Parse(text []byte, k *K) error {
	switch {
	case f == nil:
		return errNotMade
	case k == nil:
		return errors.Join(f.Err(), errNilKey)
	}
	return parseKey(f.core, string(text), k)
}
