// SPDX-License-Identifier: Apache-2.0

package ddb

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/dynamotable/ddb/hooks"
	"github.com/dynamotable/ddb/internal/itemid"
	"github.com/dynamotable/ddb/internal/operr"
	"github.com/dynamotable/ddb/internal/partition"
	"github.com/dynamotable/ddb/internal/tablename"
)

// PartitionHash returns the hash that reports show for a partition key of the table.
func (t *Table[T, PK, SK]) PartitionHash(pk PK) (hooks.PartitionHash, error) {
	return newRead(index{core: t.part()}, &pk).partitionHash()
}

// PartitionHash returns the hash that reports show for a partition key of the table.
func (t *SimpleTable[T, PK]) PartitionHash(pk PK) (hooks.PartitionHash, error) {
	return newRead(index{core: t.part()}, &pk).partitionHash()
}

// PartitionHash returns the hash that reports show for a partition key of the index.
func (x *Index[T, PK, SK]) PartitionHash(pk PK) (hooks.PartitionHash, error) {
	return newRead((*indexRef)(x).index(), &pk).partitionHash()
}

// PartitionHash returns the hash that reports show for a partition key of the index.
func (x *SimpleIndex[T, PK]) PartitionHash(pk PK) (hooks.PartitionHash, error) {
	return newRead((*indexRef)(x).index(), &pk).partitionHash()
}

func (r *read) partitionHash() (hooks.PartitionHash, error) {
	if err := r.core.usable(); err != nil {
		return 0, err
	}
	if err := operr.Invalid(r.errs...); err != nil {
		return 0, operr.New("PartitionHash", r.core.name, r.index.label(), err)
	}
	return hashOf(tablename.Short(r.core.name), r.index.label(), r.partitionID()), nil
}

// partitionID returns the partition key as keyID writes it, with all its attributes.
func (r *read) partitionID() []byte {
	var id []byte
	for _, v := range r.partition {
		id = itemid.AppendValue(id, v)
	}
	return id
}

// partitions returns the hashes of the partition keys of the request.
func (s *requestInfo) partitions(c *core) []hooks.PartitionHash {
	switch {
	case s.read != nil:
		if s.read.scan {
			return nil
		}
		return []hooks.PartitionHash{hashOf(tablename.Short(c.name), s.index.label(), s.read.partitionID())}
	case s.entries != nil:
		all := make([]hooks.PartitionHash, len(s.entries))
		for i, e := range s.entries {
			all[i] = hashOf(tablename.Short(c.name), "", firstPart(e.key))
		}
		return all
	case s.actions != nil:
		all := make([]hooks.PartitionHash, len(s.actions))
		for i, a := range s.actions {
			all[i] = hashOf(tablename.Short(a.core.name), "", firstPart(a.id))
		}
		return all
	}
	id := s.id
	if s.keyMap != nil {
		id = c.keyNames.AppendMap(nil, s.keyMap)
	} else if s.key != nil {
		id, _ = c.keyNames.Append(nil, s.key)
	}
	return []hooks.PartitionHash{hashOf(tablename.Short(c.name), "", firstPart(string(id)))}
}

// firstPart cuts the partition key out of a key's id.
func firstPart(id string) string {
	head, rest, ok := strings.Cut(id, ":")
	if !ok || head == "" {
		return id
	}
	n, err := strconv.Atoi(head[1:])
	if err != nil || n > len(rest) {
		return id
	}
	return id[:len(head)+1+n]
}

// locate adds to an error where the item is that could not be read.
func (c *core) locate(item []byte) string {
	id, err := c.keyNames.Append(nil, item)
	if err != nil {
		return ""
	}
	return fmt.Sprintf("the PartitionHash of its key is %v", hashOf(c.name, "", firstPart(string(id))))
}

// hashOf returns the hash of the partition key with an identity.
func hashOf[S string | []byte](table, index string, id S) hooks.PartitionHash {
	return hooks.PartitionHash(partition.Hash(table, index, id))
}
