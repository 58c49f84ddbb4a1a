package engine

import (
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
	now := e.clock.Now()
	created, switched, err := e.change(t, in, now)
	if err != nil {
		return nil, err
	}
	if created != nil {
		t.backfill(created)
	}
	if switched {
		e.tableChanged(t, TableStreamChanged)
	}
	return e.describe(t, statusUpdating), nil
}

// change validates the update against the table and makes it. It returns an
// index that is to be filled, or nil, and whether the stream was switched.
func (e *Engine) change(t *Table, in *UpdateTableInput, now time.Time) (created *Index, switched bool, err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.settle(now)
	if err := t.changeable(t.status(now)); err != nil {
		return nil, false, err
	}
	onDemand := t.settings.billing.onDemand
	if in.BillingMode != nil {
		onDemand = is(in.BillingMode, onDemandMode)
	}
	if err := in.checkThroughput(t, onDemand, now); err != nil {
		return nil, false, err
	}
	if err := in.checkStreamChange(t); err != nil {
		return nil, false, err
	}
	schema, created, err := e.changeIndexes(t, in, onDemand, now)
	if err != nil {
		return nil, false, err
	}
	if schema != nil {
		t.setSchema(schema)
	}
	e.changeSettings(t, in, onDemand, now)
	if s := in.StreamSpecification; s != nil {
		if *s.StreamEnabled {
			t.startStream(s, now)
		} else {
			t.settings.stream = nil
		}
		switched = true
	}
	t.settings.changedAt = now.Add(e.stateDelay)
	return created, switched, nil
}

func (e *Engine) changeSettings(t *Table, in *UpdateTableInput, onDemand bool, now time.Time) {
	s := &t.settings
	if in.BillingMode != nil {
		if onDemand && !s.billing.onDemand {
			s.billing.switched = now
			s.throughput = throughput{}
		}
		s.billing.onDemand, s.billing.named = onDemand, s.billing.named || onDemand
	}
	if in.ProvisionedThroughput != nil {
		s.throughput = s.throughput.changed(in.ProvisionedThroughput, now)
	}
	if in.OnDemandThroughput != nil {
		s.onDemand = in.OnDemandThroughput
	}
	if in.WarmThroughput != nil {
		s.warm = in.WarmThroughput
	}
	if in.SSESpecification != nil {
		s.sse = in.SSESpecification
	}
	if in.TableClass != nil {
		s.tableClass, s.classAt = *in.TableClass, now
	}
	if in.DeletionProtectionEnabled != nil {
		s.protected = *in.DeletionProtectionEnabled
	}
}

// changed returns the throughput after a change to p.
func (t throughput) changed(p *ProvisionedThroughput, now time.Time) throughput {
	next := t
	next.read, next.write = *p.ReadCapacityUnits, *p.WriteCapacityUnits
	if next.read > t.read || next.write > t.write {
		next.increased = now
	}
	if next.read < t.read || next.write < t.write {
		if next.decreasesDay != day(now) {
			next.decreasesDay, next.decreasesToday = day(now), 0
		}
		next.decreasesToday++
		next.decreased = now
	}
	return next
}

// changeIndexes returns the schema after the updates of indexes, and the index
// among them that is new. The schema is nil if there are none.
func (e *Engine) changeIndexes(t *Table, in *UpdateTableInput, onDemand bool, now time.Time) (*Schema, *Index, error) {
	old := t.Schema()
	next := *old
	next.Indexes = slices.Clone(old.Indexes)
	done := now.Add(e.stateDelay)
	if onDemand && !t.settings.billing.onDemand {
		for i, x := range next.Indexes {
			next.Indexes[i] = x.with(func(x *Index) { x.throughput = throughput{} })
		}
	}
	var created *Index
	for _, u := range in.GlobalSecondaryIndexUpdates {
		switch {
		case u.Create != nil:
			defs := mergedDefinitions(old.attributes, in.AttributeDefinitions)
			if err := checkNewIndex(old, u.Create, defs, onDemand); err != nil {
				return nil, nil, err
			}
			created = newIndex(u.Create, false, next.Key, defs)
			created.throughput = newThroughput(u.Create.ProvisionedThroughput)
			created.readyAt = done
			created.filling.Store(true)
			next.attributes = defs
			next.Indexes = insertGlobal(next.Indexes, created)
		case u.Delete != nil:
			i := next.position(text(u.Delete.IndexName))
			if i < 0 {
				return nil, nil, tableMissing()
			}
			if e.stateDelay == 0 {
				next.Indexes = slices.Delete(next.Indexes, i, i+1)
			} else {
				next.Indexes[i] = next.Indexes[i].with(func(x *Index) { x.deletedAt = done })
			}
		case u.Update != nil:
			i := next.position(text(u.Update.IndexName))
			if i < 0 {
				return nil, nil, tableMissing()
			}
			next.Indexes[i] = next.Indexes[i].with(func(x *Index) { x.update(u.Update, now, done) })
		}
	}
	next.attributes = usedAttributes(next.attributes, &next)
	return &next, created, nil
}

// position returns the position of the global index with a name, or -1.
func (s *Schema) position(name string) int {
	return slices.IndexFunc(s.Indexes, func(x *Index) bool { return x.Name == name && !x.Local && !x.isDeleting() })
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
	if u.OnDemandThroughput != nil {
		x.onDemand = u.OnDemandThroughput
	}
	if u.WarmThroughput != nil {
		x.warm = u.WarmThroughput
	}
	x.changedAt = done
}

// insertGlobal adds a global index behind the others and before local ones.
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
