// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"time"

	"github.com/dynamotable/ddb"
	"github.com/dynamotable/ddb/pagetoken"
)

// tenantHeader names the caller. A real service takes the tenant from a session that it has
// verified, never from what the caller claims, and never from a page token.
const tenantHeader = "X-Tenant"

// Post is an item of the blog: the posts of a tenant by number.
type Post struct {
	Tenant string `dynamodbav:"tenant" json:"-"`
	Number int    `dynamodbav:"number" json:"number"`
	Tag    string `dynamodbav:"tag" json:"tag"`
	Title  string `dynamodbav:"title" json:"title"`
}

var (
	postTenant = ddb.StrField(func(p *Post) *string { return &p.Tenant })
	postNumber = ddb.NumField(func(p *Post) *int { return &p.Number })
	postTag    = ddb.StrField(func(p *Post) *string { return &p.Tag })
)

// blog serves posts page by page.
type blog struct {
	posts *ddb.Table[Post, string, int]
	// The tenants share this index, so its queries filter by tenant. In this case
	// a readable cursor could show the key of another tenant's post.
	byTag  *ddb.Index[Post, string, int]
	tokens *pagetoken.Sealer
}

func (b *blog) handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /posts", func(w http.ResponseWriter, r *http.Request) {
		tenant := r.Header.Get(tenantHeader)
		answer(b, w, r, tenant, b.posts.Query(tenant).Descending().Limit(3))
	})
	mux.HandleFunc("GET /tags/{tag}", func(w http.ResponseWriter, r *http.Request) {
		tenant := r.Header.Get(tenantHeader)
		answer(b, w, r, tenant, b.byTag.Query(r.PathValue("tag")).Filter(postTenant.Eq(tenant)).Limit(2))
	})
	return mux
}

// listing is the reply: the posts, and the tokens for the pages around them.
type listing struct {
	Posts []Post `json:"posts"`
	Next  string `json:"next,omitempty"`
	Prev  string `json:"prev,omitempty"`
}

// answer reads the page selected by the parameters after and before.
func answer[Q ddb.AnyQuery[Post, Q]](b *blog, w http.ResponseWriter, r *http.Request, tenant string, q Q) {
	if tenant == "" {
		http.Error(w, "who are you?", http.StatusUnauthorized)
		return
	}
	mine := pagetoken.ForTenant(tenant)
	after, err := pagetoken.Open(b.tokens, q, r.FormValue("after"), mine)
	if err != nil {
		fail(w, err)
		return
	}
	before, err := pagetoken.Open(b.tokens, q, r.FormValue("before"), mine)
	if err != nil {
		fail(w, err)
		return
	}
	page, err := q.After(after).Before(before).Page(r.Context())
	if err != nil {
		fail(w, err)
		return
	}
	next, err := b.tokens.Seal(page.Next, mine, pagetoken.ValidFor(time.Hour))
	if err != nil {
		fail(w, err)
		return
	}
	prev, err := b.tokens.Seal(page.Prev, mine, pagetoken.ValidFor(time.Hour))
	if err != nil {
		fail(w, err)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	if err := json.NewEncoder(w).Encode(listing{page.Items, next, prev}); err != nil {
		slog.Debug("the caller has gone", "error", err)
	}
}

// fail reports an invalid token to the caller, but no details of other errors.
func fail(w http.ResponseWriter, err error) {
	if errors.Is(err, ddb.ErrBadCursor) {
		http.Error(w, "this page is no longer there; start again", http.StatusBadRequest)
		return
	}
	slog.Error("cannot list posts", "error", err)
	http.Error(w, "try again later", http.StatusServiceUnavailable)
}
