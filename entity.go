// SPDX-License-Identifier: Apache-2.0

package ddb

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

// Discriminator makes a text attribute name the type of each item, for DynamoDB tables that hold items of several types
// (single-table design):
//
//	customers, err := ddb.New(client, "shop", customerPK, customerSK, ddb.Discriminator("type", "customer"))
//	orders, err := ddb.New(client, "shop", orderPK, orderSK, ddb.Discriminator("type", "order"))
//
// The table writes the attribute itself with every Put, Create, Replace and Upsert, also in transactions and batches. T
// needs no field for it; a text field of that name gets the value.
//
// The table then reads only items of its own type as a T. An item of another type is an error that matches [ErrOtherEntity],
// or is left out with [SkipOthers]: in Get, Exists, BatchGet, TransactGet, queries, scans and counts, of the table and of
// its indexes, hydrated or not. Package entity reads items of all types with one query.
//
// Writes have a condition, which costs nothing: Put, Delete and Upsert apply only if the key has no item or an item of the
// type, Update and Replace only if it has an item of the type. Otherwise they fail with a [*ConditionFailed] that also
// matches ErrOtherEntity, and nothing is overwritten. The BatchWriteItem API takes no conditions, so batch writes are
// refused unless [KeyPrefix] keeps the keys of the types apart.
//
// An index that projects some attributes ([Projecting]) also projects this one. Reads of an index with [KeysOnly] are refused, unless
// they are hydrated or [KeyPrefix] recognises the items.
//
// Items that were stored before without the attribute have no type, and are not overwritten either. To add it, use a table
// that recognises them in another way and has a field for it: Update(ctx, key, orderType.Set("order"),
// ddb.If(ddb.NotExists(orderType))).
func Discriminator(attr, value string) TableOption { return discriminatorOption(attr, value) }

// KeyPrefix recognises the items of the table by a prefix of one of their key attributes:
//
//	orders, err := ddb.New(client, "shop", orderPK, orderSK, ddb.KeyPrefix(orderSK, "ORDER#"))
//
// Reads treat other items as described for [Discriminator]; with both options, or with a prefix for each key, an item must
// match all of them. Every call with a key that lacks the prefix is refused before anything is sent, so no write reaches an
// item of another type. A query of the table, or of a local index with the same sort key, that has no SortKey condition
// selects the prefix automatically, and neither reads nor pays for other items of the partition.
func KeyPrefix(key AnyAttr, prefix string) TableOption { return keyPrefixOption(handleOf(key), prefix) }

// RecognizeBy recognises the items of the table by a function, where a [Discriminator] or a [KeyPrefix] does not suffice:
//
//	ddb.RecognizeBy(func(item rawitem.Item) bool { return item.Has("total") && !item.Has("sku") }, "total", "sku")
//
// attrs are the attributes that the function uses; reads with a projection read them too. The function may be called by
// several goroutines at once and must not keep the item. If it panics the read fails.
//
// The service cannot check a function. So Put, Replace, Update, Upsert, Delete and DeleteItem are refused unless the call
// has a condition ([If]) that protects items of other types, or the table also has a Discriminator or a KeyPrefix. Create
// needs no condition. An item that the function does not recognise is not stored.
func RecognizeBy(is func(item rawitem.Item) bool, attrs ...string) TableOption {
	return recognizeByOption(is, attrs)
}

// SkipOthers makes reads of the table leave out items of other types: Get then returns [ErrNotFound], and queries continue
// with the next item. Without it they fail with [ErrOtherEntity]. Where a filter can distinguish the items, the service
// leaves them out; they are billed all the same. It needs [Discriminator], [KeyPrefix] or [RecognizeBy].
func SkipOthers() TableOption { return skipOthersOption() }

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

// entityMark is the attribute of a [Discriminator].
type entityMark struct {
	attr, value string
	index       []int // of T's field for it; nil if it has none
}

// entityOf returns the table's entity, for an option to add to.
func (c *core) entityOf() *entity {
	if c.entity == nil {
		c.entity = &entity{}
	}
	return c.entity
}

func (e *entity) add(t entityTest) {
	e.tests, e.names, e.reads = append(e.tests, t), append(e.names, t.name), appendNew(e.reads, t.name)
}

// checkEntity refuses SkipOthers without a way to recognise items.
func (c *core) checkEntity() error {
	if c.entity != nil && len(c.entity.tests) == 0 && c.entity.is == nil {
		return errors.New("option SkipOthers needs Discriminator, KeyPrefix or RecognizeBy")
	}
	return nil
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

// discriminatorOption is the option Discriminator.
//
//go:noinline
func discriminatorOption(attr string, value string) tableOption {
	return tableOption(func(c *core) error {
		e := c.entityOf()
		var errs []error
		if attr == "" || len(attr) > maxAttributeName {
			errs = append(errs, fmt.Errorf("option Discriminator: an attribute name has 1 to %d bytes", maxAttributeName))
		}
		if value == "" {
			errs = append(errs, errors.New("option Discriminator: the value is empty"))
		}
		if slices.Contains(c.keyNames, attr) {
			errs = append(errs, fmt.Errorf("option Discriminator: attribute %s is a key of the table; use KeyPrefix", attr))
		}
		if e.mark != nil {
			errs = append(errs, errors.New("option Discriminator: it is given twice"))
		}
		m := &entityMark{attr: attr, value: value}
		if f, ok := c.plan.Field(attr); ok {
			m.index = f.Index
			if gotype.Reflect(f.Type).Kind() != reflect.String || f.Codec.Kind() != codec.S || throughPointer(gotype.Reflect(c.plan.Type()), f.Index) {
				errs = append(errs, fmt.Errorf("option Discriminator: the field of attribute %s is a %s; it must be a text that is not in an embedded pointer, or not be there", attr, f.Type))
			}
		}
		e.mark = m
		e.add(entityTest{name: attr, value: value})
		return errors.Join(errs...)
	})
}

// keyPrefixOption is the option KeyPrefix.
//
//go:noinline
func keyPrefixOption(key *handle.Handle, prefix string) tableOption {
	return tableOption(func(c *core) error {
		h := key
		if err := h.Resolve(); err != nil {
			return fmt.Errorf("option KeyPrefix: %w", err)
		}
		at := -1
		if gotype.Same(h.Item(), c.plan.Type()) {
			at = slices.Index(c.keyNames, h.Path().String())
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

// recognizeByOption is the option RecognizeBy.
//
//go:noinline
func recognizeByOption(is func(item rawitem.Item) bool, attrs []string) tableOption {
	return tableOption(func(c *core) error {
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

// skipOthersOption is the option SkipOthers.
//
//go:noinline
func skipOthersOption() tableOption {
	return tableOption(func(c *core) error {
		c.entityOf().skip = true
		return nil
	})
}
