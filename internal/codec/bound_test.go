// SPDX-License-Identifier: Apache-2.0

package codec_test

import (
	"errors"
	"fmt"
	"reflect"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"testing"

	"github.com/dynamotable/ddb/internal/codec"
	"github.com/dynamotable/ddb/internal/longtest"
)

// TestRepeatedMembers: a set with equal members, which DynamoDB never sends, is rejected wherever it is read.
func TestRepeatedMembers(t *testing.T) {
	type sets struct {
		Texts   []string `dynamodbav:"texts,stringset"`
		Numbers []int    `dynamodbav:"numbers,numberset"`
		Bytes   [][]byte `dynamodbav:"bytes,binaryset"`
	}
	many := make([]string, 100)
	for i := range many {
		many[i] = fmt.Sprintf(`"%d"`, i)
	}
	text := strings.Join(many, ",")
	for name, item := range map[string]string{
		"texts":   `{"texts":{"SS":["a","b","a"]}}`,
		"numbers": `{"numbers":{"NS":["1","2","1"]}}`,
		"bytes":   `{"bytes":{"BS":["YQ==","Yg==","YQ=="]}}`,
		"empty":   `{"texts":{"SS":["",""]}}`,
		"long":    `{"texts":{"SS":[` + text + `,"7"]}}`,
		"spaces":  `{"numbers":{"NS":[ "1" , "1" ]}}`,
	} {
		for into, err := range map[string]error{
			"fields": decode([]byte(item), new(sets)), "any": decode([]byte(`{"any":{"M":`+item+`}}`), new(holder)),
			"a map": func() error { _, err := codec.ParseItem([]byte(item)); return err }(),
		} {
			var e *codec.Error
			if !errors.As(err, &e) || !strings.Contains(err.Error(), "twice") {
				t.Errorf("%s into %s: %v", name, into, err)
			}
		}
	}
	var good sets
	if err := decode([]byte(`{"texts":{"SS":[`+text+`]},"numbers":{"NS":["1","10"]},"bytes":{"BS":["YQ=="]}}`), &good); err != nil || len(good.Texts) != 100 || len(good.Numbers) != 2 {
		t.Error(good, err)
	}
}

