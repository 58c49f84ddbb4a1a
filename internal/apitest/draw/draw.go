// SPDX-License-Identifier: Apache-2.0

// Package draw draws the random values of properties. Each package that uses a generator of rapid compiles all that generators of its
// type can do, for each type. These functions have no type parameters, or only index a list, so that is compiled once, here. They are
// not inlined, since it would then be compiled in the callers after all.
package draw

import "pgregory.net/rapid"

// Bool draws true or false.
//
//go:noinline
func Bool(t *rapid.T, label string) bool { return rapid.Bool().Draw(t, label) }

// Int draws an integer in a range, which includes both ends.
//
//go:noinline
func Int(t *rapid.T, least, most int, label string) int {
	return rapid.IntRange(least, most).Draw(t, label)
}

// AnyInt draws any integer.
//
//go:noinline
func AnyInt(t *rapid.T, label string) int { return rapid.Int().Draw(t, label) }

// Int64 draws an integer in a range, which includes both ends.
//
//go:noinline
func Int64(t *rapid.T, least, most int64, label string) int64 {
	return rapid.Int64Range(least, most).Draw(t, label)
}

// Uint64 draws any integer without a sign, such as a seed.
//
//go:noinline
func Uint64(t *rapid.T, label string) uint64 { return rapid.Uint64().Draw(t, label) }

// Float draws a number in a range, which includes both ends.
//
//go:noinline
func Float(t *rapid.T, least, most float64, label string) float64 {
	return rapid.Float64Range(least, most).Draw(t, label)
}

// Float32s draws as many numbers, in a range or in a list.
//
//go:noinline
func Float32s(t *rapid.T, least, most float32, or []float32, n int, label string) []float32 {
	return rapid.SliceOfN(rapid.OneOf(rapid.Float32Range(least, most), rapid.SampledFrom(or)), n, n).Draw(t, label)
}

// Ints draws between few and many integers in a range.
//
//go:noinline
func Ints(t *rapid.T, least, most, few, many int, label string) []int {
	return rapid.SliceOfN(rapid.IntRange(least, most), few, many).Draw(t, label)
}

// DistinctInts draws between few and many integers in a range, each at most once.
//
//go:noinline
func DistinctInts(t *rapid.T, least, most, few, many int, label string) []int {
	return rapid.SliceOfNDistinct(rapid.IntRange(least, most), few, many, rapid.ID).Draw(t, label)
}

// Bytes draws between few and many bytes.
//
//go:noinline
func Bytes(t *rapid.T, few, many int, label string) []byte {
	return rapid.SliceOfN(rapid.Byte(), few, many).Draw(t, label)
}

// Of draws an element of a list.
func Of[T any](t *rapid.T, list []T, label string) T { return list[Int(t, 0, len(list)-1, label)] }

// Text is a kind of text. It holds a generator; a field of that type would be compiled in each package that uses a Text.
type Text struct{ of any }

func texts(x Text) *rapid.Generator[string] {
	g, _ := x.of.(*rapid.Generator[string])
	return g
}

// AnyText is any text.
//
//go:noinline
func AnyText() Text { return Text{rapid.String()} }

// TextOf is a text of few to many runes with at most so many bytes, if that is not -1, or a text of a list.
//
//go:noinline
func TextOf(few, many, bytes int, or ...string) Text {
	if len(or) == 0 {
		return Text{rapid.StringN(few, many, bytes)}
	}
	return Text{rapid.OneOf(rapid.StringN(few, many, bytes), rapid.SampledFrom(or))}
}

// TextWith is a text of few to many runes, some of which are among the given ones.
//
//go:noinline
func TextWith(few, many int, runes string) Text {
	return Text{rapid.StringOfN(rapid.OneOf(rapid.Rune(), rapid.RuneFrom([]rune(runes))), few, many, -1)}
}

// Matching is a text that matches a regular expression.
//
//go:noinline
func Matching(expr string) Text { return Text{rapid.StringMatching(expr)} }

// Draw draws one text.
//
//go:noinline
func (x Text) Draw(t *rapid.T, label string) string { return texts(x).Draw(t, label) }

// List draws between few and many texts.
//
//go:noinline
func (x Text) List(t *rapid.T, few, many int, label string) []string {
	return rapid.SliceOfN(texts(x), few, many).Draw(t, label)
}

// Distinct draws between few and many texts, each at most once.
//
//go:noinline
func (x Text) Distinct(t *rapid.T, few, many int, label string) []string {
	return rapid.SliceOfNDistinct(texts(x), few, many, rapid.ID).Draw(t, label)
}
