// SPDX-License-Identifier: Apache-2.0

package journal

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"testing"
)

// OnSyncFolder replaces SyncFolder with f until the returned function is called.
func OnSyncFolder(f func(dir string) error) (restore func()) {
	before := SyncFolder
	SyncFolder = f
	return func() { SyncFolder = before }
}

// WithoutLinks simulates a file system without hard links until the returned function is called.
func WithoutLinks() (restore func()) {
	before := link
	link = func(string, string) error { return errors.ErrUnsupported }
	return func() { link = before }
}

// Marshal returns records as package json writes them.
func Marshal(t *testing.T, records ...Record) []byte {
	t.Helper()
	var b bytes.Buffer
	for _, r := range records {
		text, err := json.Marshal(r)
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&b, "%08x %s\n", crc32.ChecksumIEEE(text), text)
	}
	return b.Bytes()
}
