// SPDX-License-Identifier: Apache-2.0

package wire

import "errors"

// Mismatch is what a receiver returns for an item that cannot belong to the reply, such as one with another key than
// the request's: replies were crossed on the way. The whole reply is then a [*ReplyError] instead of a [*RowError].
type Mismatch string //nolint:errname // what it is, at the places that return it

func (m Mismatch) Error() string { return string(m) }

// Required is a receiver of one item that a good reply always has: a reply without it is a [*ReplyError].
type Required interface {
	Rows
	Required()
}

func mismatched(err error) bool {
	_, ok := errors.AsType[Mismatch](err)
	return ok
}

// parts are the members of a reply that tell which operations it can answer.
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

// partOf is 0 for a member that many operations answer with, or that is not known: the service may add some.
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

// answer is what the reply to an operation may hold, and of which it must hold something.
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

// checkAnswer refuses a reply that has the members of another operation's, or none of those that this one's must have.
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
