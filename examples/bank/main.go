// SPDX-License-Identifier: Apache-2.0

// Bank stores accounts as streams of events: deposits, and transfers that write to two streams in one
// transaction. A projection follows the feed of all events and is stopped repeatedly, snapshots
// shorten the loads, statements of 2 MB go to an object store, and an audit at the end shows that no money was created or lost.
//
//	go run ./examples/bank
//
// It runs on the embedded engine and an S3 in memory, or on the endpoints in DYNAMODB_ENDPOINT and, for S3, the bucket in
// BANK_BUCKET with the SDK's own settings.
package main

import (
	"context"
	"errors"
	"fmt"
	"log"
	"math/rand/v2"
	"strconv"
	"strings"
	"sync"

	"github.com/dynamotable/ddb"
	"github.com/dynamotable/ddb/ddbtest"
	"github.com/dynamotable/ddb/eventstore"
	"github.com/dynamotable/ddb/payload"
	"github.com/dynamotable/ddb/position"
	"github.com/dynamotable/ddb/snapshot"
)

const (
	accounts  = 20
	opening   = 1000 // the opening balance of each account
	transfers = 400
	workers   = 8
)

// bank contains the stores and tables of the example.
type bank struct {
	store     *eventstore.Store
	accounts  *eventstore.Repository[Account, Event]
	types     *eventstore.Types[Event]
	snapshots *snapshot.Store
	positions *position.Store
	balances  *eventstore.Views[Balance]
}

func main() {
	log.SetFlags(0)
	client, stop := ddbtest.Open()
	defer stop()
	objects, stopS3, err := openObjects(context.Background())
	if err != nil {
		log.Fatal(err) //nolint:gocritic // the engine dies with the process
	}
	defer stopS3()
	if err := run(context.Background(), client, objects); err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context, client ddb.Client, objects payload.Objects) error {
	b, err := openBank(ctx, client, objects)
	if err != nil {
		return err
	}
	defer b.close(context.WithoutCancel(ctx))

	for i := range accounts {
		if err := b.deposit(ctx, name(i), opening, "opening "+strconv.Itoa(i)); err != nil {
			return err
		}
	}
	fmt.Println("opened  ", accounts, "accounts with", opening, "each")

	type outcome struct {
		stops int
		err   error
	}
	projected := make(chan outcome, 1)
	follow, stop := context.WithCancel(ctx)
	defer stop()
	go func() {
		stops, err := b.project(follow, 40)
		projected <- outcome{stops, err}
	}()

	if err := b.transferAll(ctx); err != nil {
		return err
	}
	fmt.Println("moved    money in", transfers, "transfers by", workers, "workers, each one commit on two streams")

	if err := b.attach(ctx, name(0)); err != nil {
		return err
	}
	if err := b.showSnapshots(ctx); err != nil {
		return err
	}
	stop()
	switch o := <-projected; {
	case o.err != nil:
		return o.err
	case o.stops == 0:
		return errors.New("the projection was never stopped")
	}
	if err := b.catchUp(ctx); err != nil { // the events after the last stop
		return err
	}
	fmt.Println("project  the feed into balances; stopped in the middle and resumed many times")
	return b.audit(ctx)
}

func name(i int) string { return eventstore.StreamName("account", strconv.Itoa(i)) }

// transferAll lets workers move money between random accounts.
func (b *bank) transferAll(ctx context.Context) error {
	var (
		wg   sync.WaitGroup
		errs = make([]error, workers)
	)
	for w := range workers {
		wg.Go(func() {
			rng := rand.New(rand.NewPCG(1, uint64(w))) //nolint:gosec // which accounts is no secret
			for i := range transfers / workers {
				from, to := rng.IntN(accounts), rng.IntN(accounts-1)
				if to >= from {
					to++
				}
				err := b.transfer(ctx, name(from), name(to), 1+rng.IntN(400), fmt.Sprintf("transfer %d-%d", w, i))
				if err != nil && !errors.Is(err, errNoFunds) {
					errs[w] = err
					return
				}
			}
		})
	}
	wg.Wait()
	return errors.Join(errs...)
}

// attach adds a statement that is far too large for an item, and reads it back.
func (b *bank) attach(ctx context.Context, account string) error {
	statement := strings.Repeat("a line of the statement\n", 2<<20/24)
	_, err := b.accounts.Update(ctx, account, func(Account) ([]Event, error) {
		return []Event{StatementIssued{Text: statement}}, nil
	}, eventstore.CommitID("statement"))
	if err != nil {
		return err
	}
	for e, err := range b.store.Read(ctx, account, eventstore.Backward(), eventstore.Limit(1)) {
		if err != nil {
			return err
		}
		event, err := b.types.Decode(e)
		if err != nil {
			return err
		}
		if issued, ok := event.(StatementIssued); !ok || issued.Text != statement {
			return errors.New("the statement came back as something else")
		}
		fmt.Println("attached a statement of", len(statement), "bytes, outside the table")
	}
	return nil
}

// showSnapshots proves that a load from a snapshot is the same as one from all events.
func (b *bank) showSnapshots(ctx context.Context) error {
	plain := eventstore.NewRepository(b.store, b.types, Account.after)
	with := 0
	for i := range accounts {
		quick, err := b.accounts.Load(ctx, name(i))
		if err != nil {
			return err
		}
		slow, err := plain.Load(ctx, name(i))
		if err != nil {
			return err
		}
		if quick.State != slow.State || quick.Version != slow.Version {
			return fmt.Errorf("account %d from its snapshot differs from its events", i)
		}
		if _, err := b.snapshots.Latest(ctx, name(i)); err == nil {
			with++
		}
	}
	if with == 0 {
		return errors.New("no account has a snapshot")
	}
	fmt.Println("loaded   accounts from snapshots: the same as from all their events")
	return nil
}

// audit compares the streams and the projection with the money that was paid in.
func (b *bank) audit(ctx context.Context) error {
	total, projected := 0, 0
	for i := range accounts {
		a, err := b.accounts.Load(ctx, name(i))
		if err != nil {
			return err
		}
		view, err := b.balances.Load(ctx, name(i))
		if err != nil {
			return err
		}
		if a.State.Balance < 0 || view.Value.Amount != a.State.Balance {
			return fmt.Errorf("account %d has %d, the projection says %d", i, a.State.Balance, view.Value.Amount)
		}
		total += a.State.Balance
		projected += view.Value.Amount
	}
	lag, err := b.lag(ctx)
	if err != nil {
		return err
	}
	fmt.Println("audit    paid in:", accounts*opening, "in the accounts:", total, "in the projection:", projected, "lag:", lag)
	if total != accounts*opening || projected != total || lag != 0 {
		return errors.New("money was made or lost")
	}
	return nil
}
