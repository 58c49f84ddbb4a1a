// SPDX-License-Identifier: Apache-2.0

package core

import "github.com/dynamotable/ddb/internal/retry"

// retrier controls the retries of one piece of work on the table. It starts the clock of MaxElapsed.
func (c *Table) retrier() *retry.Loop { return retry.New(c.retry, c.budget) }

// patientRetrier is for one worker of a batch, which waits when the budget is empty.
func (c *Table) patientRetrier() *retry.Loop {
	return retry.NewPatient(c.retry, c.budget)
}
