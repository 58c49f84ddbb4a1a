package codec_test

import (
	"errors"
	"fmt"
	"reflect"
	"runtime"
	"strings"
	"testing"

	"github.com/dynamotable/ddb/internal/codec"
)

// TestRepeatedMembers: a set with equal members, which DynamoDB never sends, is refused wherever it is read.
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
	long := strings.Join(many, ",")
	for name, item := range map[string]string{
		"texts":   `{"texts":{"SS":["a","b","a"]}}`,
		"numbers": `{"numbers":{"NS":["1","2","1"]}}`,
		"bytes":   `{"bytes":{"BS":["YQ==","Yg==","YQ=="]}}`,
		"empty":   `{"texts":{"SS":["",""]}}`,
		"long":    `{"texts":{"SS":[` + long + `,"7"]}}`,
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
	if err := decode([]byte(`{"texts":{"SS":[`+long+`]},"numbers":{"NS":["1","10"]},"bytes":{"BS":["YQ=="]}}`), &good); err != nil || len(good.Texts) != 100 || len(good.Numbers) != 2 {
		t.Error(good, err)
	}
}

// TestMemoryOfAny measures what an item into an interface takes up, for each byte of its body.
func TestMemoryOfAny(t *testing.T) {
	const size = 1 << 20
	list := func(element string) string {
		return `{"x":{"L":[` + strings.TrimSuffix(strings.Repeat(element+",", size/(len(element)+1)), ",") + `]}}`
	}
	for name, c := range map[string]struct {
		body string
		most float64
	}{
		"equal members": {`{"x":{"SS":["` + strings.Repeat(`","`, size/3) + `"]}}`, 8},
		"equal numbers": {`{"x":{"NS":["1"` + strings.Repeat(`,"1"`, size/4) + `]}}`, 8},
		"equal bytes":   {`{"x":{"BS":[""` + strings.Repeat(`,""`, size/3) + `]}}`, 8},
		"texts":         {list(`{"S":""}`), 8},
		"numbers":       {list(`{"N":"1"}`), 8},
		"nulls":         {list(`{"NULL":true}`), 8},
		"lists":         {list(`{"L":[]}`), 8},
		"maps":          {list(`{"M":{}}`), 8},
		// A map with one entry takes up 350 bytes, whatever it holds; that is the most, for each byte of a body.
		"maps of one": {list(`{"M":{"":{"S":""}}}`), 20},
	} {
		var (
			before, after runtime.MemStats
			x             holder
		)
		body := []byte(`{"any":{"M":` + c.body + `}}`)
		runtime.ReadMemStats(&before)
		_ = decode(body, &x) // some are refused
		runtime.GC()
		runtime.ReadMemStats(&after)
		if got := float64(after.TotalAlloc-before.TotalAlloc) / float64(len(c.body)); got > c.most {
			t.Errorf("%s: %.1f times the body, want at most %.0f", name, got, c.most)
		} else {
			t.Logf("%s: %.1f times the body", name, got)
		}
		runtime.KeepAlive(x)
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
