// SPDX-License-Identifier: Apache-2.0

package ddb

import (
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"reflect"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/dynamotable/ddb/internal/codec"
	"github.com/dynamotable/ddb/internal/expr"
)

// revisionTags is the number of writes that a revision records. If more writes of others happen between a write and the
// proof of its outcome, the outcome is unknown.
const revisionTags = 16

// Tag is a random number that identifies one write.
type Tag [8]byte

// Revision identifies one state of one item: how often it was written, and the tags of its last 16 writes. Add an attribute
// of this type to a table by [Version], and every write compares and swaps it:
//
//	type Account struct {
//		ID       string       `dynamodbav:"id"`
//		Balance  int64        `dynamodbav:"balance"`
//		Revision ddb.Revision `dynamodbav:"revision"`
//	}
//
// The tags make it stronger than a number. A number starts at one again when an item is deleted and created again; a random
// tag never repeats, so no write reaches another item than the one that it was prepared on. And a write whose reply was lost
// finds its own tag in the stored item, or finds that another write took its place.
//
// The zero Revision is that of an item that was never stored. Compare revisions with [Revision.Same]. JSON encodes a
// Revision as text, and [Revision.ETag] returns it as an entity tag for HTTP. These forms have the number and the newest
// tag, which is all that a condition needs.
//
// It is stored as a map of a number n, a list t of 16 binary values and a binary value f, in 170 bytes plus the attribute's
// name. The fields are exported for the encoder; only tables write them.
type Revision struct {
	Number uint64            `dynamodbav:"n"` // how often the item was written
	Tags   [revisionTags]Tag `dynamodbav:"t"` // of the last writes, newest first
	First  Tag               `dynamodbav:"f"` // of the very first write, zero if it is not known
}

var revisionType = reflect.TypeFor[Revision]()

// IsZero reports whether the item was never stored, or has no revision.
func (r Revision) IsZero() bool { return r.Tags[0] == Tag{} }

// Same reports whether both identify the same state of the same item. A Revision parsed from text is the same as the one
// that the text was made from.
func (r Revision) Same(other Revision) bool {
	return r.Number == other.Number && r.Tags[0] == other.Tags[0]
}

// String returns the text form, such as "12-q6mSx1Rk2nE": the number and the newest tag. It is empty for the zero Revision.
// It contains no data of the item.
func (r Revision) String() string {
	if r.IsZero() {
		return ""
	}
	return strconv.FormatUint(r.Number, 10) + "-" + base64.RawURLEncoding.EncodeToString(r.Tags[0][:])
}

// MarshalText returns the text form, which encoding/json uses.
func (r Revision) MarshalText() ([]byte, error) { return []byte(r.String()), nil }

// UnmarshalText reads the text form.
func (r *Revision) UnmarshalText(text []byte) error {
	if r == nil {
		return errors.New("revision: UnmarshalText into a nil Revision")
	}
	*r = Revision{}
	if len(text) == 0 {
		return nil
	}
	number, tag, ok := strings.Cut(string(text), "-")
	n, err := strconv.ParseUint(number, 10, 64)
	data, err2 := base64.RawURLEncoding.DecodeString(tag)
	if !ok || err != nil || err2 != nil || n == 0 || len(data) != len(Tag{}) || [len(Tag{})]byte(data) == (Tag{}) {
		return errBadRevision
	}
	r.Number, r.Tags[0] = n, Tag(data)
	return nil
}

var errBadRevision = fmt.Errorf("%w: not a revision; it must be the text of a Revision, such as 12-q6mSx1Rk2nE", ErrInvalid)

// ETag returns the revision as a strong entity tag for the HTTP header ETag: the text form in quotes. It is empty for the
// zero Revision.
//
// https://www.rfc-editor.org/rfc/rfc9110#name-etag
func (r Revision) ETag() string {
	if r.IsZero() {
		return ""
	}
	return `"` + r.String() + `"`
}

