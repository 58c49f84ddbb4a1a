// SPDX-License-Identifier: Apache-2.0

package ddb

import (
	"github.com/dynamotable/ddb/hooks"
	"github.com/dynamotable/ddb/internal/core"
)

// PartitionHash returns the hash that reports show for a partition key of the table.
func (t *Table[T, PK, SK]) PartitionHash(pk PK) (hooks.PartitionHash, error) {
	return t.Part().Query(&pk).PartitionHash()
}

// PartitionHash returns the hash that reports show for a partition key of the table.
func (t *SimpleTable[T, PK]) PartitionHash(pk PK) (hooks.PartitionHash, error) {
	return t.Part().Query(&pk).PartitionHash()
}

// PartitionHash returns the hash that reports show for a partition key of the index.
func (x *Index[T, PK, SK]) PartitionHash(pk PK) (hooks.PartitionHash, error) {
	return (*core.IndexRef)(x).Query(&pk).PartitionHash()
}

// PartitionHash returns the hash that reports show for a partition key of the index.
func (x *SimpleIndex[T, PK]) PartitionHash(pk PK) (hooks.PartitionHash, error) {
	return (*core.IndexRef)(x).Query(&pk).PartitionHash()
}
