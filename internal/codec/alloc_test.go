// SPDX-License-Identifier: Apache-2.0

//go:build !ddb_safe && !race

package codec_test

import (
	"fmt"
	"testing"

	"github.com/dynamotable/ddb/internal/codec"
)

// flat is a row without map fields.
type flat struct {
	PK    string   `dynamodbav:"pk"`
	Count int64    `dynamodbav:"count"`
	Tags  []string `dynamodbav:"tags"`
	Blob  []byte   `dynamodbav:"blob"`
	Addr  address  `dynamodbav:"addr"`
}

// The limits are the gates of the design: they hold on every machine.
func TestAllocs(t *testing.T) {
	v := makeRow(11)
	data := encode(t, nil, &v)
	p := plan[row](t)
	buf := make([]byte, 0, 2*len(data))
	var out row
	cases := []struct {
		name string
		max  float64
		run  func() error
	}{
		{"encode a row into a reused buffer", 0, func() (err error) { buf, err = codec.Append(buf[:0], p, &v); return err }},
		{"decode a row into a reused value", 6, func() error { return codec.Decode(p, data, &out) }},
	}
	for _, c := range cases {
		got := testing.AllocsPerRun(100, func() {
			if err := c.run(); err != nil {
				t.Fatal(err)
			}
		})
		if got > c.max {
			t.Errorf("%s: %v allocations, want at most %v", c.name, got, c.max)
		}
	}
}

// A map of many texts is allocated once for all of them.
func TestAllocsOfALargeMap(t *testing.T) {
	type holder struct {
		M map[string]string `dynamodbav:"m"`
	}
	v := holder{M: map[string]string{}}
	for i := range 100 {
		v.M[fmt.Sprintf("name-%d", i)] = fmt.Sprintf("text-%d", i)
	}
	data, p := encode(t, nil, &v), plan[holder](t)
	var out holder
	got := testing.AllocsPerRun(100, func() {
		if err := codec.Decode(p, data, &out); err != nil {
			t.Fatal(err)
		}
	})
	if len(out.M) != 100 || got > 9 {
		t.Errorf("%d entries in %v allocations, want at most 9", len(out.M), got)
	}
	t.Log(got)
}

func TestAllocsOfAPage(t *testing.T) {
	rows := page(t, 1000, makeRow)
	flats := page(t, 1000, func(i int) flat {
		r := makeRow(i)
		return flat{r.PK, r.Visits, r.Tags, r.Blob, r.Addr}
	})
	rowBuf, flatBuf := make([]row, 0, 1000), make([]flat, 0, 1000)
	for _, c := range []struct {
		name string
		max  float64
		run  func() error
	}{
		{"1000 rows with a map", 3000, func() error { _, err := decodePage(rows, plan[row](t), rowBuf); return err }},
		{"1000 rows without maps", 300, func() error { _, err := decodePage(flats, plan[flat](t), flatBuf); return err }},
	} {
		got := testing.AllocsPerRun(5, func() {
			if err := c.run(); err != nil {
				t.Fatal(err)
			}
		})
		if got > c.max {
			t.Errorf("%s: %v allocations, want at most %v", c.name, got, c.max)
		}
	}
}
