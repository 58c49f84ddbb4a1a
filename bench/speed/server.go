// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"time"
)

// server is a program that answers DynamoDB's API, in a process of its own.
type server struct {
	name, binary string
	args         func(port string) []string
	url          string
	cmd          *exec.Cmd
	output       bytes.Buffer // read only after the process has ended
	loaded       int          // batches so far
	transactions int
}

func ddblocalArgs(port string) []string { return []string{"-addr", "127.0.0.1:" + port} }

func dynoxideArgs(port string) []string {
	return []string{"serve", "--host", "127.0.0.1", "--port", port}
}

func build(ctx context.Context, dir string) (binary string, err error) {
	binary = filepath.Join(dir, "ddblocal")
	out, err := exec.CommandContext(ctx, "go", "build", "-o", binary, "github.com/dynamotable/ddb/cmd/ddblocal").CombinedOutput() //nolint:gosec // a path of this command
	if err != nil {
		return "", fmt.Errorf("build ddblocal: %w\n%s", err, out)
	}
	return binary, nil
}

// start returns when the server answers.
func (s *server) start(ctx context.Context) error {
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	_, port, err := net.SplitHostPort(listener.Addr().String())
	if err := errors.Join(err, listener.Close()); err != nil {
		return err
	}
	s.url = "http://127.0.0.1:" + port
	s.cmd = exec.CommandContext(context.WithoutCancel(ctx), s.binary, s.args(port)...) //nolint:gosec // the user names the binary
	s.cmd.Stdout, s.cmd.Stderr = &s.output, &s.output
	if err := s.cmd.Start(); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	for tick := time.Tick(10 * time.Millisecond); ; {
		if _, err = s.call(ctx, "ListTables", []byte("{}")); err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return errors.Join(fmt.Errorf("%s does not answer: %w", s.name, err), s.stop())
		case <-tick:
		}
	}
}

func (s *server) stop() error {
	_ = s.cmd.Process.Signal(os.Interrupt)
	kill := time.AfterFunc(10*time.Second, func() { _ = s.cmd.Process.Kill() })
	defer kill.Stop()
	_ = s.cmd.Wait() // how a server ends when it is interrupted is its own affair
	return nil
}

// call sends one request and returns the body of the answer.
func (s *server) call(ctx context.Context, operation string, body []byte) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.url, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", "application/x-amz-json-1.0")
	req.Header.Set("X-Amz-Target", "DynamoDB_20120810."+operation)
	req.Header.Set("Accept-Encoding", "identity") // as the SDK asks for; otherwise package net/http asks for gzip
	req.Header.Set("X-Amz-Date", "20260101T000000Z")
	req.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=any/20260101/us-east-1/dynamodb/aws4_request, SignedHeaders=host, Signature=0")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close() //nolint:errcheck // read to its end
	answer, err := io.ReadAll(resp.Body)
	if err != nil {
		return nil, err
	}
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s: %s: %.300s", operation, resp.Status, answer)
	}
	return answer, nil
}

// measure does an operation until the server has used the budget, and returns the processor time of one in microseconds.
func (s *server) measure(ctx context.Context, w work, budget time.Duration) (float64, error) {
	const chunk = 10 // between looks at the clock
	start, err := processorTime(s.cmd.Process.Pid)
	if err != nil {
		return 0, err
	}
	for count := chunk; ; count += chunk {
		for range chunk {
			answer, err := s.call(ctx, w.operation, w.request(s))
			if err != nil {
				return 0, err
			}
			if !bytes.Contains(answer, []byte(w.answer)) {
				return 0, fmt.Errorf("the answer lacks %s: %.300s", w.answer, answer)
			}
		}
		now, err := processorTime(s.cmd.Process.Pid)
		if err != nil {
			return 0, err
		}
		if now-start >= budget {
			return float64((now - start).Nanoseconds()) / 1000 / float64(count), nil
		}
	}
}
