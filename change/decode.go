// SPDX-License-Identifier: Apache-2.0

package change

import (
	"errors"
	"fmt"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams/types"

	"github.com/dynamotable/ddb/ddberr"
	"github.com/dynamotable/ddb/typeditem"
)

// DecodeError is a record that cannot be read as a change of the item type. It gives the
// record and the attribute, never data.
type DecodeError struct {
	Shard string // empty for records from Lambda and Kinesis
	Seq   Seq    // empty for records from Kinesis
	Part  string // Keys, OldImage or NewImage; empty if the record itself is invalid
	Err   error
}

// Error gives shard, record, part and cause.
func (e *DecodeError) Error() string {
	where := "record " + string(e.Seq)
	if e.Shard != "" {
		where += " of shard " + e.Shard
	}
	if e.Part != "" {
		where += ", " + e.Part
	}
	return fmt.Sprintf("change: cannot read %s: %s", where, quietText(e.Err))
}

// Unwrap returns the cause.
func (e *DecodeError) Unwrap() error { return ddberr.Redact(e.Err) }

// Decode reads a record of the SDK's streams client as a change of an item of type T. If there is an error, which is a [*DecodeError],
// the change has the parts that could be read.
func Decode[T any](record *types.Record) (Change[T], error) {
	var c Change[T]
	if record == nil || record.Dynamodb == nil {
		return c, &DecodeError{Err: errors.New("it has no change")}
	}
	d := record.Dynamodb
	c.Kind, c.EventID, c.Seq = Kind(record.EventName), aws.ToString(record.EventID), Seq(aws.ToString(d.SequenceNumber))
	c.ApproxTime = aws.ToTime(d.ApproximateCreationDateTime)
	if u := record.UserIdentity; u != nil {
		c.TTLExpired = isExpiry(c.Kind, aws.ToString(u.Type), aws.ToString(u.PrincipalId))
	}
	buf := buffers.Get().(*[]byte)
	defer buffers.Put(buf)
	c, err := fill(c, func(part string) ([]byte, error) {
		var item map[string]types.AttributeValue
		switch part {
		case partKeys:
			item = d.Keys
		case partOld:
			item = d.OldImage
		case partNew:
			item = d.NewImage
		}
		if item == nil {
			return nil, nil
		}
		var err error
		*buf, err = appendItem((*buf)[:0], item, 0)
		return *buf, err
	})
	return c, err
}

// decode is Decode for a record of a shard.
func decode[T any](record *types.Record, shard string) (Change[T], error) {
	c, err := Decode[T](record)
	c.Shard = shard
	if de, ok := errors.AsType[*DecodeError](err); ok {
		de.Shard = shard
	}
	return c, err
}

// buffers hold an item as DynamoDB JSON during conversion.
var buffers = sync.Pool{New: func() any { return new([]byte) }}

// The parts of a record that are items.
const (
	partKeys = "Keys"
	partOld  = "OldImage"
	partNew  = "NewImage"
)

// isExpiry reports whether the service removed the item because of its time to live:
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/time-to-live-ttl-streams.html
func isExpiry(kind Kind, identity, principal string) bool {
	return kind == Remove && identity == "Service" && principal == "dynamodb.amazonaws.com"
}

// fill reads the items of a record into a change whose other fields are set. part returns an item as
// DynamoDB JSON, nil if it is absent.
func fill[T any](c Change[T], part func(string) ([]byte, error)) (Change[T], error) {
	switch c.Kind {
	case Insert, Modify, Remove:
	default:
		return c, &DecodeError{Seq: c.Seq, Err: fmt.Errorf("its kind %q is not INSERT, MODIFY or REMOVE", string(c.Kind))}
	}
	var errs []error
	read := func(name string) *T {
		data, err := part(name)
		if err == nil && data == nil {
			return nil
		}
		var item T
		if err == nil {
			item, err = typeditem.DecodeJSON[T](data)
		}
		if err != nil {
			errs = append(errs, &DecodeError{Seq: c.Seq, Part: name, Err: err})
			return nil
		}
		return &item
	}
	keys := read(partKeys)
	c.Old, c.New = read(partOld), read(partNew)
	if keys != nil {
		c.Keys = *keys
	}
	switch {
	case len(errs) > 0:
		return c, errs[0]
	case keys == nil:
		return c, &DecodeError{Seq: c.Seq, Part: partKeys, Err: errors.New("it is absent")}
	}
	return c, nil
}
