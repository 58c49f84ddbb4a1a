// SPDX-License-Identifier: Apache-2.0

package stream

import (
	"crypto/md5" //nolint:gosec // an identifier, no protection
	"encoding/hex"
	"strconv"
	"time"

	"github.com/dynamotable/ddb/ddbtest/internal/storage"
	"github.com/dynamotable/ddb/ddbtest/internal/value"
)

// The view types of streams.
const (
	viewNew  = "NEW_IMAGE"
	viewOld  = "OLD_IMAGE"
	viewBoth = "NEW_AND_OLD_IMAGES"
)

// record is one change of one item. Images are shared with the table.
type record struct {
	number   uint64
	at       time.Time
	key      value.Item
	old, new *storage.Item
	expired  bool // deleted by its time to live
}

// images returns the parts of the item before and after the change that the view includes.
func (r *record) images(view string) (before, after *storage.Item) {
	if view == viewOld || view == viewBoth {
		before = r.old
	}
	if view == viewNew || view == viewBoth {
		after = r.new
	}
	return before, after
}

// size returns SizeBytes: the size of the key and the images.
func (r *record) size(view string) int {
	n := value.ItemSize(r.key)
	before, after := r.images(view)
	if before != nil {
		n += before.Size
	}
	if after != nil {
		n += after.Size
	}
	return n
}

func (r *record) event() string {
	switch {
	case r.old == nil:
		return "INSERT"
	case r.new == nil:
		return "REMOVE"
	}
	return "MODIFY"
}

// appendJSON appends the record in wire format.
func (r *record) appendJSON(b []byte, s *Stream, region string) []byte {
	before, after := r.images(s.view)
	number := sequenceNumber(r.number)
	id := md5.Sum([]byte(s.arn + number)) //nolint:gosec // an identifier, no protection
	b = append(b, `{"awsRegion":"`...)
	b = append(b, region...)
	b = append(b, `","dynamodb":{"ApproximateCreationDateTime":`...)
	b = strconv.AppendInt(b, r.at.Unix(), 10)
	b = append(b, `,"Keys":`...)
	b = value.AppendItem(b, r.key)
	if after != nil {
		b = append(append(b, `,"NewImage":`...), after.Image...)
	}
	if before != nil {
		b = append(append(b, `,"OldImage":`...), before.Image...)
	}
	b = append(append(b, `,"SequenceNumber":"`...), number...)
	b = append(b, `","SizeBytes":`...)
	b = strconv.AppendInt(b, int64(r.size(s.view)), 10)
	b = append(append(b, `,"StreamViewType":"`...), s.view...)
	b = append(b, `"},"eventID":"`...)
	b = hex.AppendEncode(b, id[:])
	b = append(append(b, `","eventName":"`...), r.event()...)
	b = append(b, `","eventSource":"aws:dynamodb","eventVersion":"1.1"`...)
	if r.expired {
		b = append(b, `,"userIdentity":{"PrincipalId":"dynamodb.amazonaws.com","Type":"Service"}`...)
	}
	return append(b, '}')
}
