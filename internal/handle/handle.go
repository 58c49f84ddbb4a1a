// SPDX-License-Identifier: Apache-2.0

// Package handle has what handles make, without type parameters: attributes found by selectors, conditions, changes and conditions on the
// sort key. Package ddb puts types over them: a ddb.StrHandle is a Handle, a ddb.Cond is a Cond, a ddb.Change has a *Change.
//
// Functions take values as any: a pointer to a value of the attribute's Go type. A mistake does not stop them: what they return carries the
// error, and the operation that uses it reports all errors before it sends anything. The package knows neither tables nor requests.
// Start reading at New in handle.go.
package handle

import (
	"errors"
	"fmt"
	"path/filepath"
	"reflect"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/dynamotable/ddb/internal/codec"
	"github.com/dynamotable/ddb/internal/expr"
	"github.com/dynamotable/ddb/internal/gotype"
	"github.com/dynamotable/ddb/internal/quiet"
)

// Of returns the handle of a ddb.AnyAttr, nil for nil.
func Of(attr interface{ Handle() *Handle }) *Handle {
	if attr == nil {
		return nil
	}
	return attr.Handle()
}

// All returns the handles of several.
func All[A interface{ Handle() *Handle }](attrs []A) []*Handle {
	if len(attrs) == 0 {
		return nil
	}
	handles := make([]*Handle, len(attrs))
	for i, a := range attrs {
		handles[i] = Of(a)
	}
	return handles
}

// Handle is the content of all types of handles: an attribute of one struct type, resolved once to its path and codec. A nil
// Handle is the zero handle. The content is behind a further pointer, so that printing a handle never shows it.
type Handle struct{ a *attribute }

// Item returns the type of the items; the following methods need a handle that is resolved.
func (h *Handle) Item() gotype.Type { return h.a.item }

// Path returns the document path.
func (h *Handle) Path() expr.Path { return h.a.path }

// Node returns the path as an operand.
func (h *Handle) Node() expr.Node { return h.a.node }

// Value returns the codec of the values.
func (h *Handle) Value() *codec.Value { return h.a.value }

// Field returns the top-level field.
func (h *Handle) Field() codec.Field { return h.a.field }

type attribute struct {
	item    gotype.Type
	once    sync.Once
	find    func(*Handle)
	want    []codec.Kind // the type that the attribute must be stored as; empty for any
	path    expr.Path
	node    expr.Node // the path as an operand
	value   *codec.Value
	field   codec.Field // the top-level field, for key checks
	anyType bool        // values are of any type; see Named
	err     error
}

// New returns the handle of the field of type V of a struct T that the selector, a func(*T) *V, returns.
//
//go:noinline
func New(selector any, want ...codec.Kind) *Handle {
	sel := reflect.ValueOf(selector)
	item, value := sel.Type().In(0).Elem(), sel.Type().Out(0).Elem()
	return &Handle{&attribute{item: gotype.Of(item), want: want, find: func(h *Handle) {
		plan, err := codec.PlanOf(item)
		if err != nil {
			h.a.err = err
			return
		}
		h.a.path, h.a.field, h.a.err = locate(plan, value, func(probe reflect.Value) reflect.Value {
			return sel.Call([]reflect.Value{probe})[0]
		})
		if h.a.err != nil {
			h.a.err = fmt.Errorf("%w%s", h.a.err, placeOf(sel.Pointer()))
			return
		}
		h.a.value = h.Field().Codec
	}}}
}

// Name is the result of ddb.NameOf.
func (h *Handle) Name() string {
	if h.Resolve() != nil {
		return ""
	}
	return h.Path().String()
}

// Text returns item type and path.
func (h *Handle) Text() string {
	if h.Resolve() != nil {
		return "handle without an attribute"
	}
	return h.Item().String() + "." + h.Path().String()
}

// Print is the method Format of handles: every verb prints item type and path.
func (h *Handle) Print(s fmt.State, verb rune) { quiet.Format(s, verb, h.Text()) }

