// SPDX-License-Identifier: Apache-2.0

package goname_test

import (
	"testing"

	"github.com/dynamotable/ddb/cmd/ddb/internal/goname"
)

func TestLowerFirst(t *testing.T) {
	for name, want := range map[string]string{"Order": "order", "URL": "url", "URLList": "urlList", "OrderID": "orderID", "X": "x", "order": "order", "": ""} {
		if got := goname.LowerFirst(name); got != want {
			t.Errorf("%s: %s, not %s", name, got, want)
		}
	}
}
