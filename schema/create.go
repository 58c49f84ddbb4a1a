// SPDX-License-Identifier: Apache-2.0

package schema

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

// ErrTableExists means that a table with the name exists already.
var ErrTableExists = errors.New("table exists")

var errNoClient = invalid(errors.New("the client is nil"))

// usable returns an error for an invalid Spec or one that New did not make, and for a client that cannot do what the options require.
func (s *Spec) usable(client Client) error {
	switch {
	case s == nil || s.perIndex == nil:
		return invalid(errors.New("a Spec that schema.New did not make"))
	case client == nil:
		return errNoClient
	}
	return invalid(slices.Concat(s.errs, s.lacking(client))...)
}

// Create creates the table with its indexes and settings, enables TTL, and waits until everything is active. It returns
// [ErrTableExists] if there is a table with the name.
func (s *Spec) Create(ctx context.Context, client Client) error {
	if err := s.usable(client); err != nil {
		return err
	}
	return s.create(ctx, client)
}

func (s *Spec) create(ctx context.Context, client Client) error {
	_, err := client.CreateTable(ctx, s.CreateInput())
	if _, ok := errors.AsType[*types.ResourceInUseException](err); ok {
		return fmt.Errorf("%w: %w", ErrTableExists, err)
	}
	if err != nil {
		return err
	}
	if _, err := Wait(ctx, client, s.table.Name); err != nil {
		return err
	}
	if err := s.enableTTL(ctx, client); err != nil {
		return err
	}
	_, err = s.set(ctx, client, liveSettings{tags: s.tags}) // the other settings of a new table are off
	return err
}

// CreateInput returns the request that creates the table with its indexes; the caller may change it. For a nil Spec it is nil.
func (s *Spec) CreateInput() *dynamodb.CreateTableInput {
	if s == nil {
		return nil
	}
	in := &dynamodb.CreateTableInput{
		TableName: &s.table.Name, KeySchema: s.table.Key.Elements(), BillingMode: s.billing,
		ProvisionedThroughput: s.throughput, OnDemandThroughput: s.maxOnDemand,
		DeletionProtectionEnabled: s.protect, TableClass: s.class, SSESpecification: s.sse, WarmThroughput: s.warm,
	}
	if s.policy != "" {
		in.ResourcePolicy = &s.policy
	}
	for _, i := range s.indexes {
		if i.Global {
			in.GlobalSecondaryIndexes = append(in.GlobalSecondaryIndexes, types.GlobalSecondaryIndex{
				IndexName: &i.Name, KeySchema: i.Key.Elements(), Projection: i.projectionSpec(),
				ProvisionedThroughput: s.indexUnits(i.Name), OnDemandThroughput: s.indexMaxOnDemand(i.Name), WarmThroughput: s.warmIndex[i.Name],
			})
			continue
		}
		in.LocalSecondaryIndexes = append(in.LocalSecondaryIndexes, types.LocalSecondaryIndex{
			IndexName: &i.Name, KeySchema: i.Key.Elements(), Projection: i.projectionSpec(),
		})
	}
	for _, v := range s.vectors() {
		in.VectorIndexes = append(in.VectorIndexes, v.spec())
	}
	in.AttributeDefinitions = definitions(s.keys()...)
	if s.stream != "" {
		in.StreamSpecification = s.streamSpec()
	}
	for _, k := range slices.Sorted(maps.Keys(s.tags)) {
		in.Tags = append(in.Tags, types.Tag{Key: aws.String(k), Value: aws.String(s.tags[k])})
	}
	return in
}

func (s *Spec) streamSpec() *types.StreamSpecification {
	return &types.StreamSpecification{StreamEnabled: aws.Bool(true), StreamViewType: s.stream}
}

func (s *Spec) indexUnits(name string) *types.ProvisionedThroughput {
	if u, ok := s.perIndex[name]; ok {
		return &u
	}
	return s.throughput
}

