// SPDX-License-Identifier: Apache-2.0

package core

import (
	"errors"
	"fmt"

	"github.com/dynamotable/ddb/internal/expr"
	"github.com/dynamotable/ddb/internal/handle"
)

// updateOf combines changes into one update expression. It reports every mistake: invalid changes, and overlapping paths,
// which DynamoDB would refuse.
func updateOf(changes []*handle.Change) (*expr.Update, error) {
	var (
		u    expr.Update
		errs []error
	)
	for i, c := range changes {
		if c.Err != nil {
			errs = append(errs, c.Err)
			continue
		}
		for _, before := range changes[:i] {
			if before.Action.Path != nil && before.Action.Path.Overlaps(c.Action.Path) {
				twice := fmt.Errorf("attribute %s is changed twice in one update", c.Action.Path)
				if a, b := c.Action.Path.String(), before.Action.Path.String(); a != b {
					twice = fmt.Errorf("attributes %s and %s overlap, and are changed in one update", b, a)
				}
				errs = append(errs, twice)
				break
			}
		}
		switch c.Clause {
		case expr.ClauseSet:
			u.Set = append(u.Set, c.Action)
		case expr.ClauseRemove:
			u.Remove = append(u.Remove, c.Action)
		case expr.ClauseAdd:
			u.Add = append(u.Add, c.Action)
		case expr.ClauseDelete:
			u.Delete = append(u.Delete, c.Action)
		}
	}
	return &u, errors.Join(errs...)
}
