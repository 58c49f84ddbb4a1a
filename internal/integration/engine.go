// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"time"
)

// release is one version of an engine that npm carries as a plain binary.
type release struct {
	name    string
	pkg     string // npm package
	version string
	file    string // path of the binary inside the package
	sha256  string // of the binary
	goos    string
	goarch  string
}

// dynoxide is the second engine: an implementation of the protocol that shares
// nothing with ours, so that a mistake has to be made twice to go unseen.
var dynoxide = release{
	name:    "dynoxide",
	pkg:     "@dynoxide/linux-x64",
	version: "1.2.1",
	file:    "dynoxide",
	sha256:  "be909b7910d3fb552e85db10ef3c8ebae4bd35fee0f26dffdb6dfa5cc656426e",
	goos:    "linux",
	goarch:  "amd64",
}

// install gives the path of the verified binary, fetching it into the user's cache folder if it is not there yet.
// The checksum is compared each time: what npm answered yesterday is not taken on trust today.
func (r release) install(ctx context.Context, log io.Writer) (string, error) {
	if runtime.GOOS != r.goos || runtime.GOARCH != r.goarch {
		return "", fmt.Errorf("%s %s is pinned for %s/%s only; start a server yourself and name it with -endpoint",
			r.name, r.version, r.goos, r.goarch)
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("find a folder for %s: %w", r.name, err)
	}
	dir := filepath.Join(cache, "ddb-integration", r.name+"-"+r.version)
	binary := filepath.Join(dir, "node_modules", filepath.FromSlash(r.pkg), r.file)

	if _, err := os.Stat(binary); errors.Is(err, os.ErrNotExist) {
		if err := os.MkdirAll(dir, 0o750); err != nil {
			return "", err
		}
		cmd := exec.CommandContext(ctx, "npm", "install", "--prefix", dir,
			"--no-audit", "--no-fund", "--ignore-scripts", r.pkg+"@"+r.version)
		cmd.Stdout, cmd.Stderr = log, log
		if err := cmd.Run(); err != nil {
			return "", fmt.Errorf("npm install %s@%s: %w", r.pkg, r.version, err)
		}
	}
	if err := verify(binary, r.sha256); err != nil {
		return "", err
	}
	return binary, nil
}

// verify compares a file with its pinned SHA-256.
func verify(path, want string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }() // only read
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return fmt.Errorf("read %s: %w", path, err)
	}
	if got := hex.EncodeToString(h.Sum(nil)); got != want {
		return fmt.Errorf("%s has SHA-256 %s, pinned is %s: delete it if it is an old download, else do not run it", path, got, want)
	}
	return nil
}

// engine is a running server, owned by this process.
type engine struct {
	url    string
	cmd    *exec.Cmd
	output *bytes.Buffer // read only after exited is closed
	exited chan struct{}
	grace  time.Duration // between asking it to end and killing it
}

const (
	startTimeout = 20 * time.Second
	stopTimeout  = 5 * time.Second
	pollEvery    = 10 * time.Millisecond
	portTries    = 5
)

// start runs the binary on a free loopback port and returns when it answers HTTP.
// The engine cannot report a port that the system chose, so one is picked here;
// should another process take it in between, the engine exits at once and the next port is tried.
func start(ctx context.Context, binary string) (*engine, error) {
	var failures []error
	for range portTries {
		port, err := freePort(ctx)
		if err != nil {
			return nil, err
		}
		e, err := startOn(ctx, binary, port)
		if err == nil {
			return e, nil
		}
		failures = append(failures, err)
		if ctx.Err() != nil {
			break
		}
	}
	return nil, fmt.Errorf("engine did not start: %w", errors.Join(failures...))
}

func freePort(ctx context.Context) (string, error) {
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	_, port, err := net.SplitHostPort(l.Addr().String())
	return port, errors.Join(err, l.Close())
}

func startOn(ctx context.Context, binary, port string) (*engine, error) {
	e := &engine{
		url:    "http://" + net.JoinHostPort("127.0.0.1", port),
		output: new(bytes.Buffer),
		exited: make(chan struct{}),
		grace:  stopTimeout,
	}
	// The caller's end is not the engine's: stop ends it, after the tests have ended.
	e.cmd = exec.CommandContext(context.WithoutCancel(ctx), binary, "serve", "--host", "127.0.0.1", "--port", port)
	e.cmd.Stdout, e.cmd.Stderr = e.output, e.output
	if err := e.cmd.Start(); err != nil {
		return nil, err
	}
	go func() {
		_ = e.cmd.Wait() // stop reports how it ended, from ProcessState
		close(e.exited)
	}()
	if err := e.awaitAnswer(ctx); err != nil {
		return nil, errors.Join(err, e.stop())
	}
	return e, nil
}

// awaitAnswer returns when the server answers any HTTP status at all.
func (e *engine) awaitAnswer(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	tick := time.NewTicker(pollEvery)
	defer tick.Stop()
	for {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, e.url, http.NoBody)
		if err != nil {
			return err
		}
		if res, err := http.DefaultClient.Do(req); err == nil {
			return res.Body.Close()
		}
		select {
		case <-e.exited:
			return errors.New("no answer at " + e.url)
		case <-ctx.Done():
			return fmt.Errorf("%s did not answer at %s: %w", e.cmd.Path, e.url, context.Cause(ctx))
		case <-tick.C:
		}
	}
}

// stop interrupts the process, kills it if it lingers, and returns when it is gone.
// A process that was gone already is an error, with what it had to say.
func (e *engine) stop() error {
	select {
	case <-e.exited:
		return fmt.Errorf("%s ended by itself: %s\n%s", e.cmd.Path, e.cmd.ProcessState, e.output)
	default:
	}
	if err := e.cmd.Process.Signal(os.Interrupt); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("end the engine (pid %d): %w", e.cmd.Process.Pid, err)
	}
	select {
	case <-e.exited:
		return nil
	case <-time.After(e.grace):
	}
	if err := e.cmd.Process.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("kill the engine (pid %d): %w", e.cmd.Process.Pid, err)
	}
	<-e.exited
	return nil
}
