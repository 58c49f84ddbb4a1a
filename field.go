// SPDX-License-Identifier: Apache-2.0

package ddb

import (
	"errors"
	"fmt"
	"path/filepath"
	"reflect"
	"runtime"
	"slices"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/dynamotable/ddb/internal/codec"
	"github.com/dynamotable/ddb/internal/expr"
	"github.com/dynamotable/ddb/internal/gotype"
	"github.com/dynamotable/ddb/internal/quiet"
)

// Attr is a handle of one attribute of items of type T; its Go value is a V. Make it once, usually in a package variable,
// with [Field] or another constructor. It makes typed conditions ([AttrHandle.Eq]) and update changes ([AttrHandle.Set]).
// Less common conditions and changes are functions, such as [Exists], [NotExists], [In], [Size], [Remove] and
// [SetIfMissing]. The attribute name comes from the struct tag.
//
// A handle is resolved on first use: a selector that does not select a stored field is an error of [New] or of the first
// call that uses the handle, never a panic. So is the zero handle, which is a nil pointer. Handles are immutable and safe
// for concurrent use.
//
// A handle is a pointer, and its type has a pointer to the item type as its parameter: in compiler messages Attr[Order,
// bool] is *ddb.AttrHandle[*Order, bool]. This keeps the code that the compiler makes for each item type small.
type Attr[T, V any] = *AttrHandle[*T, V]

// Ord is a handle like [Attr] whose values DynamoDB can order: text, numbers and binary.
type Ord[T, V any] = *OrdHandle[*T, V]

// Num is a handle like [Ord] of a number, with atomic arithmetic.
type Num[T, V any] = *NumHandle[*T, V]

// Str is a handle like [Ord] of text.
type Str[T, V any] = *StrHandle[*T, V]

// Bin is a handle like [Ord] of bytes.
type Bin[T, V any] = *BinHandle[*T, V]

// Set is a handle like [Attr] of a DynamoDB set (tag stringset, numberset or
// binaryset) with members of type E.
type Set[T, E any] = *SetHandle[*T, E]

// List is a handle like [Attr] of a DynamoDB list with elements of type E.
type List[T, E any] = *ListHandle[*T, E]

// Map is a handle like [Attr] of a DynamoDB map from text keys to values of type V.
type Map[T any, K ~string, V any] = *MapHandle[*T, K, V]

// Number is the constraint of Go types that are stored as a DynamoDB number.
type Number interface {
	~int | ~int8 | ~int16 | ~int32 | ~int64 |
		~uint | ~uint8 | ~uint16 | ~uint32 | ~uint64 | ~float32 | ~float64
}

// Field makes a handle of any field of T:
//
//	active := ddb.Field(func(u *User) *bool { return &u.Active })
//
// The selector returns the address of a field of its argument; fields of nested
// structs give a document path such as address.city. It must do nothing else: it
// is called on a probe value. Elements of lists and maps are reached with
// [ListHandle.At] and [MapHandle.Key], and inside them with [Within].
func Field[T, V any](sel func(*T) *V) Attr[T, V] { return Attr[T, V](newHandle(sel)) }

// OrdField makes a handle of a field that is stored as text, number or binary
// and has an order, such as a type with MarshalText. A type that is stored in
// another way is refused by [New] when used as a key, and by DynamoDB in a range
// condition.
func OrdField[T, V any](sel func(*T) *V) Ord[T, V] { return Ord[T, V](newHandle(sel)) }

// TimeField makes a handle of a time. Without a tag option a time is stored as RFC 3339 text of fixed width in UTC, such as
// 2026-11-21T06:30:00.500000000Z ([TimeText]), which sorts and compares like the times: as a key, in an index and in a
// condition. The offset of a time is not stored. With the tag option unixtime it is a number of seconds. With sdktime, or
// the option [SDKTimes] of the table, it is the text of the SDK's attributevalue, which does not sort.
func TimeField[T any](sel func(*T) *time.Time) Ord[T, time.Time] {
	return Ord[T, time.Time](newHandle(sel))
}

