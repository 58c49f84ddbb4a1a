// SPDX-License-Identifier: Apache-2.0

package engine

import "slices"

func (in *UpdateTableInput) constraints() error {
	if err := tablePresent(in.TableName); err != nil {
		return err
	}
	var c constraints
	c.describedName("tableName", in.TableName)
	if err := c.err(); err != nil {
		return err
	}
	c.attributeDefinitions(in.AttributeDefinitions)
	c.enum("billingMode", in.BillingMode, billingSet)
	c.throughput("provisionedThroughput", in.ProvisionedThroughput)
	c.stream(in.StreamSpecification)
	c.encryption(in.SSESpecification)
	for i, u := range in.GlobalSecondaryIndexUpdates {
		path := member("globalSecondaryIndexUpdates", i)
		if x := u.Create; x != nil {
			c.index(path+".create", x, 0)
			c.throughput(path+".create.provisionedThroughput", x.ProvisionedThroughput)
		}
		if x := u.Update; x != nil {
			c.presentName(path+".update.indexName", x.IndexName)
			c.throughput(path+".update.provisionedThroughput", x.ProvisionedThroughput)
		}
		if x := u.Delete; x != nil {
			c.presentName(path+".delete.indexName", x.IndexName)
		}
	}
	for i, u := range in.VectorIndexUpdates {
		path := member("vectorIndexUpdates", i)
		if u.Create != nil {
			c.vectorIndex(path+".create", u.Create)
		}
		if u.Delete != nil {
			c.presentName(path+".delete.indexName", u.Delete.IndexName)
		}
	}
	return c.err()
}

// check validates what does not depend on the table.
func (in *UpdateTableInput) check() error {
	if in.empty() {
		return invalid("At least one of ProvisionedThroughput, BillingMode, UpdateStreamEnabled, GlobalSecondaryIndexUpdates, SSESpecification, ReplicaUpdates, MultiAccountReplicaReady, ReplicaTransitRoleArn, MultiRegionConsistency, DeletionProtectionEnabled, OnDemandThroughput, WarmThroughput or TableClass is required")
	}
	if is(in.BillingMode, onDemandMode) && in.ProvisionedThroughput != nil {
		return checkBilling(true, in.ProvisionedThroughput)
	}
	if is(in.BillingMode, "PROVISIONED") && in.ProvisionedThroughput == nil {
		return invalidParameter("ProvisionedThroughput must be specified when BillingMode is PROVISIONED")
	}
	if err := checkBounds(in.ProvisionedThroughput, ""); err != nil {
		return err
	}
	if err := in.checkUpdates(); err != nil {
		return err
	}
	if s := in.StreamSpecification; s != nil {
		if *s.StreamEnabled && s.StreamViewType == nil {
			return invalidParameter("If stream is being enabled then UpdateViewType is required")
		}
		if !*s.StreamEnabled && s.StreamViewType != nil {
			return invalidParameter("If stream is being disabled, then UpdateViewType must not be specified")
		}
	}
	if err := checkTableClass(in.TableClass); err != nil {
		return err
	}
	if err := checkEncryption(in.SSESpecification); err != nil {
		return err
	}
	return in.checkAlone()
}

func (in *UpdateTableInput) empty() bool {
	return in.BillingMode == nil && in.ProvisionedThroughput == nil && in.OnDemandThroughput == nil && in.WarmThroughput == nil &&
		len(in.GlobalSecondaryIndexUpdates) == 0 && in.StreamSpecification == nil && in.SSESpecification == nil &&
		in.TableClass == nil && in.DeletionProtectionEnabled == nil && len(in.VectorIndexUpdates) == 0
}

