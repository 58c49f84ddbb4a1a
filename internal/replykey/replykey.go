// SPDX-License-Identifier: Apache-2.0

// Package replykey checks that the items of a reply are those that were requested.
package replykey

import (
	"bytes"
	"cmp"
	"strconv"

	"github.com/dynamotable/ddb/internal/codec"
	"github.com/dynamotable/ddb/internal/expr"
	"github.com/dynamotable/ddb/internal/itemid"
	"github.com/dynamotable/ddb/internal/wire"
)

// Replies are mixed up if a connection or a proxy sends the reply of one request to another. An item of a reply is accepted
// only if it has the requested key; keys are compared as bytes while the item is decoded.

// Why a reply is refused.
const (
	ErrOtherKey       = wire.Mismatch("it holds an item with another key than the one that was asked for")
	ErrOtherPartition = wire.Mismatch("it goes on in another partition than the one that was asked for")
	ErrNoKey          = wire.Mismatch("it holds an item without a key that can be compared")
)

// Check refuses an item of a reply that has another key than the request, or none, by a [wire.Mismatch]: the
// reply is then refused as a whole, as a [*wire.ReplyError]. It is for the Row of a [wire.Rows]: call d.Capture(names), with the names
// of the key's attributes, before the item is decoded by [codec.DecodeNext]; key is the request's in wire form, captured
// is d.Captured() and item d.Since its beginning. It allocates nothing unless the keys are spelt in two ways.
func Check(names itemid.Key, key []byte, captured [2][]byte, item []byte) error {
	if itemid.Same(key, names, captured) {
		return nil
	}
	var room [160]byte
	want, err := names.AppendCaptured(room[:0], itemid.Plain(key, names), key)
	if err != nil {
		return err
	}
	return CheckID(names, want, captured, item)
}

// CheckID is [Check] for a key whose identity is known, as [itemid.Key] writes it.
func CheckID(names itemid.Key, id []byte, captured [2][]byte, item []byte) error {
	var room [160]byte
	have, err := names.AppendCaptured(room[:0], captured, item)
	switch {
	case err != nil:
		return ErrNoKey
	case !bytes.Equal(have, id):
		return ErrOtherKey
	}
	return nil
}

// Query checks the items of a query's replies: they must have the requested partition key, and a sort key in the range. The
// zero value checks nothing. A Query must not be copied.
type Query struct {
	names []string
	terms []term // one for each name

	// Room for the usual keys, so that a query needs no more memory.
	nameRoom [2]string
	termRoom [2]term
	wireRoom [96]byte
}

// term is the condition on one attribute of the key.
type term struct {
	op        string // that of the expression
	low, high Value
}

// Value is the value of a key attribute.
type Value struct {
	wire []byte // such as {"S":"text"}
	Kind byte   // S, N or B
	Text []byte // the text between the quotes, if it is plain
	N    int64  // of a number
	IsN  bool   // it is a whole number of few digits
}

// Init reads the terms of a key condition, which a scan has not.
func (q *Query) Init(key expr.Node) {
	q.names, q.terms = q.nameRoom[:0], q.termRoom[:0]
	q.read(q.wireRoom[:0], key)
}

func (q *Query) read(room []byte, n expr.Node) []byte {
	switch n := n.(type) {
	case expr.Logic:
		for _, t := range n.Terms {
			room = q.read(room, t)
		}
	case expr.Compare:
		room = q.add(room, n.Op, n.Left, n.Right, nil)
	case expr.Between:
		room = q.add(room, "BETWEEN", n.Operand, n.Low, n.High)
	case expr.Call:
		room = q.add(room, n.Name, n.Args[0], n.Args[1], nil)
	}
	return room
}

func (q *Query) add(room []byte, op string, left, low, high expr.Node) []byte {
	path, ok := left.(expr.Path)
	if !ok {
		return room
	}
	t := term{op: op}
	room = t.low.set(room, low)
	room = t.high.set(room, high)
	q.names, q.terms = append(q.names, path[0].Name), append(q.terms, t)
	return room
}

// set keeps the value of an expression, written into room.
func (v *Value) set(room []byte, n expr.Node) []byte {
	value, ok := n.(expr.Value)
	if !ok {
		return room
	}
	from := len(room)
	room, err := codec.AppendAttributeValue(room, value.AV)
	if err == nil { // else it cannot be sent either
		*v = ValueOf(room[from:])
	}
	return room
}

