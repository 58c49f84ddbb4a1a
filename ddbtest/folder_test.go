// SPDX-License-Identifier: Apache-2.0

package ddbtest_test

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/dynamotable/ddb/ddbtest"
	"github.com/dynamotable/ddb/internal/longtest"
)

func openFolder(t testing.TB, dir string) (*ddbtest.Engine, *dynamodb.Client) {
	t.Helper()
	e, err := ddbtest.OpenFolder(dir, false)
	if err != nil {
		t.Fatal(err)
	}
	return e, e.Client()
}

// folderTable has indexes of every kind.
func folderTable() *dynamodb.CreateTableInput {
	in := pairTable("things")
	in.AttributeDefinitions = append(in.AttributeDefinitions, attr("a", "S"), attr("n", "N"))
	project := func(kind types.ProjectionType, attributes ...string) *types.Projection {
		return &types.Projection{ProjectionType: kind, NonKeyAttributes: attributes}
	}
	in.GlobalSecondaryIndexes = []types.GlobalSecondaryIndex{
		{IndexName: aws.String("all"), Projection: project("ALL"), KeySchema: []types.KeySchemaElement{key("a", "HASH"), key("n", "RANGE")}},
		{IndexName: aws.String("keys"), Projection: project("KEYS_ONLY"), KeySchema: []types.KeySchemaElement{key("n", "HASH")}},
		{IndexName: aws.String("some"), Projection: project("INCLUDE", "x", "y"), KeySchema: []types.KeySchemaElement{key("a", "HASH")}},
	}
	in.LocalSecondaryIndexes = []types.LocalSecondaryIndex{
		{IndexName: aws.String("local"), Projection: project("INCLUDE", "x"), KeySchema: []types.KeySchemaElement{key("pk", "HASH"), key("n", "RANGE")}},
	}
	return in
}

func secondIndex() *dynamodb.UpdateTableInput {
	return &dynamodb.UpdateTableInput{
		TableName: aws.String("things"), AttributeDefinitions: []types.AttributeDefinition{attr("x", "S")},
		GlobalSecondaryIndexUpdates: []types.GlobalSecondaryIndexUpdate{{Create: &types.CreateGlobalSecondaryIndexAction{
			IndexName: aws.String("later"), Projection: &types.Projection{ProjectionType: "ALL"}, KeySchema: []types.KeySchemaElement{key("x", "HASH")},
		}}},
	}
}

// state returns everything that an engine reports about its tables.
func state(t *rapid.T, client *dynamodb.Client) string {
	ctx := context.Background()
	list, err := client.ListTables(ctx, &dynamodb.ListTablesInput{})
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	for _, name := range list.TableNames {
		description, err := client.DescribeTable(ctx, &dynamodb.DescribeTableInput{TableName: &name})
		if err != nil {
			t.Fatal(err)
		}
		d := description.Table
		fmt.Fprintf(&b, "%s: %d items, %d bytes, made at %v\n", name, *d.ItemCount, *d.TableSizeBytes, d.CreationDateTime)
		indexes := []string{""}
		for _, x := range d.GlobalSecondaryIndexes {
			indexes = append(indexes, *x.IndexName)
			fmt.Fprintf(&b, "%s: %d items, %d bytes, %v %v\n", *x.IndexName, *x.ItemCount, *x.IndexSizeBytes, x.IndexStatus, x.Projection.ProjectionType)
		}
		for _, x := range d.LocalSecondaryIndexes {
			indexes = append(indexes, *x.IndexName)
			fmt.Fprintf(&b, "%s: %d items, %d bytes\n", *x.IndexName, *x.ItemCount, *x.IndexSizeBytes)
		}
		for _, index := range indexes {
			in := &dynamodb.ScanInput{TableName: &name}
			if index != "" {
				in.IndexName = &index
			}
			out, err := client.Scan(ctx, in)
			if err != nil {
				t.Fatal(err)
			}
			for _, it := range out.Items {
				fmt.Fprintf(&b, "%s %s: %s\n", name, index, readable(it))
			}
		}
	}
	return b.String()
}

