// SPDX-License-Identifier: Apache-2.0

package bench

import (
	"bytes"
	"fmt"
	"strings"
	"time"
)

// Address is a nested map attribute.
type Address struct {
	Street string `dynamodbav:"street" dynamo:"street"`
	City   string `dynamodbav:"city" dynamo:"city"`
	Zip    int    `dynamodbav:"zip" dynamo:"zip"`
}

// Row is an item of about 1 KB with the common kinds of attributes.
type Row struct {
	PK      string            `dynamodbav:"pk" dynamo:"pk,hash"`
	SK      string            `dynamodbav:"sk" dynamo:"sk,range"`
	Name    string            `dynamodbav:"name" dynamo:"name"`
	Notes   string            `dynamodbav:"notes" dynamo:"notes"`
	Age     int               `dynamodbav:"age" dynamo:"age"`
	Visits  int64             `dynamodbav:"visits" dynamo:"visits"`
	Balance float64           `dynamodbav:"balance" dynamo:"balance"`
	Active  bool              `dynamodbav:"active" dynamo:"active"`
	Created time.Time         `dynamodbav:"created,sdktime" dynamo:"created"`
	Tags    []string          `dynamodbav:"tags" dynamo:"tags"`
	Attrs   map[string]string `dynamodbav:"attrs" dynamo:"attrs"`
	Blob    []byte            `dynamodbav:"blob" dynamo:"blob"`
	Roles   []string          `dynamodbav:"roles,stringset" dynamo:"roles,set"`
	Addr    Address           `dynamodbav:"addr" dynamo:"addr"`
}

// NewRow makes row i; one in ten has escapes and text beyond ASCII.
func NewRow(i int) Row {
	notes := strings.Repeat(fmt.Sprintf("Leave parcel %d with the neighbour if nobody opens; ", i), 8)
	if i%10 == 0 {
		notes += "\"quoted\" back\\slash\n\ttab é 漢字 😀"
	}
	return Row{
		PK: "CUSTOMER#1", SK: fmt.Sprintf("ORDER#%08d", i), Name: fmt.Sprintf("Customer %d", i), Notes: notes,
		Age: 20 + i%60, Visits: int64(i) * 987654321, Balance: float64(i)*1.25 + 0.1, Active: i%2 == 0,
		Created: time.Date(2026, 11, 1+i%28, 12, 34, 56, 123456000, time.UTC),
		Tags:    []string{"alpha", "beta-tag", "gamma-longer-tag", "delta"},
		Attrs:   map[string]string{"color": "crimson", "size": "extra-large", "origin": "warehouse-7"},
		Blob:    bytes.Repeat([]byte{byte(i), 7, 13}, 32), Roles: []string{"admin", "auditor", "owner"},
		Addr: Address{Street: "221B Baker Street", City: "London", Zip: 12345 + i},
	}
}

// NewRows makes n rows.
func NewRows(n int) []Row {
	rows := make([]Row, n)
	for i := range rows {
		rows[i] = NewRow(i)
	}
	return rows
}
