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

// Reader is the storage that exports are read from. Names contain slashes, like the keys of S3. The error for an object that does
// not exist matches [fs.ErrNotExist]. A Reader must be safe for concurrent use.
type Reader interface {
	Open(ctx context.Context, name string) (io.ReadCloser, error)
	// List returns the names of all objects that begin with a prefix, in any order.
	List(ctx context.Context, prefix string) ([]string, error)
}

// Storage is the storage that exports are written to: a folder ([Dir]), an S3 bucket (module dump/s3), or any other object store
// for which a program implements it. Package dumptest tests implementations. Write stores a whole object and replaces one with
// the same name. If it fails, the object is either unchanged or completely written. Removing an object that does not exist is not
// an error.
type Storage interface {
	Reader
	Write(ctx context.Context, name string, data []byte) error
	Remove(ctx context.Context, name string) error
}

// Dir stores exports in a folder, and creates it if it does not exist. Objects are written to a temporary file, synced and
// renamed. They have the permissions 0600, because they contain data.
func Dir(path string) Storage { return folder{FS(os.DirFS(path)), path} }

// writing is the prefix of the names of files that are not complete. A killed process leaves such files; they are not objects.
const writing = ".writing-"

type folder struct {
	Reader
	path string
}

// Format prints that the storage is a folder, for every verb.
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
			_ = os.Remove(temp.Name()) // the first error is returned
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

// clean removes the files that interrupted writes of an object have left.
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

// FS reads exports from a file system, for example from an archive or from files that are embedded in a program.
func FS(files fs.FS) Reader { return fileSystem{files} }

type fileSystem struct{ files fs.FS }

func (f fileSystem) usable(ctx context.Context) error {
	if f.files == nil {
		return errors.New("dump: the file system is nil")
	}
	return ctx.Err()
}

// Format prints that the storage is a file system, for every verb.
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
			return fs.SkipAll // a folder that does not exist has no objects
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
