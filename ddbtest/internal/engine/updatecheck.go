package engine

import (
	"fmt"
	"time"
)

// Limits of the decreases of throughput in one day.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/ServiceQuotas.html
const (
	freeDecreases = 4
	decreasePause = time.Hour
)

func (in *UpdateTableInput) constraints() error {
	var c constraints
	c.attributeDefinitions(in.AttributeDefinitions)
	c.tableName("tableName", in.TableName)
	c.enum("billingMode", in.BillingMode, billingSet)
	c.enum("tableClass", in.TableClass, tableClassSet)
	c.throughput("provisionedThroughput", in.ProvisionedThroughput)
	c.stream(in.StreamSpecification)
	for i, u := range in.GlobalSecondaryIndexUpdates {
		path := member("globalSecondaryIndexUpdates", i)
		if x := u.Create; x != nil {
			c.index(path+".create", x, 2*maxKeyAttributes)
			c.throughput(path+".create.provisionedThroughput", x.ProvisionedThroughput)
		}
		if x := u.Update; x != nil {
			c.newName(path+".update.indexName", x.IndexName)
			c.throughput(path+".update.provisionedThroughput", x.ProvisionedThroughput)
		}
		if x := u.Delete; x != nil {
			c.newName(path+".delete.indexName", x.IndexName)
		}
	}
	return c.err()
}

// check validates what needs no table.
func (in *UpdateTableInput) check() error {
	if in.BillingMode == nil && in.ProvisionedThroughput == nil && in.OnDemandThroughput == nil && in.WarmThroughput == nil &&
		len(in.GlobalSecondaryIndexUpdates) == 0 && in.StreamSpecification == nil && in.SSESpecification == nil &&
		in.TableClass == nil && in.DeletionProtectionEnabled == nil {
		return invalid("At least one of ProvisionedThroughput, BillingMode, UpdateStreamEnabled, GlobalSecondaryIndexUpdates or SSESpecification or ReplicaUpdates is required")
	}
	if is(in.BillingMode, onDemandMode) && in.ProvisionedThroughput != nil {
		return checkBilling(true, in.ProvisionedThroughput)
	}
	if err := checkBounds(in.ProvisionedThroughput, ""); err != nil {
		return err
	}
	if err := checkWarm(in.WarmThroughput, ""); err != nil {
		return err
	}
	if err := checkStream(in.StreamSpecification); err != nil {
		return err
	}
	names, changes := make(map[string]bool), 0
	for _, u := range in.GlobalSecondaryIndexUpdates {
		if err := u.check(); err != nil {
			return err
		}
		name := text(u.part().IndexName)
		if names[name] {
			return invalidParameter("Only one global secondary index update per index is allowed simultaneously. Index: %s", name)
		}
		names[name] = true
		if u.Create != nil || u.Delete != nil {
			changes++
		}
	}
	if changes > 1 {
		return &Error{
			Type:    LimitExceededException,
			Message: "Subscriber limit exceeded: Only 1 online index can be created or deleted simultaneously per table",
		}
	}
	return nil
}

// part returns the only field that is set, or nil.
func (u *IndexUpdate) part() *SecondaryIndex {
	var part *SecondaryIndex
	for _, p := range []*SecondaryIndex{u.Create, u.Update, u.Delete} {
		if p != nil && part != nil {
			return nil
		}
		if p != nil {
			part = p
		}
	}
	return part
}

func (u *IndexUpdate) check() error {
	if u.part() == nil {
		return invalidParameter("One of GlobalSecondaryIndexUpdate's Create, Update or Delete must be specified")
	}
	if u.Update == nil {
		return nil
	}
	name := text(u.Update.IndexName)
	if u.Update.ProvisionedThroughput == nil && u.Update.OnDemandThroughput == nil && u.Update.WarmThroughput == nil {
		return invalidParameter("ProvisionedThroughput is not specified for index: %s", name)
	}
	if err := checkWarm(u.Update.WarmThroughput, name); err != nil {
		return err
	}
	return checkBounds(u.Update.ProvisionedThroughput, name)
}

func checkWarm(w *WarmThroughput, index string) error {
	if w == nil || w.ReadUnitsPerSecond != nil || w.WriteUnitsPerSecond != nil {
		return nil
	}
	suffix := ""
	if index != "" {
		suffix = " for index: " + index
	}
	return invalidParameter("WarmThroughput must have at least one of ReadUnitsPerSecond or WriteUnitsPerSecond specified%s", suffix)
}

