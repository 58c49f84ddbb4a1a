// SPDX-License-Identifier: Apache-2.0

package ddb

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/dynamotable/ddb/cost"
	"github.com/dynamotable/ddb/ddberr"
	"github.com/dynamotable/ddb/hooks"
	"github.com/dynamotable/ddb/internal/codec"
	"github.com/dynamotable/ddb/internal/gotype"
	"github.com/dynamotable/ddb/internal/handle"
	"github.com/dynamotable/ddb/internal/itemid"
	"github.com/dynamotable/ddb/internal/itemsize"
	"github.com/dynamotable/ddb/internal/operr"
	"github.com/dynamotable/ddb/internal/retry"
	"github.com/dynamotable/ddb/internal/wire"
)

// Table is a DynamoDB table with a partition and a sort key, holding items of
// type T. PK and SK are the Go types of its keys; give them distinct named types
// and the compiler refuses swapped keys. Tables without a sort key are a [SimpleTable].
//
// A Table is immutable and safe for concurrent use. Make it once with [New]. Calls of a nil
// or zero Table return an error.
type Table[T, PK, SK any] struct{ core *core }

// SimpleTable is a DynamoDB table without a sort key. It has the methods of [Table], with the partition key in place of a [Key].
type SimpleTable[T, PK any] struct{ core *core }

// New describes a table with a partition and a sort key. It sends nothing: create the table with [Table.EnsureTable] or by
// other means. For a table without a sort key use [NewSimple]. All type parameters are inferred from the handles:
//
//	orders, err := ddb.New(client, "orders", orderCustomer, orderID, ddb.Version(orderVersion))
//
// The client is the SDK's *dynamodb.Client, as package ddbclient makes it too, or anything with the same methods.
//
// New refuses a key that is not text, number or binary or that an item could lack (omitempty), attribute names used twice,
// handles of another struct, field types that cannot be stored, and options that do not fit. The error names everything that
// is wrong at once and matches [ErrInvalid]. The returned table is then not nil, but each of its calls returns that error
// and sends nothing.
func New[T, PK, SK any](client Client, name string, partition KeyField[T, PK], sort KeyField[T, SK], opts ...TableOption) (*Table[T, PK, SK], error) {
	c, err := newCore(client, name, newItemOf((*[]T)(nil), newConditionFailed[T]), partition, sort, tableOptions(opts), budgetOf(client))
	return &Table[T, PK, SK]{c}, err
}

// NewSimple describes a table without a sort key; see [New].
//
//	users, err := ddb.NewSimple(client, "users", userID)
func NewSimple[T, PK any](client Client, name string, partition KeyField[T, PK], opts ...TableOption) (*SimpleTable[T, PK], error) {
	c, err := newCore(client, name, newItemOf((*[]T)(nil), newConditionFailed[T]), partition, noSort{}, tableOptions(opts), budgetOf(client))
	return &SimpleTable[T, PK]{c}, err
}

// Name is the table's name, prefix included.
func (t *Table[T, PK, SK]) Name() string { return t.part().label() }

// Name is the table's name, prefix included.
func (t *SimpleTable[T, PK]) Name() string { return t.part().label() }

// String returns the table's name.
func (t *Table[T, PK, SK]) String() string { return t.part().label() }

// String returns the table's name.
func (t *SimpleTable[T, PK]) String() string { return t.part().label() }

// Key makes a key of the table, for methods that take one or several.
func (t *Table[T, PK, SK]) Key(pk PK, sk SK) Key[PK, SK] { return Key[PK, SK]{pk, sk} }

// KeyOf returns the key of an item, which need not be stored. For a nil item it returns the zero key.
func (t *Table[T, PK, SK]) KeyOf(item *T) (key Key[PK, SK]) {
	t.part().keyOf(item, &key)
	return key
}

// KeyOf returns the key of an item; see [Table.KeyOf].
func (t *SimpleTable[T, PK]) KeyOf(item *T) (key PK) {
	t.part().keyOf(item, &key)
	return key
}

// AnyTable is a [Table] or a [SimpleTable] with items of type T.
type AnyTable[T any] interface {
	TablePart
	// ItemSize returns the size that an item would have in DynamoDB; see [Table.ItemSize].
	ItemSize(item *T) (int, error)
}

func (t *Table[T, PK, SK]) part() *core {
	if t == nil {
		return nil
	}
	return t.core
}

func (t *SimpleTable[T, PK]) part() *core {
	if t == nil {
		return nil
	}
	return t.core
}

// itemOf is what a core knows about the type of its items.
type itemOf struct {
	item, list gotype.Type // T and []T
	// conditionFailed makes a [*ConditionFailed] of T.
	conditionFailed func(failedCondition) error
}

// newItemOf takes a nil pointer to a list of the items.
//
//go:noinline
func newItemOf(list any, conditionFailed func(failedCondition) error) itemOf {
	t := reflect.TypeOf(list).Elem()
	return itemOf{gotype.Of(t.Elem()), gotype.Of(t), conditionFailed}
}