// ParseETag parses an entity tag made by [Revision.ETag], as a client sends it in If-Match:
//
//	rev, err := ddb.ParseETag(req.Header.Get("If-Match"))
//	...
//	account, err := accounts.Update(ctx, id, accountOwner.Set(name), ddb.If(accountRevision.Eq(rev)))
//
// A weak tag, a list of tags and * are refused with an error that matches [ErrInvalid], since they do not identify one state.
//
// https://www.rfc-editor.org/rfc/rfc9110#name-if-match
func ParseETag(tag string) (Revision, error) {
	tag = strings.TrimSpace(tag)
	if len(tag) < 2 || tag[0] != '"' || tag[len(tag)-1] != '"' {
		return Revision{}, errBadRevision
	}
	var r Revision
	if err := r.UnmarshalText([]byte(tag[1 : len(tag)-1])); err != nil || r.IsZero() {
		return Revision{}, errBadRevision
	}
	return r, nil
}

// newTag returns a random tag. The chance that two writes have the same one is 1 in 2^64.
func newTag() Tag {
	var t Tag
	_, _ = rand.Read(t[:]) // it never fails
	return t
}

// next returns the revision after the write with the tag.
func (r Revision) next(t Tag) Revision {
	n := Revision{Number: r.Number + 1}
	n.Tags[0] = t
	copy(n.Tags[1:], r.Tags[:])
	if n.First = r.First; r.Number == 0 {
		n.First = t
	}
	return n
}

// short reports whether it was parsed from text, and so lacks the tags before the newest.
func (r Revision) short() bool { return r.Number > 1 && r.Tags[1] == Tag{} }

// value returns the revision in its stored form.
func (r Revision) value() types.AttributeValue {
	tags := make([]types.AttributeValue, len(r.Tags))
	for i := range r.Tags {
		tags[i] = &types.AttributeValueMemberB{Value: r.Tags[i][:]}
	}
	return &types.AttributeValueMemberM{Value: map[string]types.AttributeValue{
		"n": &types.AttributeValueMemberN{Value: strconv.FormatUint(r.Number, 10)},
		"t": &types.AttributeValueMemberL{Value: tags},
		"f": &types.AttributeValueMemberB{Value: r.First[:]},
	}}
}

// revisionOf reads a stored revision; it is zero if there is none or the value is something else.
func revisionOf(av types.AttributeValue) (r Revision) {
	m, ok := av.(*types.AttributeValueMemberM)
	if !ok {
		return Revision{}
	}
	n, err := strconv.ParseUint(numberOf(m.Value["n"]), 10, 64)
	list, ok := m.Value["t"].(*types.AttributeValueMemberL)
	if err != nil || !ok {
		return Revision{}
	}
	r.Number = n
	for i, av := range list.Value {
		b, ok := av.(*types.AttributeValueMemberB)
		if i == revisionTags || !ok || len(b.Value) != len(Tag{}) {
			break
		}
		r.Tags[i] = Tag(b.Value)
	}
	if b, ok := m.Value["f"].(*types.AttributeValueMemberB); ok && len(b.Value) == len(Tag{}) {
		r.First = Tag(b.Value)
	}
	return r
}

func numberOf(av types.AttributeValue) string {
	if n, ok := av.(*types.AttributeValueMemberN); ok {
		return n.Value
	}
	return ""
}

// revisionIn returns the revision field of an item, which is a pointer to a T.
func revisionIn(c *core, item reflect.Value) Revision {
	r, _ := reflect.TypeAssert[Revision](item.FieldByIndex(c.revision.field.Index))
	return r
}

// newestTag returns the condition that the stored item has the revision.
func (c *core) newestTag(r Revision) expr.Node {
	return expr.Compare{Left: c.revision.path.Key("t").At(0), Op: "=", Right: expr.Value{AV: &types.AttributeValueMemberB{Value: r.Tags[0][:]}}}
}

