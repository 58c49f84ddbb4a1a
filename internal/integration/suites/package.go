// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"crypto/sha512"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// npmPackage is a package of npm that is published with its tests, which mocha runs.
type npmPackage struct {
	name, version string
	integrity     string // as npm writes it
	addr          string // of DynamoDB, as its tests have it written in them
	args          []string
	env           []string // with $URL for the server's
	passes        int      // tests that pass, at least
}

// packages are run when they are named. electrodb 3.9.3, dynamodb-onetable 2.7.7 and dynamoose 4.2.0, which more programs
// use, are published without the tests that need DynamoDB.
var packages = []*npmPackage{
	{
		name: "dynogels", version: "9.1.0", // on the AWS SDK for JavaScript 2
		integrity: "sha512-GUOCQL9zPlac2osxpfUiJi2A9F38fvOLSawz+MCuOArxclq50oaulkf+gu/J2qOSJS2giGaA0UQL55f4qqSWzA==",
		addr:      "127.0.0.1:8000",
		args:      []string{"test/integration"},
		passes:    76,
	},
	{
		name: "connect-dynamodb", version: "3.0.5", // on the AWS SDK for JavaScript 3
		integrity: "sha512-AQtXLmfpC/YMT7mJlxsgCrpfeXdgKQ2A7cbTBSE/HsRbJXf/d0ZhB3HmKT+JQaObI5DqnK/d0XlUBbFrcqlwTQ==",
		addr:      anyPort,
		args:      []string{"--timeout", "5000"},
		env:       []string{"ENDPOINT=$URL", "AWS_REGION=us-east-1"},
		passes:    14,
	},
}

func (p *npmPackage) String() string  { return p.name }
func (p *npmPackage) address() string { return p.addr }
func (p *npmPackage) least() int      { return p.passes }

// prepare fetches the package, compares it with its checksum, and installs what its tests need. No script of a package
// runs meanwhile.
func (p *npmPackage) prepare(ctx context.Context, dir string) error {
	spec := p.name + "@" + p.version
	if err := command(ctx, dir, "npm", "pack", "--silent", spec); err != nil {
		return err
	}
	archives, err := filepath.Glob(filepath.Join(dir, "*.tgz"))
	if err != nil || len(archives) != 1 {
		return fmt.Errorf("npm pack %s made %d archives: %w", spec, len(archives), err)
	}
	data, err := os.ReadFile(archives[0])
	if err != nil {
		return err
	}
	sum := sha512.Sum512(data)
	if got := "sha512-" + base64.StdEncoding.EncodeToString(sum[:]); got != p.integrity {
		return fmt.Errorf("%s has the checksum %s, expected is %s: do not run it", spec, got, p.integrity)
	}
	if err := command(ctx, dir, "tar", "xzf", archives[0]); err != nil {
		return err
	}
	return command(ctx, filepath.Join(dir, "package"), "npm", "install", "--ignore-scripts", "--no-audit", "--no-fund")
}

func command(ctx context.Context, dir, name string, args ...string) error {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w\n%s", strings.Join(cmd.Args, " "), err, out)
	}
	return nil
}

// test runs mocha in the package.
func (p *npmPackage) test(ctx context.Context, dir, url string, output io.Writer) ([]result, error) {
	args := append([]string{filepath.Join("node_modules", ".bin", "mocha"), "--exit", "--reporter", "json"}, p.args...)
	cmd := exec.CommandContext(ctx, "node", args...)
	cmd.Dir = filepath.Join(dir, "package")
	cmd.Env = append(os.Environ(), "AWS_ACCESS_KEY_ID=any", "AWS_SECRET_ACCESS_KEY=any", "AWS_SDK_JS_SUPPRESS_MAINTENANCE_MODE_MESSAGE=1")
	for _, setting := range p.env {
		cmd.Env = append(cmd.Env, strings.ReplaceAll(setting, "$URL", url))
	}
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, output
	err := cmd.Run() // fails when a test does
	results, parseErr := mochaResults(out.Bytes(), output)
	if parseErr != nil {
		return nil, fmt.Errorf("mocha: %w\n%s", errors.Join(err, parseErr), &out)
	}
	return results, nil
}

// mochaResults reads the report of mocha, which follows what the tests print.
func mochaResults(out []byte, output io.Writer) (results []result, err error) {
	type test struct {
		FullTitle string `json:"fullTitle"`
		Err       struct {
			Message string `json:"message"`
		} `json:"err"`
	}
	var report struct {
		Passes   []test `json:"passes"`
		Failures []test `json:"failures"`
		Pending  []test `json:"pending"`
	}
	start := bytes.Index(out, []byte("{\n  \"stats\":"))
	if start < 0 {
		return nil, errors.New("no report")
	}
	if err := json.Unmarshal(out[start:], &report); err != nil {
		return nil, err
	}
	add := func(tests []test, outcome string) {
		for _, t := range tests {
			if t.Err.Message != "" {
				fmt.Fprintf(output, "%s: %s\n", t.FullTitle, t.Err.Message)
			}
			results = append(results, result{t.FullTitle, outcome})
		}
	}
	add(report.Passes, "pass")
	add(report.Failures, "fail")
	add(report.Pending, "skip")
	return results, nil
}
