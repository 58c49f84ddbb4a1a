// SPDX-License-Identifier: Apache-2.0

package ddbtest

import (
	"strings"
	"testing"

	"github.com/dynamotable/ddb/ddbtest/internal/protocol"
)

// TestChangesAreRecorded: the requests of every operation that changes tables are recorded in a folder. The others either
// change nothing, or change items, whose changes are recorded as such.
func TestChangesAreRecorded(t *testing.T) {
	t.Parallel()
	items := map[string]bool{
		"PutItem": true, "UpdateItem": true, "DeleteItem": true, "BatchWriteItem": true, "TransactWriteItems": true,
		"ExecuteStatement": true, "BatchExecuteStatement": true, "ExecuteTransaction": true,
	}
	reads := map[string]bool{
		"Query": true, "Scan": true, "SearchVectors": true, "BatchGetItem": true, "TransactGetItems": true,
		"ExportTableToPointInTime": true, // writes to a bucket
	}
	known := make(map[string]bool)
	for _, name := range protocol.Operations() {
		known[name] = true
		reading := reads[name] || strings.HasPrefix(name, "Get") || strings.HasPrefix(name, "Describe") || strings.HasPrefix(name, "List")
		kinds := 0
		for _, is := range []bool{items[name], reading, tableOperations[name]} {
			if is {
				kinds++
			}
		}
		if kinds != 1 {
			t.Errorf("%s is of %d kinds: list it in tableOperations if it changes tables, otherwise in this test", name, kinds)
		}
	}
	for name := range tableOperations {
		if !known[name] {
			t.Errorf("tableOperations has %s, which is no operation", name)
		}
	}
}
