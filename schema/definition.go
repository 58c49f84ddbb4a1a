// SPDX-License-Identifier: Apache-2.0

package schema

import "github.com/aws/aws-sdk-go-v2/service/dynamodb"

// Definition is all that makes a table: the request that creates it, and what takes requests of its own.
type Definition struct {
	// Create creates the table with its indexes.
	Create *dynamodb.CreateTableInput
	// TTL is the attribute of time to live; empty is none.
	TTL string
	// RecoveryDays is how many days point-in-time recovery reaches back; 0 is off.
	RecoveryDays int32
	// ContributorInsights tells whether CloudWatch counts the keys that are used most.
	ContributorInsights bool
}

// Definition is all that makes the table; nil of a nil Spec.
func (s *Spec) Definition() *Definition {
	if s == nil {
		return nil
	}
	d := &Definition{Create: s.CreateInput(), TTL: s.table.TTL, ContributorInsights: s.insights}
	if s.recovery != nil {
		d.RecoveryDays = deref(s.recovery.RecoveryPeriodInDays)
	}
	return d
}
