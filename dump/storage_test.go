// SPDX-License-Identifier: Apache-2.0

package dump_test

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/dynamotable/ddb/dump"
	"github.com/dynamotable/ddb/dump/dumptest"
)

func TestDir(t *testing.T) {
	t.Parallel()
	dumptest.Run(t, func(t testing.TB) dump.Storage { return dump.Dir(t.TempDir()) })
}

// dropping is a storage whose files break off once, as if the connection was lost.
type dropping struct {
	dump.Reader
	suffix string
	left   int
}

type broken struct {
	io.ReadCloser
	left int
}

func (b *broken) Read(p []byte) (int, error) {
	if b.left == 0 {
		return 0, io.ErrUnexpectedEOF
	}
	n, err := b.ReadCloser.Read(p[:min(len(p), b.left)])
	b.left -= n
	return n, err
}

func (d *dropping) Open(ctx context.Context, name string) (io.ReadCloser, error) {
	r, err := d.Reader.Open(ctx, name)
	if err == nil && strings.HasSuffix(name, d.suffix) && d.left >= 0 {
		r, d.left = &broken{r, d.left}, -1
	}
	return r, err
}

// A lost connection to the storage is not damage: the import ends with its error, and can be resumed at its position.
func TestImportLostConnection(t *testing.T) {
	client := engine(t)
	from, to := newTable(t, client, "from"), newTable(t, client, "copied")
	fill(t, from, 130)
	store, _, _ := exportOf(t, from, dump.Segments(1))
	for _, at := range []int{0, 5, 200, 300} {
		noError(t, to.BatchDelete(t.Context(), keysOf(t, to)))
		src, err := dump.Open(t.Context(), &dropping{store, ".json.gz", at}, "x")
		noError(t, err)
		report, err := dump.Import(t.Context(), src, to)
		if !errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, dump.ErrDamaged) || report.Failed != 0 || report.Position == "" {
			t.Fatalf("after %d bytes: %+v, %v", at, report, err)
		}
		if _, err := dump.Import(t.Context(), src, to, dump.From(report.Position)); err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(contents(t, from), contents(t, to)) {
			t.Errorf("after %d bytes the tables differ", at)
		}
	}
}

// If a process is killed during a write, even the first one, its file does not count as an object: the export of that name
// starts or is resumed, and removes the file when it ends.
func TestExportKilledInWrite(t *testing.T) {
	client := engine(t)
	table := newTable(t, client, "things")
	fill(t, table, 30)
	dir := t.TempDir()
	place := filepath.Join(dir, "AWSDynamoDB", "x")
	noError(t, os.MkdirAll(filepath.Join(place, "data"), 0o700))
	left := []string{filepath.Join(place, ".writing-1"), filepath.Join(place, "data", ".writing-2")}
	for _, file := range left {
		noError(t, os.WriteFile(file, []byte("a part"), 0o600))
	}
	store := dump.Dir(dir)
	if names, err := store.List(t.Context(), ""); err != nil || len(names) > 0 {
		t.Errorf("the storage has %q, %v", names, err)
	}
	_, err := dump.Export(t.Context(), table, store, dump.Name("x"))
	noError(t, err)
	src, err := dump.Open(t.Context(), store, "x")
	noError(t, err)
	noError(t, dump.Verify(t.Context(), src))
	for _, file := range left {
		if _, err := os.Stat(file); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s is still there: %v", filepath.Base(file), err)
		}
	}
}

// A state without maps is that of an export that has done nothing.
func TestExportStateWithoutMaps(t *testing.T) {
	client := engine(t)
	table := newTable(t, client, "things")
	fill(t, table, 30)
	store := dump.Dir(t.TempDir())
	noError(t, store.Write(t.Context(), "AWSDynamoDB/x/_resume.json", []byte(`{"version":1,"table":"things","started":"2026-01-01T00:00:00Z","segments":2,"cursors":null}`)))
	report, err := dump.Export(t.Context(), table, store, dump.Name("x"))
	noError(t, err)
	if report.Items != 30 {
		t.Errorf("the report is %+v", report)
	}
}
