// SPDX-License-Identifier: Apache-2.0

// Package partition computes the hashes by which hooks and logs name partition keys.
package partition

import (
	"crypto/sha256"
	"encoding/binary"
	"hash/maphash"
	"sync/atomic"

	"github.com/dynamotable/ddb/internal/siphash"
)

var (
	seed = maphash.MakeSeed()
	key  atomic.Pointer[siphash.Key] // nil is the seed
)

// SetSalt makes processes with the same salt compute the same hashes. Nil restores the random salt of the process.
func SetSalt(salt []byte) {
	if salt == nil {
		key.Store(nil)
		return
	}
	sum := sha256.Sum256(salt)
	k := siphash.NewKey([16]byte(sum[:]))
	key.Store(&k)
}

// Hash returns the hash of the partition key with an identity, in a table or an index.
func Hash[S string | []byte](table, index string, id S) uint64 {
	if k := key.Load(); k != nil {
		return salted(k, table, index, string(id))
	}
	var h maphash.Hash
	h.SetSeed(seed)
	for _, text := range []string{table, "\x00", index, "\x00", string(id)} {
		_, _ = h.WriteString(text) // which never fails
	}
	return h.Sum64()
}

// salted hashes the parts with their lengths, so that no two places have the same text.
func salted(k *siphash.Key, table, index, id string) uint64 {
	var room [256]byte
	text := room[:0]
	for _, part := range []string{table, index, id} {
		text = binary.AppendUvarint(text, uint64(len(part)))
		text = append(text, part...)
	}
	return k.Sum64(text)
}