// checkThroughput validates changes of throughput. The caller holds the lock
// of the settings.
func (in *UpdateTableInput) checkThroughput(t *Table, onDemand bool, now time.Time) error {
	s := &t.settings
	if p := in.ProvisionedThroughput; p != nil {
		if onDemand {
			return checkBilling(true, p)
		}
		if !s.billing.onDemand {
			if err := checkChange(s.throughput, p, now, "table", ""); err != nil {
				return err
			}
		}
	} else if !onDemand && s.billing.onDemand {
		return checkBilling(false, nil)
	}
	for _, u := range in.GlobalSecondaryIndexUpdates {
		if u.Update == nil || u.Update.ProvisionedThroughput == nil {
			continue
		}
		name := text(u.Update.IndexName)
		if onDemand {
			return invalidParameter("ProvisionedThroughput should not be specified for index: %s when BillingMode is PAY_PER_REQUEST", name)
		}
		x := t.Schema().Index(name)
		if x == nil || s.billing.onDemand {
			continue
		}
		if err := checkChange(x.throughput, u.Update.ProvisionedThroughput, now, "index", " "+name); err != nil {
			return err
		}
	}
	return nil
}

// checkChange validates a change of throughput: it must be one, and decreases
// are limited.
func checkChange(old throughput, p *ProvisionedThroughput, now time.Time, noun, name string) error {
	read, write := *p.ReadCapacityUnits, *p.WriteCapacityUnits
	if read == old.read && write == old.write {
		return invalid("The provisioned throughput for the %s%s will not change. The requested value equals the current value. "+
			"Current ReadCapacityUnits provisioned for the %s: %d. Requested ReadCapacityUnits: %d. "+
			"Current WriteCapacityUnits provisioned for the %s: %d. Requested WriteCapacityUnits: %d. "+
			"Refer to the Amazon DynamoDB Developer Guide for current limits and how to request higher limits.",
			noun, name, noun, old.read, read, noun, old.write, write)
	}
	decrease := read < old.read || write < old.write
	if decrease && old.decreasesDay == day(now) && old.decreasesToday >= freeDecreases && now.Sub(old.decreased) < decreasePause {
		return &Error{
			Type: LimitExceededException,
			Message: fmt.Sprintf("Subscriber limit exceeded: Provisioned throughput decreases are limited within a given UTC day. "+
				"After the first %d decreases, each subsequent decrease in the same UTC day can be performed at most once every %d seconds. "+
				"Number of decreases today: %d. Last decrease at %s. Next decrease can be made at %s",
				freeDecreases, int(decreasePause.Seconds()), old.decreasesToday,
				old.decreased.UTC().Format(time.RFC1123), old.decreased.Add(decreasePause).UTC().Format(time.RFC1123)),
		}
	}
	return nil
}

// checkStreamChange validates a switch of the stream. The caller holds the
// lock of the settings.
func (in *UpdateTableInput) checkStreamChange(t *Table) error {
	s := in.StreamSpecification
	if s == nil {
		return nil
	}
	if *s.StreamEnabled && t.settings.stream != nil {
		return invalid("Table already has an enabled stream: TableName: %s", t.name)
	}
	if !*s.StreamEnabled && t.settings.stream == nil {
		return invalid("Table has no stream to disable: TableName: %s", t.name)
	}
	return nil
}

// checkNewIndex validates an index that UpdateTable is to create.
func checkNewIndex(s *Schema, x *SecondaryIndex, defs []AttributeDefinition, onDemand bool) error {
	if err := checkGlobalIndex(x, defs, onDemand); err != nil {
		return err
	}
	if s.Index(text(x.IndexName)) != nil {
		return invalid("Attempting to create an index which already exists")
	}
	global := 0
	for _, o := range s.Indexes {
		if !o.Local {
			global++
		}
		if !o.deletedAt.IsZero() {
			return &Error{
				Type:    LimitExceededException,
				Message: "Subscriber limit exceeded: Only 1 online index can be created or deleted simultaneously per table",
			}
		}
	}
	if global >= maxGlobalIndexes {
		return &Error{
			Type:    LimitExceededException,
			Message: fmt.Sprintf("GlobalSecondaryIndex count exceeds the per-table limit of %d", maxGlobalIndexes),
		}
	}
	return nil
}
