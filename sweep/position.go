// SPDX-License-Identifier: Apache-2.0

package sweep

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"maps"
	"slices"

	"github.com/dynamotable/ddb"
)

// position is the position of a sweep: the finished segments, and the cursors of those that were begun. With 4,096 segments and 16 workers
// it has half a kilobyte and at most 32 cursors.
type position struct {
	identity [8]byte // of the scan
	n        int
	done     []byte         // a bit for each segment
	cursors  map[int]string // of segments that were begun
}

func newPosition(identity [8]byte, segments int) position {
	return position{identity: identity, n: segments, done: make([]byte, (segments+7)/8), cursors: make(map[int]string)}
}

func (p position) clone() position {
	p.done, p.cursors = slices.Clone(p.done), maps.Clone(p.cursors)
	return p
}

func (p position) isDone(segment int) bool { return p.done[segment/8]&(1<<(segment%8)) != 0 }

// doneCount returns how many segments are done.
func (p position) doneCount() (n int) {
	for i := range p.n {
		if p.isDone(i) {
			n++
		}
	}
	return n
}

// set records the cursor of a segment, "" for its end.
func (p position) set(segment int, cursor string) {
	if cursor == "" {
		p.done[segment/8] |= 1 << (segment % 8)
		delete(p.cursors, segment)
		return
	}
	p.cursors[segment] = cursor
}

// open returns the segments that are not done, first those that were begun.
func (p position) open() []int {
	list := slices.Sorted(maps.Keys(p.cursors))
	for i := range p.n {
		if _, begun := p.cursors[i]; !begun && !p.isDone(i) {
			list = append(list, i)
		}
	}
	return list
}

// The text of a position is base64 of: the version, the identity of the scan, the number of segments, a bit for each that is done, the number and the
// cursor of each that was begun, in the order of the numbers, and a checksum.
const (
	positionVersion = 1
	sumSize         = 8
)

var positionText = base64.RawURLEncoding.Strict()

func (p position) String() string {
	b := append([]byte{positionVersion}, p.identity[:]...)
	b = binary.AppendUvarint(b, uint64(p.n))
	b = append(b, p.done...)
	for _, segment := range slices.Sorted(maps.Keys(p.cursors)) {
		cursor, _ := positionText.DecodeString(p.cursors[segment]) // which is base64, too
		b = binary.AppendUvarint(b, uint64(segment))
		b = binary.AppendUvarint(b, uint64(len(cursor)))
		b = append(b, cursor...)
	}
	sum := sha256.Sum256(b)
	return positionText.EncodeToString(append(b, sum[:sumSize]...))
}

// errPosition is the same error for all invalid positions, as for cursors.
var errPosition = fmt.Errorf("%w: the position of the sweep is damaged, or belongs to another table, index, filter or number of segments; start from the beginning", ddb.ErrBadCursor)

func parsePosition(text string) (position, error) {
	b, err := positionText.DecodeString(text)
	if err != nil || len(b) < 1+8+1+sumSize || b[0] != positionVersion {
		return position{}, errPosition
	}
	body, sum := b[:len(b)-sumSize], b[len(b)-sumSize:]
	if want := sha256.Sum256(body); !bytes.Equal(sum, want[:sumSize]) {
		return position{}, errPosition
	}
	r := bytes.NewReader(body[1:])
	var identity [8]byte
	_, _ = r.Read(identity[:])
	n, err := binary.ReadUvarint(r)
	if err != nil || n < 1 || n > mostSegments {
		return position{}, errPosition
	}
	p := newPosition(identity, int(n))
	if got, err := r.Read(p.done); err != nil || got != len(p.done) {
		return position{}, errPosition
	}
	for r.Len() > 0 {
		segment, err := binary.ReadUvarint(r)
		if err != nil || segment >= n {
			return position{}, errPosition
		}
		size, err := binary.ReadUvarint(r)
		if err != nil || size == 0 || size > uint64(r.Len()) {
			return position{}, errPosition
		}
		cursor := make([]byte, size)
		_, _ = r.Read(cursor)
		p.cursors[int(segment)] = positionText.EncodeToString(cursor)
	}
	if p.String() != text { // text in another form was not written by this package
		return position{}, errPosition
	}
	return p, nil
}
