// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bufio"
	"fmt"
	"os"
	"path/filepath"
	"sort"
	"strconv"
	"strings"
)

type blockRange struct {
	first, last int32
	name        Block
}

// load reads the characters of UnicodeData.txt with their blocks. Of large ranges,
// such as the CJK ideographs, the file contains only the first and last row.
func load(dir string) ([]Char, error) {
	blocks, err := loadBlocks(filepath.Join(dir, "Blocks.txt"))
	if err != nil {
		return nil, err
	}
	var chars []Char
	err = lines(filepath.Join(dir, "UnicodeData.txt"), func(f []string) error {
		if len(f) != 15 {
			return fmt.Errorf("%d fields, want 15", len(f))
		}
		code, err := hex(f[0])
		if err != nil {
			return err
		}
		combining, err := strconv.ParseUint(f[3], 10, 8)
		if err != nil {
			return err
		}
		upper, err := hex(f[12])
		if err != nil {
			return err
		}
		lower, err := hex(f[13])
		if err != nil {
			return err
		}
		chars = append(chars, Char{
			Block: blockOf(blocks, code), Code: code, Name: f[1], Category: f[2], Combining: uint8(combining),
			Bidi: f[4], Decompose: f[5], Numeric: f[8], Upper: upper, Lower: lower,
		})
		return nil
	})
	return chars, err
}

func loadBlocks(path string) (blocks []blockRange, err error) {
	err = lines(path, func(f []string) error {
		if len(f) != 2 {
			return fmt.Errorf("%d fields, want 2", len(f))
		}
		from, to, ok := strings.Cut(f[0], "..")
		if !ok {
			return fmt.Errorf("bad range %q", f[0])
		}
		first, err := hex(from)
		if err != nil {
			return err
		}
		last, err := hex(to)
		blocks = append(blocks, blockRange{first, last, Block(f[1])})
		return err
	})
	return blocks, err
}

func blockOf(blocks []blockRange, code int32) Block {
	i := sort.Search(len(blocks), func(i int) bool { return blocks[i].last >= code })
	if i < len(blocks) && blocks[i].first <= code {
		return blocks[i].name
	}
	return "No_Block"
}

// lines calls fn with the fields of each line, except for comments and empty lines.
func lines(path string, fn func(fields []string) error) error {
	file, err := os.Open(path) //nolint:gosec // the user names the folder
	if err != nil {
		return err
	}
	defer file.Close() //nolint:errcheck // only read
	s := bufio.NewScanner(file)
	for n := 1; s.Scan(); n++ {
		text, _, _ := strings.Cut(s.Text(), "#")
		if text = strings.TrimSpace(text); text == "" {
			continue
		}
		fields := strings.Split(text, ";")
		for i := range fields {
			fields[i] = strings.TrimSpace(fields[i])
		}
		if err := fn(fields); err != nil {
			return fmt.Errorf("%s line %d: %w", path, n, err)
		}
	}
	return s.Err()
}

// hex parses a code point; an empty field is zero.
func hex(s string) (int32, error) {
	if s == "" {
		return 0, nil
	}
	n, err := strconv.ParseInt(s, 16, 32)
	return int32(n), err
}