// At returns the handle of a list element.
func (h *Handle) At(i int) *Handle {
	return h.Child(func(c *Handle) {
		if i < 0 {
			c.a.err = fmt.Errorf("attribute %s: list index %d is negative", c.Path(), i)
			return
		}
		c.a.path = c.Path().At(i)
		c.a.value = c.Value().Elem()
	})
}

// Key returns the handle of a value of a map.
func (h *Handle) Key(k string) *Handle {
	return h.Child(func(c *Handle) {
		if k == "" {
			c.a.err = fmt.Errorf("attribute %s: the key of the map is empty, which DynamoDB does not store", c.Path())
			return
		}
		c.a.path = c.Path().Key(k)
		c.a.value = c.Value().Elem()
	})
}

// Within returns the handle of inner, a field of a struct, below h.
func (h *Handle) Within(inner *Handle) *Handle {
	return h.Child(func(c *Handle) { c.lead(inner) })
}

// placeOf returns the source position of a selector, so that a handle without a name can be found.
func placeOf(selector uintptr) string {
	f := runtime.FuncForPC(selector)
	if f == nil {
		return ""
	}
	file, line := f.FileLine(selector)
	return fmt.Sprintf(" (%s:%d)", filepath.Base(file), line)
}

// Child derives a handle from h; step moves path and value down one level.
func (h *Handle) Child(step func(*Handle)) *Handle {
	if h == nil || h.a == nil {
		return nil
	}
	return &Handle{&attribute{item: h.Item(), find: func(c *Handle) {
		if c.a.err = h.Resolve(); c.a.err != nil {
			return
		}
		c.a.path, c.a.value = h.Path(), h.Value()
		step(c)
		if c.a.err == nil && c.Value() == nil {
			c.a.err = fmt.Errorf("attribute %s of %s has no elements", h.Path(), h.Item())
		}
	}}}
}

// lead extends the handle of a struct to the field that another handle selects in it.
func (h *Handle) lead(inner *Handle) {
	plan := h.Value().Struct()
	if plan == nil {
		h.a.err = fmt.Errorf("attribute %s of %s is stored as %s and has no fields", h.Path(), h.Item(), h.Value().Kind())
		return
	}
	if h.a.err = inner.Resolve(); h.a.err != nil {
		return
	}
	// The struct's own codec may store its fields in another form here, because of the tag around it.
	for _, step := range inner.Path() {
		f, ok := plan.Field(step.Name)
		if !ok {
			h.a.err = fmt.Errorf("attribute %s of %s has no field %s", h.Path(), h.Item(), inner.Path())
			return
		}
		h.a.path, h.a.value = append(slices.Clip(h.Path()), step), f.Codec
		if inner := f.Codec.Struct(); inner != nil {
			plan = inner
		}
	}
}

// Resolve finds the attribute on its first call, and returns what is wrong with the handle.
func (h *Handle) Resolve() error {
	if h == nil || h.a == nil {
		return errors.New("a zero handle was used; make it with ddb.Field, StrField or another constructor")
	}
	h.a.once.Do(func() {
		h.a.find(h)
		if h.a.err == nil {
			h.a.err = h.checkKind()
		}
		h.a.node = h.Path()
	})
	return h.a.err
}

func (h *Handle) checkKind() error {
	if len(h.a.want) == 0 {
		return nil
	}
	for _, k := range h.a.want {
		if h.Value().Kind() == k {
			return nil
		}
	}
	hint := ""
	if h.a.want[0] == codec.SS {
		hint = "; add stringset, numberset or binaryset to its dynamodbav tag"
	}
	return fmt.Errorf("attribute %s of %s is stored as %s, the handle needs %v%s",
		h.Path(), h.Item(), h.Value().Kind(), h.a.want, hint)
}

// Encode returns the wire value of *v, which has the attribute's Go type, by its codec.
func Encode(h *Handle, v any) (types.AttributeValue, error) {
	if err := h.Resolve(); err != nil {
		return nil, err
	}
	return encodeBy(h, h.Value(), v)
}

