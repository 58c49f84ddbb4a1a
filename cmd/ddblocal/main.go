// SPDX-License-Identifier: Apache-2.0

// Ddblocal serves DynamoDB's API on a port, from memory or from a folder, for development.
//
//	go run github.com/dynamotable/ddb/cmd/ddblocal -addr 127.0.0.1:8000 -data ./data -seed seed.json
//
// It prints one line when it is ready, and ends on SIGINT or SIGTERM after the requests in flight. It works with every
// client that lets you set the endpoint; any access key is accepted:
//
//	aws dynamodb list-tables --endpoint-url http://127.0.0.1:8000
//
// A page for its tables, items, indexes and streams is at http://127.0.0.1:8000/_ddb/. Without -page-public the page is
// served to this machine only, even with -public. -page-read-only removes everything that changes data, and -page=false
// removes the page.
//
// It checks no signatures, so it is not a database for production. It accepts only local addresses unless -public is given.
// Web pages can use it only if -origin names their origin. A client must address it by an IP address, as localhost, or by a
// name of -host, so that a web page cannot reach it under its own name (DNS rebinding).
//
// With -buckets DIR the folders in DIR are the buckets of S3: ExportTableToPointInTime writes to them, and ImportTable reads from them. What
// an import refuses is printed to standard error, with its object, its line and the service's text, which may quote a number or a set.
//
// With -log it writes a line for each request to standard error: operation, tables, status, kind of error, time and
// size. Keys, items and messages are not in it.
//
// A seed file is JSON: CreateTable requests, and items by table in DynamoDB's JSON. Existing tables are not changed. A key
// that CreateTable does not know is an error.
//
//	{"tables": [{"TableName": "users", ...}], "items": {"users": [{"id": {"S": "u1"}}]}}
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"runtime"
	"runtime/debug"
	"strings"
	"syscall"
	"time"

	"github.com/dynamotable/ddb/cmd/ddblocal/internal/page"
	"github.com/dynamotable/ddb/ddbtest"
)

func main() {
	log.SetFlags(0)
	log.SetPrefix("ddblocal: ")
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	if errors.Is(err, flag.ErrHelp) {
		os.Exit(2)
	}
	if err != nil {
		log.Fatal(err)
	}
}

type settings struct {
	address, data, seed string
	buckets             string
	quiet, public       bool
	durable, log        bool
	version             bool
	page                bool
	pageReadOnly        bool
	pagePublic          bool
	hosts, origins      []string
	timeout             time.Duration // for reading a request
}

func parse(args []string, usage io.Writer) (s settings, err error) {
	flags := flag.NewFlagSet("ddblocal", flag.ContinueOnError)
	flags.SetOutput(usage)
	flags.StringVar(&s.address, "addr", "127.0.0.1:8000", "address to listen on; port 0 takes a free one")
	flags.StringVar(&s.data, "data", "", "folder that keeps tables and items; without it they are only in memory")
	flags.BoolVar(&s.durable, "durable", false, "reply to a write when it is on disk, not when the operating system has it")
	flags.StringVar(&s.buckets, "buckets", "", "folder whose folders are the buckets of S3, for exports and imports; without it they are refused")
	flags.StringVar(&s.seed, "seed", "", "JSON file with tables and items to begin with")
	flags.BoolVar(&s.quiet, "quiet", false, "print nothing")
	flags.BoolVar(&s.public, "public", false, "allow an address that other machines can reach; nothing is protected")
	flags.BoolVar(&s.log, "log", false, "write a line for each request to standard error, without keys and items")
	flags.BoolVar(&s.version, "version", false, "print the version and end")
	flags.BoolVar(&s.page, "page", true, "serve the page for tables and items under "+page.Path)
	flags.BoolVar(&s.pageReadOnly, "page-read-only", false, "remove everything that changes data from the page")
	flags.BoolVar(&s.pagePublic, "page-public", false, "serve the page to other machines too; needs -public")
	flags.DurationVar(&s.timeout, "read-timeout", time.Minute, "longest time to wait for a whole request; 0 waits forever")
	flags.Func("host", "`names`, separated by commas, by which clients may address the server, in addition to IP addresses and localhost", func(list string) error {
		s.hosts = append(s.hosts, strings.Split(list, ",")...)
		return nil
	})
	flags.Func("origin", "`origins`, separated by commas, whose web pages may read and change everything, such as http://localhost:8001; * for all pages", func(list string) error {
		for origin := range strings.SplitSeq(list, ",") {
			if err := checkOrigin(origin); err != nil {
				return err
			}
			s.origins = append(s.origins, origin)
		}
		return nil
	})
	if err := flags.Parse(args); err != nil {
		return s, err
	}
	if flags.NArg() > 0 {
		return s, fmt.Errorf("unknown argument %q; see -help", flags.Arg(0))
	}
	if s.pagePublic && !s.public {
		return s, errors.New("-page-public shows the page to other machines, and they reach the server only with -public; add it if that is meant")
	}
	host, _, err := net.SplitHostPort(s.address)
	if err != nil {
		return s, fmt.Errorf("-addr: %w", err)
	}
	if ip := net.ParseIP(host); !s.public && host != "localhost" && (ip == nil || !ip.IsLoopback()) {
		return s, fmt.Errorf("-addr %s can be reached by other machines, and anyone could read and write all data; add -public if that is meant", s.address)
	}
	return s, nil
}

