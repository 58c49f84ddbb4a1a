// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"crypto/rand"
	"errors"
	"flag"
	"fmt"
	"log"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/dynamotable/ddb"
	"github.com/dynamotable/ddb/ddbtest"
	"github.com/dynamotable/ddb/pagetoken"
)

func main() {
	if err := run(); err != nil {
		log.Fatal(err)
	}
}

func run() error {
	listen := flag.String("listen", "", "address to serve on; without it the program sends requests to itself and ends")
	flag.Parse()
	client, end := ddbtest.Open() // in production: ddbclient.New(ctx)
	defer end()
	defer ddb.LogCapacity(slog.Default()) // consumed capacity, at shutdown
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	members, err := NewMembers(client, "team-")
	if err != nil {
		return err
	}
	if err := members.Ensure(ctx); err != nil {
		return err
	}
	secret := make([]byte, 32) // in production from the secret manager, the same for all processes
	if _, err := rand.Read(secret); err != nil {
		return err
	}
	tokens, err := pagetoken.New(pagetoken.Key{ID: "k1", Secret: secret})
	if err != nil {
		return err
	}
	server := &Server{Members: members, Tokens: tokens}
	if *listen == "" {
		show(ctx, server.Handler())
		return nil
	}
	return serve(ctx, *listen, server.Handler())
}

// serve ends when ctx ends, after the requests in flight.
func serve(ctx context.Context, listen string, handler http.Handler) error {
	server := &http.Server{Addr: listen, Handler: handler, ReadHeaderTimeout: 5 * time.Second}
	failed := make(chan error, 1)
	go func() { failed <- server.ListenAndServe() }()
	select {
	case err := <-failed:
		return err
	case <-ctx.Done():
	}
	ending, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()
	if err := server.Shutdown(ending); err != nil {
		return err
	}
	if err := <-failed; !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// show sends requests to the handler and prints the replies.
func show(ctx context.Context, handler http.Handler) {
	send := func(what, method, path, body string, header ...string) http.Header {
		r := httptest.NewRequestWithContext(ctx, method, path, strings.NewReader(body))
		for i := 0; i < len(header); i += 2 {
			r.Header.Set(header[i], header[i+1])
		}
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, r)
		line := fmt.Sprintf("%-18s %d", what+":", w.Code)
		if w.Code >= http.StatusBadRequest {
			line += " " + strings.TrimSpace(w.Body.String())
		}
		fmt.Println(line)
		return w.Header()
	}
	const ann = `{"email": "ann@example.com", "name": "Ann"}`
	first := send("join", "POST", "/teams/t1/members", ann, "Idempotency-Key", "a")
	again := send("the same again", "POST", "/teams/t1/members", ann, "Idempotency-Key", "a")
	fmt.Println("the same member:  ", first.Get("Location") == again.Get("Location"))
	send("another request", "POST", "/teams/t1/members", ann, "Idempotency-Key", "b")
	path, tag := first.Get("Location"), first.Get("ETag")
	send("change the role", "PATCH", path, `{"role": "admin"}`, "If-Match", tag)
	send("with an old tag", "PATCH", path, `{"role": "guest"}`, "If-Match", tag)
	send("a forged token", "GET", "/teams/t1/members?after=forged", "")
	send("leave", "DELETE", path, "")
	send("join again", "POST", "/teams/t1/members", ann, "Idempotency-Key", "c")
}
