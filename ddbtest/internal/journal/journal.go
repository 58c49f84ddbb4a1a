// Package journal keeps what happens to an engine in a file, so that it can be done again after a restart.
//
// The file holds one record a line: a checksum and JSON. A line that is cut short at the end of the file, as a
// crash leaves it, is dropped; any other damage is an error.
package journal

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"time"
)

const (
	fileName = "journal"
	nextName = "journal.next"
	lockName = "lock"
)

// Record is one thing that happened: an operation on a table, or what became of one item.
type Record struct {
	// At is the engine's time.
	At time.Time `json:"at,omitzero"`
	// Operation and Body are a request that changes a table.
	Operation string          `json:"operation,omitempty"`
	Body      json.RawMessage `json:"body,omitempty"`
	// Table is where an item changed: Put is what it is now, or Delete the key of an item that is gone.
	Table  string          `json:"table,omitempty"`
	Put    json.RawMessage `json:"put,omitempty"`
	Delete json.RawMessage `json:"delete,omitempty"`
}

// Journal is an open file. Its methods are safe for concurrent use.
type Journal struct {
	lock *os.File
	file *os.File
	sync bool

	mu       sync.Mutex // guards what follows
	pending  bytes.Buffer
	appended int64 // records so far

	writing sync.Mutex // held while the file is written to; guards what follows
	spare   bytes.Buffer
	written int64
	err     error
}

// Read hands the records of a folder's journal to visit, in their order. It makes the folder if it is not there.
func Read(dir string, visit func(Record) error) (err error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	f, err := os.Open(filepath.Join(dir, fileName)) //nolint:gosec // the user names the folder
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	r := bufio.NewReaderSize(f, 1<<20)
	for n := 1; ; n++ {
		line, err := r.ReadBytes('\n')
		if errors.Is(err, io.EOF) {
			return nil // and what is left has no end: it was being written
		}
		if err != nil {
			return err
		}
		record, err := parse(line)
		if err != nil {
			if _, end := r.Peek(1); errors.Is(end, io.EOF) {
				return nil
			}
			return fmt.Errorf("%s, record %d: %w; the file is damaged, restore it or remove it to begin anew", f.Name(), n, err)
		}
		if err := visit(record); err != nil {
			return fmt.Errorf("%s, record %d: %w", f.Name(), n, err)
		}
	}
}

func parse(line []byte) (record Record, err error) {
	sum, text, found := bytes.Cut(line[:len(line)-1], []byte{' '})
	want, err := strconv.ParseUint(string(sum), 16, 32)
	if !found || err != nil || uint64(crc32.ChecksumIEEE(text)) != want {
		return record, errors.New("checksum does not match")
	}
	err = json.Unmarshal(text, &record)
	return record, err
}

// Create replaces the journal of a folder by one with the records that fill appends, and leaves it open. With
// durable, [Journal.Flush] waits for the disk, otherwise for the operating system only.
func Create(dir string, durable bool, fill func(*Journal) error) (*Journal, error) {
	lock, err := lockFile(filepath.Join(dir, lockName))
	if err != nil {
		return nil, err
	}
	next := filepath.Join(dir, nextName)
	f, err := os.OpenFile(next, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600) //nolint:gosec // the user names the folder
	if err != nil {
		return nil, errors.Join(err, lock.Close())
	}
	j := &Journal{lock: lock, file: f, sync: durable}
	err = fill(j)
	if err == nil {
		err = j.Flush()
	}
	if err == nil {
		err = f.Sync()
	}
	if err == nil {
		err = os.Rename(next, filepath.Join(dir, fileName))
	}
	if err != nil {
		return nil, errors.Join(err, j.Close())
	}
	return j, nil
}

// Append adds a record. It is kept when a later call of Flush returns nil.
func (j *Journal) Append(r Record) error {
	text, err := json.Marshal(r)
	if err != nil {
		return err
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	fmt.Fprintf(&j.pending, "%08x ", crc32.ChecksumIEEE(text))
	j.pending.Write(text)
	j.pending.WriteByte('\n')
	j.appended++
	return nil
}

// Flush writes what was appended before the call. An error stays: nothing is written after it.
func (j *Journal) Flush() error {
	j.mu.Lock()
	want := j.appended
	j.mu.Unlock()
	j.writing.Lock()
	defer j.writing.Unlock()
	if j.err != nil || j.written >= want { // another call has written it
		return j.err
	}
	j.spare.Reset()
	j.mu.Lock()
	j.pending, j.spare = j.spare, j.pending
	end := j.appended
	j.mu.Unlock()
	if _, j.err = j.file.Write(j.spare.Bytes()); j.err == nil && j.sync {
		j.err = j.file.Sync()
	}
	if j.err == nil {
		j.written = end
	}
	return j.err
}

// Close writes what is left and ends the use of the folder.
func (j *Journal) Close() error {
	err := j.Flush()
	return errors.Join(err, j.file.Sync(), j.file.Close(), j.lock.Close())
}
