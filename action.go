// SPDX-License-Identifier: Apache-2.0

package ddb

// Action is a permission that a request needs: an action of IAM on a table or index.
type Action struct {
	Name  string // such as dynamodb:PutItem
	Table string
	Index string // empty for the table itself
}

// Actions are the permissions that the request needs. A transaction needs those of its operations; there is no permission
// for the transaction as a whole.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/transaction-apis-iam.html
func (c *Call) Actions() []Action {
	if c == nil {
		return nil
	}
	if c.Details != nil {
		if all := c.Details.TransactionActions(); len(all) > 0 {
			return all
		}
	}
	return []Action{{"dynamodb:" + c.Operation, c.Table, c.Index}}
}

// actionOf is the action of an operation of a transaction.
func actionOf(verb string) string {
	switch verb {
	case "Get":
		return "GetItem"
	case "Check":
		return "ConditionCheckItem"
	case "Update", "Upsert":
		return "UpdateItem"
	case "Delete":
		return "DeleteItem"
	}
	return "PutItem"
}
