// SPDX-License-Identifier: Apache-2.0

// Command suites runs the test suites of other projects on ddblocal: programs that were written for DynamoDB, by people
// who do not know the engine.
//
//	go run ./internal/integration/suites [-v] [suite ...]
//
// Without arguments it runs the Go modules of [modules]. Each is fetched by the go command, compared with the checksum
// that is written down here, copied out of the module cache into a temporary folder, and tested there as it is, against
// a ddblocal that was started for it. The npm packages of [packages] are run when they are named.
//
// What does not pass is written down in outcomes.txt with the reason. A test that fails or is skipped and is not in that
// list, one that is in it and passes, and one that is in it and is not run are errors, and so is a suite that runs fewer
// tests than it did before or asks ddblocal nothing.
package main

import (
	"bytes"
	"context"
	_ "embed"
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"
)

//go:embed outcomes.txt
var outcomes string

func main() {
	log.SetFlags(0)
	log.SetPrefix("suites: ")
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	if err != nil {
		log.Fatal(err)
	}
}

// suite is a project whose tests are run.
type suite interface {
	// String is the name of the suite in outcomes.txt.
	String() string
	// address is where its tests look for DynamoDB; port 0 if they can be given any.
	address() string
	// least is the number of tests that pass at least: fewer would mean that some did not run.
	least() int
	// prepare puts the project into an empty folder.
	prepare(ctx context.Context, dir string) error
	// test runs the tests in the folder on the server at url and reports how each of them ended.
	test(ctx context.Context, dir, url string, output io.Writer) ([]result, error)
}

// result is how one test ended.
type result struct {
	test, outcome string // "pass", "fail" or "skip"
}

func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	flags := flag.NewFlagSet("suites", flag.ContinueOnError)
	flags.SetOutput(stderr)
	verbose := flags.Bool("v", false, "print what the tests print")
	if err := flags.Parse(args); err != nil {
		return err
	}
	known, err := parseOutcomes(outcomes)
	if err != nil {
		return err
	}
	chosen, err := choose(flags.Args())
	if err != nil {
		return err
	}
	root, err := os.MkdirTemp("", "suites-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(root) //nolint:errcheck // the system clears its folder of temporary files
	binary := filepath.Join(root, "ddblocal")
	if err := build(ctx, binary); err != nil {
		return err
	}
	// Suites that have the same port written in them take turns; the others run at the same time.
	turns := make(map[string][]suite)
	for _, s := range chosen {
		turns[s.address()] = append(turns[s.address()], s)
	}
	var (
		wait   sync.WaitGroup
		mu     sync.Mutex // guards what follows, and both streams
		failed []string
	)
	for _, suites := range turns {
		wait.Go(func() {
			for _, s := range suites {
				var output bytes.Buffer
				start := time.Now()
				summary, err := runSuite(ctx, s, binary, root, known[s.String()], &output)
				mu.Lock()
				if *verbose || err != nil {
					_, _ = output.WriteTo(stderr)
				}
				if err != nil {
					failed = append(failed, s.String())
					fmt.Fprintf(stdout, "FAIL %s: %v\n", s, err)
				} else {
					fmt.Fprintf(stdout, "ok   %s: %s in %.0f s\n", s, summary, time.Since(start).Seconds())
				}
				mu.Unlock()
			}
		})
	}
	wait.Wait()
	if len(failed) > 0 {
		slices.Sort(failed)
		return errors.New("not as written down: " + strings.Join(failed, ", "))
	}
	return nil
}

// choose returns the suites with the names, or all modules.
func choose(names []string) (chosen []suite, err error) {
	all := make(map[string]suite)
	for _, m := range modules {
		all[m.String()] = m
		if len(names) == 0 {
			chosen = append(chosen, m)
		}
	}
	for _, p := range packages {
		all[p.String()] = p
	}
	for _, name := range names {
		s := all[name]
		if s == nil {
			return nil, fmt.Errorf("no suite %q; see -help", name)
		}
		chosen = append(chosen, s)
	}
	return chosen, nil
}

// build makes the server, from the source next to this command.
func build(ctx context.Context, binary string) error {
	cmd := exec.CommandContext(ctx, "go", "build", "-o", binary, "github.com/dynamotable/ddb/cmd/ddblocal")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("build ddblocal: %w\n%s", err, out)
	}
	return nil
}

// runSuite runs one suite and compares how its tests ended with what is known of them.
func runSuite(ctx context.Context, s suite, binary, root string, known []outcome, output io.Writer) (summary string, err error) {
	dir, err := os.MkdirTemp(root, "suite-")
	if err != nil {
		return "", err
	}
	if err := s.prepare(ctx, dir); err != nil {
		return "", err
	}
	server, err := startServer(ctx, binary, s.address())
	if err != nil {
		return "", err
	}
	results, testErr := s.test(ctx, dir, server.url, output)
	requests, err := server.stop()
	if err := errors.Join(testErr, err); err != nil {
		return "", err
	}
	if requests == 0 {
		return "", errors.New("no request reached ddblocal: the tests ran on something else, or not at all")
	}
	counts, err := compare(results, known, s.least())
	return fmt.Sprintf("%d passed, %d failed and %d skipped for known reasons, with %d requests", counts["pass"], counts["fail"], counts["skip"], requests), err
}
