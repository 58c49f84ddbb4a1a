// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"time"

	"github.com/dynamotable/ddb/ddbtest/internal/storage"
)

// CreateTableInput holds the parameters of CreateTable.
type CreateTableInput struct {
	TableName                 *string
	AttributeDefinitions      []AttributeDefinition
	KeySchema                 []KeySchemaElement
	BillingMode               *string
	ProvisionedThroughput     *ProvisionedThroughput
	OnDemandThroughput        *OnDemandThroughput
	WarmThroughput            *WarmThroughput
	GlobalSecondaryIndexes    []SecondaryIndex // nil if absent
	LocalSecondaryIndexes     []SecondaryIndex // nil if absent
	VectorIndexes             []VectorIndex
	StreamSpecification       *StreamSpecification
	SSESpecification          *SSESpecification
	Tags                      []Tag
	TableClass                *string
	DeletionProtectionEnabled *bool
	ResourcePolicy            *string
}

// CreateTable creates a table.
func (e *Engine) CreateTable(_ context.Context, in *CreateTableInput) (*TableDescription, error) {
	if err := in.valid(); err != nil {
		return nil, err
	}
	t := e.newTable(in)
	if err := e.publish(t); err != nil {
		return nil, err
	}
	return e.describe(t, statusCreating).created(in), nil
}

// valid validates the request by itself.
func (in *CreateTableInput) valid() error {
	if !in.OnDemandThroughput.given() {
		in.OnDemandThroughput = nil
	}
	if !in.WarmThroughput.given() {
		in.WarmThroughput = nil
	}
	if err := in.constraints(); err != nil {
		return err
	}
	return in.check()
}

// publish makes a new table one of the engine's.
func (e *Engine) publish(t *Table) error {
	e.lookup(t.name) // forgets a table whose deletion is complete
	e.mu.Lock()
	existing := e.tables[t.name]
	if existing == nil {
		e.tables[t.name] = t
	}
	e.mu.Unlock()
	if existing != nil {
		return e.alreadyExists(existing)
	}
	e.tableChanged(t, TableCreated)
	return nil
}

// created removes what the reply of CreateTable lacks: the time of the billing mode, and warm throughput unless the
// request has it, which is then being applied.
//
// https://github.com/aws-controllers-k8s/dynamodb-controller/tree/main/docs/api-quirks (table-throughput-billing.md and
// table-indexes.md) has recorded it.
func (d *TableDescription) created(in *CreateTableInput) *TableDescription {
	if d.BillingModeSummary != nil {
		d.BillingModeSummary.LastUpdateToPayPerRequestDateTime = nil
	}
	if in.WarmThroughput != nil {
		d.WarmThroughput.Status = statusUpdating
	} else {
		d.WarmThroughput = nil
	}
	for i := range d.GlobalSecondaryIndexes {
		d.GlobalSecondaryIndexes[i].WarmThroughput = nil
	}
	return d
}

// alreadyExists is the answer to a request for a second table with the name of
// an existing one.
func (e *Engine) alreadyExists(t *Table) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	status := t.status(e.clock.Now())
	if status == statusCreating || status == statusDeleting {
		return t.changeable(status)
	}
	return &Error{Type: ResourceInUseException, Message: "Table already exists: " + t.name}
}

