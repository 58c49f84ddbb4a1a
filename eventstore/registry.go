// SPDX-License-Identifier: Apache-2.0

package eventstore

import (
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"sync"

	"github.com/dynamotable/ddb"
)

// registry is what a [Types] knows whatever the interface of its events is. A Types keeps it as any, and uses it by functions that are not inlined:
// each package with events compiles the methods of Types again, and with them whatever generic types it can reach, such as those of the
// methods of [reflect.Type].
type registry struct {
	format Format
	mu     sync.RWMutex
	names  map[string]eventType
	types  map[reflect.Type]eventType
}

type eventType struct {
	name   string
	schema int
	is     reflect.Type
}

func newRegistry(format Format) any {
	return &registry{format: format, names: make(map[string]eventType), types: make(map[reflect.Type]eventType)}
}

var errNoTypes error = &ddb.InvalidError{Problems: []error{errors.New("eventstore: a Types that NewTypes did not make, or that has no format")}}

//go:noinline
func usableRegistry(events any) error {
	if r, ok := events.(*registry); !ok || r.format == nil {
		return errNoTypes
	}
	return nil
}

// addEvent registers the type of an event; see [Types.Add].
//
//go:noinline
func addEvent(events, e any) {
	typ := reflect.TypeOf(e)
	if typ == nil {
		panic("eventstore: Add: an event is nil")
	}
	name, schema := typeName(typ), 1
	if named, ok := e.(interface{ EventType() string }); ok {
		name = named.EventType()
	}
	if versioned, ok := e.(interface{ EventSchema() int }); ok {
		schema = versioned.EventSchema()
	}
	events.(*registry).register(typ, name, schema) //nolint:forcetypeassert // a Types keeps nothing else
}

// register registers the type that v points to; see [Register]. Of is a nil pointer to the interface of the events.
//
//go:noinline
func register(events, v, of any, is bool, name string, schema int) {
	typ, e := reflect.TypeOf(v).Elem(), reflect.TypeOf(of).Elem()
	if !is && !typ.Implements(e) {
		panic(fmt.Sprintf("eventstore: Register %s: %s is not a %s", name, typ, e))
	}
	events.(*registry).register(typ, name, schema) //nolint:forcetypeassert // a Types keeps nothing else
}

func (r *registry) register(typ reflect.Type, name string, schema int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if _, ok := r.names[name]; ok || name == "" || schema < 1 {
		panic(fmt.Sprintf("eventstore: Register %q, schema %d: the name is empty or taken, or the schema below 1", name, schema))
	}
	if _, ok := r.types[typ]; ok {
		panic(fmt.Sprintf("eventstore: Register %s: %s is registered already", name, typ))
	}
	et := eventType{name, schema, typ}
	r.names[name], r.types[typ] = et, et
}

// encodeEvent makes an event from a value.
//
//go:noinline
func encodeEvent(events, e any) (NewEvent, error) {
	r := events.(*registry) //nolint:forcetypeassert // it is usable
	r.mu.RLock()
	et, ok := r.types[reflect.TypeOf(e)]
	r.mu.RUnlock()
	if !ok {
		return NewEvent{}, fmt.Errorf("%w: %T", ErrUnknownType, e)
	}
	data, err := r.format.Marshal(e)
	if err != nil {
		return NewEvent{}, fmt.Errorf("encode event %s: %w", et.name, err)
	}
	return NewEvent{Type: et.name, Schema: et.schema, Data: data}, nil
}

// decodeEvent makes a value from an event.
//
//go:noinline
func decodeEvent(events any, e *Event) (any, error) {
	if e.Forgotten {
		return nil, fmt.Errorf("%w: there is no data of version %d", ErrForgotten, e.Version)
	}
	r := events.(*registry) //nolint:forcetypeassert // it is usable
	r.mu.RLock()
	et, ok := r.names[e.Type]
	r.mu.RUnlock()
	switch {
	case !ok:
		return nil, fmt.Errorf("%w: type %s", ErrUnknownType, e.Type)
	case e.Schema > et.schema:
		return nil, fmt.Errorf("%w: type %s has schema %d, this program knows %d", ErrUnknownType, e.Type, e.Schema, et.schema)
	case e.Schema < et.schema:
		return nil, fmt.Errorf("%w: type %s has schema %d and needs an upcaster to %d", ErrUnknownType, e.Type, e.Schema, et.schema)
	}
	var v reflect.Value
	if et.is.Kind() == reflect.Pointer {
		v = reflect.New(et.is.Elem())
	} else {
		v = reflect.New(et.is)
	}
	if err := r.format.Unmarshal(e.Data, v.Interface()); err != nil {
		return nil, fmt.Errorf("decode event %s, version %d: %w", e.Type, e.Version, err)
	}
	if et.is.Kind() == reflect.Pointer {
		return v.Interface(), nil
	}
	return v.Elem().Interface(), nil
}

// typeFilter returns the filter of the registered types.
//
//go:noinline
func typeFilter(events any) FeedFilter {
	r, ok := events.(*registry)
	if !ok {
		return OfType()
	}
	r.mu.RLock()
	defer r.mu.RUnlock()
	return OfType(slices.Sorted(maps.Keys(r.names))...)
}
