// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"log/slog"
	"net/http"

	"github.com/dynamotable/ddb"
	"github.com/dynamotable/ddb/grant"
)

// userHeader names the caller. A real service takes the user from a token that it has
// verified, never from what the caller claims.
const userHeader = "X-User"

// newHandler returns the API. Each route requires a grant.
func newHandler(grants grant.Checker) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /{tenant}/reports/{report}", require(grants, "report.read", func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintln(w, "report", r.PathValue("report"))
	}))
	mux.Handle("DELETE /{tenant}/reports/{report}", require(grants, "report.delete", func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusNoContent)
	}))
	return mux
}

// require lets a request through to next only if the user's grant of the type for the
// report, in the tenant of the path, is valid now. It calls next only after
// an allowed decision without an error.
func require(grants grant.Checker, typ string, next http.HandlerFunc) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		user := r.Header.Get(userHeader)
		if user == "" {
			http.Error(w, "who are you?", http.StatusUnauthorized)
			return
		}
		d, err := grants.Check(r.Context(), grant.Key{
			Tenant: grant.TenantOf(r.PathValue("tenant")), User: user, Type: typ, Qualifier: r.PathValue("report"),
		})
		switch {
		case err == nil && d.Allowed:
			next(w, r)
		case err == nil:
			// The reason is only for logs: the caller does not learn whether there once was a grant.
			slog.Debug("denied", "type", typ, "reason", d.Reason)
			http.Error(w, "forbidden", http.StatusForbidden)
		default:
			slog.Debug("not decided", "type", typ, "error", err)
			if ddb.IsRetryable(err) {
				w.Header().Set("Retry-After", "1")
			}
			http.Error(w, "try again later", http.StatusServiceUnavailable)
		}
	})
}