func (s *Spec) enableTTL(ctx context.Context, client Client) error {
	if s.table.TTL == "" {
		return nil
	}
	_, err := client.UpdateTimeToLive(ctx, &dynamodb.UpdateTimeToLiveInput{
		TableName:               &s.table.Name,
		TimeToLiveSpecification: &types.TimeToLiveSpecification{AttributeName: aws.String(s.table.TTL), Enabled: aws.Bool(true)},
	})
	return err
}

// Wait waits until a table and all of its indexes are active: until the context ends, or for 10 minutes.
func Wait(ctx context.Context, client Client, table string) (*types.TableDescription, error) {
	if client == nil {
		return nil, errNoClient
	}
	return waitFor(ctx, client, table, isActive)
}

// waitFor waits until ready returns true for the table. After a timeout the error says what state it was in.
func waitFor(ctx context.Context, client Client, name string, ready func(*types.TableDescription) bool) (*types.TableDescription, error) {
	var table *types.TableDescription
	err := poll(ctx, func() (bool, error) {
		now, err := Describe(ctx, client, name)
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
		err = fmt.Errorf("%w; %s. The change continues: wait with WaitTable, or call again", err, stateText(table))
	}
	return table, err
}

// stateText returns the state of the table and of each index that is not active.
func stateText(t *types.TableDescription) string {
	var text strings.Builder
	text.WriteString("the table is " + string(t.TableStatus))
	for _, g := range t.GlobalSecondaryIndexes {
		if g.IndexStatus == types.IndexStatusActive {
			continue
		}
		fmt.Fprintf(&text, ", index %s is %s", deref(g.IndexName), g.IndexStatus)
		if deref(g.Backfilling) {
			text.WriteString(" and being filled from the items of the table")
		}
	}
	for i := range t.VectorIndexes {
		if v := &t.VectorIndexes[i]; !vectorReady(v) {
			fmt.Fprintf(&text, ", vector index %s is %s", deref(v.IndexName), v.IndexStatus)
			if deref(v.Backfilling) {
				text.WriteString(" and being filled from the items of the table")
			}
		}
	}
	return text.String()
}

// Describe returns the description of a table. It costs no units.
func Describe(ctx context.Context, client Client, table string) (*types.TableDescription, error) {
	if client == nil {
		return nil, errNoClient
	}
	out, err := client.DescribeTable(ctx, &dynamodb.DescribeTableInput{TableName: &table})
	if err != nil {
		return nil, err
	}
	if out == nil || out.Table == nil {
		return nil, errors.New("the reply describes no table; a proxy may have answered instead of DynamoDB")
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
	return vectorsReady(t)
}

const (
	maxSchemaWait  = 10 * time.Minute
	firstPollDelay = 20 * time.Millisecond
	maxPollDelay   = 5 * time.Second
)

// poll calls done until it returns true, with growing waits in between.
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

// Delete deletes a table and waits until it is gone. If the table does not exist, that is not an error.
func Delete(ctx context.Context, client Client, table string) error {
	if client == nil {
		return errNoClient
	}
	_, err := client.DeleteTable(ctx, &dynamodb.DeleteTableInput{TableName: &table})
	var missing *types.ResourceNotFoundException
	if errors.As(err, &missing) {
		return nil
	}
	if err != nil {
		return err
	}
	return poll(ctx, func() (bool, error) {
		_, err := client.DescribeTable(ctx, &dynamodb.DescribeTableInput{TableName: &table})
		if errors.As(err, &missing) {
			return true, nil
		}
		return false, err
	})
}

// AllowDelete returns the permission that the method DeleteTable of tables needs: the table's full
// name, so that no call with the wrong handle deletes a table.
func AllowDelete(table string) DeletePermission { return DeletePermission{table} }

// DeletePermission is the permission to delete one table; see [AllowDelete].
type DeletePermission struct{ table string }

// Table returns the name of the table that may be deleted.
func (p DeletePermission) Table() string { return p.table }

// Allows reports whether the table may be deleted.
func (p DeletePermission) Allows(table string) bool { return p.table == table }
