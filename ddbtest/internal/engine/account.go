// SPDX-License-Identifier: Apache-2.0

package engine

import "context"

// Limits are the account's limits in wire format.
type Limits struct {
	AccountMaxReadCapacityUnits  int64
	AccountMaxWriteCapacityUnits int64
	TableMaxReadCapacityUnits    int64
	TableMaxWriteCapacityUnits   int64
}

// DescribeLimits returns the limits that a new account has.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/ServiceQuotas.html
func (e *Engine) DescribeLimits(context.Context) *Limits {
	return &Limits{
		AccountMaxReadCapacityUnits:  80_000,
		AccountMaxWriteCapacityUnits: 80_000,
		TableMaxReadCapacityUnits:    40_000,
		TableMaxWriteCapacityUnits:   40_000,
	}
}
