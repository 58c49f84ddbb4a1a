// SPDX-License-Identifier: Apache-2.0

package main

import (
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/dynamotable/ddb/ddbtest"
)

// answer sends one request to a server with the arguments.
func answer(t *testing.T, args, method, host string, header map[string]string) *http.Response {
	t.Helper()
	s, err := parse(strings.Fields(args), io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	engine := ddbtest.NewEngine()
	defer engine.Close()
	req := httptest.NewRequestWithContext(t.Context(), method, "http://127.0.0.1:8000/", strings.NewReader("{}"))
	req.Host = host
	req.Header.Set("X-Amz-Target", "DynamoDB_20120810.ListTables")
	req.Header.Set("Content-Type", "application/x-amz-json-1.0")
	req.Header.Set("X-Amz-Date", "20260101T000000Z")
	req.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=a/20260101/us-east-1/dynamodb/aws4_request, SignedHeaders=host, Signature=0")
	for name, value := range header {
		req.Header.Set(name, value)
	}
	w := httptest.NewRecorder()
	s.server(engine.Handler(), s.pageOf(engine), io.Discard).Handler.ServeHTTP(w, req)
	return w.Result()
}

// Web pages can use the server only from origins that a flag allows; programs need no flag.
func TestOrigins(t *testing.T) {
	const page = "http://localhost:8001"
	for _, c := range []struct {
		args, method, origin string
		status               int
		allowed              string // Access-Control-Allow-Origin
	}{
		{"", "POST", "", 200, ""},
		{"", "POST", page, 403, ""},
		{"", "OPTIONS", page, 403, ""},
		{"", "POST", "null", 403, ""}, // a page from a file or a sandbox
		{"", "POST", "http://127.0.0.1:8000", 403, ""},
		{"-origin " + page, "POST", page, 200, page},
		{"-origin " + page, "OPTIONS", page, 200, page},
		{"-origin " + page, "POST", "http://localhost:8002", 403, ""},
		{"-origin " + page, "POST", "https://localhost:8001", 403, ""},
		{"-origin " + page, "POST", page + ".evil.example", 403, ""},
		{"-origin https://a.example," + page, "POST", page, 200, page},
		{"-origin https://a.example -origin " + page, "POST", page, 200, page},
		{"-origin *", "POST", "https://any.example", 200, "https://any.example"},
		{"-origin *", "POST", "", 200, ""},
	} {
		header := map[string]string{}
		if c.origin != "" {
			header["Origin"] = c.origin
		}
		resp := answer(t, c.args, c.method, "127.0.0.1:8000", header)
		body, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Fatal(err)
		}
		if got := resp.Header.Get("Access-Control-Allow-Origin"); resp.StatusCode != c.status || got != c.allowed {
			t.Errorf("%q, %s from %q: status %d, allowed origin %q; want %d, %q", c.args, c.method, c.origin, resp.StatusCode, got, c.status, c.allowed)
		}
		switch text := string(body); {
		case c.status == 403 && (strings.Contains(text, "TableNames") || !strings.Contains(text, "-origin")):
			t.Errorf("%q, %s from %q: refused with %q", c.args, c.method, c.origin, text)
		case c.method == "OPTIONS" && text != "" && c.status == 200:
			t.Errorf("%q: a preflight was executed: %q", c.args, text)
		}
	}
}

