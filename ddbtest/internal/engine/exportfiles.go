// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"bytes"
	"compress/gzip"
	"crypto/md5" //nolint:gosec // the layout's checksum
	"encoding/base32"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"path"
	"strconv"
	"strings"
	"time"

	"github.com/dynamotable/ddb/ddbtest/internal/itemfile"
	"github.com/dynamotable/ddb/ddbtest/internal/storage"
	"github.com/dynamotable/ddb/ddbtest/internal/value"
)

// The files of an export. The guide calls the files of checksums .checksum; the service writes .md5, as ScyllaDB's tests of Alternator have measured
// (test/alternator/test_export.py, 2026).
//
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/S3DataExport.Output.html

// exportFiles is how many files an export has: one for each partition of a new table.
const exportFiles = 4

// minimalBilling is what an incremental export is billed at least.
const minimalBilling = 10 << 20

// exportSummaryFile is manifest-summary.json.
type exportSummaryFile struct {
	Version            string  `json:"version"`
	ExportArn          string  `json:"exportArn"`
	StartTime          string  `json:"startTime"`
	EndTime            string  `json:"endTime"`
	TableArn           string  `json:"tableArn"`
	TableID            string  `json:"tableId"`
	ExportTime         string  `json:"exportTime,omitempty"`
	ExportFromTime     string  `json:"exportFromTime,omitempty"`
	ExportToTime       string  `json:"exportToTime,omitempty"`
	S3Bucket           string  `json:"s3Bucket"`
	S3Prefix           *string `json:"s3Prefix"`
	S3SseAlgorithm     string  `json:"s3SseAlgorithm"`
	S3SseKmsKeyID      *string `json:"s3SseKmsKeyId"`
	ManifestFilesS3Key string  `json:"manifestFilesS3Key"`
	BilledSizeBytes    int64   `json:"billedSizeBytes"`
	ItemCount          int64   `json:"itemCount"`
	OutputFormat       string  `json:"outputFormat"`
	OutputView         string  `json:"outputView,omitempty"`
	ExportType         string  `json:"exportType"`
}

// exportDataFile is a line of manifest-files.json.
type exportDataFile struct {
	ItemCount     int64  `json:"itemCount"`
	MD5Checksum   string `json:"md5Checksum"`
	ETag          string `json:"etag"`
	DataFileS3Key string `json:"dataFileS3Key"`
}

// key is the key of a file of the export.
func (x *export) key(name string) string {
	return path.Join(x.in.prefix(), "AWSDynamoDB", x.id, name)
}

// dataKey is the key of a data file. Those of incremental exports are in one folder.
func (x *export) dataKey(i int) string {
	sum := md5.Sum([]byte(x.id + strconv.Itoa(i))) //nolint:gosec // a name
	name := strings.ToLower(base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(sum[:]))
	if x.in.format() == itemfile.Ion {
		name += ".ion.gz"
	} else {
		name += ".json.gz"
	}
	if x.in.incremental() {
		return path.Join(x.in.prefix(), "AWSDynamoDB", "data", name)
	}
	return x.key("data/" + name)
}

// write stores the data files and makes the manifests.
func (x *export) write(t *Table, h *history) (err error) {
	b, err := x.folder.Open(text(x.in.S3Bucket))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, b.Close()) }()
	if err := b.Put(x.key("_started"), nil); err != nil {
		return err
	}
	files, err := x.lines(t, h)
	if err != nil {
		return err
	}
	if t.history.Load() != h { // what has changed since is not known
		return errors.New("point-in-time recovery was switched off during the export")
	}
	var list []byte
	for i, f := range files {
		var packed bytes.Buffer
		w := gzip.NewWriter(&packed)
		_, err := w.Write(f.text)
		if err := errors.Join(err, w.Close(), b.Put(x.dataKey(i), packed.Bytes())); err != nil {
			return err
		}
		line, err := json.Marshal(exportDataFile{f.items, checksumOf(packed.Bytes()), etagOf(packed.Bytes()), x.dataKey(i)})
		if err != nil {
			return err
		}
		list = append(append(list, line...), '\n')
		x.items += f.items
	}
	summary, err := json.Marshal(x.summary())
	if err != nil {
		return err
	}
	// The summary is the last, so an export that has it is whole.
	x.pending = []object{
		{x.key("manifest-files.md5"), []byte(checksumOf(list))}, {x.key("manifest-files.json"), list},
		{x.key("manifest-summary.md5"), []byte(checksumOf(summary))}, {x.key("manifest-summary.json"), summary},
	}
	return nil
}

