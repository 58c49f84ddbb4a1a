// SPDX-License-Identifier: Apache-2.0

// Package journal records the changes of an engine in a file, so that they can be replayed after a restart.
//
// The file has one record per line: a checksum and JSON. Lines that are cut short or damaged are skipped and
// counted; see [Journal.Read].
package journal

import (
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
	fileName    = "journal"
	nextName    = "journal.next"
	damagedName = "journal.damaged-"
	lockName    = "lock"
)

// Record is one change: an operation on a table, or an item after its change.
type Record struct {
	// At is the engine's time.
	At time.Time `json:"at,omitzero"`
	// Operation and Body are a request that changes a table.
	Operation string          `json:"operation,omitempty"`
	Body      json.RawMessage `json:"body,omitempty"`
	// Table is the table of a changed item: Put is the item and Size its size, or Delete is the key of a deleted
	// item. A Size of 0 means that it is not known.
	Table  string          `json:"table,omitempty"`
	Size   int             `json:"size,omitempty"`
	Put    json.RawMessage `json:"put,omitempty"`
	Delete json.RawMessage `json:"delete,omitempty"`
}

// Journal is an open folder. Its methods are safe for concurrent use once Resume or Rewrite has returned.
type Journal struct {
	dir    string
	lock   *os.File
	file   *os.File // nil until Resume or Rewrite
	sync   bool
	damage Damage

	mu       sync.Mutex // guards what follows
	pending  bytes.Buffer
	appended int64 // records so far

	writing sync.Mutex // held while the file is written; guards what follows
	spare   bytes.Buffer
	written int64
	err     error
}

// Open locks a folder for this process, and creates it if it does not exist. [Journal.Read] reads it, and then
// [Journal.Resume] or [Journal.Rewrite] prepares it for new records. With durable, [Journal.Flush] waits for the disk,
// otherwise only for the operating system.
func Open(dir string, durable bool) (*Journal, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	lock, err := lockFile(filepath.Join(dir, lockName))
	if err != nil {
		return nil, err
	}
	return &Journal{dir: dir, lock: lock, sync: durable}, nil
}

// Resume keeps the file and appends to it.
func (j *Journal) Resume() (err error) {
	j.file, err = os.OpenFile(filepath.Join(j.dir, fileName), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	return err
}

// Rewrite replaces the file by one with the records that fill appends. If Read found damage, the original file is kept
// next to it, and its path is returned.
func (j *Journal) Rewrite(fill func() error) (kept string, err error) {
	name, next := filepath.Join(j.dir, fileName), filepath.Join(j.dir, nextName)
	j.file, err = os.OpenFile(next, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600) //nolint:gosec // the user names the folder
	if err != nil {
		return "", err
	}
	if err := errors.Join(fill(), j.Flush(), j.file.Sync()); err != nil {
		return "", err
	}
	if j.damage.Bytes > 0 {
		if kept, err = keep(name); err != nil {
			return "", fmt.Errorf("keep the damaged file: %w", err)
		}
	}
	if err := os.Rename(next, name); err != nil {
		return "", err
	}
	if j.sync {
		return kept, SyncFolder(j.dir) // without this the old name may return after a power failure
	}
	return kept, nil
}

// link is os.Link; tests replace it.
var link = os.Link

// keep gives a file a second name, or copies it if the file system has no hard links.
func keep(name string) (kept string, err error) {
	stamp := filepath.Join(filepath.Dir(name), damagedName+time.Now().UTC().Format("20060102T150405"))
	for n := 1; ; n++ {
		kept = stamp
		if n > 1 {
			kept += "-" + strconv.Itoa(n)
		}
		if err = link(name, kept); err != nil && !errors.Is(err, os.ErrExist) {
			err = duplicate(name, kept)
		}
		if !errors.Is(err, os.ErrExist) {
			return kept, err
		}
	}
}

func duplicate(from, to string) (err error) {
	in, err := os.Open(from) //nolint:gosec // the user names the folder
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, in.Close()) }()
	out, err := os.OpenFile(to, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600) //nolint:gosec // the user names the folder
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	return errors.Join(err, out.Sync(), out.Close())
}

// Append adds a record. It is written when a later call of Flush returns nil.
func (j *Journal) Append(r Record) error {
	if r.Operation == "" && plain(r.Table) {
		j.appendItem(&r)
		return nil
	}
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

// appendItem adds the record of an item, as package json would write it, but without parsing the JSON in it.
func (j *Journal) appendItem(r *Record) {
	const sumSize = 8
	j.mu.Lock()
	defer j.mu.Unlock()
	j.pending.Grow(len(r.Table) + len(r.Put) + len(r.Delete) + 64)
	b := append(j.pending.AvailableBuffer(), "00000000 "...)
	b = append(append(append(b, itemStart...), r.Table...), '"')
	if r.Size > 0 {
		b = strconv.AppendInt(append(b, sizeStart...), int64(r.Size), 10)
	}
	if r.Put != nil {
		b = append(append(b, putStart...), r.Put...)
	} else {
		b = append(append(b, deleteStart...), r.Delete...)
	}
	b = append(b, '}', '\n')
	text := b[sumSize+1 : len(b)-1]
	const digits = "0123456789abcdef"
	for i, sum := sumSize-1, crc32.ChecksumIEEE(text); i >= 0; i, sum = i-1, sum>>4 {
		b[i] = digits[sum&15]
	}
	j.pending.Write(b)
	j.appended++
}

// The parts of the record of an item.
const (
	itemStart   = `{"table":"`
	sizeStart   = `,"size":`
	putStart    = `,"put":`
	deleteStart = `,"delete":`
)

// plain reports whether a name needs no escape in JSON, as is the case for names of tables.
func plain(name string) bool {
	for i := range len(name) {
		if c := name[i]; c < ' ' || c > '~' || c == '"' || c == '\\' {
			return false
		}
	}
	return true
}

// Flush writes what was appended before the call. After an error nothing more is written, and every call returns the error.
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

// Close writes the remaining records and releases the folder.
func (j *Journal) Close() error {
	if j.file == nil {
		return j.lock.Close()
	}
	err := j.Flush()
	return errors.Join(err, j.file.Sync(), j.file.Close(), j.lock.Close())
}
