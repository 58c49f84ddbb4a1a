// SPDX-License-Identifier: Apache-2.0

package ddb_test

import (
	"context"
	"fmt"
	"time"

	"github.com/dynamotable/ddb"
	"github.com/dynamotable/ddb/ddbtest"
	"github.com/dynamotable/ddb/keyformat"
)

// TicketRank orders the open tickets of a team: the urgent first, then the older.
type TicketRank struct {
	Priority uint8     `ddbkey:"pad=1"`
	Opened   time.Time `ddbkey:"unit=second"`
}

var ticketRanks = keyformat.New[TicketRank]("")

func (r TicketRank) MarshalText() ([]byte, error)  { return ticketRanks.Format(r) }
func (r *TicketRank) UnmarshalText(b []byte) error { return ticketRanks.Parse(b, r) }

type Ticket struct {
	ID       string     `dynamodbav:"id"`
	Team     string     `dynamodbav:"team"`
	Status   string     `dynamodbav:"status"`
	Priority uint8      `dynamodbav:"priority"`
	Opened   time.Time  `dynamodbav:"opened"`
	OpenTeam string     `dynamodbav:"open_team,omitempty"`
	Rank     TicketRank `dynamodbav:"rank,text,omitzero"`
}

var (
	ticketID       = ddb.StrField(func(t *Ticket) *string { return &t.ID })
	ticketTeam     = ddb.StrField(func(t *Ticket) *string { return &t.Team })
	ticketStatus   = ddb.StrField(func(t *Ticket) *string { return &t.Status })
	ticketPriority = ddb.NumField(func(t *Ticket) *uint8 { return &t.Priority })
	ticketOpened   = ddb.TimeField(func(t *Ticket) *time.Time { return &t.Opened })
	ticketOpenTeam = ddb.StrField(func(t *Ticket) *string { return &t.OpenTeam })
	ticketRank     = ddb.Field(func(t *Ticket) *TicketRank { return &t.Rank })
)

func ExampleDerive() {
	ctx := context.Background()
	engine := ddbtest.NewEngine()
	defer engine.Close()
	tickets, err := ddb.NewSimple(engine.Client(), "tickets", ticketID,
		// Only open tickets are in the index.
		ddb.Derive(ticketOpenTeam, func(t *Ticket) (string, bool) {
			return t.Team, t.Status == "open"
		}, ticketTeam, ticketStatus),
		ddb.Derive(ticketRank, func(t *Ticket) (TicketRank, bool) {
			return TicketRank{t.Priority, t.Opened}, !t.Opened.IsZero()
		}, ticketPriority, ticketOpened))
	if err != nil {
		fmt.Println(err)
		return
	}
	open, err := ddb.NewIndex(tickets, "open-by-rank", ticketOpenTeam, ticketRank)
	if err != nil {
		fmt.Println(err)
		return
	}
	if err := tickets.CreateTable(ctx); err != nil {
		fmt.Println(err)
		return
	}
	for i, id := range []string{"t1", "t2", "t3"} {
		t := Ticket{ID: id, Team: "db", Status: "open", Priority: uint8(3 - i), Opened: time.Date(2026, 5, 1, 12, 0, i, 0, time.UTC)}
		if err := tickets.Create(ctx, &t); err != nil {
			fmt.Println(err)
			return
		}
	}

	// The team is given with the status, because the index needs both.
	_, err = tickets.Update(ctx, "t2", ticketStatus.Set("done"), ticketTeam.Set("db"))
	fmt.Println(err)
	for t, err := range open.Query("db").All(ctx) {
		if err != nil {
			fmt.Println(err)
			return
		}
		text, err := t.Rank.MarshalText()
		fmt.Println(t.ID, string(text), err)
	}
	_, err = tickets.Update(ctx, "t1", ticketPriority.Set(1))
	fmt.Println(err)
	// Output:
	// <nil>
	// t3 1#2026-05-01T12:00:02Z <nil>
	// t1 3#2026-05-01T12:00:00Z <nil>
	// ddb: UpdateItem tickets: invalid call: attribute rank is derived from priority, opened: the update changes priority and must give opened too, by Set or Remove, or prove it by a condition such as ddb.If(attr.Eq(value)), or it would become stale
}