// StrField makes a handle of a text field, with a selector as for [Field]:
//
//	name := ddb.StrField(func(u *User) *string { return &u.Name })
//
// For a pointer to text use [Field], and [Deref] and [AsStr] for its value.
func StrField[T any, V ~string](sel func(*T) *V) Str[T, V] {
	return Str[T, V](newHandle(sel))
}

// BinField makes a handle of a field of bytes.
func BinField[T any, V ~[]byte](sel func(*T) *V) Bin[T, V] {
	return Bin[T, V](newHandle(sel))
}

// NumField makes a handle of a number field, with a selector as for [Field].
func NumField[T any, V Number](sel func(*T) *V) Num[T, V] {
	return Num[T, V](newHandle(sel))
}

// SetField makes a handle of a slice that is stored as a set. Its tag must have stringset, numberset or binaryset, or the
// field is refused.
func SetField[T, E any](sel func(*T) *[]E) Set[T, E] {
	return Set[T, E](newHandle(sel, codec.SS, codec.NS, codec.BS))
}

// ListField makes a handle of a slice that is stored as a list.
func ListField[T, E any](sel func(*T) *[]E) List[T, E] {
	return List[T, E](newHandle(sel, codec.L))
}

// MapField makes a handle of a map that is stored as a DynamoDB map.
func MapField[T any, K ~string, V any](sel func(*T) *map[K]V) Map[T, K, V] {
	return Map[T, K, V](newHandle(sel, codec.M))
}

// Within returns the handle of a field inside the struct that another handle selects, for structs in lists and maps:
//
//	qty := ddb.Within(lines.At(0), func(l *Line) *int { return &l.Qty })
//
// For elements that are pointers use [Deref].
func Within[T, S, V any](outer Attr[T, S], sel func(*S) *V) Attr[T, V] {
	return Attr[T, V]((*handle)(outer).within(newHandle(sel)))
}

// AsNum gives a handle of a list element, map value or inner field the methods of a number.
func AsNum[T any, V Number](a Attr[T, V]) Num[T, V] { return Num[T, V](a) }

// AsStr gives a handle of a list element, map value or inner field the methods of text.
func AsStr[T any, V ~string](a Attr[T, V]) Str[T, V] { return Str[T, V](a) }

// AnyAttr is an attribute handle of any kind.
type AnyAttr interface{ Handle() *handle }

// AttrOf is an attribute handle of any kind, of an attribute of T whose Go value is a V.
type AttrOf[T, V any] interface {
	AnyAttr
	HandleOf(*T, V)
}

// NameOf returns the attribute's document path, such as status or address.city, for logs and messages. The key of a map
// ([MapHandle.Key]) is data, and is shown as a question mark. The path is empty if the selector is wrong.
func NameOf(attr AnyAttr) string { return handleOf(attr).name() }

// handlesOf returns the handles of several.
func handlesOf(attrs []AnyAttr) []*handle {
	if len(attrs) == 0 {
		return nil
	}
	handles := make([]*handle, len(attrs))
	for i, a := range attrs {
		handles[i] = handleOf(a)
	}
	return handles
}

// handleOf returns the handle of an interface, nil if that is nil.
func handleOf(a AnyAttr) *handle {
	if a == nil {
		return nil
	}
	return a.Handle()
}

// handle is the content of all types of handles: an attribute of one struct type, resolved once to its path and codec. A nil
// handle is the zero handle. The content is behind a further pointer, so that printing a handle never shows it.
type handle struct{ a *attribute }

// item returns the type of the items; the following methods need a handle that is resolved.
func (h *handle) item() gotype.Type { return h.a.item }

// path returns the document path.
func (h *handle) path() expr.Path { return h.a.path }

// node returns the path as an operand.
func (h *handle) node() expr.Node { return h.a.node }

// value returns the codec of the values.
func (h *handle) value() *codec.Value { return h.a.value }

// field returns the top-level field.
func (h *handle) field() codec.Field { return h.a.field }

type attribute struct {
	item    gotype.Type
	once    sync.Once
	find    func(*handle)
	want    []codec.Kind // the type that the attribute must be stored as; empty for any
	path    expr.Path
	node    expr.Node // the path as an operand
	value   *codec.Value
	field   codec.Field // the top-level field, for key checks
	anyType bool        // values are of any type; see Named
	err     error
}

