// SPDX-License-Identifier: Apache-2.0

package itemid

import (
	"bytes"
	"errors"
	"fmt"
	"sync"

	"github.com/dynamotable/ddb/internal/codec"
)

var errKeysFound = errors.New("all keys found")

// keyScan finds the primary key in an encoded item. Its functions are made once,
// because batches scan many items.
type keyScan struct {
	d      *codec.Decoder
	names  []string
	parts  [2][]byte
	seen   [2]bool
	at     int
	found  int
	errs   []error
	member func([]byte) error
	tag    func([]byte) error
}

var keyScans = sync.Pool{New: func() any {
	s := new(keyScan)
	s.member = s.onMember
	s.tag = s.onTag
	return s
}}

// Append is ID of an encoded item. It refuses items without a key, and keys that
// DynamoDB does not take.
func (k Key) Append(b []byte, item []byte) ([]byte, error) {
	s := keyScans.Get().(*keyScan) //nolint:forcetypeassert // the pool holds nothing else
	defer keyScans.Put(s)
	s.names, s.found, s.seen, s.errs = k, 0, [2]bool{}, nil
	for i := range s.parts {
		s.parts[i] = s.parts[i][:0]
	}
	s.d = codec.NewDecoder(item, codec.Options{})
	err := s.d.Object(s.member)
	s.d.Release()
	if err != nil && !errors.Is(err, errKeysFound) {
		return b, err
	}
	for i, name := range s.names {
		if !s.seen[i] {
			s.errs = append(s.errs, fmt.Errorf("key attribute %s is absent or NULL; a key needs a value", name))
		}
		b = append(b, s.parts[i]...)
	}
	return b, errors.Join(s.errs...)
}

func (s *keyScan) onMember(name []byte) error {
	for i, n := range s.names {
		if string(name) != n {
			continue
		}
		s.at = i
		if err := s.d.Object(s.tag); err != nil {
			return err
		}
		if s.found++; s.found == len(s.names) {
			return errKeysFound
		}
		return nil
	}
	return s.d.Skip()
}

func (s *keyScan) onTag(tag []byte) error {
	s.seen[s.at] = true
	if len(tag) != 1 || tag[0] != 'S' && tag[0] != 'B' && tag[0] != 'N' {
		s.errs = append(s.errs, fmt.Errorf("key attribute %s is absent or NULL; a key needs a value", s.names[s.at]))
		return s.d.Skip()
	}
	text, err := s.d.Text()
	if err != nil {
		return err
	}
	n, kind := len(text), tag[0]
	if kind == 'B' {
		n = len(text)/4*3 - (len(text) - len(bytes.TrimRight(text, "=")))
	}
	limit := MaxPartitionKey
	if s.at > 0 {
		limit = MaxSortKey
	}
	if err := CheckLength(s.names[s.at], n, limit); err != nil {
		s.errs = append(s.errs, err)
	}
	s.parts[s.at] = appendPart(s.parts[s.at][:0], kind, text)
	return nil
}
