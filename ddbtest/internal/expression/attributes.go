// SPDX-License-Identifier: Apache-2.0

package expression

import (
	"errors"

	"github.com/dynamotable/ddb/ddbtest/internal/value"
)

// The parts of expressions that legacy parameters have too.

// Compare reports whether a op b holds, for the operators = <> < <= > and >=. A nil value does not exist; only <> holds
// between it and others.
func Compare(op string, a, b value.Value) bool { return compare(op, a, b) }

// Contains is the function contains.
func Contains(v, part value.Value) bool { return contains(v, part) }

// BeginsWith is the function begins_with.
func BeginsWith(v, prefix value.Value) bool { return beginsWith(v, prefix) }

// Add is the action ADD on a value, which may be nil. ok is false if the types do not fit.
func Add(old, v value.Value) (sum value.Value, ok bool, err error) {
	sum, err = addTo(old, v)
	return sum, !errors.Is(err, errOperand), err
}

// Delete is the action DELETE on a set, which may be nil, as the result may. ok is false if the types do not fit.
func Delete(old, members value.Value) (rest value.Value, ok bool) {
	rest, err := deleteFrom(old, members)
	return rest, err == nil
}

// ProjectAttributes is the projection on some top-level attributes.
func ProjectAttributes(names []string) *Projection {
	paths := make([]Path, len(names))
	for i, name := range names {
		paths[i] = Path{{name: name}}
	}
	return newProjection(paths)
}
