// SPDX-License-Identifier: Apache-2.0

package job

import (
	"errors"
	"fmt"
	"slices"

	"github.com/dynamotable/ddb"
)

// Change is what a job does with an item: [Keep], [Update], [Put], [Delete] or [Fail]. The zero Change is refused.
type Change[T any] struct {
	kind    kind
	updates []ddb.UpdateOption[T]
	item    *T
	err     error
}

type kind int

const (
	none kind = iota
	keep
	update
	put
	remove
	fail
)

// Keep does not change the item.
func Keep[T any]() Change[T] { return Change[T]{kind: keep} }

// Update changes attributes of the item, by the table's Update. All other attributes stay, including those that T does not have.
func Update[T any](changes ...ddb.UpdateOption[T]) Change[T] {
	return Change[T]{kind: update, updates: slices.Clone(changes)}
}

// Put replaces the item that was read by one with the same key, by the table's Put: attributes that T does not have are dropped. It
// needs the option [Guard], because a condition cannot detect that others have added such attributes.
func Put[T any](item T) Change[T] { return Change[T]{kind: put, item: &item} }

// Delete removes the item. It needs the option [Guard], as [Put] does.
func Delete[T any]() Change[T] { return Change[T]{kind: remove} }

// Fail does not change the item and reports it as failed. The error is passed only to the function of [OnFailure].
func Fail[T any](err error) Change[T] {
	if err == nil {
		err = errors.New("the job failed the item without an error")
	}
	return Change[T]{kind: fail, err: err}
}

// Format prints the kind of change, without data.
func (c Change[T]) Format(s fmt.State, _ rune) {
	_, _ = fmt.Fprint(s, "job.Change: ", [...]string{"none", "keep", "update", "put", "delete", "fail"}[c.kind])
}

// MarshalJSON returns an error: changes must not be encoded.
func (c Change[T]) MarshalJSON() ([]byte, error) {
	return nil, errors.New("job: a change cannot be encoded")
}
