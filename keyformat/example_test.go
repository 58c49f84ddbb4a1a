// SPDX-License-Identifier: Apache-2.0

package keyformat_test

import (
	"fmt"

	"github.com/dynamotable/ddb/keyformat"
)

type InvoiceKey struct {
	Customer string
	Year     int `ddbkey:"pad=4"`
	Seq      uint32
}

var invoiceKeys = keyformat.New[InvoiceKey]("INVOICE")

func (k InvoiceKey) MarshalText() ([]byte, error)  { return invoiceKeys.Format(k) }
func (k *InvoiceKey) UnmarshalText(b []byte) error { return invoiceKeys.Parse(b, k) }

func ExampleNew() {
	text, err := InvoiceKey{"c1", 2026, 7}.MarshalText()
	fmt.Println(string(text), err)

	var k InvoiceKey
	fmt.Println(k.UnmarshalText(text), k.Customer, k.Year, k.Seq)

	prefix, err := invoiceKeys.Prefix(InvoiceKey{Customer: "c1", Year: 2026}, 2)
	fmt.Println(prefix, err)
	// Output:
	// INVOICE#c1#2026#0000000007 <nil>
	// <nil> c1 2026 7
	// INVOICE#c1#2026# <nil>
}
