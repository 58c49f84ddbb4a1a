// SPDX-License-Identifier: Apache-2.0

// Package eventstoretest holds an event store to its promises, on whatever backend
// its client talks to: [Run] tries out what every method does, [Storm] what remains true when many writers, and faults, meet.
package eventstoretest