// Capture makes the decoder note the attributes that Row looks at.
func (q *Query) Capture(d *codec.Decoder) {
	if len(q.names) > 0 {
		d.Capture(q.names)
	}
}

// Row refuses an item that cannot belong to the query.
func (q *Query) Row(captured [2][]byte, item []byte) error {
	for i := range q.terms {
		if i >= len(captured) || captured[i] == nil {
			return q.Find(item)
		}
		if !q.terms[i].holds(captured[i]) {
			return ErrOtherKey
		}
	}
	return nil
}

// Find is Row for an item whose key attributes were not all noted.
func (q *Query) Find(item []byte) error {
	if len(q.names) == 0 {
		return nil
	}
	values, err := Find(item, q.names)
	if err != nil {
		return err
	}
	for i, v := range values[:len(q.names)] {
		if v == nil {
			return ErrNoKey
		}
		if !q.terms[i].holds(v) {
			return ErrOtherKey
		}
	}
	return nil
}

// MaxAttributes is the largest number of attributes in the two keys of an index.
const MaxAttributes = 8

// Find finds the values of attributes of an encoded item, nil for those that it lacks: at most [MaxAttributes]. They alias the item.
func Find(item []byte, names []string) (values [MaxAttributes][]byte, err error) {
	d := codec.NewDecoder(item, codec.Options{NoArena: true})
	defer d.Release()
	err = d.Lookahead(names, values[:len(names)])
	return values, err
}

// ValueOf parses a value in wire form, if it is written plainly.
func ValueOf(b []byte) Value {
	const head, tail = `{"S":"`, `"}`
	v := Value{wire: b}
	if len(b) < len(head)+len(tail) || b[0] != '{' || b[1] != '"' || string(b[3:len(head)]) != head[3:] || bytes.IndexByte(b, '\\') >= 0 {
		return v
	}
	v.Kind, v.Text = b[2], b[len(head):len(b)-len(tail)]
	if v.Kind == 'N' {
		v.N, v.IsN = wholeNumber(v.Text)
	}
	return v
}

// wholeNumber reads a number without fraction and exponent.
func wholeNumber(text []byte) (int64, bool) {
	const digits = 18 // of which all fit
	if len(text) == 0 || len(text) > digits {
		return 0, false
	}
	n, err := strconv.ParseInt(string(text), 10, 64)
	return n, err == nil
}

// holds reports whether a value can be that of a requested item. If deciding needs more than comparing bytes (ranges over
// binary values, fractions, texts with escapes) it returns true.
func (t *term) holds(value []byte) bool {
	if t.op == "=" {
		return bytes.Equal(value, t.low.wire) || equalWire(value, t.low.wire)
	}
	v := ValueOf(value)
	if v.Kind == 0 || t.low.Kind == 0 || v.Kind == 'B' {
		return true
	}
	if v.Kind != t.low.Kind {
		return false
	}
	if t.op == "begins_with" {
		return bytes.HasPrefix(v.Text, t.low.Text)
	}
	low, ok := v.compare(&t.low)
	if !ok {
		return true
	}
	switch t.op {
	case "<":
		return low < 0
	case "<=":
		return low <= 0
	case ">":
		return low > 0
	case ">=":
		return low >= 0
	case "BETWEEN":
		high, ok := v.compare(&t.high)
		return low >= 0 && (!ok || high <= 0)
	}
	return true
}

// compare orders two values of one kind as DynamoDB does, if both are plain.
func (v *Value) compare(w *Value) (order int, ok bool) {
	switch {
	case v.Kind != w.Kind:
		return 0, false
	case v.Kind == 'S':
		return bytes.Compare(v.Text, w.Text), true
	case v.IsN && w.IsN:
		return cmp.Compare(v.N, w.N), true
	}
	return 0, false
}

// equalWire compares key values in wire form that are spelt in two ways, such as numbers.
func equalWire(a, b []byte) bool {
	av, err1 := codec.ParseAttributeValue(a)
	bv, err2 := codec.ParseAttributeValue(b)
	if err1 != nil || err2 != nil {
		return false
	}
	idA, idB := itemid.AppendValue(nil, av), itemid.AppendValue(nil, bv)
	return len(idA) > 0 && bytes.Equal(idA, idB)
}
