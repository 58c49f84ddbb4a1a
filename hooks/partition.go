// SPDX-License-Identifier: Apache-2.0

package hooks

import (
	"errors"
	"fmt"
	"strconv"

	"github.com/dynamotable/ddb/ddberr"
	"github.com/dynamotable/ddb/internal/partition"
)

// PartitionHash identifies a partition key of a table or index in reports, which contain no key values. The same key has the
// same hash within one run of the process, or in all processes with the same [SetPartitionSalt]. The hash cannot be
// reversed. ddb.Table.PartitionHash returns the hash of a key that you suspect, and package hotkeys searches the table for the
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