func readable(it item) string {
	var b strings.Builder
	for _, name := range []string{"pk", "sk", "a", "n", "x", "y", "z"} {
		switch v := it[name].(type) {
		case *types.AttributeValueMemberS:
			fmt.Fprintf(&b, "%s=%q ", name, v.Value)
		case *types.AttributeValueMemberN:
			fmt.Fprintf(&b, "%s=%s ", name, v.Value)
		case nil:
		default:
			fmt.Fprintf(&b, "%s=%T ", name, v)
		}
	}
	return fmt.Sprintf("%d attributes, %s", len(it), &b)
}

// A reopened engine answers as before, whatever was written, even after several restarts.
func TestFolderProperty(t *testing.T) {
	longtest.Checks(t, 8)
	root := t.TempDir()
	run := 0
	rapid.Check(t, func(t *rapid.T) {
		run++
		dir := filepath.Join(root, fmt.Sprint(run))
		e, err := ddbtest.OpenFolder(dir, false)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { e.Close() }()
		ctx, client := context.Background(), e.Client()
		create := func() {
			if _, err := client.CreateTable(ctx, folderTable()); err != nil {
				t.Fatal(err)
			}
		}
		create()
		text := rapid.SampledFrom([]string{"a", "b", "<&>", "\"\\\n", "é\u2028", "}}", strings.Repeat("long ", 200)})
		later := false
		t.Repeat(map[string]func(*rapid.T){
			"": func(*rapid.T) {},
			"put": func(t *rapid.T) {
				it := item{"pk": str(text.Draw(t, "pk")), "sk": str(rapid.SampledFrom([]string{"1", "2", "3"}).Draw(t, "sk"))}
				for _, name := range []string{"a", "n", "x", "y", "z"} {
					if !rapid.Bool().Draw(t, "has "+name) {
						continue
					}
					switch {
					case name == "n":
						it[name] = num(fmt.Sprint(rapid.IntRange(-3, 3).Draw(t, name)))
					case (name == "x" && !later || name == "y") && rapid.Bool().Draw(t, "other type"):
						it[name] = num("7")
					default:
						it[name] = str(text.Draw(t, name))
					}
				}
				if _, err := client.PutItem(ctx, &dynamodb.PutItemInput{TableName: aws.String("things"), Item: it}); err != nil {
					t.Fatal(err)
				}
			},
			"delete": func(t *rapid.T) {
				k := item{"pk": str(text.Draw(t, "pk")), "sk": str(rapid.SampledFrom([]string{"1", "2", "3"}).Draw(t, "sk"))}
				if _, err := client.DeleteItem(ctx, &dynamodb.DeleteItemInput{TableName: aws.String("things"), Key: k}); err != nil {
					t.Fatal(err)
				}
			},
			"index": func(t *rapid.T) {
				if later {
					t.Skip("there already")
				}
				later = true
				if _, err := client.UpdateTable(ctx, secondIndex()); err != nil {
					t.Fatal(err)
				}
			},
			"again": func(t *rapid.T) {
				if _, err := client.DeleteTable(ctx, &dynamodb.DeleteTableInput{TableName: aws.String("things")}); err != nil {
					t.Fatal(err)
				}
				later = false
				create()
			},
			"restart": func(t *rapid.T) {
				before := state(t, client)
				e.Close()
				if e, err = ddbtest.OpenFolder(dir, false); err != nil {
					t.Fatal(err)
				}
				client = e.Client()
				if damage := e.Damage(); damage != (ddbtest.Damage{}) {
					t.Errorf("damage: %+v", damage)
				}
				if diff := cmp.Diff(before, state(t, client)); diff != "" {
					t.Errorf("after a restart (-before +after):\n%s", diff)
				}
			},
		})
	})
}

