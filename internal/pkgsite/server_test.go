// SPDX-License-Identifier: Apache-2.0

package pkgsite_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/html"
)

const root = "../.."

// site is a pkgsite that serves modules of this repository on loopback.
type site struct {
	address string
	client  *http.Client
}

// serve builds pkgsite and starts it for the folders of modules. It ends with the test.
func serve(t *testing.T, modules []string) *site {
	t.Helper()
	program := filepath.Join(t.TempDir(), "pkgsite")
	build := exec.CommandContext(t.Context(), "go", "build", "-o", program, "golang.org/x/pkgsite/cmd/pkgsite")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &site{address: listener.Addr().String(), client: &http.Client{Timeout: time.Minute}}
	if err := listener.Close(); err != nil { // pkgsite opens it again
		t.Fatal(err)
	}
	var args []string
	args = append(args, "-list=false", "-http="+s.address)
	for _, m := range modules {
		args = append(args, filepath.Join(root, m))
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	server := exec.CommandContext(ctx, program, args...)
	var log strings.Builder
	server.Stdout, server.Stderr = &log, &log
	// pkgsite asks other sites whether they know a module. Nothing listens on this port, so these requests fail immediately.
	server.Env = append(os.Environ(), "GOWORK=off", "GOPROXY=off", "HTTPS_PROXY=http://127.0.0.1:1", "HTTP_PROXY=http://127.0.0.1:1")
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- server.Wait() }()
	t.Cleanup(func() {
		cancel()
		<-ended
		if t.Failed() {
			t.Log(log.String())
		}
	})
	if err := s.wait(t.Context(), ended); err != nil {
		t.Fatal(err)
	}
	return s
}

// wait returns when pkgsite responds.
func (s *site) wait(ctx context.Context, ended chan error) error {
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for range 600 {
		if _, status, err := s.get(ctx, "/"); err == nil && status == http.StatusOK {
			return nil
		}
		select {
		case err := <-ended:
			ended <- err
			return fmt.Errorf("pkgsite has ended: %w", err)
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
	}
	return errors.New("pkgsite does not answer")
}

func (s *site) get(ctx context.Context, path string) (page *html.Node, status int, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+s.address+path, nil)
	if err != nil {
		return nil, 0, err
	}
	res, err := s.client.Do(req)
	if err != nil {
		return nil, 0, err
	}
	defer func() { _ = res.Body.Close() }()
	page, err = html.Parse(res.Body)
	return page, res.StatusCode, err
}

// attribute returns an attribute of an element, or "".
func attribute(n *html.Node, name string) string {
	for _, a := range n.Attr {
		if a.Key == name {
			return a.Val
		}
	}
	return ""
}

// find returns the first element with the class.
func find(n *html.Node, class string) *html.Node {
	for d := range n.Descendants() {
		if d.Type == html.ElementNode && strings.Contains(" "+attribute(d, "class")+" ", " "+class+" ") {
			return d
		}
	}
	return nil
}

// text returns the text of an element.
func text(n *html.Node) string {
	var b strings.Builder
	for d := range n.Descendants() {
		if d.Type == html.TextNode {
			b.WriteString(d.Data)
		}
	}
	return b.String()
}
