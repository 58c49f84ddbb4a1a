// SPDX-License-Identifier: Apache-2.0

package main

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// position is where a command was when it ended, in a file. It holds the key of an item, so only its owner may read the file.
type position struct {
	Version int             `json:"version"`
	Args    []string        `json:"args"`    // the command line
	Dir     string          `json:"dir"`     // the folder in which it was run
	Service string          `json:"service"` // and the tables; see placeOf
	At      json.RawMessage `json:"at"`      // what the command needs
	file    string
}

const positionVersion = 1

// resume is no variable, because it runs the other commands.
func resume() command {
	return command{
		name:  "resume",
		args:  "FILE",
		brief: "continue a command that was stopped",
		long: `
A command that is stopped, fails or has spent its budget writes its position to a file, and prints the command that continues. It continues with the
same flags; a budget starts again. When everything is done the file is removed.`,
		prepare: func(*flag.FlagSet) action {
			return func(ctx context.Context, s streams, args []string) error {
				if len(args) != 1 {
					return usageError("resume: name the file of one position")
				}
				p, err := readPosition(args[0])
				if err != nil {
					return err
				}
				if err := os.Chdir(p.Dir); err != nil {
					return err
				}
				s.from, s.args = p, p.Args
				err = run(ctx, s, p.Args)
				if !isFinished(err) {
					return err
				}
				return errors.Join(err, remove(p.file))
			}
		},
	}
}

// isFinished reports whether a command has nothing to go on with: all was done, or a part was done and the rest is named, or a check has found something.
func isFinished(err error) bool {
	_, stopped := errors.AsType[*interrupted](err)
	_, checked := errors.AsType[found](err)
	return !stopped && (err == nil || checked || errors.Is(err, errPartly))
}

// remove removes a file that may not be there.
func remove(file string) error {
	if err := os.Remove(file); !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return nil
}

// finished removes the position of -position when the command has finished. Otherwise a later resume would do the end once more. A file that
// holds anything else stays.
func finished(file string, err error) error {
	if file == "" || !isFinished(err) {
		return err
	}
	if data, no := os.ReadFile(file); no != nil || positionIn(data) == nil {
		return err
	}
	return errors.Join(err, remove(file))
}

// positionIn is the position that a file holds, of any version; nil if it holds anything else.
func positionIn(data []byte) *position {
	var p position
	if json.Unmarshal(data, &p) != nil || p.Version == 0 || len(p.Args) == 0 {
		return nil
	}
	return &p
}

func readPosition(file string) (*position, error) {
	file, err := filepath.Abs(file)
	if err != nil {
		return nil, err
	}
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	p := positionIn(data)
	if p == nil {
		return nil, fmt.Errorf("%s is not a position of ddb", file)
	}
	p.file = file
	if p.Version != positionVersion {
		return nil, fmt.Errorf("%s is of another version of ddb", file)
	}
	if c, _ := find(p.Args); c == nil || c.name == "resume" {
		return nil, fmt.Errorf("%s contains no command of ddb", file)
	}
	return p, nil
}

// restore puts what the position keeps into to, if there is a position. The service and tables are those that the command has now.
func (s streams) restore(service string, to any) error {
	if s.from == nil {
		return nil
	}
	if s.from.Service != service {
		return fmt.Errorf("the position belongs to %s, but the command would use %s", s.from.Service, service)
	}
	if err := json.Unmarshal(s.from.At, to); err != nil {
		return fmt.Errorf("%s is not a position of this command", s.from.file)
	}
	return nil
}

// saver saves positions in the file of -position, while a command runs.
type saver struct {
	streams
	file, service string // no file to save none
	last          time.Time
	err           error // the first
}

// due reports whether a position is to be saved: a second after the one before.
func (w *saver) due() bool { return w.file != "" && time.Since(w.last) >= time.Second }

// save saves the position now, or if it is due.
func (w *saver) save(at any, now bool) {
	if w.file == "" || !now && !w.due() {
		return
	}
	w.last = time.Now()
	_, err := w.streams.save(w.file, w.service, at)
	w.err = cmp.Or(w.err, err)
}

// save writes a position to a file, whole or not at all. Without a name it is the file of the run before, or one in the user's cache.
func (s streams) save(file, service string, at any) (string, error) {
	state, err := json.Marshal(at)
	if err != nil {
		return "", err
	}
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	data, err := json.Marshal(position{Version: positionVersion, Args: s.args, Dir: dir, Service: service, At: state})
	if err != nil {
		return "", err
	}
	switch {
	case file != "":
	case s.from != nil:
		file = s.from.file
	default:
		dir, err := os.UserCacheDir()
		if err != nil {
			return "", err
		}
		file = filepath.Join(dir, "ddb", s.args[0]+"-"+strings.ToLower(rand.Text()[:8])+".json")
	}
	if file, err = filepath.Abs(file); err != nil {
		return "", err
	}
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		return "", err
	}
	part, err := os.CreateTemp(filepath.Dir(file), ".ddb-*") // readable only by its owner
	if err != nil {
		return "", err
	}
	_, err = part.Write(append(data, '\n'))
	err = errors.Join(err, part.Sync(), part.Close())
	if err == nil {
		err = os.Rename(part.Name(), file)
	}
	if err != nil {
		return "", errors.Join(err, os.Remove(part.Name()))
	}
	return file, nil
}

// interrupted is a command that ended before its end and can go on.
type interrupted struct {
	cause error
	file  string // of the position
}

func (e *interrupted) advice() string { return "go on with: ddb resume " + quote(e.file) }
func (e *interrupted) Error() string  { return e.cause.Error() + "\n" + e.advice() }
func (e *interrupted) Unwrap() error  { return e.cause }

// interrupt saves the position of a command that ended with an error.
func (s streams) interrupt(cause error, file, service string, at any) error {
	file, err := s.save(file, service, at)
	if err != nil {
		return errors.Join(cause, fmt.Errorf("the position was not saved: %w", err))
	}
	return &interrupted{cause, file}
}

// quote is a word for a shell.
func quote(word string) string {
	plain := func(r rune) bool {
		return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("-_./=:,+@%", r)
	}
	if word != "" && !slices.ContainsFunc([]rune(word), func(r rune) bool { return !plain(r) }) {
		return word
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}