// constraints checks the parameters one by one: the name of the table alone, then the others together.
//
// dynoxide has the order from the service (https://github.com/nubo-db/dynoxide/blob/main/src/actions/create_table.rs).
func (in *CreateTableInput) constraints() error {
	if err := tablePresent(in.TableName); err != nil {
		return err
	}
	var c constraints
	c.newName("tableName", in.TableName)
	if err := c.err(); err != nil {
		return err
	}
	if c.required("attributeDefinitions", in.AttributeDefinitions != nil) {
		c.attributeDefinitions(in.AttributeDefinitions)
	}
	c.enum("billingMode", in.BillingMode, billingSet)
	c.throughput("provisionedThroughput", in.ProvisionedThroughput)
	c.stream(in.StreamSpecification)
	c.encryption(in.SSESpecification)
	if c.required("keySchema", in.KeySchema != nil) {
		c.keySchema("keySchema", in.KeySchema, 2)
	}
	for i := range in.GlobalSecondaryIndexes {
		path := member("globalSecondaryIndexes", i)
		c.index(path, &in.GlobalSecondaryIndexes[i], 0)
		c.throughput(path+".provisionedThroughput", in.GlobalSecondaryIndexes[i].ProvisionedThroughput)
	}
	for i := range in.LocalSecondaryIndexes {
		c.index(member("localSecondaryIndexes", i), &in.LocalSecondaryIndexes[i], 2)
	}
	for i := range in.VectorIndexes {
		c.vectorIndex(member("vectorIndexes", i), &in.VectorIndexes[i])
	}
	return c.err()
}

// check validates what the constraints of single parameters do not cover: global indexes before local ones and, as the last check
// of keys, whether there are unused definitions.
func (in *CreateTableInput) check() error {
	onDemand := is(in.BillingMode, onDemandMode)
	if err := checkBilling(onDemand, in.ProvisionedThroughput); err != nil {
		return err
	}
	if err := checkBounds(in.ProvisionedThroughput, ""); err != nil {
		return err
	}
	if err := checkTableKey(in.KeySchema, in.AttributeDefinitions); err != nil {
		return err
	}
	if err := in.checkLists(); err != nil {
		return err
	}
	names := make(map[string]bool)
	if err := in.checkGlobal(names, onDemand); err != nil {
		return err
	}
	if err := in.checkLocal(names); err != nil {
		return err
	}
	if err := checkVectorIndexes(in.VectorIndexes, names, nil, in.AttributeDefinitions, onDemand); err != nil {
		return err
	}
	if err := in.checkUnused(); err != nil {
		return err
	}
	return in.checkSettings(onDemand)
}

// checkLists validates that lists of indexes are not empty, and that no attribute is defined twice.
func (in *CreateTableInput) checkLists() error {
	if in.GlobalSecondaryIndexes != nil && len(in.GlobalSecondaryIndexes) == 0 {
		return invalidParameter("List of GlobalSecondaryIndexes is empty")
	}
	if in.LocalSecondaryIndexes != nil && len(in.LocalSecondaryIndexes) == 0 {
		return invalidParameter("List of LocalSecondaryIndexes is empty")
	}
	if in.VectorIndexes != nil && len(in.VectorIndexes) == 0 {
		return invalidParameter("List of VectorIndexes is empty")
	}
	for i, d := range in.AttributeDefinitions {
		if defined(text(d.AttributeName), in.AttributeDefinitions[:i]) {
			return invalid("Attribute Name is duplicated: %s", text(d.AttributeName))
		}
	}
	return nil
}

// checkUnused validates that only the attributes of keys and search schemas are defined.
func (in *CreateTableInput) checkUnused() error {
	keys := keyNames(nil, in.KeySchema)
	for _, indexes := range [][]SecondaryIndex{in.LocalSecondaryIndexes, in.GlobalSecondaryIndexes} {
		for i := range indexes {
			keys = keyNames(keys, indexes[i].KeySchema)
		}
	}
	for _, x := range in.VectorIndexes {
		for _, e := range x.SearchSchema { // may be defined as well
			if name := text(e.AttributeName); defined(name, in.AttributeDefinitions) && !slices.Contains(keys, name) {
				keys = append(keys, name)
			}
		}
	}
	if len(keys) == len(in.AttributeDefinitions) {
		return nil
	}
	if in.LocalSecondaryIndexes == nil && in.GlobalSecondaryIndexes == nil {
		return invalidParameter("Number of attributes in KeySchema does not exactly match number of attributes defined in AttributeDefinitions")
	}
	return invalidParameter("Some AttributeDefinitions are not used. AttributeDefinitions: %s, keys used: %s",
		definedNames(in.AttributeDefinitions), list(keys))
}

