package ddb

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// ErrTableExists means that CreateTable found a table of the name.
var ErrTableExists = errors.New("table exists")

// SchemaOption says what the definition in Go does not: billing, streams, tags
// and the like, for [Table.CreateTable], [Table.EnsureTable] and [Table.VerifyTable].
type SchemaOption interface{ applySchema(*tableSpec) }

type schemaOption func(*tableSpec)

func (o schemaOption) applySchema(s *tableSpec) { o(s) }

// tableSpec is what a table should be.
type tableSpec struct {
	core        *core
	indexes     []*indexInfo
	billing     types.BillingMode
	throughput  *types.ProvisionedThroughput
	perIndex    map[string]types.ProvisionedThroughput
	maxOnDemand *types.OnDemandThroughput
	stream      types.StreamViewType
	tags        map[string]string
	protect     *bool
	class       types.TableClass
	sse         *types.SSESpecification
	errs        []error
}

// OnDemand bills each request by itself; it is the default.
func OnDemand() SchemaOption {
	return schemaOption(func(s *tableSpec) { s.billing, s.throughput = types.BillingModePayPerRequest, nil })
}

// MaxOnDemand caps an on-demand table at so many read and write units a second;
// zero leaves that side without a cap.
func MaxOnDemand(read, write int64) SchemaOption {
	return schemaOption(func(s *tableSpec) {
		s.maxOnDemand = &types.OnDemandThroughput{}
		if read > 0 {
			s.maxOnDemand.MaxReadRequestUnits = &read
		}
		if write > 0 {
			s.maxOnDemand.MaxWriteRequestUnits = &write
		}
	})
}

// Provisioned reserves so many read and write units a second for the table, and
// as many for each global index that [IndexProvisioned] does not name.
func Provisioned(read, write int64) SchemaOption {
	return schemaOption(func(s *tableSpec) {
		s.billing, s.throughput = types.BillingModeProvisioned, s.units("Provisioned", read, write)
	})
}

// IndexProvisioned reserves units for one global index of a provisioned table.
func IndexProvisioned(index string, read, write int64) SchemaOption {
	return schemaOption(func(s *tableSpec) {
		if u := s.units("IndexProvisioned", read, write); u != nil {
			s.perIndex[index] = *u
		}
	})
}

// Stream switches DynamoDB Streams on, with the given images in its records.
func Stream(view types.StreamViewType) SchemaOption {
	return schemaOption(func(s *tableSpec) { s.stream = view })
}

// Tags are the tags a new table gets. They are not checked or changed later.
func Tags(tags map[string]string) SchemaOption {
	return schemaOption(func(s *tableSpec) { s.tags = tags })
}

// DeletionProtection guards the table against DeleteTable.
func DeletionProtection(on bool) SchemaOption {
	return schemaOption(func(s *tableSpec) { s.protect = &on })
}

// InfrequentAccess stores the table in the Standard-IA class: cheaper storage, more expensive requests.
func InfrequentAccess() SchemaOption {
	return schemaOption(func(s *tableSpec) { s.class = types.TableClassStandardInfrequentAccess })
}

// EncryptWithKMS encrypts with a key of the account: the given key, or the AWS
// managed key for an empty id. Without it DynamoDB uses a key that it owns.
func EncryptWithKMS(keyID string) SchemaOption {
	return schemaOption(func(s *tableSpec) {
		s.sse = &types.SSESpecification{Enabled: aws.Bool(true), SSEType: types.SSETypeKms}
		if keyID != "" {
			s.sse.KMSMasterKeyId = &keyID
		}
	})
}

func (s *tableSpec) units(option string, read, write int64) *types.ProvisionedThroughput {
	if read < 1 || write < 1 {
		s.errs = append(s.errs, fmt.Errorf("option %s: read and write units must be at least 1", option))
		return nil
	}
	return &types.ProvisionedThroughput{ReadCapacityUnits: &read, WriteCapacityUnits: &write}
}

