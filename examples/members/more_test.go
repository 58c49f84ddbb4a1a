// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/dynamotable/ddb/ddbtest/fault"
)

// TestRepeatedRequests: of sixteen equal concurrent requests, one creates the member, and all return it.
func TestRepeatedRequests(t *testing.T) {
	h := start(t)
	var (
		wg       sync.WaitGroup
		mu       sync.Mutex
		members  = map[string]int{}
		statuses = map[int]int{}
	)
	for range 16 {
		wg.Go(func() {
			w := call(t.Context(), h, "POST", "/teams/t/members", ann, "Idempotency-Key", "a")
			mu.Lock()
			defer mu.Unlock()
			members[w.Header().Get("Location")]++
			statuses[w.Code]++
		})
	}
	wg.Wait()
	if len(members) != 1 || statuses[http.StatusCreated] != 16 {
		t.Errorf("%d members, statuses %v", len(members), statuses)
	}
	if w := call(t.Context(), h, "POST", "/teams/t/members", `{"email": "bob@example.com"}`, "Idempotency-Key", "a"); w.Code != http.StatusUnprocessableEntity {
		t.Errorf("another request with the same key: %d %s", w.Code, w.Body)
	}
}

// TestConflicts: each kind of refusal has its own status.
func TestConflicts(t *testing.T) {
	h := start(t)
	joined := call(t.Context(), h, "POST", "/teams/t/members", ann, "Idempotency-Key", "a")
	path, first := joined.Header().Get("Location"), joined.Header().Get("ETag")
	if w := call(t.Context(), h, "PATCH", path, `{"role": "admin"}`, "If-Match", first); w.Code != http.StatusOK {
		t.Fatalf("change: %d %s", w.Code, w.Body)
	}
	for _, test := range []struct {
		what, method, path, body string
		header                   []string
		want                     int
	}{
		{"the address in another case", "POST", "/teams/t/members", `{"email": "ANN@example.com"}`, []string{"Idempotency-Key", "b"}, 409},
		{"no key", "POST", "/teams/t/members", ann, nil, 400},
		{"no body", "POST", "/teams/t/members", "", []string{"Idempotency-Key", "c"}, 400},
		{"an old tag", "PATCH", path, `{"role": "guest"}`, []string{"If-Match", first}, 412},
		{"no tag", "PATCH", path, `{"role": "guest"}`, nil, 428},
		{"a weak tag", "PATCH", path, `{"role": "guest"}`, []string{"If-Match", "W/" + first}, 400},
		{"an unknown member", "GET", "/teams/t/members/none", "", nil, 404},
		{"a member of another team", "GET", strings.Replace(path, "/t/", "/u/", 1), "", nil, 404},
		{"the same address in another team", "POST", "/teams/u/members", ann, []string{"Idempotency-Key", "a"}, 201},
		{"a forged token", "GET", "/teams/t/members?after=x", "", nil, 400},
	} {
		if w := call(t.Context(), h, test.method, test.path, test.body, test.header...); w.Code != test.want {
			t.Errorf("%s: %d %s, not %d", test.what, w.Code, w.Body, test.want)
		}
	}
}

// TestPaging: the pages contain every member once, and a token of one team does not work for another.
func TestPaging(t *testing.T) {
	h := start(t)
	for i := range 45 {
		if w := call(t.Context(), h, "POST", "/teams/t/members", fmt.Sprintf(`{"email": "m%d@example.com"}`, i), "Idempotency-Key", fmt.Sprint(i)); w.Code != http.StatusCreated {
			t.Fatalf("join: %d %s", w.Code, w.Body)
		}
	}
	seen, token, pages := map[MemberID]bool{}, "", 0
	for {
		w := call(t.Context(), h, "GET", "/teams/t/members?after="+token, "")
		var page struct {
			Members []Member
			Next    string
		}
		if err := json.Unmarshal(w.Body.Bytes(), &page); err != nil {
			t.Fatalf("%d %s", w.Code, w.Body)
		}
		for _, m := range page.Members {
			if seen[m.ID] {
				t.Errorf("%s is listed twice", m.ID)
			}
			seen[m.ID] = true
		}
		if pages++; page.Next == "" {
			break
		}
		token = page.Next
		if w := call(t.Context(), h, "GET", "/teams/u/members?after="+token, ""); w.Code != http.StatusBadRequest {
			t.Errorf("another team's request accepts the token: %d", w.Code)
		}
	}
	if len(seen) != 45 || pages != 3 {
		t.Errorf("%d members on %d pages", len(seen), pages)
	}
}

// TestThrottled: the response tells the caller to try again, and when.
func TestThrottled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := start(t, fault.On("Query").Throttle())
		w := call(t.Context(), h, "GET", "/teams/t/members", "")
		if w.Code != http.StatusServiceUnavailable || w.Header().Get("Retry-After") == "" {
			t.Errorf("%d %v", w.Code, w.Header())
		}
	})
}
