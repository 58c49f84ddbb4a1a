// SPDX-License-Identifier: Apache-2.0

package ddb

import (
	"github.com/dynamotable/ddb/hooks"
	"github.com/dynamotable/ddb/internal/core"
)

// WithHook makes a hook see the requests of one table, in addition to those of [hooks.Add]. If several tables of a transaction
// have the same hook, it sees the transaction once.
func WithHook(h hooks.Hook) TableOption { return core.WithHookOption(h) }
