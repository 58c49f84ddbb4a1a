// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"bytes"
	"context"
	"encoding/json"
	"strconv"
	"strings"
)

// The operations of this file are those that provisioning code calls to find out that there is nothing: backups, exports,
// imports, replicas and Kinesis streams, which the engine lacks. What makes them is refused as an unknown operation.

// ListBackupsInput holds the parameters of ListBackups.
type ListBackupsInput struct {
	TableName               *string
	BackupType              *string
	ExclusiveStartBackupArn *string
	Limit                   *int64
}

// BackupList is a list of backups in the form of the wire.
type BackupList struct {
	BackupSummaries []struct{}
}

// ListBackups lists no backups, also of a table that there is not.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_ListBackups.html
func (e *Engine) ListBackups(_ context.Context, in *ListBackupsInput) (*BackupList, error) {
	var c constraints
	if in.TableName != nil {
		c.tableName("tableName", in.TableName)
	}
	if in.ExclusiveStartBackupArn != nil {
		c.length("exclusiveStartBackupArn", *in.ExclusiveStartBackupArn, 37, 1024)
	}
	c.atLeast("limit", in.Limit, 1)
	c.atMost("limit", in.Limit, 100)
	c.enum("backupType", in.BackupType, "[USER, SYSTEM, AWS_BACKUP, ALL]")
	if err := c.err(); err != nil {
		return nil, err
	}
	return &BackupList{BackupSummaries: []struct{}{}}, nil
}

// ListGlobalTablesInput holds the parameters of ListGlobalTables.
type ListGlobalTablesInput struct {
	ExclusiveStartGlobalTableName *string
	Limit                         *int64
}

// GlobalTableList is a list of global tables in the form of the wire.
type GlobalTableList struct {
	GlobalTables []struct{}
}

// ListGlobalTables lists no global tables.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_ListGlobalTables.html
func (e *Engine) ListGlobalTables(_ context.Context, in *ListGlobalTablesInput) (*GlobalTableList, error) {
	var c constraints
	if in.ExclusiveStartGlobalTableName != nil {
		c.newName("exclusiveStartGlobalTableName", in.ExclusiveStartGlobalTableName)
	}
	c.atLeast("limit", in.Limit, 1)
	if err := c.err(); err != nil {
		return nil, err
	}
	return &GlobalTableList{GlobalTables: []struct{}{}}, nil
}

// DescribeGlobalTable finds no global table.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_DescribeGlobalTable.html
// https://github.com/aws-controllers-k8s/dynamodb-controller/tree/main/docs/api-quirks (table-global-tables.md)
func (e *Engine) DescribeGlobalTable(_ context.Context, name *string) error {
	var c constraints
	c.required("globalTableName", name != nil)
	if err := c.err(); err != nil {
		return err
	}
	if len(*name) < 3 || len(*name) > 255 {
		return invalid("TableName must be at least 3 characters long and at most 255 characters long")
	}
	return &Error{Type: GlobalTableNotFoundException, Message: "Global table not found: Global table with name: '" + *name + "' does not exist."}
}

// DescribeTableReplicaAutoScaling finds no replicas, which the service reports for a table in one Region as for no table.
//
// https://github.com/aws-controllers-k8s/dynamodb-controller/tree/main/docs/api-quirks (DDB-TABLE-254, DDB-TABLE-446)
func (e *Engine) DescribeTableReplicaAutoScaling(_ context.Context, name *string) error {
	var c constraints
	c.tableName("tableName", name)
	if err := c.err(); err != nil {
		return err
	}
	return &Error{Type: ResourceNotFoundException, Message: "Global table with name: '" + tableOf(*name) + "' does not exist."}
}

// KinesisDestinations are the Kinesis streams of a table in the form of the wire.
type KinesisDestinations struct {
	TableName                     string
	KinesisDataStreamDestinations []struct{}
}

// DescribeKinesisStreamingDestination lists no Kinesis streams of a table.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_DescribeKinesisStreamingDestination.html
func (e *Engine) DescribeKinesisStreamingDestination(_ context.Context, name *string) (*KinesisDestinations, error) {
	var c constraints
	c.tableName("tableName", name)
	if err := c.err(); err != nil {
		return nil, err
	}
	t := e.lookup(*name)
	if t == nil {
		return nil, tableNotFound(tableOf(*name))
	}
	return &KinesisDestinations{TableName: t.name, KinesisDataStreamDestinations: []struct{}{}}, nil
}

// ResourcePolicy is the policy of a resource in the form of the wire.
type ResourcePolicy struct {
	Policy     string
	RevisionID string `json:"RevisionId"`
}

// GetResourcePolicy returns the policy that a table was created with. It has no effect.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_GetResourcePolicy.html
// https://github.com/aws-controllers-k8s/dynamodb-controller/tree/main/docs/api-quirks (DDB-TABLE-205, DDB-TABLE-212)
func (e *Engine) GetResourcePolicy(_ context.Context, arn *string) (*ResourcePolicy, error) {
	var c constraints
	c.resource(arn)
	if err := c.err(); err != nil {
		return nil, err
	}
	region, account, resource, err := resourceParts(*arn)
	switch {
	case err != nil:
		return nil, err
	case account != e.account:
		return nil, invalid("This action is only supported by accounts that match the resource owner’s account.")
	case region != e.region:
		return nil, invalidParameter("Invalid resource Arn: %s", *arn)
	}
	name, stream, streams := strings.Cut(strings.TrimPrefix(resource, "table/"), "/stream/")
	t := e.lookup(name)
	switch {
	case t == nil:
		return nil, tableNotFound(name)
	case streams && t.StreamARN() != *arn:
		return nil, &Error{Type: ResourceNotFoundException, Message: "Requested resource not found: Stream: " + stream + " not found for Table: " + name}
	case streams || t.policy == "":
		return nil, &Error{Type: PolicyNotFoundException, Message: "Resource-based policy not found for the provided ResourceArn: " + *arn}
	}
	return &ResourcePolicy{Policy: t.policy, RevisionID: strconv.FormatInt(t.created.UnixMilli(), 10)}, nil
}

// compacted returns a policy without the spaces between its parts.
func compacted(policy *string) string {
	var b bytes.Buffer
	if json.Compact(&b, []byte(text(policy))) != nil {
		return text(policy)
	}
	return b.String()
}
