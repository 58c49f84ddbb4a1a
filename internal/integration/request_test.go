// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bufio"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// Each line of a file is an operation and its parameters; both engines get
// them in order. Repeated text is written {{text*count}}.
//
// A line that begins with = precedes a request to which the second engine
// gives another answer than the service does; it is a part of our answer.
func TestRequests(t *testing.T) {
	files, err := filepath.Glob(filepath.Join("testdata", "requests", "*.txt"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no requests: %v", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			p := newPair(t)
			f, err := os.Open(file)
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = f.Close() }() // only read
			lines := bufio.NewScanner(f)
			lines.Buffer(nil, 1<<20)
			number, count, want := 0, 0, ""
			for lines.Scan() {
				number++
				line := lines.Text()
				if line == "" || line[0] == '#' {
					continue
				}
				if line[0] == '=' {
					want = line[1:]
					continue
				}
				operation, body, ok := strings.Cut(line, " ")
				if !ok {
					t.Fatalf("line %d has no parameters", number)
				}
				count++
				if want != "" {
					ours, _ := p.ask(t, operation, repeated(t, body))
					if !strings.Contains(ours.String(), want) {
						t.Errorf("line %d: %s %s\n  ours %s\n  want %s", number, operation, body, shortened(ours.String()), want)
					}
					want = ""
					continue
				}
				if diff := p.compare(t, operation, repeated(t, body)); diff != "" {
					t.Errorf("line %d: %s", number, diff)
				}
			}
			if err := lines.Err(); err != nil {
				t.Fatal(err)
			}
			t.Logf("%d requests", count)
		})
	}
}

var repetition = regexp.MustCompile(`\{\{(.+?)\*(\d+)\}\}`)

// repeated expands {{text*count}}; a # in text is the number of the copy, from 0.
func repeated(t *testing.T, s string) string {
	t.Helper()
	return repetition.ReplaceAllStringFunc(s, func(part string) string {
		m := repetition.FindStringSubmatch(part)
		n, err := strconv.Atoi(m[2])
		if err != nil {
			t.Fatal(err)
		}
		var b strings.Builder
		for i := range n {
			b.WriteString(strings.ReplaceAll(m[1], "#", strconv.Itoa(i)))
		}
		return b.String()
	})
}
