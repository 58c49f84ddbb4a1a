// SPDX-License-Identifier: Apache-2.0

// Package attrtype names the types of attributes:
//
//	ddb.IsType(orderTotal, attrtype.Number)
//
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/HowItWorks.NamingRulesDataTypes.html
package attrtype

// Type is a type of attributes, by the name that it has in requests.
type Type string

// The types that DynamoDB stores.
const (
	String    Type = "S"
	Number    Type = "N"
	Binary    Type = "B"
	Bool      Type = "BOOL"
	Null      Type = "NULL"
	Map       Type = "M"
	List      Type = "L"
	StringSet Type = "SS"
	NumberSet Type = "NS"
	BinarySet Type = "BS"
)
