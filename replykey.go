// SPDX-License-Identifier: Apache-2.0

package ddb

import (
	"bytes"
	"errors"
	"slices"
	"strconv"
	"sync"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/dynamotable/ddb/internal/codec"
	"github.com/dynamotable/ddb/internal/expr"
	"github.com/dynamotable/ddb/internal/itemid"
	"github.com/dynamotable/ddb/internal/wire"
)

// Replies are crossed when a connection or a proxy gives the answer to one request to another. An item of a reply is
// taken only if its key is the one that was asked for; keys are compared as bytes while the item is decoded.

const (
	errOtherKey       = wire.Mismatch("it holds an item with another key than the one that was asked for")
	errOtherPartition = wire.Mismatch("it goes on in another partition than the one that was asked for")
	errNoKey          = wire.Mismatch("it holds an item without a key that can be compared")
)

// checkReplyKey refuses an item of a reply that has another key than the request, or none, by a [wire.Mismatch]: the
// reply is then refused as a whole, as a [*wire.ReplyError]. It is for the Row of a [wire.Rows]: call d.Watch(c.keyNames)
// before the item is decoded by [codec.DecodeNext]; key is the request's in wire form, as appendKey gives it, watched
// is d.Watched() and item d.Since its beginning. It allocates nothing unless the keys are spelt in two ways.
func (c *core) checkReplyKey(key []byte, watched [2][]byte, item []byte) error {
	if itemid.Same(key, c.keyNames, watched) {
		return nil
	}
	var room [160]byte
	want, err := c.keyNames.AppendWatched(room[:0], itemid.Plain(key, c.keyNames), key)
	if err != nil {
		return err
	}
	return c.checkReplyID(want, watched, item)
}

// checkReplyID is checkReplyKey for a key whose keyID is known.
func (c *core) checkReplyID(id []byte, watched [2][]byte, item []byte) error {
	var room [160]byte
	have, err := c.keyNames.AppendWatched(room[:0], watched, item)
	switch {
	case err != nil:
		return errNoKey
	case !bytes.Equal(have, id):
		return errOtherKey
	}
	return nil
}

// keyRow takes an item of which only the key counts.
type keyRow struct {
	core *core
	key  []byte
	skip bool // it is of another type, and left out
}

func (r *keyRow) Reset(int) { r.skip = false }

func (r *keyRow) Row(d *codec.Decoder) error {
	raw, err := d.Raw()
	if err != nil {
		return err
	}
	if err := r.core.checkReplyKey(r.key, itemid.Plain(raw, r.core.keyNames), raw); err != nil {
		return err
	}
	own, err := r.core.ownsItem(raw)
	if err == nil && !own {
		r.skip, err = true, r.core.otherEntity()
	}
	return err
}

// queryCheck is what the items of a query's replies have: the partition key that was asked for, and a sort key in the
// range. Its zero value checks nothing. It must not be copied.
type queryCheck struct {
	names []string
	terms []keyTerm // one for each name

	// Room for the usual keys, so that a query needs no more memory.
	nameRoom [2]string
	termRoom [2]keyTerm
	wireRoom [96]byte
}

// keyTerm is what a key condition says of one attribute.
type keyTerm struct {
	op        string // that of the expression
	low, high keyValue
}

// keyValue is the value of a key attribute.
type keyValue struct {
	wire []byte // such as {"S":"text"}
	kind byte   // S, N or B
	text []byte // the text between the quotes, if it is plain
	n    int64  // of a number
	isN  bool   // it is a whole number of few digits
}

// init reads the terms of a key condition, which a scan has not.
func (q *queryCheck) init(key expr.Node) {
	q.names, q.terms = q.nameRoom[:0], q.termRoom[:0]
	q.read(q.wireRoom[:0], key)
}