// spec gathers definition and options for an operation, naming every mistake.
func (c *core) spec(ctx context.Context, op string, opts []SchemaOption) (*tableSpec, SchemaClient, error) {
	if err := c.usable(); err != nil {
		return nil, nil, err
	}
	s := &tableSpec{core: c, billing: types.BillingModePayPerRequest, perIndex: map[string]types.ProvisionedThroughput{}}
	s.errs = append(s.errs, s.gatherIndexes())
	slices.SortFunc(s.indexes, func(a, b *indexInfo) int { return cmp.Compare(a.name, b.name) })
	for _, o := range opts {
		if o == nil {
			s.errs = append(s.errs, errors.New("an option is nil"))
			continue
		}
		o.applySchema(s)
	}
	if s.billing == types.BillingModePayPerRequest && len(s.perIndex) > 0 {
		s.errs = append(s.errs, errors.New("option IndexProvisioned on an on-demand table; add Provisioned"))
	}
	if s.billing == types.BillingModeProvisioned && s.maxOnDemand != nil {
		s.errs = append(s.errs, errors.New("option MaxOnDemand on a provisioned table"))
	}
	for name := range s.perIndex {
		if !slices.ContainsFunc(s.indexes, func(i *indexInfo) bool { return i.name == name && i.global }) {
			s.errs = append(s.errs, fmt.Errorf("option IndexProvisioned: the table has no global index %s", name))
		}
	}
	client, err := c.schemaClient()
	if err := invalid(append(s.errs, err)...); err != nil {
		return s, client, err
	}
	return s, client, c.admitSchema(ctx, op)
}

func (c *core) schemaClient() (SchemaClient, error) {
	if err := c.usable(); err != nil {
		return nil, err
	}
	client, ok := c.client.(SchemaClient)
	if !ok {
		return nil, fmt.Errorf("the client (%T) lacks the table methods of ddb.SchemaClient", c.client)
	}
	return client, nil
}

// CreateTable creates the table with all indexes that were made for it so far
// ([NewIndex], [NewSimpleIndex], [NewLocalIndex]), switches TTL on where the
// option [TTL] names an attribute, and waits until all is active. It returns
// [ErrTableExists] when there is a table of the name.
//
// The wait ends with the context, or after 10 minutes.
func (t *Table[T, PK, SK]) CreateTable(ctx context.Context, opts ...SchemaOption) error {
	return t.tableCore(nil).createTable(ctx, opts)
}

// CreateTable creates the table with all of its indexes; see [Table.CreateTable].
func (t *SimpleTable[T, PK]) CreateTable(ctx context.Context, opts ...SchemaOption) error {
	return t.tableCore(nil).createTable(ctx, opts)
}

func (c *core) createTable(ctx context.Context, opts []SchemaOption) error {
	s, client, err := c.spec(ctx, "CreateTable", opts)
	if err == nil {
		err = c.create(ctx, client, s)
	}
	return opError("CreateTable", c.label(), "", err)
}

func (c *core) create(ctx context.Context, client SchemaClient, s *tableSpec) error {
	_, err := client.CreateTable(ctx, s.createInput())
	if _, ok := errors.AsType[*types.ResourceInUseException](err); ok {
		return fmt.Errorf("%w: %w", ErrTableExists, err)
	}
	if err != nil {
		return err
	}
	if _, err := c.waitActive(ctx, client); err != nil {
		return err
	}
	return c.enableTTL(ctx, client)
}

// WaitTable waits until the table and all of its indexes are active. The wait
// ends with the context, or after 10 minutes.
func (t *Table[T, PK, SK]) WaitTable(ctx context.Context) error {
	return t.tableCore(nil).waitTable(ctx)
}

// WaitTable waits until the table and all of its indexes are active; see [Table.WaitTable].
func (t *SimpleTable[T, PK]) WaitTable(ctx context.Context) error {
	return t.tableCore(nil).waitTable(ctx)
}

func (c *core) waitTable(ctx context.Context) error {
	client, err := c.schemaClient()
	if err == nil {
		err = c.admitSchema(ctx, "DescribeTable")
	}
	if err == nil {
		_, err = c.waitActive(ctx, client)
	}
	return opError("DescribeTable", c.label(), "", err)
}