func (in *CreateTableInput) checkLocal(names map[string]bool) error {
	if in.LocalSecondaryIndexes == nil {
		return nil
	}
	if len(in.KeySchema) < 2 {
		return invalidParameter("Table KeySchema does not have a range key, which is required when specifying a LocalSecondaryIndex")
	}
	for i := range in.LocalSecondaryIndexes {
		x := &in.LocalSecondaryIndexes[i]
		if err := checkDefined(x.KeySchema, in.AttributeDefinitions); err != nil {
			return err
		}
		if err := checkPairKey(x.KeySchema); err != nil {
			return err
		}
		name := text(x.IndexName)
		if len(x.KeySchema) < 2 {
			return invalidParameter("Index KeySchema does not have a range key for index: %s", name)
		}
		if hash, table := text(x.KeySchema[0].AttributeName), text(in.KeySchema[0].AttributeName); hash != table {
			return invalidParameter("Index KeySchema does not have the same leading hash key as table KeySchema for index: %s. index hash key: %s, table hash key: %s", name, hash, table)
		}
		if err := checkProjection(x.Projection); err != nil {
			return err
		}
		if names[name] {
			return invalidParameter("Duplicate index name: %s", name)
		}
		names[name] = true
	}
	if len(in.LocalSecondaryIndexes) > maxLocalIndexes {
		return invalidParameter("Number of LocalSecondaryIndexes exceeds per-table limit of %d", maxLocalIndexes)
	}
	return nil
}

func (in *CreateTableInput) checkGlobal(names map[string]bool, onDemand bool) error {
	for i := range in.GlobalSecondaryIndexes {
		x := &in.GlobalSecondaryIndexes[i]
		if err := checkDefined(x.KeySchema, in.AttributeDefinitions); err != nil {
			return err
		}
		if err := checkGlobalIndex(x); err != nil {
			return err
		}
		name := text(x.IndexName)
		if onDemand && x.ProvisionedThroughput != nil {
			return invalidParameter("ProvisionedThroughput should not be specified for index: %s when BillingMode is PAY_PER_REQUEST", name)
		}
		if !onDemand && x.ProvisionedThroughput == nil {
			return invalidParameter("ProvisionedThroughput is not specified for index: %s", name)
		}
		if err := checkBounds(x.ProvisionedThroughput, name); err != nil {
			return err
		}
		if err := checkCeiling(x.OnDemandThroughput, onDemand, name); err != nil {
			return err
		}
		if err := checkNewWarmth(x.WarmThroughput, x.ProvisionedThroughput, name); err != nil {
			return err
		}
		if names[name] {
			return invalidParameter("Duplicate index name: %s", name)
		}
		names[name] = true
	}
	if len(in.GlobalSecondaryIndexes) > maxGlobalIndexes {
		return invalidParameter("GlobalSecondaryIndex count exceeds the per-table limit of %d", maxGlobalIndexes)
	}
	return nil
}

func (in *CreateTableInput) checkSettings(onDemand bool) error {
	if s := in.StreamSpecification; s != nil {
		if *s.StreamEnabled && s.StreamViewType == nil {
			return invalidParameter("Table is being created with a stream enabled, UpdateViewType is required")
		}
		if !*s.StreamEnabled && s.StreamViewType != nil {
			return invalidParameter("Table is being created with a stream disabled, UpdateViewType should not be specified")
		}
	}
	if err := checkNewCeiling(in.OnDemandThroughput, onDemand); err != nil {
		return err
	}
	if err := checkNewWarmth(in.WarmThroughput, in.ProvisionedThroughput, ""); err != nil {
		return err
	}
	if err := checkTableClass(in.TableClass); err != nil {
		return err
	}
	if err := checkEncryption(in.SSESpecification); err != nil {
		return err
	}
	return checkTags(in.Tags)
}

