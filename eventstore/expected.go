// SPDX-License-Identifier: Apache-2.0

package eventstore

import "strconv"

// Expected is the state that a stream must have for an append to happen.
type Expected struct {
	kind    expectation
	version int64
}

type expectation uint8

const (
	exactly expectation = iota
	streamExists
	anyVersion
)

// Exactly expects that the stream's last version is n; Exactly(0) is [NoStream].
// It needs no read, and a repeat with the same [CommitID] and number is always recognised. For a
// repeat with another number see [CommitID].
func Exactly(n int64) Expected { return Expected{version: n} }

// NoStream expects that the stream has no events. It needs no read either.
func NoStream() Expected { return Expected{} }

// StreamExists expects that the stream has events, however many. Like [Any] it
// reads the head of the stream before it writes.
func StreamExists() Expected { return Expected{kind: streamExists} }

// Any expects nothing: the events are added after the existing ones. It reads the head
// of the stream (one read unit) before it writes, and starts again when another
// writer was faster.
//
// A repeat with the same [CommitID] is always recognised within one call, and in a later
// call while the commit is among the last 8 of the stream; [Dedup] extends this.
func Any() Expected { return Expected{kind: anyVersion} }

// String returns the expectation in words.
func (e Expected) String() string {
	switch {
	case e.kind == streamExists:
		return "an existing stream"
	case e.kind == anyVersion:
		return "any version"
	case e.version == 0:
		return "no stream"
	}
	return "version " + strconv.FormatInt(e.version, 10)
}
