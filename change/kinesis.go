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
// Such records may come more than once and in any order, and they carry no sequence number:
// Seq is empty. EventID shows duplicates. ApproxTime, in milliseconds or
// microseconds as the destination is set, is the best there
// is for the order. So a [View] refuses such records.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/kds.html
func DecodeKinesis[T any](data []byte) (Change[T], error) {
	var r eventRecord
	if err := json.Unmarshal(data, &r); err != nil {
		return Change[T]{}, fmt.Errorf("change: this is no record of Kinesis Data Streams for DynamoDB: %w", jsonFault(err))
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
