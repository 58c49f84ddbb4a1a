// SPDX-License-Identifier: Apache-2.0

package eventstore

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"slices"
)

// Compressor compresses the data of events. Package payload and payload/zstd provide implementations.
type Compressor interface {
	// Name is stored with the compressed data and must not change. It has 1 to 16 lower-case letters and digits.
	Name() string
	Compress(data []byte) ([]byte, error)
	// Decompress must not return more than size bytes, nor use much more memory.
	Decompress(data []byte, size int64) ([]byte, error)
}

// Compress compresses the data of events that have at least min bytes (0 means 1 KB) if that makes them smaller. It happens before encryption and
// offloading. The first compressor is used for writing, all of them for reading; without any it is [Gzip]. The option can be added to a store that has events. Gzip
// data is read
// without the option; other compressors must be given as long as there are events compressed with them.
//
// It is meant for data of many KB, such as documents: a write unit covers one KB. Someone who can choose a part of the data and see its compressed size may guess
// the rest: do not
// compress secrets together with data that others choose.
func Compress(atLeast int, compressors ...Compressor) Option {
	return func(o *options) error {
		if o.compressFrom = atLeast; atLeast == 0 {
			o.compressFrom = 1 << 10
		}
		if o.compressors = compressors; len(compressors) == 0 {
			o.compressors = []Compressor{Gzip()}
		}
		var errs []error
		if atLeast < 0 {
			errs = append(errs, fmt.Errorf("option Compress: %d bytes; it takes 0 or more", atLeast))
		}
		seen := make(map[string]bool)
		for _, c := range compressors {
			if c == nil || !isCompressorName(c.Name()) || seen[c.Name()] {
				errs = append(errs, errors.New("option Compress: a compressor is nil, has no name of 1 to 16 lower-case letters and digits, or is given twice"))
				continue
			}
			seen[c.Name()] = true
		}
		return errors.Join(errs...)
	}
}

func isCompressorName(name string) bool {
	return name != "" && len(name) <= 16 && !slices.ContainsFunc([]byte(name), func(b byte) bool { return (b < 'a' || b > 'z') && (b < '0' || b > '9') })
}

// Gzip is the compression of compress/gzip.
func Gzip() Compressor { return gzipped{} }

type gzipped struct{}

func (gzipped) Name() string { return "gzip" }

func (gzipped) Compress(data []byte) ([]byte, error) {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	if _, err := w.Write(data); err != nil {
		return nil, err
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

func (gzipped) Decompress(data []byte, size int64) ([]byte, error) {
	r, err := gzip.NewReader(bytes.NewReader(data))
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	if _, err := io.Copy(&b, io.LimitReader(r, size+1)); err != nil {
		return nil, err
	}
	if int64(b.Len()) > size {
		return nil, fmt.Errorf("there are more than %d bytes", size)
	}
	return b.Bytes(), nil
}

// compress compresses the data of an event if the option is given and the result is smaller.
func (s *Store) compress(f *framed) error {
	if len(s.o.compressors) == 0 || len(f.Data) < s.o.compressFrom || len(f.Data) == 0 {
		return nil
	}
	c := s.o.compressors[0]
	small, err := c.Compress(f.Data)
	if err != nil {
		return fmt.Errorf("append: compress with %s: %w", c.Name(), err)
	}
	if len(small) < len(f.Data) {
		f.Zip, f.Size, f.Data = c.Name(), int64(len(f.Data)), small
	}
	return nil
}

// decompress restores the data of an event. Gzip needs no option.
func (s *Store) decompress(e *Event) error {
	i := slices.IndexFunc(s.o.compressors, func(c Compressor) bool { return c.Name() == e.form.zip })
	var c Compressor
	switch {
	case i >= 0:
		c = s.o.compressors[i]
	case e.form.zip == Gzip().Name():
		c = Gzip()
	default:
		return fmt.Errorf("read: data of version %d are compressed with %s; the option Compress is missing", e.Version, e.form.zip)
	}
	plain, err := c.Decompress(e.Data, e.form.size)
	if err != nil || int64(len(plain)) != e.form.size {
		return errors.Join(fmt.Errorf("read: data of version %d are not what was compressed with %s", e.Version, e.form.zip), err)
	}
	e.Data = plain
	return nil
}
