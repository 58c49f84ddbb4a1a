// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"cmp"
	"context"
	"slices"
	"time"
)

// UpdateTableInput holds the parameters of UpdateTable.
type UpdateTableInput struct {
	TableName                   *string
	AttributeDefinitions        []AttributeDefinition
	BillingMode                 *string
	ProvisionedThroughput       *ProvisionedThroughput
	OnDemandThroughput          *OnDemandThroughput
	WarmThroughput              *WarmThroughput
	GlobalSecondaryIndexUpdates []IndexUpdate // nil if absent
	VectorIndexUpdates          []VectorIndexUpdate
	StreamSpecification         *StreamSpecification
	SSESpecification            *SSESpecification
	TableClass                  *string
	DeletionProtectionEnabled   *bool
}

// IndexUpdate creates, changes or deletes a global index: exactly one of the
// fields is set.
type IndexUpdate struct {
	Create *SecondaryIndex
	Update *SecondaryIndex // name and throughputs only
	Delete *SecondaryIndex // name only
}

// UpdateTable changes the capacity, the stream, the global indexes or other
// settings of a table.
func (e *Engine) UpdateTable(_ context.Context, in *UpdateTableInput) (*TableDescription, error) {
	if !in.OnDemandThroughput.given() {
		in.OnDemandThroughput = nil
	}
	if !in.WarmThroughput.given() {
		in.WarmThroughput = nil
	}
	if err := in.constraints(); err != nil {
		return nil, err
	}
	if err := in.check(); err != nil {
		return nil, err
	}
	t, err := e.describedTable(in.TableName)
	if err != nil {
		return nil, err
	}
	before := e.describe(t, "")
	created, err := e.change(t, in, e.clock.Now())
	if err != nil {
		return nil, err
	}
	status := ""
	if in.isUpdating() {
		status = statusUpdating
	}
	d := e.describe(t, status).updated(before, in)
	if created != nil {
		t.backfill(created)
	}
	if in.StreamSpecification != nil {
		e.tableChanged(t, TableStreamChanged)
	}
	return d, nil
}

// updated converts the description of a table after a request to that of the reply, in which changes are in progress:
// throughputs are still the old ones, ceilings are as in the request, and states show the change.
//
// https://github.com/aws-controllers-k8s/dynamodb-controller/tree/main/docs/api-quirks (DDB-TABLE-060, 165, 179, 183);
// dynoxide has measured the ceilings (https://github.com/nubo-db/dynoxide, CHANGELOG.md).
func (d *TableDescription) updated(before *TableDescription, in *UpdateTableInput) *TableDescription {
	switched := in.BillingMode != nil && is(in.BillingMode, onDemandMode) != before.onDemand()
	if switched && d.onDemand() {
		d.BillingModeSummary.LastUpdateToPayPerRequestDateTime = nil
	}
	if in.ProvisionedThroughput != nil && !switched {
		d.ProvisionedThroughput.keep(before.ProvisionedThroughput)
	}
	if o := in.OnDemandThroughput; o != nil {
		echo := new(OnDemandThroughput)
		if d.OnDemandThroughput != nil {
			*echo = *d.OnDemandThroughput
		}
		echo.MaxReadRequestUnits = cmp.Or(o.MaxReadRequestUnits, echo.MaxReadRequestUnits)
		echo.MaxWriteRequestUnits = cmp.Or(o.MaxWriteRequestUnits, echo.MaxWriteRequestUnits)
		d.OnDemandThroughput = echo
	}
	if in.WarmThroughput != nil {
		d.WarmThroughput.Status = statusUpdating
	}
	for _, u := range in.GlobalSecondaryIndexUpdates {
		if u.Update == nil {
			continue
		}
		named := func(x IndexDescription) bool { return x.IndexName == text(u.Update.IndexName) }
		i, old := slices.IndexFunc(d.GlobalSecondaryIndexes, named), slices.IndexFunc(before.GlobalSecondaryIndexes, named)
		if i < 0 || old < 0 {
			continue
		}
		x := &d.GlobalSecondaryIndexes[i]
		x.IndexStatus = statusUpdating
		if u.Update.ProvisionedThroughput != nil && !switched {
			x.ProvisionedThroughput.keep(before.GlobalSecondaryIndexes[old].ProvisionedThroughput)
		}
		if u.Update.WarmThroughput != nil {
			x.WarmThroughput.Status = statusUpdating
		}
	}
	return d
}

func (d *TableDescription) onDemand() bool {
	return d.BillingModeSummary != nil && d.BillingModeSummary.BillingMode == onDemandMode
}

