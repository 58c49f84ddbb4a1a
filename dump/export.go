// SPDX-License-Identifier: Apache-2.0

package dump

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/dynamotable/ddb"
	"github.com/dynamotable/ddb/progress"
	"github.com/dynamotable/ddb/rawitem"
	"github.com/dynamotable/ddb/rawtable"
	"github.com/dynamotable/ddb/sweep"
)

// Option is an option of [Export], [Import] and [Copy], and of [Verify], [CompareTables] and [CompareExport].
type Option func(*settings)

type settings struct {
	name     string
	segments int
	workers  int
	fileSize int
	now      func() time.Time

	onlyMissing bool
	onlyOlder   *string // the attribute; nil without the option
	position    string
	onPosition  func(func() string)
	onFailure   func(*LineError)
}

const (
	defaultWorkers  = 8
	mostWorkers     = 64
	mostSegments    = 4096
	defaultFileSize = 16 << 20
	segmentBytes    = 64 << 20
)

// Name sets the folder of an export below AWSDynamoDB. If an export with this name was stopped, it is resumed. Without this
// option an export gets a new name, which is in the report.
func Name(name string) Option { return func(s *settings) { s.name = name } }

// Segments sets the number of segments in which a table is read, 1 to 4,096; each becomes one file or more. The default is one
// segment for each 64 MB of the table, and at least the number of workers. A resumed export keeps the number that it was started
// with.
func Segments(n int) Option { return func(s *settings) { s.segments = n } }

// Workers sets the number of segments or files that are processed at the same time, 1 to 64. The default is 8. Each needs memory
// for a file of [FileSize].
func Workers(n int) Option { return func(s *settings) { s.workers = n } }

// FileSize sets the compressed size, in bytes, at which a data file ends and the next one begins. The default is 16 MB. An export
// that is resumed reads again the items of incomplete files.
func FileSize(bytes int) Option { return func(s *settings) { s.fileSize = bytes } }

// Clock sets the clock of [Export], for tests.
func Clock(now func() time.Time) Option { return func(s *settings) { s.now = now } }

func settingsOf(opts []Option) (settings, error) {
	s := settings{workers: defaultWorkers, fileSize: defaultFileSize, now: time.Now}
	var errs []error
	for _, o := range opts {
		if o == nil {
			errs = append(errs, errors.New("an option is nil"))
			continue
		}
		o(&s)
	}
	if s.name != "" && (path.Base(s.name) != s.name || !fs.ValidPath(s.name) || s.name == "." || s.name == dataFolder) {
		errs = append(errs, errors.New("the name of an export is one folder"))
	}
	if s.segments < 0 || s.segments > mostSegments {
		errs = append(errs, fmt.Errorf("%d segments: must be 1 to %d", s.segments, mostSegments))
	}
	if s.workers < 1 || s.workers > mostWorkers {
		errs = append(errs, fmt.Errorf("%d workers: must be 1 to %d", s.workers, mostWorkers))
	}
	if s.fileSize < 1 {
		errs = append(errs, fmt.Errorf("files of %d bytes: must be 1 or more", s.fileSize))
	}
	if s.now == nil {
		errs = append(errs, errors.New("the clock is nil"))
	}
	switch {
	case s.onlyOlder == nil:
	case *s.onlyOlder == "":
		errs = append(errs, errors.New("OnlyOlder without an attribute"))
	case s.onlyMissing:
		errs = append(errs, errors.New("OnlyMissing together with OnlyOlder, which writes missing items too"))
	}
	if errs != nil {
		return s, &ddb.InvalidError{Problems: errs}
	}
	return s, nil
}

// Report describes what a call has done, even if it ended with an error.
type Report struct {
	// Name is the folder of the export below AWSDynamoDB.
	Name string
	// Items were exported or written, Deleted were deleted, and Kept were left unchanged because of the condition of an import.
	Items, Deleted, Kept int64
	// Failed is the number of bad lines and of items that could not be written.
	Failed int64
	// Files and Bytes are the number and compressed size of the files of the export.
	Files int
	Bytes int64
	// Position is where a stopped import or copy is resumed; see [From]. It is empty if everything is done.
	Position string
}

// state is the progress of an export, stored in a file, from which it is resumed.
type state struct {
	Version  int            `json:"version"`
	Table    string         `json:"table"`
	Started  time.Time      `json:"started"`
	Segments int            `json:"segments"`
	Files    []stateFile    `json:"files"`
	Cursors  map[int]string `json:"cursors"`
	Done     map[int]bool   `json:"done"`
}

type stateFile struct {
	Segment int `json:"segment"`
	dataFile
	Bytes int64 `json:"bytes"`
}

const stateName = "_resume.json"

// exporter is one call of Export.
type exporter struct {
	settings
	table *rawtable.Table
	scan  *ddb.ScanSegments[rawitem.Item]
	store Storage
	dir   string
	task  *progress.Task

	earlier int64 // items of the earlier calls of a resumed export

	mu    sync.Mutex
	state state
}

