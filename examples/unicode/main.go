// SPDX-License-Identifier: Apache-2.0

// Unicode imports the Unicode Character Database, one item for each character,
// and reads it by block, by an index on the general category, page by page and as
// a stream. It runs on the embedded engine, or on the endpoint in
// DYNAMODB_ENDPOINT, with the same output:
//
//	go run ./examples/unicode [folder with UnicodeData.txt and Blocks.txt]
//
// The folder is /usr/share/unicode by default, where Debian's and Ubuntu's
// package unicode-data puts it; the files are also at https://www.unicode.org/Public/UCD/latest/ucd/.
package main

import (
	"context"
	"errors"
	"fmt"
	"log"
	"os"
	"time"

	"github.com/dynamotable/ddb"
	"github.com/dynamotable/ddb/ddbtest"
	"github.com/dynamotable/ddb/schema"
)

// Block is a Unicode block, such as Basic Latin: the partition key.
type Block string

// Char is one row of UnicodeData.txt.
type Char struct {
	Block     Block  `dynamodbav:"block"`
	Code      int32  `dynamodbav:"code"`
	Name      string `dynamodbav:"name"`
	Category  string `dynamodbav:"category"`
	Combining uint8  `dynamodbav:"combining,omitempty"`
	Bidi      string `dynamodbav:"bidi"`
	Decompose string `dynamodbav:"decomposition,omitempty"`
	Numeric   string `dynamodbav:"numeric,omitempty"`
	Upper     int32  `dynamodbav:"upper,omitempty"`
	Lower     int32  `dynamodbav:"lower,omitempty"`
	Seen      int64  `dynamodbav:"seen,omitempty"`
}

var (
	charBlock    = ddb.StrField(func(c *Char) *Block { return &c.Block })
	charCode     = ddb.NumField(func(c *Char) *int32 { return &c.Code })
	charName     = ddb.StrField(func(c *Char) *string { return &c.Name })
	charCategory = ddb.StrField(func(c *Char) *string { return &c.Category })
	charSeen     = ddb.NumField(func(c *Char) *int64 { return &c.Seen })
)

type (
	table = *ddb.Table[Char, Block, int32]
	index = *ddb.Index[Char, string, int32]
)

func main() {
	log.SetFlags(0)
	dir := "/usr/share/unicode"
	if len(os.Args) > 1 {
		dir = os.Args[1]
	}
	chars, err := load(dir)
	if err != nil {
		log.Fatalf("%v\nInstall the package unicode-data (Debian, Ubuntu), or give a folder with UnicodeData.txt and Blocks.txt.", err)
	}
	client, stop := ddbtest.Open()
	defer stop()
	if err := run(context.Background(), client, chars); err != nil {
		log.Fatal(err) //nolint:gocritic // the engine dies with the process
	}
}

func run(ctx context.Context, client ddb.Client, chars []Char) error {
	t, err := ddb.New(client, "unicode", charBlock, charCode)
	if err != nil {
		return err
	}
	byCategory, err := ddb.NewIndex(t, "by-category", charCategory, charCode)
	if err != nil {
		return err
	}
	if err := t.CreateTable(ctx); err != nil {
		return err
	}
	defer t.DeleteTable(context.WithoutCancel(ctx), schema.AllowDelete(t.Name())) //nolint:errcheck // only tidies up

	for _, step := range []func() error{
		func() error { return imports(ctx, t, chars) },
		func() error { return queryBlock(ctx, t) },
		func() error { return pages(ctx, byCategory) },
		func() error { return streams(ctx, t, byCategory) },
		func() error { return updates(ctx, t) },
	} {
		before := ddb.DefaultLedger().Snapshot()
		start := time.Now()
		if err := step(); err != nil {
			return err
		}
		spent := ddb.DefaultLedger().Snapshot().Sub(before)
		for _, e := range spent.ByOperation().Entries {
			fmt.Printf("    %-16s %6d calls %9.1f read units %9.1f write units\n", e.Operation, e.Operations, e.ReadUnits, e.WriteUnits)
		}
		log.Printf("    (%v)", time.Since(start).Round(time.Millisecond)) // to stderr: the output stays the same
	}
	return nil
}

func imports(ctx context.Context, t table, chars []Char) error {
	if err := t.BatchPut(ctx, chars); err != nil {
		return err
	}
	n, err := t.Scan().Parallel(4).Count(ctx)
	if err != nil {
		return err
	}
	fmt.Printf("import: %d characters written, a parallel scan counts %d\n", len(chars), n)
	return nil
}

func queryBlock(ctx context.Context, t table) error {
	q := t.Query("Cyrillic").SortKey(ddb.Between(int32(0x0410), int32(0x044F)))
	letters, err := q.Filter(charName.BeginsWith("CYRILLIC CAPITAL")).Collect(ctx)
	if err != nil {
		return err
	}
	fmt.Print("query: Cyrillic capitals ")
	for _, c := range letters {
		fmt.Print(string(c.Code))
	}
	last, err := t.Query("Currency Symbols").Descending().First(ctx)
	if err != nil {
		return err
	}
	fmt.Printf("\nquery: the last of the currency symbols is U+%04X %s %s\n", last.Code, string(last.Code), last.Name)
	return nil
}

func pages(ctx context.Context, byCategory index) error {
	q := byCategory.Query("Sc").Limit(12)
	var cursor ddb.Cursor[Char]
	for n := 1; ; n++ {
		page, err := q.After(cursor).Page(ctx)
		if err != nil {
			return err
		}
		fmt.Printf("page %d: ", n)
		for _, c := range page.Items {
			fmt.Print(string(c.Code), " ")
		}
		fmt.Println()
		if page.Next.IsZero() {
			return nil
		}
		text := page.Next.String() // the text that a web page would contain
		fmt.Println("    cursor", text)
		if cursor, err = byCategory.ParseCursor(text); err != nil {
			return err
		}
	}
}

func streams(ctx context.Context, t table, byCategory index) error {
	n, longest := 0, Char{}
	for c, err := range t.Query("CJK Compatibility Ideographs").All(ctx) {
		if err != nil {
			return err
		}
		n++
		if len(c.Name) > len(longest.Name) {
			longest = c
		}
	}
	fmt.Printf("stream: %d compatibility ideographs, the first longest name is %s\n", n, longest.Name)
	for _, category := range []string{"Lu", "Ll", "Nd", "So"} {
		n, err := byCategory.Query(category).Count(ctx)
		if err != nil {
			return err
		}
		fmt.Printf("count: %s %d\n", category, n)
	}
	return nil
}

func updates(ctx context.Context, t table) error {
	for _, r := range "Größe, größer" {
		block := Block("Basic Latin")
		if r > 0x7F {
			block = "Latin-1 Supplement"
		}
		if _, err := t.Update(ctx, t.Key(block, r), charSeen.Add(1)); err != nil {
			return err
		}
	}
	c, err := t.Get(ctx, "Basic Latin", 'r')
	if err != nil {
		return err
	}
	_, err = t.Update(ctx, t.Key("Basic Latin", 'r'), charSeen.Set(0), ddb.If(charSeen.Gt(100)))
	fmt.Printf("update: r was seen %d times, reset above 100 is refused: %v\n", c.Seen, errors.Is(err, ddb.ErrConditionFailed))
	return nil
}
