// SPDX-License-Identifier: Apache-2.0

package batch_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/dynamotable/ddb"
	"github.com/dynamotable/ddb/ddbclient"
	"github.com/dynamotable/ddb/ddbtest"
	"github.com/dynamotable/ddb/ddbtest/fault"
	"github.com/dynamotable/ddb/internal/apitest"
)

type reading struct {
	Sensor string `dynamodbav:"sensor"`
	Minute int    `dynamodbav:"minute"`
	Value  int64  `dynamodbav:"value"`
	Room   string `dynamodbav:"room,omitempty"`
}

var (
	readingSensor = ddb.StrField(func(r *reading) *string { return &r.Sensor })
	readingMinute = ddb.NumField(func(r *reading) *int { return &r.Minute })
	readingValue  = ddb.NumField(func(r *reading) *int64 { return &r.Value })
	readingRoom   = ddb.StrField(func(r *reading) *string { return &r.Room })
)

type (
	readings = ddb.Table[reading, string, int]
	key      = ddb.Key[string, int]
)

func byRoom(table *readings) (*ddb.Index[reading, string, int], error) {
	return ddb.NewIndex(table, "by-room", readingRoom, readingMinute)
}

// engineOf returns an engine with faults and a table of readings.
func engineOf(t testing.TB, seed uint64, rules ...fault.Rule) *ddbtest.Engine {
	t.Helper()
	e := ddbtest.NewEngine(ddbtest.WithFaults(rules...), ddbtest.WithSeed(seed))
	t.Cleanup(e.Close)
	table := tableOn(t, e.Client())
	if _, err := byRoom(table); err != nil {
		t.Fatal(err)
	}
	if err := table.CreateTable(t.Context()); err != nil {
		t.Fatal(err)
	}
	return e
}

// defaults returns a client of NewClient on an engine.
func defaults(t testing.TB, e *ddbtest.Engine, opts ...ddbclient.Option) *dynamodb.Client {
	return apitest.NewDefaults(t, e, opts...)
}

// tableOn returns the table of readings for a client.
func tableOn(t testing.TB, client ddb.Client, opts ...ddb.TableOption) *readings {
	t.Helper()
	table, err := ddb.New(client, "readings", readingSensor, readingMinute, opts...)
	if err != nil {
		t.Fatal(err)
	}
	return table
}

func manyReadings(n int) ([]reading, []key) {
	list, keys := make([]reading, n), make([]key, n)
	for i := range list {
		list[i] = reading{Sensor: fmt.Sprint("s", i%7), Minute: i, Value: int64(i)}
		keys[i] = key{Partition: list[i].Sensor, Sort: i}
	}
	return list, keys
}

func batchError(t testing.TB, err error) *ddb.BatchError {
	t.Helper()
	failed, ok := errors.AsType[*ddb.BatchError](err)
	if !ok {
		t.Fatalf("got %v, want a BatchError", err)
	}
	return failed
}