// TestMemoryOfAny measures the memory that a reply of 12 MB (15 MB with -long) uses for each byte of its body when it is decoded into an interface, or
// into the SDK's form. Including the body it is at most eight times the size of the body, or the reply is refused before it uses more.
func TestMemoryOfAny(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector uses memory of its own")
	}
	size := 12 << 20 // the limit depends on the size of the body from 11.5 MB
	if longtest.Enabled() {
		size = 15 << 20
	}
	// Collecting what the cases before have left takes longer than decoding.
	percent, limit := debug.SetGCPercent(-1), debug.SetMemoryLimit(400<<20)
	defer func() { debug.SetGCPercent(percent); debug.SetMemoryLimit(limit) }()
	// A body is made only for a case that runs.
	list := func(element string) func() string {
		return func() string {
			return `{"L":[` + strings.TrimSuffix(strings.Repeat(element+",", size/(len(element)+1)), ",") + `]}`
		}
	}
	repeated := func(before, element string, n int, after string) func() string {
		return func() string { return before + strings.Repeat(element, n) + after }
	}
	many := func(n int, form string) string {
		all := make([]string, n)
		for i := range all {
			all[i] = fmt.Sprintf(form, i)
		}
		return strings.Join(all, ",")
	}
	few := []string{"equal numbers", "repeated names", "lists in lists, deep", "one map", "maps of one"}
	for name, c := range map[string]struct {
		body func() string
		fits bool // otherwise it may be rejected
	}{
		"equal members":         {repeated(`{"SS":["`, `","`, size/3, `"]}`), false},
		"equal numbers":         {repeated(`{"NS":["1"`, `,"1"`, size/4, `]}`), false},
		"equal bytes":           {repeated(`{"BS":[""`, `,""`, size/3, `]}`), false},
		"repeated names":        {repeated(`{"M":{"":{"S":""}`, `,"":{"S":""}`, size/12, `}}`), false},
		"texts":                 {list(`{"S":""}`), true},
		"short texts":           {list(`{"S":"a"}`), true},
		"numbers":               {list(`{"N":"1"}`), true},
		"long numbers":          {list(`{"N":"12345678901234567890123456789012345678"}`), true},
		"nulls":                 {list(`{"NULL":true}`), true},
		"bytes":                 {list(`{"B":"AA=="}`), true},
		"empty lists":           {list(`{"L":[]}`), true},
		"lists of one":          {list(`{"L":[{"N":"1"}]}`), true},
		"lists in lists":        {list(strings.Repeat(`{"L":[`, 8) + `{"N":"1"}` + strings.Repeat(`]}`, 8)), true},
		"lists in lists, deep":  {list(strings.Repeat(`{"L":[`, 40) + `{"N":"1"}` + strings.Repeat(`]}`, 40)), true},
		"small sets":            {list(`{"SS":["a","b"]}`), true},
		"sets of numbers":       {list(`{"NS":[` + many(900, `"%d"`) + `]}`), true},
		"sets of long numbers":  {list(`{"NS":[` + many(900, `"12345678901234567890123456789012%03d"`) + `]}`), true},
		"sets of bytes":         {list(`{"BS":["AA==","AQ==","Ag==","Aw==","BA=="]}`), true},
		"one set":               {func() string { return `{"SS":[` + many(size/10, `"%07d"`) + `]}` }, true},
		"one map":               {func() string { return `{"M":{` + many(size/19, `"%07d":{"S":""}`) + `}}` }, true},
		"empty maps":            {list(`{"M":{}}`), false},
		"maps of one":           {list(`{"M":{"":{"S":""}}}`), false},
		"maps of two":           {list(`{"M":{"x":{"N":"1"},"y":{"N":"2"}}}`), false},
		"maps of nine":          {list(`{"M":{` + many(9, `"%d":{"N":"1"}`) + `}}`), false},
		"maps in maps":          {list(strings.Repeat(`{"M":{"":`, 8) + `{"S":""}` + strings.Repeat(`}}`, 8)), false},
		"maps in maps, deep":    {list(strings.Repeat(`{"M":{"":`, 40) + `{"S":""}` + strings.Repeat(`}}`, 40)), false},
		"deep maps of many":     {list(strings.Repeat(`{"L":[`, 12) + `{"M":{` + many(100, `"%02d":{"N":"1"}`) + `}}` + strings.Repeat(`]}`, 12)), false},
		"records of some texts": {list(`{"M":{"name":{"S":"Ada Lovelace"},"city":{"S":"London"},"born":{"N":"1815"},"works":{"L":[{"S":"Note G"}]}}}`), true},
	} {
		if !longtest.Enabled() && !slices.Contains(few, name) {
			continue
		}
		body := []byte(`{"any":` + c.body() + `}`)
		for form, run := range map[string]func(body []byte) error{
			"any": func(body []byte) error { return decode(body, new(holder)) },
			"SDK": func(body []byte) error { _, err := codec.ParseItem(body); return err },
		} {
			if form == "SDK" && !strings.Contains(name, "maps") && !strings.Contains(name, "lists") {
				continue // as for any
			}
			if form == "SDK" && !longtest.Enabled() && name != "maps of one" {
				continue
			}
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			err := run(body)
			runtime.ReadMemStats(&after)
			got := float64(after.TotalAlloc-before.TotalAlloc) / float64(len(body))
			t.Logf("%s: %s: %.1f times the body, %v", form, name, got, err)
			if got > 7.2 {
				t.Errorf("%s: %s: %.1f times the body", form, name, got)
			}
			if c.fits && err != nil && form == "any" {
				t.Errorf("%s: %s: %v", form, name, err)
			}
			var e *codec.Error
			if err != nil && !errors.As(err, &e) && !errors.Is(err, codec.ErrSyntax) || strings.HasPrefix(name, "maps") && (err == nil || !strings.Contains(err.Error(), "read fewer items at once")) {
				t.Errorf("%s: %s: %v", form, name, err)
			}
		}
	}
}

// TestSmallRepliesFit: whatever an item of 400 KB or a page of 1 MB holds is decoded. The entry of a map counts as 3 bytes and its texts, a
// map and an element of a list as a few more, so 1 MB is at most 3 MB on the wire..
func TestSmallRepliesFit(t *testing.T) {
	for _, element := range []string{`{"M":{"a":{"S":""}}}`, `{"M":{}}`, `{"M":{"a":{"M":{"b":{"M":{"c":{"S":""}}}}}}}`} {
		body := `{"any":{"L":[` + strings.TrimSuffix(strings.Repeat(element+",", 3<<20/(len(element)+1)), ",") + `]}}`
		var x holder
		if err := decode([]byte(body), &x); err != nil || len(x.Any.([]any)) < 10_000 {
			t.Errorf("%s: %v", element, err)
		}
	}
}

func decode[T any](data []byte, dst *T) error {
	plan, err := codec.PlanOf(reflect.TypeFor[T]())
	if err != nil {
		return err
	}
	return codec.Decode(plan, data, dst)
}

type holder struct {
	Any any `dynamodbav:"any"`
}