// run serves until ctx ends.
func run(ctx context.Context, args []string, out, errOut io.Writer) error {
	s, err := parse(args, errOut)
	if err != nil {
		return err
	}
	if s.version {
		_, err := fmt.Fprintln(out, version())
		return err
	}
	engine, err := open(s, errOut)
	if err != nil {
		return err
	}
	defer engine.Close()
	if s.seed != "" {
		if err := seed(ctx, engine, s.seed); err != nil {
			return fmt.Errorf("-seed %s: %w", s.seed, err)
		}
	}
	var config net.ListenConfig
	listener, err := config.Listen(ctx, "tcp", s.address)
	if err != nil {
		return err
	}
	server := s.server(engine.Handler(), s.pageOf(engine), errOut)
	if !s.quiet {
		where := "in memory"
		if s.data != "" {
			where = "data in " + s.data
		}
		if s.page {
			where += ", page under " + page.Path
		}
		fmt.Fprintf(out, "ddblocal: listening on http://%s, %s\n", listener.Addr(), where)
	}
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	expire := time.NewTicker(time.Minute)
	defer expire.Stop()
	for {
		select {
		case err := <-served:
			return err
		case <-expire.C:
			engine.Clock().Advance(0) // runs due work, such as the time to live of items
		case <-ctx.Done():
			const patience = 5 * time.Second
			ending, cancel := context.WithTimeout(context.WithoutCancel(ctx), patience)
			defer cancel()
			if err := server.Shutdown(ending); err != nil {
				_ = server.Close() // requests that have not ended by now are cut off
			}
			if err := <-served; !errors.Is(err, http.ErrServerClosed) {
				return err
			}
			return nil
		}
	}
}

func open(s settings, errOut io.Writer) (*ddbtest.Engine, error) {
	var opts []ddbtest.Option
	if s.buckets != "" {
		if info, err := os.Stat(s.buckets); err != nil {
			return nil, fmt.Errorf("-buckets: %w", err)
		} else if !info.IsDir() {
			return nil, fmt.Errorf("-buckets: %s is no folder", s.buckets)
		}
		opts = append(opts, ddbtest.WithBuckets(s.buckets), ddbtest.WithImportErrors(func(e ddbtest.ImportError) { fmt.Fprintln(errOut, "ddblocal: import:", e) }))
	}
	if s.data == "" {
		return ddbtest.NewEngine(opts...), nil
	}
	// Almost everything that is read stays in memory, so garbage collection meanwhile would gain little.
	defer debug.SetGCPercent(debug.SetGCPercent(400))
	engine, err := ddbtest.OpenFolder(s.data, s.durable, opts...)
	if err != nil {
		return nil, fmt.Errorf("-data: %w", err)
	}
	if damage := engine.Damage(); damage.Bytes > 0 {
		fmt.Fprintf(errOut, "ddblocal: %s: %d bytes in %d records were cut short or damaged and are left out; the file as it was is %s\n", s.data, damage.Bytes, damage.Records, damage.Kept)
	}
	return engine, nil
}

// pageOf returns the page of an engine, nil for none.
func (s *settings) pageOf(engine *ddbtest.Engine) http.Handler {
	if !s.page {
		return nil
	}
	return page.New(page.Options{Engine: engine, ReadOnly: s.pageReadOnly, Public: s.pagePublic, Hosts: s.hosts})
}

// server returns the server of an engine. The page, if it is not nil, has its own access rules: the origins that may use the
// API cannot use it.
func (s *settings) server(engine, shown http.Handler, errOut io.Writer) *http.Server {
	const idle = 10 * time.Minute // longer than clients keep a connection that they do not use
	handler := (&access{hosts: s.hosts, origins: s.origins}).guard(engine)
	if api := handler; shown != nil {
		handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if strings.HasPrefix(r.URL.Path+"/", page.Path) {
				shown.ServeHTTP(w, r)
				return
			}
			api.ServeHTTP(w, r)
		})
	}
	if s.log {
		handler = logged(handler, slog.New(slog.NewTextHandler(errOut, nil)))
	}
	return &http.Server{Handler: handler, ReadTimeout: s.timeout, IdleTimeout: idle, ErrorLog: log.New(io.Discard, "", 0)}
}

// version returns the version of the module, of Go and of the system.
func version() string {
	module := "(devel)"
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" {
		module = info.Main.Version
	}
	return fmt.Sprintf("ddblocal %s, %s %s/%s", module, runtime.Version(), runtime.GOOS, runtime.GOARCH)
}
