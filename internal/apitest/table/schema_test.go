// SPDX-License-Identifier: Apache-2.0

package table_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/google/go-cmp/cmp"

	"github.com/dynamotable/ddb"
	"github.com/dynamotable/ddb/internal/apitest"
	"github.com/dynamotable/ddb/internal/core"
	"github.com/dynamotable/ddb/schema"
)

type session struct {
	User    string    `dynamodbav:"user"`
	ID      string    `dynamodbav:"id"`
	Device  string    `dynamodbav:"device,omitempty"`
	Country string    `dynamodbav:"country"`
	Started time.Time `dynamodbav:"started"`
	Score   float64   `dynamodbav:"score"`
	Expires time.Time `dynamodbav:"expires,unixtime"`
}

var (
	sessionUser    = ddb.StrField(func(s *session) *string { return &s.User })
	sessionID      = ddb.StrField(func(s *session) *string { return &s.ID })
	sessionDevice  = ddb.StrField(func(s *session) *string { return &s.Device })
	sessionCountry = ddb.StrField(func(s *session) *string { return &s.Country })
	sessionStarted = ddb.TimeField(func(s *session) *time.Time { return &s.Started })
	sessionScore   = ddb.NumField(func(s *session) *float64 { return &s.Score })
	sessionExpires = ddb.TimeField(func(s *session) *time.Time { return &s.Expires })
)

// defineSessions returns the definition of a table with two global and two local indexes.
func defineSessions(t *testing.T, client ddb.Client, name string) *ddb.Table[session, string, string] {
	t.Helper()
	table, err := ddb.New(client, name, sessionUser, sessionID, ddb.TTL(sessionExpires))
	if err != nil {
		t.Fatal(err)
	}
	return table
}

func addIndexes(t *testing.T, table *ddb.Table[session, string, string]) {
	t.Helper()
	_, err1 := ddb.NewIndex(table, "by-device", sessionDevice, sessionID, ddb.KeysOnly())
	_, err2 := ddb.NewIndex(table, "by-id", sessionID, sessionStarted, ddb.Projecting(sessionScore))
	_, err3 := ddb.NewLocalIndex(table, "by-start", sessionStarted)
	_, err4 := ddb.NewLocalIndex(table, "by-score", sessionScore, ddb.KeysOnly())
	if err := errors.Join(err1, err2, err3, err4); err != nil {
		t.Fatal(err)
	}
}

