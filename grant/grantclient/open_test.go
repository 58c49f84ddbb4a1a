// SPDX-License-Identifier: Apache-2.0

package grantclient_test

import (
	"errors"
	"testing"

	"github.com/dynamotable/ddb"
	"github.com/dynamotable/ddb/grant"
	"github.com/dynamotable/ddb/grant/grantclient"
)

func TestOpen(t *testing.T) {
	t.Setenv("AWS_ACCESS_KEY_ID", "id")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "secret")
	t.Setenv("AWS_MAX_ATTEMPTS", "1")
	ctx := t.Context()
	s, err := grantclient.Open(ctx, grant.Config{Region: "eu-central-1", Endpoint: "http://127.0.0.1:1"})
	if err != nil {
		t.Fatal(err)
	}
	// No process listens there.
	if d, err := s.Check(ctx, grant.Key{Tenant: grant.TenantOf("acme"), User: "u", Type: "role", Qualifier: "admin"}); err == nil || d.Allowed {
		t.Errorf("Check = %+v, %v, want denied with an error", d, err)
	}
	if _, err := grantclient.Open(ctx, grant.Config{Region: "eu-central-1", Endpoint: "not a url"}); err == nil {
		t.Error("Open accepted an invalid endpoint")
	}
	if s, err := grantclient.Open(ctx, grant.Config{DeleteExpiredAfter: "soon"}); !errors.Is(err, ddb.ErrInvalid) || !errors.Is(s.Ensure(ctx), ddb.ErrInvalid) {
		t.Errorf("Open with an invalid configuration: %v", err)
	}
}
