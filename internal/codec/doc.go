// SPDX-License-Identifier: Apache-2.0

// Package codec converts DynamoDB's wire form of items to Go values and back, without a map of AttributeValues in between.
//
// A [Plan] is compiled once for a struct type and a [Value] once for any other
// Go type; both are cached, immutable and safe for concurrent use. Tags are those
// of attributevalue (dynamodbav); docs/codec.md lists the deliberate differences.
// The functions for the AttributeValue form ([ParseItem], [AppendItemMap] and others) convert to and from the wire form, so the
// same rules apply to it.
//
// The wire form is the attribute map of the low-level API:
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Programming.LowLevelAPI.html
package codec
