// SPDX-License-Identifier: Apache-2.0

package leaks_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
)

// everyText returns a value printed, logged and encoded in every way, with all errors that can be reached from it by Unwrap.
func everyText(v any) string {
	return shown(v) + encoded(v)
}

// shown returns a value printed and logged as text, in every way.
func shown(v any) string {
	var b strings.Builder
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%d", "%x", "%t"} {
		_, _ = fmt.Fprintf(&b, verb+"\n", v)
	}
	_, _ = fmt.Fprintln(&b, v)
	var log bytes.Buffer
	slog.New(slog.NewTextHandler(&log, nil)).Error("x", "v", v)
	b.WriteString(log.String())
	if err, ok := v.(error); ok {
		walk(err, func(e error) {
			_, _ = fmt.Fprintf(&b, "%s\n%v\n%+v\n%#v\n%q\n", e.Error(), e, e, e, e)
			text, _ := json.Marshal(e)
			b.Write(text)
		})
	}
	return b.String()
}

// encoded returns a value as JSON, also in a log.
func encoded(v any) string {
	text, err := json.Marshal(v)
	var log bytes.Buffer
	slog.New(slog.NewJSONHandler(&log, nil)).Error("x", "v", v)
	return fmt.Sprintf("%s %v %s", text, err, log.String())
}

// walk visits the errors that error trackers visit: err and everything that Unwrap returns.
func walk(err error, visit func(error)) {
	if err == nil {
		return
	}
	visit(err)
	if all, ok := err.(interface{ Unwrap() []error }); ok {
		for _, e := range all.Unwrap() {
			walk(e, visit)
		}
		return
	}
	walk(errors.Unwrap(err), visit)
}
