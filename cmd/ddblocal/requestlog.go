// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"encoding/json"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"
)

// logged writes a line for each request that next has answered. It leaves out keys, items and error messages, which can
// contain values.
func logged(next http.Handler, lines *slog.Logger) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		start := time.Now()
		body := &bytes.Buffer{}
		r.Body = struct {
			io.Reader
			io.Closer
		}{io.TeeReader(r.Body, body), r.Body}
		seen, answered := &seenWriter{ResponseWriter: w, status: http.StatusOK}, false
		defer func() {
			attributes := []any{"operation", operation(r)}
			if tables := tablesOf(body.Bytes()); tables != "" {
				attributes = append(attributes, "tables", tables)
			}
			if !answered {
				attributes = append(attributes, "error", "cut off")
			} else {
				attributes = append(attributes, "status", seen.status)
			}
			if kind := kindOf(seen.refusal.Bytes()); kind != "" {
				attributes = append(attributes, "error", kind)
			}
			lines.Info("request", append(attributes, "took", time.Since(start).Round(time.Microsecond), "in", body.Len(), "out", seen.size)...)
		}()
		next.ServeHTTP(seen, r)
		answered = true
	})
}

// operation is the name of an operation, or the method of a request that has none.
func operation(r *http.Request) string {
	if _, name, found := strings.Cut(r.Header.Get("X-Amz-Target"), "."); found {
		return name
	}
	return r.Method
}

// tablesOf returns the tables that a request names.
func tablesOf(body []byte) string {
	var request struct {
		TableName     string
		RequestItems  map[string]json.RawMessage
		TransactItems []map[string]struct{ TableName string }
	}
	if json.Unmarshal(body, &request) != nil {
		return ""
	}
	tables := make(map[string]bool)
	for name := range request.RequestItems {
		tables[name] = true
	}
	for _, item := range request.TransactItems {
		for _, action := range item {
			tables[action.TableName] = true
		}
	}
	if request.TableName != "" {
		tables[request.TableName] = true
	}
	return strings.Join(slices.Sorted(maps.Keys(tables)), ",")
}

// kindOf returns the kind of error in the body of an error reply.
func kindOf(body []byte) string {
	var refusal struct {
		Type string `json:"__type"`
	}
	if json.Unmarshal(body, &refusal) != nil {
		return ""
	}
	_, kind, _ := strings.Cut(refusal.Type, "#")
	return kind
}

// seenWriter records the reply.
type seenWriter struct {
	http.ResponseWriter

	status, size int
	refusal      bytes.Buffer // the body unless the status is 200
}

func (w *seenWriter) WriteHeader(status int) {
	w.status = status
	w.ResponseWriter.WriteHeader(status)
}

func (w *seenWriter) Write(body []byte) (int, error) {
	w.size += len(body)
	if w.status != http.StatusOK {
		w.refusal.Write(body)
	}
	return w.ResponseWriter.Write(body)
}
