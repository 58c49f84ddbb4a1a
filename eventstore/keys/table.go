// SPDX-License-Identifier: Apache-2.0

package keys

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	"github.com/dynamotable/ddb"
	"github.com/dynamotable/ddb/eventstore"
	"github.com/dynamotable/ddb/internal/repeat"
	"github.com/dynamotable/ddb/schema"
)

// Wrapper encrypts the secrets of keys before they are stored, for example with Encrypt and Decrypt of AWS KMS. It is safe for concurrent use.
type Wrapper interface {
	// Wrap encrypts a secret of 32 bytes. The id is the key's, to be authenticated with the secret (the encryption context of KMS).
	Wrap(ctx context.Context, id string, secret []byte) ([]byte, error)
	// Unwrap decrypts a secret that Wrap has encrypted.
	Unwrap(ctx context.Context, id string, wrapped []byte) ([]byte, error)
}

// Option is an option of [New].
type Option func(*Table)

// Wrap stores secrets encrypted by a [Wrapper]. Without it they are stored in plain form.
func Wrap(w Wrapper) Option { return func(t *Table) { t.wrapper, t.wrapped = w, true } }

// Clock replaces time.Now, from which the times at which keys are made and deleted come.
func Clock(now func() time.Time) Option { return func(t *Table) { t.now = now } }

// TableOptions passes options to the table: a prefix of its name, a ledger, retries.
func TableOptions(opts ...ddb.TableOption) Option {
	return func(t *Table) { t.opts = append(t.opts, opts...) }
}

// row is the key of a subject, or what remains of a deleted one.
type row struct {
	ID      string `dynamodbav:"id"`
	Secret  []byte `dynamodbav:"secret,omitempty"`
	Wrapped bool   `dynamodbav:"wrapped,omitempty"`
	Created int64  `dynamodbav:"created,omitempty"` // seconds since 1970
	Deleted int64  `dynamodbav:"deleted,omitempty"`
}

var (
	rowID      = ddb.StrField(func(r *row) *string { return &r.ID })
	rowSecret  = ddb.BinField(func(r *row) *[]byte { return &r.Secret })
	rowDeleted = ddb.NumField(func(r *row) *int64 { return &r.Deleted })
)

// Table stores keys in a DynamoDB table, one item for each subject. The item of a deleted key stays for ever and records the deletion. It is safe for concurrent
// use. Make it with [New].
type Table struct {
	table   any // see tableOf
	opts    []ddb.TableOption
	wrapper Wrapper
	wrapped bool
	now     func() time.Time
	failed  error // of New; every method returns it
}

// tableOf returns the table. It is a function and the field has no type, because every package that uses a
// store would compile the methods of the table again if it found their types in the store or its methods.
//
//go:noinline
func tableOf(t *Table) *ddb.SimpleTable[row, string] {
	table, _ := t.table.(*ddb.SimpleTable[row, string])
	return table
}

var _ eventstore.Keys = (*Table)(nil)

// New describes a table of keys. It sends nothing; see [Table.EnsureTable].
func New(client ddb.Client, table string, opts ...Option) (*Table, error) {
	t := &Table{now: time.Now}
	for _, opt := range opts {
		if opt != nil {
			opt(t)
		}
	}
	t.table, t.failed = ddb.NewSimple(client, table, rowID, t.opts...)
	if t.failed == nil && (t.now == nil || t.wrapped && t.wrapper == nil) {
		t.failed = invalid("the clock or the wrapper is nil")
	}
	return t, t.failed
}

func invalid(text string) error {
	return &ddb.InvalidError{Problems: []error{errors.New("keys: " + text)}}
}

func (t *Table) usable() error {
	switch {
	case t != nil && t.failed != nil:
		return t.failed
	case t == nil || t.table == nil:
		return invalid("a Table that New did not make")
	}
	return nil
}

// Name returns the table's name.
func (t *Table) Name() string {
	if t == nil || t.table == nil {
		return ""
	}
	return tableOf(t).Name()
}

// EnsureTable creates the table if it is missing, and waits until it can be used.
func (t *Table) EnsureTable(ctx context.Context, opts ...schema.Option) error {
	if err := t.usable(); err != nil {
		return err
	}
	return tableOf(t).EnsureTable(ctx, opts...)
}

// VerifyTable lists all differences between the live table and its definition.
func (t *Table) VerifyTable(ctx context.Context, opts ...schema.Option) ([]schema.Difference, error) {
	if err := t.usable(); err != nil {
		return nil, err
	}
	return tableOf(t).VerifyTable(ctx, opts...)
}

