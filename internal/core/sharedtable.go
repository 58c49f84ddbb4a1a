// SPDX-License-Identifier: Apache-2.0

package core

import (
	"errors"
	"fmt"
)

// Share adds the table of one item type to a shared table; i is its place in the caller's list, for errors.
func (c *Table) Share(part *Table, i int) error {
	var errs []error
	if part.Name != c.Name {
		errs = append(errs, fmt.Errorf("table %d is %s and the first is %s", i, part.Name, c.Name))
	}
	if a, b := part.Key.Described().Text(), c.Key.Described().Text(); a != b {
		errs = append(errs, fmt.Errorf("table %d has the key %s and the first has %s", i, a, b))
	}
	switch ttl := part.ttlAttribute(); {
	case ttl == "":
	case c.ttlAttribute() == "":
		c.ttl, c.tombstones = part.ttl, part.tombstones
	case c.ttlAttribute() != ttl:
		errs = append(errs, fmt.Errorf("table %d has the TTL attribute %s and one before it has %s; a table has one", i, ttl, c.ttlAttribute()))
	}
	if err := errors.Join(errs...); err != nil {
		return err
	}
	c.parts = append(c.parts, part)
	return nil
}
