// SPDX-License-Identifier: Apache-2.0

package main

import (
	"strings"
)

// difference is a part of an operation's replies that the second engine
// gets wrong; comparisons leave it out. Different replies to single requests are next to the requests, in
// testdata.
type difference struct {
	operation string // "" for any
	part      string // names of members, joined by a dot
	source    string // the source
}

var knownDifferences = []difference{
	{
		operation: "Scan", part: "ConsumedCapacity.LocalSecondaryIndexes", // it counts the table instead
		source: "https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_ConsumedCapacity.html",
	},
	{
		operation: "Scan", part: "ConsumedCapacity.Table",
		source: "https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_ConsumedCapacity.html",
	},
	{
		operation: "TransactWriteItems", part: "ItemCollectionMetrics", // it has none
		source: "https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactWriteItems.html",
	},
	{
		part:   "TableDescription.WarmThroughput",
		source: "https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TableDescription.html",
	},
	{
		part:   "TableDescription.DeletionProtectionEnabled", // it leaves out false
		source: "https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TableDescription.html",
	},
}

// withoutDifferences drops the parts that the second engine gets wrong.
func withoutDifferences(operation string, body any) any {
	for _, d := range knownDifferences {
		if d.operation == "" || d.operation == operation {
			drop(body, strings.Split(d.part, "."))
		}
	}
	firstInvalid(body)
	return body
}

// firstInvalid keeps the first of several reasons ValidationError of a cancelled transaction: the second engine names every invalid action, ours stops at
// the first, as ddbtest/internal/engine/transactwrite.go explains.
func firstInvalid(body any) {
	m, _ := body.(map[string]any)
	reasons, _ := m["CancellationReasons"].([]any)
	found := false
	for _, r := range reasons {
		reason, ok := r.(map[string]any)
		if !ok || reason["Code"] != "ValidationError" {
			continue
		}
		if found {
			reason["Code"] = "None"
			delete(reason, "Message")
		}
		found = true
	}
}

func drop(body any, path []string) {
	m, ok := body.(map[string]any)
	switch {
	case !ok:
	case len(path) == 1:
		delete(m, path[0])
	default:
		drop(m[path[0]], path[1:])
	}
}

// wordless drops the messages, whose texts the second engine often invents,
// and keeps the types of errors and the codes of cancellation reasons.
func wordless(a answer) answer {
	m, ok := a.Body.(map[string]any)
	if !ok {
		return a
	}
	drop(m, []string{"message"})
	drop(m, []string{"Message"})
	if reasons, ok := m["CancellationReasons"].([]any); ok {
		for _, r := range reasons {
			drop(r, []string{"Message"})
		}
	}
	return a
}
