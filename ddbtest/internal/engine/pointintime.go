// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"context"
	"time"
)

// Point-in-time recovery, of which the engine keeps the setting and, for exports, the changes of items. Tables are not restored.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_UpdateContinuousBackups.html
// https://github.com/aws-controllers-k8s/dynamodb-controller/tree/main/docs/api-quirks (table-subresources.md)
const (
	defaultRecoveryDays = 35
	maxRecoveryDays     = 35
	recoveryLag         = 5 * time.Minute // from now back to the last moment that can be restored
)

// recovery is the point-in-time recovery of a table.
type recovery struct {
	enabled bool
	days    int64
	since   time.Time // when it was last enabled
}

// PointInTimeRecoverySpecification enables or disables point-in-time recovery.
type PointInTimeRecoverySpecification struct {
	PointInTimeRecoveryEnabled *bool
	RecoveryPeriodInDays       *int64
}

// ContinuousBackups describes the backups of a table in wire format.
type ContinuousBackups struct {
	ContinuousBackupsStatus        string
	PointInTimeRecoveryDescription PointInTimeRecovery
}

// PointInTimeRecovery describes point-in-time recovery in wire format.
type PointInTimeRecovery struct {
	PointInTimeRecoveryStatus  string
	RecoveryPeriodInDays       int64      `json:",omitempty"`
	EarliestRestorableDateTime *Timestamp `json:",omitempty"`
	LatestRestorableDateTime   *Timestamp `json:",omitempty"`
}

// UpdateContinuousBackups enables or disables point-in-time recovery of a table.
func (e *Engine) UpdateContinuousBackups(_ context.Context, table *string, spec *PointInTimeRecoverySpecification) (*ContinuousBackups, error) {
	if err := tablePresent(table); err != nil {
		return nil, err
	}
	var c constraints
	c.describedName("tableName", table)
	if c.required("pointInTimeRecoverySpecification", spec != nil) {
		const path = "pointInTimeRecoverySpecification."
		c.required(path+"pointInTimeRecoveryEnabled", spec.PointInTimeRecoveryEnabled != nil)
		c.atLeast(path+"recoveryPeriodInDays", spec.RecoveryPeriodInDays, 1)
		c.atMost(path+"recoveryPeriodInDays", spec.RecoveryPeriodInDays, maxRecoveryDays)
	}
	if err := c.err(); err != nil {
		return nil, err
	}
	if !*spec.PointInTimeRecoveryEnabled && spec.RecoveryPeriodInDays != nil {
		return nil, invalid("Invalid Request: Cannot specify RecoveryPeriodInDays when disabling point-in-time recovery.")
	}
	t, err := e.backupTable(table)
	if err != nil {
		return nil, err
	}
	now := e.clock.Now()
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.status(now) == statusCreating {
		return nil, &Error{
			Type:    ContinuousBackupsUnavailableException,
			Message: "Backups are being enabled for the table: " + t.name + ". Please retry later",
		}
	}
	r := &t.settings.recovery
	switch {
	case !*spec.PointInTimeRecoveryEnabled:
		*r = recovery{}
		e.keepHistory(t, false)
	case !r.enabled:
		*r = recovery{enabled: true, days: defaultRecoveryDays, since: now}
		e.keepHistory(t, true)
	}
	if spec.RecoveryPeriodInDays != nil {
		r.days = *spec.RecoveryPeriodInDays
	}
	return t.describeBackups(now), nil
}

// DescribeContinuousBackups describes the backups of a table.
func (e *Engine) DescribeContinuousBackups(_ context.Context, table *string) (*ContinuousBackups, error) {
	t, err := e.backupTable(table)
	if err != nil {
		return nil, err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.describeBackups(e.clock.Now()), nil
}

// backupTable returns the table of an operation on backups, which has its own text for a missing table.
func (e *Engine) backupTable(table *string) (*Table, error) {
	t, err := e.describedTable(table)
	if err != nil && AsError(err).Type == ResourceNotFoundException {
		return nil, &Error{Type: TableNotFoundException, Message: "Table not found: " + tableOf(*table)}
	}
	return t, err
}

// describeBackups describes the backups of the table. The caller holds mu.
func (t *Table) describeBackups(now time.Time) *ContinuousBackups {
	out := &ContinuousBackups{ContinuousBackupsStatus: "ENABLED"}
	if t.status(now) == statusCreating {
		out.ContinuousBackupsStatus = "DISABLED"
	}
	r := t.settings.recovery
	if !r.enabled {
		out.PointInTimeRecoveryDescription.PointInTimeRecoveryStatus = "DISABLED"
		return out
	}
	earliest, latest := now.AddDate(0, 0, -int(r.days)), now.Add(-recoveryLag)
	if earliest.Before(r.since) {
		earliest = r.since
	}
	if latest.Before(r.since) {
		latest = r.since
	}
	out.PointInTimeRecoveryDescription = PointInTimeRecovery{
		PointInTimeRecoveryStatus:  "ENABLED",
		RecoveryPeriodInDays:       r.days,
		EarliestRestorableDateTime: &Timestamp{earliest},
		LatestRestorableDateTime:   &Timestamp{latest},
	}
	return out
}
