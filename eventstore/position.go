// SPDX-License-Identifier: Apache-2.0

package eventstore

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Position is a place in the [Feed]: for each shard the number of the last commit that was seen. The zero
// Position is the beginning. It is an immutable value.
type Position struct{ shards []int64 }

// After returns the position after a commit.
func (p Position) After(c Commit) Position { return p.with(c.Shard, c.Number) }

func (p Position) with(shard int, number int64) Position {
	shards := make([]int64, max(len(p.shards), shard+1))
	copy(shards, p.shards)
	shards[shard] = max(shards[shard], number)
	return Position{shards}
}

// Of returns the number of the last commit that was seen in a shard.
func (p Position) Of(shard int) int64 {
	if shard < 0 || shard >= len(p.shards) {
		return 0
	}
	return p.shards[shard]
}

// IsZero reports whether the position is the beginning.
func (p Position) IsZero() bool {
	return !slices.ContainsFunc(p.shards, func(n int64) bool { return n > 0 })
}

// Behind returns the exact number of commits between two positions.
func (p Position) Behind(end Position) int64 {
	n := int64(0)
	for shard := range end.shards {
		n += max(end.Of(shard)-p.Of(shard), 0)
	}
	return n
}

const positionForm = "p1:"

// String returns the position as text, such as p1:3,0,17,5.
func (p Position) String() string {
	numbers := make([]string, len(p.shards))
	for i, n := range p.shards {
		numbers[i] = strconv.FormatInt(n, 10)
	}
	return positionForm + strings.Join(numbers, ",")
}

// MarshalText returns [Position.String], for encoding packages.
func (p Position) MarshalText() ([]byte, error) { return []byte(p.String()), nil }

// UnmarshalText is [ParsePosition] for encoding packages.
func (p *Position) UnmarshalText(text []byte) error {
	parsed, err := ParsePosition(string(text))
	if err == nil && p == nil {
		err = errors.New("position: UnmarshalText into a nil Position")
	}
	if err == nil {
		*p = parsed
	}
	return err
}

// ParsePosition parses the text of a position. The empty text means the beginning.
func ParsePosition(text string) (Position, error) {
	if text == "" || text == positionForm {
		return Position{}, nil
	}
	list, ok := strings.CutPrefix(text, positionForm)
	if !ok {
		return Position{}, errors.New("position: the text does not begin with " + strings.TrimSuffix(positionForm, ":"))
	}
	var p Position
	for i, number := range strings.Split(list, ",") {
		n, err := strconv.ParseInt(number, 10, 64)
		if err != nil || n < 0 || i == 1024 {
			return Position{}, fmt.Errorf("position: number %d of the text is invalid", i)
		}
		p.shards = append(p.shards, n)
	}
	return p, nil
}
