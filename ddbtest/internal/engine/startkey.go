// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"encoding/binary"
	"math/bits"

	"github.com/dynamotable/ddb/ddbtest/internal/value"
)

// startKey validates the ExclusiveStartKey of a request and returns the
// storage key at which the page begins; "" if there is none.
func (s *pageRead) startKey() (string, error) {
	start := s.in.ExclusiveStartKey
	if !start.Present {
		return "", nil
	}
	if err := s.checkStart(start.Item); err != nil {
		return "", err
	}
	if s.index == nil {
		return s.schema.Key.storageKey(start.Item), nil
	}
	at, ok := s.index.indexKey(&s.schema.Key, start.Item)
	if !ok {
		return "", invalid("The provided starting key is invalid")
	}
	return at, nil
}

// checkStart checks that a start key has the attributes of the table key and
// of the index key, with their types, and no others.
//
// https://github.com/floci-io/floci/pull/1443 has the two texts for attributes
// that do not fit, https://github.com/ExtendDB/extenddb/issues/59 that of Scan.
func (s *pageRead) checkStart(start value.Item) (err error) {
	attributes := s.schema.Key.Len()
	if s.index != nil {
		s.index.Key.Each(func(a KeyAttribute, _ bool) bool {
			if !s.schema.Key.Has(a.Name) {
				attributes++
			}
			return true
		})
	}
	if len(start) != attributes || len(s.position(start)) != attributes {
		if s.operation == opScan {
			return invalidStart(msgKeyMismatch)
		}
		return invalid("The provided starting key is invalid")
	}
	check := func(a KeyAttribute, hash bool) bool {
		v := start[a.Name]
		if v.Kind() != a.Kind {
			err = invalidStart(msgKeyMismatch)
		} else if e := checkKeyValue(a.Name, v, hash); e != nil {
			err = invalidStart(AsError(e).Message)
		}
		return err == nil
	}
	if s.index != nil {
		s.index.Key.Each(check)
	}
	if err == nil {
		s.schema.Key.Each(check)
	}
	return err
}

func invalidStart(message string) error {
	return invalid("The provided starting key is invalid: %s", message)
}

// bindStart begins a query after its start key, which must lie within the
// bounds of the key condition.
func (s *pageRead) bindStart() error {
	at, err := s.startKey()
	if err != nil || at == "" {
		return err
	}
	if len(at) < len(s.partitionLength) || at[:len(s.partitionLength)] != s.partitionLength {
		return invalid("The provided starting key is outside query boundaries based on provided conditions")
	}
	if at < s.bounds.Low || s.bounds.High != "" && at >= s.bounds.High {
		return invalid("The provided starting key does not match the range key predicate")
	}
	s.bounds.After = at
	return nil
}

// bindSegment begins a scan after its start key, which must lie within the
// segment.
func (s *pageRead) bindSegment(segment, total *int64) error {
	at, err := s.startKey()
	if err != nil {
		return err
	}
	s.bounds.After = at
	if total == nil {
		return nil
	}
	s.bounds.Low = hashBound(*segment, *total)
	if *segment+1 < *total {
		s.bounds.High = hashBound(*segment+1, *total)
	}
	if at != "" && (at < s.bounds.Low || s.bounds.High != "" && at >= s.bounds.High) {
		return invalid("The provided starting key is invalid: Invalid ExclusiveStartKey. Please use ExclusiveStartKey with correct Segment. TotalSegments: %d Segment: %d", *total, *segment)
	}
	return nil
}

// hashBound returns the lowest storage key of a segment: the hashes are split
// evenly.
func hashBound(segment, total int64) string {
	if segment == 0 {
		return ""
	}
	bound, _ := bits.Div64(uint64(segment), 0, uint64(total))
	return string(binary.BigEndian.AppendUint64(nil, bound))
}
