// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"encoding/binary"
	"slices"

	"github.com/dynamotable/ddb/ddbtest/internal/storage"
	"github.com/dynamotable/ddb/ddbtest/internal/value"
)

// Limits of key values in bytes.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html
const (
	maxHashSize  = 2048
	maxRangeSize = 1024
)

const hashSize = 8

// checkItemKey validates the primary key inside a whole item.
func (s *Schema) checkItemKey(item value.Item) (err error) {
	s.Key.Each(func(a KeyAttribute, hash bool) bool {
		v, ok := item[a.Name]
		switch {
		case !ok:
			err = invalidParameter("Missing the key %s in the item", a.Name)
		case v.Kind() != a.Kind:
			err = invalidParameter("Type mismatch for key %s expected: %s actual: %s", a.Name, a.Kind, v.Kind())
		default:
			err = checkKeyValue(a.Name, v, hash)
		}
		return err == nil
	})
	return err
}

// checkKey validates a parameter that holds a primary key and nothing else.
func (s *Schema) checkKey(key value.Item) (err error) {
	if len(key) != s.Key.Len() {
		return invalid(msgKeyMismatch)
	}
	s.Key.Each(func(a KeyAttribute, hash bool) bool {
		v, ok := key[a.Name]
		if !ok || v.Kind() != a.Kind {
			err = invalid(msgKeyMismatch)
		} else {
			err = checkKeyValue(a.Name, v, hash)
		}
		return err == nil
	})
	return err
}

const msgKeyMismatch = "The provided key element does not match the schema"

func checkKeyValue(name string, v value.Value, hash bool) error {
	switch v := v.(type) {
	case value.String:
		if v == "" {
			return invalidEarly("One or more parameter values are not valid. The AttributeValue for a key attribute cannot contain an empty string value. Key: %s", name)
		}
		return checkKeySize(len(v), hash)
	case value.Binary:
		if v == "" {
			return invalidEarly("One or more parameter values are not valid. The AttributeValue for a key attribute cannot contain an empty binary value. Key: %s", name)
		}
		return checkKeySize(len(v), hash)
	}
	return nil
}

func checkKeySize(size int, hash bool) error {
	if hash && size > maxHashSize {
		return invalidParameter("Size of hashkey has exceeded the maximum size limit of2048 bytes")
	}
	if !hash && size > maxRangeSize {
		return invalidParameter("Aggregated size of all range keys has exceeded the size limit of 1024 bytes")
	}
	return nil
}

// checkIndexKeys validates the attributes of an item that are keys of indexes.
// They may be absent; then the item is not in the index. If an update made
// the item, written are the attributes that it wrote; only these are checked.
func (s *Schema) checkIndexKeys(item value.Item, written []string) (err error) {
	updated := written != nil
	for _, x := range s.Indexes {
		if x.isDeleting() {
			continue
		}
		rangeSize := 0
		x.Key.Each(func(a KeyAttribute, hash bool) bool {
			v, ok := item[a.Name]
			if !ok || updated && !slices.Contains(written, a.Name) {
				return true
			}
			if v.Kind() != a.Kind {
				if updated {
					err = invalid("The update expression attempted to update the secondary index key to unsupported type")
				} else {
					err = invalidParameter("Type mismatch for Index Key %s Expected: %s Actual: %s IndexName: %s", a.Name, a.Kind, v.Kind(), x.Name)
				}
				return false
			}
			var size int
			var noun string
			switch v := v.(type) {
			case value.String:
				size, noun = len(v), "string"
			case value.Binary:
				size, noun = len(v), "binary"
			default:
				return true
			}
			if size == 0 && !s.Key.Has(a.Name) {
				if updated {
					err = invalid("One or more parameter values are not valid. The update expression attempted to update a secondary index key to a value that is not supported. The AttributeValue for a key attribute cannot contain an empty %s value.", noun)
				} else {
					err = invalidEarly("One or more parameter values are not valid. A value specified for a secondary index key is not supported. The AttributeValue for a key attribute cannot contain an empty %s value. IndexName: %s, IndexKey: %s", noun, x.Name, a.Name)
				}
				return false
			}
			if !hash {
				rangeSize += size
				size = rangeSize
			}
			if err = checkKeySize(size, hash); err != nil && updated {
				err = invalid("The update expression attempted to update the secondary index key beyond allowed size limits")
			}
			return err == nil
		})
		if err != nil {
			return err
		}
	}
	return s.checkVectors(item, written)
}

