// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/dynamotable/ddb/eventstore"
	"github.com/dynamotable/ddb/schema"
)

// Balance is an item of the projection: the balance of an account.
type Balance struct{ Amount int }

const consumer = "balances"

// apply applies a commit of the feed to the projection. A commit that is delivered again changes nothing.
func (b *bank) apply(ctx context.Context, c eventstore.Commit) error {
	return b.balances.ApplyCommit(ctx, c.Stream, c, func(v *Balance) error {
		a := Account{Balance: v.Amount}
		err := b.accounts.Fold(&a, c.Events...)
		v.Amount = a.Balance
		return err
	})
}

var errStopped = errors.New("stopped")

// project follows the feed until the context ends. After a number of commits it stops, between the effect and
// saving the position, and starts again as another owner.
func (b *bank) project(ctx context.Context, every int64) (stops int, err error) {
	for {
		var handled atomic.Int64
		owner := fmt.Sprint("projector ", stops)
		err := b.store.Feed().Subscribe(ctx, consumer, b.positions.As(owner), func(ctx context.Context, c eventstore.Commit) error {
			if err := b.apply(ctx, c); err != nil {
				return err
			}
			if handled.Add(1)%every == 0 {
				return errStopped
			}
			return nil
		}, eventstore.Retries(0), eventstore.PollEvery(5*time.Millisecond))
		if ctx.Err() != nil {
			err = nil // it was asked to stop
		}
		if !errors.Is(err, errStopped) {
			return stops, err
		}
		stops++
	}
}

// catchUp projects the remaining commits.
func (b *bank) catchUp(ctx context.Context) error {
	return b.store.Feed().Subscribe(ctx, consumer, b.positions.As("the last"), b.apply, eventstore.UntilEnd())
}

// lag returns the number of commits that the projection has not seen.
func (b *bank) lag(ctx context.Context) (int64, error) {
	end, err := b.store.Feed().End(ctx)
	if err != nil {
		return 0, err
	}
	seen := int64(0)
	for p, err := range b.positions.List(ctx, consumer) {
		if err != nil {
			return 0, err
		}
		seen += p.Number
	}
	return eventstore.Position{}.Behind(end) - seen, nil
}

func (b *bank) close(ctx context.Context) {
	_ = errors.Join( // only tidies up
		b.store.DeleteTable(ctx, schema.AllowDelete(b.store.Name())),
		b.snapshots.DeleteTable(ctx, schema.AllowDelete(b.snapshots.Name())),
		b.positions.DeleteTable(ctx, schema.AllowDelete(b.positions.Name())),
		b.balances.Table().DeleteTable(ctx, schema.AllowDelete(b.balances.Table().Name())))
}
