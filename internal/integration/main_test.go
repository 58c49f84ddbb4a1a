// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// fakeVariable turns this test binary into an engine, to test starting and stopping an engine without a download.
const fakeVariable = "DDB_INTEGRATION_FAKE"

func TestMain(m *testing.M) {
	switch os.Getenv(fakeVariable) {
	case "":
		os.Exit(m.Run())
	case "refuses":
		fmt.Println("port in use")
		os.Exit(1)
	case "stubborn":
		signal.Ignore(os.Interrupt)
	}
	// serve --host H --port P
	if err := http.ListenAndServe(net.JoinHostPort(os.Args[3], os.Args[5]), http.NotFoundHandler()); err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
}

func TestStartAndStop(t *testing.T) {
	for _, kind := range []string{"polite", "stubborn"} {
		t.Run(kind, func(t *testing.T) {
			t.Setenv(fakeVariable, kind)
			e, err := start(t.Context(), executable(t))
			if err != nil {
				t.Fatal(err)
			}
			e.grace = time.Second
			if err := e.stop(); err != nil {
				t.Fatal(err)
			}
			if res, err := http.Get(e.url); err == nil {
				res.Body.Close()
				t.Error("the engine still answers after stop")
			}
		})
	}
}

func TestStartReportsWhyAnEngineEnded(t *testing.T) {
	t.Setenv(fakeVariable, "refuses")
	e, err := start(t.Context(), executable(t))
	if err == nil {
		t.Fatalf("started at %s", e.url)
	}
	for _, want := range []string{"exit status 1", "port in use"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("error lacks %q:\n%v", want, err)
		}
	}
}

func TestStopReportsACrash(t *testing.T) {
	t.Setenv(fakeVariable, "polite")
	e, err := start(t.Context(), executable(t))
	if err != nil {
		t.Fatal(err)
	}
	if err := e.cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	<-e.exited
	if err := e.stop(); err == nil || !strings.Contains(err.Error(), "ended by itself") {
		t.Errorf("stop after a crash = %v", err)
	}
}

func TestVerify(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "binary")
	if err := os.WriteFile(path, []byte("abc"), 0o600); err != nil {
		t.Fatal(err)
	}
	// The test vector of FIPS 180-2 for "abc".
	const abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
	if err := verify(path, abc); err != nil {
		t.Error(err)
	}
	if err := verify(path, dynoxide.sha256); err == nil {
		t.Error("a file with another checksum was accepted")
	}
	if err := verify(path+"-absent", abc); err == nil {
		t.Error("an absent file was accepted")
	}
}

func TestCounter(t *testing.T) {
	t.Parallel()
	var host string
	engine := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		host = r.Host
		w.Header().Set("X-Amz-Crc32", "42")
		fmt.Fprint(w, "{}")
	}))
	defer engine.Close()
	target, err := url.Parse(engine.URL)
	if err != nil {
		t.Fatal(err)
	}
	c, err := listen(t.Context(), target)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := c.close(); err != nil {
			t.Error(err)
		}
	}()

	for _, operation := range []string{"PutItem", "GetItem", "PutItem"} {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, c.url, strings.NewReader("{}"))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("X-Amz-Target", "DynamoDB_20120810."+operation)
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		if got := res.Header.Get("X-Amz-Crc32"); got != "42" {
			t.Errorf("checksum header = %q", got)
		}
		if host != req.URL.Host {
			t.Errorf("the engine saw host %q, the request was signed for %q", host, req.URL.Host)
		}
	}
	var out bytes.Buffer
	if n := c.report(&out, "fake"); n != 3 {
		t.Errorf("total = %d", n)
	}
	if got, want := out.String(), "fake answered 3 requests: GetItem 1, PutItem 2\n"; got != want {
		t.Errorf("report = %q, want %q", got, want)
	}
}

func TestRunRefusesPassWithoutRequests(t *testing.T) {
	t.Parallel()
	engine := httptest.NewServer(http.NotFoundHandler())
	defer engine.Close()
	var out bytes.Buffer
	err := run(t.Context(), []string{"-endpoint", engine.URL, "--", "-run=^$", "./internal/archtest"}, &out, &out)
	if err == nil || !strings.Contains(err.Error(), "no request reached") {
		t.Errorf("run = %v\n%s", err, &out)
	}
}

func TestRunReportsFailingTests(t *testing.T) {
	t.Parallel()
	engine := httptest.NewServer(http.NotFoundHandler())
	defer engine.Close()
	var out bytes.Buffer
	err := run(t.Context(), []string{"-endpoint", engine.URL, "./internal/there-is-no-such-package"}, &out, &out)
	if err == nil || !strings.Contains(err.Error(), "go test on other") {
		t.Errorf("run = %v\n%s", err, &out)
	}
}

func executable(t *testing.T) string {
	t.Helper()
	path, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return path
}
