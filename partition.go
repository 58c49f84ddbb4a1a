// SPDX-License-Identifier: Apache-2.0

package ddb

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/maphash"
	"strconv"
	"strings"
	"sync/atomic"

	"github.com/dynamotable/ddb/internal/itemid"
	"github.com/dynamotable/ddb/internal/siphash"
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
	return hashPartition(tablename.Short(r.core.name), r.index.label(), r.partitionID()), nil
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
		return []PartitionHash{hashPartition(tablename.Short(c.name), s.index.label(), s.read.partitionID())}
	case s.entries != nil:
		all := make([]PartitionHash, len(s.entries))
		for i, e := range s.entries {
			all[i] = hashPartition(tablename.Short(c.name), "", firstPart(e.key))
		}
		return all
	case s.actions != nil:
		all := make([]PartitionHash, len(s.actions))
		for i, a := range s.actions {
			all[i] = hashPartition(tablename.Short(a.core.name), "", firstPart(a.id))
		}
		return all
	}
	id := s.id
	if s.keyMap != nil {
		id = c.keyNames.AppendMap(nil, s.keyMap)
	} else if s.key != nil {
		id, _ = c.keyNames.Append(nil, s.key)
	}
	return []PartitionHash{hashPartition(tablename.Short(c.name), "", firstPart(string(id)))}
}

// PartitionTable returns the name of the table that Partitions[i] belongs to, empty if there is no such partition.
func (c *Call) PartitionTable(i int) string {
	switch {
	case c == nil || i < 0 || i >= len(c.Partitions):
		return ""
	case len(c.Partitions) == len(c.info.actions):
		return c.info.actions[i].core.name
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

var (
	partitionSeed = maphash.MakeSeed()
	partitionSalt atomic.Pointer[siphash.Key] // nil is the seed
)

// SetPartitionSalt makes processes with the same salt compute the same [PartitionHash] for the same key, so that their
// reports can be compared. Without it each run of a process has its own salt. The salt is a secret of at least 16 bytes:
// whoever knows it can find the key of a hash by trying. Call it before the first request, since it changes all hashes of
// the process.
func SetPartitionSalt(salt []byte) error {
	if len(salt) < minSalt {
		return opError("SetPartitionSalt", "", "", invalid(fmt.Errorf("the salt has %d bytes; it must have at least %d", len(salt), minSalt)))
	}
	sum := sha256.Sum256(salt)
	key := siphash.NewKey([16]byte(sum[:]))
	partitionSalt.Store(&key)
	return nil
}

const minSalt = 16

// PartitionSaltID identifies the salt of the process: two processes with the same ID compute the same hash for the same key.
// It does not reveal the salt.
func PartitionSaltID() PartitionHash { return hashPartition("", "", "salt") }

func hashPartition[S string | []byte](table, index string, id S) PartitionHash {
	if key := partitionSalt.Load(); key != nil {
		return PartitionHash(saltedHash(key, table, index, string(id)))
	}
	var h maphash.Hash
	h.SetSeed(partitionSeed)
	for _, text := range []string{table, "\x00", index, "\x00", string(id)} {
		_, _ = h.WriteString(text) // which never fails
	}
	return PartitionHash(h.Sum64())
}

// saltedHash writes the length of each part before it, so that no two keys give the same text.
func saltedHash(key *siphash.Key, table, index, id string) uint64 {
	var room [256]byte
	text := room[:0]
	for _, part := range []string{table, index, id} {
		text = binary.AppendUvarint(text, uint64(len(part)))
		text = append(text, part...)
	}
	return key.Sum64(text)
}

// locate adds to an error where the item is that could not be read.
func (c *core) locate(item []byte) string {
	id, err := c.keyNames.Append(nil, item)
	if err != nil {
		return ""
	}
	return fmt.Sprintf("the PartitionHash of its key is %v", hashPartition(c.name, "", firstPart(string(id))))
}
