// SPDX-License-Identifier: Apache-2.0

package dump_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/md5"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"go.uber.org/goleak"

	"github.com/dynamotable/ddb"
	"github.com/dynamotable/ddb/ddbtest"
	"github.com/dynamotable/ddb/ddbtest/fault"
	"github.com/dynamotable/ddb/dump"
	"github.com/dynamotable/ddb/internal/longtest"
	"github.com/dynamotable/ddb/rawitem"
	"github.com/dynamotable/ddb/rawtable"
)

func TestMain(m *testing.M) {
	longtest.ChecksOfPackage(20)
	longtest.CollectLess()
	goleak.VerifyTestMain(m)
}

func noError(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// newTable creates a table with partition key p and sort key q.
func newTable(t testing.TB, client *dynamodb.Client, name string) *rawtable.Table {
	t.Helper()
	_, err := client.CreateTable(t.Context(), &dynamodb.CreateTableInput{
		TableName: &name, BillingMode: types.BillingModePayPerRequest,
		AttributeDefinitions: []types.AttributeDefinition{{AttributeName: aws.String("p"), AttributeType: "S"}, {AttributeName: aws.String("q"), AttributeType: "N"}},
		KeySchema:            []types.KeySchemaElement{{AttributeName: aws.String("p"), KeyType: "HASH"}, {AttributeName: aws.String("q"), KeyType: "RANGE"}},
	})
	noError(t, err)
	table, err := rawtable.Open(t.Context(), client, name)
	noError(t, err)
	return table
}

func engine(t testing.TB, rules ...fault.Rule) *dynamodb.Client {
	t.Helper()
	e := ddbtest.NewEngine(ddbtest.WithFaults(rules...))
	t.Cleanup(e.Close)
	return e.Client(func(o *dynamodb.Options) { o.RetryMaxAttempts = 1 })
}

func item(t testing.TB, text string) rawitem.Item {
	t.Helper()
	i, err := rawitem.Parse([]byte(text))
	noError(t, err)
	return i
}

// itemOf returns an item with a value of every type.
func itemOf(t testing.TB, n, version int) rawitem.Item {
	t.Helper()
	return item(t, fmt.Sprintf(`{"p":{"S":"p%d"},"q":{"N":"%d"},"v":{"N":"%d"},"b":{"B":"AAH/"},"bs":{"BS":["AA==","/w=="]},"l":{"L":[{"N":"-0.5"},{"M":{"k":{"NULL":true}}}]},`+
		`"n":{"N":"12345678901234567890123456789012345678"},"no":{"BOOL":false},"ns":{"NS":["1","2.5"]},"s":{"S":"\"\\\u0001\u2028 é 😀 <&>\n"},"ss":{"SS":["a","b"]}}`, n%7, n, version))
}

func fill(t testing.TB, table *rawtable.Table, n int) {
	t.Helper()
	var list []rawitem.Item
	for i := range n {
		list = append(list, itemOf(t, i, 1))
	}
	noError(t, table.BatchPut(t.Context(), list))
}

// contents returns the items of a table in order.
func contents(t testing.TB, table *rawtable.Table) []string {
	t.Helper()
	var list []string
	for i, err := range table.Scan().All(context.Background()) {
		noError(t, err)
		list = append(list, string(i.JSON()))
	}
	slices.Sort(list)
	return list
}

func exportOf(t testing.TB, table *rawtable.Table, opts ...dump.Option) (dump.Storage, *dump.Source, string) {
	t.Helper()
	dir := t.TempDir()
	store := dump.Dir(dir)
	_, err := dump.Export(t.Context(), table, store, append([]dump.Option{dump.Name("x")}, opts...)...)
	noError(t, err)
	src, err := dump.Open(t.Context(), store, "x")
	noError(t, err)
	return store, src, filepath.Join(dir, "AWSDynamoDB", "x")
}

// An exported table is imported with the same values.
func TestRoundTrip(t *testing.T) {
	client := engine(t)
	from, to := newTable(t, client, "from"), newTable(t, client, "copied")
	fill(t, from, 130)
	for name, opts := range map[string][]dump.Option{
		"one segment": {dump.Segments(1), dump.Workers(1)}, "segments": {dump.Segments(5), dump.Workers(3)}, "small files": {dump.Segments(2), dump.FileSize(1)}, "defaults": nil,
	} {
		t.Run(name, func(t *testing.T) {
			_, src, dir := exportOf(t, from, opts...)
			if src.Items() != 130 || src.Incremental() || src.Files() == 0 {
				t.Errorf("the export has %d items in %d files", src.Items(), src.Files())
			}
			noError(t, dump.Verify(t.Context(), src))
			if _, err := os.Stat(filepath.Join(dir, "_resume.json")); !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("the state was not removed: %v", err)
			}
			noError(t, to.BatchDelete(t.Context(), keysOf(t, to)))
			report, err := dump.Import(t.Context(), src, to, opts...)
			noError(t, err)
			if report.Items != 130 || report.Position != "" {
				t.Errorf("the report is %+v", report)
			}
			if !slices.Equal(contents(t, from), contents(t, to)) {
				t.Error("the tables differ")
			}
		})
	}
}