// checkUpdates validates the updates of indexes without the table.
func (in *UpdateTableInput) checkUpdates() error {
	if in.GlobalSecondaryIndexUpdates != nil && len(in.GlobalSecondaryIndexUpdates) == 0 {
		return invalidParameter("List of GlobalSecondaryIndexUpdates is empty")
	}
	var names []string
	for _, u := range in.GlobalSecondaryIndexUpdates {
		if u.Create == nil && u.Update == nil && u.Delete == nil {
			return invalidParameter("One of GlobalSecondaryIndexUpdate.Update, GlobalSecondaryIndexUpdate.Create, GlobalSecondaryIndexUpdate.Delete must not be null")
		}
		part := u.part()
		if part == nil {
			return invalidParameter("Only one global secondary index action is allowed per GlobalSecondaryIndexUpdate object")
		}
		name := text(part.IndexName)
		if slices.Contains(names, name) {
			return invalidParameter("Only one global secondary index update per index is allowed simultaneously. Index: %s", name)
		}
		names = append(names, name)
		if u.Create != nil {
			if err := in.checkCreate(u.Create); err != nil {
				return err
			}
		}
		if u.Update == nil {
			continue
		}
		if w := u.Update.WarmThroughput; w != nil && w.ReadUnitsPerSecond == nil && w.WriteUnitsPerSecond == nil {
			return invalidParameter("WarmThroughput must have at least one of ReadUnitsPerSecond or WriteUnitsPerSecond specified for index: %s", name)
		}
		if err := checkBounds(u.Update.ProvisionedThroughput, name); err != nil {
			return err
		}
	}
	return nil
}

// checkCreate validates the definition of a new index without the table.
func (in *UpdateTableInput) checkCreate(x *SecondaryIndex) error {
	if in.AttributeDefinitions == nil {
		return invalidParameter("AttributeDefinitions is not specified for index: %s", text(x.IndexName))
	}
	if err := checkGlobalIndex(x); err != nil {
		return err
	}
	return checkBounds(x.ProvisionedThroughput, text(x.IndexName))
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

// checkAlone validates which changes can be combined in one request: hardly any.
func (in *UpdateTableInput) checkAlone() error {
	changes := 0
	for _, set := range []bool{
		in.BillingMode != nil || in.ProvisionedThroughput != nil, in.OnDemandThroughput != nil, in.WarmThroughput != nil,
		len(in.GlobalSecondaryIndexUpdates) > 0, in.StreamSpecification != nil, in.SSESpecification != nil,
		in.TableClass != nil, in.DeletionProtectionEnabled != nil,
	} {
		if set {
			changes++
		}
	}
	if changes > 1 {
		switch {
		case in.SSESpecification != nil:
			return invalidParameter("Server-Side Encryption modification must be the only operation in the request")
		case in.TableClass != nil:
			return invalidParameter("TableClass modification must be the only operation in the request")
		case in.DeletionProtectionEnabled != nil:
			return invalidParameter("DeletionProtection modification must be the only operation in the request")
		case in.WarmThroughput != nil && slices.ContainsFunc(in.GlobalSecondaryIndexUpdates, func(u IndexUpdate) bool { return u.Create != nil }):
			return invalidParameter("Create global secondary index cannot be specified when updating WarmThroughput")
		case in.WarmThroughput != nil:
			return invalidParameter("WarmThroughput must be the only operation in the request")
		case in.OnDemandThroughput != nil && (changes > 2 || in.BillingMode == nil):
			return invalidParameter("OnDemandThroughput can only be combined with BillingMode in an UpdateTable request")
		}
	}
	indexes := slices.ContainsFunc(in.GlobalSecondaryIndexUpdates, func(u IndexUpdate) bool { return u.Update == nil })
	switch {
	case in.StreamSpecification != nil && in.ProvisionedThroughput != nil:
		return invalidParameter("You cannot modify stream status while updating table IOPS")
	case indexes && in.ProvisionedThroughput != nil:
		return invalidParameter("You cannot create or delete index while updating table IOPS")
	case indexes && in.StreamSpecification != nil:
		return invalidParameter("You cannot create or delete index while changing stream status")
	}
	return nil
}
