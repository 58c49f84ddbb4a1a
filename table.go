package ddb

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/dynamotable/ddb/internal/codec"
	"github.com/dynamotable/ddb/internal/itemid"
	"github.com/dynamotable/ddb/internal/wire"
)

// Table is a DynamoDB table with a partition and a sort key, holding items of
// type T. PK and SK are the Go types of its keys; give them distinct named types
// and the compiler refuses swapped keys. Tables without a sort key are a [SimpleTable].
//
// A Table is immutable and safe for concurrent use. Make it once with [New].
type Table[T, PK, SK any] struct {
	items[T, Key[PK, SK]]
	partition KeyField[T, PK]
	sort      KeyField[T, SK]
}

// SimpleTable is a DynamoDB table whose primary key is a partition key alone. Its
// methods are those of [Table] with the partition key in place of a [Key].
type SimpleTable[T, PK any] struct {
	items[T, PK]
	partition KeyField[T, PK]
}

// New describes a table with a partition and a sort key. It sends nothing: the
// table is made by [Table.EnsureTable] or by other means. All type parameters are
// inferred from the handles:
//
//	orders, err := ddb.New(client, "orders", orderCustomer, orderID, ddb.Version(orderVersion))
//
// The client is the SDK's (*dynamodb.Client), [NewClient]'s, [DefaultClient]'s or
// anything with the same methods.
//
// New refuses, naming everything that is wrong at once: a key that is not text,
// number or binary or that an item could lack (omitempty), attribute names used
// twice, handles of another struct, field types that cannot be stored, and
// options that do not fit. The error matches [ErrInvalid]. The table is not nil then: each
// of its calls returns that error, and sends nothing.
func New[T, PK, SK any](client Client, name string, partition KeyField[T, PK], sort KeyField[T, SK], opts ...TableOption) (*Table[T, PK, SK], error) {
	c, err := newCore(client, name, reflect.TypeFor[T](), keyHandles(partition), keyHandles(sort), opts)
	t := &Table[T, PK, SK]{partition: partition, sort: sort}
	if err != nil {
		t.core = c
		return t, err
	}
	pk, sk := newKeyAttr(keyHandles(partition), "{", itemid.MaxPartitionKey), newKeyAttr(keyHandles(sort), ",", itemid.MaxSortKey)
	t.items = items[T, Key[PK, SK]]{core: c, appendKey: func(b []byte, k *Key[PK, SK]) ([]byte, error) {
		b, err1 := appendKeyAttr(b, pk, &k.Partition)
		b, err2 := appendKeyAttr(b, sk, &k.Sort)
		return append(b, '}'), errors.Join(err1, err2)
	}}
	return t, nil
}

// NewSimple describes a table without a sort key; see [New].
//
//	users, err := ddb.NewSimple(client, "users", userID)
func NewSimple[T, PK any](client Client, name string, partition KeyField[T, PK], opts ...TableOption) (*SimpleTable[T, PK], error) {
	c, err := newCore(client, name, reflect.TypeFor[T](), keyHandles(partition), nil, opts)
	t := &SimpleTable[T, PK]{partition: partition}
	if err != nil {
		t.core = c
		return t, err
	}
	pk := newKeyAttr(keyHandles(partition), "{", itemid.MaxPartitionKey)
	t.items = items[T, PK]{core: c, appendKey: func(b []byte, k *PK) ([]byte, error) {
		b, err := appendKeyAttr(b, pk, k)
		return append(b, '}'), err
	}}
	return t, nil
}

// Key makes a key of the table, for methods that take one or several.
func (t *Table[T, PK, SK]) Key(pk PK, sk SK) Key[PK, SK] { return Key[PK, SK]{pk, sk} }

// Get reads one item. It returns [ErrNotFound] when there is none.
//
// The read is eventually consistent unless [Consistent] is given. It costs half a
// read unit for each 4 KB of the item, rounded up, a whole one when consistent; a
// missing item costs as much as one of 4 KB.
//
// A reply with another item than the one asked for, as of a proxy that mixes up its
// connections, is refused and the read sent again by the client's policy; if it does not
// get better the call fails. So do all reads by key or with a partition key, BatchGet and
// TransactGet. A reply that says that there is no item cannot be told from another's.
func (t *Table[T, PK, SK]) Get(ctx context.Context, pk PK, sk SK, opts ...GetOption) (T, error) {
	return t.get(ctx, Key[PK, SK]{pk, sk}, opts)
}

// Exists tells whether there is an item with the key, reading only its key
// attributes. It costs as much as [Table.Get], for DynamoDB bills the whole item.
func (t *Table[T, PK, SK]) Exists(ctx context.Context, pk PK, sk SK, opts ...GetOption) (bool, error) {
	return t.exists(ctx, Key[PK, SK]{pk, sk}, opts)
}

