// SPDX-License-Identifier: Apache-2.0

package wire

import "errors"

// Mismatch is the error of a receiver for an item that cannot belong to the reply, such as one with a key other than the
// request's: replies were swapped on the way. The whole reply is then a [*ReplyError] instead of a [*RowError].
type Mismatch string //nolint:errname // what it is, at the places that return it

func (m Mismatch) Error() string { return string(m) }

// Required is a receiver of one item that every valid reply has: a reply without it is a [*ReplyError].
type Required interface {
	Rows
	Required()
}

func mismatched(err error) bool {
	_, ok := errors.AsType[Mismatch](err)
	return ok
}

// parts is a set of members of a reply. They determine which operations the reply can belong to.
type parts uint8

const (
	itemPart       parts = 1 << iota // of GetItem
	pagePart                         // of Query and Scan
	responsesPart                    // of reads of several items
	keysLeftPart                     // of BatchGetItem
	itemsLeftPart                    // of BatchWriteItem
	attributesPart                   // of writes of one item
	metricsPart                      // of writes
)

// partOf returns 0 for members that many operations have, and for unknown ones, because the service may add members.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_Operations_Amazon_DynamoDB.html
func partOf(member []byte) parts {
	switch string(member) {
	case "Item":
		return itemPart
	case "Items", "Count", "ScannedCount", "LastEvaluatedKey":
		return pagePart
	case "Responses":
		return responsesPart
	case "UnprocessedKeys":
		return keysLeftPart
	case "UnprocessedItems":
		return itemsLeftPart
	case "Attributes":
		return attributesPart
	case "ItemCollectionMetrics":
		return metricsPart
	}
	return 0
}

// answer returns the members that the reply to an operation may have, and those of which it must have at least one.
func answer(op string) (may, must parts) {
	switch op {
	case "GetItem":
		return itemPart, 0
	case "Query", "Scan":
		return pagePart, pagePart
	case "BatchGetItem":
		return responsesPart | keysLeftPart, responsesPart | keysLeftPart
	case "TransactGetItems":
		return responsesPart, responsesPart
	case "BatchWriteItem":
		return itemsLeftPart | metricsPart, itemsLeftPart
	case "TransactWriteItems":
		return metricsPart, 0
	}
	return attributesPart | metricsPart, 0 // PutItem, UpdateItem, DeleteItem
}

// checkAnswer rejects a reply that has members of another operation, or none of those that the reply must have.
func checkAnswer(op string, have parts) error {
	may, must := answer(op)
	switch {
	case have&^may != 0:
		return Mismatch("it holds what other operations answer")
	case must != 0 && have&must == 0:
		return Mismatch("it lacks everything that such a reply holds")
	}
	return nil
}
