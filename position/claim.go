// SPDX-License-Identifier: Apache-2.0

package position

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/google/uuid"

	"github.com/dynamotable/ddb"
	"github.com/dynamotable/ddb/internal/repeat"
)

// Claim is a position with an owner: saves succeed until another owner claims it. It is safe for concurrent use.
type Claim struct {
	store     *Store
	consumer  string
	partition string
	token     string
	start     Position
	failed    error // of Store.Claim; every method returns it
}

// maxClaimTries is how often a claim starts again when others claim at the same time.
const maxClaimTries = 20

// Claim takes over a position. Saves by the previous owner fail from now on. The owner is a name for people, such
// as a host and process. It costs a read unit and a write unit. If the reply is lost, the claim is recognised by its random token.
//
// If there is an error, every method of the Claim returns it.
func (s *Store) Claim(ctx context.Context, consumer, partition, owner string) (*Claim, error) {
	c, err := s.claim(ctx, consumer, partition, owner)
	if err != nil {
		return &Claim{store: s, failed: err}, err
	}
	return c, nil
}

func (s *Store) claim(ctx context.Context, consumer, partition, owner string) (*Claim, error) {
	if err := s.usable(); err != nil {
		return nil, err
	}
	if err := checkKey(consumer); err != nil {
		return nil, err
	}
	if owner == "" {
		return nil, &ddb.InvalidError{Problems: []error{errors.New("position: the owner has no name")}}
	}
	c := &Claim{store: s, consumer: consumer, partition: partition, token: uuid.NewString()}
	var last, doubt error
	doubts := 0
	for range maxClaimTries {
		is, err := s.read(ctx, consumer, partition)
		if err != nil && !errors.Is(err, ddb.ErrNotFound) {
			return nil, errors.Join(err, doubt)
		}
		if is.Token != c.token { // unless an attempt before this one was applied
			is, err = tableOf(s).Upsert(ctx, s.key(consumer, partition), rowOwner.Set(owner), rowToken.Set(c.token),
				rowEpoch.Set(is.Epoch+1), ddb.SetIfMissing(rowNumber, 0), rowUpdatedAt.Set(s.now().UTC()), ddb.If(epochIs(is.Epoch)))
			if repeat.InDoubt(err) {
				if doubts++; doubts == repeat.Attempts || ctx.Err() != nil {
					return nil, err
				}
				last, doubt = err, err
				continue
			}
			if errors.Is(err, ddb.ErrConditionFailed) { // another claim was faster, or an earlier attempt
				last = err
				continue
			}
			if err != nil {
				return nil, errors.Join(err, doubt)
			}
		}
		c.start = is.position()
		return c, nil
	}
	return nil, fmt.Errorf("position: %d other claims were faster: %w", maxClaimTries, last)
}

func epochIs(epoch int64) ddb.Cond[row] {
	if epoch == 0 {
		return ddb.NotExists(rowEpoch)
	}
	return rowEpoch.Eq(epoch)
}

// Start returns the position as it was claimed.
func (c *Claim) Start() Position {
	if c == nil {
		return Position{}
	}
	return c.start
}

// usable returns the error of Store.Claim, or an error for a Claim that was not made by it.
func (c *Claim) usable() error {
	switch {
	case c != nil && c.failed != nil:
		return c.failed
	case c == nil || c.store == nil:
		return notMade("Claim", "Store.Claim")
	}
	return c.store.usable()
}

// Save stores a position. If it is lower than the stored one, the error is [ErrStale]; saving the same again succeeds. If
// another owner has claimed it, the error is [ErrFenced]. It costs a write unit.
func (c *Claim) Save(ctx context.Context, position int64) error {
	if err := c.usable(); err != nil {
		return err
	}
	return c.store.save(ctx, c.consumer, c.partition, position, c.token)
}

// SaveTx is [Claim.Save] in a transaction, with the effects of the handler; see [Store.SaveTx].
func (c *Claim) SaveTx(position int64) ddb.TxOp {
	switch {
	case c != nil && c.store.usable() != nil:
		return c.store.SaveTx("", "", 0) // which is refused
	case c.usable() != nil:
		return (*Store)(nil).SaveTx("", "", 0)
	}
	return tableOf(c.store).TxUpsert(c.store.key(c.consumer, c.partition), c.store.changes(position, c.token)...)
}

// Rejected reports whether the [Claim.SaveTx] at an index of a transaction's operations made it fail: it
// returns [ErrFenced] or [ErrStale], and nil otherwise.
func (c *Claim) Rejected(err error, index int) error {
	if err := c.usable(); err != nil {
		return err
	}
	return rejectedAt(err, index, c.token)
}

// Release releases the position, so that any process can save it. If another owner has claimed it since, nothing changes.
func (c *Claim) Release(ctx context.Context) error {
	if err := c.usable(); err != nil {
		return err
	}
	err := repeat.WriteInDoubt(ctx, func(error) error {
		_, err := tableOf(c.store).Update(ctx, c.store.key(c.consumer, c.partition), ddb.Remove(rowOwner), ddb.Remove(rowToken),
			rowUpdatedAt.Set(c.store.now().UTC()), ddb.If(rowToken.Eq(c.token)))
		return err
	})
	if errors.Is(err, ddb.ErrConditionFailed) {
		return nil // this claim's token is no longer stored
	}
	return err
}

// Owned is a view of a store for one owner: Load claims what it loads, and Save saves under that claim. Use it for
// a subscription that must not run twice. It is safe for concurrent use.
type Owned struct {
	store  *Store
	owner  string
	mu     sync.Mutex
	claims map[[2]string]*Claim
}

// As returns a view of the store for one owner.
func (s *Store) As(owner string) *Owned {
	return &Owned{store: s, owner: owner, claims: make(map[[2]string]*Claim)}
}

// usable returns the error of the store, or an error for an Owned that was not made by Store.As.
func (o *Owned) usable() error {
	if o == nil || o.store == nil {
		return notMade("Owned", "Store.As")
	}
	return o.store.usable()
}

// Load claims a position and returns it.
func (o *Owned) Load(ctx context.Context, consumer, partition string) (int64, error) {
	if err := o.usable(); err != nil {
		return 0, err
	}
	c, err := o.store.Claim(ctx, consumer, partition, o.owner)
	if err != nil {
		return 0, err
	}
	o.mu.Lock()
	o.claims[[2]string{consumer, partition}] = c
	o.mu.Unlock()
	return c.start.Number, nil
}

// Peek reads a position without claiming it, for status and lag.
func (o *Owned) Peek(ctx context.Context, consumer, partition string) (int64, error) {
	if err := o.usable(); err != nil {
		return 0, err
	}
	return o.store.Load(ctx, consumer, partition)
}

// Save saves a position that was loaded; see [Claim.Save].
func (o *Owned) Save(ctx context.Context, consumer, partition string, position int64) error {
	if err := o.usable(); err != nil {
		return err
	}
	c, err := o.Claimed(consumer, partition)
	if err != nil {
		return err
	}
	return c.Save(ctx, position)
}

// Claimed returns the claim of a loaded position, for its SaveTx.
//
// If there is an error, every method of the Claim returns it.
func (o *Owned) Claimed(consumer, partition string) (*Claim, error) {
	if err := o.usable(); err != nil {
		c := &Claim{failed: err}
		if o != nil {
			c.store = o.store
		}
		return c, err
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	c := o.claims[[2]string{consumer, partition}]
	if c == nil {
		err := &ddb.InvalidError{Problems: []error{errors.New("position: it was not loaded, and so is not claimed")}}
		return &Claim{store: o.store, failed: err}, err
	}
	return c, nil
}
