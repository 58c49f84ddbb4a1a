// SPDX-License-Identifier: Apache-2.0

package journal_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/dynamotable/ddb/ddbtest/internal/journal"
)

func item(n int) journal.Record {
	return journal.Record{Table: "t", Size: n, Put: json.RawMessage(fmt.Sprintf(`{"n":{"N":"%d"}}`, n))}
}

func open(t *testing.T, dir string, durable bool) *journal.Journal {
	t.Helper()
	j, err := journal.Open(dir, durable)
	if err != nil {
		t.Fatal(err)
	}
	return j
}

// write creates a journal of n records in a new folder.
func write(t *testing.T, n int) (dir, file string) {
	t.Helper()
	dir = t.TempDir()
	j := open(t, dir, false)
	if _, err := j.Rewrite(func() error { return j.Append(item(0)) }); err != nil {
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

// read returns the numbers of the items in a journal.
func read(t *testing.T, dir string) (numbers []int, damage journal.Damage, err error) {
	t.Helper()
	j := open(t, dir, false)
	defer func() {
		if err := j.Close(); err != nil {
			t.Error(err)
		}
	}()
	damage, err = j.Read(func(r *journal.Record) error {
		if want := item(r.Size); r.Table != want.Table || !bytes.Equal(r.Put, want.Put) {
			t.Errorf("%d: %s of table %q", r.Size, r.Put, r.Table)
		}
		numbers = append(numbers, r.Size)
		return nil
	})
	return numbers, damage, err
}

func contents(t *testing.T, file string) []byte {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func TestReadAgain(t *testing.T) {
	dir, _ := write(t, 4)
	if numbers, damage, err := read(t, dir); fmt.Sprint(numbers) != "[0 1 2 3]" || damage.Bytes != 0 || err != nil {
		t.Errorf("%v, %v, %v", numbers, damage, err)
	}
	if numbers, damage, err := read(t, filepath.Join(dir, "new")); len(numbers) != 0 || damage.Bytes != 0 || err != nil {
		t.Errorf("a new folder has %v, %v, %v", numbers, damage, err)
	}
}

// Every kind of record is read as it was written, even from lines written by package json, as earlier versions did.
func TestRecords(t *testing.T) {
	at := time.Date(2026, 1, 2, 3, 4, 5, 6, time.UTC)
	long := json.RawMessage(`{"text":{"S":"` + strings.Repeat(`<&>\"\\é`, 1<<18) + `"}}`) // more than the reader's buffer
	records := []journal.Record{
		{At: at, Operation: "CreateTable", Body: json.RawMessage(`{"TableName":"t"}`)},
		{Table: "t", Size: 7, Put: json.RawMessage(`{"a":{"S":"}"}}`)},
		{Table: "t", Put: json.RawMessage(`{"a":{"S":"x"}}`)},
		{Table: "t-2_.X", Size: 400 << 10, Put: long},
		{Table: "t", Delete: json.RawMessage(`{"a":{"S":"<"}}`)},
		{Table: `a"b\é`, Size: 1, Put: json.RawMessage(`{}`)},
	}
	for _, lines := range []string{"ours", "written by package json"} {
		dir := t.TempDir()
		j := open(t, dir, false)
		_, err := j.Rewrite(func() error {
			for _, r := range records {
				if lines == "ours" {
					if err := j.Append(r); err != nil {
						return err
					}
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		if lines != "ours" {
			if err := os.WriteFile(filepath.Join(dir, "journal"), journal.Marshal(t, records...), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		if err := j.Close(); err != nil {
			t.Fatal(err)
		}
		n := 0
		j = open(t, dir, false)
		damage, err := j.Read(func(r *journal.Record) error {
			want := records[n]
			n++
			if !r.At.Equal(want.At) || r.Operation != want.Operation || r.Table != want.Table || r.Size != want.Size ||
				!same(r.Body, want.Body) || !same(r.Put, want.Put) || !same(r.Delete, want.Delete) {
				t.Errorf("%s: record %d is %.200v", lines, n, *r)
			}
			return nil
		})
		if n != len(records) || damage.Bytes != 0 || err != nil {
			t.Errorf("%s: %d records, %v, %v", lines, n, damage, err)
		}
		if err := j.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// same compares JSON whose text may differ in escapes.
func same(a, b json.RawMessage) bool {
	if len(a) == 0 || len(b) == 0 {
		return len(a) == len(b)
	}
	var x, y any
	return json.Unmarshal(a, &x) == nil && json.Unmarshal(b, &y) == nil && fmt.Sprint(x) == fmt.Sprint(y)
}

// A crash may cut the last record anywhere. Its remaining bytes are counted.
func TestTornEnd(t *testing.T) {
	dir, file := write(t, 3)
	whole := contents(t, file)
	two := bytes.LastIndexByte(whole[:len(whole)-1], '\n') + 1
	for size := two; size < len(whole); size++ {
		if err := os.WriteFile(file, whole[:size], 0o600); err != nil {
			t.Fatal(err)
		}
		numbers, damage, err := read(t, dir)
		if fmt.Sprint(numbers) != "[0 1]" || damage.Bytes != int64(size-two) || err != nil {
			t.Errorf("cut after %d of %d bytes: %v, %v, %v", size, len(whole), numbers, damage, err)
		}
	}
}

// A changed byte costs the record that contains it, or two if it was the end of one, and no other.
func TestDamage(t *testing.T) {
	dir, file := write(t, 3)
	whole := contents(t, file)
	ends := []int{}
	for i, c := range whole {
		if c == '\n' {
			ends = append(ends, i)
		}
	}
	for i := range whole {
		spoilt := bytes.Clone(whole)
		spoilt[i] ^= 1
		if err := os.WriteFile(file, spoilt, 0o600); err != nil {
			t.Fatal(err)
		}
		numbers, damage, err := read(t, dir)
		want, lost := []int{}, int64(0)
		for n, end := range ends {
			start := 0
			if n > 0 {
				start = ends[n-1] + 1
			}
			hit := start <= i && i <= end || n > 0 && i == ends[n-1]
			if hit {
				lost += int64(end + 1 - start)
			} else {
				want = append(want, n)
			}
		}
		if fmt.Sprint(numbers) != fmt.Sprint(want) || damage.Bytes != lost || damage.Records == 0 || err != nil {
			t.Fatalf("byte %d changed: %v, %v, %v; want %v and %d bytes", i, numbers, damage, err, want, lost)
		}
	}
}

func TestNoJournal(t *testing.T) {
	dir, file := write(t, 1)
	if err := os.WriteFile(file, []byte("hello diary\nnothing today\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, _, err := read(t, dir); err == nil || !strings.Contains(err.Error(), "not a journal") {
		t.Errorf("another file: %v", err)
	}
}

// A record that cannot be applied is an error in an undamaged file; after damage, or if it needs a lost record, it is left out.
func TestRefusedRecord(t *testing.T) {
	dir, file := write(t, 3)
	refuse := func(with error) (journal.Damage, error) {
		j := open(t, dir, false)
		defer j.Close()
		return j.Read(func(r *journal.Record) error {
			if r.Size == 1 {
				return with
			}
			return nil
		})
	}
	if _, err := refuse(errors.New("no")); err == nil || !strings.Contains(err.Error(), "record 2: no") {
		t.Errorf("refused: %v", err)
	}
	if damage, err := refuse(journal.ErrLost); damage.Records != 1 || err != nil {
		t.Errorf("lost: %v, %v", damage, err)
	}
	whole := contents(t, file)
	whole[12] ^= 1
	if err := os.WriteFile(file, whole, 0o600); err != nil {
		t.Fatal(err)
	}
	if damage, err := refuse(errors.New("no")); damage.Records != 2 || err != nil {
		t.Errorf("refused after damage: %v, %v", damage, err)
	}
}

// Rewriting keeps the original file if it was damaged, and only then.
func TestRewriteKeepsDamaged(t *testing.T) {
	for _, linked := range []bool{true, false} {
		dir, file := write(t, 3)
		whole := contents(t, file)
		for _, size := range []int{len(whole), len(whole) - 1, len(whole) - 2} {
			if err := os.WriteFile(file, whole[:size], 0o600); err != nil {
				t.Fatal(err)
			}
			j := open(t, dir, false)
			if !linked {
				defer journal.WithoutLinks()()
			}
			if _, err := j.Read(func(*journal.Record) error { return nil }); err != nil {
				t.Fatal(err)
			}
			kept, err := j.Rewrite(func() error { return j.Append(item(5)) })
			if err != nil || (kept != "") != (size < len(whole)) {
				t.Fatalf("%d of %d bytes: kept as %q, %v", size, len(whole), kept, err)
			}
			if err := j.Close(); err != nil {
				t.Fatal(err)
			}
			if kept != "" && !bytes.Equal(contents(t, kept), whole[:size]) {
				t.Errorf("%s differs from the file as it was", kept)
			}
			if numbers, _, err := read(t, dir); fmt.Sprint(numbers) != "[5]" || err != nil {
				t.Errorf("after rewriting: %v, %v", numbers, err)
			}
		}
		copies, err := filepath.Glob(filepath.Join(dir, "journal.damaged-*"))
		if err != nil || len(copies) != 2 {
			t.Errorf("kept files: %v, %v; want two", copies, err)
		}
	}
}

// A resumed journal has its earlier records and the appended ones.
func TestResume(t *testing.T) {
	dir, _ := write(t, 2)
	for n := 2; n < 4; n++ {
		j := open(t, dir, false)
		if err := j.Resume(); err != nil {
			t.Fatal(err)
		}
		if err := j.Append(item(n)); err != nil {
			t.Fatal(err)
		}
		if err := j.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if numbers, damage, err := read(t, dir); fmt.Sprint(numbers) != "[0 1 2 3]" || damage.Bytes != 0 || err != nil {
		t.Errorf("%v, %v, %v", numbers, damage, err)
	}
}

// With durable, the folder is synced to disk after the new file was renamed, and an error of the sync is returned.
func TestSyncFolder(t *testing.T) {
	for _, durable := range []bool{true, false} {
		dir := t.TempDir()
		synced := 0
		restore := journal.OnSyncFolder(func(of string) error {
			if _, err := os.Stat(filepath.Join(of, "journal")); err != nil || of != dir {
				t.Errorf("synced %s too early: %v", of, err)
			}
			synced++
			return errors.New("disk is gone")
		})
		j := open(t, dir, durable)
		_, err := j.Rewrite(func() error { return j.Append(item(0)) })
		restore()
		if (synced == 1) != durable || (err != nil) != durable {
			t.Errorf("durable %v: synced %d times, %v", durable, synced, err)
		}
		if err := j.Close(); err != nil {
			t.Error(err)
		}
	}
	if err := journal.SyncFolder(t.TempDir()); err != nil {
		t.Errorf("the real SyncFolder: %v", err)
	}
}

func TestOneUser(t *testing.T) {
	dir := t.TempDir()
	j := open(t, dir, false)
	if _, err := journal.Open(dir, false); err == nil || !strings.Contains(err.Error(), "another process") {
		t.Errorf("a second user: %v", err)
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	if err := open(t, dir, false).Close(); err != nil {
		t.Fatal(err)
	}
}

// Flushed records are in the file, whichever call wrote them.
func TestConcurrentFlush(t *testing.T) {
	dir := t.TempDir()
	j := open(t, dir, true)
	if _, err := j.Rewrite(func() error { return nil }); err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for n := range 20 {
				if err := j.Append(item(n)); err != nil {
					t.Error(err)
				}
				if err := j.Flush(); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	before := contents(t, filepath.Join(dir, "journal"))
	if n := bytes.Count(before, []byte{'\n'}); n != 160 {
		t.Errorf("%d records before the journal is closed; want 160", n)
	}
	if err := j.Close(); err != nil {
		t.Error(err)
	}
	if numbers, damage, err := read(t, dir); len(numbers) != 160 || damage.Bytes != 0 || err != nil {
		t.Errorf("%d records, %v, %v", len(numbers), damage, err)
	}
}
