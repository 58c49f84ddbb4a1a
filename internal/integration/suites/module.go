// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"strings"
)

// module is a Go module with tests that need DynamoDB.
type module struct {
	path, version string
	sum, modSum   string // as in go.sum
	addr          string // of DynamoDB, as its tests have it written in them
	packages      string
	env           []string // with $URL for the server's
	passes        int      // tests that pass, at least
	// java answers for the command java, by which the tests start DynamoDB Local: here the server runs already.
	java bool
	// folder is where the tests expect DynamoDB Local.
	folder string
}

const anyPort = "127.0.0.1:0"

// modules are run when no suite is named.
var modules = []*module{
	{
		path: "github.com/guregu/dynamo/v2", version: "v2.6.0",
		sum: "h1:2ztf2FIhabgpcZ/xmzapS3m0LBnRVy2FGAAMqOeaUuw=", modSum: "h1:MCrNmz+QTTyz8Thlt1PmAqveSmQ11IGiie/uGFEflcg=",
		addr: anyPort, packages: "./...", passes: 188,
		env: []string{"DYNAMO_TEST_ENDPOINT=$URL", "DYNAMO_TEST_REGION=local", "DYNAMO_TEST_TABLE=TestDB-%"},
	},
	{
		path: "cirello.io/dynamolock/v2", version: "v2.1.0",
		sum: "h1:e6LzkovE5gNZwswiApUj/LPkLRguXvxgpRi/IO9dl5o=", modSum: "h1:HG0kb97+cRxO9Ce+3brresQgLGSGKPbnNLnJJr4ieYo=",
		addr: "127.0.0.1:8000", packages: "./...", passes: 75, java: true, folder: "local-dynamodb",
	},
	{
		path: "github.com/voedger/voedger", version: "v0.0.0-20251118115018-b14c6b2596f2",
		sum: "h1:ZlcOLgUv/wegd9mqS9pT5/iFU8cGyuPeHLeGXUnWsKo=", modSum: "h1:AsGncoqEYmztp4NjCs+GIG9ylb3c98tvZ5azXdzpXUA=",
		addr: "127.0.0.1:8000", packages: "./pkg/istorage/amazondb", passes: 40,
		env: []string{"DYNAMODB_TESTS_ENABLED=1"},
	},
	{
		path: "github.com/nabeken/aws-go-dynamodb/v2", version: "v2.1.5",
		sum: "h1:Mgeo2sdN8yGD4eHa/oO17dtp2uJqv/BHUR2gXE8ahXM=", modSum: "h1:c/YlCtE60Fwm3FKN2JWUBhSFov1AZ1JTHygHykNF524=",
		addr: "127.0.0.1:18000", packages: "./...", passes: 23,
	},
}

func (m *module) String() string  { return m.path }
func (m *module) address() string { return m.addr }
func (m *module) least() int      { return m.passes }

// prepare downloads the module and copies it, since the module cache must not be written to.
func (m *module) prepare(ctx context.Context, dir string) error {
	cached, err := m.download(ctx)
	if err != nil {
		return err
	}
	if err := os.CopyFS(filepath.Join(dir, "module"), os.DirFS(cached)); err != nil {
		return err
	}
	if m.folder != "" {
		if err := os.Mkdir(filepath.Join(dir, "module", m.folder), 0o750); err != nil {
			return err
		}
	}
	if !m.java {
		return nil
	}
	if err := os.Mkdir(filepath.Join(dir, "bin"), 0o750); err != nil {
		return err
	}
	const wait = "#!/bin/sh\nexec sleep 3600\n"
	return os.WriteFile(filepath.Join(dir, "bin", "java"), []byte(wait), 0o700) //nolint:gosec // a command
}

