// SPDX-License-Identifier: Apache-2.0

package grant_test

import (
	"flag"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/dynamotable/ddb/grant"
	"github.com/dynamotable/ddb/grant/granttest"
	"github.com/dynamotable/ddb/internal/longtest"
)

var checks = flag.Int("checks", 500, "checks under each kind of fault with -long")

func TestFaults(t *testing.T) {
	n := max(28, longtest.Size(*checks, 30)) // at least one check of each claim
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
