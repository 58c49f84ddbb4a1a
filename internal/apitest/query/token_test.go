// SPDX-License-Identifier: Apache-2.0

package query_test

import (
	"encoding/base64"
	"errors"
	"testing"

	"github.com/dynamotable/ddb"
	"github.com/dynamotable/ddb/pagetoken"
)

func FuzzParseCursor(f *testing.F) {
	orders, err := ddb.New(newClient(f), "orders", orderCustomer, orderKey)
	if err != nil {
		f.Fatal(err)
	}
	f.Add("")
	f.Add(forge([]byte("\x01\x06orders\x00queryhshS\x02c1S\x02o9")))
	f.Add(forge([]byte("\x01\x06orders\x00queryhshS\x02c1B\x02o9")))
	f.Add(forge([]byte("\x02sealed")))
	f.Fuzz(func(t *testing.T, text string) {
		c, err := orders.ParseCursor(text)
		if err != nil && !errors.Is(err, ddb.ErrBadCursor) {
			t.Errorf("%v", err)
		}
		if err == nil && c.String() != text {
			t.Errorf("%q opens as %q", text, c.String())
		}
	})
}

func FuzzOpenToken(f *testing.F) {
	orders, err := ddb.New(newClient(f), "orders", orderCustomer, orderKey)
	if err != nil {
		f.Fatal(err)
	}
	tokens, err := pagetoken.New(pagetoken.Key{ID: "k1", Secret: make([]byte, 32)})
	if err != nil {
		f.Fatal(err)
	}
	q := orders.Query("c1")
	cursor, err := orders.ParseCursor(forge([]byte("\x01\x06orders\x00queryhshS\x02c1S\x02o9")))
	if err != nil {
		f.Fatal(err)
	}
	token, err := tokens.Seal(cursor)
	if err != nil {
		f.Fatal(err)
	}
	f.Add("")
	f.Add(token)
	f.Add(token[:40])
	f.Add(cursor.String())
	f.Add(base64.RawURLEncoding.EncodeToString(append([]byte("\x02\x02k1"), make([]byte, 80)...)))
	f.Fuzz(func(t *testing.T, token string) {
		c, err := pagetoken.Open(tokens, q, token)
		if token == "" {
			if err != nil || !c.IsZero() {
				t.Errorf("the beginning: %v", err)
			}
			return
		}
		// Nothing was sealed for this query, so nothing may open.
		if !errors.Is(err, ddb.ErrBadCursor) || !c.IsZero() {
			t.Errorf("%q opens: %v", token, err)
		}
	})
}