// download fetches the module in a folder whose go.sum has its checksums, so that the go command compares them, and
// returns its place in the module cache.
func (m *module) download(ctx context.Context) (string, error) {
	dir, err := os.MkdirTemp("", "suites-sum-")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(dir) //nolint:errcheck // the system clears its folder of temporary files
	sums := fmt.Sprintf("%s %s %s\n%s %s/go.mod %s\n", m.path, m.version, m.sum, m.path, m.version, m.modSum)
	err = errors.Join(
		os.WriteFile(filepath.Join(dir, "go.mod"), []byte("module suites\n\ngo 1.26.0\n"), 0o600),
		os.WriteFile(filepath.Join(dir, "go.sum"), []byte(sums), 0o600))
	if err != nil {
		return "", err
	}
	cmd := exec.CommandContext(ctx, "go", "mod", "download", "-json", m.path+"@"+m.version)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GOWORK=off")
	out, err := cmd.Output()
	var answer struct {
		Dir      string `json:"Dir"`
		Sum      string `json:"Sum"`
		GoModSum string `json:"GoModSum"`
		Error    string `json:"Error"`
	}
	if e := json.Unmarshal(out, &answer); e != nil || answer.Error != "" || err != nil {
		return "", fmt.Errorf("go mod download %s@%s: %w", m.path, m.version, errors.Join(err, e, errors.New(answer.Error)))
	}
	if answer.Sum != m.sum || answer.GoModSum != m.modSum {
		return "", fmt.Errorf("%s@%s has the checksums %s and %s for go.mod, expected are %s and %s: do not run it", m.path, m.version, answer.Sum, answer.GoModSum, m.sum, m.modSum)
	}
	return answer.Dir, nil
}

// test runs go test in the copy.
func (m *module) test(ctx context.Context, dir, url string, output io.Writer) ([]result, error) {
	cmd := exec.CommandContext(ctx, "go", "test", "-json", "-count=1", "-timeout=10m", m.packages)
	cmd.Dir = filepath.Join(dir, "module")
	cmd.Env = append(os.Environ(), "GOWORK=off", "GOTOOLCHAIN=local", "AWS_ACCESS_KEY_ID=any", "AWS_SECRET_ACCESS_KEY=any")
	for _, setting := range m.env {
		cmd.Env = append(cmd.Env, strings.ReplaceAll(setting, "$URL", url))
	}
	if m.java {
		cmd.Env = append(cmd.Env, "PATH="+filepath.Join(dir, "bin")+string(os.PathListSeparator)+os.Getenv("PATH"))
	}
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	var events bytes.Buffer
	cmd.Stdout, cmd.Stderr = &events, output
	err := cmd.Run()
	results, broken, parseErr := m.results(&events, output)
	switch {
	case parseErr != nil:
		return nil, errors.Join(err, parseErr)
	case len(broken) > 0:
		return nil, fmt.Errorf("failed as a whole: %s", strings.Join(broken, ", "))
	case err != nil && !anyFailed(results):
		return nil, fmt.Errorf("go test: %w", err)
	}
	return results, nil
}

func anyFailed(results []result) bool {
	for _, r := range results {
		if r.outcome == "fail" {
			return true
		}
	}
	return false
}

// results reads what go test -json writes. A test with tests below it counts only if it fails although none of them does.
// Packages that fail without a test that fails are broken: they were not built, or ended early.
func (m *module) results(events io.Reader, output io.Writer) (results []result, broken []string, err error) {
	ended := make(map[string]string) // outcome by test
	failing := make(map[string]bool) // packages with a test that fails
	var order, failed []string
	for d := json.NewDecoder(events); ; {
		var e struct {
			Action     string `json:"Action"`
			Package    string `json:"Package"`
			Test       string `json:"Test"`
			Output     string `json:"Output"`
			ImportPath string `json:"ImportPath"`
		}
		if err := d.Decode(&e); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return nil, nil, fmt.Errorf("go test -json: %w", err)
		}
		switch e.Action {
		case "output", "build-output":
			_, _ = io.WriteString(output, e.Output)
		case "build-fail":
			broken = append(broken, e.ImportPath)
		case "pass", "fail", "skip":
			if e.Test == "" {
				if e.Action == "fail" {
					failed = append(failed, e.Package)
				}
				continue
			}
			name := path.Join(strings.TrimPrefix(strings.TrimPrefix(e.Package, m.path), "/"), e.Test)
			order = append(order, name)
			ended[name] = e.Action
			failing[e.Package] = failing[e.Package] || e.Action == "fail"
		}
	}
	parents := make(map[string]bool)   // tests with tests below them
	explained := make(map[string]bool) // those whose failure is that of a test below
	for name, outcome := range ended {
		for parent := path.Dir(name); parent != "." && parent != "/"; parent = path.Dir(parent) { // some are no tests: names can have a / in them
			parents[parent] = true
			explained[parent] = explained[parent] || outcome == "fail"
		}
	}
	for _, name := range order {
		if !parents[name] || (ended[name] == "fail" && !explained[name]) {
			results = append(results, result{name, ended[name]})
		}
	}
	for _, p := range failed {
		if !failing[p] {
			broken = append(broken, p)
		}
	}
	return results, broken, nil
}
