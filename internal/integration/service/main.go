// SPDX-License-Identifier: Apache-2.0

// Service runs the library's tests on DynamoDB itself, in the account whose credentials the AWS tools would take:
//
//	go run ./internal/integration/service -region eu-central-1 -prefix ddb-trial- -units 50000 -report report.md [-- go test arguments]
//
// The tests send their requests to a proxy on the loopback interface. It signs them again and passes on only what names tables with the prefix, until the
// units are spent. At the end it deletes all tables with the prefix, whatever the tests have left, and writes a report with the day, the commit, the
// Region, the result of every package, the requests and the units.
//
// It costs money: the units, and what storage and streams cost meanwhile. It has not been run on the service yet, for lack of an account; its own tests run it on ddbtest.
package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"net/url"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
)

func main() {
	log.SetFlags(0)
	log.SetPrefix("service: ")
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	if err != nil {
		log.Fatal(err)
	}
}

// settings are what the flags say.
type settings struct {
	region, prefix, report string
	units                  float64
	tests                  []string
	endpoint               string // instead of the Region's
}

// A prefix is long enough not to be that of somebody's tables by accident.
var prefixes = regexp.MustCompile(`^[a-zA-Z0-9_.-]{5,40}$`)

func parse(args []string, usage io.Writer) (s settings, err error) {
	flags := flag.NewFlagSet("service", flag.ContinueOnError)
	flags.SetOutput(usage)
	flags.StringVar(&s.region, "region", "", "`Region` to run in")
	flags.StringVar(&s.prefix, "prefix", "", "`prefix` of all tables, at least 5 characters; at the end all tables with it are deleted")
	flags.Float64Var(&s.units, "units", 0, "request `units`, reads and writes together, after which every request is refused")
	flags.StringVar(&s.report, "report", "", "`file` for the report; standard output if empty")
	flags.StringVar(&s.endpoint, "endpoint", "", "`URL` of another server, to try this program")
	if err := flags.Parse(args); err != nil {
		return s, err
	}
	var problems []error
	if s.region == "" {
		problems = append(problems, errors.New("-region is missing"))
	}
	if !prefixes.MatchString(s.prefix) {
		problems = append(problems, errors.New("-prefix: it takes 5 to 40 letters, digits, dots, hyphens or underscores"))
	}
	if s.units <= 0 {
		problems = append(problems, errors.New("-units is missing: how much may the run spend?"))
	}
	s.tests = flags.Args()
	if len(s.tests) == 0 {
		s.tests = []string{".", "./internal/apitest/...", "./eventstore", "./snapshot", "./position", "./change", "./grant"}
	}
	return s, errors.Join(problems...)
}

func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	s, err := parse(args, stderr)
	if err != nil {
		return err
	}
	cfg, err := config.LoadDefaultConfig(ctx, config.WithRegion(s.region))
	if err != nil {
		return fmt.Errorf("credentials: %w", err)
	}
	return trial(ctx, s, cfg.Credentials, goTest, stdout, stderr)
}

// trial runs the tests behind the proxy, deletes the tables and writes the report. The tests' failure is the last thing that it returns.
func trial(ctx context.Context, s settings, credentials aws.CredentialsProvider, tests testRun, stdout, stderr io.Writer) (err error) {
	target := endpoints{region: s.region}
	if s.endpoint != "" {
		if target.other, err = url.Parse(s.endpoint); err != nil {
			return fmt.Errorf("-endpoint: %w", err)
		}
	}
	p := newProxy(target, s, credentials)
	if err := p.listen(ctx); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, p.close()) }()

	// A table of somebody else's with this prefix would be deleted.
	found, err := p.tables(ctx)
	if err != nil {
		return fmt.Errorf("list tables: %w", err)
	}
	if len(found) > 0 {
		return fmt.Errorf("%d tables have the prefix %s already, such as %s; nothing was done", len(found), s.prefix, found[0])
	}

	began := time.Now()
	var log bytes.Buffer
	failed := tests(ctx, p.url, s, &log, stderr)
	r := report{settings: s, began: began, took: time.Since(began), results: results(log.Bytes())}
	for _, p := range r.results {
		if p.ended != "pass" && p.ended != "skip" {
			fmt.Fprintf(stderr, "the last lines of %s:\n%s\n", p.name, strings.Join(p.output, ""))
		}
	}
	// What the tests were stopped by does not stop the clean-up.
	cleaning, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Minute)
	defer cancel()
	r.deleted, r.left, err = p.clean(cleaning)
	r.requests, r.rejected, r.spent = p.figures()
	r.commit, _ = output(cleaning, "git", "rev-parse", "HEAD")
	r.goVersion, _ = output(cleaning, "go", "version")
	err = errors.Join(err, r.write(s.report, stdout))
	if failed != nil {
		err = errors.Join(err, fmt.Errorf("go test: %w", failed))
	}
	return err
}

// A testRun runs tests on an endpoint, and writes the events of go test -json to events.
type testRun func(ctx context.Context, endpoint string, s settings, events, stderr io.Writer) error

func goTest(ctx context.Context, endpoint string, s settings, events, stderr io.Writer) error {
	root, err := output(ctx, "go", "env", "GOWORK")
	if err != nil {
		return err
	}
	// Examples name their tables as readers would. The packages run one after the other: an account has a limit of tables that are being created at once.
	cmd := exec.CommandContext(ctx, "go", append([]string{"test", "-json", "-count=1", "-p=1", "-short", "-skip=^Example", "-timeout=2h"}, s.tests...)...)
	cmd.Dir = filepath.Dir(root)
	// The tests sign with keys that are worth nothing; the proxy has those of the account.
	cmd.Env = slices.DeleteFunc(os.Environ(), func(v string) bool { return strings.HasPrefix(v, "AWS_") })
	cmd.Env = append(cmd.Env, "DYNAMODB_ENDPOINT="+endpoint, "DYNAMODB_ENGINE=aws", "DYNAMODB_TABLE_PREFIX="+s.prefix, "AWS_REGION="+s.region,
		"AWS_ACCESS_KEY_ID=ddbtest", "AWS_SECRET_ACCESS_KEY=ddbtest")
	cmd.Stdout, cmd.Stderr = events, stderr
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	return cmd.Run()
}

func output(ctx context.Context, name string, args ...string) (string, error) {
	out, err := exec.CommandContext(ctx, name, args...).Output()
	return strings.TrimSpace(string(out)), err
}
