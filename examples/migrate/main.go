// SPDX-License-Identifier: Apache-2.0

// Migrate reads items that other libraries have written, each in its own layout, with
// one struct. A job converts them to one layout, while old writers may still be running,
// and adds versions. Its test does so while both forms are written, with faults and kills:
//
//	go run ./examples/migrate
//
// It runs on the embedded engine, or on the endpoint in DYNAMODB_ENDPOINT.
package main

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"log"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/dynamotable/ddb"
	"github.com/dynamotable/ddb/ddbtest"
	"github.com/dynamotable/ddb/job"
	"github.com/dynamotable/ddb/schema"
)

// ID is stored as text, as guregu/dynamo stores types with text methods.
type ID [4]byte

// MarshalText returns eight hexadecimal digits.
func (id ID) MarshalText() ([]byte, error) { return hex.AppendEncode(nil, id[:]), nil } //nolint:unparam // as encoding.TextMarshaler has it

// UnmarshalText reads eight hexadecimal digits.
func (id *ID) UnmarshalText(text []byte) error {
	if len(text) != 2*len(id) {
		return errors.New("an ID has eight hexadecimal digits")
	}
	_, err := hex.Decode(id[:], text)
	return err
}

// Widget reads all layouts and writes one. Tag options: text for types with text methods,
// omitempty and omitzero where guregu/dynamo omits empty values, sdktime for times in the form of the other libraries.
type Widget struct {
	ID      ID        `dynamodbav:"id,text"`
	Note    string    `dynamodbav:"note,omitempty"`
	Tags    []string  `dynamodbav:"tags,stringset,omitempty"`
	Seen    time.Time `dynamodbav:"seen,sdktime"`
	Expires time.Time `dynamodbav:"expires,unixtime,omitzero"`
	Count   int       `dynamodbav:"count"`
	Version int64     `dynamodbav:"version"` // new: old writers do not know it
}

var (
	widgetID      = ddb.OrdField(func(w *Widget) *ID { return &w.ID })
	widgetNote    = ddb.StrField(func(w *Widget) *string { return &w.Note })
	widgetTags    = ddb.SetField(func(w *Widget) *[]string { return &w.Tags })
	widgetSeen    = ddb.TimeField(func(w *Widget) *time.Time { return &w.Seen })
	widgetVersion = ddb.NumField(func(w *Widget) *int64 { return &w.Version })
)

func text(s string) types.AttributeValue { return &types.AttributeValueMemberS{Value: s} }

func number(s string) types.AttributeValue { return &types.AttributeValueMemberN{Value: s} }

// Old are items as other libraries write them.
var old = []map[string]types.AttributeValue{
	{ // guregu/dynamo: a set from a map, no empty values
		"id": text("00000001"), "tags": &types.AttributeValueMemberSS{Value: []string{"blue", "red"}},
		"seen": text("2026-01-02T03:04:05.000006+01:00"), "expires": number("1767319445"), "count": number("7"),
	},
	{ // attributevalue without options: a list, NULL for nil
		"id": text("00000002"), "note": text(""), "tags": &types.AttributeValueMemberL{Value: []types.AttributeValue{text("red")}},
		"seen": text("2026-01-02T02:04:05Z"), "count": number("8"),
	},
	{ // version 1 of the SDK: NULL for empty text
		"id": text("00000003"), "note": &types.AttributeValueMemberNULL{Value: true},
		"seen": text("2026-01-02T02:04:05Z"), "count": number("9"),
	},
}

func main() {
	log.SetFlags(0)
	client, stop := ddbtest.Open()
	defer stop()
	if err := run(context.Background(), client); err != nil {
		log.Fatal(err) //nolint:gocritic // the engine dies with the process
	}
}

