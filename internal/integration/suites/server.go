// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"time"
)

// server is a ddblocal of this process.
type server struct {
	url    string
	cmd    *exec.Cmd
	errors bytes.Buffer // its standard error; read only after the process has ended
}

// startServer starts a ddblocal and returns when it listens.
func startServer(ctx context.Context, binary, address string) (*server, error) {
	s := &server{}
	s.cmd = exec.CommandContext(context.WithoutCancel(ctx), binary, "-addr", address, "-log") //nolint:gosec // built by this command
	s.cmd.Stderr = &s.errors
	s.cmd.Cancel = func() error { return s.cmd.Process.Signal(os.Interrupt) }
	out, err := s.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := s.cmd.Start(); err != nil {
		return nil, err
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		_ = s.cmd.Wait()
		return nil, fmt.Errorf("ddblocal did not start on %s: %s", address, strings.TrimSpace(s.errors.String()))
	}
	url, _, found := strings.Cut(strings.TrimPrefix(line, "ddblocal: listening on "), ",")
	if !found {
		return nil, errors.Join(fmt.Errorf("ddblocal said %q", line), s.cmd.Process.Kill(), s.cmd.Wait())
	}
	s.url = url
	go func() { _, _ = io.Copy(io.Discard, out) }() // it says nothing more
	return s, nil
}

// stop ends the server and returns how many requests it has answered.
func (s *server) stop() (requests int, err error) {
	const patience = 20 * time.Second
	if err := s.cmd.Process.Signal(os.Interrupt); err != nil {
		return 0, fmt.Errorf("ddblocal ended by itself: %w\n%s", errors.Join(err, s.cmd.Wait()), &s.errors)
	}
	kill := time.AfterFunc(patience, func() { _ = s.cmd.Process.Kill() })
	defer kill.Stop()
	if err := s.cmd.Wait(); err != nil {
		return 0, fmt.Errorf("ddblocal: %w\n%s", err, &s.errors)
	}
	return strings.Count(s.errors.String(), " msg=request operation="), nil
}
