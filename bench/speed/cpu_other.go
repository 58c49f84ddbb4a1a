// SPDX-License-Identifier: Apache-2.0

//go:build !linux

package main

import (
	"errors"
	"time"
)

// processorTime is not known here.
func processorTime(int) (time.Duration, error) {
	return 0, errors.New("the processor time of another process is known on Linux only")
}
