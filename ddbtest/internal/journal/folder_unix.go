// SPDX-License-Identifier: Apache-2.0

//go:build unix

package journal

import (
	"errors"
	"os"
)

// SyncFolder writes the names in a folder to disk. Tests replace it.
var SyncFolder = func(dir string) error {
	f, err := os.Open(dir) //nolint:gosec // the user names the folder
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}
