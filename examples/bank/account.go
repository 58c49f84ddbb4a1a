// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"

	"github.com/dynamotable/ddb/eventstore"
)

// Event is an event of an account.
type Event interface{ isEvent() }

// The events.
type (
	// Deposited is money that was paid in.
	Deposited struct{ Amount int }
	// Sent is money that went to another account.
	Sent struct {
		Amount int
		To     string
	}
	// Received is money that came from another account.
	Received struct {
		Amount int
		From   string
	}
	// StatementIssued is a document, of any length.
	StatementIssued struct{ Text string }
)

func (Deposited) isEvent()       {}
func (Sent) isEvent()            {}
func (Received) isEvent()        {}
func (StatementIssued) isEvent() {}

// newTypes maps the event types to their stored names.
func newTypes() *eventstore.Types[Event] {
	types := eventstore.NewTypes[Event](eventstore.JSON)
	eventstore.Register[Deposited](types, "deposited", 1)
	eventstore.Register[Sent](types, "sent", 1)
	eventstore.Register[Received](types, "received", 1)
	eventstore.Register[StatementIssued](types, "statement-issued", 1)
	return types
}

// Account is the state that results from the events.
type Account struct{ Balance, Events int }

// after returns the account after an event.
func (a Account) after(e Event) Account {
	a.Events++
	switch e := e.(type) {
	case Deposited:
		a.Balance += e.Amount
	case Sent:
		a.Balance -= e.Amount
	case Received:
		a.Balance += e.Amount
	}
	return a
}

var errNoFunds = errors.New("the account has not enough money")

// deposit pays money in, once for each id.
func (b *bank) deposit(ctx context.Context, account string, amount int, id string) error {
	_, err := b.accounts.Update(ctx, account, func(Account) ([]Event, error) {
		return []Event{Deposited{amount}}, nil
	}, eventstore.CommitID(id))
	return err
}

// transfer moves money. The sender must have it at exactly the version that was read; the receiver accepts
// it at any version. Both streams are written, or neither.
func (b *bank) transfer(ctx context.Context, from, to string, amount int, id string) error {
	for {
		sender, err := b.accounts.Load(ctx, from)
		if err != nil {
			return err
		}
		if sender.State.Balance < amount {
			return errNoFunds
		}
		sent, err := b.types.Encode(Sent{amount, to})
		if err != nil {
			return err
		}
		received, err := b.types.Encode(Received{amount, from})
		if err != nil {
			return err
		}
		_, err = b.store.Commit(ctx, eventstore.CommitID(id),
			eventstore.To(from, eventstore.Exactly(sender.Version), sent),
			eventstore.To(to, eventstore.StreamExists(), received))
		if !errors.Is(err, eventstore.ErrWrongExpectedVersion) {
			return err
		}
		// Another transfer was faster: read the account again.
	}
}
