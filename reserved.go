// SPDX-License-Identifier: Apache-2.0

package ddb

import (
	"github.com/dynamotable/ddb/internal/exprtext"
)

// IsReserved reports whether DynamoDB reserves the word, ignoring case. A reserved word can be an attribute name, but in
// expression text it needs a placeholder. Handles and typed conditions always use placeholders, so this only matters for raw
// expressions and other tools.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/ReservedWords.html
func IsReserved(word string) bool { return exprtext.IsReserved(word) }

// ReservedIn returns the reserved words that expression text uses as attribute names, in the order and spelling of the text,
// each spelling once. It leaves out placeholders (#name, :value), and words used as operators, clause keywords and
// functions: in "size(tags) > :n AND size = :m" the second size is an attribute. The text may be a condition, filter, key
// condition, projection or update. For text that DynamoDB cannot parse the result is unspecified; it never panics.
func ReservedIn(expression string) []string { return exprtext.ScanOf(expression).Reserved }
