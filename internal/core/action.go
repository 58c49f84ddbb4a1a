// SPDX-License-Identifier: Apache-2.0

package core

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