func (q *queryCheck) read(room []byte, n expr.Node) []byte {
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

func (q *queryCheck) add(room []byte, op string, left, low, high expr.Node) []byte {
	path, ok := left.(expr.Path)
	if !ok {
		return room
	}
	t := keyTerm{op: op}
	room = t.low.set(room, low)
	room = t.high.set(room, high)
	q.names, q.terms = append(q.names, path[0].Name), append(q.terms, t)
	return room
}

// set keeps the value of an expression, written into room.
func (v *keyValue) set(room []byte, n expr.Node) []byte {
	value, ok := n.(expr.Value)
	if !ok {
		return room
	}
	from := len(room)
	room, err := codec.AppendAttributeValue(room, value.AV)
	if err == nil { // else it cannot be sent either
		*v = keyValueOf(room[from:])
	}
	return room
}

// checkNext refuses a reply that says to go on in another partition: it is another query's, even if its items were
// all dropped by a filter. The SDK does not repeat the read, as its part is done.
func (r *read) checkNext(last map[string]types.AttributeValue) error {
	if len(last) == 0 {
		return nil
	}
	for i, part := range r.schema().partition {
		var want, have [64]byte
		if !bytes.Equal(itemid.AppendValue(want[:0], r.partition[i]), itemid.AppendValue(have[:0], last[part.name])) {
			return &wire.ReplyError{Operation: r.op(), Read: true, Fault: wire.ReplyMismatch, Err: errOtherPartition}
		}
	}
	return nil
}

// watch makes the decoder note the attributes that row looks at.
func (q *queryCheck) watch(d *codec.Decoder) {
	if len(q.names) > 0 {
		d.Watch(q.names)
	}
}

// row refuses an item of which the query cannot have asked.
func (q *queryCheck) row(watched [2][]byte, item []byte) error {
	for i := range q.terms {
		if i >= len(watched) || watched[i] == nil {
			return q.scan(item)
		}
		if !q.terms[i].holds(watched[i]) {
			return errOtherKey
		}
	}
	return nil
}

// scan is row for an item whose key attributes were not all noted.
func (q *queryCheck) scan(item []byte) error {
	if len(q.names) == 0 {
		return nil
	}
	s := valueScans.Get().(*valueScan) //nolint:forcetypeassert // the pool holds nothing else
	defer valueScans.Put(s)
	if err := s.find(item, q.names); err != nil {
		return err
	}
	for i, v := range s.values[:len(q.names)] {
		if v == nil {
			return errNoKey
		}
		if !q.terms[i].holds(v) {
			return errOtherKey
		}
	}
	return nil
}

// maxKeyAttributes is how many attributes the two keys of an index have at most.
const maxKeyAttributes = 8

// valueScan finds attributes of an encoded item. Its function is made once, because pages have many items.
type valueScan struct {
	d      *codec.Decoder
	names  []string
	values [maxKeyAttributes][]byte
	found  int
	member func([]byte) error
}

var errAllFound = errors.New("all attributes found")

var valueScans = sync.Pool{New: func() any {
	s := new(valueScan)
	s.member = s.onMember
	return s
}}

func (s *valueScan) find(item []byte, names []string) error {
	s.names, s.found, s.values = names, 0, [maxKeyAttributes][]byte{}
	s.d = codec.NewDecoder(item, codec.Options{NoArena: true})
	err := s.d.Object(s.member)
	s.d.Release()
	if err == errAllFound { //nolint:errorlint // as onMember returns it
		return nil
	}
	return err
}

func (s *valueScan) onMember(name []byte) error {
	i := slices.IndexFunc(s.names, func(n string) bool { return n == string(name) })
	if i < 0 || i >= maxKeyAttributes {
		return s.d.Skip()
	}
	var err error
	if s.values[i], err = s.d.Raw(); err != nil {
		return err
	}
	if s.found++; s.found == len(s.names) {
		return errAllFound
	}
	return nil
}

// keyValueOf takes a value in wire form apart, as far as it is written plainly.
func keyValueOf(b []byte) keyValue {
	const head, tail = `{"S":"`, `"}`
	v := keyValue{wire: b}
	if len(b) < len(head)+len(tail) || b[0] != '{' || b[1] != '"' || string(b[3:len(head)]) != head[3:] || bytes.IndexByte(b, '\\') >= 0 {
		return v
	}
	v.kind, v.text = b[2], b[len(head):len(b)-len(tail)]
	if v.kind == 'N' {
		v.n, v.isN = wholeNumber(v.text)
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

// holds reports whether a value can be that of an item that was asked for. Where that needs more than a look at the
// bytes (ranges over binary values, fractions, texts with escapes) it says yes.
func (t *keyTerm) holds(value []byte) bool {
	if t.op == "=" {
		return bytes.Equal(value, t.low.wire) || equalWire(value, t.low.wire)
	}
	v := keyValueOf(value)
	if v.kind == 0 || t.low.kind == 0 || v.kind == 'B' {
		return true
	}
	if v.kind != t.low.kind {
		return false
	}
	if t.op == "begins_with" {
		return bytes.HasPrefix(v.text, t.low.text)
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
func (v *keyValue) compare(w *keyValue) (order int, ok bool) {
	switch {
	case v.kind != w.kind:
		return 0, false
	case v.kind == 'S':
		return bytes.Compare(v.text, w.text), true
	case v.isN && w.isN:
		switch {
		case v.n < w.n:
			return -1, true
		case v.n > w.n:
			return 1, true
		}
		return 0, true
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
