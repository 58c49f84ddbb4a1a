// SPDX-License-Identifier: Apache-2.0

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
)

// Damage is what was skipped in a file.
type Damage struct {
	Records int   // lines; the last may be cut short
	Bytes   int64 // of these
}

// ErrLost is returned by visit for a record that is meaningless without another one, which is lost.
var ErrLost = errors.New("a record that it needs is lost")

// Read passes the records of the file to visit, in their order; their JSON may only be used during the call. It skips a line that
// is cut short, as the last one can be after a crash, or whose checksum does not match. It also skips a record for which
// visit returns ErrLost, or any error after a damaged line. Any other error of visit ends the reading. A
// file with complete lines of which none is a record is not a journal, which is an error.
func (j *Journal) Read(visit func(*Record) error) (damage Damage, err error) {
	name := filepath.Join(j.dir, fileName)
	f, err := os.Open(name) //nolint:gosec // the user names the folder
	if errors.Is(err, os.ErrNotExist) {
		return damage, nil
	}
	if err != nil {
		return damage, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	lines := lineReader{r: bufio.NewReaderSize(f, 1<<20)}
	var record Record
	good, broken := 0, 0
	for n := 1; ; n++ {
		line, err := lines.next()
		if err != nil && !errors.Is(err, io.EOF) {
			return damage, fmt.Errorf("%s: %w", name, err)
		}
		if len(line) == 0 {
			break
		}
		cut := line[len(line)-1] != '\n' // it was being written
		drop := cut
		if !cut {
			if e := record.parse(line[:len(line)-1]); e != nil {
				broken++
				drop = true
			} else if e := visit(&record); e != nil {
				if damage.Bytes == 0 && !errors.Is(e, ErrLost) {
					return damage, fmt.Errorf("%s, record %d: %w", name, n, e)
				}
				drop = true
			} else {
				good++
			}
		}
		if drop {
			damage.Records++
			damage.Bytes += int64(len(line))
		}
	}
	if good == 0 && broken > 0 {
		return damage, fmt.Errorf("%s: none of its %d lines is a record: it is not a journal of this program, or all of it is damaged; restore it, or move it away to start with an empty one", name, broken)
	}
	j.damage = damage
	return damage, nil
}

// lineReader reads lines of any length, and allocates only for those that do not fit into the buffer.
type lineReader struct {
	r    *bufio.Reader
	long []byte
}

// next returns the next line with its end. It is valid until the next call. At the end of the file the line is the rest of the file,
// or empty.
func (l *lineReader) next() ([]byte, error) {
	line, err := l.r.ReadSlice('\n')
	if !errors.Is(err, bufio.ErrBufferFull) {
		return line, err
	}
	l.long = append(l.long[:0], line...)
	for errors.Is(err, bufio.ErrBufferFull) {
		line, err = l.r.ReadSlice('\n')
		l.long = append(l.long, line...)
	}
	return l.long, err
}

// parse reads a line without its end.
func (r *Record) parse(line []byte) error {
	sum, text, found := bytes.Cut(line, []byte{' '})
	want, err := strconv.ParseUint(string(sum), 16, 32)
	if !found || err != nil || uint64(crc32.ChecksumIEEE(text)) != want {
		return errors.New("checksum does not match")
	}
	if r.parseItem(text) {
		return nil
	}
	*r = Record{}
	return json.Unmarshal(text, r)
}

// parseItem reads the record of an item as appendItem writes it. It reports whether it is one. The JSON of the item is
// not parsed, because the checksum matches.
func (r *Record) parseItem(text []byte) bool {
	rest, found := bytes.CutPrefix(text, []byte(itemStart))
	if !found {
		return false
	}
	table, rest, found := bytes.Cut(rest, []byte{'"'})
	if !found || bytes.IndexByte(table, '\\') >= 0 || !bytes.HasSuffix(rest, []byte("}}")) {
		return false
	}
	name := r.Table
	if string(table) != name { // records of one table follow each other
		name = string(table)
	}
	*r = Record{Table: name}
	rest = rest[:len(rest)-1]
	if size, found := bytes.CutPrefix(rest, []byte(sizeStart)); found {
		end := bytes.IndexByte(size, ',')
		if end < 0 {
			return false
		}
		n, err := strconv.Atoi(string(size[:end]))
		if err != nil {
			return false
		}
		r.Size, rest = n, size[end:]
	}
	if put, found := bytes.CutPrefix(rest, []byte(putStart)); found {
		r.Put = put
		return true
	}
	deleted, found := bytes.CutPrefix(rest, []byte(deleteStart))
	r.Delete = deleted
	return found
}