// shiftRevision moves the stored tags by one place, whatever they are, and puts the tag first.
func (c *core) shiftRevision(t Tag) []expr.Action {
	tags := c.revision.path.Key("t")
	n := c.revision.path.Key("n")
	all := []expr.Action{
		{Path: n, Right: expr.Arithmetic{Left: n, Op: "+", Right: expr.Value{AV: numberValue(1)}}},
		{Path: tags.At(0), Right: expr.Value{AV: &types.AttributeValueMemberB{Value: t[:]}}},
	}
	for i := 1; i < revisionTags; i++ {
		all = append(all, expr.Action{Path: tags.At(i), Right: tags.At(i - 1)})
	}
	return all
}

// setRevision writes the whole revision.
func (c *core) setRevision(r Revision) []expr.Action {
	return []expr.Action{{Path: c.revision.path, Right: expr.Value{AV: r.value()}}}
}

// replaceRevision replaces the revision in an encoded item.
func (c *core) replaceRevision(item []byte, from, to Revision) ([]byte, error) {
	old, err := codec.AppendValue(nil, c.revision.value, &from)
	fresh, err2 := codec.AppendValue(nil, c.revision.value, &to)
	if err := errors.Join(err, err2); err != nil {
		return nil, err
	}
	before, after, found := strings.Cut(string(item), string(old))
	if !found {
		return nil, errors.New("the item was encoded without its revision")
	}
	return append(append([]byte(before), fresh...), after...), nil
}

// takeRevision extracts the revision that a condition requires. The condition is then on the newest tag alone, so that a
// revision parsed from text matches too.
func (c *core) takeRevision(cond expr.Node) (rest expr.Node, demanded *Revision, err error) {
	if c.revision == nil {
		return cond, nil, nil
	}
	terms := []expr.Node{cond}
	if l, ok := cond.(expr.Logic); ok && l.Op == "AND" {
		terms = l.Terms
	}
	var kept []expr.Node
	for _, t := range terms {
		cmp, ok := t.(expr.Compare)
		p, isPath := cmp.Left.(expr.Path)
		v, isValue := cmp.Right.(expr.Value)
		if !ok || cmp.Op != "=" || !isPath || !isValue || p.String() != c.revision.path.String() {
			kept = append(kept, t)
			continue
		}
		r := revisionOf(v.AV)
		switch {
		case r.IsZero():
			err = fmt.Errorf("a condition on the zero revision of attribute %s, which no stored item has; take the revision from the item that was read", c.revision.path)
		case demanded != nil && !demanded.Same(r):
			err = fmt.Errorf("two conditions on attribute %s demand different revisions", c.revision.path)
		}
		demanded = &r
	}
	for _, n := range kept {
		for _, p := range expr.Paths(n) {
			if p.Overlaps(c.revision.path) {
				err = fmt.Errorf("attribute %s is a revision: require it by ddb.If(revision.Eq(r)), alone or together with other conditions, not inside Or or Not", c.revision.path)
			}
		}
	}
	return expr.All(kept...), demanded, err
}

// demandedTag returns the newest tag that a condition requires.
func (c *core) demandedTag(cond expr.Node) (t Tag, ok bool) {
	switch n := cond.(type) {
	case expr.Logic:
		if n.Op != "AND" {
			return t, false
		}
		for _, term := range n.Terms {
			if t, ok = c.demandedTag(term); ok {
				return t, true
			}
		}
	case expr.Compare:
		path, isPath := n.Left.(expr.Path)
		value, isValue := n.Right.(expr.Value)
		if !isPath || !isValue || path.String() != c.revision.path.Key("t").At(0).String() {
			return t, false
		}
		if b, isBytes := value.AV.(*types.AttributeValueMemberB); isBytes && len(b.Value) == len(t) {
			return Tag(b.Value), true
		}
	}
	return t, false
}
