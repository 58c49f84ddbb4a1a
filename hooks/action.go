// SPDX-License-Identifier: Apache-2.0

package hooks

// Action is a permission that a request needs: an action of IAM on a table or index.
type Action struct {
	Name  string // such as dynamodb:PutItem
	Table string
	Index string // empty for the table itself
}
