// SPDX-License-Identifier: Apache-2.0

package change

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

// DecodeKinesis reads the data of one record of Kinesis Data Streams for DynamoDB.
//
// Such records may be delivered more than once and in any order, and they have no sequence number:
// Seq is empty. EventID identifies duplicates. ApproxTime, in milliseconds or
// microseconds depending on the destination, is the best available
// order. So a [View] refuses such records.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/kds.html
func DecodeKinesis[T any](data []byte) (Change[T], error) {
	var r eventRecord
	if err := json.Unmarshal(data, &r); err != nil {
		return Change[T]{}, fmt.Errorf("change: not a record of Kinesis Data Streams for DynamoDB: %w", jsonFault(err))
	}
	unit := time.Millisecond
	if r.Dynamodb != nil {
		switch p := r.Dynamodb.ApproximateCreationDateTimePrecision; p {
		case "", "MILLISECOND":
		case "MICROSECOND":
			unit = time.Microsecond
		default:
			return Change[T]{}, &DecodeError{Part: "ApproximateCreationDateTimePrecision", Err: errors.New("it is neither MILLISECOND nor MICROSECOND")}
		}
	}
	return decodeEvent[T](&r, unit)
}
