package journal_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/dynamotable/ddb/ddbtest/internal/journal"
)

func item(n int) journal.Record {
	return journal.Record{Table: "t", Put: json.RawMessage(fmt.Sprintf(`{"n":{"N":"%d"}}`, n))}
}

// write makes a journal of n records in a new folder.
func write(t *testing.T, n int) (dir, file string) {
	t.Helper()
	dir = t.TempDir()
	j, err := journal.Create(dir, false, func(j *journal.Journal) error { return j.Append(item(0)) })
	if err != nil {
		t.Fatal(err)
	}
	for i := 1; i < n; i++ {
		if err := j.Append(item(i)); err != nil {
			t.Fatal(err)
		}
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	return dir, filepath.Join(dir, "journal")
}

func count(t *testing.T, dir string) (n int, err error) {
	t.Helper()
	err = journal.Read(dir, func(r journal.Record) error {
		if want := string(item(n).Put); string(r.Put) != want || r.Table != "t" {
			t.Errorf("record %d is %s of %s, want %s", n, r.Put, r.Table, want)
		}
		n++
		return nil
	})
	return n, err
}

func TestReadAgain(t *testing.T) {
	dir, _ := write(t, 10)
	if n, err := count(t, dir); n != 10 || err != nil {
		t.Errorf("%d records, %v; want 10", n, err)
	}
	if n, err := count(t, filepath.Join(dir, "new")); n != 0 || err != nil {
		t.Errorf("a new folder has %d records, %v", n, err)
	}
}

// A crash may cut the last record anywhere.
func TestTornEnd(t *testing.T) {
	dir, file := write(t, 3)
	whole, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	two := bytes.LastIndexByte(whole[:len(whole)-1], '\n') + 1
	for size := two; size < len(whole); size++ {
		if err := os.WriteFile(file, whole[:size], 0o600); err != nil {
			t.Fatal(err)
		}
		if n, err := count(t, dir); n != 2 || err != nil {
			t.Errorf("cut after %d of %d bytes: %d records, %v; want 2", size, len(whole), n, err)
		}
	}
}

func TestDamage(t *testing.T) {
	dir, file := write(t, 3)
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	data[12] ^= 1
	if err := os.WriteFile(file, data, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := count(t, dir); err == nil || !strings.Contains(err.Error(), "record 1") {
		t.Errorf("a damaged record: %v", err)
	}
}

func TestOneUser(t *testing.T) {
	dir := t.TempDir()
	nothing := func(*journal.Journal) error { return nil }
	j, err := journal.Create(dir, false, nothing)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := journal.Create(dir, false, nothing); err == nil || !strings.Contains(err.Error(), "another process") {
		t.Errorf("a second user: %v", err)
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	if j, err = journal.Create(dir, false, nothing); err != nil {
		t.Fatal(err)
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
}

// What was flushed is in the file, by whoever's write it came there.
func TestConcurrentFlush(t *testing.T) {
	dir := t.TempDir()
	j, err := journal.Create(dir, true, func(*journal.Journal) error { return nil })
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 20 {
				if err := j.Append(journal.Record{Table: "t"}); err != nil {
					t.Error(err)
				}
				if err := j.Flush(); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	n := 0
	if err := journal.Read(dir, func(journal.Record) error { n++; return nil }); err != nil || n != 160 {
		t.Errorf("%d records before the journal is closed, %v; want 160", n, err)
	}
	if err := j.Close(); err != nil {
		t.Error(err)
	}
}
