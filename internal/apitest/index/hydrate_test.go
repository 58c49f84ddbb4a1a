// SPDX-License-Identifier: Apache-2.0

package index_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/google/go-cmp/cmp"

	"github.com/dynamotable/ddb"
	"github.com/dynamotable/ddb/internal/apitest"
)

// stale drops items from the replies of BatchGetItem, as if they had been deleted
// after the index was read, and counts calls.
type stale struct {
	apitest.Client
	gone  map[string]bool
	calls int
}

// BatchGetItem drops the items that count as deleted.
func (s *stale) BatchGetItem(ctx context.Context, in *dynamodb.BatchGetItemInput, opts ...func(*dynamodb.Options)) (*dynamodb.BatchGetItemOutput, error) {
	s.calls++
	out, err := s.Client.BatchGetItem(ctx, in, opts...)
	if err != nil {
		return nil, err
	}
	for table, items := range out.Responses {
		kept := items[:0]
		for _, item := range items {
			if id, ok := item["id"].(*types.AttributeValueMemberS); !ok || !s.gone[id.Value] {
				kept = append(kept, item)
			}
		}
		out.Responses[table] = kept
	}
	return out, nil
}

func newPlaces(t testing.TB, client ddb.Client, n int) (*ddb.SimpleTable[place, string], *ddb.Index[place, string, int]) {
	t.Helper()
	places, err := ddb.NewSimple(client, tableName(t), placeID)
	if err != nil {
		t.Fatal(err)
	}
	byCountry, err := ddb.NewIndex(places, "by-country", placeCountry, placeYear, ddb.KeysOnly())
	if err != nil {
		t.Fatal(err)
	}
	if err := places.CreateTable(t.Context()); err != nil {
		t.Fatal(err)
	}
	for i := range n {
		p := place{ID: fmt.Sprintf("%03d", n-i), Country: "CH", Year: i, Name: fmt.Sprint("name ", i), Note: "note"}
		if err := places.Put(t.Context(), &p); err != nil {
			t.Fatal(err)
		}
	}
	return places, byCountry
}