// newHandle returns the handle of the field of type V of a struct T that the selector, a func(*T) *V, returns.
//
//go:noinline
func newHandle(selector any, want ...codec.Kind) *handle {
	sel := reflect.ValueOf(selector)
	item, value := sel.Type().In(0).Elem(), sel.Type().Out(0).Elem()
	return &handle{&attribute{item: gotype.Of(item), want: want, find: func(h *handle) {
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
		h.a.value = h.field().Codec
	}}}
}

// name is the result of [NameOf].
func (h *handle) name() string {
	if h.resolve() != nil {
		return ""
	}
	return h.path().String()
}

// text returns item type and path.
func (h *handle) text() string {
	if h.resolve() != nil {
		return "handle without an attribute"
	}
	return h.item().String() + "." + h.path().String()
}

func (h *handle) print(s fmt.State, verb rune) { quiet.Format(s, verb, h.text()) }

// at returns the handle of a list element.
func (h *handle) at(i int) *handle {
	return h.child(func(c *handle) {
		if i < 0 {
			c.a.err = fmt.Errorf("attribute %s: list index %d is negative", c.path(), i)
			return
		}
		c.a.path = c.path().At(i)
		c.a.value = c.value().Elem()
	})
}

// key returns the handle of a value of a map.
func (h *handle) key(k string) *handle {
	return h.child(func(c *handle) {
		if k == "" {
			c.a.err = fmt.Errorf("attribute %s: the key of the map is empty, which DynamoDB does not store", c.path())
			return
		}
		c.a.path = c.path().Key(k)
		c.a.value = c.value().Elem()
	})
}

// within returns the handle of inner, a field of a struct, below h.
func (h *handle) within(inner *handle) *handle {
	return h.child(func(c *handle) { c.lead(inner) })
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

// child derives a handle from h; step moves path and value down one level.
func (h *handle) child(step func(*handle)) *handle {
	if h == nil || h.a == nil {
		return nil
	}
	return &handle{&attribute{item: h.item(), find: func(c *handle) {
		if c.a.err = h.resolve(); c.a.err != nil {
			return
		}
		c.a.path, c.a.value = h.path(), h.value()
		step(c)
		if c.a.err == nil && c.value() == nil {
			c.a.err = fmt.Errorf("attribute %s of %s has no elements", h.path(), h.item())
		}
	}}}
}

// lead extends the handle of a struct to the field that another handle selects in it.
func (h *handle) lead(inner *handle) {
	plan := h.value().Struct()
	if plan == nil {
		h.a.err = fmt.Errorf("attribute %s of %s is stored as %s and has no fields", h.path(), h.item(), h.value().Kind())
		return
	}
	if h.a.err = inner.resolve(); h.a.err != nil {
		return
	}
	// The struct's own codec may store its fields in another form here, because of the tag around it.
	for _, step := range inner.path() {
		f, ok := plan.Field(step.Name)
		if !ok {
			h.a.err = fmt.Errorf("attribute %s of %s has no field %s", h.path(), h.item(), inner.path())
			return
		}
		h.a.path, h.a.value = append(slices.Clip(h.path()), step), f.Codec
		if inner := f.Codec.Struct(); inner != nil {
			plan = inner
		}
	}
}

func (h *handle) resolve() error {
	if h == nil || h.a == nil {
		return errors.New("a zero handle was used; make it with ddb.Field, StrField or another constructor")
	}
	h.a.once.Do(func() {
		h.a.find(h)
		if h.a.err == nil {
			h.a.err = h.checkKind()
		}
		h.a.node = h.path()
	})
	return h.a.err
}

func (h *handle) checkKind() error {
	if len(h.a.want) == 0 {
		return nil
	}
	for _, k := range h.a.want {
		if h.value().Kind() == k {
			return nil
		}
	}
	hint := ""
	if h.a.want[0] == codec.SS {
		hint = "; add stringset, numberset or binaryset to its dynamodbav tag"
	}
	return fmt.Errorf("attribute %s of %s is stored as %s, the handle needs %v%s",
		h.path(), h.item(), h.value().Kind(), h.a.want, hint)
}

// encode returns the wire value of *v, which has the attribute's Go type, by its codec.
func encode(h *handle, v any) (types.AttributeValue, error) {
	if err := h.resolve(); err != nil {
		return nil, err
	}
	return encodeBy(h, h.value(), v)
}

// encodeElem returns the wire value of *e, a member of a set or an element of a list.
func encodeElem(h *handle, e any) (types.AttributeValue, error) {
	if err := h.resolve(); err != nil {
		return nil, err
	}
	elem := h.value().Elem()
	if elem == nil {
		return nil, fmt.Errorf("attribute %s of %s has no elements", h.path(), h.item())
	}
	return encodeBy(h, elem, e)
}

func encodeBy(h *handle, c *codec.Value, v any) (types.AttributeValue, error) {
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
		return nil, fmt.Errorf("attribute %s: %w", h.path(), err)
	}
	return av, nil
}