// keep copies only the units of an older description.
func (d *ThroughputDescription) keep(old *ThroughputDescription) {
	d.ReadCapacityUnits, d.WriteCapacityUnits = old.ReadCapacityUnits, old.WriteCapacityUnits
}

// isUpdating reports whether the table is UPDATING while the change is made.
func (in *UpdateTableInput) isUpdating() bool {
	for _, u := range in.GlobalSecondaryIndexUpdates {
		if u.Update == nil {
			return true
		}
	}
	return len(in.VectorIndexUpdates) > 0 || in.BillingMode != nil || in.ProvisionedThroughput != nil || in.StreamSpecification != nil || in.TableClass != nil
}

// change validates the update against the table and applies it. It returns an
// index that has to be filled, or nil.
func (e *Engine) change(t *Table, in *UpdateTableInput, now time.Time) (created *Index, err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.catchUp(now)
	if err := in.admissible(t, now); err != nil {
		return nil, err
	}
	onDemand := t.settings.billing.onDemand
	if in.BillingMode != nil {
		onDemand = is(in.BillingMode, onDemandMode)
	}
	if err := in.checkChanges(t, onDemand, now); err != nil {
		return nil, err
	}
	names := make(map[string]bool)
	for _, x := range t.Schema().Indexes {
		names[x.Name] = true
	}
	done := now.Add(e.stateDelay)
	vectors, err := t.Schema().changedVectorIndexes(in, names, onDemand, done, done.Add(e.stateDelay))
	if err != nil {
		return nil, err
	}
	schema, created := e.changeIndexes(t, in, vectors, onDemand, now)
	t.setSchema(schema)
	e.changeSettings(t, in, onDemand, now)
	if s := in.StreamSpecification; s != nil {
		if *s.StreamEnabled {
			t.startStream(s, e.nextLabel(now))
		} else {
			t.settings.stream = nil
		}
	}
	if in.isUpdating() {
		t.settings.changedAt = now.Add(e.stateDelay)
	}
	return created, nil
}

// admissible returns an error if a change has to wait for another one.
// The caller holds the lock of the settings.
func (in *UpdateTableInput) admissible(t *Table, now time.Time) error {
	switch status := t.status(now); status {
	case statusUpdating:
		if !in.isUpdating() {
			return nil
		}
		if err := in.checkOnline(t, now); err != nil {
			return err
		}
		if err := in.checkIndexesIdle(t, now); err != nil {
			return err
		}
		return t.changeable(status)
	case statusActive:
		return in.checkOnline(t, now)
	default:
		return t.changeable(status)
	}
}

func (e *Engine) changeSettings(t *Table, in *UpdateTableInput, onDemand bool, now time.Time) {
	s := &t.settings
	if in.BillingMode != nil {
		if onDemand && !s.billing.onDemand {
			s.billing.switched = now
			s.throughput = throughput{}
		}
		if onDemand != s.billing.onDemand {
			s.onDemand = nil
		}
		s.billing.onDemand, s.billing.named = onDemand, s.billing.named || onDemand
	}
	if in.ProvisionedThroughput != nil {
		s.throughput = s.throughput.changed(in.ProvisionedThroughput, now)
	}
	s.onDemand = mergedCeiling(s.onDemand, in.OnDemandThroughput)
	s.warm = mergedWarmth(s.warm, in.WarmThroughput)
	if in.SSESpecification != nil {
		s.sse = in.SSESpecification
	}
	if in.TableClass != nil && (s.tableClass != "" || *in.TableClass != standardClass) {
		s.tableClass, s.classAt = *in.TableClass, now
	}
	if in.DeletionProtectionEnabled != nil {
		s.protected = *in.DeletionProtectionEnabled
	}
}

// changed returns the throughput after a change.
func (p throughput) changed(to *ProvisionedThroughput, now time.Time) throughput {
	next := p
	next.read, next.write = *to.ReadCapacityUnits, *to.WriteCapacityUnits
	if p.read == 0 { // it was on demand
		next.peakRead, next.peakWrite = defaultWarmReads, defaultWarmWrites
	}
	next.peakRead, next.peakWrite = max(next.peakRead, next.read), max(next.peakWrite, next.write)
	if next.read > p.read || next.write > p.write {
		next.increased = now
	}
	if next.read < p.read || next.write < p.write {
		if next.decreasesDay != day(now) {
			next.decreasesDay, next.decreasesToday = day(now), 0
		}
		next.decreasesToday++
		next.decreased = now
	}
	return next
}

