// SPDX-License-Identifier: Apache-2.0

package ddbtest_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/dynamotable/ddb/ddbtest"
)

// shuffled returns an engine with 20 items in 20 partitions, all with the same
// key in a global and a local index.
func shuffled(t *testing.T, opts ...ddbtest.Option) *ddbtest.Engine {
	t.Helper()
	e := ddbtest.NewEngine(opts...)
	t.Cleanup(e.Close)
	mustAnswer(t, e, "CreateTable", ruleTables[2])
	for i := range 20 {
		mustAnswer(t, e, "PutItem", fmt.Sprintf(`{"TableName":"pair","Item":{"p":{"S":"p%02d"},"s":{"S":"s"},"g":{"S":"x"}}}`, i))
		mustAnswer(t, e, "PutItem", fmt.Sprintf(`{"TableName":"pair","Item":{"p":{"S":"local"},"s":{"S":"s%02d"},"n":{"N":"1"}}}`, i))
	}
	return e
}

// readPages reads all pages and returns the keys of the items in their order.
func readPages(t *testing.T, e *ddbtest.Engine, operation, body string) []string {
	t.Helper()
	var keys []string
	start := ""
	for {
		var page struct {
			Items            []map[string]map[string]string
			LastEvaluatedKey json.RawMessage
		}
		if err := json.Unmarshal([]byte(mustAnswer(t, e, operation, body+start+"}")), &page); err != nil {
			t.Fatal(err)
		}
		for _, it := range page.Items {
			keys = append(keys, it["p"]["S"]+"/"+it["s"]["S"])
		}
		if page.LastEvaluatedKey == nil {
			return keys
		}
		start = `,"ExclusiveStartKey":` + string(page.LastEvaluatedKey)
	}
}

func TestShuffle(t *testing.T) {
	batch := `{"RequestItems":{"pair":{"Keys":[` + listOf(20, func(i int) string { return fmt.Sprintf(`{"p":{"S":"p%02d"},"s":{"S":"s"}}`, i) }) + `]}}}`
	reads := map[string]func(e *ddbtest.Engine) []string{
		"scan": func(e *ddbtest.Engine) []string { return readPages(t, e, "Scan", `{"TableName":"pair"`) },
		"equal keys of a global index": func(e *ddbtest.Engine) []string {
			return readPages(t, e, "Query", `{"TableName":"pair","IndexName":"global","KeyConditionExpression":"g = :g","ExpressionAttributeValues":{":g":{"S":"x"}},"Limit":3`)
		},
		"equal keys of a local index": func(e *ddbtest.Engine) []string {
			return readPages(t, e, "Query", `{"TableName":"pair","IndexName":"local","KeyConditionExpression":"p = :p","ExpressionAttributeValues":{":p":{"S":"local"}},"Limit":3`)
		},
		"batch": func(e *ddbtest.Engine) []string {
			return strings.Split(mustAnswer(t, e, "BatchGetItem", batch), `},{"g"`)
		},
	}
	plain, one, again, two := shuffled(t), shuffled(t, ddbtest.WithShuffle(), ddbtest.WithSeed(1)), shuffled(t, ddbtest.WithShuffle(), ddbtest.WithSeed(1)), shuffled(t, ddbtest.WithShuffle(), ddbtest.WithSeed(2))
	for name, read := range reads {
		first, repeated, other, usual := read(one), read(again), read(two), read(plain)
		if !slices.Equal(first, repeated) {
			t.Errorf("%s: the seed does not repeat the order: %v, %v", name, first, repeated)
		}
		if slices.Equal(first, other) || slices.Equal(first, usual) {
			t.Errorf("%s: another seed, or none, gives the same order: %v", name, first)
		}
		if name == "batch" {
			continue // other checks need the items one by one
		}
		slices.Sort(first)
		slices.Sort(usual)
		if !slices.Equal(first, usual) {
			t.Errorf("%s: other items: %v, want %v", name, first, usual)
		}
	}
	// The partition keeps its order, and so does a query in reverse.
	query := `{"TableName":"pair","KeyConditionExpression":"p = :p","ExpressionAttributeValues":{":p":{"S":"local"}},"Limit":7`
	if keys := readPages(t, one, "Query", query); len(keys) != 20 || !slices.IsSorted(keys) {
		t.Errorf("a partition: %v", keys)
	}
	index := `{"TableName":"pair","IndexName":"global","KeyConditionExpression":"g = :g","ExpressionAttributeValues":{":g":{"S":"x"}},"Limit":4`
	forward, backward := readPages(t, one, "Query", index), readPages(t, one, "Query", index+`,"ScanIndexForward":false`)
	slices.Reverse(backward)
	if !slices.Equal(forward, backward) {
		t.Errorf("the reverse query is not the reverse of %v: %v", forward, backward)
	}
}
