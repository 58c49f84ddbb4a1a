// SPDX-License-Identifier: Apache-2.0

package repeat_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/dynamotable/ddb/internal/repeat"
)

var (
	errRejected     = errors.New("rejected")
	errFinal        = errors.New("final")
	errUnknown      = fmt.Errorf("call: %w", repeat.ErrOutcomeUnknown)
	errLost         = fmt.Errorf("call: %w", repeat.ErrReplyLost)
	errFinalUnknown = fmt.Errorf("%w: %w", errFinal, errUnknown)
)

// TestWrites checks how often a write is sent, after which errors, and what its last error matches.
func TestWrites(t *testing.T) {
	t.Parallel()
	all := []error{errRejected, errFinal, repeat.ErrOutcomeUnknown, repeat.ErrReplyLost}
	for name, c := range map[string]struct {
		replies []error // the last one is repeated
		cancel  int     // the context ends in this attempt
		sent    int
		plain   []error // target of the error of Write
		inDoubt []error // target of the error of WriteInDoubt
	}{
		"applied":                 {replies: []error{nil}, sent: 1},
		"rejected":                {replies: []error{errRejected}, sent: 1, plain: []error{errRejected}, inDoubt: []error{errRejected}},
		"unknown, applied":        {replies: []error{errUnknown, nil}, sent: 2},
		"lost, applied":           {replies: []error{errLost, nil}, sent: 2},
		"unknown, rejected":       {replies: []error{errUnknown, errRejected}, sent: 2, plain: []error{errRejected}, inDoubt: []error{errRejected, repeat.ErrOutcomeUnknown}},
		"lost, unknown, rejected": {replies: []error{errLost, errUnknown, errRejected}, sent: 3, plain: []error{errRejected}, inDoubt: []error{errRejected, repeat.ErrOutcomeUnknown}},
		"always unknown":          {replies: []error{errUnknown}, sent: 5, plain: []error{repeat.ErrOutcomeUnknown}, inDoubt: []error{repeat.ErrOutcomeUnknown}},
		"always lost":             {replies: []error{errLost}, sent: 5, plain: []error{repeat.ErrReplyLost}, inDoubt: []error{repeat.ErrReplyLost}},
		"unknown, then cancelled": {replies: []error{errUnknown}, cancel: 2, sent: 2, plain: []error{repeat.ErrOutcomeUnknown}, inDoubt: []error{repeat.ErrOutcomeUnknown}},
	} {
		check := func(kind string, sent int, err error, want []error) {
			t.Helper()
			for _, e := range all {
				if errors.Is(err, e) != slices.Contains(want, e) {
					t.Errorf("%s: %s returns %v, want an error that matches %v", name, kind, err, want)
				}
			}
			if sent != c.sent || (err == nil) != (want == nil) {
				t.Errorf("%s: %s sends %d times, want %d: %v", name, kind, sent, c.sent, err)
			}
		}
		var doubts []error
		ctx, cancel := context.WithCancel(t.Context())
		write := func(doubt error) error {
			doubts = append(doubts, doubt)
			if len(doubts) == c.cancel {
				cancel()
			}
			return c.replies[min(len(doubts), len(c.replies))-1]
		}
		err := repeat.Write(ctx, func() error { return write(nil) })
		check("Write", len(doubts), err, c.plain)
		doubts = nil
		ctx, cancel = context.WithCancel(t.Context())
		err = repeat.WriteInDoubt(ctx, write, errFinal)
		check("WriteInDoubt", len(doubts), err, c.inDoubt)
		for i, doubt := range doubts {
			var before error
			if i > 0 {
				before = c.replies[min(i, len(c.replies))-1]
			}
			if doubt != before { //nolint:errorlint // the identical error
				t.Errorf("%s: attempt %d got %v, want %v", name, i+1, doubt, before)
			}
		}
		cancel()
	}
}

func TestFinalErrors(t *testing.T) {
	t.Parallel()
	sent := 0
	write := func(error) error { sent++; return errFinalUnknown }
	if err := repeat.WriteInDoubt(t.Context(), write, errRejected, errFinal); sent != 1 || !errors.Is(err, errFinal) {
		t.Errorf("sent %d times: %v", sent, err)
	}
	sent = 0
	if err := repeat.WriteInDoubt(t.Context(), write, errRejected); sent != repeat.Attempts || !errors.Is(err, errFinal) {
		t.Errorf("sent %d times: %v", sent, err)
	}
}
