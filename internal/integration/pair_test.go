// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/dynamotable/ddb/ddbtest"
)

// pair is our engine and the second one, which get the same requests.
type pair struct {
	ours http.Handler
	url  string // client of the second engine
}

// newPair starts a fresh process of the second engine and an engine of
// ours. If the binary is not in the cache, where the integration command puts it, the test is skipped.
func newPair(t *testing.T) *pair {
	t.Helper()
	cache, err := os.UserCacheDir()
	if err != nil {
		t.Skip(err)
	}
	binary := filepath.Join(cache, "ddb-integration", dynoxide.name+"-"+dynoxide.version,
		"node_modules", filepath.FromSlash(dynoxide.pkg), dynoxide.file)
	if runtime.GOOS != dynoxide.goos || runtime.GOARCH != dynoxide.goarch {
		t.Skipf("%s is pinned for %s/%s", dynoxide.name, dynoxide.goos, dynoxide.goarch)
	}
	if _, err := os.Stat(binary); err != nil {
		t.Skipf("%s is not in the cache; go run ./internal/integration fetches it", dynoxide.name)
	}
	if err := verify(binary, dynoxide.sha256); err != nil {
		t.Fatal(err)
	}
	e, err := start(t.Context(), binary)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := e.stop(); err != nil {
			t.Error(err)
		}
	})
	ours := ddbtest.NewEngine()
	t.Cleanup(ours.Close)
	return &pair{ours: ours.Handler(), url: e.url}
}

// asker is a test or one attempt of a property.
type asker interface {
	Helper()
	Context() context.Context
	Fatal(args ...any)
	Fatalf(format string, args ...any)
}

// answer is an engine's reply to a request, without the parts that may differ.
type answer struct {
	Status int
	Body   any
}

func (a answer) String() string {
	text, err := json.Marshal(a.Body)
	if err != nil {
		return err.Error()
	}
	return fmt.Sprintf("%d %s", a.Status, text)
}

// ask sends one request to both engines.
func (p *pair) ask(t asker, operation, body string) (ours, theirs answer) {
	t.Helper()
	w := httptest.NewRecorder()
	p.ours.ServeHTTP(w, request(t.Context(), p.url, operation, body))
	ours = newAnswer(t, operation, w.Code, w.Body.Bytes())

	res, err := http.DefaultClient.Do(request(t.Context(), p.url, operation, body))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }() // only read
	data, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return ours, newAnswer(t, operation, res.StatusCode, data)
}

// compare asks both engines and returns how they differ, or "".
func (p *pair) compare(t asker, operation, body string) string {
	t.Helper()
	ours, theirs := p.ask(t, operation, body)
	return described(operation, body, ours, theirs)
}

func described(operation, body string, ours, theirs answer) string {
	if cmp.Equal(ours, theirs) {
		return ""
	}
	return fmt.Sprintf("%s %s\n  ours   %s\n  theirs %s", operation, shortened(body), shortened(ours.String()), shortened(theirs.String()))
}

func shortened(s string) string {
	const longest = 1500
	if len(s) <= longest {
		return s
	}
	return s[:longest/2] + " ... " + s[len(s)-longest/2:]
}

func request(ctx context.Context, url, operation, body string) *http.Request {
	req := httptest.NewRequestWithContext(ctx, http.MethodPost, url, strings.NewReader(body))
	req.RequestURI = ""
	req.Header.Set("Content-Type", "application/x-amz-json-1.0")
	req.Header.Set("X-Amz-Target", "DynamoDB_20120810."+operation)
	req.Header.Set("X-Amz-Date", "20260101T000000Z")
	req.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/dynamodb/aws4_request, "+
		"SignedHeaders=host;x-amz-date;x-amz-target, Signature=0000000000000000000000000000000000000000000000000000000000000000")
	return req
}

// The second engine has its own Region.
var region = regexp.MustCompile(`arn:aws:dynamodb:[a-z0-9-]+:[0-9]+:`)

func newAnswer(t asker, operation string, status int, body []byte) answer {
	t.Helper()
	a := answer{Status: status}
	if len(body) == 0 {
		return a
	}
	body = region.ReplaceAll(body, []byte("arn:aws:dynamodb:us-east-1:000000000000:"))
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	if err := d.Decode(&a.Body); err != nil {
		t.Fatalf("%s answers %s: %v", operation, body, err)
	}
	a.Body = normal(withoutDifferences(operation, a.Body), "", operation)
	return a
}

// unordered are the lists whose order the service does not promise.
var unordered = []string{
	"SS", "NS", "BS", "AttributeDefinitions", "GlobalSecondaryIndexes", "LocalSecondaryIndexes",
	"NonKeyAttributes", "Tags", "ConsumedCapacity",
}

// normal drops values that cannot be equal or that the second engine does not support, and sorts lists without an order.
func normal(v any, name, operation string) any {
	switch v := v.(type) {
	case map[string]any:
		for k, e := range v {
			switch k {
			case "TableId", "CreationDateTime", "LatestStreamLabel", "LatestStreamArn", "LastUpdateToPayPerRequestDateTime",
				"LastIncreaseDateTime", "LastDecreaseDateTime", "SizeEstimateRangeGB", "TableSizeBytes", "IndexSizeBytes", "ItemCount":
				delete(v, k)
				continue
			}
			v[k] = normal(e, k, operation)
		}
		return v
	case []any:
		for i := range v {
			v[i] = normal(v[i], "", operation)
		}
		hashed := name == "Items" && operation == "Scan" || operation == "BatchGetItem" && name != "L"
		if hashed || slices.Contains(unordered, name) {
			slices.SortFunc(v, func(a, b any) int { return strings.Compare(canonical(a), canonical(b)) })
		}
		return v
	case json.Number:
		f, err := v.Float64()
		if err != nil {
			return v
		}
		return f
	default:
		return v
	}
}

func canonical(v any) string {
	text, err := json.Marshal(v)
	if err != nil {
		return err.Error()
	}
	return string(text)
}