func keysOf(t testing.TB, table *rawtable.Table) (keys []ddb.Key[rawitem.Value, rawitem.Value]) {
	for i, err := range table.Scan().All(t.Context()) {
		noError(t, err)
		keys = append(keys, table.KeyOf(&i))
	}
	return keys
}

// The files are those of DynamoDB's layout.
func TestLayout(t *testing.T) {
	t.Parallel()
	table := newTable(t, engine(t), "orders")
	fill(t, table, 3)
	at := time.Date(2026, 11, 21, 6, 30, 0, 0, time.UTC)
	_, _, dir := exportOf(t, table, dump.Segments(2), dump.Clock(func() time.Time { return at }))
	var names []string
	noError(t, filepath.WalkDir(dir, func(name string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			rel, _ := filepath.Rel(dir, name)
			names = append(names, filepath.ToSlash(rel))
		}
		return err
	}))
	if want := []string{
		"_started", "data/segment-0000-0000.json.gz", "data/segment-0001-0000.json.gz",
		"manifest-files.json", "manifest-files.md5", "manifest-summary.json", "manifest-summary.md5",
	}; !slices.Equal(names, want) {
		t.Errorf("the files are %q", names)
	}
	read := func(name string) []byte {
		data, err := os.ReadFile(filepath.Join(dir, filepath.FromSlash(name)))
		noError(t, err)
		return data
	}
	sum := func(data []byte) string {
		s := md5.Sum(data)
		return base64.StdEncoding.EncodeToString(s[:])
	}
	for _, name := range []string{"manifest-files", "manifest-summary"} {
		if string(read(name+".md5")) != sum(read(name+".json")) {
			t.Errorf("the checksum of %s is wrong", name)
		}
	}
	var head map[string]any
	noError(t, json.Unmarshal(read("manifest-summary.json"), &head))
	for name, want := range map[string]any{
		"version": "2020-06-30", "outputFormat": "DYNAMODB_JSON", "exportType": "FULL_EXPORT", "itemCount": 3.0, "exportTime": "2026-11-21T06:30:00Z",
		"manifestFilesS3Key": "AWSDynamoDB/x/manifest-files.json",
	} {
		if head[name] != want {
			t.Errorf("%s is %v, want %v", name, head[name], want)
		}
	}
	for line := range strings.SplitSeq(strings.TrimSpace(string(read("manifest-files.json"))), "\n") {
		var f struct {
			ItemCount                        int
			MD5Checksum, ETag, DataFileS3Key string
		}
		noError(t, json.Unmarshal([]byte(line), &f))
		data := read("data/" + path.Base(f.DataFileS3Key))
		if f.MD5Checksum != sum(data) || f.ETag != fmt.Sprintf("%x", md5.Sum(data)) || !strings.HasPrefix(f.DataFileS3Key, "AWSDynamoDB/x/data/") {
			t.Errorf("the entry of a file is wrong: %s", line)
		}
		zip, err := gzip.NewReader(bytes.NewReader(data))
		noError(t, err)
		lines, err := io.ReadAll(zip)
		noError(t, err)
		if n := bytes.Count(lines, []byte("\n")); n != f.ItemCount || n > 0 && !bytes.HasPrefix(lines, []byte(`{"Item":{`)) {
			t.Errorf("%d lines: %.40s", n, lines)
		}
	}
}

