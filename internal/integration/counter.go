// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"maps"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"
)

// counter is a reverse proxy that counts requests by operation, so that a run proves where it went.
type counter struct {
	url    string
	server *http.Server
	served chan error

	mu         sync.Mutex
	operations map[string]int
}

// listen starts the proxy on a free loopback port.
func listen(ctx context.Context, target *url.URL) (*counter, error) {
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	c := &counter{
		url:        "http://" + l.Addr().String(),
		served:     make(chan error, 1),
		operations: make(map[string]int),
	}
	proxy := &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(target)
			r.Out.Host = r.In.Host // the signature covers it
		},
		Transport: &http.Transport{
			DisableCompression:  true, // replies pass as the engine wrote them, checksum included
			MaxIdleConnsPerHost: 128,
		},
		ErrorHandler: func(w http.ResponseWriter, r *http.Request, err error) {
			if r.Context().Err() == nil { // a test may cancel its own call
				log.Printf("proxy: %s: %v", r.Header.Get("X-Amz-Target"), err)
			}
			w.WriteHeader(http.StatusBadGateway)
		},
	}
	c.server = &http.Server{
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			c.count(r.Header.Get("X-Amz-Target"))
			proxy.ServeHTTP(w, r)
		}),
		ReadHeaderTimeout: time.Minute,
	}
	go func() { c.served <- c.server.Serve(l) }()
	return c, nil
}

// count takes "DynamoDB_20120810.PutItem" for PutItem.
func (c *counter) count(target string) {
	_, operation, ok := strings.Cut(target, ".")
	if !ok {
		operation = "(no operation)"
	}
	c.mu.Lock()
	c.operations[operation]++
	c.mu.Unlock()
}

// report writes a line of counts and returns their sum.
func (c *counter) report(w io.Writer, engine string) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	total := 0
	parts := make([]string, 0, len(c.operations))
	for _, operation := range slices.Sorted(maps.Keys(c.operations)) {
		total += c.operations[operation]
		parts = append(parts, fmt.Sprintf("%s %d", operation, c.operations[operation]))
	}
	fmt.Fprintf(w, "%s answered %d requests: %s\n", engine, total, strings.Join(parts, ", "))
	return total
}

func (c *counter) close() error {
	if err := c.server.Close(); err != nil {
		return err
	}
	if err := <-c.served; !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("proxy: %w", err)
	}
	return nil
}
