// SPDX-License-Identifier: Apache-2.0

package eventstore_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/dynamotable/ddb/ddbtest"
	"github.com/dynamotable/ddb/eventstore"
	"github.com/dynamotable/ddb/schema"
)

// exampleStore is a store in the embedded engine.
func exampleStore(ctx context.Context, opts ...eventstore.Option) (*eventstore.Store, func()) {
	client, stop := ddbtest.Open()
	store, err := eventstore.New(client, "events", opts...)
	if err != nil {
		panic(err)
	}
	if err := store.EnsureTable(ctx); err != nil {
		panic(err)
	}
	return store, func() {
		_ = store.DeleteTable(ctx, schema.AllowDelete("events")) // the next example has an empty one
		stop()
	}
}

func Example() {
	ctx := context.Background()
	store, stop := exampleStore(ctx)
	defer stop()

	opened := eventstore.NewEvent{Type: "opened", Data: []byte(`{"owner":"x"}`)}
	deposited := eventstore.NewEvent{Type: "deposited", Data: []byte(`{"amount":10}`)}
	done, err := store.Append(ctx, "account-42", eventstore.NoStream(), opened, deposited)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println("versions", done.First, "to", done.Last)

	_, err = store.Append(ctx, "account-42", eventstore.Exactly(1), deposited)
	if wrong, ok := errors.AsType[*eventstore.WrongExpectedVersion](err); ok {
		fmt.Println("the stream is at", wrong.Actual, "the version is taken by", wrong.Blocking.Type)
	}
	for e, err := range store.Read(ctx, "account-42") {
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(e.Version, e.Type, string(e.Data))
	}
	// Output:
	// versions 1 to 2
	// the stream is at 2 the version is taken by deposited
	// 1 opened {"owner":"x"}
	// 2 deposited {"amount":10}
}

// A call repeated with its commit id writes once.
func ExampleCommitID() {
	ctx := context.Background()
	store, stop := exampleStore(ctx)
	defer stop()

	for range 3 {
		done, err := store.Append(ctx, "account-42", eventstore.NoStream(),
			eventstore.NewEvent{Type: "opened"}, eventstore.CommitID("request-7"))
		fmt.Println(done.Last, done.Deduplicated, err)
	}
	// Output:
	// 1 false <nil>
	// 1 true <nil>
	// 1 true <nil>
}

func ExampleFeed() {
	ctx := context.Background()
	store, stop := exampleStore(ctx, eventstore.Sequenced(1))
	defer stop()

	var position eventstore.Position // stored somewhere between runs
	for _, stream := range []string{"account-1", "account-2", "account-1"} {
		if _, err := store.Append(ctx, stream, eventstore.Any(), eventstore.NewEvent{Type: "happened"}); err != nil {
			fmt.Println(err)
			return
		}
	}
	for c, err := range store.Feed().Read(ctx, position) {
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(c.Number, c.Stream, c.First)
		position = position.After(c)
	}
	fmt.Println(position)
	// Output:
	// 1 account-1 1
	// 2 account-2 1
	// 3 account-1 2
	// p1:3
}

// The events of an account, as a sealed interface.
type (
	Event     interface{ isEvent() }
	Deposited struct{ Amount int }
	Withdrawn struct{ Amount int }
)

func (Deposited) isEvent() {}
func (Withdrawn) isEvent() {}

// Account is the state that results from the events.
type Account struct{ Balance int }

func ExampleRepository() {
	ctx := context.Background()
	store, stop := exampleStore(ctx)
	defer stop()

	types := eventstore.NewTypes[Event](eventstore.JSON)
	eventstore.Register[Deposited](types, "deposited", 1)
	eventstore.Register[Withdrawn](types, "withdrawn", 1)
	accounts := eventstore.NewRepository(store, types, func(a Account, e Event) Account {
		switch e := e.(type) {
		case Deposited:
			a.Balance += e.Amount
		case Withdrawn:
			a.Balance -= e.Amount
		}
		return a
	})

	errNoFunds := errors.New("not enough money")
	withdraw := func(amount int) func(Account) ([]Event, error) {
		return func(a Account) ([]Event, error) {
			if a.Balance < amount {
				return nil, errNoFunds
			}
			return []Event{Withdrawn{amount}}, nil
		}
	}
	_, err := accounts.Update(ctx, "account-42", func(Account) ([]Event, error) { return []Event{Deposited{100}}, nil })
	fmt.Println(err)
	a, err := accounts.Update(ctx, "account-42", withdraw(70))
	fmt.Println(a.State.Balance, a.Version, err)
	_, err = accounts.Update(ctx, "account-42", withdraw(70))
	fmt.Println(err)
	// Output:
	// <nil>
	// 30 2 <nil>
	// not enough money
}

