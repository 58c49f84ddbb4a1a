// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/dynamotable/ddb/ddbtest/internal/itemfile"
	"github.com/dynamotable/ddb/ddbtest/internal/objectstore"
	"github.com/dynamotable/ddb/ddbtest/internal/value"
)

// importSource are the objects that an import reads.
type importSource struct {
	bucket *objectstore.Bucket
	keys   []string
}

// sourceOf opens the bucket of an import and lists its objects.
func (e *Engine) sourceOf(in *ImportInput) (*importSource, error) {
	b, err := e.buckets.Open(text(in.S3BucketSource.S3Bucket))
	if err != nil {
		return nil, err
	}
	keys, err := b.List(text(in.S3BucketSource.S3KeyPrefix))
	if err == nil && len(keys) > maxImportObjects {
		err = fmt.Errorf("the source has %d objects; an import takes at most %d", len(keys), maxImportObjects)
	}
	if err != nil {
		return nil, errors.Join(err, b.Close())
	}
	return &importSource{b, keys}, nil
}

// load stores the items of all objects in a new table.
//
// A line that forms no item ends its object and is one error, as ScyllaDB's tests of Alternator have measured (test/alternator/test_import.py, 2026);
// the guide says that the rest may be skipped. An item that the table refuses is one error, and the next is read. Of items with the same key the last one stays.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/S3DataImport.Validation.html
func (e *Engine) load(j *importJob, t *Table, s *importSource) {
	for _, key := range s.keys {
		failed := func(line int, rest bool, err error) {
			j.failed++
			if e.importError != nil {
				e.importError(ImportError{ImportARN: j.arn, Bucket: text(j.in.S3BucketSource.S3Bucket), Key: key, Line: line, Rest: rest, Err: err})
			}
		}
		source, err := s.bucket.Get(key)
		if err != nil {
			failed(0, true, err)
			continue
		}
		e.loadObject(j, t, source, failed)
		_ = source.Close() // it was read
	}
}

// loadObject stores the items of one object.
func (e *Engine) loadObject(j *importJob, t *Table, object io.Reader, failed func(line int, rest bool, err error)) {
	if is(j.in.InputCompressionType, "GZIP") {
		unpacked, err := gzip.NewReader(object)
		if errors.Is(err, io.EOF) {
			return // an empty object
		}
		if err != nil {
			failed(0, true, errors.New("the object is not compressed with gzip"))
			return
		}
		object = unpacked
	}
	counted := &countingReader{source: object}
	defer func() { j.bytes += counted.bytes }()
	items := j.reader(counted, t.Schema())
	for {
		item, line, err := items.Next()
		if errors.Is(err, io.EOF) {
			return
		}
		j.processed++
		if err != nil {
			failed(line, true, err)
			return
		}
		if err := e.putImported(t, item); err != nil {
			failed(line, false, err)
			continue
		}
		j.imported++
	}
}

// reader reads the items of an object.
func (j *importJob) reader(r io.Reader, schema *Schema) itemfile.Reader {
	if !is(j.in.InputFormat, itemfile.CSV) {
		return itemfile.NewReader(r, text(j.in.InputFormat))
	}
	o := itemfile.CSVOptions{Keys: make(map[string]value.Kind)}
	note := func(a KeyAttribute, _ bool) bool {
		o.Keys[a.Name] = a.Kind
		return true
	}
	schema.Key.Each(note)
	for _, x := range schema.Indexes {
		x.Key.Each(note)
	}
	if options := j.in.csv(); options != nil {
		o.Header = options.HeaderList
		if d := text(options.Delimiter); d != "" {
			o.Delimiter = rune(d[0])
		}
	}
	return itemfile.NewCSV(r, o)
}

// putImported stores an item in a table that nothing else writes to yet. It costs no capacity, and no fault meets it.
func (e *Engine) putImported(t *Table, item value.Item) error {
	size, err := putSize(item)
	if err != nil {
		return err
	}
	a := &action{operation: "ImportTable", kind: actionPut, reason: ReasonWrite, restored: true, item: item, size: size, table: t, schema: t.Schema()}
	if err := a.schema.checkItemKey(item); err != nil {
		return err
	}
	if err := a.schema.checkIndexKeys(item, nil); err != nil {
		return err
	}
	a.prepare()
	p := t.items.Partition(a.storeKey)
	p.Lock()
	defer p.Unlock()
	fx, err := a.evaluate(p.Get(a.storeKey))
	if err != nil {
		return err
	}
	if err := e.checkCollection(a, &fx); err != nil {
		return err
	}
	e.commit(p, a, &fx)
	return nil
}

// countingReader counts what is read.
type countingReader struct {
	source io.Reader
	bytes  int64
}

func (r *countingReader) Read(p []byte) (int, error) {
	n, err := r.source.Read(p)
	r.bytes += int64(n)
	return n, err
}

// logGroupOf is the log group to which the service writes the errors of imports, in the account and Region of a table.
func logGroupOf(tableARN string) string {
	account, _, _ := strings.Cut(strings.TrimPrefix(tableARN, "arn:aws:dynamodb:"), ":table/")
	return "arn:aws:logs:" + account + ":log-group:/aws-dynamodb/imports:*"
}
