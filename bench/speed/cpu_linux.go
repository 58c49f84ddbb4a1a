// SPDX-License-Identifier: Apache-2.0

package main

import (
	"time"

	"golang.org/x/sys/unix"
)

// processorTime is what all threads of another process have used so far, those that have ended included. The number of
// its clock follows from its id as that of clock_getcpuclockid does:
// https://man7.org/linux/man-pages/man3/clock_getcpuclockid.3.html
func processorTime(pid int) (time.Duration, error) {
	const scheduled = 2
	var t unix.Timespec
	if err := unix.ClockGettime(int32(^pid<<3|scheduled), &t); err != nil {
		return 0, err
	}
	return time.Duration(t.Nano()), nil
}