// DeleteTable deletes the table with all keys: everything encrypted with them is lost. It is refused unless the permission names the
// table; see [schema.AllowDelete].
func (t *Table) DeleteTable(ctx context.Context, allow schema.DeletePermission) error {
	if err := t.usable(); err != nil {
		return err
	}
	return tableOf(t).DeleteTable(ctx, allow)
}

// IDOf returns the id of a subject's key: a hash of the subject, so that the stored events do not name it. Anyone who knows a subject can compute it.
func IDOf(subject string) string {
	sum := sha256.Sum256([]byte("ddb-subject\x00" + subject))
	return hex.EncodeToString(sum[:16])
}

// tries is how often a key is made when others do the same, or replies are lost.
const tries = 5

// Key returns the key of a subject, and makes it if there is none. For a forgotten subject the error is [eventstore.ErrForgotten]. It costs a read unit, and a write unit
// the first time. If several processes make a key at once, all get the same one.
func (t *Table) Key(ctx context.Context, subject string) (eventstore.Key, error) {
	if err := t.usable(); err != nil {
		return eventstore.Key{}, err
	}
	if subject == "" {
		return eventstore.Key{}, invalid("the subject is empty")
	}
	id := IDOf(subject)
	var last error
	for range tries {
		r, err := tableOf(t).Get(ctx, id, ddb.Consistent())
		if err == nil {
			return t.key(ctx, r)
		}
		if !errors.Is(err, ddb.ErrNotFound) {
			return eventstore.Key{}, err
		}
		last = t.create(ctx, id)
		if last != nil && !errors.Is(last, ddb.ErrConditionFailed) && !repeat.InDoubt(last) {
			return eventstore.Key{}, last
		}
	}
	return eventstore.Key{}, fmt.Errorf("keys: the key of a subject could not be made: %w", last)
}

func (t *Table) create(ctx context.Context, id string) error {
	r := row{ID: id, Secret: make([]byte, 32), Created: t.now().Unix()}
	if _, err := rand.Read(r.Secret); err != nil {
		return err
	}
	if t.wrapper != nil {
		wrapped, err := t.wrapper.Wrap(ctx, id, r.Secret)
		if err != nil {
			return fmt.Errorf("keys: wrap: %w", err)
		}
		r.Secret, r.Wrapped = wrapped, true
	}
	return tableOf(t).Create(ctx, &r)
}

// ByID returns the key with an id. The error is [eventstore.ErrForgotten] if it was deleted, and [ddb.ErrNotFound] if the table does not have the id. It costs one read unit.
func (t *Table) ByID(ctx context.Context, id string) (eventstore.Key, error) {
	if err := t.usable(); err != nil {
		return eventstore.Key{}, err
	}
	if id == "" {
		return eventstore.Key{}, invalid("the id is empty")
	}
	r, err := tableOf(t).Get(ctx, id, ddb.Consistent())
	if err != nil {
		return eventstore.Key{}, err
	}
	return t.key(ctx, r)
}

func (t *Table) key(ctx context.Context, r row) (eventstore.Key, error) {
	switch {
	case r.Deleted != 0:
		return eventstore.Key{}, eventstore.ErrForgotten
	case !r.Wrapped:
		return eventstore.Key{ID: r.ID, Secret: r.Secret}, nil
	case t.wrapper == nil:
		return eventstore.Key{}, errors.New("keys: the key is wrapped; the option Wrap is missing")
	}
	secret, err := t.wrapper.Unwrap(ctx, r.ID, r.Secret)
	if err != nil {
		return eventstore.Key{}, fmt.Errorf("keys: unwrap: %w", err)
	}
	return eventstore.Key{ID: r.ID, Secret: secret}, nil
}

// Forget permanently deletes the key of a subject: the subject never gets another one. It affects every read that begins afterwards, and running reads
// within some hundred events. It costs a write unit. If a reply is lost, the call is repeated, which changes nothing more.
func (t *Table) Forget(ctx context.Context, subject string) error {
	if err := t.usable(); err != nil {
		return err
	}
	if subject == "" {
		return invalid("the subject is empty")
	}
	return repeat.Write(ctx, func() error {
		_, err := tableOf(t).Upsert(ctx, IDOf(subject), ddb.Remove(rowSecret), ddb.SetIfMissing(rowDeleted, max(t.now().Unix(), 1)))
		return err
	})
}

// Format prints only the type's name, for every verb.
func (t *Table) Format(s fmt.State, _ rune) { _, _ = fmt.Fprint(s, "keys.Table") }
