// SPDX-License-Identifier: Apache-2.0

package leaks_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/dynamotable/ddb"
	"github.com/dynamotable/ddb/pagetoken"
)

// TestEncodedPagesAreRefused: encoding a page or a cursor by accident is an error, because both contain a key. Programs send
// a sealed token, or the text of the cursor.
func TestEncodedPagesAreRefused(t *testing.T) {
	members, _ := newMembers(t, 200, onePage)
	q := members.Query("c").Limit(1)
	page, err := q.Page(t.Context())
	if err != nil || len(page.Items) != 1 || page.Next.IsZero() {
		t.Fatal(page, err)
	}
	for name, v := range map[string]any{
		"page": page, "pointer": &page, "in a reply": struct{ Page ddb.Page[member] }{page}, "pages": []ddb.Page[member]{page},
		"cursor": page.Next, "in a map": map[string]any{"next": page.Next}, "as a key": map[ddb.Cursor[member]]int{page.Next: 1},
	} {
		text, err := json.Marshal(v)
		if err == nil || strings.Contains(string(text)+err.Error(), canary) || !strings.Contains(err.Error(), "pagetoken") {
			t.Errorf("%s: %s, %v", name, text, err)
		}
		if text := shown(v); strings.Contains(text, canary) {
			t.Errorf("%s: %s", name, text)
		}
	}
	if text, err := json.Marshal(struct{ Next ddb.Cursor[member] }{}); err != nil || string(text) != `{"Next":""}` {
		t.Errorf("the zero cursor is %s, %v", text, err)
	}
	tokens, err := pagetoken.New(pagetoken.Key{ID: "k", Secret: make([]byte, 32)})
	if err != nil {
		t.Fatal(err)
	}
	token, err := tokens.Seal(page.Next)
	if err != nil || strings.Contains(token, canary) {
		t.Error(token, err)
	}
	if back, err := pagetoken.Open(tokens, q, token); err != nil || back.String() != page.Next.String() {
		t.Error(back, err)
	}
	if back, err := members.ParseCursor(page.Next.String()); err != nil || fmt.Sprint(back) != "cursor" {
		t.Error(back, err)
	}
}
