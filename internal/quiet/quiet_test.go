// SPDX-License-Identifier: Apache-2.0

package quiet_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/dynamotable/ddb/internal/quiet"
)

// TestLater: an error that is only matched does not make its text.
func TestLater(t *testing.T) {
	texts := 0
	err := quiet.Later(func(cause error) string { texts++; return "not " + cause.Error() }, io.EOF)
	if !errors.Is(err, io.EOF) || texts != 0 {
		t.Errorf("it does not match its cause, or made %d texts to compare", texts)
	}
	if text := err.Error(); text != "not EOF" {
		t.Errorf("its text is %q", text)
	}
}

func TestCauseIsFoundButNeverShown(t *testing.T) {
	_, cause := time.Parse(time.RFC3339, "SSN-900")
	err := quiet.New("it is no time", fmt.Errorf("read: %w: %w", io.EOF, cause))
	if !errors.Is(err, io.EOF) {
		t.Error("errors.Is does not find the cause")
	}
	var parse *time.ParseError
	if !errors.As(err, &parse) || parse.Value != "SSN-900" {
		t.Error("errors.As does not find the cause")
	}
	if errors.Unwrap(err) != nil {
		t.Error("it can be unwrapped")
	}
	var log bytes.Buffer
	slog.New(slog.NewTextHandler(&log, nil)).Error("x", "err", err)
	slog.New(slog.NewJSONHandler(&log, nil)).Error("x", "err", err, "all", []error{err})
	text, jerr := json.Marshal(map[string]any{"err": err})
	if jerr != nil {
		t.Fatal(jerr)
	}
	shown := fmt.Sprintf("%v %+v %#v %s %q %d %x", err, err, err, err, err, err, err) + log.String() + string(text)
	if strings.Contains(shown, "SSN") || !strings.Contains(shown, `"it is no time"`) {
		t.Error(shown)
	}
}
