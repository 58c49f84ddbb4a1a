// SPDX-License-Identifier: Apache-2.0

//go:build !unix

package journal

import "os"

// lockFile does not lock here: make sure that only one process uses the folder.
func lockFile(name string) (*os.File, error) { return os.OpenFile(name, os.O_CREATE|os.O_RDWR, 0o600) }
