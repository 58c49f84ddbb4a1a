// SPDX-License-Identifier: Apache-2.0

package quiet

import "strings"

// ServiceText returns what may be shown of a message of DynamoDB or DynamoDB Streams. Messages quote what they refuse: the
// operands of a range, members of a set, document paths with map keys, whole parameters. So only messages that are known to
// quote nothing but names of tables, indexes, key attributes, types and placeholders are shown, and of others the part
// before the quoted data. Nothing is shown of an unknown message; known is then false.
func ServiceText(message string) (text string, known bool) {
	for _, m := range messages {
		if text, ok := m.match(message); ok {
			return text, true
		}
	}
	return "", false
}

// maxHole is how long a name or a resource in a message can be; the longest ARN is shorter.
const maxHole = 1024

// message is a known message: its constant parts, with a hole between each two.
type message struct {
	parts []string
	open  bool // the rest of the message is left out
}

// messages are the messages that can be shown. {} is a name, a type or a number, and … a rest that is left out.
//
// The texts are the service's own, as its errors give them; the first of them are listed at
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Programming.Errors.html and at
// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/CommonErrors.html.
var messages = parseMessages(`
The conditional request failed
Transaction cancelled, please refer cancellation reasons for specific reasons…
Requested resource not found
Requested resource not found: {} not found
Requested resource not found: Table: {} not found
Requested resource not found: Index: {} not found
Requested resource not found: Stream: {} not found
Requested resource not found: ResourceArn: {} not found
Cannot do operations on a non-existent table
The table does not have the specified index
The table does not have the specified index: {}
Cannot read from backfilling global secondary index: {}
The provided key element does not match the schema
The number of conditions on the keys is invalid
Condition parameter type does not match schema type
Query condition missed key schema element
Query condition missed key schema element: {}
Query key condition not supported
KeyConditionExpressions must only contain one condition per key
Consistent reads are not supported on global secondary indexes
The provided starting key is invalid…
The provided starting key is outside query boundaries based on provided conditions
Exclusive Start Key must have same size as table's key schema
Filter Expression can only contain non-primary key attributes: Primary key attribute: {}
Secondary index {} does not project one or more filter attributes: …
One or more parameter values were invalid: Condition parameter type does not match schema type
One or more parameter values were invalid: Type mismatch for key {} expected: {} actual: {}
One or more parameter values were invalid: Type mismatch for Index Key {} Expected: {} Actual: {} IndexName: {}
One or more parameter values were invalid: Missing the key {} in the item
One or more parameter values were invalid: Cannot update attribute {}. This attribute is part of the key
Cannot update attribute {}. This attribute is part of the key
One or more parameter values were invalid: Size of hashkey has exceeded the maximum size limit of2048 bytes
One or more parameter values were invalid: Aggregated size of all range keys has exceeded the size limit of 1024 bytes
One or more parameter values were invalid: Input collection …
One or more parameter values were invalid: An string set  may not be empty
One or more parameter values were invalid: An number set  may not be empty
One or more parameter values are not valid. The AttributeValue for a key attribute cannot contain an empty string value. Key: {}
One or more parameter values are not valid. The AttributeValue for a key attribute cannot contain an empty binary value. Key: {}
One or more parameter values are not valid. A value specified for a secondary index key is not supported. The AttributeValue for a key attribute cannot contain an empty {} value. IndexName: {}, IndexKey: {}
One or more parameter values are not valid. The update expression attempted to update a secondary index key to a value that is not supported. …
The update expression attempted to update the secondary index key to unsupported type
Item size has exceeded the maximum allowed size
Item size to update has exceeded the maximum allowed size
Item collection too large…
Collection size exceeded.
The aggregate size of the items in the transaction exceeded the limit of 4 MB
Too many items requested for the {} call
Provided list of item keys contains duplicates
Transaction request cannot include multiple operations on one item
Nesting Levels have exceeded supported limits…
Number overflow. Attempting to store a number with magnitude larger than supported range
Number underflow. Attempting to store a number with magnitude smaller than supported range
Attempting to store more than 38 significant digits in a Number
The parameter cannot be converted to a numeric value…
Supplied AttributeValue is empty, must contain exactly one of the supported datatypes
Supplied AttributeValue has more than one datatypes set, must contain exactly one of the supported datatypes
Start of structure or map found where not expected…
Start of list found where not expected…
An operand in the update expression has an incorrect data type
The document path provided in the update expression is invalid for update
The provided expression refers to an attribute that does not exist in the item
Invalid {}: An expression attribute name used in the document path is not defined; attribute name: {}
Invalid {}: An expression attribute name used in expression is not defined; attribute name: {}
Invalid {}: An expression attribute value used in expression is not defined; attribute value: {}
Invalid {}: Attribute name is a reserved keyword; reserved keyword: {}
Invalid {}: Incorrect operand type for operator or function; operator or function: {}, operand type: {}
Invalid {}: Incorrect operand type for operator or function; operator: {}, operand type: {}
Invalid {}: Incorrect number of operands for operator or function; operator or function: {}, number of operands: {}
Invalid {}: Invalid function name; function: {}
Invalid {}: Invalid operator used in KeyConditionExpression: {}
Invalid {}: The first operand must be distinct from the remaining operands for this operator or function; …
Invalid {}: The BETWEEN operator requires upper bound to be greater than or equal to lower bound; …
Invalid {}: The BETWEEN operator requires same data type for lower and upper bounds; …
Invalid {}: Two document paths overlap with each other; …
Invalid {}: Two document paths conflict with each other; …
Invalid {}: Syntax error; …
Invalid {}: Expression size has exceeded the maximum allowed size; …
Invalid {}: The expression contains too many operators; operator count: {}
Invalid {}: The expression can not be empty;
Invalid {}: The expression has redundant parentheses;
Invalid {}: The IN operator is provided with too many operands; number of operands: {}
Value provided in ExpressionAttributeNames unused in expressions: …
Value provided in ExpressionAttributeValues unused in expressions: …
ExpressionAttributeNames can only be specified when using expressions…
ExpressionAttributeValues can only be specified when using expressions…
ExpressionAttributeNames contains invalid …
ExpressionAttributeValues contains invalid …
{} validation error detected: …
{} validation errors detected: …
DynamoDB rejected the request because you retried a request with a different payload but with an idempotent token that was already used.
The transaction with the given request token is already in progress
Transaction is ongoing for the item
The request was rejected because one or more items in the request are being modified by a request in another Region.
Rate exceeded
Rate of requests exceeds the allowed throughput.
Throughput exceeds the current capacity of your table or index…
Throughput exceeds the current capacity for one or more global secondary indexes…
Throughput exceeds the current throughput limit for your account…
Request rate exceeds …
The level of configured provisioned throughput for the table was exceeded…
The level of configured provisioned throughput for one or more global secondary indexes of the table was exceeded…
Maximum on-demand throughput …
Too many operations for a given subscriber…
Internal server error
The request processing has failed because of an unknown error, exception or failure.
Service unavailable…
Request timed out…
User: {} is not authorized to perform: {} on resource: {}
User: {} is not authorized to perform: {} on resource: {} …
User: {} is not authorized to perform: {}
The security token included in the request is invalid
The security token included in the request is invalid.
The security token included in the request is expired
The Access Key Id or security token is invalid.
The request signature we calculated does not match the signature you provided…
Request is missing Authentication Token
Missing Authentication Token
Authorization header requires…
Credential should be scoped to a valid region…
Signature expired…
Signature not yet current…
Table already exists: {}
Table is being created: {}
Table is being deleted: {}
Attempt to change a resource which is still in use: Table is being created: {}
Attempt to change a resource which is still in use: Table is being deleted: {}
Attempt to change a resource which is still in use: Table is being updated: {}
Attempt to change a resource which is still in use…
Attempting to create an index which already exists
Resource cannot be deleted as it is currently protected against deletion. Disable deletion protection first.
Subscriber limit exceeded: …
One or more parameter values were invalid: Some AttributeDefinitions are not used…
One or more parameter values were invalid: Some index key attributes are not defined in AttributeDefinitions…
One or more parameter values were invalid: ReadCapacityUnits and WriteCapacityUnits must both be specified when BillingMode is PROVISIONED
One or more parameter values were invalid: Table KeySchema …
One or more parameter values were invalid: Duplicate index name: {}
One or more parameter values were invalid: ProvisionedThroughput …
The parameter 'TableName' is required but was not present in the request
TimeToLive is already enabled
TimeToLive is already disabled
Iterator expired…
Iterator has expired…
Invalid ShardIterator…
Invalid SequenceNumber…
The operation tried to read past the oldest stream record in a shard.
The operation tried to read past the oldest stream record in a shard
Trimmed data access…
`)