// storageKey returns the key under which the table stores an item: the hash of
// the partition key, then the bytes of the partition key and the sort key.
func (k *KeySchema) storageKey(item value.Item) string {
	b := make([]byte, hashSize, 64)
	b = k.appendHash(b, item)
	for _, a := range k.Range {
		b = value.AppendKey(b, item[a.Name])
	}
	return string(b)
}

// appendHash appends the partition key to b and writes its hash to the
// beginning of b.
func (k *KeySchema) appendHash(b []byte, item value.Item) []byte {
	for _, a := range k.Hash {
		b = value.AppendKey(b, item[a.Name])
	}
	binary.BigEndian.PutUint64(b, hash64(b[hashSize:], k.seed))
	return b
}

// collectionKey returns what the storage keys of all items with the partition
// key of item begin with.
func (k *KeySchema) collectionKey(item value.Item) string {
	return string(k.appendHash(make([]byte, hashSize, 64), item))
}

// takes reports whether an item can be in the index: it has every key attribute,
// with the right type, not empty and not too long. A write of a value that an index
// cannot hold is refused, but items can be older than the index; these are not in
// it.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/GSI.OnlineOps.html#GSI.OnlineOps.ViolationDetection
func (x *Index) takes(item value.Item) bool {
	rangeSize := 0
	fits := true
	x.Key.Each(func(a KeyAttribute, hash bool) bool {
		v, ok := item[a.Name]
		if !ok || v.Kind() != a.Kind {
			fits = false
			return false
		}
		var size int
		switch v := v.(type) {
		case value.String:
			size = len(v)
		case value.Binary:
			size = len(v)
		default:
			return true
		}
		if !hash {
			rangeSize += size
		}
		fits = size > 0 && rangeSize <= maxRangeSize && (!hash || size <= maxHashSize)
		return fits
	})
	return fits
}

// indexKey returns the key under which the index stores the entry of an item:
// the index key, hashed like that of a table, then the table key, which orders
// entries with equal index keys. It returns false if the item is not in the
// index.
func (x *Index) indexKey(table *KeySchema, item value.Item) (string, bool) {
	if !x.takes(item) {
		return "", false
	}
	b := make([]byte, hashSize, 96)
	b = x.Key.appendHash(b, item)
	for _, a := range x.Key.Range {
		b = value.AppendKey(b, item[a.Name])
	}
	at := len(b)
	if x.Key.seed != 0 {
		b = append(b, make([]byte, hashSize)...)
	}
	own := len(b)
	if !x.Local {
		for _, a := range table.Hash {
			b = value.AppendKey(b, item[a.Name])
		}
	}
	for _, a := range table.Range {
		b = value.AppendKey(b, item[a.Name])
	}
	if x.Key.seed != 0 { // equal keys come in the order of a hash
		binary.BigEndian.PutUint64(b[at:], hash64(b[own:], x.Key.seed))
	}
	return string(b), true
}

// hash64 spreads keys over the whole range of 64 bits. It is the same in every
// process, so that the order of scans is too.
func hash64(b []byte, seed uint64) uint64 {
	h := uint64(14695981039346656037) ^ seed
	for _, c := range b {
		h = (h ^ uint64(c)) * 1099511628211
	}
	h ^= h >> 32
	h *= 0xd6e8feb86659fd93
	h ^= h >> 32
	h *= 0xd6e8feb86659fd93
	return h ^ h>>32
}

// newStored makes the stored form of an item.
func newStored(item value.Item) *storage.Item {
	size := value.ItemSize(item)
	return &storage.Item{Image: encodeItem(item, size), Size: size}
}

// encodeItem returns the wire form of an item; its size helps to make room.
func encodeItem(item value.Item, size int) []byte {
	b := value.AppendItem(make([]byte, 0, size+size/8+16*len(item)+16), item)
	if cap(b)-len(b) > len(b)/8 {
		return append([]byte(nil), b...)
	}
	return b
}

// decodeStored reads an item back from its stored form; nil gives nil.
func decodeStored(item *storage.Item) (value.Item, error) {
	if item == nil {
		return nil, nil
	}
	return value.DecodeItem(item.Image)
}
