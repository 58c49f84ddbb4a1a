// SPDX-License-Identifier: Apache-2.0

package schema

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/dynamotable/ddb/internal/quiet"
)

// Error lists the differences between a definition and the live table.
type Error struct{ Differences []Difference }

// Error lists all differences.
func (e *Error) Error() string {
	texts := make([]string, len(e.Differences))
	for i, d := range e.Differences {
		texts[i] = d.String()
	}
	return "the live table differs from its definition: " + strings.Join(texts, "; ")
}

// Format prints the text, for every verb.
func (e *Error) Format(s fmt.State, verb rune) { quiet.Format(s, verb, e.Error()) }

// MarshalJSON returns the text as a JSON string.
func (e *Error) MarshalJSON() ([]byte, error) { return json.Marshal(e.Error()) }

// Ensure creates what is missing of the table and waits for it. If other differences remain, it returns an [*Error]. A table that has more
// than the definition is not an error.
func (s *Spec) Ensure(ctx context.Context, client Client) error {
	if err := s.usable(client); err != nil {
		return err
	}
	live, err := waitFor(ctx, client, s.table.Name, s.answers)
	if _, missing := errors.AsType[*types.ResourceNotFoundException](err); missing {
		err = s.create(ctx, client)
		if !errors.Is(err, ErrTableExists) {
			return err
		}
		live, err = waitFor(ctx, client, s.table.Name, s.answers) // another process was faster
	}
	if err != nil {
		return err
	}
	if live, err = s.addIndexes(ctx, client, live); err != nil {
		return err
	}
	if live, err = s.addVectors(ctx, client, live); err != nil {
		return err
	}
	if s.stream != "" && !hasStream(live) {
		in := &dynamodb.UpdateTableInput{TableName: &s.table.Name, StreamSpecification: s.streamSpec()}
		made := func(live *types.TableDescription) bool {
			return hasStream(live) && live.TableStatus == types.TableStatusActive
		}
		if live, err = s.updateTable(ctx, client, in, made); err != nil {
			return err
		}
	}
	ttl, err := s.liveTTL(ctx, client)
	if err != nil {
		return err
	}
	if want := s.table.TTL; want != "" && ttl == "" {
		if err := s.enableTTL(ctx, client); err != nil {
			return err
		}
		ttl = want
	}
	settings, err := s.settings(ctx, client, live)
	if err != nil {
		return err
	}
	if settings, err = s.set(ctx, client, settings); err != nil {
		return err
	}
	left := slices.DeleteFunc(append(s.compare(live, ttl), s.compareLive(settings)...), func(d Difference) bool {
		return d.Extra || d.Index == "" && d.What == "status" // the wait is over, or the change is another process's
	})
	if len(left) > 0 {
		return &Error{left}
	}
	return nil
}

// answers reports whether the table and each of its defined indexes that exist accept requests. Another process may be
// adding an index that is not defined here: then the table is UPDATING and still accepts requests.
func (s *Spec) answers(live *types.TableDescription) bool {
	if live.TableStatus != types.TableStatusActive && live.TableStatus != types.TableStatusUpdating {
		return false
	}
	return s.searchable(live) && !slices.ContainsFunc(live.GlobalSecondaryIndexes, func(g types.GlobalSecondaryIndexDescription) bool {
		return s.describes(deref(g.IndexName)) && g.IndexStatus != types.IndexStatusActive && g.IndexStatus != types.IndexStatusUpdating
	})
}

func (s *Spec) describes(index string) bool {
	return slices.ContainsFunc(s.indexes, func(i *Index) bool { return i.Name == index })
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

func (s *Spec) addIndexes(ctx context.Context, client Client, live *types.TableDescription) (*types.TableDescription, error) {
	for _, i := range s.indexes {
		if _, there := globalOf(live, i.Name); there || !i.Global {
			continue
		}
		in := &dynamodb.UpdateTableInput{
			TableName: &s.table.Name, AttributeDefinitions: definitions(s.table.Key, i.Key),
			GlobalSecondaryIndexUpdates: []types.GlobalSecondaryIndexUpdate{{Create: &types.CreateGlobalSecondaryIndexAction{
				IndexName: &i.Name, KeySchema: i.Key.Elements(), Projection: i.projectionSpec(),
				ProvisionedThroughput: s.indexUnits(i.Name), OnDemandThroughput: s.indexMaxOnDemand(i.Name), WarmThroughput: s.warmIndex[i.Name],
			}}},
		}
		var err error
		live, err = s.updateTable(ctx, client, in, func(live *types.TableDescription) bool {
			g, there := globalOf(live, i.Name)
			return there && g.IndexStatus == types.IndexStatusActive
		})
		if err != nil {
			return live, fmt.Errorf("index %s: %w", i.Name, err)
		}
	}
	return live, nil
}

// updateTable sends a change as soon as the table accepts one, and waits until it is made, by this call or by another process.
// The table refuses a change while another is in progress: with ResourceInUseException while it is UPDATING, and with
// LimitExceededException while an index is being created or deleted.
// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_UpdateTable.html
func (s *Spec) updateTable(ctx context.Context, client Client, in *dynamodb.UpdateTableInput, made func(*types.TableDescription) bool) (*types.TableDescription, error) {
	var (
		sent     bool
		limited  int   // how often in a row, although no index was being created
		rejected error // of the last change
	)
	live, err := waitFor(ctx, client, s.table.Name, func(live *types.TableDescription) bool {
		if made(live) {
			return true
		}
		if live.TableStatus != types.TableStatusActive {
			return false
		}
		_, rejected = client.UpdateTable(ctx, in)
		sent = rejected == nil
		if _, inUse := errors.AsType[*types.ResourceInUseException](rejected); inUse {
			return false
		}
		if _, limit := errors.AsType[*types.LimitExceededException](rejected); !limit {
			return true
		}
		if limited++; !isActive(live) {
			limited = 0
		}
		return limited > 1 // once: another one may have begun after the description
	})
	switch {
	case err != nil || made(live):
		return live, err
	case !sent:
		return live, rejected
	}
	return waitFor(ctx, client, s.table.Name, made)
}

// liveTTL returns the attribute of the live table's time to live; empty if that is off.
func (s *Spec) liveTTL(ctx context.Context, client Client) (string, error) {
	out, err := client.DescribeTimeToLive(ctx, &dynamodb.DescribeTimeToLiveInput{TableName: &s.table.Name})
	if err != nil {
		return "", err
	}
	if out == nil || out.TimeToLiveDescription == nil {
		return "", errors.New("the reply describes no time to live; something between here and DynamoDB may have answered")
	}
	d := out.TimeToLiveDescription
	if d.TimeToLiveStatus != types.TimeToLiveStatusEnabled && d.TimeToLiveStatus != types.TimeToLiveStatusEnabling {
		return "", nil
	}
	return deref(d.AttributeName), nil
}
