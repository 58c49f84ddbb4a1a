// SPDX-License-Identifier: Apache-2.0

package dump

import (
	"bytes"
	"context"
	"crypto/md5" //nolint:gosec // the layout's checksum, which guards against damage, not against people
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"strings"
	"time"
)

// Names of the layout.
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/S3DataExport.Output.html
const (
	root         = "AWSDynamoDB"
	summaryName  = "manifest-summary.json"
	filesName    = "manifest-files.json"
	startedName  = "_started"
	dataFolder   = "data"
	layout       = "2020-06-30"
	fullExport   = "FULL_EXPORT"
	incremental  = "INCREMENTAL_EXPORT"
	dynamoDBJSON = "DYNAMODB_JSON"
	ionText      = "ION"
)

// summary is manifest-summary.json.
type summary struct {
	Version       string `json:"version"`
	ExportArn     string `json:"exportArn"`
	StartTime     string `json:"startTime"`
	EndTime       string `json:"endTime"`
	TableArn      string `json:"tableArn"`
	TableID       string `json:"tableId"`
	ExportTime    string `json:"exportTime,omitempty"`
	FromTime      string `json:"exportFromTime,omitempty"`
	ToTime        string `json:"exportToTime,omitempty"`
	Bucket        string `json:"s3Bucket"`
	Prefix        string `json:"s3Prefix"`
	ManifestFiles string `json:"manifestFilesS3Key"`
	BilledSize    int64  `json:"billedSizeBytes"`
	ItemCount     int64  `json:"itemCount"`
	OutputFormat  string `json:"outputFormat"`
	ExportType    string `json:"exportType,omitempty"`
	OutputView    string `json:"outputView,omitempty"`
}

// dataFile is a line of manifest-files.json.
type dataFile struct {
	ItemCount   int64  `json:"itemCount"`
	MD5Checksum string `json:"md5Checksum"`
	ETag        string `json:"etag"`
	Key         string `json:"dataFileS3Key"`
}

// Source is an export that is whole: its manifests were read and checked against their checksums. It is immutable and safe for concurrent use.
type Source struct {
	store   Reader
	dir     string // of the manifests
	summary summary
	files   []dataFile
	from    time.Time
	to      time.Time
}

// Format prints how many files the export has, whatever the verb.
func (s Source) Format(f fmt.State, _ rune) {
	_, _ = fmt.Fprintf(f, "dump.Source of %d files", len(s.files))
}

// orNone is the source, or one without files for nil.
func (s *Source) orNone() *Source {
	if s == nil {
		return &Source{}
	}
	return s
}

// Items is how many items, or changed items, the export has by its manifest.
func (s *Source) Items() int64 { return s.orNone().summary.ItemCount }

// Files is how many data files it has.
func (s *Source) Files() int { return len(s.orNone().files) }

// Incremental reports whether it has the changes of a time span, and not a whole table.
func (s *Source) Incremental() bool { return s.orNone().summary.ExportType == incremental }

// Span is the time span of an incremental export, from inclusive and to exclusive. Of a full export both are the time that it shows; of one of
// [Export], the time at which it began.
func (s *Source) Span() (from, to time.Time) { return s.orNone().from, s.orNone().to }

// Table is the ARN of the exported table.
func (s *Source) Table() string { return s.orNone().summary.TableArn }

// Open reads the manifests of an export, of DynamoDB or of [Export]. name is the folder in AWSDynamoDB, such as
// 01700000000000-abcdefgh; it may be empty if there is only one export, or if store is that folder itself. An export that was stopped before its end has no
// manifest: its error matches [fs.ErrNotExist]. Manifests that do not fit their checksums, or are of a form that is not known, are refused.
func Open(ctx context.Context, store Reader, name string) (*Source, error) {
	s, err := open(ctx, store, name)
	if err != nil {
		return nil, fmt.Errorf("dump: Open: %w", err)
	}
	return s, nil
}

func open(ctx context.Context, store Reader, name string) (*Source, error) {
	if store == nil {
		return nil, errors.New("the storage is nil")
	}
	dir, err := manifestFolder(ctx, store, name)
	if err != nil {
		return nil, err
	}
	s := &Source{store: store, dir: dir}
	data, err := s.manifest(ctx, summaryName)
	if err != nil {
		return nil, err
	}
	if err := json.Unmarshal(data, &s.summary); err != nil {
		return nil, fmt.Errorf("%s: it is no JSON of the layout", summaryName)
	}
	if err := s.checkSummary(); err != nil {
		return nil, fmt.Errorf("%s: %w", summaryName, err)
	}
	if data, err = s.manifest(ctx, filesName); err != nil {
		return nil, err
	}
	d := json.NewDecoder(bytes.NewReader(data))
	for line := 1; ; line++ {
		var f dataFile
		if err := d.Decode(&f); errors.Is(err, io.EOF) {
			break
		} else if err != nil || f.Key == "" || f.ItemCount < 0 {
			return nil, fmt.Errorf("%s: entry %d is not of the layout", filesName, line)
		}
		s.files = append(s.files, f)
	}
	return s, nil
}

