// SPDX-License-Identifier: Apache-2.0

package ddb

import (
	"github.com/dynamotable/ddb/hooks"
	"github.com/dynamotable/ddb/internal/core"
)

// PartitionHash returns the hash that reports show for a partition key of the table.
func (t *Table[T, PK, SK]) PartitionHash(pk PK) (hooks.PartitionHash, error) {
	return core.NewRead(core.Index{Core: t.Part()}, &pk).PartitionHash()
}

// PartitionHash returns the hash that reports show for a partition key of the table.
func (t *SimpleTable[T, PK]) PartitionHash(pk PK) (hooks.PartitionHash, error) {
	return core.NewRead(core.Index{Core: t.Part()}, &pk).PartitionHash()
}

// PartitionHash returns the hash that reports show for a partition key of the index.
func (x *Index[T, PK, SK]) PartitionHash(pk PK) (hooks.PartitionHash, error) {
	return core.NewRead((*core.IndexRef)(x).Index(), &pk).PartitionHash()
}

// PartitionHash returns the hash that reports show for a partition key of the index.
func (x *SimpleIndex[T, PK]) PartitionHash(pk PK) (hooks.PartitionHash, error) {
	return core.NewRead((*core.IndexRef)(x).Index(), &pk).PartitionHash()
}