// complete ends an export whose time has come. The caller holds mu of the transfers.
func (x *export) complete(now time.Time) {
	if x.ended || now.Before(x.end) {
		return
	}
	x.ended = true
	if x.failure == nil {
		x.failure = failureOf(x.put())
	}
	x.pending = nil
}

// put stores the manifests.
func (x *export) put() (err error) {
	b, err := x.folder.Open(text(x.in.S3Bucket))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, b.Close()) }()
	for _, o := range x.pending {
		if err := b.Put(o.key, o.data); err != nil {
			return err
		}
	}
	return nil
}

// exportFile is a data file that is being made.
type exportFile struct {
	items int64
	text  []byte
}

// lines makes the data files.
func (x *export) lines(t *Table, h *history) (files [exportFiles]exportFile, err error) {
	add := func(storeKey string, parts ...itemfile.Part) {
		f := &files[int(storeKey[0])*exportFiles>>8] // the first byte of the hash
		f.items++
		f.text = itemfile.Append(f.text, x.in.format(), parts...)
	}
	if !x.in.incremental() {
		for _, s := range t.itemsAt(h, x.at) {
			item, err := decodeStored(s.item)
			if err != nil {
				return files, err
			}
			x.billed += int64(s.item.Size)
			add(s.storeKey, itemfile.Part{Name: "Item", Item: item})
		}
		return files, nil
	}
	for _, v := range h.changesIn(x.from, x.to) {
		parts, err := x.changeParts(v)
		if err != nil {
			return files, err
		}
		x.billed += int64(sizeOf(v.old) + sizeOf(v.new))
		add(v.storeKey, parts...)
	}
	x.billed = max(x.billed, minimalBilling)
	return files, nil
}

// changeParts are the members of a line of an incremental export: what was deleted has no NewImage.
func (x *export) changeParts(v version) ([]itemfile.Part, error) {
	micros, err := value.ParseNumber(strconv.FormatInt(v.at.UnixMicro(), 10))
	if err != nil {
		return nil, err
	}
	parts := []itemfile.Part{{Name: "Metadata", Item: value.Item{"WriteTimestampMicros": micros}}, {Name: "Keys", Item: v.key}}
	image := func(name string, stored *storage.Item) error {
		if stored == nil {
			return nil
		}
		item, err := decodeStored(stored)
		parts = append(parts, itemfile.Part{Name: name, Item: item})
		return err
	}
	if x.viewType() == bothImages {
		err = image("OldImage", v.old)
	}
	return parts, errors.Join(err, image("NewImage", v.new))
}

func (x *export) summary() exportSummaryFile {
	s := exportSummaryFile{
		Version: "2020-06-30", ExportArn: x.arn, StartTime: exportTime(x.start), EndTime: exportTime(x.end), TableArn: x.tableARN, TableID: x.tableID,
		ExportTime: exportTime(x.at), ExportFromTime: exportTime(x.from), ExportToTime: exportTime(x.to),
		S3Bucket: text(x.in.S3Bucket), S3Prefix: x.in.S3Prefix, S3SseAlgorithm: x.describe().S3SseAlgorithm, S3SseKmsKeyID: x.in.S3SseKmsKeyID,
		ManifestFilesS3Key: x.key("manifest-files.json"), BilledSizeBytes: x.billed, ItemCount: x.items,
		OutputFormat: x.in.format(), ExportType: fullExport,
	}
	if x.in.incremental() {
		s.ExportType, s.OutputView = incrementalExport, x.viewType()
	}
	return s
}

// exportTime is the form of times in manifests, "" for none.
func exportTime(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format("2006-01-02T15:04:05.000Z")
}

func checksumOf(data []byte) string {
	sum := md5.Sum(data) //nolint:gosec // the layout's checksum
	return base64.StdEncoding.EncodeToString(sum[:])
}

// etagOf is the ETag of an object that was stored in one part: the checksum of the parts' checksums, and their number.
func etagOf(data []byte) string {
	part := md5.Sum(data)   //nolint:gosec // the layout's checksum
	sum := md5.Sum(part[:]) //nolint:gosec // the layout's checksum
	return hex.EncodeToString(sum[:]) + "-1"
}
