// SPDX-License-Identifier: Apache-2.0

package grant_test

import (
	"flag"
	"strconv"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/dynamotable/ddb/grant"
	"github.com/dynamotable/ddb/grant/granttest"
)

var (
	long   = flag.Bool("long", false, "run the faults and the model in full length")
	checks = flag.Int("checks", 500, "checks under each kind of fault with -long")
)

// size returns the size of a test: full with -long, short otherwise, and half of that with -short.
func size(full, short int) int {
	switch {
	case *long:
		return full
	case testing.Short():
		return (short + 1) / 2
	}
	return short
}

// fewChecks shortens a property, unless the number of its checks is given.
func fewChecks(t *testing.T, n int) {
	t.Helper()
	if f := flag.Lookup("rapid.checks"); !*long && f.Value.String() == f.DefValue {
		if err := f.Value.Set(strconv.Itoa(size(0, n))); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = f.Value.Set(f.DefValue) })
	}
}

func TestFaults(t *testing.T) {
	n := max(28, size(*checks, 30)) // at least one check of each claim
	granttest.RunFaults(t, n, func(t *testing.T, client *dynamodb.Client, now func() time.Time) granttest.Store {
		s, err := grant.New(client, grant.Clock(now))
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Ensure(t.Context()); err != nil {
			t.Fatal(err)
		}
		return s
	})
}
