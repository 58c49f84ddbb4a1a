// SPDX-License-Identifier: Apache-2.0

//go:build !unix

package bench

import "time"

// CPUTime is not known here.
func CPUTime() (time.Duration, bool) { return 0, false }
