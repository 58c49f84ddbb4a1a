// SPDX-License-Identifier: Apache-2.0

package eventstore

import (
	"errors"
	"fmt"

	"github.com/dynamotable/ddb/ddberr"
)

// Conditions that callers branch on; test them with errors.Is. The typed errors
// carry the details and match their sentinel. No text of an error names a stream or
// shows an event's data; the fields do.
var (
	// ErrWrongExpectedVersion means that the stream is not as [Expected] says; nothing was
	// written. Read again and decide again.
	ErrWrongExpectedVersion = errors.New("the stream is not at the expected version")
	// ErrTooLarge means that the commit does not fit into one transaction, or an event into an
	// item; nothing was written, neither to the table nor to the payload store.
	ErrTooLarge = errors.New("too large for one commit")
	// ErrAmbiguous means that nothing proves whether the commit was written. Repeat the
	// call with the same commit id, at any time: it is written at most once.
	ErrAmbiguous = errors.New("unknown whether the commit was written")
	// ErrCommitIDReused means that the commit id was used before, for other events; nothing was written.
	ErrCommitIDReused = errors.New("the commit id was used for other events")
	// ErrCorruptIdempotency means that some of the events of the commit are in the stream
	// already, and some are not. [*CommitIDReused] matches it as well.
	ErrCorruptIdempotency = errors.New("a part of the commit's events is in the stream already")
	// ErrGap means that events are missing that the head of the stream or of the feed counts.
	ErrGap = errors.New("events are missing")
	// ErrStreamDeleted means that the stream was deleted; it takes no more events.
	ErrStreamDeleted = errors.New("the stream was deleted")
	// ErrContention means that other writers were faster every time; nothing was written.
	ErrContention = errors.New("other writers were faster every time")
	// ErrSetup means that the table is set up for another feed or other indexes than the store's options say, or
	// an index does not contain the earlier events yet; see [Store.Backfill].
	ErrSetup = errors.New("the table is set up for another feed or other indexes")
)

// WrongExpectedVersion says why an append was refused. It matches [ErrWrongExpectedVersion].
type WrongExpectedVersion struct { //nolint:errname // reads as what happened, where it is caught
	Stream   string
	Expected Expected
	// Actual is the last version of the stream, 0 if there is none. If it is lower than the expected version, a late copy of the request
	// that is still in the network is applied when the stream reaches that version.
	Actual int64
	// Blocking is the event that has the version meant for the first event of the
	// append. It is nil if there is none, or if it was truncated.
	Blocking *Event
}

// Error says what was expected and what the stream's version is.
func (e *WrongExpectedVersion) Error() string {
	text := fmt.Sprintf("append: expected %s, the stream is at version %d", e.Expected, e.Actual)
	if e.Actual == 0 {
		text = fmt.Sprintf("append: expected %s, there is no stream", e.Expected)
	}
	if e.Blocking != nil {
		text += "; the version is taken by an event of type " + e.Blocking.Type
	}
	return text + "; read the stream again and decide again"
}

// Is makes the error match ErrWrongExpectedVersion.
func (e *WrongExpectedVersion) Is(target error) bool { return target == ErrWrongExpectedVersion }

// CommitIDReused is the error for a commit whose id was used before for other events. Nothing was written. It matches [ErrCommitIDReused] and
// [ErrCorruptIdempotency].
type CommitIDReused struct { //nolint:errname // reads as what happened, where it is caught
	// Stream is the stream whose events differ. First and Last are the versions of the events that are stored under the id, 0 if there are none.
	Stream      string
	First, Last int64
}

// Error says what to do.
func (e *CommitIDReused) Error() string {
	return fmt.Sprintf("append: the commit id was used for other events, which have the versions %d to %d: give each commit its own id, and repeat a commit with the same events", e.First, e.Last)
}

// Is makes the error match ErrCommitIDReused and ErrCorruptIdempotency.
func (e *CommitIDReused) Is(target error) bool {
	return target == ErrCommitIDReused || target == ErrCorruptIdempotency
}

