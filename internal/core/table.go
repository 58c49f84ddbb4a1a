// SPDX-License-Identifier: Apache-2.0

package core

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

// ItemOf is what a table knows about the type of its items.
type ItemOf struct {
	item, list gotype.Type // T and []T
	// conditionFailed makes a ddb.ConditionFailed of T, with the text of the condition and its content.
	conditionFailed func(string, FailedCondition) error
}

// NewItemOf takes a nil *[]T, and the function that makes a ddb.ConditionFailed of T.
//
//go:noinline
func NewItemOf(list any, conditionFailed func(string, FailedCondition) error) ItemOf {
	t := reflect.TypeOf(list).Elem()
	return ItemOf{gotype.Of(t.Elem()), gotype.Of(t), conditionFailed}
}

// Table is a table without type parameters: what ddb.Table, ddb.SimpleTable and ddb.SharedTable consist of. A nil Table refuses every call.
type Table struct {
	Failed         error // the error of its constructor; every call returns it
	Client         wire.Client
	Name           string
	Plan           *codec.Plan
	of             ItemOf
	Key            keySchema
	KeyNames       itemid.Key // of the primary key, partition first
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

	parts []*Table // of a SharedTable

	mu      sync.Mutex
	indexes []*IndexInfo
	vectors atomic.Value         // []*vectorInfo
	known   map[string]KnownSize // of the table and its indexes, by LearnSizes
	filters map[string]*filterStats
}

// Label returns the table's name; empty for a table that was not made.
func (c *Table) Label() string {
	if c == nil {
		return ""
	}
	return c.Name
}

// New describes a table; see ddb.New. After an error it also returns a table, which refuses every call.
func New(client wire.Client, name string, of ItemOf, partition, sort any, opts []AnyTableOption, budget *retry.Budget) (*Table, error) {
	c := &Table{
		Client: client, Name: name, of: of, ledger: DefaultLedger, retry: retry.DefaultPolicy(), budget: budget,
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
		c.Failed = newError(name, append(errs, err)...)
		return c, c.Failed
	}
	c.Plan = plan
	key, err := newKeySchema(plan, partition, sort, false)
	pk, sk := key.partition, key.sort
	errs = append(errs, err)
	if len(handle.KeyHandles(partition)) > 1 || len(handle.KeyHandles(sort)) > 1 {
		errs = append(errs, errors.New("a table key has one attribute each for partition and sort; several are for global indexes"))
	}
	if len(pk) == 1 && len(sk) == 1 && pk[0].Name == sk[0].Name {
		errs = append(errs, fmt.Errorf("partition and sort key are the same attribute %s; a table without a sort key is made by NewSimple", pk[0].Name))
	}
	c.Key = key
	c.KeyNames = c.Key.names()
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
	if len(c.Name) <= 4 || c.Name[:4] != "arn:" { // ARNs are names too
		errs = append(errs, checkName("table", c.Name))
	}
	c.Failed = newError(c.Name, errs...)
	return c, c.Failed
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

func isNil(c wire.Client) bool {
	if c == nil {
		return true
	}
	v := reflect.ValueOf(c)
	return v.Kind() == reflect.Pointer && v.IsNil()
}

var errZeroTable = operr.Invalid(errors.New("a zero table or index was used; make it with ddb.New, ddb.NewSimple or one of the functions for indexes"))

// Usable returns why the table cannot be used, or nil.
func (c *Table) Usable() error {
	if c == nil {
		return errZeroTable
	}
	return c.Failed
}

// retrier controls the retries of one piece of work on the table. It starts the clock of MaxElapsed.
func (c *Table) retrier() *retry.Loop { return retry.New(c.retry, c.budget) }

// patientRetrier is for one worker of a batch, which waits when the budget is empty.
func (c *Table) patientRetrier() *retry.Loop {
	return retry.NewPatient(c.retry, c.budget)
}
