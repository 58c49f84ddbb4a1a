// SPDX-License-Identifier: Apache-2.0

package write_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/dynamotable/ddb"
	"github.com/dynamotable/ddb/ddbtest"
)

// interposer loses the reply to the first UpdateItem and then runs the writes of others.
type interposer struct {
	engine *ddbtest.Engine
	others func(context.Context)
	lost   bool
}

func (i *interposer) Do(req *http.Request) (*http.Response, error) {
	resp, err := i.engine.Do(req)
	if i.lost || err != nil || !strings.HasSuffix(req.Header.Get("X-Amz-Target"), ".UpdateItem") {
		return resp, err
	}
	i.lost = true
	i.others(req.Context())
	return nil, errors.New("connection reset")
}

// TestForgottenWrite: when the reply to the second write of an item is lost, and so many other writes follow that the
// item's list contains neither that write nor the one before it, nothing proves that it was superseded, although the item
// still names its first write.
func TestForgottenWrite(t *testing.T) {
	for _, others := range []int{1, 14, 15, 16, 17, 40} {
		synctest.Test(t, func(t *testing.T) {
			ctx := t.Context()
			e := ddbtest.NewEngine()
			defer e.Close()
			clean, err := ddb.NewSimple(e.Client(), "accounts", accountID, ddb.Version(accountRevision))
			if err != nil {
				t.Fatal(err)
			}
			if err := clean.CreateTable(ctx); err != nil {
				t.Fatal(err)
			}
			if err := clean.Create(ctx, &account{ID: "a"}); err != nil {
				t.Fatal(err)
			}
			lossy := &interposer{engine: e, others: func(ctx context.Context) {
				for range others {
					if _, err := clean.Update(context.WithoutCancel(ctx), "a", accountStatus.Set("x")); err != nil {
						t.Error(err)
					}
				}
			}}
			table, err := ddb.NewSimple(e.Client(func(o *dynamodb.Options) { o.HTTPClient = lossy }), "accounts", accountID, ddb.Version(accountRevision))
			if err != nil {
				t.Fatal(err)
			}
			_, err = table.Update(ctx, "a", accountN.Add(1))
			a, err2 := clean.Get(ctx, "a", ddb.Consistent())
			switch {
			case err2 != nil || !lossy.lost:
				t.Fatal(err2)
			case a.N != 1:
				t.Errorf("%d others: n is %d after one Add(1), which returned %v", others, a.N, err)
			case err != nil && !errors.Is(err, ddb.ErrOutcomeUnknown):
				t.Errorf("%d others: %v; the write was applied", others, err)
			case others < 16 && err != nil:
				t.Errorf("%d others: %v; the item still lists the write", others, err)
			}
		})
	}
}
