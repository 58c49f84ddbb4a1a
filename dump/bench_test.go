// SPDX-License-Identifier: Apache-2.0

package dump_test

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"crypto/md5"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"testing"
	"testing/fstest"

	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/attributevalue"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/dynamotable/ddb/dump"
	"github.com/dynamotable/ddb/rawitem"
	"github.com/dynamotable/ddb/typeditem"
)

// order is a typical item: texts, numbers, a set, a list of maps.
type order struct {
	Customer string   `dynamodbav:"customer"`
	ID       string   `dynamodbav:"id"`
	Status   string   `dynamodbav:"status"`
	Total    int64    `dynamodbav:"total"`
	Paid     bool     `dynamodbav:"paid"`
	Tags     []string `dynamodbav:"tags,stringset"`
	Lines    []struct {
		SKU   string  `dynamodbav:"sku"`
		Count int     `dynamodbav:"count"`
		Price float64 `dynamodbav:"price"`
	} `dynamodbav:"lines"`
}

const benchLines = 5000

func benchExport(b *testing.B, suffix string) (*dump.Source, []byte) {
	var lines bytes.Buffer
	for i := range benchLines {
		fmt.Fprintf(&lines, `{"Item":{"customer":{"S":"customer-%d"},"id":{"S":"order-%09d"},"status":{"S":"delivered"},"total":{"N":"%d"},"paid":{"BOOL":true},"tags":{"SS":["blue","express","gift"]},"lines":{"L":[`, i%500, i, i*37)
		for j := range 3 {
			if j > 0 {
				lines.WriteByte(',')
			}
			fmt.Fprintf(&lines, `{"M":{"sku":{"S":"sku-%05d"},"count":{"N":"%d"},"price":{"N":"%d.95"}}}`, (i+j)%10000, j+1, i%90+9)
		}
		lines.WriteString("]}}}\n")
	}
	data := lines.Bytes()
	stored := data
	if suffix == ".gz" {
		var packed bytes.Buffer
		zip := gzip.NewWriter(&packed)
		_, err := zip.Write(data)
		noError(b, errors.Join(err, zip.Close()))
		stored = packed.Bytes()
	}
	key := "AWSDynamoDB/01-x/data/a.json" + suffix
	list, err := json.Marshal(map[string]any{"itemCount": benchLines, "md5Checksum": md5Of(stored), "dataFileS3Key": key})
	noError(b, err)
	head, err := json.Marshal(map[string]any{"version": "2020-06-30", "outputFormat": "DYNAMODB_JSON", "itemCount": benchLines})
	noError(b, err)
	src, err := dump.Open(b.Context(), dump.FS(fstest.MapFS{
		key:                                    {Data: stored},
		"AWSDynamoDB/01-x/manifest-files.json": {Data: list}, "AWSDynamoDB/01-x/manifest-files.md5": {Data: []byte(md5Of(list))},
		"AWSDynamoDB/01-x/manifest-summary.json": {Data: head}, "AWSDynamoDB/01-x/manifest-summary.md5": {Data: []byte(md5Of(head))},
	}), "")
	noError(b, err)
	return src, data
}

// BenchmarkItems compares reading an export into a struct, including checksums, with encoding/json and attribute maps, as a
// program without the package does. MB/s refer to the lines.
//
//	go test ./dump -run '^$' -bench Items -benchtime 2s -count 5
func BenchmarkItems(b *testing.B) {
	for _, suffix := range []string{"", ".gz"} {
		src, data := benchExport(b, suffix)
		b.Run("typed"+suffix, func(b *testing.B) {
			b.SetBytes(int64(len(data)))
			for b.Loop() {
				n := 0
				for _, err := range dump.Items[order](b.Context(), src) {
					noError(b, err)
					n++
				}
				if n != benchLines {
					b.Fatal(n)
				}
			}
		})
	}
	src, data := benchExport(b, "")
	b.Run("decoded", func(b *testing.B) { // without reading lines, checksum and gzip
		b.SetBytes(int64(len(data)))
		for b.Loop() {
			for line := range bytes.Lines(data) {
				line = bytes.TrimSuffix(bytes.TrimPrefix(line, []byte(`{"Item":`)), []byte("}\n"))
				_, err := typeditem.DecodeJSON[order](line)
				noError(b, err)
			}
		}
	})
	b.Run("raw", func(b *testing.B) {
		b.SetBytes(int64(len(data)))
		for b.Loop() {
			for _, err := range dump.Items[rawitem.Item](b.Context(), src) {
				noError(b, err)
			}
		}
	})
	b.Run("encoding-json", func(b *testing.B) {
		b.SetBytes(int64(len(data)))
		for b.Loop() {
			in := bufio.NewScanner(bytes.NewReader(data))
			for in.Scan() {
				var line struct{ Item map[string]map[string]any }
				noError(b, json.Unmarshal(in.Bytes(), &line))
				item := map[string]types.AttributeValue{}
				for name, v := range line.Item {
					item[name] = valueOf(b, v)
				}
				var o order
				noError(b, attributevalue.UnmarshalMap(item, &o))
			}
		}
	})
}

// valueOf converts a value of an export to one of the SDK, in the usual way.
func valueOf(b *testing.B, v map[string]any) types.AttributeValue {
	for kind, inner := range v {
		switch kind {
		case "S":
			return &types.AttributeValueMemberS{Value: inner.(string)}
		case "N":
			return &types.AttributeValueMemberN{Value: inner.(string)}
		case "BOOL":
			return &types.AttributeValueMemberBOOL{Value: inner.(bool)}
		case "SS":
			var set []string
			for _, e := range inner.([]any) {
				set = append(set, e.(string))
			}
			return &types.AttributeValueMemberSS{Value: set}
		case "L":
			var list []types.AttributeValue
			for _, e := range inner.([]any) {
				list = append(list, valueOf(b, e.(map[string]any)))
			}
			return &types.AttributeValueMemberL{Value: list}
		case "M":
			m := map[string]types.AttributeValue{}
			for name, e := range inner.(map[string]any) {
				m[name] = valueOf(b, e.(map[string]any))
			}
			return &types.AttributeValueMemberM{Value: m}
		}
	}
	b.Fatal("an unknown type")
	return nil
}

func md5Of(data []byte) string {
	s := md5.Sum(data)
	return base64.StdEncoding.EncodeToString(s[:])
}