func run(ctx context.Context, client *dynamodb.Client) error {
	widgets, err := ddb.NewSimple(client, "migrate-widgets", widgetID, ddb.Version(widgetVersion))
	if err != nil {
		return err
	}
	if err := widgets.CreateTable(ctx); err != nil {
		return err
	}
	defer widgets.DeleteTable(context.WithoutCancel(ctx), schema.AllowDelete(widgets.Name())) //nolint:errcheck // only tidies up
	for _, item := range old {
		if _, err := client.PutItem(ctx, &dynamodb.PutItemInput{TableName: aws.String(widgets.Name()), Item: item}); err != nil {
			return err
		}
	}
	if err := layouts(ctx, "before", client, widgets.Name()); err != nil {
		return err
	}
	list, err := widgets.Scan().Consistent().Collect(ctx)
	if err != nil {
		return err
	}
	slices.SortFunc(list, func(a, b Widget) int { return slices.Compare(a.ID[:], b.ID[:]) })
	fmt.Println("read")
	for _, w := range list {
		fmt.Printf("    %x note %q tags %v seen %s count %d\n", w.ID, w.Note, w.Tags, w.Seen.UTC().Format(time.DateTime), w.Count)
	}
	relayout, err := job.New("relayout", widgets, toNewLayout)
	if err != nil {
		return err
	}
	plan, err := relayout.Plan(ctx, 0.01)
	if err != nil {
		return err
	}
	fmt.Printf("plan: %.0f of %.0f items would change\n", plan.Changes.Count, plan.Changes.Scanned)
	for _, pass := range []string{"first pass", "second pass"} {
		r, err := relayout.Run(ctx)
		if err != nil {
			return err
		}
		fmt.Printf("%s: %d rewritten, %d already done, %d failed\n", pass, r.Changed, r.Kept, r.Failed)
	}
	left, err := relayout.Verify(ctx)
	if err != nil {
		return err
	}
	fmt.Println("verified:", left.Changed, "items are left to do")
	if err := layouts(ctx, "after", client, widgets.Name()); err != nil {
		return err
	}

	// From now on a put is guarded.
	w := list[0]
	err = widgets.Put(ctx, &w)
	fmt.Println("a put of what was read before is refused:", errors.Is(err, ddb.ErrConditionFailed))
	if w, err = widgets.Get(ctx, w.ID, ddb.Consistent()); err != nil {
		return err
	}
	w.Count++
	err = widgets.Put(ctx, &w)
	fmt.Println("a put of what is there now is version", w.Version)
	return err
}

// toNewLayout converts an item without a version to the layout of Widget. An update does not change attributes that Widget does not
// know, and increases a missing version from zero to one. The job applies the update only if the item is still as it was read; if an old writer has changed
// the item in the meantime, the job reads it again.
func toNewLayout(w Widget) job.Change[Widget] {
	if w.Version > 0 {
		return job.Keep[Widget]()
	}
	changes := []ddb.Change[Widget]{widgetSeen.Set(w.Seen.UTC())}
	if w.Note == "" {
		changes = append(changes, ddb.Remove(widgetNote))
	}
	if len(w.Tags) > 0 {
		changes = append(changes, widgetTags.Set(w.Tags))
	} else {
		changes = append(changes, ddb.Remove(widgetTags))
	}
	return job.Update(ddb.Changes(changes...))
}

// Layouts prints the stored types.
func layouts(ctx context.Context, title string, client *dynamodb.Client, table string) error {
	fmt.Println(title)
	out, err := client.Scan(ctx, &dynamodb.ScanInput{TableName: aws.String(table)})
	if err != nil {
		return err
	}
	slices.SortFunc(out.Items, func(a, b map[string]types.AttributeValue) int { return strings.Compare(idOf(a), idOf(b)) })
	for _, item := range out.Items {
		fmt.Print("    ", idOf(item), ":")
		for _, name := range slices.Sorted(maps.Keys(item)) {
			fmt.Print(" ", name, " ", strings.TrimPrefix(fmt.Sprintf("%T", item[name]), "*types.AttributeValueMember"))
		}
		fmt.Println()
	}
	return nil
}

func idOf(item map[string]types.AttributeValue) string {
	id, _ := item["id"].(*types.AttributeValueMemberS)
	if id == nil {
		return ""
	}
	return id.Value
}
