package engine

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
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
	StreamSpecification       *StreamSpecification
	SSESpecification          *SSESpecification
	Tags                      []Tag
	TableClass                *string
	DeletionProtectionEnabled *bool
	ResourcePolicy            *string
}

// CreateTable makes a table.
func (e *Engine) CreateTable(_ context.Context, in *CreateTableInput) (*TableDescription, error) {
	if err := in.constraints(); err != nil {
		return nil, err
	}
	if err := in.check(); err != nil {
		return nil, err
	}
	name := *in.TableName
	e.lookup(name) // forgets a table whose deletion is complete
	t := e.newTable(in)
	e.mu.Lock()
	_, exists := e.tables[name]
	if !exists {
		e.tables[name] = t
	}
	e.mu.Unlock()
	if exists {
		return nil, &Error{Type: ResourceInUseException, Message: "Table already exists: " + name}
	}
	e.tableChanged(t, TableCreated)
	return e.describe(t, statusCreating), nil
}

func (in *CreateTableInput) constraints() error {
	var c constraints
	if c.required("attributeDefinitions", in.AttributeDefinitions != nil) {
		c.attributeDefinitions(in.AttributeDefinitions)
	}
	c.newName("tableName", in.TableName)
	c.enum("billingMode", in.BillingMode, billingSet)
	c.enum("tableClass", in.TableClass, tableClassSet)
	c.throughput("provisionedThroughput", in.ProvisionedThroughput)
	c.stream(in.StreamSpecification)
	if c.required("keySchema", in.KeySchema != nil) {
		c.keySchema("keySchema", in.KeySchema, 2)
	}
	for i := range in.LocalSecondaryIndexes {
		c.index(member("localSecondaryIndexes", i), &in.LocalSecondaryIndexes[i], 2)
	}
	for i := range in.GlobalSecondaryIndexes {
		path := member("globalSecondaryIndexes", i)
		c.index(path, &in.GlobalSecondaryIndexes[i], 2*maxKeyAttributes)
		c.throughput(path+".provisionedThroughput", in.GlobalSecondaryIndexes[i].ProvisionedThroughput)
	}
	c.tags("tags", in.Tags)
	return c.err()
}

// check validates what the constraints of single parameters leave over.
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
	names := make(map[string]bool)
	if err := in.checkLocal(names); err != nil {
		return err
	}
	if err := in.checkGlobal(names, onDemand); err != nil {
		return err
	}
	if err := in.checkDefinitionsUsed(); err != nil {
		return err
	}
	if err := checkStream(in.StreamSpecification); err != nil {
		return err
	}
	return checkTags(in.Tags)
}

func (in *CreateTableInput) checkLocal(names map[string]bool) error {
	if in.LocalSecondaryIndexes == nil {
		return nil
	}
	if len(in.LocalSecondaryIndexes) == 0 {
		return invalidParameter("List of LocalSecondaryIndexes is empty")
	}
	if len(in.KeySchema) < 2 {
		return invalidParameter("Table KeySchema does not have a range key, which is required when specifying a LocalSecondaryIndex")
	}
	for i := range in.LocalSecondaryIndexes {
		x := &in.LocalSecondaryIndexes[i]
		if err := checkIndexKey(x.KeySchema, in.AttributeDefinitions, 1); err != nil {
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
	if in.GlobalSecondaryIndexes == nil {
		return nil
	}
	if len(in.GlobalSecondaryIndexes) == 0 {
		return invalidParameter("List of GlobalSecondaryIndexes is empty")
	}
	for i := range in.GlobalSecondaryIndexes {
		x := &in.GlobalSecondaryIndexes[i]
		if err := checkGlobalIndex(x, in.AttributeDefinitions, onDemand); err != nil {
			return err
		}
		name := text(x.IndexName)
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

func (in *CreateTableInput) checkDefinitionsUsed() error {
	used := make(map[string]bool)
	var keys []string
	note := func(elements []KeySchemaElement) {
		for _, k := range elements {
			if name := text(k.AttributeName); !used[name] {
				used[name] = true
				keys = append(keys, name)
			}
		}
	}
	note(in.KeySchema)
	for i := range in.LocalSecondaryIndexes {
		note(in.LocalSecondaryIndexes[i].KeySchema)
	}
	for i := range in.GlobalSecondaryIndexes {
		note(in.GlobalSecondaryIndexes[i].KeySchema)
	}
	if len(used) == len(in.AttributeDefinitions) {
		return nil
	}
	if in.LocalSecondaryIndexes == nil && in.GlobalSecondaryIndexes == nil {
		return invalidParameter("Number of attributes in KeySchema does not exactly match number of attributes defined in AttributeDefinitions")
	}
	return invalidParameter("Some AttributeDefinitions are not used. AttributeDefinitions: %s, keys used: %s",
		definedNames(in.AttributeDefinitions), list(keys))
}

// newTable makes the table that a valid request describes.
func (e *Engine) newTable(in *CreateTableInput) *Table {
	now := e.clock.Now()
	name := *in.TableName
	schema := &Schema{Key: newKeySchema(in.KeySchema, in.AttributeDefinitions), attributes: in.AttributeDefinitions}
	t := &Table{
		number:  e.lastTable.Add(1),
		name:    name,
		arn:     e.arn("table/" + name),
		id:      tableID(name, now),
		created: now,
		readyAt: now.Add(e.stateDelay),
		items:   storage.NewSet(),
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
	t.schema.Store(schema)
	if in.StreamSpecification != nil && *in.StreamSpecification.StreamEnabled {
		t.startStream(in.StreamSpecification, now)
	}
	return t
}

// startStream switches the stream on; every start makes a new one.
func (t *Table) startStream(spec *StreamSpecification, now time.Time) {
	t.settings.stream = spec
	t.settings.streamLabel = now.UTC().Format("2006-01-02T15:04:05.000")
}

// tableID derives an identifier in the form of a UUID.
func tableID(name string, now time.Time) string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%s %d", name, now.UnixNano()))
	s := hex.EncodeToString(sum[:16])
	return s[:8] + "-" + s[8:12] + "-" + s[12:16] + "-" + s[16:20] + "-" + s[20:]
}
