// SPDX-License-Identifier: Apache-2.0

package ddb

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/dynamotable/ddb/ddberr"
	"github.com/dynamotable/ddb/internal/itemid"
	"github.com/dynamotable/ddb/internal/partition"
	"github.com/dynamotable/ddb/internal/tablename"
)

// PartitionHash identifies a partition key of a table or index in reports, which contain no key values. The same key has the
// same hash within one run of the process, or in all processes with the same [SetPartitionSalt]. The hash cannot be
// reversed. [Table.PartitionHash] returns the hash of a key that you suspect, and package hotkeys searches the table for the
// key of a hash.
type PartitionHash uint64

// String returns the hash as 16 hexadecimal digits.
func (h PartitionHash) String() string { return fmt.Sprintf("%016x", uint64(h)) }

// MarshalText returns String, for encoding packages.
func (h PartitionHash) MarshalText() ([]byte, error) { return []byte(h.String()), nil }

// UnmarshalText reads what MarshalText wrote.
func (h *PartitionHash) UnmarshalText(text []byte) error {
	n, err := strconv.ParseUint(string(text), 16, 64)
	if err != nil {
		return fmt.Errorf("ddb: a partition hash is 16 hexadecimal digits: %w", errors.Unwrap(err))
	}
	*h = PartitionHash(n)
	return nil
}

// PartitionHash returns the hash that reports show for a partition key of the table.
func (t *Table[T, PK, SK]) PartitionHash(pk PK) (PartitionHash, error) {
	return newRead(index{core: t.part()}, &pk).partitionHash()
}

// PartitionHash returns the hash that reports show for a partition key of the table.
func (t *SimpleTable[T, PK]) PartitionHash(pk PK) (PartitionHash, error) {
	return newRead(index{core: t.part()}, &pk).partitionHash()
}

// PartitionHash returns the hash that reports show for a partition key of the index.
func (x *Index[T, PK, SK]) PartitionHash(pk PK) (PartitionHash, error) {
	return newRead((*indexRef)(x).index(), &pk).partitionHash()
}

// PartitionHash returns the hash that reports show for a partition key of the index.
func (x *SimpleIndex[T, PK]) PartitionHash(pk PK) (PartitionHash, error) {
	return newRead((*indexRef)(x).index(), &pk).partitionHash()
}

func (r *read) partitionHash() (PartitionHash, error) {
	if err := r.core.usable(); err != nil {
		return 0, err
	}
	if err := invalid(r.errs...); err != nil {
		return 0, opError("PartitionHash", r.core.name, r.index.label(), err)
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
func (s *requestInfo) partitions(c *core) []PartitionHash {
	switch {
	case s.read != nil:
		if s.read.scan {
			return nil
		}
		return []PartitionHash{hashOf(tablename.Short(c.name), s.index.label(), s.read.partitionID())}
	case s.entries != nil:
		all := make([]PartitionHash, len(s.entries))
		for i, e := range s.entries {
			all[i] = hashOf(tablename.Short(c.name), "", firstPart(e.key))
		}
		return all
	case s.actions != nil:
		all := make([]PartitionHash, len(s.actions))
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
	return []PartitionHash{hashOf(tablename.Short(c.name), "", firstPart(string(id)))}
}

// PartitionTable returns the name of the table that Partitions[i] belongs to, empty if there is no such partition.
func (c *Call) PartitionTable(i int) string {
	if c == nil || i < 0 || i >= len(c.Partitions) {
		return ""
	}
	if c.Details != nil {
		if tables := c.Details.PartitionTables(); len(tables) == len(c.Partitions) {
			return tables[i]
		}
	}
	return c.Table
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

// SetPartitionSalt makes processes with the same salt compute the same [PartitionHash] for the same key, so that their
// reports can be compared. Without it each run of a process has its own salt. The salt is a secret of at least 16 bytes:
// whoever knows it can find the key of a hash by trying. Call it before the first request, since it changes all hashes of
// the process.
func SetPartitionSalt(salt []byte) error {
	if len(salt) < minSalt {
		err := fmt.Errorf("the salt has %d bytes; it must have at least %d", len(salt), minSalt)
		return &ddberr.OpError{Op: "SetPartitionSalt", Err: &ddberr.InvalidError{Problems: []error{err}}}
	}
	partition.SetSalt(salt)
	return nil
}

const minSalt = 16

// PartitionSaltID identifies the salt of the process: two processes with the same ID compute the same hash for the same key.
// It does not reveal the salt.
func PartitionSaltID() PartitionHash { return PartitionHash(partition.Hash("", "", "salt")) }

// locate adds to an error where the item is that could not be read.
func (c *core) locate(item []byte) string {
	id, err := c.keyNames.Append(nil, item)
	if err != nil {
		return ""
	}
	return fmt.Sprintf("the PartitionHash of its key is %v", hashOf(c.name, "", firstPart(string(id))))
}

// hashOf returns the hash of the partition key with an identity.
func hashOf[S string | []byte](table, index string, id S) PartitionHash {
	return PartitionHash(partition.Hash(table, index, id))
}
