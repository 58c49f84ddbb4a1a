package ddb_test

import (
	"context"
	"errors"
	"fmt"

	"github.com/dynamotable/ddb"
	"github.com/dynamotable/ddb/ddbtest"
)

type Member struct {
	ID    string `dynamodbav:"id"`
	Club  string `dynamodbav:"club"`
	Email string `dynamodbav:"email"`
}

type Reservation struct {
	ID    string `dynamodbav:"id"`
	Owner string `dynamodbav:"owner"`
}

var (
	memberID         = ddb.StrField(func(m *Member) *string { return &m.ID })
	memberEmail      = ddb.StrField(func(m *Member) *string { return &m.Email })
	emailReservation = ddb.StrField(func(r *Reservation) *string { return &r.ID })
	emailOwner       = ddb.StrField(func(r *Reservation) *string { return &r.Owner })
)

func ExampleNewUnique() {
	ctx := context.Background()
	engine := ddbtest.NewEngine()
	defer engine.Close()
	client := engine.Client()
	clubMembers, err1 := ddb.NewSimple(client, "members", memberID)
	reservations, err2 := ddb.NewSimple(client, "reservations", emailReservation)
	emails, err3 := ddb.NewUnique(reservations, "email", emailOwner)
	if err := errors.Join(err1, err2, err3); err != nil {
		fmt.Println(err)
		return
	}
	if err := errors.Join(clubMembers.CreateTable(ctx), reservations.CreateTable(ctx)); err != nil {
		fmt.Println(err)
		return
	}

	join := func(m Member) error {
		return ddb.Transact(ctx, client, clubMembers.TxCreate(&m), emails.TxReserve(m.Club, m.Email, m.ID))
	}
	ann := Member{"m1", "chess", "ann@example.org"}
	fmt.Println(join(ann))
	err := join(Member{"m2", "chess", "ann@example.org"})
	fmt.Println(errors.Is(err, ddb.ErrTaken))
	fmt.Println(join(Member{"m3", "rowing", "ann@example.org"})) // another scope

	move := func(m Member, address string) error {
		return ddb.Transact(ctx, client,
			clubMembers.TxUpdate(m.ID, memberEmail.Set(address)), emails.TxChange(m.Club, m.Email, address, m.ID))
	}
	fmt.Println(move(ann, "ann@example.com"))
	// The same again: what was read is stale.
	fmt.Println(errors.Is(move(ann, "ann@example.net"), ddb.ErrNotReserved))
	fmt.Println(emails.Owner(ctx, "chess", "ann@example.com"))
	// Output:
	// <nil>
	// true
	// <nil>
	// <nil>
	// true
	// m1 <nil>
}