// failing is a storage whose nth write fails.
type failing struct {
	dump.Storage
	mu   sync.Mutex
	left int
}

var errDisk = errors.New("the disk is full")

func (f *failing) Write(ctx context.Context, name string, data []byte) error {
	f.mu.Lock()
	f.left--
	fails := f.left == 0
	f.mu.Unlock()
	if fails {
		return errDisk
	}
	return f.Storage.Write(ctx, name, data)
}

// An export that is stopped at any request or any write is resumed to the same set of items, each once.
func TestExportStoppedAnywhere(t *testing.T) {
	t.Parallel()
	same := newTable(t, engine(t), "things")
	fill(t, same, 60)
	want := contents(t, same)
	for _, kind := range []string{"request", "write"} {
		for n := 1; ; n += longtest.Every(3) {
			var rules []fault.Rule
			if kind == "request" {
				rules = []fault.Rule{fault.On("Scan").Nth(n).Refuse()}
			}
			client := engine(t, rules...)
			_ = newTable(t, client, "things")
			table, err := rawtable.Open(t.Context(), client, "things", ddb.PageSize(7))
			noError(t, err)
			fill(t, table, 60)
			store := dump.Dir(t.TempDir())
			if kind == "write" {
				store = &failing{Storage: store, left: n}
			}
			opts := []dump.Option{dump.Name("x"), dump.Segments(3), dump.Workers(2), dump.FileSize(300)}
			_, err = dump.Export(t.Context(), table, store, opts...)
			stopped := err != nil
			if stopped {
				if _, err := dump.Open(t.Context(), store, "x"); !errors.Is(err, fs.ErrNotExist) {
					t.Fatalf("%s %d: an incomplete export was opened: %v", kind, n, err)
				}
				_, err = dump.Export(t.Context(), table, store, opts[0], dump.FileSize(300))
				noError(t, err)
			}
			src, err := dump.Open(t.Context(), store, "x")
			noError(t, err)
			noError(t, dump.Verify(t.Context(), src))
			var got []string
			for i, err := range dump.Items[rawitem.Item](t.Context(), src) {
				noError(t, err)
				got = append(got, string(i.JSON()))
			}
			slices.Sort(got)
			if !slices.Equal(got, want) {
				t.Fatalf("%s %d: the export has %d items, the table %d", kind, n, len(got), len(want))
			}
			if !stopped {
				if n < 8 {
					t.Fatalf("the export had only %d %ss", n-1, kind)
				}
				break
			}
		}
	}
}

// Verify detects a flipped bit in any byte of any file.
func TestEveryDamageIsFound(t *testing.T) {
	t.Parallel()
	table := newTable(t, engine(t), "things")
	fill(t, table, 2)
	_, _, dir := exportOf(t, table, dump.Segments(1))
	files := map[string][]byte{}
	noError(t, filepath.WalkDir(dir, func(name string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			files[name], err = os.ReadFile(name)
		}
		return err
	}))
	check := func(what string) {
		t.Helper()
		src, err := dump.Open(t.Context(), dump.Dir(dir), "")
		if err == nil {
			err = dump.Verify(t.Context(), src)
		}
		if err == nil {
			t.Errorf("%s is not detected", what)
		}
	}
	for name, data := range files {
		for i := 0; i < len(data); i += longtest.Every(3) {
			spoilt := slices.Clone(data)
			spoilt[i] ^= 1
			noError(t, os.WriteFile(name, spoilt, 0o600))
			check(fmt.Sprintf("byte %d of %s", i, filepath.Base(name)))
		}
		if len(data) > 0 {
			for _, cut := range []int{0, len(data) / 2, len(data) - 1} {
				noError(t, os.WriteFile(name, data[:cut], 0o600))
				check(fmt.Sprintf("%s truncated after %d bytes", filepath.Base(name), cut))
			}
			noError(t, os.WriteFile(name, append(slices.Clone(data), 0), 0o600))
			check("a byte after " + filepath.Base(name))
			noError(t, os.Remove(name))
			check("the loss of " + filepath.Base(name))
		}
		noError(t, os.WriteFile(name, data, 0o600))
	}
}