// Export writes all items of a table as a full export, in DynamoDB's JSON, compressed with gzip. Each segment of the table
// becomes one file, or several of [FileSize]; the manifests are written last. It reads eventually consistently, page by page. So
// the export does not show the table at a single moment, as an export of DynamoDB with point-in-time recovery does. It has each
// item as it was when it was read, between the start and the end in the manifest. An item that exists during the whole export is
// in it exactly once.
//
// If an export of the same [Name] was stopped, by an error, a cancelled context or a kill at any moment, it is resumed after the
// last complete file. The resulting set of items is the same as without the interruption. While the export is in progress, the
// folder contains the file _resume.json, which contains keys of items. If the export is already complete, the error matches
// [fs.ErrExist].
//
// When DynamoDB throttles it, it waits and goes on, for half a minute without an answer; see [sweep.ReadPage]. It needs the
// permissions of a scan, and costs half a read unit for each 4 KB of the table.
func Export(ctx context.Context, table *rawtable.Table, to Storage, opts ...Option) (Report, error) {
	s, err := settingsOf(opts)
	if err == nil && (table == nil || table.RawTable == nil || to == nil) {
		err = invalid("the table or the storage is nil")
	}
	if err != nil {
		return Report{}, fmt.Errorf("dump: Export: %w", err)
	}
	ctx, task := progress.Start(ctx, "export of "+table.Name())
	defer task.Stop("it ended with a panic") // no effect if it has ended before
	e := &exporter{settings: s, table: table, store: to, task: task}
	err = e.run(ctx)
	if err != nil {
		err = fmt.Errorf("dump: Export of table %s: %w", table.Name(), err)
	}
	task.End(err)
	return e.report(), err
}

func (e *exporter) report() Report {
	e.mu.Lock()
	defer e.mu.Unlock()
	r := Report{Name: path.Base(e.dir), Files: len(e.state.Files)}
	for _, f := range e.state.Files {
		r.Items += f.ItemCount
		r.Bytes += f.Bytes
	}
	return r
}

func (e *exporter) run(ctx context.Context) error {
	var err error
	if e.scan, err = ddb.SegmentsOf(e.table.Scan()); err != nil {
		return err
	}
	if e.name == "" {
		e.name = fmt.Sprintf("%014d-%s", e.now().UnixMilli(), rand.Text()[:8])
	}
	e.dir = path.Join(root, e.name)
	if err := e.begin(ctx); err != nil {
		return err
	}
	if err := e.segmentsLeft(ctx); err != nil {
		return err
	}
	return e.finish(ctx)
}

// begin reads the state of a stopped export, or starts a new one.
func (e *exporter) begin(ctx context.Context) error {
	data, err := readAll(ctx, e.store, path.Join(e.dir, stateName))
	switch {
	case err == nil:
		if err := json.Unmarshal(data, &e.state); err != nil || e.state.Version != 1 || e.state.Segments < 1 || e.state.Segments > mostSegments {
			return fmt.Errorf("the state of the stopped export, %s, cannot be read; remove its folder to begin again", stateName)
		}
		if e.state.Table != e.table.Name() {
			return errors.New("the stopped export of this name is of another table")
		}
		if e.state.Cursors == nil {
			e.state.Cursors = map[int]string{}
		}
		if e.state.Done == nil {
			e.state.Done = map[int]bool{}
		}
		if e.segments != 0 && e.segments != e.state.Segments {
			return fmt.Errorf("the stopped export has %d segments; leave the option Segments out", e.state.Segments)
		}
		for _, f := range e.state.Files {
			e.earlier += f.ItemCount
		}
		e.expect()
		return nil
	case !errors.Is(err, fs.ErrNotExist):
		return err
	}
	there, err := e.store.List(ctx, e.dir+"/")
	if err != nil {
		return err
	}
	if len(there) > 0 {
		return fmt.Errorf("there is something of this name, which is no stopped export: %w", fs.ErrExist)
	}
	d := e.table.Description()
	n := e.segments
	if n == 0 {
		n = e.workers
		if d.TableSizeBytes != nil {
			n = min(max(n, int(*d.TableSizeBytes/segmentBytes)), mostSegments)
		}
	}
	e.state = state{Version: 1, Table: e.table.Name(), Started: e.now().UTC(), Segments: n, Cursors: map[int]string{}, Done: map[int]bool{}}
	e.expect()
	return e.save(ctx)
}

// expect sets the expected totals of the task. DynamoDB updates the number of items about every six hours; the exact number is
// known at the end.
func (e *exporter) expect() {
	e.task.Parts(e.state.Segments, len(e.state.Done))
	if n := e.table.Description().ItemCount; n != nil {
		e.task.Total(max(0, *n-e.earlier))
	}
}

