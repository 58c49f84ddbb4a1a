// SPDX-License-Identifier: Apache-2.0

// Command integration runs the library's suite on an engine that is not its own.
//
//	go run ./internal/integration [-engine binary | -endpoint url] [--] [go test arguments]
//	go run ./internal/integration -install
//
// Without flags it installs the second engine (see [dynoxide]) with npm, checks its
// SHA-256, starts it on a free loopback port, waits until it answers, runs go test
// with DYNAMODB_ENDPOINT and DYNAMODB_ENGINE set, and ends it by its process id.
// With -endpoint it runs on any server of the protocol that is already up, such as
// DynamoDB Local. The arguments default to the tests of the library's API.
//
// Requests pass through a counting proxy. A run in which no request reached the
// engine fails, because then the tests never left their own process.
package main

import (
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
	"syscall"
)

// Environment variables that the tests read.
const (
	endpointVariable = "DYNAMODB_ENDPOINT"
	engineVariable   = "DYNAMODB_ENGINE"
)

func main() {
	log.SetFlags(0)
	log.SetPrefix("integration: ")
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	if err != nil {
		log.Fatal(err)
	}
}

// run is the whole program: it returns nil only if go test passed and the engine was asked something.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) (err error) {
	flags := flag.NewFlagSet("integration", flag.ContinueOnError)
	flags.SetOutput(stderr)
	binary := flags.String("engine", "", "path of a dynoxide `binary`; installed by npm if empty")
	endpoint := flags.String("endpoint", "", "`url` of a running server, instead of starting one")
	name := flags.String("name", "other", "value of "+engineVariable+" with -endpoint")
	install := flags.Bool("install", false, "install the second engine, print the path of its binary, and end")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if *install {
		path, err := dynoxide.install(ctx, stderr)
		if err != nil {
			return err
		}
		_, err = fmt.Fprintln(stdout, path)
		return err
	}
	testArgs := flags.Args()
	if len(testArgs) == 0 {
		testArgs = []string{".", "./internal/apitest/..."}
	}
	root, err := moduleRoot()
	if err != nil {
		return err
	}

	if *endpoint == "" {
		if *binary == "" {
			*binary, err = dynoxide.install(ctx, stderr)
			if err != nil {
				return err
			}
		}
		e, err := start(ctx, *binary)
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, e.stop()) }()
		*endpoint, *name = e.url, dynoxide.name
	}

	target, err := url.Parse(*endpoint)
	if err != nil {
		return fmt.Errorf("endpoint: %w", err)
	}
	counter, err := listen(ctx, target)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, counter.close()) }()

	if err := goTest(ctx, root, counter.url, *name, testArgs, stdout, stderr); err != nil {
		return fmt.Errorf("go test on %s: %w", *name, err)
	}
	total := counter.report(stdout, *name)
	if total == 0 {
		return fmt.Errorf("no request reached %s: the tests do not read %s", *name, endpointVariable)
	}
	return nil
}

// goTest runs go test in the library's module. Results are never cached, since they depend on another program.
func goTest(ctx context.Context, root, endpoint, name string, args []string, stdout, stderr io.Writer) error {
	cmd := exec.CommandContext(ctx, "go", append([]string{"test", "-count=1"}, args...)...)
	cmd.Dir = root
	cmd.Env = append(os.Environ(), endpointVariable+"="+endpoint, engineVariable+"="+name)
	cmd.Stdout, cmd.Stderr = stdout, stderr
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	return cmd.Run()
}

// moduleRoot is the library's folder: the nearest one upwards that holds go.work.
func moduleRoot() (string, error) {
	start, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for dir := start; ; dir = filepath.Dir(dir) {
		if _, err := os.Stat(filepath.Join(dir, "go.work")); err == nil {
			return dir, nil
		}
		if dir == filepath.Dir(dir) {
			return "", fmt.Errorf("no go.work in %s or above: run this inside the repository", start)
		}
	}
}
