// SPDX-License-Identifier: Apache-2.0

// Package cursor reads and writes the text of cursors: where a query or scan continues.
package cursor

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// Cursor is the content of a ddb.Cursor.
type Cursor struct{ at *Position }

// Of returns the cursor of a position, which is nil for the zero Cursor.
func Of(at *Position) Cursor { return Cursor{at} }

// Position returns the position, nil for the zero Cursor.
func (c Cursor) Position() *Position { return c.at }

// Position is where a read continues: the primary key of table and index.
type Position struct {
	Table, Index string
	Query        [8]byte // the fingerprint of the query
	Start        StartKey
	Key          map[string]types.AttributeValue
}

// StartKey names the attributes of an exclusive start key: the table's and the index's.
type StartKey struct {
	Names []string
	Kinds []byte // S, N or B
}

// The text of a cursor is base64 of: the version, table, index, fingerprint of the
// query, the value of each key attribute with its type, checksum.
const (
	plain   = 1 // the version whose content is readable; others are for sealed forms
	sumSize = 8
	// The longest keys of a table and an index, 2 KB and 1 KB each, with the longest names are 10 KB of base64.
	maxText = 16 << 10
)

// Text is how bytes are written: URL-safe, without padding.
var Text = base64.RawURLEncoding.Strict()

// String returns the text; it is empty if there is no position.
func (p *Position) String() string {
	if p == nil {
		return ""
	}
	b := []byte{plain}
	b = Append(b, p.Table)
	b = Append(b, p.Index)
	b = p.AppendKey(append(b, p.Query[:]...))
	sum := sha256.Sum256(b)
	return Text.EncodeToString(append(b, sum[:sumSize]...))
}

// From returns the exclusive start key, nil for the beginning.
func (p *Position) From() map[string]types.AttributeValue {
	if p == nil {
		return nil
	}
	return p.Key
}

// AppendKey writes the value of each key attribute with its type.
func (p *Position) AppendKey(b []byte) []byte {
	for _, n := range p.Start.Names {
		switch v := p.Key[n].(type) {
		case *types.AttributeValueMemberS:
			b = Append(append(b, 'S'), v.Value)
		case *types.AttributeValueMemberN:
			b = Append(append(b, 'N'), v.Value)
		case *types.AttributeValueMemberB:
			b = Append(append(b, 'B'), v.Value)
		default:
			b = append(b, 0) // cannot be a key in DynamoDB; the reader refuses it
		}
	}
	return b
}

// Append writes the length of the text, then the text.
func Append[S string | []byte](b []byte, s S) []byte {
	b = binary.AppendUvarint(b, uint64(len(s)))
	return append(b, s...)
}

// Cut reads what [Append] wrote.
func Cut(b []byte) (s, rest []byte, ok bool) {
	n, size := binary.Uvarint(b)
	if size <= 0 || n > uint64(len(b)-size) {
		return nil, nil, false
	}
	return b[size : size+int(n)], b[size+int(n):], true
}

// Parse reads the text of a position in a table or index, whose start key has these attributes. Anything but an undamaged text of
// that table and index is not ok.
func Parse(text, table, index string, start StartKey) (p *Position, ok bool) {
	if len(text) > maxText {
		return nil, false
	}
	b, err := Text.DecodeString(text)
	if err != nil || len(b) < 1+sumSize || b[0] != plain {
		return nil, false
	}
	body, sum := b[:len(b)-sumSize], b[len(b)-sumSize:]
	if want := sha256.Sum256(body); !bytes.Equal(sum, want[:sumSize]) {
		return nil, false
	}
	p = &Position{Table: table, Index: index, Start: start}
	// Text in another form was not written by this package.
	if !p.read(body[1:]) || p.String() != text {
		return nil, false
	}
	return p, true
}

func (p *Position) read(b []byte) bool {
	for _, want := range []string{p.Table, p.Index} {
		name, rest, ok := Cut(b)
		if !ok || string(name) != want {
			return false
		}
		b = rest
	}
	if len(b) < len(p.Query) {
		return false
	}
	b = b[copy(p.Query[:], b):]
	var ok bool
	p.Key, ok = p.Start.ReadKey(b)
	return ok
}

// ReadKey reads what [Position.AppendKey] wrote, to its end.
func (s StartKey) ReadKey(b []byte) (map[string]types.AttributeValue, bool) {
	key := make(map[string]types.AttributeValue, len(s.Names))
	for i, n := range s.Names {
		if len(b) == 0 || b[0] != s.Kinds[i] {
			return nil, false
		}
		value, rest, ok := Cut(b[1:])
		if !ok {
			return nil, false
		}
		b = rest
		switch s.Kinds[i] {
		case 'S':
			key[n] = &types.AttributeValueMemberS{Value: string(value)}
		case 'N':
			key[n] = &types.AttributeValueMemberN{Value: string(value)}
		default:
			key[n] = &types.AttributeValueMemberB{Value: value}
		}
	}
	return key, len(b) == 0
}