// Delete removes the item with the key. Removing an item that does not exist is
// no error, unless a condition ([If]) needs it. [ReturnOld] gives the removed item.
//
// On a table with a [Revision] the item is read first, and only what was read is deleted; if another write comes
// between, the call starts again. When a reply is lost and the item is gone, a delete without a condition is done.
//
// On other tables a delete without a condition is sent again after a lost reply, which deletes what another call has put meanwhile; one under a
// condition is [ErrOutcomeUnknown]. With an integer [Version] the call is refused without a condition on the
// version, such as ddb.If(version.Eq(3)); [Table.DeleteItem] sets it.
//
// It costs a write unit for each 1 KB of the item, rounded up, and as much on every index that holds it.
func (t *Table[T, PK, SK]) Delete(ctx context.Context, pk PK, sk SK, opts ...WriteOption[T]) error {
	return t.delete(ctx, Key[PK, SK]{pk, sk}, opts)
}

// Get reads one item; see [Table.Get].
func (t *SimpleTable[T, PK]) Get(ctx context.Context, pk PK, opts ...GetOption) (T, error) {
	return t.get(ctx, pk, opts)
}

// Exists tells whether there is an item with the key; see [Table.Exists].
func (t *SimpleTable[T, PK]) Exists(ctx context.Context, pk PK, opts ...GetOption) (bool, error) {
	return t.exists(ctx, pk, opts)
}

// Delete removes the item with the key; see [Table.Delete].
func (t *SimpleTable[T, PK]) Delete(ctx context.Context, pk PK, opts ...WriteOption[T]) error {
	return t.delete(ctx, pk, opts)
}

// AnyTable is a [Table] or a [SimpleTable] with items of type T.
type AnyTable[T any] interface {
	tableCore(*T) *core
}

// items is what both kinds of table share; K is the Go type of a whole key.
type items[T, K any] struct {
	*core
	// appendKey appends a key in wire form. After an error what it appended is no key.
	appendKey func([]byte, *K) ([]byte, error)
}

// encodeKey is appendKey in the SDK's form.
func (t *items[T, K]) encodeKey(key K) (map[string]types.AttributeValue, error) {
	if err := t.usable(); err != nil {
		return nil, err
	}
	data, err := t.appendKey(nil, &key)
	if err != nil {
		return nil, err
	}
	return codec.ParseItem(data)
}

func (t *items[T, K]) tableCore(*T) *core { return t.core }

// core is the part of a table that knows no type parameters.
type core struct {
	failed      error // why it could not be made; every call returns it
	client      Client
	name        string
	plan        *codec.Plan
	key         keySchema
	keyNames    itemid.Key // of the primary key, partition first
	version     *handle
	revision    *handle
	tombstones  *tombstones
	created     *handle
	updated     *handle
	ttl         *handle
	ledger      *Ledger
	hooks       []Hook
	sizes       itemSizes
	retry       RetryPolicy
	budget      *RetryBudget
	pageSize    int32
	concurrency int
	wire        wire.Options
	now         func() time.Time
	warnMark    int // in bytes
	warn        func(table string, size int)
	derived     []*derivation

	mu      sync.Mutex
	indexes []*indexInfo
}

// Name is the table's name, prefix included.
func (c *core) Name() string { return c.name }

// newCore describes a table. After an error it is there as well, and refuses every call.
func newCore(client Client, name string, t reflect.Type, partition, sort []*handle, opts []TableOption) (*core, error) {
	c := &core{
		client: client, name: name, ledger: DefaultLedger(), retry: DefaultRetryPolicy(), budget: budgetOf(client),
		concurrency: defaultConcurrency, now: time.Now, wire: wire.Default,
	}
	var errs []error
	if isNil(client) {
		errs = append(errs, errors.New("client is nil; use ddb.NewClient, ddb.DefaultClient or an SDK client"))
	}
	plan, err := codec.PlanOf(t)
	if err != nil {
		c.failed = newError(name, append(errs, err)...)
		return c, c.failed
	}
	c.plan = plan
	pk, err1 := keyParts("partition", plan, partition, false)
	sk, err2 := keyParts("sort", plan, sort, false)
	errs = append(errs, err1, err2)
	if len(partition) > 1 || len(sort) > 1 {
		errs = append(errs, errors.New("a table key has one attribute each for partition and sort; several are for global indexes"))
	}
	if len(pk) == 1 && len(sk) == 1 && pk[0].name == sk[0].name {
		errs = append(errs, fmt.Errorf("partition and sort key are the same attribute %s", pk[0].name))
	}
	c.key = keySchema{partition: pk, sort: sk}
	c.keyNames = c.key.names()
	for _, o := range opts {
		if o == nil {
			errs = append(errs, errors.New("an option is nil"))
			continue
		}
		errs = append(errs, o.applyTable(c))
	}
	errs = append(errs, c.checkDerivations(), c.checkTombstones())
	if len(c.name) <= 4 || c.name[:4] != "arn:" { // ARNs are names too
		errs = append(errs, checkName("table", c.name))
	}
	c.failed = newError(c.name, errs...)
	return c, c.failed
}

func newError(table string, errs ...error) error {
	if err := invalid(errs...); err != nil {
		return &OpError{Op: "New", Table: table, Err: err}
	}
	return nil
}

// checkName holds the name of a table or index against the naming rules.
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

func isNil(c Client) bool {
	if c == nil {
		return true
	}
	v := reflect.ValueOf(c)
	return v.Kind() == reflect.Pointer && v.IsNil()
}
