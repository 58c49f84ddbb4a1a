// SPDX-License-Identifier: Apache-2.0

package protocol

import (
	"bytes"
	"context"
	"io"
	"net"
	"net/http"
	"os"
	"syscall"
	"time"
)

// reader is the body of a reply as it arrives.
func (r *Reply) reader(ctx context.Context) io.Reader {
	body := io.Reader(bytes.NewReader(r.Body))
	if r.broken() {
		body = io.MultiReader(bytes.NewReader(r.Body[:r.Cut]), brokenReader{r.breach()})
	}
	if r.Pace > 0 {
		body = &slowReader{ctx, body, r.Pace}
	}
	return body
}

func (r *Reply) broken() bool { return r.Cut > 0 && r.Cut < len(r.Body) }

// breach is the error that a client sees when a connection breaks.
func (r *Reply) breach() error {
	if r.Reset {
		return &net.OpError{Op: "read", Net: "tcp", Err: os.NewSyscallError("read", syscall.ECONNRESET)}
	}
	return io.ErrUnexpectedEOF
}

// write sends the body over a socket.
func (r *Reply) write(ctx context.Context, w http.ResponseWriter) {
	body := r.Body
	if r.broken() {
		body = body[:r.Cut]
	}
	if r.Pace > 0 {
		flush := http.NewResponseController(w)
		for i := range body {
			if Wait(ctx, r.Pace) != nil {
				panic(http.ErrAbortHandler)
			}
			_, _ = w.Write(body[i : i+1]) //nolint:gosec // a reply of the engine, no page
			_ = flush.Flush()
		}
	} else {
		_, _ = w.Write(body) //nolint:gosec // as above
	}
	if !r.broken() {
		return
	}
	if r.Reset {
		resetConn(w)
	}
	panic(http.ErrAbortHandler)
}

// resetConn makes a TCP connection end with a reset. Other connections are just closed.
func resetConn(w http.ResponseWriter) {
	control := http.NewResponseController(w)
	if control.Flush() != nil {
		return
	}
	conn, _, err := control.Hijack()
	if err != nil {
		return
	}
	if tcp, ok := conn.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0)
	}
	_ = conn.Close()
}

// brokenReader fails like a connection that breaks.
type brokenReader struct{ err error }

func (b brokenReader) Read([]byte) (int, error) { return 0, b.err }

// slowReader gives one byte at a time.
type slowReader struct {
	ctx  context.Context //nolint:containedctx // a body is read without one
	body io.Reader
	pace time.Duration
}

func (s *slowReader) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	if err := Wait(s.ctx, s.pace); err != nil {
		return 0, err
	}
	return s.body.Read(p[:1])
}

// Wait lets d pass, or returns the error of the context if that ends before.
func Wait(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