// BatchTooLarge is the error for a commit that does not fit into one transaction of DynamoDB. It
// matches [ErrTooLarge].
type BatchTooLarge struct { //nolint:errname // as above
	// Count is the number of actions that the transaction would have, Limit the number that it can have.
	Count, Limit int
	// Bytes is the total size of the items, ByteLimit the largest size allowed.
	Bytes, ByteLimit int
}

// Error says which limit is exceeded, and what to do.
func (e *BatchTooLarge) Error() string {
	if e.Count > e.Limit {
		return fmt.Sprintf("append: the commit needs %d actions, a transaction takes %d: append fewer events at once, or pack small ones with the option Frames", e.Count, e.Limit)
	}
	return fmt.Sprintf("append: the commit has %d bytes, a transaction takes %d: append fewer events at once, or store large payloads outside with the option Offload", e.Bytes, e.ByteLimit)
}

// Is makes the error match ErrTooLarge.
func (e *BatchTooLarge) Is(target error) bool { return target == ErrTooLarge }

// EventTooLarge is the error for an event that does not fit into an item. It matches [ErrTooLarge].
type EventTooLarge struct { //nolint:errname // as above
	// Index is the event's index among its stream's events of the call, from 0.
	Index int
	// Bytes is the size of its item, Limit the largest size that DynamoDB allows. Data is the size of the event's data in it.
	Bytes, Limit, Data int
}

// Error gives the sizes and says what to do.
func (e *EventTooLarge) Error() string {
	if rest := e.Bytes - e.Data; rest > e.Limit {
		return fmt.Sprintf("append: event %d makes an item of %d bytes, the limit is %d: "+
			"its metadata, ids and type alone have %d, which the option Offload leaves in the item; put large values into the data", e.Index, e.Bytes, e.Limit, rest)
	}
	return fmt.Sprintf("append: event %d makes an item of %d bytes, the limit is %d: store large payloads outside with the option Offload", e.Index, e.Bytes, e.Limit)
}

// Is makes the error match ErrTooLarge.
func (e *EventTooLarge) Is(target error) bool { return target == ErrTooLarge }

// AmbiguousError is the error for a commit of which it is unknown whether it was written. It matches [ErrAmbiguous].
type AmbiguousError struct {
	// CommitID is the id to repeat the call with.
	CommitID string
	cause    error
}

// Error gives the cause and says what to do.
func (e *AmbiguousError) Error() string {
	const text = "append: unknown whether the commit was written; repeat it with the same commit id"
	if e.cause == nil {
		return text
	}
	return text + ": " + ddberr.Redact(e.cause).Error()
}

// Is makes the error match ErrAmbiguous.
func (e *AmbiguousError) Is(target error) bool { return target == ErrAmbiguous }

// Unwrap returns the last error.
func (e *AmbiguousError) Unwrap() error { return ddberr.Redact(e.cause) }

// GapError is the error of a read that found an event missing. It matches [ErrGap].
type GapError struct {
	// Stream is empty for a gap in the feed; Shard is then the shard.
	Stream string
	Shard  int
	// Version is the missing version, or the missing number in the feed.
	Version int64
	// First is the first version that the stream has, if Version is missing because it was truncated; else 0.
	First int64
}

// Error gives the missing version.
func (e *GapError) Error() string {
	if e.Stream == "" {
		return fmt.Sprintf("read the feed: number %d of shard %d is missing", e.Version, e.Shard)
	}
	if e.First > 0 {
		return fmt.Sprintf("load: version %d was truncated, the stream begins at version %d, and no state is stored "+
			"under the name and schema asked for that holds the earlier versions: load with the schema that was stored, append an event that sums up the state, and truncate before that one", e.Version, e.First)
	}
	return fmt.Sprintf("read: version %d is missing from the stream; it was deleted by something other than this package", e.Version)
}

// Is makes the error match ErrGap.
func (e *GapError) Is(target error) bool { return target == ErrGap }