// save writes the state. The caller holds the lock, or there is no other goroutine.
func (e *exporter) save(ctx context.Context) error {
	data, err := json.Marshal(e.state)
	if err != nil {
		return err
	}
	return e.store.Write(ctx, path.Join(e.dir, stateName), data)
}

func (e *exporter) segmentsLeft(ctx context.Context) error {
	var left []int
	for i := range e.state.Segments {
		if !e.state.Done[i] {
			left = append(left, i)
		}
	}
	return each(ctx, e.workers, left, e.segment)
}

// each processes a list with a number of workers. It returns the first error, which also stops the other workers.
func each[E any](ctx context.Context, workers int, list []E, work func(context.Context, E) error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	next := make(chan E, len(list))
	for _, e := range list {
		next <- e
	}
	close(next)
	var all sync.WaitGroup
	for range min(workers, len(list)) {
		all.Go(func() {
			for e := range next {
				err := ctx.Err()
				if err == nil {
					err = work(ctx, e)
				}
				if err != nil {
					cancel(err)
					return
				}
			}
		})
	}
	all.Wait()
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return nil
}

// segment reads a segment from the end of its files to its end.
func (e *exporter) segment(ctx context.Context, number int) error {
	e.mu.Lock()
	total, after, file := e.state.Segments, e.state.Cursors[number], 0
	whole := after == ""
	for _, f := range e.state.Files {
		if f.Segment == number {
			file++
		}
	}
	e.mu.Unlock()
	var (
		packed bytes.Buffer
		zip    = gzip.NewWriter(&packed)
		items  int64
		line   []byte
	)
	for {
		page, err := sweep.ReadPage(ctx, e.scan, number, total, after)
		if err != nil {
			return err
		}
		for _, i := range page.Items {
			line = append(append(append(line[:0], itemHead...), i.JSON()...), "}\n"...)
			if _, err := zip.Write(line); err != nil {
				return err
			}
		}
		items += int64(len(page.Items))
		e.task.Items(int64(len(page.Items)))
		e.task.Work(number, float64(len(page.Items)))
		after = page.Next.String()
		if after != "" && packed.Len() < e.fileSize {
			continue
		}
		if err := zip.Close(); err != nil {
			return err
		}
		if err := e.file(ctx, number, file, items, packed.Bytes(), after); err != nil {
			return err
		}
		if after == "" {
			e.task.PartDone(number, whole)
			return nil
		}
		packed.Reset()
		zip.Reset(&packed)
		items = 0
		file++
	}
}

// file writes a data file, and then the state that makes it part of the export.
func (e *exporter) file(ctx context.Context, segment, file int, items int64, data []byte, after string) error {
	key := path.Join(e.dir, dataFolder, fmt.Sprintf("segment-%04d-%04d.json.gz", segment, file))
	if err := e.store.Write(ctx, key, data); err != nil {
		return err
	}
	f := stateFile{segment, dataFile{ItemCount: items, MD5Checksum: checksum(data), ETag: etag(data), Key: key}, int64(len(data))}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.state.Files = append(e.state.Files, f)
	if after == "" {
		delete(e.state.Cursors, segment)
		e.state.Done[segment] = true
	} else {
		e.state.Cursors[segment] = after
	}
	// If saving fails, a resumed export starts from the stored state, whether it is the old or the new one, and reads the items
	// again if necessary.
	return e.save(ctx)
}

// finish writes the manifests and removes the state.
func (e *exporter) finish(ctx context.Context) error {
	var list bytes.Buffer
	total := int64(0)
	for _, f := range e.state.Files {
		line, err := json.Marshal(f.dataFile)
		if err != nil {
			return err
		}
		list.Write(append(line, '\n'))
		total += f.ItemCount
	}
	e.task.Total(total - e.earlier)
	d := e.table.Description()
	began := e.state.Started.Format(time.RFC3339Nano)
	s := summary{
		Version: layout, TableArn: aws.ToString(d.TableArn), TableID: aws.ToString(d.TableId), ExportArn: aws.ToString(d.TableArn) + "/export/" + e.name,
		StartTime: began, EndTime: e.now().UTC().Format(time.RFC3339Nano), ExportTime: began, ItemCount: total,
		ManifestFiles: path.Join(e.dir, filesName), OutputFormat: dynamoDBJSON, ExportType: fullExport,
	}
	head, err := json.Marshal(s)
	if err != nil {
		return err
	}
	for _, o := range []struct {
		name string
		data []byte
	}{
		{startedName, nil},
		{filesName, list.Bytes()},
		{"manifest-files.md5", []byte(checksum(list.Bytes()))},
		{"manifest-summary.md5", []byte(checksum(head))},
		{summaryName, head}, // last: an export is complete when this file exists
	} {
		if err := e.store.Write(ctx, path.Join(e.dir, o.name), o.data); err != nil {
			return err
		}
	}
	if f, ok := e.store.(folder); ok {
		if err := f.clean(ctx, e.dir); err != nil {
			return err
		}
	}
	return e.store.Remove(ctx, path.Join(e.dir, stateName))
}
