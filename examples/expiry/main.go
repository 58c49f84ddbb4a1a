// SPDX-License-Identifier: Apache-2.0

// Expiry shows sessions whose time to live is over but which DynamoDB has not deleted yet: with HideExpired, no read returns them.
//
//	go run ./examples/expiry
package main

import (
	"context"
	"errors"
	"fmt"
	"log"
	"time"

	"github.com/dynamotable/ddb"
	"github.com/dynamotable/ddb/ddbtest"
)

type Session struct {
	User  string    `dynamodbav:"user"`
	ID    int       `dynamodbav:"id"`
	Until time.Time `dynamodbav:"until,unixtime"`
}

var (
	sessionUser  = ddb.StrField(func(s *Session) *string { return &s.User })
	sessionID    = ddb.NumField(func(s *Session) *int { return &s.ID })
	sessionUntil = ddb.TimeField(func(s *Session) *time.Time { return &s.Until })
)

func main() {
	log.SetFlags(0)
	if err := run(context.Background()); err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context) error {
	client, stop := ddbtest.Open()
	defer stop()
	now := time.Now()
	sessions, err := ddb.New(client, "sessions", sessionUser, sessionID,
		ddb.TTL(sessionUntil), ddb.HideExpired(), ddb.Clock(func() time.Time { return now }))
	if err != nil {
		return err
	}
	if err := sessions.EnsureTable(ctx); err != nil {
		return err
	}
	for minutes := 1; minutes <= 4; minutes++ {
		if err := sessions.Put(ctx, &Session{"ann", minutes, now.Add(time.Duration(minutes) * time.Minute)}); err != nil {
			return err
		}
	}
	now = now.Add(150 * time.Second)

	page, err := sessions.Query("ann").Page(ctx)
	if err != nil {
		return err
	}
	fmt.Printf("after 150 s: %d sessions, %d expired, %d read and billed\n", len(page.Items), page.Hidden, page.Scanned)
	_, err = sessions.Get(ctx, "ann", 1)
	fmt.Println("the first is not found:", errors.Is(err, ddb.ErrNotFound))
	all, err := sessions.Query("ann").With(ddb.IncludeExpired()).Count(ctx)
	if err != nil {
		return err
	}
	fmt.Println("still stored:", all)

	// Create replaces an expired item; an update can extend an expired item.
	if err := sessions.Create(ctx, &Session{"ann", 1, now.Add(time.Hour)}); err != nil {
		return err
	}
	if _, err := sessions.Update(ctx, sessions.Key("ann", 2), sessionUntil.Set(now.Add(time.Hour))); err != nil {
		return err
	}
	alive, err := sessions.Query("ann").Count(ctx)
	if err != nil {
		return err
	}
	fmt.Println("sessions now:", alive)
	return nil
}
