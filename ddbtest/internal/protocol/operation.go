// SPDX-License-Identifier: Apache-2.0

package protocol

import (
	"context"
	"strings"

	"github.com/dynamotable/ddb/ddbtest/internal/engine"
)

// tablePrefix is the prefix of X-Amz-Target for all operations except those of streams.
const tablePrefix = "DynamoDB_20120810."

// operation reads the parameters of one operation, executes it and writes the
// result.
type operation func(ctx context.Context, e *engine.Engine, r *reader) ([]byte, error)

// operations maps targets to operations.
var operations = map[string]operation{
	tablePrefix + "CreateTable":                         createTable,
	tablePrefix + "DescribeTable":                       describeTable,
	tablePrefix + "DeleteTable":                         deleteTable,
	tablePrefix + "UpdateTable":                         updateTable,
	tablePrefix + "UpdateTimeToLive":                    updateTimeToLive,
	tablePrefix + "DescribeTimeToLive":                  describeTimeToLive,
	tablePrefix + "DescribeContinuousBackups":           describeContinuousBackups,
	tablePrefix + "UpdateContinuousBackups":             updateContinuousBackups,
	tablePrefix + "UpdateContributorInsights":           updateContributorInsights,
	tablePrefix + "DescribeContributorInsights":         describeContributorInsights,
	tablePrefix + "ListContributorInsights":             listContributorInsights,
	tablePrefix + "ListBackups":                         listBackups,
	tablePrefix + "ExportTableToPointInTime":            exportTable,
	tablePrefix + "DescribeExport":                      describeExport,
	tablePrefix + "ListExports":                         listExports,
	tablePrefix + "ImportTable":                         importTable,
	tablePrefix + "DescribeImport":                      describeImport,
	tablePrefix + "ListImports":                         listImports,
	tablePrefix + "ListGlobalTables":                    listGlobalTables,
	tablePrefix + "DescribeGlobalTable":                 describeGlobalTable,
	tablePrefix + "DescribeTableReplicaAutoScaling":     describeTableReplicaAutoScaling,
	tablePrefix + "DescribeKinesisStreamingDestination": describeKinesisStreamingDestination,
	tablePrefix + "GetResourcePolicy":                   getResourcePolicy,
	tablePrefix + "TagResource":                         tagResource,
	tablePrefix + "UntagResource":                       untagResource,
	tablePrefix + "ListTagsOfResource":                  listTagsOfResource,
	tablePrefix + "DescribeLimits":                      describeLimits,
	tablePrefix + "DescribeEndpoints":                   describeEndpoints,
	tablePrefix + "ListTables":                          listTables,
	tablePrefix + "PutItem":                             putItem,
	tablePrefix + "GetItem":                             getItem,
	tablePrefix + "UpdateItem":                          updateItem,
	tablePrefix + "DeleteItem":                          deleteItem,
	tablePrefix + "Query":                               query,
	tablePrefix + "Scan":                                scan,
	tablePrefix + "BatchGetItem":                        batchGetItem,
	tablePrefix + "BatchWriteItem":                      batchWriteItem,
	tablePrefix + "SearchVectors":                       searchVectors,
	tablePrefix + "TransactWriteItems":                  transactWriteItems,
	tablePrefix + "TransactGetItems":                    transactGetItems,
	tablePrefix + "ExecuteStatement":                    executeStatement,
	tablePrefix + "BatchExecuteStatement":               batchExecuteStatement,
	tablePrefix + "ExecuteTransaction":                  executeTransaction,
}

// Operations returns the names of all operations on tables and items, in no order.
func Operations() []string {
	names := make([]string, 0, len(operations))
	for target := range operations {
		names = append(names, operationName(target))
	}
	return names
}

// operationName returns the name of the operation in a target.
func operationName(target string) string {
	return target[strings.LastIndexByte(target, '.')+1:]
}

// readInput reads the parameters of an operation.
func readInput[T any](r *reader, s structure[T], in *T) error {
	if !s.read(r, in) && r.err == nil {
		return malformed()
	}
	r.end()
	return r.err
}
