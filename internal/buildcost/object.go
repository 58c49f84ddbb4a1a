// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"encoding/binary"
	"errors"
)

// Parts of the format of object files since Go 1.20, from cmd/internal/goobj.
const (
	objectMagic = "\x00go120ld"
	firstBlock  = len(objectMagic) + 8 + 4 // the list of blocks, after a fingerprint and flags
	symbolDefs  = 3                        // number of the first block with definitions of symbols
	references  = 7                        // number of the block that follows the last of them
	symbolSize  = 21
	symbolKind  = 10 // offset of a symbol's kind; its name comes first, with a length of zero if it is no real symbol
	text        = 1
	textFIPS    = 2
)

// functionsOf returns the number of functions in an archive of the compiler: the symbols that go tool nm prints as T or t. Building
// that tool takes seconds.
func functionsOf(archive []byte) (count int, err error) {
	const end = "\n!\n" // of the header in plain text
	i := bytes.Index(archive, []byte(end+objectMagic))
	if i < 0 {
		return 0, errors.New("the archive contains no object file of a format since Go 1.20")
	}
	object := archive[i+len(end):]
	offset := func(block int) (int, error) {
		at := firstBlock + 4*block
		if len(object) < at+4 {
			return 0, errTruncated
		}
		n := binary.LittleEndian.Uint32(object[at:])
		if int64(n) > int64(len(object)) {
			return 0, errTruncated
		}
		return int(n), nil
	}
	from, err1 := offset(symbolDefs)
	to, err2 := offset(references)
	if err := errors.Join(err1, err2); err != nil {
		return 0, err
	}
	for ; from+symbolSize <= to; from += symbolSize {
		named := binary.LittleEndian.Uint32(object[from:]) > 0
		if kind := object[from+symbolKind]; named && (kind == text || kind == textFIPS) {
			count++
		}
	}
	return count, nil
}

var errTruncated = errors.New("the object file is truncated")
