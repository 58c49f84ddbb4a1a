// SPDX-License-Identifier: Apache-2.0

// Package tablename cuts names of tables out of their ARNs.
package tablename

import "strings"

// Short is the name of a table that may be given by its ARN, for what counts and remembers by table. Tables of one name
// in several accounts or Regions are one there.
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
