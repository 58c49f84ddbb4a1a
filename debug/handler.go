// SPDX-License-Identifier: Apache-2.0

package debug

import (
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
)

// ServeHTTP answers GET and HEAD with the page or, for ?format=json or a request that
// accepts application/json and not text/html, with a [Snapshot] as JSON. Any other method is
// refused with status 405, another format with 400. It may stand at any path.
func (r *Recorder) ServeHTTP(w http.ResponseWriter, req *http.Request) {
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
	s := r.Snapshot()
	var (
		body []byte
		err  error
	)
	switch format := req.URL.Query().Get("format"); {
	case format == "json", format == "" && prefersJSON(req):
		h.Set("Content-Type", "application/json; charset=utf-8")
		body, err = json.Marshal(&s)
	case format == "", format == "html":
		h.Set("Content-Type", "text/html; charset=utf-8")
		body, err = page(&s)
	default:
		http.Error(w, "ddb/debug: format is html or json", http.StatusBadRequest)
		return
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

func prefersJSON(req *http.Request) bool {
	accept := strings.Join(req.Header.Values("Accept"), ",")
	return strings.Contains(accept, "application/json") && !strings.Contains(accept, "text/html")
}
