// SPDX-License-Identifier: Apache-2.0

package core

import "reflect"

// Stream is a stream of the caller's items or keys. It calls start once with the address to which it copies each of them, and then what
// start has returned, until that is false. The zero Stream is empty.
type Stream func(start func(at any) (next func() bool))

// windows gathers the stream into lists of at most n elements, and yields the address of each with its length.
func (s Stream) windows(n int, yield func(list any, n int) bool) {
	if s == nil {
		return
	}
	var (
		window reflect.Value // the address of a list of n, of which some are set
		set    int
		ended  bool
	)
	s(func(at any) func() bool {
		element := reflect.ValueOf(at).Elem()
		list := reflect.SliceOf(element.Type())
		return func() bool {
			if ended { // but the caller's iterator goes on
				return false
			}
			if set == 0 {
				window = reflect.New(list)
				window.Elem().Grow(n)
				window.Elem().SetLen(n)
			}
			window.Elem().Index(set).Set(element)
			if set++; set == n {
				set, ended = 0, !yield(window.Interface(), n)
			}
			return !ended
		}
	})
	if set > 0 {
		window.Elem().SetLen(set)
		yield(window.Interface(), set)
	}
}
