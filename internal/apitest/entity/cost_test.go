// SPDX-License-Identifier: Apache-2.0

package entity_test

import (
	"fmt"
	"hash/crc32"
	"io"
	"net/http"
	"strconv"
	"strings"
	"testing"

	"github.com/dynamotable/ddb"
	"github.com/dynamotable/ddb/entity"
	"github.com/dynamotable/ddb/internal/apitest"
)

// canned answers every request with one body.
type canned struct{ body string }

func (c *canned) Do(r *http.Request) (*http.Response, error) {
	_, _ = io.Copy(io.Discard, r.Body)
	header := http.Header{"Content-Type": {"application/x-amz-json-1.0"}, "X-Amz-Crc32": {strconv.FormatUint(uint64(crc32.ChecksumIEEE([]byte(c.body))), 10)}}
	return &http.Response{StatusCode: http.StatusOK, Header: header, ContentLength: int64(len(c.body)), Body: io.NopCloser(strings.NewReader(c.body)), Request: r}, nil
}

// page returns a reply of n items of alternating kinds, all of about the same size.
func cannedPage(n int, kinds ...string) *canned {
	items := make([]string, n)
	for i := range items {
		kind := kinds[i%len(kinds)]
		items[i] = fmt.Sprintf(`{"pk":{"S":"p"},"sk":{"S":"%04d"},"g":{"S":"group"},"at":{"S":"2026-01-02"},%q:{"N":"%d"},"type":{"S":%q}}`, i, numberOf[kind], i+1, kind)
	}
	return &canned{fmt.Sprintf(`{"Items":[%s],"Count":%d,"ScannedCount":%d,"ConsumedCapacity":{"TableName":"shop","CapacityUnits":1}}`, strings.Join(items, ","), n, n)}
}

// readers are the reads of one page of 100 items: of one type without and with a discriminator, and of three types.
func readers(tb testing.TB) map[string]func() {
	tb.Helper()
	const n = 100
	run := func(through *canned, opts kinds, mixed bool) func() {
		client := apitest.NewDefaults(tb, through)
		s := &shop{name: "shop"}
		var errs [3]error
		s.customers, errs[0] = ddb.New(client, s.name, customerPK, customerSK, opts.customer...)
		s.orders, errs[1] = ddb.New(client, s.name, orderPK, orderSK, opts.order...)
		s.lines, errs[2] = ddb.New(client, s.name, linePK, lineSK, opts.line...)
		for _, err := range errs {
			if err != nil {
				tb.Fatal(err)
			}
		}
		typed := s.orders.Query("p")
		if !mixed {
			return func() {
				if page, err := typed.Page(tb.Context()); err != nil || len(page.Items) != n {
					tb.Errorf("%d items, %v", len(page.Items), err)
				}
			}
		}
		all := entity.Read(s.mixed(tb), typed)
		return func() {
			if page, err := all.Page(tb.Context()); err != nil || len(page.Items) != n {
				tb.Errorf("%d items, %v", len(page.Items), err)
			}
		}
	}
	return map[string]func(){
		"one type, not recognised": run(cannedPage(n, "order"), kinds{}, false),
		"one type":                 run(cannedPage(n, "order"), discriminators(), false),
		"three types":              run(cannedPage(n, "order", "customer", "line"), discriminators(), true),
	}
}

// TestAllocationsOfTypes is the gate: a page of 100 items of three types allocates about as much as one of a single type, and recognising items allocates nothing.
func TestAllocationsOfTypes(t *testing.T) {
	counts := map[string]float64{}
	for name, read := range readers(t) {
		counts[name] = testing.AllocsPerRun(20, read)
	}
	t.Log(counts)
	plain := counts["one type, not recognised"]
	if counts["one type"] > plain+5 || counts["three types"] > plain+40 {
		t.Errorf("allocations of a page of 100: %v", counts)
	}
}

func BenchmarkPageOfTypes(b *testing.B) {
	for name, read := range readers(b) {
		b.Run(strings.ReplaceAll(name, " ", "_"), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				read()
			}
		})
	}
}
