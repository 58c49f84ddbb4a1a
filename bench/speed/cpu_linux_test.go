// SPDX-License-Identifier: Apache-2.0

package main

import (
	"os"
	"os/exec"
	"testing"
)

// The CPU clock of a process advances while it works. For a process that does not exist there is an error.
func TestProcessorTime(t *testing.T) {
	first, err := processorTime(os.Getpid())
	if err != nil || first <= 0 {
		t.Fatalf("%v, %v", first, err)
	}
	for now := first; now == first; {
		if now, err = processorTime(os.Getpid()); err != nil {
			t.Fatal(err)
		}
	}
	gone := exec.CommandContext(t.Context(), "true")
	if err := gone.Run(); err != nil {
		t.Fatal(err)
	}
	if _, err := processorTime(gone.Process.Pid); err == nil {
		t.Error("a process that has ended has a clock")
	}
}
