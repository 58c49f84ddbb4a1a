// SPDX-License-Identifier: Apache-2.0

package query_test

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/dynamotable/ddb"
	"github.com/dynamotable/ddb/pagetoken"
)

// tokenKey returns a made-up key; programs get theirs from a secret manager.
func tokenKey(id string) pagetoken.Key {
	secret := make([]byte, 32)
	for i := range secret {
		secret[i] = byte(rand.Uint32())
	}
	return pagetoken.Key{ID: id, Secret: secret}
}

func pageTokens(t testing.TB, keys ...pagetoken.Key) *pagetoken.Sealer {
	t.Helper()
	tokens, err := pagetoken.New(keys...)
	if err != nil {
		t.Fatal(err)
	}
	return tokens
}

// seal returns a token, and fails the test if there is none.
func seal(t testing.TB, tokens *pagetoken.Sealer, c pagetoken.Cursor, opts ...pagetoken.Option) string {
	t.Helper()
	token, err := tokens.Seal(c, opts...)
	if err != nil || token == "" {
		t.Fatalf("token %q, %v", token, err)
	}
	return token
}

// firstPage returns the first page of a query over ten orders.
func firstPage(t testing.TB) (*ddb.Table[order, customerID, orderID], *ddb.Query[order, orderID], ddb.Page[order]) {
	t.Helper()
	orders := newOrders(t)
	fill(t, orders, 10)
	q := orders.Query("c1").Filter(orderTotal.Ge(0)).Limit(4)
	page, err := q.Page(t.Context())
	if err != nil || page.Next.IsZero() {
		t.Fatal(err)
	}
	return orders, q, page
}

