// SPDX-License-Identifier: Apache-2.0

package ddb

import (
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

	"github.com/dynamotable/ddb/progress"
)

// ErrTableExists means that CreateTable found a table of the name.
var ErrTableExists = errors.New("table exists")

// spec gathers definition and options for an operation, naming every mistake.
func (c *core) spec(ctx context.Context, op string, opts []SchemaOption) (*tableSpec, SchemaClient, error) {
	if err := c.usable(); err != nil {
		return nil, nil, err
	}
	s := newTableSpec(c, opts)
	client, err := c.schemaClient()
	if err == nil {
		s.errs = append(s.errs, s.checkClient(client))
	}
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
	if err := c.enableTTL(ctx, client); err != nil {
		return err
	}
	live, err := s.settings(ctx, client)
	if err != nil {
		return err
	}
	_, err = s.set(ctx, client, live)
	return err
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
		done := ready(now)
		if !done {
			progress.From(ctx).Wait(stateText(now))
		}
		return done, nil
	})
	progress.From(ctx).Run()
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
		DeletionProtectionEnabled: s.protect, TableClass: s.class, SSESpecification: s.sse, WarmThroughput: s.warm,
	}
	if s.policy != "" {
		in.ResourcePolicy = &s.policy
	}
	schemas := []keySchema{s.core.key}
	for _, i := range s.indexes {
		schemas = append(schemas, i.key)
		if i.global {
			in.GlobalSecondaryIndexes = append(in.GlobalSecondaryIndexes, types.GlobalSecondaryIndex{
				IndexName: &i.name, KeySchema: i.key.elements(), Projection: i.projectionSpec(),
				ProvisionedThroughput: s.indexUnits(i.name), OnDemandThroughput: s.indexMaxOnDemand(i.name), WarmThroughput: s.warmIndex[i.name],
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