// written returns an export that is written by hand, with files of lines.
func written(t testing.TB, head map[string]any, files ...string) *dump.Source {
	t.Helper()
	src, err := writtenIn(t, head, files...)
	noError(t, err)
	return src
}

func writtenIn(t testing.TB, head map[string]any, files ...string) (*dump.Source, error) {
	t.Helper()
	return dump.Open(context.Background(), dump.FS(writtenFiles(t, head, files...)), "")
}

func writtenFiles(t testing.TB, head map[string]any, files ...string) fstest.MapFS {
	t.Helper()
	store := fstest.MapFS{}
	write := func(name string, data []byte) {
		store["AWSDynamoDB/01-x/"+name] = &fstest.MapFile{Data: data}
	}
	sum := func(data []byte) []byte {
		s := md5.Sum(data)
		return []byte(base64.StdEncoding.EncodeToString(s[:]))
	}
	var list []byte
	total := 0
	for i, lines := range files {
		var packed bytes.Buffer
		zip := gzip.NewWriter(&packed)
		_, err := zip.Write([]byte(lines))
		noError(t, errors.Join(err, zip.Close()))
		n := 0
		for l := range strings.SplitSeq(lines, "\n") {
			if strings.TrimSpace(l) != "" {
				n++
			}
		}
		total += n
		name := fmt.Sprintf("data/f%d.json.gz", i)
		write(name, packed.Bytes())
		entry, err := json.Marshal(map[string]any{"itemCount": n, "md5Checksum": string(sum(packed.Bytes())), "dataFileS3Key": "some/prefix/AWSDynamoDB/01-x/" + name})
		noError(t, err)
		list = append(append(list, entry...), '\n')
	}
	all := map[string]any{"version": "2020-06-30", "outputFormat": "DYNAMODB_JSON", "itemCount": total, "tableId": "id"}
	maps.Copy(all, head)
	summary, err := json.Marshal(all)
	noError(t, err)
	write("manifest-files.json", list)
	write("manifest-files.checksum", sum(list)) // the name in DynamoDB's guide
	write("manifest-summary.json", summary)
	write("manifest-summary.md5", sum(summary))
	return store
}