func TestPageTokens(t *testing.T) {
	_, q, page := firstPage(t)
	tokens := pageTokens(t, tokenKey("k1"))
	want, err := q.After(page.Next).Page(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for name, bindings := range map[string][]pagetoken.Binding{"no tenant": nil, "tenant": {pagetoken.ForTenant("t1")}} {
		opts := []pagetoken.Option{pagetoken.ValidFor(time.Hour)}
		for _, b := range bindings {
			opts = append(opts, b)
		}
		token := seal(t, tokens, page.Next, opts...)
		c, err := pagetoken.Open(tokens, q.Limit(6).Project(orderTotal), token, bindings...)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		got, err := q.After(c).Page(t.Context())
		if err != nil || ids(got.Items) != ids(want.Items) {
			t.Errorf("%s: got %s, want %s, %v", name, ids(got.Items), ids(want.Items), err)
		}
		// Backwards from there.
		c, err = pagetoken.Open(tokens, q, seal(t, tokens, got.Prev))
		if err != nil {
			t.Fatal(err)
		}
		back, err := q.Before(c).Page(t.Context())
		if err != nil || ids(back.Items) != ids(page.Items) {
			t.Errorf("%s: back to %s, want %s, %v", name, ids(back.Items), ids(page.Items), err)
		}
	}
	if token, err := tokens.Seal(ddb.Cursor[order]{}); token != "" || err != nil {
		t.Errorf("the end is %q, %v", token, err)
	}
	if token, err := tokens.Seal(nil); token != "" || err != nil {
		t.Errorf("no cursor is %q, %v", token, err)
	}
	if c, err := pagetoken.Open(tokens, q, ""); !c.IsZero() || err != nil {
		t.Errorf("the beginning: %v", err)
	}
	if a, b := seal(t, tokens, page.Next), seal(t, tokens, page.Next); a == b {
		t.Error("two tokens of one cursor are equal, which reveals that they have the same cursor")
	}
}

// TestPageTokensOfEveryRead: indexes, scans and views have tokens of their own.
func TestPageTokensOfEveryRead(t *testing.T) {
	ctx := t.Context()
	orders := newOrders(t)
	byStatus, err := ddb.NewIndex(orders, "by-status", orderStatus, orderPlacedAt)
	if err != nil {
		t.Fatal(err)
	}
	if err := orders.EnsureTable(ctx); err != nil {
		t.Fatal(err)
	}
	fill(t, orders, 10)
	type total struct {
		Total int64 `dynamodbav:"total"`
	}
	tokens := pageTokens(t, tokenKey("k1"))
	q, x := orders.Query("c1").Limit(2), byStatus.Query("open").Limit(2)
	scan, indexScan, view := orders.Scan().Limit(2), byStatus.Scan().Limit(2), ddb.View[total](orders.Query("c1").Descending().Limit(2))
	qp, err1 := q.Page(ctx)
	xp, err2 := x.Page(ctx)
	sp, err3 := scan.Page(ctx)
	ip, err4 := indexScan.Page(ctx)
	vp, err5 := view.Page(ctx)
	if err := errors.Join(err1, err2, err3, err4, err5); err != nil {
		t.Fatal(err)
	}
	sealed := []string{
		seal(t, tokens, qp.Next), seal(t, tokens, xp.Next), seal(t, tokens, sp.Next), seal(t, tokens, ip.Next), seal(t, tokens, vp.Next),
	}
	open := []func(string) error{
		func(s string) error { return second(pagetoken.Open(tokens, q, s)) },
		func(s string) error { return second(pagetoken.Open(tokens, x, s)) },
		func(s string) error { return second(pagetoken.Open(tokens, scan, s)) },
		func(s string) error { return second(pagetoken.Open(tokens, indexScan, s)) },
		func(s string) error { return second(pagetoken.Open(tokens, view, s)) },
	}
	for i, o := range open {
		for j, token := range sealed {
			if err := o(token); i == j && err != nil || i != j && !errors.Is(err, ddb.ErrBadCursor) {
				t.Errorf("token %d in read %d: %v", j, i, err)
			}
		}
	}
}

// TestForeignPageTokens: every cause gives the same error, which reveals nothing.
func TestForeignPageTokens(t *testing.T) {
	orders, q, page := firstPage(t)
	key := tokenKey("k1")
	tokens := pageTokens(t, key)
	token := seal(t, tokens, page.Next, pagetoken.ForTenant("t1"))
	none := seal(t, tokens, page.Next)
	t1 := pagetoken.ForTenant("t1")
	other := newOrders(t)
	sameID := pageTokens(t, tokenKey("k1"))
	open := func(q *ddb.Query[order, orderID], token string, b ...pagetoken.Binding) error {
		return second(pagetoken.Open(tokens, q, token, b...))
	}
	texts := map[string]bool{}
	for name, err := range map[string]error{
		"other tenant":     open(q, token, pagetoken.ForTenant("t2")),
		"prefix of tenant": open(q, token, pagetoken.ForTenant("t")),
		"no tenant":        open(q, token),
		"tenant for none":  open(q, none, t1),
		"other partition":  open(orders.Query("c2").Filter(orderTotal.Ge(0)), token, t1),
		"other filter":     open(orders.Query("c1"), token, t1),
		"other range":      open(q.SortKey(ddb.Gt(orderID("0"))), token, t1),
		"other direction":  open(q.Descending(), token, t1),
		"unknown key":      second(pagetoken.Open(pageTokens(t, pagetoken.Key{ID: "k2", Secret: key.Secret}), q, token, t1)),
		"other secret":     second(pagetoken.Open(sameID, q, token, t1)),
		"plain cursor":     open(q, page.Next.String(), t1),
		"too long":         open(q, strings.Repeat("A", 4097), t1),
		"padding":          open(q, token+"=", t1),
		"newline":          open(q, token+"\n", t1),
		"no content":       open(q, "Ag", t1),
	} {
		if !errors.Is(err, ddb.ErrBadCursor) {
			t.Errorf("%s: %v", name, err)
			continue
		}
		texts[err.Error()] = true
	}
	if len(texts) != 1 {
		t.Errorf("the causes differ: %v", texts)
	}
	if err := second(pagetoken.Open(tokens, other.Query("c1").Filter(orderTotal.Ge(0)), token, t1)); !errors.Is(err, ddb.ErrBadCursor) {
		t.Errorf("other table: %v", err)
	}
	if err := second(orders.ParseCursor(token)); !errors.Is(err, ddb.ErrBadCursor) {
		t.Errorf("as the text of a cursor: %v", err)
	}
}

// TestDamagedPageTokens: every token with a flipped bit or a cut end is refused.
func TestDamagedPageTokens(t *testing.T) {
	_, q, page := firstPage(t)
	tokens := pageTokens(t, tokenKey("k1"))
	token := seal(t, tokens, page.Next)
	raw, err := base64.RawURLEncoding.DecodeString(token)
	if err != nil {
		t.Fatal(err)
	}
	rejected := func(what string, token string) {
		t.Helper()
		if c, err := pagetoken.Open(tokens, q, token); !errors.Is(err, ddb.ErrBadCursor) || !c.IsZero() {
			t.Errorf("%s: %v", what, err)
		}
	}
	for i := range raw {
		for bit := range 8 {
			changed := bytes.Clone(raw)
			changed[i] ^= 1 << bit
			rejected(fmt.Sprintf("byte %d, bit %d", i, bit), base64.RawURLEncoding.EncodeToString(changed))
		}
		if i > 0 {
			rejected(fmt.Sprintf("the first %d bytes", i), base64.RawURLEncoding.EncodeToString(raw[:i]))
			rejected(fmt.Sprintf("without the first %d bytes", i), base64.RawURLEncoding.EncodeToString(raw[i:]))
		}
	}
	for i := range token {
		if i > 0 {
			rejected(fmt.Sprintf("%d characters", i), token[:i])
		}
		for _, c := range "ABCXYZabcxyz0189-_+/ =" {
			if changed := token[:i] + string(c) + token[i+1:]; changed != token {
				rejected(fmt.Sprintf("character %d is %c", i, c), changed)
			}
		}
	}
	rejected("trailing text", base64.RawURLEncoding.EncodeToString(append(bytes.Clone(raw), 0)))
}

func TestPageTokenExpiry(t *testing.T) {
	_, q, page := firstPage(t)
	synctest.Test(t, func(t *testing.T) {
		tokens := pageTokens(t, tokenKey("k1"))
		short := seal(t, tokens, page.Next, pagetoken.ValidFor(90*time.Minute))
		day := seal(t, tokens, page.Next)
		for _, step := range []struct {
			wait       time.Duration
			short, day bool
		}{
			{0, true, true}, {90*time.Minute - time.Second, true, true}, {2 * time.Second, false, true},
			{22*time.Hour + 29*time.Minute + 58*time.Second, false, true}, {2 * time.Second, false, false},
		} {
			<-time.After(step.wait)
			for name, c := range map[string]struct {
				token string
				opens bool
			}{"90 minutes": {short, step.short}, "a day": {day, step.day}} {
				err := second(pagetoken.Open(tokens, q, c.token))
				if c.opens && err != nil || !c.opens && !errors.Is(err, ddb.ErrBadCursor) {
					t.Errorf("%s, at %v: %v", name, time.Now(), err)
				}
			}
		}
	})
}

func TestPageTokenRotation(t *testing.T) {
	_, q, page := firstPage(t)
	k1, k2, k3 := tokenKey("2026-01"), tokenKey("2026-02"), tokenKey("2026-03")
	rings := []*pagetoken.Sealer{pageTokens(t, k1), pageTokens(t, k1, k2), pageTokens(t, k2, k1), pageTokens(t, k2), pageTokens(t, k3)}
	sealedBy := []int{1, 1, 2, 2, 3}
	opens := [][]int{{1}, {1, 2}, {1, 2}, {2}, {3}}
	for i, from := range rings {
		token := seal(t, from, page.Next)
		for j, to := range rings {
			err := second(pagetoken.Open(to, q, token))
			known := false
			for _, k := range opens[j] {
				known = known || k == sealedBy[i]
			}
			if known && err != nil || !known && !errors.Is(err, ddb.ErrBadCursor) {
				t.Errorf("ring %d opens a token of ring %d: %v", j, i, err)
			}
		}
	}
}

func TestPageTokenShowsNoKey(t *testing.T) {
	table := newOrders(t)
	for i := range 3 {
		if err := table.Put(t.Context(), &order{Customer: "ann.the.reader@example.com", ID: orderID(fmt.Sprint("somewhere-", i))}); err != nil {
			t.Fatal(err)
		}
	}
	q := table.Query("ann.the.reader@example.com").Limit(1)
	page, err := q.Page(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	key := tokenKey("k1")
	token := seal(t, pageTokens(t, key), page.Next, pagetoken.ForTenant("tenant-of-ann"))
	raw, err := base64.RawURLEncoding.DecodeString(token)
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{"ann", "example", "somewhere", "tenant", table.Name(), string(key.Secret)} {
		if bytes.Contains(raw, []byte(text)) || strings.Contains(token, text) {
			t.Errorf("the token shows %q", text)
		}
	}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%x", "%d"} {
		if got := fmt.Sprintf(verb, key); got != "Key(k1)" {
			t.Errorf("%s prints %s", verb, got)
		}
	}
}

func TestPageTokenMistakes(t *testing.T) {
	_, q, page := firstPage(t)
	good := tokenKey("k1")
	for name, keys := range map[string][]pagetoken.Key{
		"none": {}, "no id": {{Secret: good.Secret}}, "long id": {{ID: strings.Repeat("k", 33), Secret: good.Secret}},
		"no secret": {{ID: "k"}}, "short secret": {{ID: "k", Secret: good.Secret[:31]}}, "id twice": {good, tokenKey("k1")},
	} {
		tokens, err := pagetoken.New(keys...)
		if !errors.Is(err, ddb.ErrInvalid) {
			t.Errorf("%s: %v", name, err)
		}
		if _, rejected := tokens.Seal(page.Next); !errors.Is(rejected, ddb.ErrInvalid) {
			t.Errorf("%s: tokens whose constructor failed seal a cursor: %v", name, rejected)
		}
	}
	tokens := pageTokens(t, good)
	token := seal(t, tokens, page.Next)
	var none *pagetoken.Sealer
	for name, err := range map[string]error{
		"no tokens":       second(none.Seal(page.Next)),
		"zero tokens":     second((&pagetoken.Sealer{}).Seal(page.Next)),
		"no validity":     second(tokens.Seal(page.Next, pagetoken.ValidFor(0))),
		"nobody":          second(tokens.Seal(page.Next, pagetoken.ForTenant(""))),
		"two tenants":     second(tokens.Seal(page.Next, pagetoken.ForTenant("a"), pagetoken.ForTenant("b"))),
		"open none":       second(pagetoken.Open(none, q, token)),
		"open for nobody": second(pagetoken.Open(tokens, q, token, pagetoken.ForTenant(""))),
		"wrong query":     second(pagetoken.Open(tokens, q.Limit(-1), token)),
		"zero query":      second(pagetoken.Open(tokens, new(ddb.Query[order, orderID]), token)),
		"zero scan":       second(pagetoken.Open(tokens, new(ddb.Scan[order]), "")),
	} {
		if !errors.Is(err, ddb.ErrInvalid) || errors.Is(err, ddb.ErrBadCursor) {
			t.Errorf("%s: %v", name, err)
		}
		if oe, ok := errors.AsType[*ddb.OpError](err); !ok || oe.Op != "pagetoken.Seal" && oe.Op != "pagetoken.Open" {
			t.Errorf("%s: the error does not name the operation: %v", name, err)
		}
	}
	// Later changes of the caller's slice do not affect the tokens.
	clear(good.Secret)
	if err := second(pagetoken.Open(tokens, q, token)); err != nil {
		t.Error(err)
	}
	// Another cursor in the query has no effect.
	if err := second(pagetoken.Open(tokens, q.After(page.Next).Before(page.Next), token)); err != nil {
		t.Error(err)
	}
}

func TestPageTokenOfLongKeys(t *testing.T) {
	table := newOrders(t)
	tokens := pageTokens(t, tokenKey(strings.Repeat("k", 32)))
	for _, c := range []struct {
		sort int
		fits bool
	}{{850, true}, {1000, false}} {
		p := customerID(strings.Repeat("p", 2048))
		for i := range 2 {
			if err := table.Put(t.Context(), &order{Customer: p, ID: orderID(strings.Repeat("s", c.sort) + fmt.Sprint(i))}); err != nil {
				t.Fatal(err)
			}
		}
		q := table.Query(p).SortKey(ddb.BeginsWith(orderID(strings.Repeat("s", c.sort)))).Limit(1)
		page, err := q.Page(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		token, err := tokens.Seal(page.Next)
		if !c.fits {
			if !errors.Is(err, ddb.ErrInvalid) || token != "" || strings.Contains(err.Error(), "sss") {
				t.Errorf("a sort key of %d bytes: %d characters, %v", c.sort, len(token), err)
			}
			continue
		}
		if err != nil || len(token) > 4096 {
			t.Fatalf("a sort key of %d bytes: %d characters, %v", c.sort, len(token), err)
		}
		if err := second(pagetoken.Open(tokens, q, token)); err != nil {
			t.Error(err)
		}
	}
}
