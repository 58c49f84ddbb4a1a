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

// Keep leaves the item as it is.
func Keep[T any]() Change[T] { return Change[T]{kind: keep} }

// Update changes attributes of the item, by the table's Update. What it does not name stays, also attributes that T does not know.
func Update[T any](changes ...ddb.UpdateOption[T]) Change[T] {
	return Change[T]{kind: update, updates: slices.Clone(changes)}
}

// Put stores the item, which has the same key, in place of the one that was read, by the table's Put: attributes that T does not know are dropped. It
// needs the option [Guard], since DynamoDB cannot tell whether others have added such attributes.
func Put[T any](item T) Change[T] { return Change[T]{kind: put, item: &item} }

// Delete removes the item. It needs the option [Guard], as [Put] does.
func Delete[T any]() Change[T] { return Change[T]{kind: remove} }

// Fail leaves the item as it is and reports it as failed. The error goes to the function of [OnFailure], and nowhere else.
func Fail[T any](err error) Change[T] {
	if err == nil {
		err = errors.New("the job failed the item without an error")
	}
	return Change[T]{kind: fail, err: err}
}

// Format prints what it does, without data.
func (c Change[T]) Format(s fmt.State, _ rune) {
	_, _ = fmt.Fprint(s, "job.Change: ", [...]string{"none", "keep", "update", "put", "delete", "fail"}[c.kind])
}

// MarshalJSON is an error: a change is not sent anywhere.
func (c Change[T]) MarshalJSON() ([]byte, error) {
	return nil, errors.New("job: a change is not encoded")
}
