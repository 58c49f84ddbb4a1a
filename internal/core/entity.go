// SPDX-License-Identifier: Apache-2.0

package core

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/dynamotable/ddb/internal/codec"
	"github.com/dynamotable/ddb/internal/gotype"
	"github.com/dynamotable/ddb/internal/handle"
	"github.com/dynamotable/ddb/internal/quiet"
	"github.com/dynamotable/ddb/internal/replykey"
	"github.com/dynamotable/ddb/rawitem"
)

// entity is how a table recognises the items of its type.
type entity struct {
	tests []entityTest
	names []string // of the attributes of the tests
	is    func(rawitem.Item) bool
	reads []string // attributes that the function looks at, and those of the tests
	skip  bool
	mark  *entityMark
}

// entityTest is a requirement on one attribute of the items.
type entityTest struct {
	name, value string
	prefix      bool // the value is what it begins with
}

// entityMark is the attribute of a ddb.Discriminator.
type entityMark struct {
	attr, value string
	index       []int // of T's field for it; nil if it has none
}

func (e *entity) add(t entityTest) {
	e.tests, e.names, e.reads = append(e.tests, t), append(e.names, t.name), appendNew(e.reads, t.name)
}

// prefixed reports whether a prefix separates the keys of the items from those of others.
func (e *entity) prefixed() bool {
	return slices.ContainsFunc(e.tests, func(t entityTest) bool { return t.prefix })
}

// holds reports whether an attribute in wire form, or nil, passes the test.
func (t *entityTest) holds(value []byte) bool {
	if value == nil {
		return false
	}
	if v := replykey.ValueOf(value); v.Kind != 0 {
		return v.Kind == 'S' && t.fits(string(v.Text))
	}
	av, err := codec.ParseAttributeValue(value)
	s, ok := av.(*types.AttributeValueMemberS)
	return err == nil && ok && t.fits(s.Value)
}

func (t *entityTest) fits(text string) bool {
	if t.prefix {
		return strings.HasPrefix(text, t.value)
	}
	return text == t.value
}

func (t *entityTest) String() string {
	if t.prefix {
		return fmt.Sprintf("attribute %s begins with %q", t.name, t.value)
	}
	return fmt.Sprintf("attribute %s is %q", t.name, t.value)
}

// String returns how the items are recognised.
func (e *entity) String() string {
	var texts []string
	for i := range e.tests {
		texts = append(texts, e.tests[i].String())
	}
	if e.is != nil {
		texts = append(texts, "the function of RecognizeBy takes it")
	}
	return strings.Join(texts, " and ")
}

// recognises calls the function.
func (e *entity) recognises(item []byte) (ok bool, err error) {
	defer func() {
		if r := recover(); r != nil {
			// What a function panics with may hold item data.
			ok, err = false, quiet.New("the function of RecognizeBy panicked; it must take items of every type, and of none", fmt.Errorf("panic: %v", r))
		}
	}()
	return e.is(rawitem.Unchecked(item)), nil
}

// DiscriminatorOption is the option ddb.Discriminator.
//
//go:noinline
func DiscriminatorOption(attr string, value string) TableOption {
	return TableOption(func(c *Table) error {
		e := c.entityOf()
		var errs []error
		if attr == "" || len(attr) > maxAttributeName {
			errs = append(errs, fmt.Errorf("option Discriminator: an attribute name has 1 to %d bytes", maxAttributeName))
		}
		if value == "" {
			errs = append(errs, errors.New("option Discriminator: the value is empty"))
		}
		if slices.Contains(c.KeyNames, attr) {
			errs = append(errs, fmt.Errorf("option Discriminator: attribute %s is a key of the table; use KeyPrefix", attr))
		}
		if e.mark != nil {
			errs = append(errs, errors.New("option Discriminator: it is given twice"))
		}
		m := &entityMark{attr: attr, value: value}
		if f, ok := c.Plan.Field(attr); ok {
			m.index = f.Index
			if gotype.Reflect(f.Type).Kind() != reflect.String || f.Codec.Kind() != codec.S || throughPointer(gotype.Reflect(c.Plan.Type()), f.Index) {
				errs = append(errs, fmt.Errorf("option Discriminator: the field of attribute %s is a %s; it must be a text that is not in an embedded pointer, or not be there", attr, f.Type))
			}
		}
		e.mark = m
		e.add(entityTest{name: attr, value: value})
		return errors.Join(errs...)
	})
}

// KeyPrefixOption is the option ddb.KeyPrefix.
//
//go:noinline
func KeyPrefixOption(h *handle.Handle, prefix string) TableOption {
	return TableOption(func(c *Table) error {
		if err := h.Resolve(); err != nil {
			return fmt.Errorf("option KeyPrefix: %w", err)
		}
		at := -1
		if gotype.Same(h.Item(), c.Plan.Type()) {
			at = slices.Index(c.KeyNames, h.Path().String())
		}
		switch {
		case at < 0:
			return fmt.Errorf("option KeyPrefix: %s is no key attribute of the table", h.Path())
		case h.Value().Kind() != codec.S:
			return fmt.Errorf("option KeyPrefix: key attribute %s is stored as %s, it must be text", h.Path(), h.Value().Kind())
		case prefix == "":
			return fmt.Errorf("option KeyPrefix: the prefix of %s is empty", h.Path())
		case c.keyAttrs[at].prefix != nil:
			return fmt.Errorf("option KeyPrefix: attribute %s has two", h.Path())
		}
		t := entityTest{name: h.Path().String(), value: prefix, prefix: true}
		c.entityOf().add(t)
		c.keyAttrs[at].prefix = &t
		return nil
	})
}

// RecognizeByOption is the option ddb.RecognizeBy.
//
//go:noinline
func RecognizeByOption(is func(item rawitem.Item) bool, attrs []string) TableOption {
	return TableOption(func(c *Table) error {
		e := c.entityOf()
		switch {
		case is == nil:
			return errors.New("option RecognizeBy: the function is nil")
		case e.is != nil:
			return errors.New("option RecognizeBy: it is given twice")
		case len(attrs) == 0:
			return errors.New("option RecognizeBy: no attributes; name those that the function looks at")
		}
		e.is = is
		for _, a := range attrs {
			e.reads = appendNew(e.reads, a)
		}
		return nil
	})
}

// SkipOthersOption is the option ddb.SkipOthers.
//
//go:noinline
func SkipOthersOption() TableOption {
	return TableOption(func(c *Table) error {
		c.entityOf().skip = true
		return nil
	})
}

// entityOf returns the table's entity, for an option to add to.
func (c *Table) entityOf() *entity {
	if c.entity == nil {
		c.entity = &entity{}
	}
	return c.entity
}

// checkEntity refuses SkipOthers without a way to recognise items.
func (c *Table) checkEntity() error {
	if c.entity != nil && len(c.entity.tests) == 0 && c.entity.is == nil {
		return errors.New("option SkipOthers needs Discriminator, KeyPrefix or RecognizeBy")
	}
	return nil
}
