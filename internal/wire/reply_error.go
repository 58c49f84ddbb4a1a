// SPDX-License-Identifier: Apache-2.0

package wire

import (
	"errors"
	"fmt"
	"strings"

	"github.com/aws/smithy-go"
)

// Fault is what is wrong with a reply.
type Fault uint8

// The faults of a reply.
const (
	// ReplyCut means that the connection or the context ended before the body was complete.
	ReplyCut Fault = iota + 1
	// ReplyCorrupt means that the body does not match its X-Amz-Crc32 header, or is not JSON.
	ReplyCorrupt
	// ReplyForeign means that the reply does not come from the service: it is empty, is not a JSON object, or has none of the
	// signs of a DynamoDB reply (request ID, checksum, x-amz-json content type). Proxies and captive portals send such replies.
	ReplyForeign
	// ReplyTooLarge means that the body is larger than [MaxReplyBytes].
	ReplyTooLarge
	// ReplyMismatch means that the reply belongs to another request. Proxies that mix up connections send such replies.
	ReplyMismatch
)

var faultText = [...]string{
	ReplyCut:      "the body ended early",
	ReplyCorrupt:  "the body is corrupt",
	ReplyForeign:  "it is not one of DynamoDB",
	ReplyTooLarge: "the body is too large",
	ReplyMismatch: "it does not answer the request",
}

func (f Fault) String() string {
	if int(f) < len(faultText) && f > 0 {
		return faultText[f]
	}
	return fmt.Sprintf("Fault(%d)", uint8(f))
}

// ReplyError is a reply that cannot be trusted. After it, the SDK's retryer repeats reads. Writes are not repeated, because they
// may have been applied. The text contains no part of the body.
type ReplyError struct {
	Operation string // DynamoDB's name for the operation
	Read      bool   // whether the operation only reads
	Status    int    // HTTP status, 0 if the reply did not come over HTTP
	RequestID string // the request ID of the service, "" if the reply has none
	Fault     Fault
	Err       error // the cause, may be nil
}

func (e *ReplyError) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: reply refused", e.Operation)
	if e.Status != 0 {
		fmt.Fprintf(&b, " (HTTP status %d", e.Status)
		if e.RequestID != "" {
			fmt.Fprintf(&b, ", request id %s", e.RequestID)
		}
		b.WriteByte(')')
	}
	fmt.Fprintf(&b, ": %s", e.Fault)
	if undecodable(e.Err) {
		// The SDK's text can contain parts of the body.
		b.WriteString(": the SDK cannot decode it")
	} else if e.Err != nil {
		fmt.Fprintf(&b, ": %v", e.Err)
	}
	switch {
	case e.Read:
	case e.Applied():
		b.WriteString("; the write was applied, only its reply is lost: read it back")
	default:
		b.WriteString("; it is not known whether the write was applied")
	}
	if e.Fault == ReplyForeign {
		b.WriteString("; look for a proxy or a wrong endpoint between client and service")
	}
	return b.String()
}

// undecodable reports whether err is an error of the SDK about a body.
func undecodable(err error) bool {
	var bad *smithy.DeserializationError
	return errors.As(err, &bad)
}

// Unwrap returns the cause.
func (e *ReplyError) Unwrap() error { return e.Err }

// Applied reports whether the operation is a write that took effect: the service replied with success and a request ID, and only
// the rest of the reply was lost. For a write, false means that the outcome is unknown. A reply to another request proves
// nothing.
func (e *ReplyError) Applied() bool {
	return !e.Read && e.Fault != ReplyMismatch && e.RequestID != "" && e.Status >= 200 && e.Status < 300
}

// RetryableError tells the SDK's retryer whether to repeat the call. It returns true only for reads, and not if the next reply
// would be the same.
func (e *ReplyError) RetryableError() bool {
	return e.Read && e.Fault != ReplyTooLarge
}
