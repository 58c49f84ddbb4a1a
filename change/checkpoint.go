// SPDX-License-Identifier: Apache-2.0

package change

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/dynamotable/ddb/ddberr"
)

// Checkpoint is the position up to which a shard has been handled, as text for a store: [TrimHorizon],
// [End], a time ([AtTime]) or the [Seq] of the last change handled. A consumer writes it with its lease (shardRun.save in run.go).
type Checkpoint string

const (
	// TrimHorizon is the oldest record that the shard still has; nothing has been handled.
	TrimHorizon Checkpoint = "TRIM_HORIZON"
	// End is the end of a closed shard; everything has been handled.
	End Checkpoint = "SHARD_END"

	latest Checkpoint = "LATEST"
)

const timePrefix = "AT_TIMESTAMP "

// AtTime is the first record at or after a time; nothing has been handled.
func AtTime(t time.Time) Checkpoint {
	return Checkpoint(timePrefix + t.UTC().Format(time.RFC3339Nano))
}

// Seq returns the number of the last change handled; ok is false if the checkpoint is of another kind.
func (c Checkpoint) Seq() (seq Seq, ok bool) {
	if c == "" || strings.Trim(string(c), "0123456789") != "" {
		return "", false
	}
	return Seq(c), true
}

// time returns the time of a checkpoint made by AtTime.
func (c Checkpoint) time() (time.Time, bool) {
	text, ok := strings.CutPrefix(string(c), timePrefix)
	if !ok {
		return time.Time{}, false
	}
	t, err := time.Parse(time.RFC3339Nano, text)
	return t, err == nil
}

// check refuses text that is not a checkpoint, so that a store with foreign items is noticed.
func (c Checkpoint) check() error {
	_, isSeq := c.Seq()
	_, isTime := c.time()
	if isSeq || isTime || c == TrimHorizon || c == End || c == latest {
		return nil
	}
	return errors.New("the checkpoint is not one of TRIM_HORIZON, LATEST, AT_TIMESTAMP, SHARD_END or a sequence number")
}

// Start is where reading of a stream begins. The zero Start is [FromHorizon].
type Start struct{ at Checkpoint }

// FromHorizon begins with the oldest records that the stream still has: those of the last 24 hours.
func FromHorizon() Start { return Start{at: TrimHorizon} }

// FromLatest begins with the changes written after the start. A [Consumer] takes the service's time of
// its very first start, to the second, so it may deliver changes of that second from before it.
func FromLatest() Start { return Start{at: latest} }

// FromTime begins with the first record at or after a time, to the second. A time before the oldest
// record is FromHorizon; the service refuses times in the future.
func FromTime(t time.Time) Start { return Start{at: AtTime(t)} }

func (s Start) checkpoint() Checkpoint {
	if s.at == "" {
		return TrimHorizon
	}
	return s.at
}

// ErrDataLoss means that records were lost before they were handled. See [DataLossError] and [OnDataLoss].
var ErrDataLoss = errors.New("records were lost")

// LossReason is how records were lost.
type LossReason string

// The reasons of a loss.
const (
	// Trimmed: records older than 24 hours were removed before they were read.
	Trimmed LossReason = "trimmed"
	// ShardGone: the shard was removed before it was read to its end.
	ShardGone LossReason = "shard gone"
	// LateStart: the shard was first read so late that its oldest records may be gone.
	LateStart LossReason = "late start"
	// StreamReplaced: the table's stream was disabled and another enabled; changes between the two were not recorded.
	StreamReplaced LossReason = "stream replaced"
)

// DataLossError is the error for lost records, and says where they were lost. It matches [ErrDataLoss].
type DataLossError struct {
	Reason LossReason
	Stream string     // ARN
	Shard  string     // empty if the loss is not in one shard
	After  Checkpoint // up to where the shard had been handled
	Err    error      // the service's error, if there was one
}

// Error gives reason, stream, shard and checkpoint.
func (e *DataLossError) Error() string {
	text := fmt.Sprintf("change: %v (%s) from %s", ErrDataLoss, e.Reason, e.Stream)
	if e.Shard != "" {
		text += fmt.Sprintf(", %s after %s", e.Shard, e.After)
	}
	return text + "; a stream keeps records for 24 hours. Repair what was built from it, then continue with OnDataLoss"
}

// Is makes the error match [ErrDataLoss].
func (e *DataLossError) Is(target error) bool { return target == ErrDataLoss }

// Unwrap returns the service's error, if there is one.
func (e *DataLossError) Unwrap() error { return ddberr.Redact(e.Err) }