// newTable makes the table of a valid request.
func (e *Engine) newTable(in *CreateTableInput) *Table {
	now := e.clock.Now()
	name := *in.TableName
	schema := &Schema{Key: newKeySchema(in.KeySchema, in.AttributeDefinitions), attributes: in.AttributeDefinitions}
	schema.Key.seed = e.order.seed
	t := &Table{
		number:  e.lastTable.Add(1),
		name:    name,
		arn:     e.arn("table/" + name),
		id:      e.tableID(name, now),
		created: now,
		policy:  compacted(in.ResourcePolicy),
		readyAt: now.Add(e.stateDelay),
		items:   storage.NewSet(),
	}
	if e.throughput != nil {
		t.limits = &limits{buckets: make(map[bucketID]*bucket)}
	}
	s := &t.settings
	s.billing = billing{onDemand: is(in.BillingMode, onDemandMode), named: is(in.BillingMode, onDemandMode)}
	if s.billing.onDemand {
		s.billing.switched = now
	}
	s.throughput = newThroughput(in.ProvisionedThroughput)
	s.onDemand, s.warm = in.OnDemandThroughput, in.WarmThroughput
	s.sse, s.tableClass = in.SSESpecification, text(in.TableClass)
	s.protected = in.DeletionProtectionEnabled != nil && *in.DeletionProtectionEnabled
	s.tags = make(map[string]string, len(in.Tags))
	for _, tag := range in.Tags {
		s.tags[text(tag.Key)] = text(tag.Value)
	}
	for i := range in.GlobalSecondaryIndexes {
		def := &in.GlobalSecondaryIndexes[i]
		x := newIndex(def, false, schema.Key, in.AttributeDefinitions)
		x.throughput = newThroughput(def.ProvisionedThroughput)
		x.readyAt = t.readyAt
		schema.Indexes = append(schema.Indexes, x)
	}
	for i := range in.LocalSecondaryIndexes {
		schema.Indexes = append(schema.Indexes, newIndex(&in.LocalSecondaryIndexes[i], true, schema.Key, in.AttributeDefinitions))
		t.collections = &collections{bytes: make(map[string]int64)}
	}
	schema.vectors = newVectorIndexes(in.VectorIndexes, in.AttributeDefinitions, time.Time{}, t.readyAt)
	t.schema.Store(schema)
	if in.StreamSpecification != nil && *in.StreamSpecification.StreamEnabled {
		t.startStream(in.StreamSpecification, e.nextLabel(now))
	}
	return t
}

// startStream enables the stream; every start makes a new one.
func (t *Table) startStream(spec *StreamSpecification, label string) {
	t.settings.stream = spec
	t.settings.streamLabel = label
}

// nextLabel returns the label of a new stream: its time, or a later one if another stream has that label.
func (e *Engine) nextLabel(now time.Time) string {
	for {
		last := e.lastLabel.Load()
		next := max(now.UnixMilli(), last+1)
		if e.lastLabel.CompareAndSwap(last, next) {
			return time.UnixMilli(next).UTC().Format("2006-01-02T15:04:05.000")
		}
	}
}

// tableID makes an identifier in the form of a UUID of version 4. It is derived from the name, the time, and the number of earlier
// tables with the same name and time, so that a table that is read back from a folder keeps its identifier.
//
// https://www.rfc-editor.org/rfc/rfc9562#name-uuid-version-4
func (e *Engine) tableID(name string, now time.Time) string {
	for n := 0; ; n++ {
		sum := sha256.Sum256(fmt.Appendf(nil, "%s %d %d", name, now.UnixNano(), n))
		sum[6] = sum[6]&0x0f | 0x40
		sum[8] = sum[8]&0x3f | 0x80
		s := hex.EncodeToString(sum[:16])
		id := s[:8] + "-" + s[8:12] + "-" + s[12:16] + "-" + s[16:20] + "-" + s[20:]
		if _, used := e.tableIDs.LoadOrStore(id, nil); !used {
			return id
		}
	}
}
