// SPDX-License-Identifier: Apache-2.0

package debug

import (
	"context"
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
)

// ServeHTTP answers GET and HEAD with the page or, for ?format=json or a request that accepts application/json and not
// text/html, with a [Snapshot] as JSON. The parameters table and label select the calls of one table and of one label; see
// [Filter]. Any other method is rejected with status 405, another format with 400. It can be served at any path.
func (r *Recorder) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	serve(w, req, func(_ context.Context, f Filter) Snapshot { return r.SnapshotOf(f) })
}

func serve(w http.ResponseWriter, req *http.Request, snapshot func(context.Context, Filter) Snapshot) {
	h := w.Header()
	h.Set("Cache-Control", "no-store")
	h.Set("Vary", "Accept")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Frame-Options", "DENY")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Content-Security-Policy", pagePolicy)
	if req.Method != http.MethodGet && req.Method != http.MethodHead {
		h.Set("Allow", "GET, HEAD")
		http.Error(w, "ddb/debug: only GET and HEAD are answered", http.StatusMethodNotAllowed)
		return
	}
	query := req.URL.Query()
	format := query.Get("format")
	if format == "" && prefersJSON(req) {
		format = "json"
	}
	switch format {
	case "", "html", "json", "page":
	default:
		http.Error(w, "ddb/debug: format is html or json", http.StatusBadRequest)
		return
	}
	s := snapshot(req.Context(), Filter{Table: query.Get("table"), Label: query.Get("label")})
	var (
		body []byte
		err  error
	)
	switch format {
	case "json", "page":
		h.Set("Content-Type", "application/json; charset=utf-8")
		if format == "page" {
			s.dropMergeData()
		}
		body, err = json.Marshal(&s)
	default:
		h.Set("Content-Type", "text/html; charset=utf-8")
		s.dropMergeData()
		body, err = page(&s)
	}
	if err != nil {
		http.Error(w, "ddb/debug: "+err.Error(), http.StatusInternalServerError)
		return
	}
	h.Set("Content-Length", strconv.Itoa(len(body)))
	if req.Method == http.MethodGet {
		_, _ = w.Write(body) // the reader may be gone
	}
}

// dropMergeData removes what the page does not show and only merging needs.
func (s *Snapshot) dropMergeData() {
	s.History.Buckets = nil
	for i := range s.Latencies {
		s.Latencies[i].Buckets = nil
	}
	for i := range s.Throughput {
		s.Throughput[i].ReadMinutes, s.Throughput[i].WriteMinutes = nil, nil
	}
	s.Slowest, s.MostExpensive = firstGroups(s.Slowest, true), firstGroups(s.MostExpensive, false)
}

func prefersJSON(req *http.Request) bool {
	accept := strings.Join(req.Header.Values("Accept"), ",")
	return strings.Contains(accept, "application/json") && !strings.Contains(accept, "text/html")
}
