// SPDX-License-Identifier: Apache-2.0

package job

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/dynamotable/ddb"
)

// FileStore stores the states of jobs in a JSON file, for runners on one machine. While it is being changed, a file with the suffix ".lock" exists. It is safe for
// concurrent use, even by several processes.
type FileStore struct {
	path string
	mu   sync.Mutex
}

// NewFileStore returns a store in a file. The first run creates it, readable only by its user, because positions contain keys.
func NewFileStore(path string) *FileStore { return &FileStore{path: path} }

func (s *FileStore) usable() error {
	if s == nil || s.path == "" {
		return &ddb.InvalidError{Problems: []error{errors.New("job: a nil or zero FileStore was used, or one without a path; make it with NewFileStore")}}
	}
	return nil
}

// fileState is a State in the file.
type fileState struct {
	Position string    `json:"position,omitempty"`
	Token    string    `json:"token,omitempty"`
	Owner    string    `json:"owner,omitempty"`
	Until    time.Time `json:"until,omitzero"`
	Runs     int64     `json:"runs"`
}

func (s *FileStore) read() (map[string]fileState, error) {
	all := make(map[string]fileState)
	text, err := os.ReadFile(s.path)
	if errors.Is(err, fs.ErrNotExist) {
		return all, nil
	}
	if err == nil {
		err = json.Unmarshal(text, &all)
	}
	if err != nil {
		return nil, fmt.Errorf("job: the file of states: %w", err)
	}
	return all, nil
}

// Load reads the state of a job.
func (s *FileStore) Load(_ context.Context, job string) (State, error) {
	if err := s.usable(); err != nil {
		return State{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	all, err := s.read()
	return State(all[job]), err
}

// Swap stores a state; see [Store].
func (s *FileStore) Swap(ctx context.Context, job string, was, will State) error {
	if err := s.usable(); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	unlock, err := s.lock(ctx)
	if err != nil {
		return err
	}
	defer unlock()
	all, err := s.read()
	if err != nil {
		return err
	}
	if now := State(all[job]); !now.equal(was) {
		return now.leased()
	}
	all[job] = fileState(will)
	text, err := json.MarshalIndent(all, "", "  ")
	if err != nil {
		return err
	}
	return replace(s.path, append(text, '\n'))
}

// replace writes a file atomically: after a kill it is the old one or the new one.
func replace(path string, text []byte) error {
	f, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*.new") // readable only by its user
	if err != nil {
		return err
	}
	_, err = f.Write(text)
	if err = errors.Join(err, f.Sync(), f.Close()); err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	return nil
}

// Of the lock, which is held while a small file is written.
const (
	lockAgain = 10 * time.Millisecond
	lockWait  = 5 * time.Second
)

// lock creates the lock file. One that is left after a kill must be removed by hand, because it is unknown whether its creator is still alive.
func (s *FileStore) lock(ctx context.Context) (unlock func(), err error) {
	name := s.path + ".lock"
	for begun := time.Now(); ; {
		f, err := os.OpenFile(name, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600) //nolint:gosec // the caller's file
		if err == nil {
			return func() { _, _ = f.Close(), os.Remove(name) }, nil
		}
		if !errors.Is(err, fs.ErrExist) {
			return nil, err
		}
		if time.Since(begun) > lockWait {
			return nil, fmt.Errorf("job: file %s exists for longer than a write takes: if no process uses it, one was killed during a write; remove it", name)
		}
		select {
		case <-time.After(lockAgain):
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
}

// Format prints the type's name, for every verb.
func (s *FileStore) Format(f fmt.State, _ rune) { _, _ = fmt.Fprint(f, "job.FileStore") }
