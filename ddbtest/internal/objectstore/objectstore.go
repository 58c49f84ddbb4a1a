// SPDX-License-Identifier: Apache-2.0

// Package objectstore implements S3 by a folder on disk: its folders are the buckets, and the files in them the objects.
package objectstore

import (
	"crypto/rand"
	"errors"
	"io"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"
)

// Folder is the folder that the buckets are in; "" has none.
type Folder string

// ErrMissing is the error for a bucket that is not there.
var ErrMissing = errors.New("The specified bucket does not exist") //nolint:staticcheck // S3's words

// Bucket is one bucket. It must be closed.
type Bucket struct{ root *os.Root }

// Open opens the bucket with a name, which is a folder that must be there.
func (f Folder) Open(name string) (*Bucket, error) {
	if !fs.ValidPath(name) || name == "." || strings.Contains(name, "/") {
		return nil, ErrMissing
	}
	folder, err := os.OpenRoot(string(f))
	if err != nil {
		return nil, err
	}
	defer func() { _ = folder.Close() }() // it was read
	root, err := folder.OpenRoot(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, ErrMissing
	}
	if err != nil {
		return nil, err
	}
	return &Bucket{root}, nil
}

// Close ends the use of the bucket.
func (b *Bucket) Close() error { return b.root.Close() }

// partial begins the names of files that are not whole yet; they are no objects.
const partial = ".partial-"

// List returns the keys that begin with a prefix, in the order of their bytes.
func (b *Bucket) List(prefix string) ([]string, error) {
	var keys []string
	err := fs.WalkDir(b.root.FS(), ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.Type().IsRegular() && strings.HasPrefix(name, prefix) && !strings.HasPrefix(path.Base(name), partial) {
			keys = append(keys, name)
		}
		return nil
	})
	slices.Sort(keys)
	return keys, err
}

// Get opens the object with a key.
func (b *Bucket) Get(key string) (io.ReadCloser, error) { return b.root.Open(key) }

// ValidKey reports whether an object can have the key here: S3 allows more, but "a//b" and "../a" name no file of the bucket.
func ValidKey(key string) bool { return fs.ValidPath(key) && key != "." }

// Put stores an object as a whole: no reader sees a part of it.
func (b *Bucket) Put(key string, data []byte) error {
	dir := path.Dir(key)
	if err := b.root.MkdirAll(dir, 0o777); err != nil {
		return err
	}
	temporary := path.Join(dir, partial+rand.Text())
	err := b.root.WriteFile(temporary, data, 0o666)
	if err == nil {
		err = b.root.Rename(temporary, key)
	}
	if err != nil {
		return errors.Join(err, b.remove(temporary))
	}
	return nil
}

func (b *Bucket) remove(name string) error {
	if err := b.root.Remove(name); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}