func parseMessages(list string) []message {
	var all []message
	for line := range strings.Lines(strings.TrimPrefix(list, "\n")) {
		text, open := strings.CutSuffix(strings.TrimSuffix(line, "\n"), "…")
		all = append(all, message{strings.Split(text, "{}"), open})
	}
	return all
}

// match returns the message as it can be shown.
func (m message) match(text string) (string, bool) {
	rest, ok := strings.CutPrefix(text, m.parts[0])
	if !ok {
		return "", false
	}
	for _, part := range m.parts[1:] {
		hole := rest
		if part != "" {
			at := strings.Index(rest, part)
			if at < 0 {
				return "", false
			}
			hole, rest = rest[:at], rest[at:]
		} else {
			rest = ""
		}
		if !isName(hole) {
			return "", false
		}
		rest = rest[len(part):]
	}
	if m.open {
		return strings.TrimRight(text[:len(text)-len(rest)], " :;,.(") + " …", true
	}
	return text, rest == ""
}

// isName reports whether a text can be a name of a table, index, attribute, type, placeholder, action or ARN.
func isName(s string) bool {
	if s == "" || len(s) > maxHole {
		return false
	}
	for i := range len(s) {
		c := s[i]
		if c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.IndexByte("_-.:/#@=+*,<>", c) >= 0 {
			continue
		}
		return false
	}
	return true
}

// Code returns an error code, such as ValidationException, or "?" if the text cannot be a code: something other than the
// service may return anything.
func Code(s string) string {
	for i := range len(s) {
		c := s[i]
		if letter := c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'; !letter && (i == 0 || c != '.') || i == maxCode {
			return "?"
		}
	}
	return s
}

// maxCode is more than the longest code of the service has.
const maxCode = 100

// Name returns a name from a reply, such as an ARN, or "?" if the text cannot be a name.
func Name(s string) string {
	if s == "" || isName(s) {
		return s
	}
	return "?"
}
