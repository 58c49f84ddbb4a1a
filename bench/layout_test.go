// SPDX-License-Identifier: Apache-2.0

package bench_test

import (
	"encoding/hex"
	"encoding/json"
	"maps"
	"reflect"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/guregu/dynamo/v2"

	"github.com/dynamotable/ddb"
	"github.com/dynamotable/ddb/ddbtest"
	"github.com/dynamotable/ddb/typeditem"
)

// code has text methods, like a UUID.
type code [4]byte

func (c code) MarshalText() ([]byte, error) { return hex.AppendEncode(nil, c[:]), nil }

func (c *code) UnmarshalText(text []byte) error { _, err := hex.Decode(c[:], text); return err }

type inner struct{ City string }

// theirs is an item with the tags of guregu/dynamo, ours the same item
// with the tags by which docs/guides/from-guregu.md replaces them.
type theirs struct {
	ID       int
	Name     string `dynamo:"name"`
	Empty    string
	Kept     string              `dynamo:",allowempty"`
	Zero     int                 `dynamo:",omitempty"`
	Set      []string            `dynamo:",set"`
	Numbers  []int               `dynamo:",set"`
	NoSet    []string            `dynamo:",set"`
	MapSet   map[string]struct{} `dynamo:",set"`
	Code     code
	At       time.Time
	Expires  time.Time `dynamo:",unixtime"`
	Never    time.Time `dynamo:",unixtime"`
	NoTime   time.Time `dynamo:",omitempty"`
	Pointer  *inner
	Missing  *int
	Null     *int `dynamo:",null"`
	Bytes    []byte
	NoBytes  []byte
	List     []inner
	Map      map[string]int
	NoMap    map[string]int
	NoStruct inner `dynamo:",omitempty"`
	Private  int   `dynamo:"-"`
}

type ours struct {
	ID       int
	Name     string `dynamodbav:"name"`
	Empty    string `dynamodbav:",omitempty"`
	Kept     string
	Zero     int       `dynamodbav:",omitempty"`
	Set      []string  `dynamodbav:",stringset,omitempty"`
	Numbers  []int     `dynamodbav:",numberset,omitempty"`
	NoSet    []string  `dynamodbav:",stringset,omitempty"`
	MapSet   []string  `dynamodbav:",stringset,omitempty"`
	Code     code      `dynamodbav:",text"`
	At       time.Time `dynamodbav:",sdktime"`
	Expires  time.Time `dynamodbav:",unixtime,omitzero"`
	Never    time.Time `dynamodbav:",unixtime,omitzero"`
	NoTime   time.Time `dynamodbav:",omitzero"`
	Pointer  *inner    `dynamodbav:",omitempty"`
	Missing  *int      `dynamodbav:",omitempty"`
	Null     *int
	Bytes    []byte `dynamodbav:",omitempty"`
	NoBytes  []byte `dynamodbav:",omitempty"`
	List     []inner
	Map      map[string]int `dynamodbav:",omitempty"`
	NoMap    map[string]int `dynamodbav:",omitempty"`
	NoStruct inner          `dynamodbav:",omitzero"`
	Private  int            `dynamodbav:"-"`
}

// TestLayoutOfGuregu: with the tags of the guide a struct reads what guregu/dynamo wrote and
// stores the same attributes, type by type, which guregu/dynamo can read.
func TestLayoutOfGuregu(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 1, 2, 3, 4, 5, 6000, time.UTC)
	before := theirs{
		ID: 7, Name: "n", Set: []string{"a", "b"}, Numbers: []int{1, 2}, MapSet: map[string]struct{}{"x": {}}, Code: code{1, 2, 3, 4},
		At: at, Expires: at.Truncate(time.Second), Pointer: &inner{"Bonn"}, Bytes: []byte{1}, List: []inner{{"Rome"}}, Map: map[string]int{"a": 1}, Private: 1,
	}
	written, err := dynamo.MarshalItem(before)
	if err != nil {
		t.Fatal(err)
	}
	item, err := typeditem.Decode[ours](written)
	if err != nil {
		t.Fatal(err)
	}
	want := ours{
		ID: 7, Name: "n", Set: []string{"a", "b"}, Numbers: []int{1, 2}, MapSet: []string{"x"}, Code: code{1, 2, 3, 4},
		At: at, Expires: at.Truncate(time.Second), Pointer: &inner{"Bonn"}, Bytes: []byte{1}, List: []inner{{"Rome"}}, Map: map[string]int{"a": 1},
	}
	if got, want := text(t, item), text(t, want); got != want {
		t.Errorf("read\n%s, want\n%s", got, want)
	}

	client := ddbtest.New(t)
	table, err := ddb.NewSimple(client, "items", ddb.NumField(func(o *ours) *int { return &o.ID }))
	if err == nil {
		err = table.CreateTable(t.Context())
	}
	if err == nil {
		err = table.Put(t.Context(), &item)
	}
	if err != nil {
		t.Fatal(err)
	}
	key := map[string]types.AttributeValue{"ID": &types.AttributeValueMemberN{Value: "7"}}
	out, err := client.GetItem(t.Context(), &dynamodb.GetItemInput{TableName: aws.String("items"), Key: key})
	if err != nil {
		t.Fatal(err)
	}
	stored := maps.Clone(out.Item)
	for name, av := range written {
		if !reflect.DeepEqual(out.Item[name], av) {
			t.Errorf("%s: they store %#v, we store %#v", name, av, out.Item[name])
		}
		delete(out.Item, name)
	}
	for name, av := range out.Item {
		t.Errorf("%s: we store %#v, they leave it out", name, av)
	}
	var back theirs
	if err := dynamo.UnmarshalItem(stored, &back); err != nil {
		t.Fatal(err)
	}
	before.Private = 0
	if got, want := text(t, back), text(t, before); got != want {
		t.Errorf("read back by guregu/dynamo\n%s, want\n%s", got, want)
	}
}

// text prints the values of pointers, and times without their locations.
func text(t *testing.T, v any) string {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