// encodeElem returns the wire value of *e, a member of a set or an element of a list.
func encodeElem(h *Handle, e any) (types.AttributeValue, error) {
	if err := h.Resolve(); err != nil {
		return nil, err
	}
	elem := h.Value().Elem()
	if elem == nil {
		return nil, fmt.Errorf("attribute %s of %s has no elements", h.Path(), h.Item())
	}
	return encodeBy(h, elem, e)
}

func encodeBy(h *Handle, c *codec.Value, v any) (types.AttributeValue, error) {
	var (
		av  types.AttributeValue
		err error
	)
	if p, ok := v.(*any); ok && h.a.anyType {
		av, err = c.FromAny(*p)
	} else {
		av, err = c.AttributeValue(v)
	}
	if err != nil {
		return nil, fmt.Errorf("attribute %s: %w", h.Path(), err)
	}
	return av, nil
}

// As returns the handle with a required stored type.
func (h *Handle) As(kinds ...codec.Kind) *Handle {
	return h.Child(func(c *Handle) { c.a.want = kinds })
}

// into extends the handle to a named part of its attribute.
func (h *Handle) into(name string) error {
	v := h.Value()
	for v.Pointee() != nil {
		v = v.Pointee()
	}
	switch {
	case v.IsWire():
		return h.intoRaw(name)
	case v.Struct() != nil:
		f, ok := v.Struct().Field(name)
		if !ok {
			return fmt.Errorf("attribute %s of %s: %s has no attribute %q", h.Path(), h.Item(), v.Type(), name)
		}
		h.a.path, h.a.value = append(slices.Clip(h.Path()), expr.Attribute(name)...), f.Codec
	case v.Kind() == codec.M && v.Elem() != nil:
		if name == "" {
			return fmt.Errorf("attribute %s: the key of the map is empty, which DynamoDB does not store", h.Path())
		}
		h.a.path, h.a.value = h.Path().Key(name), v.Elem()
	case v.Kind() == codec.L && v.Elem() != nil:
		i, err := strconv.ParseUint(name, 10, 31)
		if err != nil {
			return fmt.Errorf("attribute %s is a list; the name of an element is its index, counted from 0", h.Path())
		}
		h.a.path, h.a.value = h.Path().At(int(i)), v.Elem()
	default:
		return fmt.Errorf("attribute %s of %s is stored as %s and has no parts with names", h.Path(), h.Item(), v.Kind())
	}
	return nil
}

// intoRaw leads the handle to a key of a map, or to an element of a list if the name is an index in brackets.
func (h *Handle) intoRaw(name string) error {
	if inner, ok := strings.CutPrefix(name, "["); ok && strings.HasSuffix(inner, "]") {
		i, err := strconv.ParseUint(strings.TrimSuffix(inner, "]"), 10, 31)
		if err != nil {
			return fmt.Errorf("attribute %s: the index of an element is a number in brackets, counted from 0", h.Path())
		}
		h.a.path = h.Path().At(int(i))
		return nil
	}
	if name == "" {
		return fmt.Errorf("attribute %s: the key of the map is empty, which no write takes", h.Path())
	}
	h.a.path = h.Path().Key(name)
	return nil
}

func isTime(v any) bool {
	switch v.(type) {
	case time.Time, *time.Time:
		return true
	}
	return false
}

// Pointee makes the handle of a pointer that of the value it points to. It is a step of Handle.Child.
func Pointee(h *Handle) { h.a.value = h.Value().Pointee() }

// MembersOf makes the handle of a map that is stored as a set that of its members. It is a step of Handle.Child.
func MembersOf(h *Handle) {
	members := h.Value().Members()
	if members == nil {
		h.a.err = fmt.Errorf("attribute %s of %s is stored as %s, the handle needs a set; add stringset or numberset to its dynamodbav tag", h.Path(), h.Item(), h.Value().Kind())
		return
	}
	h.a.value = members
}
