// SPDX-License-Identifier: Apache-2.0

package schema

import "github.com/aws/aws-sdk-go-v2/service/dynamodb"

// Definition is the complete definition of a table: the request that creates it, and the settings that need separate requests.
type Definition struct {
	// Create creates the table with its indexes.
	Create *dynamodb.CreateTableInput
	// TTL is the attribute of time to live; empty means none.
	TTL string
	// RecoveryDays is how many days point-in-time recovery covers; 0 means off.
	RecoveryDays int32
	// ContributorInsights is whether CloudWatch counts the most used keys.
	ContributorInsights bool
}

// Definition returns the complete definition of the table; nil for a nil Spec.
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