func (s *Source) checkSummary() (err error) {
	if s.summary.Version != layout {
		return fmt.Errorf("version %q is not known; this package reads %s", s.summary.Version, layout)
	}
	switch s.summary.OutputFormat {
	case dynamoDBJSON, ionText:
	default:
		return fmt.Errorf("format %q is not known; this package reads DYNAMODB_JSON and ION", s.summary.OutputFormat)
	}
	times := func(texts ...*string) (t []time.Time) {
		for _, text := range texts {
			at, problem := time.Parse(time.RFC3339Nano, *text)
			if problem != nil && *text != "" {
				err = errors.Join(err, errors.New("a time of the export is not RFC 3339"))
			}
			t = append(t, at)
		}
		return t
	}
	switch s.summary.ExportType {
	case "", fullExport:
		t := times(&s.summary.ExportTime)
		s.from, s.to = t[0], t[0]
	case incremental:
		t := times(&s.summary.FromTime, &s.summary.ToTime)
		if s.from, s.to = t[0], t[1]; err == nil && !s.from.Before(s.to) {
			err = errors.New("the time span of the incremental export is empty")
		}
	default:
		err = fmt.Errorf("export type %q is not known", s.summary.ExportType)
	}
	return err
}

// manifestFolder finds the folder that the manifests are in.
func manifestFolder(ctx context.Context, store Reader, name string) (string, error) {
	if name != "" {
		if path.Base(name) != name {
			return "", errors.New("the name of an export is the one folder below AWSDynamoDB that it is in")
		}
		return path.Join(root, name), nil
	}
	if r, err := store.Open(ctx, summaryName); err == nil {
		return "", r.Close()
	}
	names, err := store.List(ctx, root+"/")
	if err != nil {
		return "", err
	}
	var found []string
	for _, n := range names {
		if path.Base(n) == summaryName {
			found = append(found, path.Dir(n))
		}
	}
	switch len(found) {
	case 0:
		return "", fmt.Errorf("there is no export that is whole: %w", fs.ErrNotExist)
	case 1:
		return found[0], nil
	}
	return "", fmt.Errorf("there are %d exports; give the name of one", len(found))
}

// manifest reads a manifest and compares it with its checksum. DynamoDB's guide calls the file of the checksum .checksum, and the service writes
// .md5; one of them must be there.
func (s *Source) manifest(ctx context.Context, name string) ([]byte, error) {
	data, err := readAll(ctx, s.store, path.Join(s.dir, name))
	if err != nil {
		return nil, err
	}
	base := strings.TrimSuffix(name, ".json")
	for _, sum := range []string{base + ".md5", base + ".checksum"} {
		want, err := readAll(ctx, s.store, path.Join(s.dir, sum))
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, err
		}
		if strings.TrimSpace(string(want)) != checksum(data) {
			return nil, &DamageError{File: name, reason: "it does not have the checksum of " + sum}
		}
		return data, nil
	}
	return nil, &DamageError{File: name, reason: "its checksum, " + base + ".md5, is missing"}
}

func readAll(ctx context.Context, store Reader, name string) ([]byte, error) {
	r, err := store.Open(ctx, name)
	if err != nil {
		return nil, err
	}
	data, err := io.ReadAll(r)
	return data, errors.Join(err, r.Close())
}

func checksum(data []byte) string {
	sum := md5.Sum(data) //nolint:gosec // see above
	return base64.StdEncoding.EncodeToString(sum[:])
}

func etag(data []byte) string {
	sum := md5.Sum(data) //nolint:gosec // see above
	return hex.EncodeToString(sum[:])
}

// place are the names that a data file may have in the storage: its key as it was in the bucket, or where it lies next to the manifests when an
// export was copied from its bucket with another prefix.
func (s *Source) places(f dataFile) []string {
	names := []string{f.Key}
	if _, below, ok := cutLast(f.Key, root+"/"); ok {
		if s.dir != "" {
			names = append(names, path.Join(path.Dir(s.dir), below))
		} else if _, inner, ok := strings.Cut(below, "/"); ok {
			names = append(names, inner)
		}
	}
	return names
}

func cutLast(s, sep string) (before, after string, ok bool) {
	i := strings.LastIndex(s, sep)
	if i < 0 {
		return s, "", false
	}
	return s[:i], s[i+len(sep):], true
}

// openFile opens a data file.
func (s *Source) openFile(ctx context.Context, f dataFile) (r io.ReadCloser, err error) {
	for _, name := range s.places(f) {
		if !fs.ValidPath(name) {
			continue
		}
		if r, err = s.store.Open(ctx, name); err == nil || !errors.Is(err, fs.ErrNotExist) {
			return r, err
		}
	}
	return nil, &DamageError{File: fileLabel(f), reason: "the file is missing"}
}

// identity is one export, and no other that is made later with its name.
func (s *Source) identity() string {
	sum := sha256.New()
	for _, f := range s.files {
		_, _ = fmt.Fprintf(sum, "%q %q %d\n", f.Key, f.MD5Checksum, f.ItemCount)
	}
	return fmt.Sprintf("%s %s %x", path.Base(s.dir), s.summary.ExportArn, sum.Sum(nil))
}

// label is how progress names an export.
func (s *Source) label() string {
	if s.dir == "" {
		return "an export"
	}
	return "export " + path.Base(s.dir)
}

// fileLabel is how errors name a data file.
func fileLabel(f dataFile) string { return path.Base(f.Key) }

// Chain refuses exports that cannot be imported one behind the other: the first is full or incremental, each further one is incremental and begins
// at or before the end of the one before it. DynamoDB itself checks no such thing.
func Chain(sources ...*Source) error {
	for i, s := range sources {
		switch {
		case s == nil:
			return fmt.Errorf("dump: Chain: source %d is nil", i)
		case i == 0:
		case !s.Incremental():
			return fmt.Errorf("dump: Chain: source %d is a full export; only the first may be", i)
		case s.summary.TableID != sources[i-1].summary.TableID:
			return fmt.Errorf("dump: Chain: source %d is of another table than the one before it", i)
		case s.from.After(sources[i-1].to):
			return fmt.Errorf("dump: Chain: the changes from %s to %s are in no export", sources[i-1].to.Format(time.RFC3339), s.from.Format(time.RFC3339))
		}
	}
	return nil
}
