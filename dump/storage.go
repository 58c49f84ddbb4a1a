// SPDX-License-Identifier: Apache-2.0

package dump

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// Reader is where exports are read from. Names have slashes, as keys of S3 have. An object that is not there is an error that matches
// [fs.ErrNotExist]. A Reader must be safe for concurrent use.
type Reader interface {
	Open(ctx context.Context, name string) (io.ReadCloser, error)
	// List gives the names of all objects that begin with a prefix, in any order.
	List(ctx context.Context, prefix string) ([]string, error)
}

// Storage is where exports are written to: a folder ([Dir]), a bucket of S3 (module dump/s3), or anything else that keeps objects, for which a program implements it; package dumptest tests
// implementations. Write stores an object whole, in place of one with
// the name: after an error it is there as before, or whole. Remove of an object that is not there is no error.
type Storage interface {
	Reader
	Write(ctx context.Context, name string, data []byte) error
	Remove(ctx context.Context, name string) error
}

// Dir keeps exports in a folder, which is made if it is not there. Objects are written beside their place, synced and renamed, with the permissions
// 0600: they are data.
func Dir(path string) Storage { return folder{FS(os.DirFS(path)), path} }

// writing begins the names of files that are not whole. A kill leaves them; they are no objects.
const writing = ".writing-"

type folder struct {
	Reader
	path string
}

// Format prints that it is a folder, whatever the verb.
func (f folder) Format(s fmt.State, _ rune) { _, _ = fmt.Fprint(s, "dump.Dir") }

func (f folder) place(name string) (string, error) {
	if !fs.ValidPath(name) || name == "." {
		return "", &fs.PathError{Op: "write", Path: name, Err: fs.ErrInvalid}
	}
	return filepath.Join(f.path, filepath.FromSlash(name)), nil
}

func (f folder) Write(ctx context.Context, name string, data []byte) (err error) {
	if err := ctx.Err(); err != nil {
		return err
	}
	place, err := f.place(name)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(place), 0o700); err != nil {
		return err
	}
	temp, err := os.CreateTemp(filepath.Dir(place), writing+"*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = os.Remove(temp.Name()) // the first error counts
		}
	}()
	_, err = temp.Write(data)
	if err == nil {
		err = temp.Sync()
	}
	if err = errors.Join(err, temp.Close()); err != nil {
		return err
	}
	return os.Rename(temp.Name(), place)
}

func (f folder) Remove(ctx context.Context, name string) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	place, err := f.place(name)
	if err == nil {
		err = os.Remove(place)
	}
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// clean removes what killed writes have left below a name.
func (f folder) clean(ctx context.Context, name string) error {
	place, err := f.place(name)
	if err != nil {
		return err
	}
	root, err := os.OpenRoot(place)
	if err != nil {
		return err
	}
	defer func() { _ = root.Close() }()
	return fs.WalkDir(root.FS(), ".", func(file string, d fs.DirEntry, err error) error {
		if err == nil {
			err = ctx.Err()
		}
		if err != nil || d.IsDir() || !strings.HasPrefix(d.Name(), writing) {
			return err
		}
		if err := root.Remove(file); !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		return nil
	})
}

// FS reads exports from a file system, such as an archive or what is embedded in a program.
func FS(files fs.FS) Reader { return fileSystem{files} }

type fileSystem struct{ files fs.FS }

func (f fileSystem) usable(ctx context.Context) error {
	if f.files == nil {
		return errors.New("dump: the file system is nil")
	}
	return ctx.Err()
}

// Format prints that it is a file system, whatever the verb.
func (f fileSystem) Format(s fmt.State, _ rune) { _, _ = fmt.Fprint(s, "dump.FS") }

func (f fileSystem) Open(ctx context.Context, name string) (io.ReadCloser, error) {
	if err := f.usable(ctx); err != nil {
		return nil, err
	}
	return f.files.Open(name)
}

func (f fileSystem) List(ctx context.Context, prefix string) (names []string, err error) {
	if err := f.usable(ctx); err != nil {
		return nil, err
	}
	err = fs.WalkDir(f.files, ".", func(name string, d fs.DirEntry, err error) error {
		if err == nil {
			err = ctx.Err()
		}
		switch {
		case errors.Is(err, fs.ErrNotExist) && name == ".":
			return fs.SkipAll // a folder that is not there has no objects
		case err != nil:
			return err
		case d.IsDir():
			if name != "." && !strings.HasPrefix(name+"/", prefix) && !strings.HasPrefix(prefix, name+"/") {
				return fs.SkipDir
			}
			return nil
		case strings.HasPrefix(name, prefix) && !strings.HasPrefix(d.Name(), writing):
			names = append(names, name)
		}
		return nil
	})
	return names, err
}
