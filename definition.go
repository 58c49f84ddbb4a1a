// SPDX-License-Identifier: Apache-2.0

package ddb

import (
	"fmt"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
)

// TableDefinition is all that makes a table: the request that creates it, and what takes requests of its own.
type TableDefinition struct {
	// Create creates the table with its indexes.
	Create *dynamodb.CreateTableInput
	// TTL is the attribute of time to live; empty is none.
	TTL string
	// RecoveryDays is how many days point-in-time recovery reaches back; 0 is off.
	RecoveryDays int32
	// ContributorInsights tells whether CloudWatch counts the keys that are used most.
	ContributorInsights bool
}

// Definition describes a table as [Table.CreateTable] would make it, with all indexes made for it so far and the settings of the options, for tools that
// deploy tables: package definition writes it for CloudFormation, Terraform and CDK. For a table with items of several types give the
// [SharedTable], which has the indexes of all. Nothing is sent, and the table needs no client. The result is the caller's to change.
//
// The error matches [ErrInvalid] and names all options that are wrong at once.
func Definition(table Ensurer, opts ...SchemaOption) (*TableDefinition, error) {
	var c *core
	switch t := table.(type) {
	case *SharedTable:
		c = t.tableCore()
	case TablePart:
		c = t.part()
	default:
		return nil, opError("Definition", "", "", invalid(fmt.Errorf("%T is no table of this package", table)))
	}
	if err := c.usable(); err != nil {
		return nil, opError("Definition", c.label(), "", err)
	}
	s := newTableSpec(c, opts)
	if err := invalid(s.errs...); err != nil {
		return nil, opError("Definition", c.label(), "", err)
	}
	d := &TableDefinition{Create: s.createInput(), TTL: c.ttlAttribute(), ContributorInsights: s.insights}
	if s.recovery != nil {
		d.RecoveryDays = deref(s.recovery.RecoveryPeriodInDays)
	}
	return d, nil
}