// Each kind of bad line is reported by file and line and never printed; the other lines are read and imported.
func TestBadLines(t *testing.T) {
	t.Parallel()
	good := func(n int) string { return fmt.Sprintf(`{"Item":{"p":{"S":"a"},"q":{"N":"%d"}}}`, n) }
	for name, bad := range map[string]string{
		"no JSON":               `secret`,
		"cut off":               `{"Item":{"p":{"S":"secret"}`,
		"no Item":               `{"item":{"p":{"S":"secret"}}}`,
		"Item of another type":  `{"Item":["secret"]}`,
		"Item twice":            `{"Item":{"p":{"S":"secret"}},"Item":{}}`,
		"value without a type":  `{"Item":{"p":"secret"}}`,
		"unknown type":          `{"Item":{"p":{"X":"secret"}}}`,
		"not a number":          `{"Item":{"p":{"S":"a"},"q":{"N":"secret"}}}`,
		"empty set":             `{"Item":{"p":{"S":"secret"},"q":{"N":"1"},"s":{"SS":[]}}}`,
		"trailing text":         good(8) + ` secret`,
		"two items in one line": good(8) + good(9),
		"invalid UTF-8":         "{\"Item\":{\"p\":{\"S\":\"secret\xff\"}}}",
		"no key":                `{"Item":{"p":{"S":"secret"}}}`,
		"key of another type":   `{"Item":{"p":{"S":"secret"},"q":{"S":"1"}}}`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			src := written(t, nil, good(1)+"\n\n"+bad+"\n"+good(2), good(3)+"\n")
			read := 0
			for _, err := range dump.Items[rawitem.Item](t.Context(), src) {
				if err == nil {
					read++
				}
			}
			err := dump.Verify(t.Context(), src)
			inItem := strings.Contains(name, "key") // the export's format does not have it
			if inItem != (err == nil) || read != 3 && !inItem {
				t.Errorf("%d lines are read, and Verify says %v", read, err)
			}
			table := newTable(t, engine(t), "things")
			var failures []string
			report, err := dump.Import(t.Context(), src, table, dump.OnFailure(func(e *dump.LineError) { failures = append(failures, e.Error()) }))
			var failed *dump.FailedError
			if !errors.As(err, &failed) || failed.N != 1 || report.Items != 3 || report.Failed != 1 || len(failures) != 1 {
				t.Fatalf("Import: %+v, %v, %q", report, err, failures)
			}
			if !strings.HasPrefix(failures[0], "dump: file f0.json.gz, line 3: ") || strings.Contains(failures[0], "secret") {
				t.Errorf("the failure is %q", failures[0])
			}
		})
	}
}

// Manifests with another layout are refused.
func TestManifests(t *testing.T) {
	t.Parallel()
	for name, head := range map[string]map[string]any{
		"version": {"version": "2030-01-01"}, "format": {"outputFormat": "CSV"}, "type": {"exportType": "OTHER"}, "time": {"exportTime": "yesterday"},
		"span": {"exportType": "INCREMENTAL_EXPORT", "exportFromTime": "2026-01-02T00:00:00Z", "exportToTime": "2026-01-01T00:00:00Z"},
		"text": {"itemCount": "3"},
	} {
		if _, err := writtenIn(t, head, ""); err == nil {
			t.Errorf("%s: it was opened", name)
		}
	}
	if _, err := dump.Open(t.Context(), dump.Dir(t.TempDir()), ""); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("an empty folder: %v", err)
	}
	if _, err := dump.Open(t.Context(), dump.Dir(filepath.Join(t.TempDir(), "none")), "x"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no folder: %v", err)
	}
	if _, err := dump.Open(t.Context(), dump.Dir(t.TempDir()), "../x"); err == nil {
		t.Error("a name outside the folder was accepted")
	}
	src := written(t, map[string]any{"itemCount": 7}, `{"Item":{"p":{"S":"a"}}}`)
	if err := dump.Verify(t.Context(), src); !errors.Is(err, dump.ErrDamaged) {
		t.Errorf("a wrong checksum: %v", err)
	}
}

const span1 = "2026-01-01T00:00:00Z"

func incrementalHead(from, to string) map[string]any {
	return map[string]any{"exportType": "INCREMENTAL_EXPORT", "exportFromTime": from, "exportToTime": to, "outputView": "NEW_AND_OLD_IMAGES"}
}

