// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestOutcomes(t *testing.T) {
	known, err := parseOutcomes(outcomes)
	if err != nil {
		t.Fatal(err)
	}
	for name := range known {
		if _, err := choose([]string{name}); err != nil {
			t.Errorf("outcomes.txt: %v", err)
		}
	}
	for _, wrong := range []string{"a | fail | b", "a | pass | b | c", "a fail b c"} {
		if _, err := parseOutcomes("# note\n\n" + wrong); err == nil || !strings.Contains(err.Error(), "line 3") {
			t.Errorf("%q: %v", wrong, err)
		}
	}
}

func TestCompare(t *testing.T) {
	results := []result{{"a", "pass"}, {"b", "fail"}, {"c", "skip"}, {"d", "fail"}}
	good := []outcome{{result{"b", "fail"}, "r"}, {result{"c", "skip"}, "r"}, {result{"d", either}, "r"}}
	with := func(o ...outcome) []outcome { return append(slices.Clone(good), o...) }
	for name, c := range map[string]struct {
		known []outcome
		least int
		want  string // "" if all is as expected
	}{
		"as known":          {good, 1, ""},
		"unexpected fail":   {good[1:], 1, "b: fail, and"},
		"unexpected skip":   {[]outcome{good[0], good[2]}, 1, "c: skip, and"},
		"unexpected pass":   {with(outcome{result{"a", "fail"}, "r"}), 1, "a: pass, but fail in outcomes.txt (r)"},
		"not run":           {with(outcome{result{"e", "fail"}, "r"}), 1, "e: is in outcomes.txt and did not run"},
		"either is no skip": {[]outcome{good[0], {result{"c", either}, "r"}, good[2]}, 1, "c: skip, but either"},
		"fewer than before": {good, 2, "1 tests passed, expected are 2"},
	} {
		_, err := compare(results, c.known, c.least)
		if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
}

func TestModuleResults(t *testing.T) {
	const events = `{"Action":"pass","Package":"m","Test":"TestA/x"}
{"Action":"fail","Package":"m","Test":"TestA/y/z"}
{"Action":"fail","Package":"m","Test":"TestA/y"}
{"Action":"fail","Package":"m","Test":"TestA"}
{"Action":"fail","Package":"m","Test":"TestD/get_/_put"}
{"Action":"fail","Package":"m","Test":"TestD"}
{"Action":"pass","Package":"m","Test":"TestB/x"}
{"Action":"fail","Package":"m","Test":"TestB"}
{"Action":"output","Package":"m","Test":"TestB","Output":"why"}
{"Action":"fail","Package":"m"}
{"Action":"skip","Package":"m/sub","Test":"TestC"}
{"Action":"pass","Package":"m/sub"}
{"ImportPath":"m/no [m/no.test]","Action":"build-fail"}
{"Action":"fail","Package":"m/dies"}
`
	var output bytes.Buffer
	results, broken, err := (&module{path: "m"}).results(strings.NewReader(events), &output)
	want := []result{{"TestA/x", "pass"}, {"TestA/y/z", "fail"}, {"TestD/get_/_put", "fail"}, {"TestB/x", "pass"}, {"TestB", "fail"}, {"sub/TestC", "skip"}}
	if err != nil || !slices.Equal(results, want) {
		t.Errorf("%v, %v; want %v", results, err, want)
	}
	if want := []string{"m/no [m/no.test]", "m/dies"}; !slices.Equal(broken, want) {
		t.Errorf("broken are %v, want %v", broken, want)
	}
	if output.String() != "why" {
		t.Errorf("output is %q", &output)
	}
}

func TestMochaResults(t *testing.T) {
	const out = `what a test printed {}
{
  "stats": {"tests": 3},
  "passes": [{"fullTitle": "a b", "err": {}}],
  "failures": [{"fullTitle": "a c", "err": {"message": "why"}}],
  "pending": [{"fullTitle": "a d", "err": {}}]
}`
	var output bytes.Buffer
	results, err := mochaResults([]byte(out), &output)
	if want := []result{{"a b", "pass"}, {"a c", "fail"}, {"a d", "skip"}}; err != nil || !slices.Equal(results, want) {
		t.Errorf("%v, %v; want %v", results, err, want)
	}
	if output.String() != "a c: why\n" {
		t.Errorf("output is %q", &output)
	}
	if _, err := mochaResults([]byte("it broke"), &output); err == nil {
		t.Error("output without a report was accepted")
	}
}

// A module whose content has changed is not run.
func TestDownloadComparesChecksums(t *testing.T) {
	other := *modules[0]
	other.sum = "h1:" + strings.Repeat("A", 43) + "="
	if _, err := other.download(t.Context()); err == nil || !strings.Contains(err.Error(), other.path) {
		t.Errorf("another checksum was accepted: %v", err)
	}
}

// fakeSuite sends as many requests to its server as its arguments say.
type fakeSuite struct {
	requests int
	results  []result
}

func (f *fakeSuite) String() string                        { return "fake" }
func (f *fakeSuite) address() string                       { return anyPort }
func (f *fakeSuite) least() int                            { return 1 }
func (f *fakeSuite) prepare(context.Context, string) error { return nil }

func (f *fakeSuite) test(ctx context.Context, _, url string, _ io.Writer) ([]result, error) {
	for range f.requests {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
		if err != nil {
			return nil, err
		}
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			return nil, err
		}
		if err := resp.Body.Close(); err != nil {
			return nil, err
		}
	}
	return f.results, nil
}

// The server runs while the suite does, and a suite that does not use it fails.
func TestRunSuite(t *testing.T) {
	root := t.TempDir()
	binary := filepath.Join(root, "ddblocal")
	if err := build(t.Context(), binary); err != nil {
		t.Fatal(err)
	}
	passed := []result{{"a", "pass"}}
	summary, err := runSuite(t.Context(), &fakeSuite{requests: 3, results: passed}, binary, root, nil, io.Discard)
	if err != nil || summary != "1 passed, 0 failed and 0 skipped for known reasons, with 3 requests" {
		t.Errorf("%q, %v", summary, err)
	}
	if _, err := runSuite(t.Context(), &fakeSuite{results: passed}, binary, root, nil, io.Discard); err == nil || !strings.Contains(err.Error(), "no request") {
		t.Errorf("a suite without requests: %v", err)
	}
	if _, err := startServer(t.Context(), os.Args[0], anyPort); err == nil {
		t.Error("a program that is not a server was accepted")
	}
	if _, err := startServer(t.Context(), filepath.Join(root, "none"), anyPort); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a missing server: %v", err)
	}
}