// The answer to a preflight request lets the page send the headers of a signed request.
func TestPreflight(t *testing.T) {
	const page, asked = "http://localhost:8001", "authorization,content-type,x-amz-target"
	resp := answer(t, "-origin "+page, "OPTIONS", "localhost:8000", map[string]string{"Origin": page, "Access-Control-Request-Headers": asked})
	for name, want := range map[string]string{
		"Access-Control-Allow-Headers": asked, "Access-Control-Allow-Methods": "POST, GET, OPTIONS", "Vary": "Origin",
		"Access-Control-Expose-Headers": "x-amzn-RequestId, x-amz-crc32", "Access-Control-Max-Age": "86400",
	} {
		if got := resp.Header.Get(name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
}

// A web page whose domain resolves to this machine (DNS rebinding) is refused; programs reach the server by address, localhost, or a name that -host allows.
func TestHosts(t *testing.T) {
	for _, c := range []struct {
		args, host string
		allowed    bool
	}{
		{"", "127.0.0.1:8000", true},
		{"", "127.0.0.1", true},
		{"", "[::1]:8000", true},
		{"", "192.0.2.7:8000", true},
		{"", "localhost:8000", true},
		{"", "LocalHost.:8000", true},
		{"", "ddb.localhost", true},
		{"", "evil.example:8000", false},
		{"", "localhost.evil.example", false},
		{"", "evil-localhost", false},
		{"", "127.0.0.1.evil.example", false},
		{"", "", false},
		{"-host ddb,other.example", "ddb:8000", true},
		{"-host ddb,other.example", "Other.example", true},
		{"-host ddb", "ddb.evil.example", false},
	} {
		resp := answer(t, c.args, "POST", c.host, nil)
		body, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Fatal(err)
		}
		if allowed := resp.StatusCode == http.StatusOK; allowed != c.allowed {
			t.Errorf("%q, host %q: status %d, want allowed %v", c.args, c.host, resp.StatusCode, c.allowed)
		} else if !allowed && (resp.StatusCode != http.StatusForbidden || !strings.Contains(string(body), "-host")) {
			t.Errorf("%q, host %q: status %d, %q", c.args, c.host, resp.StatusCode, body)
		}
	}
}

// A client that does not send the announced body is disconnected.
func TestReadTimeout(t *testing.T) {
	s, err := parse([]string{"-read-timeout", "20ms"}, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	engine := ddbtest.NewEngine()
	defer engine.Close()
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := s.server(engine.Handler(), s.pageOf(engine), io.Discard)
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	conn, err := new(net.Dialer).DialContext(t.Context(), "tcp", listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := io.WriteString(conn, "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\n{"); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadAll(conn); err != nil { // without the timeout this would wait forever
		t.Logf("the connection ended with %v", err)
	}
	if err := server.Close(); err != nil {
		t.Error(err)
	}
	<-served
}

// The page is served next to the API. -origin and -host give access to the API only, and without -page there is no page.
func TestPage(t *testing.T) {
	engine := ddbtest.NewEngine()
	defer engine.Close()
	for _, c := range []struct {
		args, path, host, origin string
		status                   int
		says                     string
	}{
		{"", "/_ddb/", "localhost:8000", "", 200, "There are no tables"},
		{"", "/_ddb", "127.0.0.1:8000", "", 301, ""},
		{"", "/", "localhost:8000", "", 200, "healthy"},
		{"", "/_ddbx", "localhost:8000", "", 200, "healthy"},
		{"-page=false", "/_ddb/", "localhost:8000", "", 200, "healthy"},
		{"-page-read-only", "/_ddb/", "localhost:8000", "", 200, "read-only"},
		{"-host ddb", "/_ddb/", "ddb:8000", "", 403, "-page-public"},
		{"-public -host ddb", "/_ddb/", "ddb:8000", "", 403, "-page-public"},
		{"-public -page-public -host ddb", "/_ddb/", "ddb:8000", "", 200, "There are no tables"},
		{"-public -page-public", "/_ddb/", "ddb:8000", "", 403, ""},
		{"-origin https://a.example", "/_ddb/", "localhost:8000", "https://a.example", 403, "pages of other sites"},
		{"-origin *", "/_ddb/clock", "localhost:8000", "https://a.example", 403, "pages of other sites"},
	} {
		s, err := parse(strings.Fields(c.args), io.Discard)
		if err != nil {
			t.Fatal(err)
		}
		method := http.MethodGet
		if c.origin != "" {
			method = http.MethodPost
		}
		req := httptest.NewRequestWithContext(t.Context(), method, c.path, http.NoBody)
		req.Host, req.RemoteAddr = c.host, "127.0.0.1:40000"
		if c.origin != "" {
			req.Header.Set("Origin", c.origin)
		}
		w := httptest.NewRecorder()
		s.server(engine.Handler(), s.pageOf(engine), io.Discard).Handler.ServeHTTP(w, req)
		if w.Code != c.status || !strings.Contains(w.Body.String(), c.says) || w.Header().Get("Access-Control-Allow-Origin") != "" {
			t.Errorf("%q, %s as %s from %q: status %d, %v, %s", c.args, c.path, c.host, c.origin, w.Code, w.Header(), w.Body)
		}
	}
}
