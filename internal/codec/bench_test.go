// SPDX-License-Identifier: Apache-2.0

package codec_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/attributevalue"

	"github.com/dynamotable/ddb/internal/codec"
)

type address struct {
	Street string `dynamodbav:"street"`
	City   string `dynamodbav:"city"`
	Zip    int    `dynamodbav:"zip"`
}

// row is the benchmark item: 14 attributes, about 1 KB by DynamoDB's size rule.
type row struct {
	PK      string            `dynamodbav:"pk"`
	SK      string            `dynamodbav:"sk"`
	Name    string            `dynamodbav:"name"`
	Notes   string            `dynamodbav:"notes"`
	Age     int               `dynamodbav:"age"`
	Visits  int64             `dynamodbav:"visits"`
	Balance float64           `dynamodbav:"balance"`
	Active  bool              `dynamodbav:"active"`
	Created time.Time         `dynamodbav:"created"`
	Tags    []string          `dynamodbav:"tags"`
	Attrs   map[string]string `dynamodbav:"attrs"`
	Blob    []byte            `dynamodbav:"blob"`
	Roles   []string          `dynamodbav:"roles,stringset"`
	Addr    address           `dynamodbav:"addr"`
}

func makeRow(i int) row {
	blob := make([]byte, 96)
	for j := range blob {
		blob[j] = byte(i*7 + j*13)
	}
	notes := ""
	for len(notes) < 420 {
		notes += fmt.Sprintf("The quick brown fox %d jumps over the lazy dog; ", i+len(notes))
	}
	if i%10 == 0 { // one row in ten has escapes and text beyond ASCII
		notes += "\"quoted\" back\\slash\n\ttab é 漢字 😀"
	}
	return row{
		PK: fmt.Sprintf("CUSTOMER#%08d", i/100), SK: fmt.Sprintf("ORDER#2026-11-%02d#%08d", i%28+1, i),
		Name: fmt.Sprintf("Customer Name %d", i), Notes: notes, Age: 20 + i%60, Visits: int64(i) * 987654321,
		Balance: float64(i)*1.25 + 0.1, Active: i%2 == 0,
		Created: time.Date(2026, 11, 1+i%28, 12, 34, 56, 123456000, time.UTC),
		Tags:    []string{"alpha", "beta-tag", "gamma-longer-tag", "delta"},
		Attrs:   map[string]string{"color": "crimson", "size": "extra-large", "origin": "warehouse-7"},
		Blob:    blob, Roles: []string{"admin", "auditor", "owner"},
		Addr: address{Street: "221B Baker Street", City: "London", Zip: 12345 + i},
	}
}

// page returns the wire form of n items made by item.
func page[T any](tb testing.TB, n int, item func(i int) T) []byte {
	b := []byte{'['}
	for i := range n {
		if i > 0 {
			b = append(b, ',')
		}
		v := item(i)
		b = encode(tb, b, &v)
	}
	return append(b, ']')
}

func encode[T any](tb testing.TB, b []byte, v *T) []byte {
	tb.Helper()
	b, err := codec.Append(b, plan[T](tb), v)
	if err != nil {
		tb.Fatal(err)
	}
	return b
}

func decodePage[T any](data []byte, p *codec.Plan, rows []T) ([]T, error) {
	d := codec.NewDecoder(data, codec.Options{})
	defer d.Release()
	err := d.Array(func() error {
		rows = append(rows, *new(T))
		return codec.DecodeNext(p, d, &rows[len(rows)-1])
	})
	return rows, err
}

func BenchmarkDecodeRow(b *testing.B) {
	v := makeRow(11)
	data := encode(b, nil, &v)
	p := plan[row](b)
	b.Run("codec", func(b *testing.B) {
		b.SetBytes(int64(len(data)))
		b.ReportAllocs()
		var out row
		for b.Loop() {
			if err := codec.Decode(p, data, &out); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("attributevalue", func(b *testing.B) { // from existing maps, without the SDK's parsing
		m, err := codec.ParseItem(data)
		if err != nil {
			b.Fatal(err)
		}
		b.ReportAllocs()
		var out row
		for b.Loop() {
			if err := attributevalue.UnmarshalMap(m, &out); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkEncodeRow(b *testing.B) {
	v := makeRow(11)
	p := plan[row](b)
	buf := encode(b, nil, &v)
	b.Run("codec", func(b *testing.B) {
		b.SetBytes(int64(len(buf)))
		b.ReportAllocs()
		var err error
		for b.Loop() {
			if buf, err = codec.Append(buf[:0], p, &v); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("attributevalue", func(b *testing.B) { // to maps only
		b.ReportAllocs()
		for b.Loop() {
			if _, err := attributevalue.MarshalMap(&v); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkDecodePage(b *testing.B) {
	data := page(b, 1000, makeRow)
	p := plan[row](b)
	b.Run("codec", func(b *testing.B) {
		b.SetBytes(int64(len(data)))
		b.ReportAllocs()
		for b.Loop() {
			if _, err := decodePage(data, p, make([]row, 0, 1000)); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("attributevalue", func(b *testing.B) {
		b.SetBytes(int64(len(data)))
		b.ReportAllocs()
		for b.Loop() {
			d := codec.NewDecoder(data, codec.Options{})
			out := make([]row, 0, 1000)
			err := d.Array(func() error {
				raw, err := d.Raw()
				if err != nil {
					return err
				}
				m, err := codec.ParseItem(raw)
				if err != nil {
					return err
				}
				out = append(out, row{})
				return attributevalue.UnmarshalMap(m, &out[len(out)-1])
			})
			if err != nil {
				b.Fatal(err)
			}
			d.Release()
		}
	})
}

func BenchmarkScan(b *testing.B) {
	data := page(b, 1000, makeRow)
	b.SetBytes(int64(len(data)))
	b.ReportAllocs()
	for b.Loop() {
		d := codec.NewDecoder(data, codec.Options{})
		if err := d.Skip(); err != nil {
			b.Fatal(err)
		}
		d.Release()
	}
}
