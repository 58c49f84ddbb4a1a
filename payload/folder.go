// SPDX-License-Identifier: Apache-2.0

package payload

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"os"
	"path"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"
)

// Folder stores objects as files below a folder, which is created if it is missing: for development and tests. A file is complete
// or absent, and synced to disk before Put returns.
func Folder(dir string) (Objects, error) {
	if err := os.MkdirAll(dir, 0o750); err != nil {
		err = fmt.Errorf("payload: %w", err)
		return failedObjects{err}, err
	}
	root, err := os.OpenRoot(dir) // keys cannot refer to files outside it
	if err != nil {
		err = fmt.Errorf("payload: %w", err)
		return failedObjects{err}, err
	}
	return folder{root}, nil
}

// failedObjects is an object store that could not be made: every method returns the error.
type failedObjects struct{ err error }

func (f failedObjects) Put(context.Context, string, []byte) error { return f.err }

func (f failedObjects) Get(context.Context, string, int64) ([]byte, error) { return nil, f.err }

func (f failedObjects) Delete(context.Context, string) error { return f.err }

func (f failedObjects) List(context.Context, string) iter.Seq2[Object, error] {
	return failing[Object](f.err)
}

type folder struct{ root *os.Root }

// unfinished is the prefix of the names of files that are being written.
const unfinished = ".unfinished-"

func (f folder) Put(ctx context.Context, key string, data []byte) (err error) {
	if err := ctx.Err(); err != nil {
		return err
	}
	if _, err := f.root.Stat(key); err == nil {
		return nil
	}
	dir := path.Dir(key)
	if err := f.root.MkdirAll(dir, 0o750); err != nil {
		return err
	}
	name := path.Join(dir, unfinished+uuid.NewString())
	file, err := f.root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o640)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.root.Remove(name)) }()
	_, err = file.Write(data)
	err = errors.Join(err, file.Sync(), file.Close())
	if err != nil {
		return err
	}
	// A link fails where a rename would replace the file.
	if err := f.root.Link(name, key); !errors.Is(err, fs.ErrExist) {
		return err
	}
	return nil
}

func (f folder) Get(ctx context.Context, key string, limit int64) ([]byte, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	file, err := f.root.Open(key)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, ErrMissing
	}
	if err != nil {
		return nil, err
	}
	defer file.Close() //nolint:errcheck // it was only read
	return ReadAtMost(file, limit)
}

func (f folder) Delete(ctx context.Context, key string) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := f.root.Remove(key); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

func (f folder) List(ctx context.Context, prefix string) iter.Seq2[Object, error] {
	return func(yield func(Object, error) bool) {
		stop := errors.New("stop")
		err := fs.WalkDir(f.root.FS(), ".", func(name string, d fs.DirEntry, err error) error {
			if err == nil {
				err = ctx.Err()
			}
			if err != nil || d.IsDir() || !strings.HasPrefix(name, prefix) || strings.HasPrefix(path.Base(name), unfinished) {
				return err
			}
			info, err := d.Info()
			if errors.Is(err, fs.ErrNotExist) { // removed in between
				return nil
			}
			if err != nil {
				return err
			}
			if !yield(Object{Key: name, Size: info.Size(), ModifiedAt: info.ModTime()}, nil) {
				return stop
			}
			return nil
		})
		if err != nil && !errors.Is(err, stop) {
			yield(Object{}, err)
		}
	}
}

// Memory stores objects in memory, for tests.
func Memory() Objects { return &memory{objects: make(map[string]object), now: time.Now} }

type object struct {
	data []byte
	at   time.Time
}

type memory struct {
	mu      sync.Mutex
	objects map[string]object
	now     func() time.Time
}

func (m *memory) Put(ctx context.Context, key string, data []byte) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if _, ok := m.objects[key]; !ok && ctx.Err() == nil {
		m.objects[key] = object{bytes.Clone(data), m.now()}
	}
	return ctx.Err()
}

func (m *memory) Get(ctx context.Context, key string, limit int64) ([]byte, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	o, ok := m.objects[key]
	switch {
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case !ok:
		return nil, ErrMissing
	case int64(len(o.data)) > limit:
		return nil, ErrCorrupt
	}
	return bytes.Clone(o.data), nil
}

func (m *memory) Delete(ctx context.Context, key string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if ctx.Err() == nil {
		delete(m.objects, key)
	}
	return ctx.Err()
}

func (m *memory) List(ctx context.Context, prefix string) iter.Seq2[Object, error] {
	return func(yield func(Object, error) bool) {
		m.mu.Lock()
		var list []Object
		for key, o := range m.objects {
			if strings.HasPrefix(key, prefix) {
				list = append(list, Object{Key: key, Size: int64(len(o.data)), ModifiedAt: o.at})
			}
		}
		m.mu.Unlock()
		for _, o := range list {
			if err := ctx.Err(); err != nil {
				yield(Object{}, err)
				return
			}
			if !yield(o, nil) {
				return
			}
		}
	}
}
