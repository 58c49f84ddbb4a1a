// SPDX-License-Identifier: Apache-2.0

package write_test

import (
	"errors"
	"testing"

	"github.com/dynamotable/ddb"
)

// TestExactCountReports: the error of a rejected transaction has the same form as that of Update.
func TestExactCountReports(t *testing.T) {
	ctx := t.Context()
	users := newUsers(t)
	if _, err := users.Update(ctx, "u", userLogins.Add(1).Exact()); !errors.Is(err, ddb.ErrNotFound) {
		t.Errorf("missing item: %v", err)
	}
	if got, err := users.Upsert(ctx, "u", userLogins.Add(2).Exact(), userName.Set("n")); err != nil || got.Logins != 2 || got.Name != "n" {
		t.Errorf("Upsert: %d logins, name %q, %v", got.Logins, got.Name, err)
	}
	_, err := users.Update(ctx, "u", userLogins.Add(1).Exact(), ddb.If(userName.Eq("other")))
	if failed, ok := errors.AsType[*ddb.ConditionFailed[user]](err); !ok {
		t.Errorf("condition: %v", err)
	} else if current, ok := failed.Current(); !ok || current.Logins != 2 {
		t.Errorf("a current item: %t, %d logins", ok, current.Logins)
	}
	var old user
	if _, err := users.Update(ctx, "u", userLogins.Add(1).Exact(), ddb.ReturnOld(&old)); !errors.Is(err, ddb.ErrInvalid) {
		t.Errorf("ReturnOld: %v", err)
	}
}
