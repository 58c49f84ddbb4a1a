// SPDX-License-Identifier: Apache-2.0

package protocol_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"hash/crc32"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"

	"github.com/dynamotable/ddb/ddbtest/internal/engine"
	"github.com/dynamotable/ddb/ddbtest/internal/protocol"
)

func zipped(text string) string {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, _ = w.Write([]byte(text))
	_ = w.Close()
	return b.String()
}

// Requests may be compressed; a body that is not gzip, or another coding, is refused.
func TestRequestEncoding(t *testing.T) {
	h := protocol.New(engine.New(engine.Options{Clock: clock{}}), nil, nil)
	for _, c := range []struct {
		encoding, body string
		status         int
		want           string
	}{
		{"gzip", zipped(`{"Limit":3}`), 200, `{"TableNames":[]}`},
		{"GZIP", zipped(`{"Limit":0}`), 400, "'limit' failed to satisfy constraint"},
		{"identity", `{"Limit":3}`, 200, `{"TableNames":[]}`},
		{"gzip", `{"Limit":3}`, 400, "SerializationException"},
		{"gzip", zipped(`{"Limit":3}`)[:20], 400, "SerializationException"},
		{"br", `{"Limit":3}`, 400, "SerializationException"},
		{"gzip", zipped(strings.Repeat(" ", 17<<20)), 413, "RequestEntityTooLargeException"},
	} {
		req := request("DynamoDB_20120810.ListTables", c.body)
		req.Header.Set("Content-Encoding", c.encoding)
		if status, body := answer(t, h, req); status != c.status || !strings.Contains(body, c.want) {
			t.Errorf("%s: got %d %s, want %d %s", c.encoding, status, body, c.status, c.want)
		}
	}
}

// Long replies are compressed for clients that accept it, and the checksum is that of the compressed body.
func TestReplyEncoding(t *testing.T) {
	long := func(_ context.Context, call *protocol.Call, next func(context.Context, *protocol.Call) *protocol.Reply) *protocol.Reply {
		reply := next(context.Background(), call)
		if call.Operation == "DescribeLimits" { // stays short
			return reply
		}
		reply.Body = []byte(`{"TableNames":["` + strings.Repeat("a", 4000) + `"]}`)
		reply.Checksum = crc32.ChecksumIEEE(reply.Body)
		if call.Operation == "DescribeEndpoints" {
			reply.Checksum ^= 1 // a fault
		}
		return reply
	}
	server := httptest.NewServer(protocol.New(engine.New(engine.Options{Clock: clock{}}), nil, long))
	defer server.Close()
	for _, c := range []struct {
		operation, accept string
		compressed, right bool
	}{
		{"ListTables", "gzip", true, true},
		{"ListTables", "deflate, gzip;q=0.5", true, true},
		{"ListTables", "*", true, true},
		{"ListTables", "identity", false, true},
		{"ListTables", "gzip;q=0", false, true},
		{"ListTables", "gzip; q=0.0", false, true},
		{"DescribeLimits", "gzip", false, true},
		{"DescribeEndpoints", "gzip", true, false},
	} {
		req := request("DynamoDB_20120810."+c.operation, "{}")
		out, err := http.NewRequest(req.Method, server.URL, strings.NewReader("{}"))
		if err != nil {
			t.Fatal(err)
		}
		out.Header = req.Header
		out.Header.Set("Accept-Encoding", c.accept)
		resp, err := server.Client().Do(out)
		if err != nil {
			t.Fatal(err)
		}
		raw, err := io.ReadAll(resp.Body)
		_ = resp.Body.Close()
		if err != nil {
			t.Fatal(err)
		}
		right := resp.Header.Get("X-Amz-Crc32") == strconv.FormatUint(uint64(crc32.ChecksumIEEE(raw)), 10)
		compressed := resp.Header.Get("Content-Encoding") == "gzip"
		if right != c.right || compressed != c.compressed || resp.ContentLength != int64(len(raw)) {
			t.Errorf("%s, %s: checksum right %v, compressed %v, length %d of %d", c.operation, c.accept, right, compressed, resp.ContentLength, len(raw))
		}
		if !compressed {
			continue
		}
		r, err := gzip.NewReader(bytes.NewReader(raw))
		if err != nil {
			t.Fatal(err)
		}
		if plain, err := io.ReadAll(r); err != nil || len(plain) < 4000 {
			t.Errorf("%s: %d bytes, %v", c.accept, len(plain), err)
		}
	}
}
