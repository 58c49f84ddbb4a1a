// SPDX-License-Identifier: Apache-2.0

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

	"github.com/dynamotable/ddb/progress"
)

// EnsureTable creates what is missing of the table and waits for it: the table
// itself, global indexes (one after the other, as DynamoDB wants it, each filled from the
// items that are there), TTL, and the stream. It never changes or drops what is
// there: differences that are left are returned as a [*SchemaError], such as a
// local index, which only a new table can have. It is safe to call from several processes at once.
//
// A table that has more than this definition is no failure, nor is an index that another program is just
// adding: a program that is older than the table, as during a rolling restart or after a rollback, starts.
// [Table.VerifyTable] lists what there is more, as [Difference.Extra].
//
// The wait ends with the context, or after 10 minutes for each index; the error says in which state the table is
// then. Call it again: what was begun goes on.
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
		var task *progress.Task
		ctx, task = progress.Start(ctx, "EnsureTable "+c.name)
		err = c.ensure(ctx, client, s)
		task.End(err)
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
	live, err := c.waitFor(ctx, client, s.usable)
	if _, missing := errors.AsType[*types.ResourceNotFoundException](err); missing {
		err = c.create(ctx, client, s)
		if !errors.Is(err, ErrTableExists) {
			return err
		}
		live, err = c.waitFor(ctx, client, s.usable) // another process was faster
	}
	if err != nil {
		return err
	}
	if live, err = c.addIndexes(ctx, client, s, live); err != nil {
		return err
	}
	if s.stream != "" && !hasStream(live) {
		in := &dynamodb.UpdateTableInput{TableName: &c.name, StreamSpecification: s.streamSpec()}
		made := func(live *types.TableDescription) bool {
			return hasStream(live) && live.TableStatus == types.TableStatusActive
		}
		if live, err = c.updateTable(ctx, client, in, made); err != nil {
			return err
		}
	}
	ttl, err := c.liveTTL(ctx, client)
	if err != nil {
		return err
	}
	if want := c.ttlAttribute(); want != "" && ttl.attribute == "" {
		if err := c.enableTTL(ctx, client); err != nil {
			return err
		}
		ttl.attribute = want
	}
	settings, err := s.settings(ctx, client)
	if err != nil {
		return err
	}
	if settings, err = s.set(ctx, client, settings); err != nil {
		return err
	}
	left := slices.DeleteFunc(append(s.compare(live, ttl), s.compareLive(settings)...), func(d Difference) bool {
		return d.Extra || d.Index == "" && d.What == "status" // that was waited for, or is another's change
	})
	if len(left) > 0 {
		return &SchemaError{left}
	}
	return nil
}

// usable reports whether requests can be made, on the table and on each of its described indexes that there is. Others may be
// adding an index that is not described here: the table is UPDATING then, and answers as before.
func (s *tableSpec) usable(live *types.TableDescription) bool {
	if live.TableStatus != types.TableStatusActive && live.TableStatus != types.TableStatusUpdating {
		return false
	}
	return !slices.ContainsFunc(live.GlobalSecondaryIndexes, func(g types.GlobalSecondaryIndexDescription) bool {
		return s.describes(deref(g.IndexName)) && g.IndexStatus != types.IndexStatusActive && g.IndexStatus != types.IndexStatusUpdating
	})
}

func (s *tableSpec) describes(index string) bool {
	return slices.ContainsFunc(s.indexes, func(i *indexInfo) bool { return i.name == index })
}

func hasStream(live *types.TableDescription) bool {
	return live.StreamSpecification != nil && deref(live.StreamSpecification.StreamEnabled)
}

func globalOf(live *types.TableDescription, name string) (types.GlobalSecondaryIndexDescription, bool) {
	for _, g := range live.GlobalSecondaryIndexes {
		if deref(g.IndexName) == name {
			return g, true
		}
	}
	return types.GlobalSecondaryIndexDescription{}, false
}

func (c *core) addIndexes(ctx context.Context, client SchemaClient, s *tableSpec, live *types.TableDescription) (*types.TableDescription, error) {
	for _, i := range s.indexes {
		if _, there := globalOf(live, i.name); there || !i.global {
			continue
		}
		in := &dynamodb.UpdateTableInput{
			TableName: &c.name, AttributeDefinitions: definitions(c.key, i.key),
			GlobalSecondaryIndexUpdates: []types.GlobalSecondaryIndexUpdate{{Create: &types.CreateGlobalSecondaryIndexAction{
				IndexName: &i.name, KeySchema: i.key.elements(), Projection: i.projectionSpec(),
				ProvisionedThroughput: s.indexUnits(i.name), OnDemandThroughput: s.indexMaxOnDemand(i.name), WarmThroughput: s.warmIndex[i.name],
			}}},
		}
		var err error
		live, err = c.updateTable(ctx, client, in, func(live *types.TableDescription) bool {
			g, there := globalOf(live, i.name)
			return there && g.IndexStatus == types.IndexStatusActive
		})
		if err != nil {
			return live, fmt.Errorf("index %s: %w", i.name, err)
		}
	}
	return live, nil
}

// updateTable sends a change as soon as the table takes one, and waits until it is made, by this call or by another process.
// The table refuses a change while another is under way: ResourceInUseException while it is UPDATING, and
// LimitExceededException while an index is being made or deleted.
// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_UpdateTable.html
func (c *core) updateTable(ctx context.Context, client SchemaClient, in *dynamodb.UpdateTableInput, made func(*types.TableDescription) bool) (*types.TableDescription, error) {
	var (
		sent    bool
		limited int   // how often in a row, although no index was being made
		refused error // of the last change
	)
	live, err := c.waitFor(ctx, client, func(live *types.TableDescription) bool {
		if made(live) {
			return true
		}
		if live.TableStatus != types.TableStatusActive {
			return false
		}
		_, refused = client.UpdateTable(ctx, in)
		sent = refused == nil
		if _, inUse := errors.AsType[*types.ResourceInUseException](refused); inUse {
			return false
		}
		if _, limit := errors.AsType[*types.LimitExceededException](refused); !limit {
			return true
		}
		if limited++; !isActive(live) {
			limited = 0
		}
		return limited > 1 // once, another may have begun after the description was made
	})
	switch {
	case err != nil || made(live):
		return live, err
	case !sent:
		return live, refused
	}
	return c.waitFor(ctx, client, made)
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