// core is the part of a table without type parameters.
type core struct {
	failed         error // the error of its constructor; every call returns it
	client         client
	name           string
	plan           *codec.Plan
	of             itemOf
	key            keySchema
	keyNames       itemid.Key // of the primary key, partition first
	keyAttrs       []keyAttr  // the same
	keyIndexes     [][]int    // of its fields
	version        *handle.Handle
	revision       *handle.Handle
	tombstones     *tombstones
	created        *handle.Handle
	updated        *handle.Handle
	ttl            *handle.Handle
	hideExpired    bool
	ledger         *cost.Ledger
	hooks          []hooks.Hook
	sizes          itemsize.Sizes
	retry          retry.Policy
	budget         *retry.Budget
	pageSize       int32
	concurrency    int
	wire           wire.Options
	now            func() time.Time
	warnMark       int // in bytes
	warn           func(table string, size int)
	collectionMark float64 // in GB
	collectionWarn func(hooks.ItemCollection)
	derived        []*derivation
	entity         *entity // nil if every item is of the type

	parts []*core // of a SharedTable

	mu      sync.Mutex
	indexes []*indexInfo
	vectors atomic.Value         // []*vectorInfo
	known   map[string]knownSize // of the table and its indexes, by LearnSizes
	filters map[string]*filterStats
}

// label returns the table's name; empty for a table that was not made.
func (c *core) label() string {
	if c == nil {
		return ""
	}
	return c.name
}

// newCore describes a table. After an error it also returns a core, which refuses every call.
func newCore(client client, name string, of itemOf, partition, sort any, opts []anyTableOption, budget *retry.Budget) (*core, error) {
	c := &core{
		client: client, name: name, of: of, ledger: defaultLedger, retry: retry.DefaultPolicy(), budget: budget,
		concurrency: defaultConcurrency, now: time.Now, wire: wire.Default,
	}
	var errs []error
	if isNil(client) {
		errs = append(errs, errors.New("client is nil; use ddbclient.New, ddbclient.Default or an SDK client"))
	}
	if err := declareTimes(gotype.Reflect(of.item), opts); err != nil {
		errs = append(errs, err)
	}
	plan, err := codec.PlanOf(gotype.Reflect(of.item))
	if err != nil {
		c.failed = newError(name, append(errs, err)...)
		return c, c.failed
	}
	c.plan = plan
	key, err := newKeySchema(plan, partition, sort, false)
	pk, sk := key.partition, key.sort
	errs = append(errs, err)
	if len(handle.KeyHandles(partition)) > 1 || len(handle.KeyHandles(sort)) > 1 {
		errs = append(errs, errors.New("a table key has one attribute each for partition and sort; several are for global indexes"))
	}
	if len(pk) == 1 && len(sk) == 1 && pk[0].Name == sk[0].Name {
		errs = append(errs, fmt.Errorf("partition and sort key are the same attribute %s; a table without a sort key is made by NewSimple", pk[0].Name))
	}
	c.key = key
	c.keyNames = c.key.names()
	c.wire.Locate = c.locate
	for i, p := range slices.Concat(pk, sk) {
		punctuation, limit := "{", itemid.MaxPartitionKey
		if i > 0 {
			punctuation, limit = ",", itemid.MaxSortKey
		}
		f, _ := plan.Field(p.Name)
		c.keyAttrs, c.keyIndexes = append(c.keyAttrs, newKeyAttr(p, punctuation, limit)), append(c.keyIndexes, f.Index)
	}
	for _, o := range opts {
		if o == nil {
			errs = append(errs, errors.New("an option is nil"))
			continue
		}
		errs = append(errs, o.ApplyTable(c))
	}
	errs = append(errs, c.checkDerivations(), c.checkTombstones(), c.checkHideExpired(), c.checkEntity())
	if len(c.name) <= 4 || c.name[:4] != "arn:" { // ARNs are names too
		errs = append(errs, checkName("table", c.name))
	}
	c.failed = newError(c.name, errs...)
	return c, c.failed
}

func newError(table string, errs ...error) error {
	if err := operr.Invalid(errs...); err != nil {
		return &ddberr.OpError{Op: "New", Table: table, Err: err}
	}
	return nil
}

// checkName checks the name of a table or index against the naming rules.
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/HowItWorks.NamingRulesDataTypes.html
func checkName(of, name string) error {
	if len(name) < 3 || len(name) > 255 {
		return fmt.Errorf("%s name %q: must have 3 to 255 characters", of, name)
	}
	for _, r := range name {
		if !isNameRune(r) {
			return fmt.Errorf("%s name %q: only letters, digits, underscore, hyphen and dot are allowed", of, name)
		}
	}
	return nil
}

func isNameRune(r rune) bool {
	return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '_' || r == '-' || r == '.'
}

func isNil(c client) bool {
	if c == nil {
		return true
	}
	v := reflect.ValueOf(c)
	return v.Kind() == reflect.Pointer && v.IsNil()
}
