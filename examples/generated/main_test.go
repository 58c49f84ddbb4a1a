// SPDX-License-Identifier: Apache-2.0

package main

import (
	"os/exec"
	"testing"
)

// TestGenerated: the file equals the generator's output for the struct.
func TestGenerated(t *testing.T) {
	if out, err := exec.CommandContext(t.Context(), "go", "run", "../../cmd/ddb", "gen", "handles", "-check").CombinedOutput(); err != nil {
		t.Errorf("run go generate ./examples/generated: %v\n%s", err, out)
	}
}
