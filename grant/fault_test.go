// SPDX-License-Identifier: Apache-2.0

package grant_test

import (
	"flag"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/dynamotable/ddb/grant"
	"github.com/dynamotable/ddb/grant/granttest"
)

var (
	long   = flag.Bool("long", false, "run the faults in full length")
	checks = flag.Int("checks", 500, "checks under each kind of fault with -long")
)

func TestFaults(t *testing.T) {
	n := 60
	if *long {
		n = *checks
	}
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
