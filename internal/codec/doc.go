// SPDX-License-Identifier: Apache-2.0

// Package codec turns DynamoDB's wire form of items into Go values and back,
// without a map of AttributeValues in between.
//
// A [Plan] is compiled once for a struct type and a [Value] once for any other
// Go type; both are cached, immutable and safe for concurrent use. Tags are those
// of attributevalue (dynamodbav); docs/codec.md lists the deliberate differences.
// The AttributeValue form ([ParseItem], [AppendItemMap] and their sisters) is a
// bridge to the same codec, so there is one set of rules.
//
// The wire form is the attribute map of the low-level API:
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Programming.LowLevelAPI.html
package codec
