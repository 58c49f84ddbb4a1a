// SPDX-License-Identifier: Apache-2.0

// Package tablename extracts names of tables from their ARNs.
package tablename

import "strings"

// Short returns the name of a table that may be given by its ARN, for everything that is counted or stored by table. Tables
// with the same name in several accounts or Regions count as one.
//
// https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazondynamodb.html#amazondynamodb-resources-for-iam-policies
func Short(table string) string {
	if !strings.HasPrefix(table, "arn:") {
		return table
	}
	_, name, found := strings.Cut(table, ":table/")
	if !found {
		return table
	}
	name, _, _ = strings.Cut(name, "/")
	return name
}