func TestCreateTable(t *testing.T) {
	ctx := t.Context()
	client := newClient(t)
	table := defineSessions(t, client, tableName(t))
	addIndexes(t, table)
	if err := table.CreateTable(ctx, schema.Stream(types.StreamViewTypeNewAndOldImages), schema.Tags(map[string]string{"team": "a"})); err != nil {
		t.Fatal(err)
	}
	diffs, err := table.VerifyTable(ctx, schema.Stream(types.StreamViewTypeNewAndOldImages))
	if err != nil || len(diffs) > 0 {
		t.Fatalf("fresh table differs: %v, %v", diffs, err)
	}
	out, err := client.DescribeTable(ctx, &dynamodb.DescribeTableInput{TableName: aws.String(table.Name())})
	if err != nil {
		t.Fatal(err)
	}
	// user, id, device, started, score: each once, although id is in three keys.
	if n := len(out.Table.AttributeDefinitions); n != 5 {
		t.Errorf("%d attribute definitions, want 5", n)
	}
	if err := table.CreateTable(ctx); !errors.Is(err, schema.ErrTableExists) {
		t.Errorf("second CreateTable: %v", err)
	}
	if err := table.EnsureTable(ctx); err != nil {
		t.Errorf("EnsureTable of a complete table: %v", err)
	}
	if err := table.WaitTable(ctx); err != nil {
		t.Error(err)
	}
	if err := table.DeleteTable(ctx, schema.AllowDelete("other")); !errors.Is(err, ddb.ErrInvalid) {
		t.Errorf("DeleteTable with the wrong permission: %v", err)
	}
	for range 2 { // the second finds no table, which is no error
		if err := table.DeleteTable(ctx, schema.AllowDelete(table.Name())); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := table.VerifyTable(ctx); !errors.Is(err, ddb.ErrTableNotFound) {
		t.Errorf("VerifyTable after DeleteTable: %v", err)
	}
}

func TestEnsureTableAddsWhatIsMissing(t *testing.T) {
	ctx := t.Context()
	client := newClient(t)
	name := tableName(t)
	bare, err := ddb.New(client, name, sessionUser, sessionID)
	if err != nil {
		t.Fatal(err)
	}
	if err := bare.EnsureTable(ctx); err != nil {
		t.Fatal(err)
	}
	for i := range 10 {
		s := session{User: "u", ID: fmt.Sprint(i), Device: "d", Started: time.Unix(int64(i), 0).UTC()}
		if err := bare.Put(ctx, &s); err != nil {
			t.Fatal(err)
		}
	}
	full := defineSessions(t, client, name)
	byDevice, err := ddb.NewIndex(full, "by-device", sessionDevice, sessionID)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := ddb.NewSimpleIndex(full, "by-country", sessionCountry); err != nil {
		t.Fatal(err)
	}
	if diffs, err := full.VerifyTable(ctx, schema.Stream(types.StreamViewTypeKeysOnly)); err != nil || len(diffs) != 4 {
		t.Errorf("differences before: %v, %v", diffs, err)
	}
	if err := full.EnsureTable(ctx, schema.Stream(types.StreamViewTypeKeysOnly)); err != nil {
		t.Fatal(err)
	}
	if diffs, err := full.VerifyTable(ctx, schema.Stream(types.StreamViewTypeKeysOnly)); err != nil || len(diffs) != 0 {
		t.Errorf("differences after: %v, %v", diffs, err)
	}
	if n, err := byDevice.Query("d").Count(ctx); err != nil || n != 10 {
		t.Errorf("new index holds %d items, %v", n, err)
	}
	if _, err := ddb.NewLocalIndex(full, "late", sessionScore); err != nil {
		t.Fatal(err)
	}
	var differs *schema.Error
	if err := full.EnsureTable(ctx); !errors.As(err, &differs) || !strings.Contains(err.Error(), "index late local index is missing") {
		t.Errorf("EnsureTable with a late local index: %v", err)
	}
}

// TestVerifyTableListsEverything compares a definition with a table that differs in every respect.
func TestVerifyTableListsEverything(t *testing.T) {
	ctx := t.Context()
	client := newClient(t)
	name := tableName(t)
	live, err := apitest.Untyped[session](client, name, sessionScore, sessionCountry)
	if err != nil {
		t.Fatal(err)
	}
	for _, index := range []string{"by-device", "extra"} {
		if _, err := core.NewIndex(live, index, sessionCountry, core.NoSort{}, nil); err != nil {
			t.Fatal(err)
		}
	}
	if err := live.CreateTable(ctx, []schema.Option{schema.Provisioned(5, 5), schema.IndexProvisioned("extra", 2, 1)}); err != nil {
		t.Fatal(err)
	}
	table := defineSessions(t, client, name)
	addIndexes(t, table)
	diffs, err := table.VerifyTable(ctx, schema.OnDemand(), schema.Stream(types.StreamViewTypeNewImage), schema.DeletionProtection(true), schema.InfrequentAccess())
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, d := range diffs {
		got = append(got, d.String())
	}
	want := []string{
		"key is HASH score (N), RANGE country (S), want HASH user (S), RANGE id (S)",
		"billing mode is PROVISIONED, want PAY_PER_REQUEST",
		"TTL attribute is none, want expires",
		"stream is off, want NEW_IMAGE",
		"deletion protection is false, want true",
		"table class is STANDARD, want STANDARD_INFREQUENT_ACCESS",
		"index by-device key is HASH country (S), want HASH device (S), RANGE id (S)",
		"index by-device projection is ALL, want KEYS_ONLY",
		"index by-id global index is missing, want present",
		"index by-score local index is missing (local indexes can only be created with the table), want present",
		"index by-start local index is missing (local indexes can only be created with the table), want present",
		"index extra index is present, and not defined here, want absent",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	diffs, err = live.VerifyTable(ctx, []schema.Option{schema.Provisioned(5, 6)})
	got = nil
	for _, d := range diffs {
		got = append(got, d.String())
	}
	want = []string{
		"throughput is 5 read, 5 write, want 5 read, 6 write",
		"index by-device throughput is 5 read, 5 write, want 5 read, 6 write",
		"index extra throughput is 2 read, 1 write, want 5 read, 6 write",
	}
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Error(err, diff)
	}
}

func TestSchemaRefusals(t *testing.T) {
	table := defineSessions(t, newClient(t), tableName(t))
	err := table.CreateTable(t.Context(), nil, schema.IndexProvisioned("nope", 1, 1), schema.IndexProvisioned("x", 0, 0), schema.OnDemand())
	for _, w := range []string{"option is nil", "no global index nope", "at least 1", "on-demand table"} {
		if !errors.Is(err, ddb.ErrInvalid) || !strings.Contains(err.Error(), w) {
			t.Errorf("got %v, want %q", err, w)
		}
	}
	if err := table.CreateTable(t.Context(), schema.Provisioned(1, 1), schema.MaxOnDemand(1, 0)); !errors.Is(err, ddb.ErrInvalid) {
		t.Errorf("MaxOnDemand on a provisioned table: %v", err)
	}
	items, err := ddb.New(itemsOnly{newClient(t)}, tableName(t), sessionUser, sessionID)
	if err != nil {
		t.Fatal(err)
	}
	if err := items.EnsureTable(t.Context()); !errors.Is(err, ddb.ErrInvalid) || !strings.Contains(err.Error(), "schema.Client") {
		t.Errorf("client without table methods: %v", err)
	}
}

// itemsOnly hides the table methods of a client.
type itemsOnly struct{ ddb.Client }

// slowTables is a client whose tables become active slowly: every Nth describe returns the next state.
type slowTables struct {
	ddb.Client
	mu     sync.Mutex
	states []types.TableDescription // the last one is repeated
	calls  int
	gone   bool
}

func (s *slowTables) next() types.TableDescription {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.calls++
	d := s.states[0]
	if len(s.states) > 1 {
		s.states = s.states[1:]
	}
	return d
}

func (s *slowTables) CreateTable(context.Context, *dynamodb.CreateTableInput, ...func(*dynamodb.Options)) (*dynamodb.CreateTableOutput, error) {
	return &dynamodb.CreateTableOutput{}, nil
}

func (s *slowTables) DescribeTable(context.Context, *dynamodb.DescribeTableInput, ...func(*dynamodb.Options)) (*dynamodb.DescribeTableOutput, error) {
	d := s.next()
	if s.gone && len(s.states) == 1 {
		return nil, &types.ResourceNotFoundException{}
	}
	return &dynamodb.DescribeTableOutput{Table: &d}, nil
}

func (s *slowTables) UpdateTable(context.Context, *dynamodb.UpdateTableInput, ...func(*dynamodb.Options)) (*dynamodb.UpdateTableOutput, error) {
	return &dynamodb.UpdateTableOutput{}, nil
}

func (s *slowTables) DeleteTable(context.Context, *dynamodb.DeleteTableInput, ...func(*dynamodb.Options)) (*dynamodb.DeleteTableOutput, error) {
	return &dynamodb.DeleteTableOutput{}, nil
}

func (s *slowTables) UpdateTimeToLive(context.Context, *dynamodb.UpdateTimeToLiveInput, ...func(*dynamodb.Options)) (*dynamodb.UpdateTimeToLiveOutput, error) {
	return &dynamodb.UpdateTimeToLiveOutput{}, nil
}

func (s *slowTables) DescribeTimeToLive(context.Context, *dynamodb.DescribeTimeToLiveInput, ...func(*dynamodb.Options)) (*dynamodb.DescribeTimeToLiveOutput, error) {
	return &dynamodb.DescribeTimeToLiveOutput{}, nil
}

func (s *slowTables) ListTagsOfResource(context.Context, *dynamodb.ListTagsOfResourceInput, ...func(*dynamodb.Options)) (*dynamodb.ListTagsOfResourceOutput, error) {
	return &dynamodb.ListTagsOfResourceOutput{}, nil
}

func (s *slowTables) TagResource(context.Context, *dynamodb.TagResourceInput, ...func(*dynamodb.Options)) (*dynamodb.TagResourceOutput, error) {
	return &dynamodb.TagResourceOutput{}, nil
}

func state(table types.TableStatus, index types.IndexStatus) types.TableDescription {
	return types.TableDescription{TableStatus: table, GlobalSecondaryIndexes: []types.GlobalSecondaryIndexDescription{{IndexStatus: index}}}
}

// TestCreateTableWaits: the call returns only when table and indexes are active, does not poll too often, and obeys its
// context.
func TestCreateTableWaits(t *testing.T) {
	needsEngine(t, "virtual time")
	synctest.Test(t, func(t *testing.T) {
		slow := &slowTables{states: []types.TableDescription{
			state(types.TableStatusCreating, types.IndexStatusCreating), state(types.TableStatusCreating, types.IndexStatusCreating),
			state(types.TableStatusActive, types.IndexStatusCreating), state(types.TableStatusActive, types.IndexStatusActive),
		}}
		table, err := ddb.New(slow, "slow", sessionUser, sessionID)
		if err != nil {
			t.Fatal(err)
		}
		start := time.Now()
		if err := table.CreateTable(t.Context()); err != nil {
			t.Fatal(err)
		}
		if waited := time.Since(start); slow.calls != 4 || waited < 100*time.Millisecond {
			t.Errorf("%d describes in %v", slow.calls, waited)
		}

		slow.states = []types.TableDescription{state(types.TableStatusDeleting, ""), state(types.TableStatusDeleting, ""), {}}
		slow.gone = true
		if err := table.DeleteTable(t.Context(), schema.AllowDelete("slow")); err != nil {
			t.Error(err)
		}

		slow.states, slow.gone = []types.TableDescription{state(types.TableStatusCreating, "")}, false
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := table.WaitTable(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("wait with a deadline: %v", err)
		}
		if err := table.WaitTable(t.Context()); err == nil || !strings.Contains(err.Error(), "not ready after") {
			t.Errorf("endless wait: %v", err)
		}
	})
}

// A table whose encryption key differs from the definition's is reported; for an alias that cannot be determined.
func TestVerifyEncryptionKey(t *testing.T) {
	apitest.NeedsEngine(t, "keys of KMS")
	table, err := ddb.New(newClient(t), tableName(t), visitPage, visitN)
	if err != nil {
		t.Fatal(err)
	}
	const key = "arn:aws:kms:eu-central-1:123456789012:key/11111111-1111-4111-8111-111111111111"
	if err := table.CreateTable(t.Context(), schema.EncryptWithKMS(key)); err != nil {
		t.Fatal(err)
	}
	for id, want := range map[string]int{
		key: 0, "11111111-1111-4111-8111-111111111111": 0, "alias/visits": 0, "": 0, "22222222-2222-4222-8222-222222222222": 1,
	} {
		if diffs, err := table.VerifyTable(t.Context(), schema.EncryptWithKMS(id)); err != nil || len(diffs) != want {
			t.Errorf("%q: %v, %v", id, diffs, err)
		}
	}
}
