// SPDX-License-Identifier: Apache-2.0

// Members is the service of the guide docs/guides/first-service.md: the members of teams behind HTTP, with optimistic locking by
// entity tags, paging, unique addresses, and requests that can be repeated.
//
//	go run ./examples/members                             sends a few requests to itself
//	go run ./examples/members -listen 127.0.0.1:8080      serves, on the embedded engine or the endpoint in DYNAMODB_ENDPOINT
//	go test ./examples/members                            tests it, lost replies included
package main

import (
	"bytes"
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
)

func main() {
	log.SetFlags(0)
	listen := flag.String("listen", "", "address to serve on; without it the program sends requests to itself and ends")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, *listen); err != nil {
		log.Fatal(err) //nolint:gocritic // the process ends
	}
}

func run(ctx context.Context, listen string) error {
	client, end := ddbtest.Open() // in production: ddbclient.New(ctx)
	defer end()
	defer ddb.LogCapacity(slog.Default()) //nolint:contextcheck // what it has cost, at shutdown, when ctx has ended
	members, err := NewMembers(client, "team-")
	if err != nil {
		return err
	}
	if err := members.Ensure(ctx); err != nil {
		return err
	}
	// In production the secret comes from where all processes have it.
	secret := make([]byte, 32)
	if _, err := rand.Read(secret); err != nil {
		return err
	}
	tokens, err := ddb.NewPageTokens(ddb.TokenKey{ID: "k1", Secret: secret})
	if err != nil {
		return err
	}
	server := &Server{Members: members, Tokens: tokens}
	if listen == "" {
		return show(ctx, server.Handler())
	}
	return serve(ctx, listen, server.Handler())
}

// serve ends when ctx ends, after the requests that are under way.
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
func show(ctx context.Context, handler http.Handler) error {
	call := func(method, path, body string, header ...string) *httptest.ResponseRecorder {
		req := httptest.NewRequestWithContext(ctx, method, path, bytes.NewBufferString(body))
		for i := 0; i < len(header); i += 2 {
			req.Header.Set(header[i], header[i+1])
		}
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, req)
		return w
	}
	const ann = `{"email": "ann@example.com", "name": "Ann"}`
	first := call("POST", "/teams/t1/members", ann, "Idempotency-Key", "a")
	again := call("POST", "/teams/t1/members", ann, "Idempotency-Key", "a")
	fmt.Println("join:            ", first.Code)
	fmt.Println("the same again:  ", again.Code, "the same member:", first.Header().Get("Location") == again.Header().Get("Location"))
	fmt.Println("another request: ", line(call("POST", "/teams/t1/members", ann, "Idempotency-Key", "b")))
	path, etag := first.Header().Get("Location"), first.Header().Get("ETag")
	fmt.Println("change the role: ", call("PATCH", path, `{"role": "admin"}`, "If-Match", etag).Code)
	fmt.Println("with an old tag: ", line(call("PATCH", path, `{"role": "guest"}`, "If-Match", etag)))
	fmt.Println("a forged token:  ", line(call("GET", "/teams/t1/members?after=forged", "")))
	fmt.Println("leave:           ", call("DELETE", path, "").Code)
	fmt.Println("the address is free again:", call("POST", "/teams/t1/members", ann, "Idempotency-Key", "c").Code)
	return nil
}

func line(w *httptest.ResponseRecorder) string {
	return fmt.Sprint(w.Code, " ", strings.TrimSpace(w.Body.String()))
}