// mergedCeiling returns on-demand throughput after a change; -1 removes a
// ceiling.
func mergedCeiling(old, change *OnDemandThroughput) *OnDemandThroughput {
	if change == nil {
		return old
	}
	next := new(OnDemandThroughput)
	if old != nil {
		*next = *old
	}
	merge := func(to **int64, units *int64) {
		switch {
		case units == nil:
		case *units == -1:
			*to = nil
		default:
			*to = units
		}
	}
	merge(&next.MaxReadRequestUnits, change.MaxReadRequestUnits)
	merge(&next.MaxWriteRequestUnits, change.MaxWriteRequestUnits)
	if next.MaxReadRequestUnits == nil && next.MaxWriteRequestUnits == nil {
		return nil
	}
	return next
}

// mergedWarmth returns warm throughput after a change.
func mergedWarmth(old, change *WarmThroughput) *WarmThroughput {
	if change == nil {
		return old
	}
	next := *change
	if old != nil && next.ReadUnitsPerSecond == nil {
		next.ReadUnitsPerSecond = old.ReadUnitsPerSecond
	}
	if old != nil && next.WriteUnitsPerSecond == nil {
		next.WriteUnitsPerSecond = old.WriteUnitsPerSecond
	}
	return &next
}

// changeIndexes returns the schema after the updates of indexes, and the new index
// among them.
func (e *Engine) changeIndexes(t *Table, in *UpdateTableInput, vectors []*vectorIndex, onDemand bool, now time.Time) (*Schema, *Index) {
	old := t.Schema()
	next := *old
	next.vectors = vectors
	if len(in.VectorIndexUpdates) > 0 {
		next.attributes = mergedDefinitions(old.attributes, in.AttributeDefinitions)
	}
	next.Indexes = slices.Clone(old.Indexes)
	done := now.Add(e.stateDelay)
	if onDemand != t.settings.billing.onDemand {
		for i, x := range next.Indexes {
			next.Indexes[i] = x.with(func(x *Index) { x.throughput, x.onDemand = throughput{}, nil })
		}
	}
	var created *Index
	for _, u := range in.GlobalSecondaryIndexUpdates {
		switch {
		case u.Create != nil:
			next.attributes = mergedDefinitions(old.attributes, in.AttributeDefinitions)
			created = newIndex(u.Create, false, next.Key, next.attributes)
			created.throughput = newThroughput(u.Create.ProvisionedThroughput)
			// The table is UPDATING while resources are allocated, then ACTIVE
			// while the index is filled.
			created.backfillAt, created.readyAt = done, done.Add(e.stateDelay)
			created.filling.Store(true)
			next.Indexes = insertGlobal(next.Indexes, created)
		case u.Delete != nil:
			i := next.position(text(u.Delete.IndexName))
			delete(t.settings.insights, text(u.Delete.IndexName))
			if e.stateDelay == 0 {
				next.Indexes = slices.Delete(next.Indexes, i, i+1)
			} else {
				next.Indexes[i] = next.Indexes[i].with(func(x *Index) { x.deletedAt = done })
			}
		case u.Update != nil:
			i := next.position(text(u.Update.IndexName))
			next.Indexes[i] = next.Indexes[i].with(func(x *Index) { x.update(u.Update, now, done) })
		}
	}
	next.attributes = usedAttributes(next.attributes, &next)
	return &next, created
}

// position returns the position of the index with a name.
func (s *Schema) position(name string) int {
	return slices.IndexFunc(s.Indexes, func(x *Index) bool { return x.Name == name })
}

// with returns a changed copy of an index, with the same entries.
func (x *Index) with(change func(*Index)) *Index {
	next := *x
	change(&next)
	return &next
}

// update changes the throughputs of an index.
func (x *Index) update(u *SecondaryIndex, now, done time.Time) {
	if u.ProvisionedThroughput != nil {
		x.throughput = x.throughput.changed(u.ProvisionedThroughput, now)
	}
	x.onDemand = mergedCeiling(x.onDemand, u.OnDemandThroughput)
	x.warm = mergedWarmth(x.warm, u.WarmThroughput)
	x.changedAt = done
}

// insertGlobal adds a global index after the others and before local ones.
func insertGlobal(indexes []*Index, x *Index) []*Index {
	at := slices.IndexFunc(indexes, func(x *Index) bool { return x.Local })
	if at < 0 {
		at = len(indexes)
	}
	return slices.Insert(indexes, at, x)
}

// mergedDefinitions adds new definitions to those of a table.
func mergedDefinitions(old, added []AttributeDefinition) []AttributeDefinition {
	merged := slices.Clone(old)
	for _, d := range added {
		if !defined(text(d.AttributeName), merged) {
			merged = append(merged, d)
		}
	}
	return merged
}
