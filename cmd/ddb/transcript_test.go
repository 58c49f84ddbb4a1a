// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "update the transcripts")

// TestTranscripts runs the commands of the files in testdata/transcripts, each file on its own tables, and compares their output. A line that
// begins with $ is a command, and one with < is its input. Then come its output, its errors after "! ", and its exit
// status after "? " if it is not 0. Later, @1 is the first position file that was printed.
func TestTranscripts(t *testing.T) {
	files, err := filepath.Glob("testdata/transcripts/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatal("there are no transcripts", err)
	}
	for _, file := range files {
		file, err := filepath.Abs(file)
		if err != nil {
			t.Fatal(err)
		}
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			want, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			got := replay(t, string(want))
			if *update {
				if err := os.WriteFile(file, []byte(got), 0o600); err != nil {
					t.Fatal(err)
				}
				return
			}
			if diff := cmp.Diff(strings.Split(string(want), "\n"), strings.Split(got, "\n")); diff != "" {
				t.Errorf("%s (-want +got; -update accepts it):\n%s", file, diff)
			}
		})
	}
}

// replay runs the commands of a transcript on its own tables, and returns the transcript with their current output.
func replay(t *testing.T, transcript string) string {
	_, server := shop(t, nil)
	t.Chdir(t.TempDir())
	r := replayer{t: t, host: strings.TrimPrefix(server.URL, "http://")}
	return r.play(strings.Split(strings.TrimRight(transcript, "\n"), "\n"))
}

type replayer struct {
	t         *testing.T
	host      string
	positions []string
}

func (r *replayer) play(lines []string) string {
	var out strings.Builder
	for i := 0; i < len(lines); i++ {
		line := lines[i]
		command, ok := strings.CutPrefix(line, "$ ")
		if !ok {
			before := i+1 < len(lines) && (strings.HasPrefix(lines[i+1], "#") || strings.HasPrefix(lines[i+1], "$"))
			if strings.HasPrefix(line, "#") || line == "" && before {
				fmt.Fprintln(&out, line)
			}
			continue
		}
		fmt.Fprintln(&out, line)
		var input strings.Builder
		for i+1 < len(lines) && strings.HasPrefix(lines[i+1], "<") {
			i++
			fmt.Fprintln(&out, lines[i])
			input.WriteString(strings.TrimPrefix(strings.TrimPrefix(lines[i], "<"), " ") + "\n")
		}
		for n, file := range r.positions {
			command = strings.ReplaceAll(command, fmt.Sprintf("@%d", n+1), file)
		}
		text, errs, status := program(r.t, input.String(), words(r.t, command))
		for _, file := range positionFile.FindAllString(errs, -1) {
			if !slices.Contains(r.positions, file) {
				r.positions = append(r.positions, file)
			}
			errs = strings.ReplaceAll(errs, file, fmt.Sprintf("@%d", 1+slices.Index(r.positions, file)))
		}
		if strings.Contains(errs, "secret") {
			r.t.Errorf("%s: the errors show data:\n%s", command, errs)
		}
		if dir, err := os.Getwd(); err == nil {
			errs = strings.ReplaceAll(errs, dir+"/", "")
		}
		errs = compressed.ReplaceAllString(errs, "files, 400 bytes")
		errs = strings.ReplaceAll(errs, r.host, "127.0.0.1:8000")
		out.WriteString(text)
		for e := range strings.Lines(errs) {
			out.WriteString("! " + requestID.ReplaceAllString(elapsed.ReplaceAllString(e, "in 0s"), "(request)"))
		}
		if status != exitDone {
			fmt.Fprintf(&out, "? %d\n", status)
		}
	}
	return out.String()
}

// TestGuide: the transcripts in the guide are up to date.
func TestGuide(t *testing.T) {
	file, err := filepath.Abs("../../docs/guides/command-line.md")
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	_, server := shop(t, nil)
	t.Chdir(t.TempDir())
	r := replayer{t: t, host: strings.TrimPrefix(server.URL, "http://")}
	blocks := 0
	got := consoleBlock.ReplaceAllStringFunc(string(text), func(block string) string {
		blocks++
		inner := strings.TrimSuffix(strings.TrimPrefix(block, "```console\n"), "```")
		return "```console\n" + r.play(strings.Split(strings.TrimRight(inner, "\n"), "\n")) + "```"
	})
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if diff := cmp.Diff(strings.Split(string(text), "\n"), strings.Split(got, "\n")); diff != "" || blocks < 5 {
		t.Errorf("%d transcripts (-want +got; -update accepts it):\n%s", blocks, diff)
	}
}

var (
	positionFile = regexp.MustCompile(`/\S+/ddb/[a-z]+-[a-z0-9]{8}\.json`)
	consoleBlock = regexp.MustCompile("(?s)```console\n.*?```")
	compressed   = regexp.MustCompile(`files, \d+ bytes`) // by the version of Go
	requestID    = regexp.MustCompile(`\(request \w+\)`)
	elapsed      = regexp.MustCompile(`in [0-9.]+m?s`)
)

// program runs ddb in this process, as main does.
func program(t *testing.T, input string, args []string) (out, errs string, status int) {
	t.Helper()
	if len(args) == 0 || args[0] != "ddb" {
		t.Fatalf("the command of a transcript is ddb: %q", args)
	}
	var o, e strings.Builder
	err := run(t.Context(), streams{in: strings.NewReader(input), out: &o, err: &e}, args[1:])
	if err != nil && !errors.Is(err, errShown) {
		fmt.Fprintln(&e, "ddb:", message(err))
	}
	return o.String(), e.String(), exitStatus(err)
}

// words splits a command line as a shell does, with both kinds of quotes.
func words(t *testing.T, line string) (list []string) {
	t.Helper()
	var word strings.Builder
	started, open := false, rune(0)
	for _, r := range line {
		switch {
		case open != 0 && r == open:
			open = 0
		case open != 0:
			word.WriteRune(r)
		case r == '\'' || r == '"':
			open, started = r, true
		case r == ' ':
			if started {
				list = append(list, word.String())
			}
			word.Reset()
			started = false
		default:
			word.WriteRune(r)
			started = true
		}
	}
	if open != 0 {
		t.Fatalf("a quote is not closed: %s", line)
	}
	if started {
		list = append(list, word.String())
	}
	return list
}