// A cart lives for an hour; its versions continue when it has expired.
func ExampleExpiring() {
	ctx := context.Background()
	now := time.Now()
	store, stop := exampleStore(ctx, eventstore.Clock(func() time.Time { return now }),
		eventstore.Expiring(func(stream string) time.Duration { return time.Hour }))
	defer stop()

	for _, item := range []string{"tea", "cup", "pot"} {
		done, err := store.Append(ctx, "cart-7", eventstore.Any(), eventstore.NewEvent{Type: "added", Data: []byte(item)})
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Print("version ", done.First, ":")
		for e, err := range store.Read(ctx, "cart-7") {
			if err != nil {
				fmt.Println(err)
				return
			}
			fmt.Print(" ", string(e.Data))
		}
		fmt.Println()
		now = now.Add(40 * time.Minute)
	}
	// Output:
	// version 1: tea
	// version 2: tea cup
	// version 3: cup pot
}

// One event of an old schema becomes two, and another is dropped. Versions are those of the stored events.
func ExampleUpcast() {
	ctx := context.Background()
	store, stop := exampleStore(ctx, eventstore.Upcast(
		eventstore.Upcaster{Type: "moved", Schema: 1, Into: func(e eventstore.Event) ([]eventstore.Event, error) {
			return []eventstore.Event{{Type: "withdrawn", Schema: 1, Data: e.Data}, {Type: "deposited", Schema: 1, Data: e.Data}}, nil
		}},
		eventstore.Upcaster{Type: "note", Schema: 1, Into: func(eventstore.Event) ([]eventstore.Event, error) { return nil, nil }},
	))
	defer stop()

	_, err := store.Append(ctx, "account-7", eventstore.NoStream(), eventstore.NewEvent{Type: "moved", Data: []byte("5")},
		eventstore.NewEvent{Type: "note"}, eventstore.NewEvent{Type: "withdrawn", Data: []byte("1")})
	if err != nil {
		fmt.Println(err)
		return
	}
	for e, err := range store.Read(ctx, "account-7") {
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(e.Version, e.Part, e.Type, string(e.Data))
	}
	// Output:
	// 1 0 withdrawn 5
	// 1 1 deposited 5
	// 3 0 withdrawn 1
}

type exampleEvent interface{ added() int }

type added struct{ N int }

func (a added) added() int { return a.N }

// Updates based on a cached state read nothing; if another process was faster, the decision is repeated.
func ExampleAllowStale() {
	ctx := context.Background()
	store, stop := exampleStore(ctx)
	defer stop()

	types := eventstore.NewTypes[exampleEvent](eventstore.JSON).Add(added{})
	sum := func(n int, e exampleEvent) int { return n + e.added() }
	here := eventstore.NewRepository(store, types, sum, eventstore.Cached(1000), eventstore.AllowStale(time.Minute))
	elsewhere := eventstore.NewRepository(store, types, sum)

	for _, r := range []*eventstore.Repository[int, exampleEvent]{here, here, elsewhere, here} {
		tries := 0
		a, err := r.Update(ctx, "counter-1", func(int) ([]exampleEvent, error) {
			tries++
			return []exampleEvent{added{1}}, nil
		})
		fmt.Println("state", a.State, "decided", tries, "times", err)
	}
	// Output:
	// state 1 decided 1 times <nil>
	// state 2 decided 1 times <nil>
	// state 3 decided 1 times <nil>
	// state 4 decided 2 times <nil>
}
