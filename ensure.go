package ddb

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// EnsureTable creates what is missing of the table and waits for it: the table
// itself, global indexes (one after the other, as DynamoDB wants it, each filled from the
// items that are there), TTL, and the stream. It never changes or drops what is
// there: differences that are left are returned as a [*SchemaError], such as a
// local index, which only a new table can have. It is safe to call from several processes at once.
func (t *Table[T, PK, SK]) EnsureTable(ctx context.Context, opts ...SchemaOption) error {
	return t.tableCore(nil).ensureTable(ctx, opts)
}

// EnsureTable makes the table ready; see [Table.EnsureTable].
func (t *SimpleTable[T, PK]) EnsureTable(ctx context.Context, opts ...SchemaOption) error {
	return t.tableCore(nil).ensureTable(ctx, opts)
}

func (c *core) ensureTable(ctx context.Context, opts []SchemaOption) error {
	s, client, err := c.spec(ctx, "EnsureTable", opts)
	if err == nil {
		err = c.ensure(ctx, client, s)
	}
	return opError("EnsureTable", c.label(), "", err)
}

// SchemaError lists the differences between a definition and the live table.
type SchemaError struct{ Differences []Difference }

// Error lists all differences.
func (e *SchemaError) Error() string {
	texts := make([]string, len(e.Differences))
	for i, d := range e.Differences {
		texts[i] = d.String()
	}
	return "the live table differs from its definition: " + strings.Join(texts, "; ")
}

func (c *core) ensure(ctx context.Context, client SchemaClient, s *tableSpec) error {
	live, err := c.waitActive(ctx, client)
	if _, missing := errors.AsType[*types.ResourceNotFoundException](err); missing {
		err = c.create(ctx, client, s)
		if !errors.Is(err, ErrTableExists) {
			return err
		}
		live, err = c.waitActive(ctx, client) // another process was faster
	}
	if err != nil {
		return err
	}
	if live, err = c.addIndexes(ctx, client, s, live); err != nil {
		return err
	}
	if s.stream != "" && (live.StreamSpecification == nil || !deref(live.StreamSpecification.StreamEnabled)) {
		in := &dynamodb.UpdateTableInput{TableName: &c.name, StreamSpecification: s.streamSpec()}
		if live, err = c.updateTable(ctx, client, in); err != nil {
			return err
		}
	}
	ttl, err := c.liveTTL(ctx, client)
	if err != nil {
		return err
	}
	if c.ttlAttribute() != "" && ttl.attribute == "" {
		if err := c.enableTTL(ctx, client); err != nil {
			return err
		}
		ttl.attribute = c.ttlAttribute()
	}
	if left := s.compare(live, ttl); len(left) > 0 {
		return &SchemaError{left}
	}
	return nil
}

func (c *core) addIndexes(ctx context.Context, client SchemaClient, s *tableSpec, live *types.TableDescription) (*types.TableDescription, error) {
	for _, i := range s.indexes {
		if !i.global || slices.ContainsFunc(live.GlobalSecondaryIndexes, func(g types.GlobalSecondaryIndexDescription) bool { return deref(g.IndexName) == i.name }) {
			continue
		}
		in := &dynamodb.UpdateTableInput{
			TableName: &c.name, AttributeDefinitions: definitions(c.key, i.key),
			GlobalSecondaryIndexUpdates: []types.GlobalSecondaryIndexUpdate{{Create: &types.CreateGlobalSecondaryIndexAction{
				IndexName: &i.name, KeySchema: i.key.elements(), Projection: i.projectionSpec(),
				ProvisionedThroughput: s.indexUnits(i.name), OnDemandThroughput: s.maxOnDemand,
			}}},
		}
		var err error
		if live, err = c.updateTable(ctx, client, in); err != nil {
			return live, fmt.Errorf("index %s: %w", i.name, err)
		}
	}
	return live, nil
}

func (c *core) updateTable(ctx context.Context, client SchemaClient, in *dynamodb.UpdateTableInput) (*types.TableDescription, error) {
	_, err := client.UpdateTable(ctx, in)
	var inUse *types.ResourceInUseException
	if err != nil && !errors.As(err, &inUse) {
		return nil, err
	}
	// In use: another process changes the same table; what it left undone shows after the wait.
	return c.waitActive(ctx, client)
}

type ttlState struct {
	attribute string // empty when TTL is off
}

func (c *core) liveTTL(ctx context.Context, client SchemaClient) (ttlState, error) {
	out, err := client.DescribeTimeToLive(ctx, &dynamodb.DescribeTimeToLiveInput{TableName: aws.String(c.name)})
	if err != nil {
		return ttlState{}, err
	}
	if out == nil || out.TimeToLiveDescription == nil {
		return ttlState{}, errors.New("the reply describes no time to live; something between here and DynamoDB may have answered")
	}
	d := out.TimeToLiveDescription
	if d.TimeToLiveStatus != types.TimeToLiveStatusEnabled && d.TimeToLiveStatus != types.TimeToLiveStatusEnabling {
		return ttlState{}, nil
	}
	return ttlState{deref(d.AttributeName)}, nil
}
