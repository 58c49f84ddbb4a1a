// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/json"
	"fmt"
	"strings"
)

// named lists the tables that a request names. It fails for a request whose tables it cannot find out; the request is then not sent.
func named(operation string, body []byte) ([]string, error) {
	switch operation {
	case "ListTables", "DescribeLimits", "DescribeEndpoints", "ListStreams":
		return nil, nil // they read no table's data
	case "ExecuteStatement", "BatchExecuteStatement", "ExecuteTransaction":
		return nil, fmt.Errorf("%s names its tables in a statement", operation)
	}
	var request struct {
		TableName     string                     `json:"TableName"`
		TableARN      string                     `json:"TableArn"`
		ResourceARN   string                     `json:"ResourceArn"`
		StreamARN     string                     `json:"StreamArn"`
		RequestItems  map[string]json.RawMessage `json:"RequestItems"`
		TransactItems []map[string]struct {
			TableName string `json:"TableName"`
		} `json:"TransactItems"`
	}
	if err := json.Unmarshal(body, &request); err != nil {
		return nil, fmt.Errorf("%s: the body is no request: %w", operation, err)
	}
	if operation == "GetRecords" {
		return nil, nil // its iterator comes from a stream that was named before
	}
	var names []string
	for _, name := range []string{request.TableName, request.TableARN, request.ResourceARN, request.StreamARN} {
		if name != "" {
			names = append(names, tableOf(name))
		}
	}
	for name := range request.RequestItems {
		names = append(names, tableOf(name))
	}
	for _, item := range request.TransactItems {
		for _, op := range item {
			names = append(names, tableOf(op.TableName))
		}
	}
	if len(names) == 0 {
		return nil, fmt.Errorf("%s names no table", operation)
	}
	return names, nil
}

// tableOf is the table's name in an ARN of a table, an index or a stream; a name is itself.
func tableOf(name string) string {
	if _, after, ok := strings.Cut(name, ":table/"); ok && strings.HasPrefix(name, "arn:") {
		name, _, _ = strings.Cut(after, "/")
	}
	return name
}
