// SPDX-License-Identifier: Apache-2.0

package core

import (
	"crypto/rand"
	"errors"
	"fmt"
	"reflect"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/dynamotable/ddb/internal/codec"
	"github.com/dynamotable/ddb/internal/expr"
	"github.com/dynamotable/ddb/internal/handle"
	"github.com/dynamotable/ddb/revision"
)

var revisionType = reflect.TypeFor[revision.Revision]()

// newTag returns a random tag. The chance that two writes have the same one is 1 in 2^64.
func newTag() revision.Tag {
	var t revision.Tag
	_, _ = rand.Read(t[:]) // it never fails
	return t
}

// nextRevision returns the revision after the write with the tag.
func nextRevision(r revision.Revision, t revision.Tag) revision.Revision {
	n := revision.Revision{Number: r.Number + 1}
	n.Tags[0] = t
	copy(n.Tags[1:], r.Tags[:])
	if n.First = r.First; r.Number == 0 {
		n.First = t
	}
	return n
}

// isShort reports whether a revision was parsed from text, and so lacks the tags before the newest.
func isShort(r revision.Revision) bool { return r.Number > 1 && r.Tags[1] == revision.Tag{} }

// storedRevision returns a revision in its stored form.
func storedRevision(r revision.Revision) types.AttributeValue {
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
func revisionOf(av types.AttributeValue) (r revision.Revision) {
	m, ok := av.(*types.AttributeValueMemberM)
	if !ok {
		return revision.Revision{}
	}
	n, err := strconv.ParseUint(numberOf(m.Value["n"]), 10, 64)
	list, ok := m.Value["t"].(*types.AttributeValueMemberL)
	if err != nil || !ok {
		return revision.Revision{}
	}
	r.Number = n
	for i, av := range list.Value {
		b, ok := av.(*types.AttributeValueMemberB)
		if i == len(r.Tags) || !ok || len(b.Value) != len(revision.Tag{}) {
			break
		}
		r.Tags[i] = revision.Tag(b.Value)
	}
	if b, ok := m.Value["f"].(*types.AttributeValueMemberB); ok && len(b.Value) == len(revision.Tag{}) {
		r.First = revision.Tag(b.Value)
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
func revisionIn(c *Table, item reflect.Value) revision.Revision {
	r, _ := reflect.TypeAssert[revision.Revision](item.FieldByIndex(c.revision.Field().Index))
	return r
}

// newestTag returns the condition that the stored item has the revision.
func (c *Table) newestTag(r revision.Revision) expr.Node {
	return expr.Compare{Left: c.revision.Path().Key("t").At(0), Op: "=", Right: expr.Value{AV: &types.AttributeValueMemberB{Value: r.Tags[0][:]}}}
}

// shiftRevision moves the stored tags by one place, whatever they are, and puts the tag first.
func (c *Table) shiftRevision(t revision.Tag) []expr.Action {
	tags := c.revision.Path().Key("t")
	n := c.revision.Path().Key("n")
	all := []expr.Action{
		{Path: n, Right: expr.Arithmetic{Left: n, Op: "+", Right: expr.Value{AV: handle.NumberValue(1)}}},
		{Path: tags.At(0), Right: expr.Value{AV: &types.AttributeValueMemberB{Value: t[:]}}},
	}
	for i := 1; i < len(revision.Revision{}.Tags); i++ {
		all = append(all, expr.Action{Path: tags.At(i), Right: tags.At(i - 1)})
	}
	return all
}

// setRevision writes the whole revision.
func (c *Table) setRevision(r revision.Revision) []expr.Action {
	return []expr.Action{{Path: c.revision.Path(), Right: expr.Value{AV: storedRevision(r)}}}
}

// replaceRevision replaces the revision in an encoded item.
func (c *Table) replaceRevision(item []byte, from, to revision.Revision) ([]byte, error) {
	old, err := codec.AppendValue(nil, c.revision.Value(), &from)
	fresh, err2 := codec.AppendValue(nil, c.revision.Value(), &to)
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
func (c *Table) takeRevision(cond expr.Node) (rest expr.Node, demanded *revision.Revision, err error) {
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
		if !ok || cmp.Op != "=" || !isPath || !isValue || p.String() != c.revision.Path().String() {
			kept = append(kept, t)
			continue
		}
		r := revisionOf(v.AV)
		switch {
		case r.IsZero():
			err = fmt.Errorf("a condition on the zero revision of attribute %s, which no stored item has; take the revision from the item that was read", c.revision.Path())
		case demanded != nil && !demanded.Same(r):
			err = fmt.Errorf("two conditions on attribute %s demand different revisions", c.revision.Path())
		}
		demanded = &r
	}
	for _, n := range kept {
		for _, p := range expr.Paths(n) {
			if p.Overlaps(c.revision.Path()) {
				err = fmt.Errorf("attribute %s is a revision: require it by ddb.If(revision.Eq(r)), alone or together with other conditions, not inside Or or Not", c.revision.Path())
			}
		}
	}
	return expr.All(kept...), demanded, err
}

// demandedTag returns the newest tag that a condition requires.
func (c *Table) demandedTag(cond expr.Node) (t revision.Tag, ok bool) {
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
		if !isPath || !isValue || path.String() != c.revision.Path().Key("t").At(0).String() {
			return t, false
		}
		if b, isBytes := value.AV.(*types.AttributeValueMemberB); isBytes && len(b.Value) == len(t) {
			return revision.Tag(b.Value), true
		}
	}
	return t, false
}
