// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/dynamotable/ddb/ddbtest"
	"github.com/dynamotable/ddb/ddbtest/fault"
	"github.com/dynamotable/ddb/pagetoken"
)

// start returns the service on an engine of its own. The rules say which requests fail, and how.
func start(t *testing.T, faults ...fault.Rule) http.Handler {
	t.Helper()
	members, err := NewMembers(ddbtest.New(t, ddbtest.WithFaults(faults...)), "")
	if err != nil {
		t.Fatal(err)
	}
	if err := members.Ensure(t.Context()); err != nil {
		t.Fatal(err)
	}
	tokens, err := pagetoken.New(pagetoken.Key{ID: "k1", Secret: []byte(strings.Repeat("test", 8))})
	if err != nil {
		t.Fatal(err)
	}
	return (&Server{Members: members, Tokens: tokens}).Handler()
}

func call(ctx context.Context, h http.Handler, method, path, body string, header ...string) *httptest.ResponseRecorder {
	req := httptest.NewRequestWithContext(ctx, method, path, strings.NewReader(body))
	for i := 0; i < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, req)
	return w
}

const ann = `{"email": "Ann@example.com", "name": "Ann"}`

// TestLostReplies: each write is executed once, although the first reply of its operation is lost. In a synctest bubble the
// waits between retries take no time.
func TestLostReplies(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := start(t, fault.On("TransactWriteItems").Nth(1).DropReply(), fault.On("UpdateItem").Nth(1).DropReply())
		joined := call(t.Context(), h, "POST", "/teams/t/members", ann, "Idempotency-Key", "a")
		if joined.Code != http.StatusCreated {
			t.Fatalf("join: %d %s", joined.Code, joined.Body)
		}
		path, tag := joined.Header().Get("Location"), joined.Header().Get("ETag")
		changed := call(t.Context(), h, "PATCH", path, `{"role": "admin"}`, "If-Match", tag)
		if changed.Code != http.StatusOK || !strings.Contains(changed.Body.String(), `"role":"admin"`) {
			t.Fatalf("change: %d %s", changed.Code, changed.Body)
		}
		got := call(t.Context(), h, "GET", path, "")
		if got.Header().Get("ETag") != changed.Header().Get("ETag") {
			t.Errorf("the member is at %s, not at %s", got.Header().Get("ETag"), changed.Header().Get("ETag"))
		}
	})
}
