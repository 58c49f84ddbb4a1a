// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"context"
	"time"
)

// ttlPause is how long after a change of the setting the next is refused. The
// documentation says up to one hour; the service takes about half of that.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_UpdateTimeToLive.html
const ttlPause = 30 * time.Minute

// timeToLive is the TTL setting of a table.
type timeToLive struct {
	attribute string
	enabled   bool
	changed   time.Time
	readyAt   time.Time // when ENABLING or DISABLING is over
}

// TimeToLiveSpecification enables or disables the time to live of the items of a table.
type TimeToLiveSpecification struct {
	AttributeName *string
	Enabled       *bool
}

// TimeToLiveDescription describes the setting in wire format.
type TimeToLiveDescription struct {
	TimeToLiveStatus string
	AttributeName    string `json:",omitempty"`
}

// UpdateTimeToLive enables or disables the time to live of the items of a table.
func (e *Engine) UpdateTimeToLive(_ context.Context, table *string, spec *TimeToLiveSpecification) error {
	if err := tablePresent(table); err != nil {
		return err
	}
	var c constraints
	c.describedName("tableName", table)
	if c.required("timeToLiveSpecification", spec != nil) {
		if c.required("timeToLiveSpecification.attributeName", spec.AttributeName != nil) {
			c.length("timeToLiveSpecification.attributeName", *spec.AttributeName, 1, 255)
		}
		c.required("timeToLiveSpecification.enabled", spec.Enabled != nil)
	}
	if err := c.err(); err != nil {
		return err
	}
	t, err := e.describedTable(table)
	if err != nil {
		return err
	}
	now := e.clock.Now()
	t.mu.Lock()
	defer t.mu.Unlock()
	if status := t.status(now); status == statusCreating || status == statusDeleting {
		return tableNotFound(t.name)
	}
	ttl := &t.settings.ttl
	switch {
	case *spec.Enabled && ttl.enabled && ttl.attribute != *spec.AttributeName:
		return invalid("TimeToLive is active on a different AttributeName: current AttributeName is %s", ttl.attribute)
	case *spec.Enabled && ttl.enabled:
		return invalid("TimeToLive is already enabled")
	case !*spec.Enabled && !ttl.enabled:
		return invalid("TimeToLive is already disabled")
	case !*spec.Enabled && ttl.attribute != *spec.AttributeName:
		return invalid("TimeToLive is active on a different AttributeName: current AttributeName is %s", ttl.attribute)
	case !ttl.changed.IsZero() && now.Sub(ttl.changed) < ttlPause:
		return invalid("Time to live has been modified multiple times within a fixed interval")
	}
	*ttl = timeToLive{attribute: *spec.AttributeName, enabled: *spec.Enabled, changed: now, readyAt: now.Add(e.stateDelay)}
	return nil
}

// DescribeTimeToLive describes the setting of a table.
func (e *Engine) DescribeTimeToLive(_ context.Context, table *string) (*TimeToLiveDescription, error) {
	t, err := e.describedTable(table)
	if err != nil {
		return nil, err
	}
	now := e.clock.Now()
	t.mu.Lock()
	defer t.mu.Unlock()
	if status := t.status(now); status == statusCreating || status == statusDeleting {
		return nil, invalid("Cannot describe time to live while table is in %s state: Current table state is %s", status, status)
	}
	ttl, changing := t.settings.ttl, now.Before(t.settings.ttl.readyAt)
	switch {
	case ttl.enabled && changing:
		return &TimeToLiveDescription{"ENABLING", ttl.attribute}, nil
	case ttl.enabled:
		return &TimeToLiveDescription{"ENABLED", ttl.attribute}, nil
	case changing:
		return &TimeToLiveDescription{"DISABLING", ttl.attribute}, nil
	default:
		return &TimeToLiveDescription{"DISABLED", ""}, nil
	}
}

// TimeToLive returns the attribute that holds the time when an item expires,
// or "" if items of the table do not expire.
func (t *Table) TimeToLive(now time.Time) string {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.settings.ttl.enabled || now.Before(t.settings.ttl.readyAt) {
		return ""
	}
	return t.settings.ttl.attribute
}