// An incremental export is read, and applied: puts and deletes.
func TestIncremental(t *testing.T) {
	t.Parallel()
	record := func(q int, images string) string {
		return fmt.Sprintf(`{"Metadata":{"WriteTimestampMicros":{"N":"1680109764000000"}},"Keys":{"p":{"S":"a"},"q":{"N":"%d"}}%s}`, q, images)
	}
	image := func(name string, q int, s string) string {
		return fmt.Sprintf(`,"%s":{"p":{"S":"a"},"q":{"N":"%d"},"s":{"S":"%s"}}`, name, q, s)
	}
	src := written(t, incrementalHead(span1, "2026-01-02T00:00:00Z"),
		record(1, image("OldImage", 1, "old")+image("NewImage", 1, "new"))+"\n"+record(2, image("OldImage", 2, "old")), record(3, image("NewImage", 3, "new")))
	noError(t, dump.Verify(t.Context(), src))
	var kinds []string
	for r, err := range dump.Records(t.Context(), src) {
		noError(t, err)
		kinds = append(kinds, fmt.Sprint(r.File, r.Line, r.Deleted, r.Old.Has("s"), r.New.Has("s"), r.Written.Year()))
	}
	if want := []string{"f0.json.gz1 false true true 2023", "f0.json.gz2 true true false 2023", "f1.json.gz1 false false true 2023"}; !slices.Equal(kinds, want) {
		t.Errorf("the records are %q", kinds)
	}
	table := newTable(t, engine(t), "things")
	noError(t, table.BatchPut(t.Context(), []rawitem.Item{item(t, `{"p":{"S":"a"},"q":{"N":"1"}}`), item(t, `{"p":{"S":"a"},"q":{"N":"2"}}`)}))
	report, err := dump.Import(t.Context(), src, table)
	noError(t, err)
	if report.Items != 2 || report.Deleted != 1 {
		t.Errorf("the report is %+v", report)
	}
	if want := []string{`{"p":{"S":"a"},"q":{"N":"1"},"s":{"S":"new"}}`, `{"p":{"S":"a"},"q":{"N":"3"},"s":{"S":"new"}}`}; !slices.Equal(contents(t, table), want) {
		t.Errorf("the table has %q", contents(t, table))
	}
	for _, err := range dump.Items[rawitem.Item](t.Context(), src) {
		if err == nil {
			t.Error("Items returned changes as items")
		}
	}
	if _, err := dump.Import(t.Context(), src, table, dump.OnlyMissing()); !errors.Is(err, ddb.ErrInvalid) {
		t.Errorf("a condition: %v", err)
	}
	for name, bad := range map[string]string{
		"no Keys": `{"Metadata":{"WriteTimestampMicros":{"N":"1"}}}`, "no Metadata": `{"Keys":{"p":{"S":"a"}}}`, "no time": `{"Metadata":{},"Keys":{"p":{"S":"a"}}}`,
		"an invalid time": `{"Metadata":{"WriteTimestampMicros":{"N":"1.5"}},"Keys":{"p":{"S":"a"}}}`,
	} {
		if err := dump.Verify(t.Context(), written(t, incrementalHead(span1, "2026-01-02T00:00:00Z"), bad)); !errors.Is(err, dump.ErrBadLine) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestChain(t *testing.T) {
	t.Parallel()
	full := written(t, map[string]any{"exportTime": span1}, "")
	day := func(from, to int) *dump.Source {
		return written(t, incrementalHead(fmt.Sprintf("2026-01-%02dT00:00:00Z", from), fmt.Sprintf("2026-01-%02dT00:00:00Z", to)), "")
	}
	other := written(t, map[string]any{"exportTime": span1, "tableId": "other"}, "")
	noError(t, dump.Chain(full, day(1, 2), day(2, 3), day(2, 4)))
	for name, list := range map[string][]*dump.Source{
		"a gap": {full, day(2, 3)}, "a gap later": {full, day(1, 2), day(3, 4)}, "another table": {other, day(1, 2)}, "a full export at the end": {full, full}, "nil": {full, nil},
	} {
		if dump.Chain(list...) == nil {
			t.Errorf("%s was accepted", name)
		}
	}
}

// An import under faults, stopped anywhere and resumed, writes every item.
func TestImportStoppedAnywhere(t *testing.T) {
	t.Parallel()
	source := newTable(t, engine(t), "source")
	fill(t, source, 120)
	_, src, _ := exportOf(t, source, dump.Segments(3))
	want := contents(t, source)
	for n := 1; ; n++ {
		client := engine(t, fault.On("BatchWriteItem").Nth(n).Error("AccessDeniedException", "no"), fault.On("BatchWriteItem").Nth(n+1).Unprocessed(3),
			fault.On("BatchWriteItem").Nth(n+2).DropReply())
		table := newTable(t, client, "target")
		last := ""
		report, err := dump.Import(t.Context(), src, table, dump.Workers(2), dump.OnPosition(func(p func() string) { last = p() }))
		stopped := err != nil
		if stopped {
			if report.Position == "" {
				t.Fatalf("stopped at %d without a position: %v", n, err)
			}
			from := report.Position
			if n%2 == 0 {
				from = last // as after a kill
			}
			_, err = dump.Import(t.Context(), src, table, dump.From(from))
			noError(t, err)
		}
		if got := contents(t, table); !slices.Equal(got, want) {
			t.Fatalf("stopped at %d: %d items, want %d", n, len(got), len(want))
		}
		if !stopped {
			break
		}
	}
	table := newTable(t, engine(t), "target")
	for _, bad := range []string{"x", "AAAA", "AAAAAAAA"} {
		if _, err := dump.Import(t.Context(), src, table, dump.From(bad)); err == nil {
			t.Errorf("position %q was accepted", bad)
		}
	}
}

// Conditions protect existing items, even when replies are lost.
func TestConditions(t *testing.T) {
	t.Parallel()
	source := newTable(t, engine(t), "source")
	for i := range 6 {
		v := itemOf(t, i, 5)
		noError(t, source.Put(t.Context(), &v))
	}
	_, src, _ := exportOf(t, source, dump.Segments(1))
	for name, c := range map[string]struct {
		option      dump.Option
		items, kept int64
	}{
		"missing": {dump.OnlyMissing(), 3, 3}, "older": {dump.OnlyOlder("v"), 4, 2},
	} {
		for n := range 9 {
			rules := []fault.Rule{}
			if n > 0 {
				rules = append(rules, fault.On("PutItem").Nth(n).DropReply())
			}
			client := engine(t, rules...)
			table := newTable(t, client, "target")
			older, newer := itemOf(t, 0, 4), itemOf(t, 1, 6)
			lacks := item(t, `{"p":{"S":"p2"},"q":{"N":"2"}}`)
			noError(t, table.BatchPut(t.Context(), []rawitem.Item{older, newer, lacks}))
			report, err := dump.Import(t.Context(), src, table, c.option)
			noError(t, err)
			if report.Items != c.items || report.Kept != c.kept || report.Failed != 0 {
				t.Errorf("%s, reply %d lost: %+v", name, n, report)
			}
			got := contents(t, table)
			if len(got) != 6 || !slices.Contains(got, sorted(t, newer)) || !slices.Contains(got, sorted(t, lacks)) || slices.Contains(got, sorted(t, older)) == (name == "older") {
				t.Errorf("%s, reply %d lost: the table has wrong items", name, n)
			}
		}
	}
	report, err := dump.Import(t.Context(), src, newTable(t, engine(t), "target"), dump.OnlyOlder("nothing"))
	if err == nil || report.Failed != 6 {
		t.Errorf("items without the attribute: %+v, %v", report, err)
	}
}

func sorted(t testing.TB, i rawitem.Item) string {
	t.Helper()
	values, err := i.Values()
	noError(t, err)
	again, err := rawitem.Of(values)
	noError(t, err)
	return string(again.JSON())
}

// A copy has the items of its source, even if it was stopped and resumed; a comparison finds every difference.
func TestCopyAndCompare(t *testing.T) {
	t.Parallel()
	for n := 1; ; n++ {
		client := engine(t, fault.On("BatchWriteItem").Nth(n+3).Error("AccessDeniedException", "no"))
		from, to := newTable(t, client, "from"), newTable(t, client, "copied")
		fill(t, from, 70)
		report, err := dump.Copy(t.Context(), from, to, dump.Segments(3), dump.Workers(2))
		stopped := err != nil
		if stopped {
			_, err = dump.Copy(t.Context(), from, to, dump.Segments(3), dump.From(report.Position))
			noError(t, err)
		}
		for d, err := range dump.Compare(t.Context(), from.Scan().All(t.Context()), to) {
			t.Fatalf("stopped at %d: %v %v", n, d, err)
		}
		if stopped {
			continue
		}
		noError(t, to.DeleteKey(t.Context(), keyOf(t, to, 0)))
		changed, extra := itemOf(t, 1, 2), itemOf(t, 700, 1)
		noError(t, to.BatchPut(t.Context(), []rawitem.Item{changed, extra}))
		var kinds []string
		for d, err := range dump.Compare(t.Context(), from.Scan().All(t.Context()), to) {
			noError(t, err)
			kinds = append(kinds, fmt.Sprint(d.Kind, string(d.Key.Sort.JSON()), d.Item.Has("v"), d.Stored.Has("v")))
		}
		slices.Sort(kinds)
		if want := []string{`changed{"N":"1"}true true`, `extra{"N":"700"}false true`, `missing{"N":"0"}true false`}; !slices.Equal(kinds, want) {
			t.Errorf("the differences are %q", kinds)
		}
		break
	}
}

func keyOf(t testing.TB, table *rawtable.Table, n int) ddb.Key[rawitem.Value, rawitem.Value] {
	i := itemOf(t, n, 1)
	return table.KeyOf(&i)
}

// Invalid arguments are refused before anything is sent or written.
func TestRefused(t *testing.T) {
	t.Parallel()
	table := newTable(t, engine(t), "things")
	store, src, _ := exportOf(t, table)
	for name, o := range map[string]dump.Option{
		"segments": dump.Segments(5000), "no workers": dump.Workers(0), "workers": dump.Workers(65), "size": dump.FileSize(0), "name": dump.Name("a/b"), "name of a folder": dump.Name(".."),
		"clock": dump.Clock(nil), "nil": nil, "attribute": dump.OnlyOlder(""),
	} {
		_, err1 := dump.Export(t.Context(), table, dump.Dir(t.TempDir()), o)
		_, err2 := dump.Import(t.Context(), src, table, o)
		_, err3 := dump.Copy(t.Context(), table, table, o)
		if !errors.Is(err1, ddb.ErrInvalid) || !errors.Is(err2, ddb.ErrInvalid) || !errors.Is(err3, ddb.ErrInvalid) {
			t.Errorf("%s: %v; %v; %v", name, err1, err2, err3)
		}
	}
	if _, err := dump.Export(t.Context(), table, store, dump.Name("x")); !errors.Is(err, fs.ErrExist) {
		t.Errorf("an export over a complete one: %v", err)
	}
	_, err1 := dump.Export(t.Context(), nil, store)
	_, err2 := dump.Import(t.Context(), nil, table)
	_, err3 := dump.Copy(t.Context(), nil, table)
	if err1 == nil || err2 == nil || err3 == nil || dump.Verify(t.Context(), nil) == nil {
		t.Error("nil was accepted")
	}
}

// An export is read into a Go type; an item that does not fit is a bad line.
func TestItems(t *testing.T) {
	t.Parallel()
	type thing struct {
		P string   `dynamodbav:"p"`
		Q int      `dynamodbav:"q"`
		S []string `dynamodbav:"ss,stringset"`
	}
	src := written(t, nil, `{"Item":{"p":{"S":"a"},"q":{"N":"1"},"ss":{"SS":["x","y"]},"more":{"S":"z"}}}`+"\n"+`{ "Item" : {"p":{"S":"a"},"q":{"N":"1.5"}} }`, `{"Item":{"p":{"S":"b"},"q":{"N":"2"}}}`)
	var got []thing
	bad := 0
	for i, err := range dump.Items[thing](t.Context(), src) {
		var line *dump.LineError
		switch {
		case errors.As(err, &line) && line.Line == 2 && line.File == "f0.json.gz":
			bad++
		case err != nil:
			t.Fatal(err)
		default:
			got = append(got, i)
		}
	}
	if bad != 1 || len(got) != 2 || got[0].Q != 1 || len(got[0].S) != 2 || got[1].P != "b" {
		t.Errorf("%d bad lines, and %+v", bad, got)
	}
	for range dump.Items[thing](t.Context(), src) {
		break
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for _, err := range dump.Items[thing](ctx, src) {
		if !errors.Is(err, context.Canceled) {
			t.Errorf("cancelled: %v", err)
		}
	}
}
