// SPDX-License-Identifier: Apache-2.0

//go:build unix

package main

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
)

// A verification of files sends no requests, so it is stopped while it reads a file. A pipe in place of the file shows when it does.
func TestStopVerifyOfFiles(t *testing.T) {
	_, _ = shop(t, nil)
	run := func(ctx context.Context, args ...string) (out, errs string, status int) {
		var o, e strings.Builder
		err := run(ctx, streams{in: strings.NewReader(""), out: &o, err: &e}, args)
		if err != nil && !errors.Is(err, errShown) {
			e.WriteString(message(err))
		}
		return o.String(), e.String(), exitStatus(err)
	}
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, damaged := range []bool{false, true} {
		t.Chdir(t.TempDir())
		if _, errs, status := run(t.Context(), "export", "orders", "backup", "-segments", "4", "-workers", "1"); status != exitDone {
			t.Fatal(errs)
		}
		files, err := filepath.Glob("backup/AWSDynamoDB/*/data/*.gz")
		must(err)
		if len(files) != 4 {
			t.Fatal(files)
		}
		want := exitDone
		if damaged {
			must(os.WriteFile(files[1], []byte("no"), 0o600))
			want = exitFailed
		}
		_, wantText, status := run(t.Context(), "verify", "backup")
		if status != want {
			t.Fatal(status, wantText)
		}
		for i, file := range slices.Backward(files) {
			if damaged && i == 1 {
				continue
			}
			data, err := os.ReadFile(file)
			must(err)
			must(os.Remove(file))
			must(syscall.Mkfifo(file, 0o600))
			ctx, cancel := context.WithCancelCause(t.Context())
			wrote := make(chan error)
			go func() {
				pipe, err := os.OpenFile(file, os.O_WRONLY, 0) // waits until the file is read
				cancel(errors.New("interrupt signal"))
				if err == nil {
					_, err = pipe.Write(data)
					err = errors.Join(err, pipe.Close())
				}
				wrote <- err
			}()
			out, errs, status := run(ctx, "verify", "backup")
			must(<-wrote)
			position := positionFile.FindString(errs)
			if status != exitStopped || position == "" || out != "" {
				t.Fatalf("file %d: status %d, %s", i, status, errs)
			}
			must(os.Remove(file))
			must(os.WriteFile(file, data, 0o600))
			if i == 3 && !damaged { // verified files are not read again
				must(os.Rename(files[0], files[0]+".away"))
			}
			_, errs, status = run(t.Context(), "resume", position)
			if status != want || strings.TrimPrefix(errs, "resume: ") != wantText {
				t.Errorf("file %d: status %d, %s, want %s", i, status, errs, wantText)
			}
			if i == 3 && !damaged {
				must(os.Rename(files[0]+".away", files[0]))
			}
			if _, err := os.Stat(position); !errors.Is(err, os.ErrNotExist) {
				t.Errorf("file %d: the position was not removed: %v", i, err)
			}
		}
	}
}
