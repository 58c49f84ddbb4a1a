// SPDX-License-Identifier: Apache-2.0

package core

import "fmt"

// FailedCondition is the content of a ConditionFailed; current is a *T, if there is an item.
type FailedCondition struct {
	Condition              string
	Missing, Needed, Stale bool
	Other                  bool
	Current                any
	DecodeErr, Cause       error
}

func ConditionText(condition string, missing, stale bool) string {
	state := "the item exists"
	switch {
	case missing:
		state = "there is no item with this key"
	case stale:
		state = "the item was written since it was read, and has another version: read it again and repeat the change"
	}
	return fmt.Sprintf("condition failed: %s (%s)", condition, state)
}