// TestHydrate: whole items in the order of the index, whatever the page boundaries.
func TestHydrate(t *testing.T) {
	ctx := t.Context()
	_, byCountry := newPlaces(t, newClient(t), 130)
	whole := byCountry.Query("CH").Hydrate()
	list, err := whole.Collect(ctx)
	if err != nil || len(list) != 130 {
		t.Fatalf("%d items, %v", len(list), err)
	}
	for i, p := range list {
		if diff := cmp.Diff(place{ID: fmt.Sprintf("%03d", 130-i), Country: "CH", Year: i, Name: fmt.Sprint("name ", i), Note: "note"}, p); diff != "" {
			t.Fatal(diff)
		}
	}
	page, err := whole.Limit(5).Descending().Page(ctx)
	if err != nil || names(page.Items) != "001 002 003 004 005" || page.Items[0].Note != "note" || page.Missing != 0 || page.Requests != 2 {
		t.Errorf("%s in %d requests, %d missing, %v", names(page.Items), page.Requests, page.Missing, err)
	}
	if page.Consumed.ReadUnits != 0.5+5*0.5 {
		t.Errorf("%v read units", page.Consumed.ReadUnits)
	}
	next, err := whole.Limit(5).Descending().After(page.Next).Page(ctx)
	if err != nil || names(next.Items) != "006 007 008 009 010" {
		t.Errorf("%s, %v", names(next.Items), err)
	}
	back, err := whole.Limit(5).Descending().Before(next.Prev).Page(ctx)
	if err != nil || names(back.Items) != names(page.Items) {
		t.Errorf("%s, %v", names(back.Items), err)
	}
	// A cursor of the query without Hydrate is accepted, because both select the same items.
	if same, err := byCountry.Query("CH").Descending().Limit(1).After(page.Next).Page(ctx); err != nil || names(same.Items) != "006" {
		t.Errorf("%s, %v", names(same.Items), err)
	}
	if n, err := whole.Count(ctx); err != nil || n != 130 {
		t.Errorf("Count %d, %v", n, err)
	}
	some, err := whole.Project(placeNote).SortKey(ddb.Lt(2)).Collect(ctx)
	if diff := cmp.Diff([]place{{ID: "130", Note: "note"}, {ID: "129", Note: "note"}}, some); err != nil || diff != "" {
		t.Errorf("projection: %v\n%s", err, diff)
	}
	if n := len(collect(t, byCountry.Scan().Hydrate().Filter(placeYear.Ge(100)).PageSize(20).All(ctx))); n != 30 {
		t.Errorf("scan: %d items", n)
	}
	if n := len(collect(t, byCountry.Scan().Hydrate().Parallel(3).Limit(17).All(ctx))); n != 17 {
		t.Errorf("parallel scan: %d items", n)
	}
	type small struct {
		Note string `dynamodbav:"note"`
	}
	for name, err := range map[string]error{
		"filter": second(whole.Filter(placeNote.Eq("note")).Page(ctx)),
		"view":   second(ddb.View[small](whole).Page(ctx)),
		"handle": second(whole.Project(userName).Page(ctx)),
	} {
		if !errors.Is(err, ddb.ErrInvalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestHydrateMissing: items that were deleted are left out and counted.
func TestHydrateMissing(t *testing.T) {
	ctx := t.Context()
	client := &stale{Client: newClient(t), gone: map[string]bool{"010": true, "009": true, "005": true, "001": true}}
	_, byCountry := newPlaces(t, client, 10)
	whole := byCountry.Query("CH").Hydrate()
	page, err := whole.Page(ctx)
	if err != nil || names(page.Items) != "008 007 006 004 003 002" || page.Missing != 4 || page.Scanned != 10 {
		t.Errorf("%s, %d missing, %v", names(page.Items), page.Missing, err)
	}
	if first, err := whole.First(ctx); err != nil || first.ID != "008" {
		t.Errorf("First %s, %v", first.ID, err)
	}
	if last, err := whole.Descending().First(ctx); err != nil || last.ID != "002" {
		t.Errorf("First descending %s, %v", last.ID, err)
	}
	cut, err := whole.Limit(9).Page(ctx)
	if err != nil {
		t.Fatal(err)
	}
	tail, err := whole.Limit(10).After(cut.Next).Page(ctx)
	if err != nil || len(tail.Items) != 0 || tail.Missing != 1 {
		t.Errorf("tail: %s, %d missing, %v", names(tail.Items), tail.Missing, err)
	}
	if last, err := whole.Before(tail.Prev).First(ctx); err != nil || last.ID != "002" {
		t.Errorf("First before %s, %v", last.ID, err)
	}
	client.gone = map[string]bool{}
	for i := range 10 {
		client.gone[fmt.Sprintf("%03d", i+1)] = true
	}
	if _, err := whole.First(ctx); !errors.Is(err, ddb.ErrNotFound) {
		t.Errorf("First without items: %v", err)
	}
	missing := 0
	for page, err := range whole.PageSize(4).Pages(ctx) {
		if err != nil {
			t.Fatal(err)
		}
		missing += page.Missing
	}
	if missing != 10 {
		t.Errorf("pages count %d missing", missing)
	}
	client.calls = 0
	if got, err := byCountry.Query("DE").Hydrate().Collect(ctx); err != nil || len(got) != 0 || client.calls != 0 {
		t.Errorf("no items: got %d, %d batch calls, %v", len(got), client.calls, err)
	}
}

// TestHydrateFailure: a page ends before an item that cannot be read.
func TestHydrateFailure(t *testing.T) {
	ctx := t.Context()
	client := newClient(t)
	places, byCountry := newPlaces(t, client, 8)
	whole := byCountry.Query("CH").Hydrate()
	for bad := range 8 {
		id := fmt.Sprintf("%03d", 8-bad)
		good, err := places.Get(ctx, id)
		if err != nil {
			t.Fatal(err)
		}
		name := places.Name()
		_, err = client.UpdateItem(ctx, &dynamodb.UpdateItemInput{
			TableName: &name, Key: map[string]types.AttributeValue{"id": &types.AttributeValueMemberS{Value: id}},
			UpdateExpression:          aws.String("SET #m = :n"),
			ExpressionAttributeNames:  map[string]string{"#m": "month"},
			ExpressionAttributeValues: map[string]types.AttributeValue{":n": &types.AttributeValueMemberS{Value: "May"}},
		})
		if err != nil {
			t.Fatal(err)
		}
		page, err := whole.Page(ctx)
		var failed *ddb.BatchError
		if len(page.Items) != bad || !errors.As(err, &failed) || !strings.Contains(err.Error(), "month") {
			t.Errorf("bad item %d: %s, %v", bad, names(page.Items), err)
		}
		if err := places.Put(ctx, &good); err != nil {
			t.Fatal(err)
		}
		rest, err := whole.Limit(20).After(page.Next).Collect(ctx)
		if err != nil || len(page.Items)+len(rest) != 8 {
			t.Errorf("bad item %d: then %s, %v", bad, names(rest), err)
		}
	}
	ctx, cancel := context.WithCancel(ctx)
	cancel()
	if page, err := whole.Page(ctx); !errors.Is(err, context.Canceled) || len(page.Items) != 0 || !page.Next.IsZero() {
		t.Errorf("cancelled: %v", err)
	}
}

func collect(t testing.TB, seq iter.Seq2[place, error]) (all []place) {
	t.Helper()
	for p, err := range seq {
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, p)
	}
	return all
}
