// SPDX-License-Identifier: Apache-2.0

// Ddblocal serves DynamoDB's API on a port, from memory or from a folder, for development.
//
//	go run github.com/dynamotable/ddb/cmd/ddblocal -addr 127.0.0.1:8000 -data ./data -seed seed.json
//
// It prints one line when it is ready, and ends on SIGINT or SIGTERM after the requests that are under way. Every
// client works that can be given an endpoint; any access key will do:
//
//	aws dynamodb list-tables --endpoint-url http://127.0.0.1:8000
//
// A browser on the same machine finds a page for its tables, items, indexes and streams at http://127.0.0.1:8000/_ddb/.
// Without -page-public it is shown to this machine alone, also with -public; -page-read-only leaves out
// what changes something, and -page=false leaves the page out.
//
// It checks no signatures: it is no database for production, and listens on the machine itself unless -public is
// given. Web pages can use it only if -origin names where they come from, and a client has to ask for it by an IP
// address, as localhost, or by a name of -host, so that a page cannot reach it under a name of its own.
//
// With -buckets DIR the folders in DIR are the buckets of S3: ExportTableToPointInTime writes to them, and ImportTable reads from them. What
// an import refuses is printed to standard error, with its object, its line and the service's text, which may quote a number or a set.
//
// With -log it writes a line for each request to standard error: operation, tables, status, kind of error, time and
// size. Keys, items and messages are not in it.
//
// A seed file is JSON: CreateTable requests, and items by table in DynamoDB's JSON. Tables that are there already
// are left as they are. A key that CreateTable does not know is an error.
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
	flags.StringVar(&s.data, "data", "", "folder that keeps tables and items; without it they are in memory alone")
	flags.BoolVar(&s.durable, "durable", false, "answer a write when it is on the disk, not when the operating system has it")
	flags.StringVar(&s.buckets, "buckets", "", "folder whose folders are the buckets of S3, for exports and imports; without it they are refused")
	flags.StringVar(&s.seed, "seed", "", "JSON file with tables and items to begin with")
	flags.BoolVar(&s.quiet, "quiet", false, "print nothing")
	flags.BoolVar(&s.public, "public", false, "allow an address that other machines can reach; nothing is protected")
	flags.BoolVar(&s.log, "log", false, "write a line for each request to standard error, without keys and items")
	flags.BoolVar(&s.version, "version", false, "print the version and end")
	flags.BoolVar(&s.page, "page", true, "serve the page for tables and items under "+page.Path)
	flags.BoolVar(&s.pageReadOnly, "page-read-only", false, "leave out of the page what changes something")
	flags.BoolVar(&s.pagePublic, "page-public", false, "show the page to other machines, too; needs -public")
	flags.DurationVar(&s.timeout, "read-timeout", time.Minute, "longest time to wait for the whole of a request; 0 waits for ever")
	flags.Func("host", "`names`, separated by commas, by which clients may ask for the server, beside IP addresses and localhost", func(list string) error {
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
			engine.Clock().Advance(0) // does what is due, such as the time to live of items
		case <-ctx.Done():
			const patience = 5 * time.Second
			ending, cancel := context.WithTimeout(context.WithoutCancel(ctx), patience)
			defer cancel()
			if err := server.Shutdown(ending); err != nil {
				_ = server.Close() // what has not ended by now is cut off
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
	// Nearly all that is read stays, so looking for garbage meanwhile is work for little.
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

// server returns the server of an engine. The page, if it is not nil, has its own rules of who may use it: the origins that
// may use the API cannot use it.
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

// version is that of the module, of the Go release and of the system.
func version() string {
	module := "(devel)"
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" {
		module = info.Main.Version
	}
	return fmt.Sprintf("ddblocal %s, %s %s/%s", module, runtime.Version(), runtime.GOOS, runtime.GOARCH)
}
