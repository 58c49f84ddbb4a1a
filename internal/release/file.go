// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"io"
	"io/fs"
	"os"
	"time"
)

// file is a file of a module's archive: a file of the repository, or one with the content data.
type file struct {
	path string
	full string
	data []byte
}

func (f file) Path() string { return f.path }

func (f file) Lstat() (fs.FileInfo, error) {
	if f.data == nil {
		return os.Lstat(f.full)
	}
	return size(len(f.data)), nil
}

func (f file) Open() (io.ReadCloser, error) {
	if f.data == nil {
		return os.Open(f.full)
	}
	return io.NopCloser(bytes.NewReader(f.data)), nil
}

// size describes a regular file with a number of bytes.
type size int64

func (s size) Name() string     { return "go.mod" }
func (s size) Size() int64      { return int64(s) }
func (size) Mode() fs.FileMode  { return 0o644 }
func (size) ModTime() time.Time { return time.Time{} }
func (size) IsDir() bool        { return false }
func (size) Sys() any           { return nil }
