// SPDX-License-Identifier: Apache-2.0

// Paging serves lists page by page, forwards and backwards, with tokens for a browser:
// encrypted, bound to query and tenant, valid for an hour. It calls its own handler
// and prints the responses. It runs on the embedded engine, or on the endpoint in
// DYNAMODB_ENDPOINT:
//
//	go run ./examples/paging
package main

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"log"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"

	"github.com/dynamotable/ddb"
	"github.com/dynamotable/ddb/ddbtest"
	"github.com/dynamotable/ddb/pagetoken"
	"github.com/dynamotable/ddb/schema"
)

func main() {
	log.SetFlags(0)
	client, stop := ddbtest.Open()
	err := run(context.Background(), client)
	stop()
	if err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context, client ddb.Client) error {
	b, err := open(ctx, client)
	if err != nil {
		return err
	}
	defer b.posts.DeleteTable(context.WithoutCancel(ctx), schema.AllowDelete(b.posts.Name())) //nolint:errcheck // only tidies up
	for _, step := range []func(context.Context, *blog) error{thereAndBack, forged, leak, rotation, total} {
		if err := step(ctx, b); err != nil {
			return err
		}
	}
	return nil
}

// open creates the table, and eight posts for each of two tenants.
func open(ctx context.Context, client ddb.Client) (*blog, error) {
	posts, err := ddb.New(client, "paging-posts", postTenant, postNumber)
	if err != nil {
		return nil, err
	}
	byTag, err := ddb.NewIndex(posts, "by-tag", postTag, postNumber)
	if err != nil {
		return nil, err
	}
	tokens, err := pagetoken.New(newKey("2026-09"))
	if err != nil {
		return nil, err
	}
	if err := posts.EnsureTable(ctx); err != nil {
		return nil, err
	}
	var list []Post
	for n := range 8 {
		for _, tenant := range []string{"acme", "zeta"} {
			list = append(list, Post{Tenant: tenant, Number: n + 1, Tag: "go", Title: fmt.Sprintf("post %d of %s", n+1, tenant)})
		}
	}
	return &blog{posts, byTag, tokens}, posts.BatchPut(ctx, list)
}

// newKey generates a key for this run. A service gets its key from a secret manager; otherwise the
// tokens of one process would not open in another.
func newKey(id string) pagetoken.Key {
	secret := make([]byte, 32)
	_, _ = rand.Read(secret) // never fails
	return pagetoken.Key{ID: id, Secret: secret}
}

// thereAndBack walks to the last page and back to the first.
func thereAndBack(ctx context.Context, b *blog) error {
	page, err := get(ctx, b, "acme", "/posts", nil)
	for err == nil {
		fmt.Println("next ", numbers(page), "more:", page.Next != "")
		if page.Next == "" {
			break
		}
		page, err = get(ctx, b, "acme", "/posts", url.Values{"after": {page.Next}})
	}
	for err == nil && page.Prev != "" {
		page, err = get(ctx, b, "acme", "/posts", url.Values{"before": {page.Prev}})
		if len(page.Posts) > 0 { // the page before the first post is empty
			fmt.Println("back ", numbers(page))
		}
	}
	return err
}

// forged sends tokens that were not made for the request.
func forged(ctx context.Context, b *blog) error {
	page, err := get(ctx, b, "acme", "/posts", nil)
	if err != nil {
		return err
	}
	token := page.Next
	changed := token[:len(token)-2] + string(token[len(token)-2]^1) + token[len(token)-1:]
	for _, c := range []struct{ what, tenant, path, token string }{
		{"the right token", "acme", "/posts", token},
		{"a token of another tenant", "zeta", "/posts", token},
		{"a token for another list", "acme", "/tags/go", token},
		{"a changed token", "acme", "/posts", changed},
		{"an invented token", "acme", "/posts", "AAAA"},
	} {
		_, err := get(ctx, b, c.tenant, c.path, url.Values{"after": {c.token}})
		var rejected statusError
		if err != nil && !errors.As(err, &rejected) {
			return err
		}
		fmt.Printf("%s opens: %v\n", c.what, err == nil)
	}
	return nil
}

// leak shows why tokens are sealed: if a filter drops items, a page may end at an item that was dropped.
// The cursor after this page of zeta's posts contains the key of one of acme's posts.
func leak(ctx context.Context, b *blog) error {
	page, err := b.byTag.Query("go").Filter(postTenant.Eq("zeta")).PageSize(3).Limit(1).Page(ctx)
	if err != nil {
		return err
	}
	token, err := b.tokens.Seal(page.Next, pagetoken.ForTenant("zeta"))
	if err != nil {
		return err
	}
	for _, c := range []struct{ what, text string }{{"cursor", page.Next.String()}, {"token", token}} {
		b, err := base64.RawURLEncoding.DecodeString(c.text)
		if err != nil {
			return err
		}
		fmt.Printf("zeta's %s: %d characters, contains a key of acme: %v\n", c.what, len(c.text), strings.Contains(string(b), "acme"))
	}
	return nil
}

// rotation replaces the key. In a service with many processes, each step is a separate deployment: first the new key
// is listed after the old one, then before it, then the old key is removed.
func rotation(ctx context.Context, b *blog) error {
	old, fresh := newKey("2026-09"), newKey("2026-10")
	var token string
	for _, step := range []struct {
		what string
		keys []pagetoken.Key
	}{
		{"only the old key", []pagetoken.Key{old}},
		{"the old key, then the new one", []pagetoken.Key{old, fresh}},
		{"the new key, then the old one", []pagetoken.Key{fresh, old}},
		{"only the new key", []pagetoken.Key{fresh}},
	} {
		tokens, err := pagetoken.New(step.keys...)
		if err != nil {
			return err
		}
		b := &blog{b.posts, b.byTag, tokens}
		if token == "" {
			page, err := get(ctx, b, "acme", "/posts", nil)
			if err != nil {
				return err
			}
			token = page.Next
		}
		_, err = get(ctx, b, "acme", "/posts", url.Values{"after": {token}})
		fmt.Printf("%s: the old token opens: %v\n", step.what, err == nil)
	}
	return nil
}

// total counts all posts, which a page does not do: counting reads every item that it counts, and is billed for it.
func total(ctx context.Context, b *blog) error {
	ledger := ddb.DefaultLedger()
	before := ledger.Snapshot()
	n, err := b.posts.Query("acme").Count(ctx)
	if err != nil {
		return err
	}
	fmt.Printf("%d posts; counting them cost %.1f units\n", n, ledger.Snapshot().Sub(before).Total())
	return nil
}

// statusError is a response with a status other than 200.
type statusError int

func (e statusError) Error() string { return fmt.Sprintf("status %d", int(e)) }

// get calls the handler as a browser would.
func get(ctx context.Context, b *blog, tenant, path string, query url.Values) (listing, error) {
	r := httptest.NewRequestWithContext(ctx, http.MethodGet, path+"?"+query.Encode(), nil)
	r.Header.Set(tenantHeader, tenant)
	w := httptest.NewRecorder()
	b.handler().ServeHTTP(w, r)
	if w.Code != http.StatusOK {
		return listing{}, statusError(w.Code)
	}
	var page listing
	return page, json.NewDecoder(w.Body).Decode(&page)
}

func numbers(page listing) []int {
	list := make([]int, len(page.Posts))
	for i, p := range page.Posts {
		list[i] = p.Number
	}
	return list
}
