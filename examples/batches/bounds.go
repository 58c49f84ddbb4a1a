// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/dynamotable/ddb"
	"github.com/dynamotable/ddb/ddbtest"
	"github.com/dynamotable/ddb/ddbtest/fault"
)

// Policy: a table that processes 5 items of each request, and a caller that does not wait.
func policy(ctx context.Context) error {
	var little []fault.Rule
	for left := 20; left > 0; left -= 5 {
		little = append(little, fault.On("BatchWriteItem").First(1).Unprocessed(left))
	}
	table, done, err := open(ctx, little, ddb.Retry(ddb.RetryPolicy{BaseDelay: time.Millisecond, MaxAttempts: 2}))
	if err != nil {
		return err
	}
	defer done()
	var stats ddb.BatchStats
	err = table.BatchPut(ctx, some("attic", 25), ddb.StatsTo(&stats))
	show("at most 2 attempts:", err, stats)
	fmt.Printf("%-24s %v\n", "", err)
	return nil
}

// Silent: a server that never answers. The batch ends when no item was written for the
// policy's time, however many requests are left.
func silent(ctx context.Context) error {
	table, done, err := open(ctx, []fault.Rule{fault.On("BatchWriteItem").Hang()}, ddb.Retry(ddb.RetryPolicy{MaxElapsed: 50 * time.Millisecond}))
	if err != nil {
		return err
	}
	defer done()
	var stats ddb.BatchStats
	err = table.BatchPut(ctx, some("attic", 100), ddb.StatsTo(&stats))
	show("no answer:", err, stats)
	return nil
}

// Budget: a server that always fails, with clients that may retry more or less.
// Package ddbclient gives each client a budget for 100 retries.
func budget(ctx context.Context) error {
	for _, retries := range []int{100, 3} {
		var requests atomic.Int64
		engine := ddbtest.NewEngine(
			ddbtest.WithFaults(fault.On("BatchWriteItem").InternalError()),
			ddbtest.WithObserver(func(fault.Request) { requests.Add(1) }))
		client := engine.Client(func(o *dynamodb.Options) {
			o.Retryer = retry.NewStandard(func(s *retry.StandardOptions) {
				s.RateLimiter = ddb.NewRetryBudget(retries)
				s.MaxBackoff = time.Millisecond
			})
		})
		table, err := ddb.New(client, "readings", readingSensor, readingMinute, ddb.Concurrency(1))
		if err == nil {
			err = table.CreateTable(ctx)
		}
		if err != nil {
			return err
		}
		requests.Store(0)
		err = table.BatchPut(ctx, some("loft", 250))
		fmt.Printf("%-24s 10 requests, sent fewer than 20 times: %v; unknown: %v\n",
			fmt.Sprintf("budget of %d retries:", retries), requests.Load() < 20, errors.Is(err, ddb.ErrOutcomeUnknown))
		engine.Close()
	}
	return nil
}
