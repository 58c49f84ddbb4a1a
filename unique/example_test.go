// SPDX-License-Identifier: Apache-2.0

package unique_test

import (
	"context"
	"errors"
	"fmt"

	"github.com/dynamotable/ddb"
	"github.com/dynamotable/ddb/ddbtest"
	"github.com/dynamotable/ddb/unique"
)

// Member is an item of a club, or a reservation of an address, which has an owner and nothing else.
type Member struct {
	ID    string `dynamodbav:"id"`
	Club  string `dynamodbav:"club,omitempty"`
	Email string `dynamodbav:"email,omitempty"`
	Owner string `dynamodbav:"owner,omitempty"`
}

var (
	memberID    = ddb.StrField(func(m *Member) *string { return &m.ID })
	memberEmail = ddb.StrField(func(m *Member) *string { return &m.Email })
	memberOwner = ddb.StrField(func(m *Member) *string { return &m.Owner })
)

func Example() {
	ctx := context.Background()
	engine := ddbtest.NewEngine()
	defer engine.Close()
	client := engine.Client()
	clubMembers, err := ddb.NewSimple(client, "members", memberID)
	if err != nil {
		fmt.Println(err)
		return
	}
	emails, err := unique.New(clubMembers, "email", memberOwner) // in the same table, under keys of its own
	if err != nil {
		fmt.Println(err)
		return
	}
	if err := clubMembers.CreateTable(ctx); err != nil {
		fmt.Println(err)
		return
	}

	join := func(m Member) error {
		return ddb.Transact(ctx, client, clubMembers.TxCreate(&m), emails.TxReserve(m.Club, m.Email, m.ID))
	}
	ann := Member{ID: "m1", Club: "chess", Email: "ann@example.org"}
	fmt.Println(join(ann))
	err = join(Member{ID: "m2", Club: "chess", Email: "ann@example.org"})
	fmt.Println(errors.Is(err, unique.ErrTaken))
	fmt.Println(join(Member{ID: "m3", Club: "rowing", Email: "ann@example.org"})) // another scope

	move := func(m Member, address string) error {
		return ddb.Transact(ctx, client,
			clubMembers.TxUpdate(m.ID, memberEmail.Set(address)), emails.TxChange(m.Club, m.Email, address, m.ID))
	}
	fmt.Println(move(ann, "ann@example.com"))
	// The same change again: the item that was read is stale.
	fmt.Println(errors.Is(move(ann, "ann@example.net"), unique.ErrNotReserved))
	fmt.Println(emails.Owner(ctx, "chess", "ann@example.com"))
	// Output:
	// <nil>
	// true
	// <nil>
	// <nil>
	// true
	// m1 <nil>
}