// AllowDelete is the permission that [Table.DeleteTable] needs: the table's full
// name, so that no table is dropped by a call with the wrong handle.
func AllowDelete(table string) DeletePermission { return DeletePermission{table} }

// DeletePermission names the table that may be deleted; see [AllowDelete].
type DeletePermission struct{ table string }

// DeleteTable drops the table with all its items and waits until it is gone. A
// table that does not exist is no error. It is refused unless the permission
// names this table.
func (t *Table[T, PK, SK]) DeleteTable(ctx context.Context, allow DeletePermission) error {
	return t.tableCore(nil).deleteTable(ctx, allow)
}

// DeleteTable drops the table with all its items; see [Table.DeleteTable].
func (t *SimpleTable[T, PK]) DeleteTable(ctx context.Context, allow DeletePermission) error {
	return t.tableCore(nil).deleteTable(ctx, allow)
}

func (c *core) deleteTable(ctx context.Context, allow DeletePermission) error {
	client, err := c.schemaClient()
	if allow.table != c.label() {
		err = errors.Join(err, fmt.Errorf("the permission names table %q, not this one; nothing was deleted", allow.table))
	}
	if err := invalid(err); err != nil {
		return opError("DeleteTable", c.label(), "", err)
	}
	if err := c.admitSchema(ctx, "DeleteTable"); err != nil {
		return opError("DeleteTable", c.name, "", err)
	}
	_, err = client.DeleteTable(ctx, &dynamodb.DeleteTableInput{TableName: &c.name})
	var missing *types.ResourceNotFoundException
	if errors.As(err, &missing) {
		return nil
	}
	if err == nil {
		err = poll(ctx, func() (bool, error) {
			_, err := client.DescribeTable(ctx, &dynamodb.DescribeTableInput{TableName: &c.name})
			if errors.As(err, &missing) {
				return true, nil
			}
			return false, err
		})
	}
	return opError("DeleteTable", c.label(), "", err)
}

func (c *core) waitActive(ctx context.Context, client SchemaClient) (*types.TableDescription, error) {
	return c.waitFor(ctx, client, isActive)
}

// waitFor waits until the table is as ready says. When it is not in time the error tells what it was.
func (c *core) waitFor(ctx context.Context, client SchemaClient, ready func(*types.TableDescription) bool) (*types.TableDescription, error) {
	var table *types.TableDescription
	err := poll(ctx, func() (bool, error) {
		now, err := c.describe(ctx, client)
		if err != nil {
			return false, err
		}
		table = now
		return ready(now), nil
	})
	if err != nil && table != nil {
		err = fmt.Errorf("%w; %s. What was begun goes on: wait with WaitTable, or call again", err, stateText(table))
	}
	return table, err
}

// stateText names the state of the table and of each index that is not active.
func stateText(t *types.TableDescription) string {
	var text strings.Builder
	text.WriteString("the table is " + string(t.TableStatus))
	for _, g := range t.GlobalSecondaryIndexes {
		if g.IndexStatus == types.IndexStatusActive {
			continue
		}
		fmt.Fprintf(&text, ", index %s is %s", deref(g.IndexName), g.IndexStatus)
		if deref(g.Backfilling) {
			text.WriteString(" and filled from the items of the table")
		}
	}
	return text.String()
}

func (c *core) describe(ctx context.Context, client SchemaClient) (*types.TableDescription, error) {
	out, err := client.DescribeTable(ctx, &dynamodb.DescribeTableInput{TableName: &c.name})
	if err != nil {
		return nil, err
	}
	if out == nil || out.Table == nil {
		return nil, errors.New("the reply describes no table; something between here and DynamoDB may have answered")
	}
	return out.Table, nil
}

func isActive(t *types.TableDescription) bool {
	if t.TableStatus != types.TableStatusActive {
		return false
	}
	for _, g := range t.GlobalSecondaryIndexes {
		if g.IndexStatus != types.IndexStatusActive {
			return false
		}
	}
	return true
}

const (
	maxSchemaWait  = 10 * time.Minute
	firstPollDelay = 20 * time.Millisecond
	maxPollDelay   = 5 * time.Second
)

