package ddb

import (
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/dynamotable/ddb/internal/codec"
	"github.com/dynamotable/ddb/internal/expr"
)

func nothing() {}

// stamp returns the item as it is to be stored, with its version raised and its
// times set and a new write token, which is returned too, and a function that gives
// the caller's item the same after success.
func stamp[T any](c *core, v verb, item *T) (next *T, token string, done func()) {
	if c.version == nil && c.token == nil && c.created == nil && c.updated == nil {
		return item, "", nothing
	}
	next = new(T)
	*next = *item
	from := reflect.ValueOf(next).Elem()
	now := c.now()
	if c.token != nil {
		token = newToken()
		known := v != verbCreate && c.version != nil && !versionOf(c, item).IsZero()
		f := from.FieldByIndex(c.token.field.Index)
		f.SetString(nextTokens(token, f.String(), known))
	}
	if c.version != nil {
		raise(from.FieldByIndex(c.version.field.Index), v == verbCreate)
	}
	if c.created != nil {
		if f := from.FieldByIndex(c.created.field.Index); f.Interface().(time.Time).IsZero() {
			f.Set(reflect.ValueOf(now))
		}
	}
	if c.updated != nil {
		from.FieldByIndex(c.updated.field.Index).Set(reflect.ValueOf(now))
	}
	return next, token, func() {
		to := reflect.ValueOf(item).Elem()
		for _, h := range []*handle{c.version, c.token, c.created, c.updated} {
			if h != nil {
				to.FieldByIndex(h.field.Index).Set(from.FieldByIndex(h.field.Index))
			}
		}
	}
}

// raise adds one to a version; a created item starts at one.
func raise(f reflect.Value, fresh bool) {
	if f.CanInt() {
		n := f.Int()
		if fresh {
			n = 0
		}
		f.SetInt(n + 1)
		return
	}
	n := f.Uint()
	if fresh {
		n = 0
	}
	f.SetUint(n + 1)
}

// versionOf is the version field of an item.
func versionOf[T any](c *core, item *T) reflect.Value {
	return reflect.ValueOf(item).Elem().FieldByIndex(c.version.field.Index)
}

// otherVersion reports whether a condition asks for a version that the stored item does not have.
func otherVersion(cond expr.Node, version expr.Path, item map[string]types.AttributeValue) bool {
	switch n := cond.(type) {
	case expr.Logic:
		return n.Op == "AND" && slices.ContainsFunc(n.Terms, func(t expr.Node) bool { return otherVersion(t, version, item) })
	case expr.Compare:
		p, ok := n.Left.(expr.Path)
		want, isValue := n.Right.(expr.Value)
		if !ok || !isValue || n.Op != "=" || p.String() != version.String() {
			return false
		}
		stored, ok := item[version[0].Name].(*types.AttributeValueMemberN)
		asked, isNumber := want.AV.(*types.AttributeValueMemberN)
		return ok && isNumber && stored.Value != asked.Value
	}
	return false
}

func versionValue(v reflect.Value) types.AttributeValue {
	if v.CanInt() {
		return numberValue(v.Int())
	}
	return &types.AttributeValueMemberN{Value: strconv.FormatUint(v.Uint(), 10)}
}

// stampUpdate adds what the table keeps by itself to an update.
func (c *core) stampUpdate(u *expr.Update, present bool) {
	if c.version != nil {
		p := c.version.path
		base := expr.Call{Name: "if_not_exists", Args: []expr.Node{p, expr.Value{AV: numberValue(0)}}}
		u.Set = append(u.Set, expr.Action{Path: p, Right: expr.Arithmetic{Left: base, Op: "+", Right: expr.Value{AV: numberValue(1)}}})
	}
	if c.created == nil && c.updated == nil {
		return
	}
	now := c.now()
	if c.created != nil && !present {
		if av, err := codec.ToAttributeValue(c.created.value, &now); err == nil {
			p := c.created.path
			u.Set = append(u.Set, expr.Action{Path: p, Right: expr.Call{Name: "if_not_exists", Args: []expr.Node{p, expr.Value{AV: av}}}})
		}
	}
	if c.updated != nil {
		if av, err := codec.ToAttributeValue(c.updated.value, &now); err == nil {
			u.Set = append(u.Set, expr.Action{Path: c.updated.path, Right: expr.Value{AV: av}})
		}
	}
}

// checkChanged refuses updates of attributes that are not the caller's to change.
func (c *core) checkChanged(u *expr.Update) error {
	var errs []error
	for _, p := range u.Paths() {
		name := p[0].Name
		if slices.Contains(c.key.names(), name) {
			errs = append(errs, fmt.Errorf("attribute %s is part of the key; a key cannot change: delete the item and put another", name))
		}
		for _, h := range []*handle{c.version, c.token, c.created, c.updated} {
			if h != nil && h.path[0].Name == name {
				errs = append(errs, fmt.Errorf("attribute %s is kept by the table itself", name))
			}
		}
		for _, d := range c.derived {
			if d.target.path[0].Name == name {
				errs = append(errs, fmt.Errorf("attribute %s is derived from %s; set these", name, d.memberNames()))
			}
		}
	}
	return invalid(errs...)
}
