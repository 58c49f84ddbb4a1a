package ddb

import (
	"bytes"
	"slices"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/dynamotable/ddb/internal/codec"
	"github.com/dynamotable/ddb/internal/expr"
)

// verdict is what a stored item proves about a write whose reply was lost.
type verdict uint8

const (
	provesNothing verdict = iota
	provesOurs            // the write was applied
	provesOther           // another write won; ours can no longer be applied
	stillPossible         // not applied so far, and the condition admits it once only
	harmless              // not proven, but to apply it again changes nothing
)

// judge says what the stored item proves, nil standing for no item.
type judge func(stored map[string]types.AttributeValue) verdict

// judgePut is for a put under a condition, which gives the item the version it holds.
func (c *core) judgePut(ours []byte, token string, v verb, create bool) judge {
	return func(stored map[string]types.AttributeValue) verdict {
		mine, err := codec.ParseItem(ours)
		if err != nil {
			return provesNothing
		}
		if c.written(stored, token) || len(stored) > 0 && equalStored(&types.AttributeValueMemberM{Value: mine}, &types.AttributeValueMemberM{Value: stored}) {
			return provesOurs
		}
		if len(stored) == 0 && create {
			return stillPossible
		}
		if c.version == nil {
			if v == verbCreate {
				return provesNothing
			}
			return harmless
		}
		want, err := strconv.ParseUint(numberOf(mine[c.version.path.String()]), 10, 64)
		if err != nil {
			return provesNothing
		}
		return c.judgeVersion(stored, want)
	}
}

// judgeUpdate is for an update that raises the version from base, if the caller said so.
func (c *core) judgeUpdate(token string, base uint64, guarded, repeat bool) judge {
	return func(stored map[string]types.AttributeValue) verdict {
		switch {
		case c.written(stored, token):
			return provesOurs
		case guarded:
			if have, ok := c.storedVersion(stored); ok && have == base {
				return stillPossible
			}
			if token == "" {
				return provesNothing // the next version may be ours
			}
			return c.judgeVersion(stored, base+1)
		case repeat:
			return harmless
		}
		return provesNothing
	}
}

// judgeDelete is for a delete of version base. Of an item that is gone nothing tells who deleted it.
func (c *core) judgeDelete(base uint64, token string) judge {
	return func(stored map[string]types.AttributeValue) verdict {
		have, ok := c.storedVersion(stored)
		switch {
		case !ok:
			return provesNothing
		case have == base:
			return stillPossible
		case c.written(stored, token):
			return provesOther // it is the same item, with later writes
		}
		return provesNothing
	}
}

// judgeVersion is for a write that was to make version want, and that the stored
// tokens do not name.
func (c *core) judgeVersion(stored map[string]types.AttributeValue, want uint64) verdict {
	have, ok := c.storedVersion(stored)
	switch {
	case !ok || have+1 < want:
		return provesNothing // deleted, and perhaps made anew
	case have+1 == want:
		return stillPossible
	case have == want:
		return provesOther
	case have-want < uint64(len(c.tokensOf(stored))):
		return provesOther // the tokens reach back to that version, and it has another's
	}
	return provesNothing
}

func (c *core) storedVersion(stored map[string]types.AttributeValue) (uint64, bool) {
	if c.version == nil || len(stored) == 0 {
		return 0, false
	}
	n, err := strconv.ParseUint(numberOf(stored[c.version.path.String()]), 10, 64)
	return n, err == nil
}

// guardedVersion is the version that a condition demands, as ddb.If(version.Eq(n)) does.
func (c *core) guardedVersion(cond expr.Node) (uint64, bool) {
	if c.version == nil {
		return 0, false
	}
	switch n := cond.(type) {
	case expr.Logic:
		if n.Op != "AND" {
			return 0, false
		}
		for _, t := range n.Terms {
			if v, ok := c.guardedVersion(t); ok {
				return v, true
			}
		}
	case expr.Compare:
		path, isPath := n.Left.(expr.Path)
		value, isValue := n.Right.(expr.Value)
		if n.Op == "=" && isPath && isValue && slices.Equal(path, c.version.path) {
			v, err := strconv.ParseUint(numberOf(value.AV), 10, 64)
			return v, err == nil
		}
	}
	return 0, false
}

func numberOf(av types.AttributeValue) string {
	if n, ok := av.(*types.AttributeValueMemberN); ok {
		return n.Value
	}
	return ""
}

// equalStored compares values as DynamoDB stores them: numbers by value, sets without order.
func equalStored(a, b types.AttributeValue) bool {
	switch a := a.(type) {
	case *types.AttributeValueMemberN:
		b, ok := b.(*types.AttributeValueMemberN)
		return ok && bytes.Equal(normalNumber([]byte(a.Value)), normalNumber([]byte(b.Value)))
	case *types.AttributeValueMemberM:
		b, ok := b.(*types.AttributeValueMemberM)
		if !ok || len(a.Value) != len(b.Value) {
			return false
		}
		for k, v := range a.Value {
			if w, ok := b.Value[k]; !ok || !equalStored(v, w) {
				return false
			}
		}
		return true
	case *types.AttributeValueMemberL:
		b, ok := b.(*types.AttributeValueMemberL)
		return ok && slices.EqualFunc(a.Value, b.Value, equalStored)
	case *types.AttributeValueMemberSS:
		b, ok := b.(*types.AttributeValueMemberSS)
		return ok && equalSets(a.Value, b.Value, func(s string) string { return s })
	case *types.AttributeValueMemberNS:
		b, ok := b.(*types.AttributeValueMemberNS)
		return ok && equalSets(a.Value, b.Value, func(s string) string { return string(normalNumber([]byte(s))) })
	case *types.AttributeValueMemberBS:
		b, ok := b.(*types.AttributeValueMemberBS)
		return ok && equalSets(a.Value, b.Value, func(s []byte) string { return string(s) })
	case *types.AttributeValueMemberBOOL:
		b, ok := b.(*types.AttributeValueMemberBOOL)
		return ok && a.Value == b.Value
	case *types.AttributeValueMemberNULL:
		_, ok := b.(*types.AttributeValueMemberNULL)
		return ok
	}
	return equalKeyValue(a, b)
}

func equalSets[E any](a, b []E, text func(E) string) bool {
	if len(a) != len(b) {
		return false
	}
	members := make(map[string]bool, len(a))
	for _, m := range a {
		members[text(m)] = true
	}
	for _, m := range b {
		if !members[text(m)] {
			return false
		}
	}
	return true
}