// probeDepth bounds how deep nested structs are searched for the selected field.
const probeDepth = 16

// locate finds the stored field whose address the selector returns.
func locate(plan *codec.Plan, want reflect.Type, sel func(reflect.Value) reflect.Value) (path expr.Path, f codec.Field, err error) {
	t := gotype.Reflect(plan.Type())
	if want.Size() == 0 {
		return nil, f, fmt.Errorf("selector of %s: a field of type %s has no size and cannot be distinguished from its neighbours", t, want)
	}
	probe := reflect.New(t)
	allocate(plan, probe.Elem(), probeDepth)
	defer func() {
		if r := recover(); r != nil {
			path, err = nil, fmt.Errorf("selector of %s panicked on a probe value (%v); it may only return the address of a field", t, r)
		}
	}()
	ptr := sel(probe)
	if ptr.IsNil() {
		return nil, f, fmt.Errorf("selector of %s returned nil; it must return the address of a field of its argument, such as &v.Name, "+
			"and for a pointer field the address of the pointer (ddb.Deref gives a handle of its value)", t)
	}
	path, f, ok := search(plan, probe.Elem(), ptr.Pointer(), want, probeDepth)
	if !ok {
		return nil, f, fmt.Errorf("selector of %s does not return a stored field of type %s: it must return the address of a field of its argument, "+
			"such as &v.Name, not of a copy; the field must be exported and not tagged \"-\"", t, want)
	}
	return path, f, nil
}

// allocate fills pointers to structs, so that selectors can reach through them.
func allocate(plan *codec.Plan, v reflect.Value, depth int) {
	if depth == 0 {
		return
	}
	for _, f := range plan.Fields() {
		fv := descend(v, f.Index)
		inner := f.Codec.Struct()
		if inner == nil {
			continue
		}
		if fv.Kind() == reflect.Pointer {
			// A type that contains itself would otherwise be followed without end.
			if gotype.Same(inner.Type(), plan.Type()) {
				continue
			}
			fv.Set(reflect.New(fv.Type().Elem()))
			fv = fv.Elem()
		}
		if fv.Kind() == reflect.Struct {
			allocate(inner, fv, depth-1)
		}
	}
}

// descend is FieldByIndex that allocates nil embedded pointers on its way.
func descend(v reflect.Value, index []int) reflect.Value {
	for i, x := range index {
		if i > 0 && v.Kind() == reflect.Pointer {
			if v.IsNil() {
				v.Set(reflect.New(v.Type().Elem()))
			}
			v = v.Elem()
		}
		v = v.Field(x)
	}
	return v
}

func search(plan *codec.Plan, v reflect.Value, target uintptr, want reflect.Type, depth int) (expr.Path, codec.Field, bool) {
	if depth == 0 {
		return nil, codec.Field{}, false
	}
	for _, f := range plan.Fields() {
		fv := descend(v, f.Index)
		if fv.Type() == want && fv.Addr().Pointer() == target {
			return expr.Attribute(f.Name), f, true
		}
		inner := f.Codec.Struct()
		if inner == nil {
			continue
		}
		if fv.Kind() == reflect.Pointer {
			if fv.IsNil() {
				continue
			}
			fv = fv.Elem()
		}
		if fv.Kind() != reflect.Struct {
			continue
		}
		if path, found, ok := search(inner, fv, target, want, depth-1); ok {
			return append(expr.Attribute(f.Name), path...), found, true
		}
	}
	return nil, codec.Field{}, false
}
