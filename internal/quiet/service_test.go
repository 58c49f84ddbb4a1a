// SPDX-License-Identifier: Apache-2.0

package quiet_test

import (
	"strings"
	"testing"

	"github.com/dynamotable/ddb/internal/quiet"
)

func TestServiceText(t *testing.T) {
	for _, c := range []struct{ message, want string }{
		{"The conditional request failed", "The conditional request failed"},
		{"Requested resource not found: Table: orders not found", "Requested resource not found: Table: orders not found"},
		{"The table does not have the specified index: by-status", "The table does not have the specified index: by-status"},
		{
			"One or more parameter values were invalid: Type mismatch for key pk expected: S actual: N",
			"One or more parameter values were invalid: Type mismatch for key pk expected: S actual: N",
		},
		{"Invalid UpdateExpression: Attribute name is a reserved keyword; reserved keyword: status", "Invalid UpdateExpression: Attribute name is a reserved keyword; reserved keyword: status"},
		{
			"User: arn:aws:sts::123456789012:assumed-role/r/a is not authorized to perform: dynamodb:GetItem on resource: arn:aws:dynamodb:eu-west-1:123456789012:table/t because no identity-based policy allows it",
			"User: arn:aws:sts::123456789012:assumed-role/r/a is not authorized to perform: dynamodb:GetItem on resource: arn:aws:dynamodb:eu-west-1:123456789012:table/t …",
		},
		// A message that quotes data is cut before it, or not shown at all.
		{
			"Invalid KeyConditionExpression: The BETWEEN operator requires upper bound to be greater than or equal to lower bound; lower bound operand: AttributeValue: {S:SSN-900}, upper bound operand: AttributeValue: {S:SSN-100}",
			"Invalid KeyConditionExpression: The BETWEEN operator requires upper bound to be greater than or equal to lower bound …",
		},
		{
			"Invalid UpdateExpression: Two document paths overlap with each other; must remove or rewrite one of these paths; path one: [votes, alice@example.org], path two: [votes]",
			"Invalid UpdateExpression: Two document paths overlap with each other …",
		},
		{"One or more parameter values were invalid: Input collection [SSN-1, SSN-1] contains duplicates.", "One or more parameter values were invalid: Input collection …"},
		{"1 validation error detected: Value 'SSN-1' at 'tableName' failed to satisfy constraint", "1 validation error detected …"},
		{"The conditional request failed for SSN-1", ""},
		{"The table does not have the specified index: SSN 1", ""},
		{"One or more parameter values were invalid: Missing the key {S: SSN-1} in the item", ""},
		{"The parameter cannot be converted to a numeric value: SSN-1", "The parameter cannot be converted to a numeric value …"},
		{"Something new about SSN-1", ""},
		{"", ""},
	} {
		got, known := quiet.ServiceText(c.message)
		if got != c.want && !(c.want == "" && !known) {
			t.Errorf("%q\nis shown as %q,\nwant         %q", c.message, got, c.want)
		}
		if known && strings.Contains(got, "SSN") {
			t.Errorf("%q shows data", got)
		}
	}
}
