// SPDX-License-Identifier: Apache-2.0

package core

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

// hashOf returns the hash of the partition key with an identity.
func hashOf[S string | []byte](table, index string, id S) hooks.PartitionHash {
	return hooks.PartitionHash(partition.Hash(table, index, id))
}

// PartitionHash returns the hash of the partition key that the query reads.
func (r *Read) PartitionHash() (hooks.PartitionHash, error) {
	if err := r.Core.Usable(); err != nil {
		return 0, err
	}
	if err := operr.Invalid(r.errs...); err != nil {
		return 0, operr.New("PartitionHash", r.Core.Name, r.Index.Label(), err)
	}
	return hashOf(tablename.Short(r.Core.Name), r.Index.Label(), r.partitionID()), nil
}

// partitionID returns the partition key as itemid.Key.ID writes it, with all its attributes.
func (r *Read) partitionID() []byte {
	var id []byte
	for _, v := range r.partition {
		id = itemid.AppendValue(id, v)
	}
	return id
}

// partitions returns the hashes of the partition keys of the request.
func (s *requestInfo) partitions(c *Table) []hooks.PartitionHash {
	switch {
	case s.read != nil:
		if s.read.scan {
			return nil
		}
		return []hooks.PartitionHash{hashOf(tablename.Short(c.Name), s.index.Label(), s.read.partitionID())}
	case s.entries != nil:
		all := make([]hooks.PartitionHash, len(s.entries))
		for i, e := range s.entries {
			all[i] = hashOf(tablename.Short(c.Name), "", firstPart(e.key))
		}
		return all
	case s.actions != nil:
		all := make([]hooks.PartitionHash, len(s.actions))
		for i, a := range s.actions {
			all[i] = hashOf(tablename.Short(a.core.Name), "", firstPart(a.id))
		}
		return all
	}
	id := s.id
	if s.keyMap != nil {
		id = c.KeyNames.AppendMap(nil, s.keyMap)
	} else if s.key != nil {
		id, _ = c.KeyNames.Append(nil, s.key)
	}
	return []hooks.PartitionHash{hashOf(tablename.Short(c.Name), "", firstPart(string(id)))}
}

// locate adds to an error where the item is that could not be read.
func (c *Table) locate(item []byte) string {
	id, err := c.KeyNames.Append(nil, item)
	if err != nil {
		return ""
	}
	return fmt.Sprintf("the PartitionHash of its key is %v", hashOf(c.Name, "", firstPart(string(id))))
}
