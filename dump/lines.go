// SPDX-License-Identifier: Apache-2.0

package dump

import (
	"bufio"
	"bytes"
	"compress/flate"
	"compress/gzip"
	"context"
	"crypto/md5" //nolint:gosec // the layout's checksum
	"encoding/base64"
	"errors"
	"fmt"
	"hash"
	"io"
	"strings"
)

// maxLine limits the length of a line: two items of 400 KB, before and after a change, in JSON with every byte escaped.
const maxLine = 16 << 20

// origin is the source of the bytes of a file. It keeps its error, which the readers of the compressed data may wrap or replace:
// a lost connection is not damage, and the file can be read again.
type origin struct {
	io.ReadCloser
	err error
}

func (o *origin) Read(b []byte) (int, error) {
	n, err := o.ReadCloser.Read(b)
	if err != nil && !errors.Is(err, io.EOF) {
		o.err = err
	}
	return n, err
}

// lineReader reads the lines of a data file, and verifies the file while it reads.
type lineReader struct {
	file   dataFile
	source *origin
	sum    hash.Hash
	packed *gzip.Reader // nil for uncompressed files
	in     *bufio.Reader
	long   []byte // a line that is longer than the buffer
	line   int    // number of the line that was read last
	items  int64
}

func (s *Source) lines(ctx context.Context, f dataFile) (*lineReader, error) {
	r, err := s.openFile(ctx, f)
	if err != nil {
		return nil, err
	}
	l := &lineReader{file: f, source: &origin{ReadCloser: r}, sum: md5.New()} //nolint:gosec // see above
	tee := io.TeeReader(l.source, l.sum)
	switch {
	case strings.HasSuffix(f.Key, ".gz"):
		in := bufio.NewReaderSize(tee, 64<<10)
		if l.packed, err = gzip.NewReader(in); err != nil {
			return nil, errors.Join(l.damaged(err), r.Close())
		}
		l.in = bufio.NewReaderSize(l.packed, 256<<10)
	case strings.HasSuffix(f.Key, ".json"), strings.HasSuffix(f.Key, ".ion"):
		l.in = bufio.NewReaderSize(tee, 256<<10)
	default:
		return nil, errors.Join(&DamageError{fileLabel(f), "the compression of a file of this name is not known; this package reads .gz, .json and .ion"}, r.Close())
	}
	return l, nil
}

func (l *lineReader) close() error { return l.source.Close() }

// next returns the next line that is not blank; it is valid until the next call. It returns io.EOF at the end of a file that
// agrees with its manifest.
func (l *lineReader) next() ([]byte, error) {
	for {
		line, err := l.read()
		if err != nil {
			return nil, err
		}
		if line = bytes.TrimSpace(line); len(line) > 0 {
			l.items++
			return line, nil
		}
	}
}

func (l *lineReader) read() ([]byte, error) {
	line, err := l.in.ReadSlice('\n')
	if errors.Is(err, bufio.ErrBufferFull) {
		l.long = l.long[:0]
		for errors.Is(err, bufio.ErrBufferFull) && len(l.long) <= maxLine {
			l.long = append(l.long, line...)
			line, err = l.in.ReadSlice('\n')
		}
		if line = append(l.long, line...); len(line) > maxLine {
			return nil, &DamageError{fileLabel(l.file), "a line is longer than any item can be"}
		}
		l.long = line
	}
	switch {
	case err == nil || errors.Is(err, io.EOF) && len(line) > 0:
		l.line++
		return line, nil
	case errors.Is(err, io.EOF):
		if err := l.end(); err != nil {
			return nil, err
		}
		return nil, io.EOF
	}
	return nil, l.damaged(err)
}

// end verifies the file after its last line was read.
func (l *lineReader) end() error {
	// Bytes after the compressed data are part of the file.
	if _, err := io.Copy(io.Discard, io.TeeReader(l.source, l.sum)); err != nil {
		return err
	}
	if base64.StdEncoding.EncodeToString(l.sum.Sum(nil)) != l.file.MD5Checksum {
		return &DamageError{fileLabel(l.file), "it does not have the checksum that the manifest names"}
	}
	if l.items != l.file.ItemCount {
		return &DamageError{fileLabel(l.file), "it has another number of items than the manifest names"}
	}
	return nil
}

// damaged returns the error for data that cannot be decompressed. Errors of the source, such as network errors, are returned
// unchanged.
func (l *lineReader) damaged(err error) error {
	if l.source.err != nil {
		return fmt.Errorf("file %s could not be read: %w", fileLabel(l.file), l.source.err)
	}
	var corrupt flate.CorruptInputError
	if errors.Is(err, gzip.ErrHeader) || errors.Is(err, gzip.ErrChecksum) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) || errors.As(err, &corrupt) {
		return &DamageError{fileLabel(l.file), "its compressed data is damaged"}
	}
	return err
}
