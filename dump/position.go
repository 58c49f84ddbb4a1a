// SPDX-License-Identifier: Apache-2.0

package dump

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"hash/crc32"
	"maps"
	"sync"

	"github.com/dynamotable/ddb"
)

// position is how far an import, a copy, a verification or a comparison is: which parts (files, segments) are done, and up to where others are. It is safe for concurrent use.
type position struct {
	mu   sync.Mutex
	data positionData
}

type positionData struct {
	Of    string         `json:"of"` // what is read
	Parts int            `json:"n"`
	Done  map[int]bool   `json:"done,omitempty"`
	At    map[int]string `json:"at,omitempty"`
}

func newPosition(of string, parts int) *position {
	return &position{data: positionData{Of: of, Parts: parts, Done: map[int]bool{}, At: map[int]string{}}}
}

// resume reads the text of a position of the same source.
func (p *position) resume(text string) error {
	if text == "" {
		return nil
	}
	var d positionData
	b, err := base64.RawURLEncoding.DecodeString(text)
	if err == nil && len(b) < 4 {
		err = errPosition
	}
	if err == nil && crc32.ChecksumIEEE(b[4:]) != uint32(b[0])<<24|uint32(b[1])<<16|uint32(b[2])<<8|uint32(b[3]) {
		err = errPosition
	}
	if err == nil {
		err = json.Unmarshal(b[4:], &d)
	}
	if err != nil || d.Of != p.data.Of || d.Parts != p.data.Parts {
		return errPosition
	}
	maps.Copy(p.data.Done, d.Done)
	maps.Copy(p.data.At, d.At)
	return nil
}

var errPosition = errors.New("the position is damaged, or of another export or table, also of one that was created again with the same name; start from the beginning")

// String is the text of the position. It shows keys of a table that is copied to those who decode it.
func (p *position) String() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	b, err := json.Marshal(p.data)
	if err != nil {
		return "" // numbers and text
	}
	sum := crc32.ChecksumIEEE(b)
	return base64.RawURLEncoding.EncodeToString(append([]byte{byte(sum >> 24), byte(sum >> 16), byte(sum >> 8), byte(sum)}, b...))
}

func (p *position) at(part int) string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.data.At[part]
}

func (p *position) isDone(part int) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.data.Done[part]
}

func (p *position) left() (parts []int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for i := range p.data.Parts {
		if !p.data.Done[i] {
			parts = append(parts, i)
		}
	}
	return parts
}

// advance says up to where a part is done.
func (p *position) advance(part int, to string, whole bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if whole {
		delete(p.data.At, part)
		p.data.Done[part] = true
		return
	}
	p.data.At[part] = to
}

// From makes an import or a copy go on at a position, which its report or [OnPosition] gave, and a verification or a comparison at one that OnPosition gave. The empty text is the
// beginning. What was done behind it is written again: of an import up to a batch of 25 items for each worker, and of a copy up to a page of the source, 1 MB, for each, as its position
// moves page by page. [Verify] and [CompareTables] say what they repeat.
func From(position string) Option { return func(s *settings) { s.position = position } }

// OnPosition is called after each batch of an import and each page of a copy, one call at a time; position makes the text that [From] takes, which a program keeps
// to go on if it is killed. Of a verification it is called at the beginning and after each file in which nothing is wrong, and of a comparison at the beginning and after each batch of
// at most 100 items. position may be called later too, and after the call has ended.
func OnPosition(f func(position func() string)) Option {
	return func(s *settings) { s.onPosition = f }
}

// OnFailure is called for each line that is bad and each item that could not be written, one call at a time. The import goes on behind them.
func OnFailure(f func(*LineError)) Option { return func(s *settings) { s.onFailure = f } }

// OnlyMissing writes only items whose key has no item in the table; the others are kept. Each item is a write of its own.
func OnlyMissing() Option { return func(s *settings) { s.onlyMissing = true } }

// OnlyOlder writes an item only if the table has none with its key, or one whose attribute is lower: a version or a time. A stored item that lacks the attribute, or has it in another type, is
// kept. An item of the export without the attribute is a failure. Each item is a write of its own.
func OnlyOlder(attribute string) Option {
	return func(s *settings) { s.onlyOlder = &attribute }
}

func (s *settings) conditional() bool { return s.onlyMissing || s.onlyOlder != nil }

func invalid(problem string) error {
	return &ddb.InvalidError{Problems: []error{errors.New(problem)}}
}