// poll calls done until it says so, with growing waits between.
func poll(ctx context.Context, done func() (bool, error)) error {
	deadline := time.Now().Add(maxSchemaWait)
	delay := firstPollDelay
	for {
		ok, err := done()
		if ok || err != nil {
			return err
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("not ready after %v", maxSchemaWait)
		}
		timer := time.NewTimer(delay)
		select {
		case <-ctx.Done():
			timer.Stop()
			return ctx.Err()
		case <-timer.C:
		}
		delay = min(2*delay, maxPollDelay)
	}
}

func (c *core) enableTTL(ctx context.Context, client SchemaClient) error {
	if c.ttlAttribute() == "" {
		return nil
	}
	_, err := client.UpdateTimeToLive(ctx, &dynamodb.UpdateTimeToLiveInput{
		TableName:               &c.name,
		TimeToLiveSpecification: &types.TimeToLiveSpecification{AttributeName: aws.String(c.ttlAttribute()), Enabled: aws.Bool(true)},
	})
	return err
}

func (s *tableSpec) createInput() *dynamodb.CreateTableInput {
	in := &dynamodb.CreateTableInput{
		TableName: &s.core.name, KeySchema: s.core.key.elements(), BillingMode: s.billing,
		ProvisionedThroughput: s.throughput, OnDemandThroughput: s.maxOnDemand,
		DeletionProtectionEnabled: s.protect, TableClass: s.class, SSESpecification: s.sse,
	}
	schemas := []keySchema{s.core.key}
	for _, i := range s.indexes {
		schemas = append(schemas, i.key)
		if i.global {
			in.GlobalSecondaryIndexes = append(in.GlobalSecondaryIndexes, types.GlobalSecondaryIndex{
				IndexName: &i.name, KeySchema: i.key.elements(), Projection: i.projectionSpec(),
				ProvisionedThroughput: s.indexUnits(i.name), OnDemandThroughput: s.maxOnDemand,
			})
			continue
		}
		in.LocalSecondaryIndexes = append(in.LocalSecondaryIndexes, types.LocalSecondaryIndex{
			IndexName: &i.name, KeySchema: i.key.elements(), Projection: i.projectionSpec(),
		})
	}
	in.AttributeDefinitions = definitions(schemas...)
	if s.stream != "" {
		in.StreamSpecification = s.streamSpec()
	}
	for _, k := range slices.Sorted(maps.Keys(s.tags)) {
		in.Tags = append(in.Tags, types.Tag{Key: aws.String(k), Value: aws.String(s.tags[k])})
	}
	return in
}

func (s *tableSpec) streamSpec() *types.StreamSpecification {
	return &types.StreamSpecification{StreamEnabled: aws.Bool(true), StreamViewType: s.stream}
}

func (s *tableSpec) indexUnits(name string) *types.ProvisionedThroughput {
	if u, ok := s.perIndex[name]; ok {
		return &u
	}
	return s.throughput
}

func (s keySchema) elements() []types.KeySchemaElement {
	var all []types.KeySchemaElement
	for _, p := range s.partition {
		all = append(all, types.KeySchemaElement{AttributeName: &p.name, KeyType: types.KeyTypeHash})
	}
	for _, p := range s.sort {
		all = append(all, types.KeySchemaElement{AttributeName: &p.name, KeyType: types.KeyTypeRange})
	}
	return all
}

// definitions names each key attribute once, however many indexes use it.
func definitions(schemas ...keySchema) []types.AttributeDefinition {
	var defs []types.AttributeDefinition
	for _, s := range schemas {
		for _, p := range append(slices.Clone(s.partition), s.sort...) {
			if !slices.ContainsFunc(defs, func(d types.AttributeDefinition) bool { return *d.AttributeName == p.name }) {
				defs = append(defs, types.AttributeDefinition{AttributeName: &p.name, AttributeType: p.kind})
			}
		}
	}
	return defs
}

func (i *indexInfo) projectionSpec() *types.Projection {
	return &types.Projection{ProjectionType: i.projection, NonKeyAttributes: i.include}
}