// Unreadable records are left out and reported, all others are read, and the original file is kept.
func TestFolderDamage(t *testing.T) {
	dir := t.TempDir()
	e, client := openFolder(t, dir)
	mustCreate(t, client, pairTable("first"))
	mustCreate(t, client, pairTable("second"))
	for i := range 3 {
		mustPut(t, client, "first", item{"pk": str("a"), "sk": str(fmt.Sprint(i))})
		mustPut(t, client, "second", item{"pk": str("a"), "sk": str(fmt.Sprint(i))})
	}
	e.Close()
	file := filepath.Join(dir, "journal")
	whole, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	lines := bytes.SplitAfter(whole, []byte{'\n'})
	for _, c := range []struct {
		name  string
		spoil func() []byte
		items map[string]int
		lost  ddbtest.Damage
	}{
		{"the end is cut", func() []byte { return whole[:len(whole)-5] }, map[string]int{"first": 3, "second": 2}, ddbtest.Damage{Records: 1, Bytes: int64(len(lines[7]) - 5)}},
		{"zeroes at the end", func() []byte { return append(bytes.Clone(whole), make([]byte, 4096)...) }, map[string]int{"first": 3, "second": 3}, ddbtest.Damage{Records: 1, Bytes: 4096}},
		{
			"an item", func() []byte { return bytes.Replace(whole, []byte(`"sk":{"S":"1"}`), []byte(`"sk":{"S":"9"}`), 1) },
			map[string]int{"first": 2, "second": 3},
			ddbtest.Damage{Records: 1, Bytes: int64(len(lines[4]))},
		},
		{
			"a table", func() []byte { return bytes.Replace(whole, []byte("first"), []byte("fir t"), 1) },
			map[string]int{"second": 3},
			ddbtest.Damage{Records: 4, Bytes: int64(len(lines[0]) + len(lines[2]) + len(lines[4]) + len(lines[6]))},
		},
	} {
		spoilt := c.spoil()
		if err := os.WriteFile(file, spoilt, 0o600); err != nil {
			t.Fatal(err)
		}
		for round := range 2 {
			e, client := openFolder(t, dir)
			damage := e.Damage()
			if round == 0 {
				kept, err := os.ReadFile(damage.Kept)
				if err != nil || !bytes.Equal(kept, spoilt) {
					t.Errorf("%s: the copy %q differs from the file as it was: %v", c.name, damage.Kept, err)
				}
				damage.Kept = ""
				if damage != c.lost {
					t.Errorf("%s: damage %+v, want %+v", c.name, damage, c.lost)
				}
			} else if damage != (ddbtest.Damage{}) {
				t.Errorf("%s: damage at the next start: %+v", c.name, damage)
			}
			list, err := client.ListTables(t.Context(), &dynamodb.ListTablesInput{})
			if err != nil || len(list.TableNames) != len(c.items) {
				t.Errorf("%s: tables %v, %v", c.name, list, err)
			}
			for table, want := range c.items {
				out, err := client.Scan(t.Context(), &dynamodb.ScanInput{TableName: &table})
				if err != nil || int(out.Count) != want {
					t.Errorf("%s: %v, %v in %s, want %d", c.name, out, err, table, want)
				}
			}
			e.Close()
		}
	}
}

// The file is rewritten when most of it is obsolete, and otherwise not.
func TestFolderIsCompacted(t *testing.T) {
	dir := t.TempDir()
	size := func() int64 {
		info, err := os.Stat(filepath.Join(dir, "journal"))
		if err != nil {
			t.Fatal(err)
		}
		return info.Size()
	}
	e, client := openFolder(t, dir)
	mustCreate(t, client, pairTable("things"))
	for i := range 900 {
		mustPut(t, client, "things", item{"pk": str("a"), "sk": str("b"), "n": num(fmt.Sprint(i))})
	}
	e.Close()
	before := size()
	e, client = openFolder(t, dir)
	if size() != before {
		t.Errorf("a file with 900 records was rewritten: %d bytes, %d before", size(), before)
	}
	for i := range 900 {
		mustPut(t, client, "things", item{"pk": str("a"), "sk": str("b"), "n": num(fmt.Sprint(i))})
	}
	e.Close()
	e, client = openFolder(t, dir)
	defer e.Close()
	if size() > before/100 {
		t.Errorf("the file has %d bytes, %d before", size(), before)
	}
	got, err := client.GetItem(t.Context(), &dynamodb.GetItemInput{TableName: aws.String("things"), Key: item{"pk": str("a"), "sk": str("b")}})
	if err != nil || len(got.Item) != 3 {
		t.Errorf("the item is %v, %v", got, err)
	}
}
