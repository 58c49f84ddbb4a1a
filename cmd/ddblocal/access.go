// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// access decides who may use the API.
//
// A page that a developer visits can send requests to servers on the developer's machine. Browsers say in Origin where
// the page comes from (Fetch standard, "Origin header"), so pages of origins that are not listed are refused. A page can
// also give its own name the address of this machine (DNS rebinding) and then is of the same origin as the server; but
// its requests have that name in Host, so names that are not listed are refused, too.
type access struct {
	hosts   []string // names in addition to IP addresses and localhost
	origins []string // "*" means all
}

func (a *access) guard(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if host := hostName(r.Host); !a.allowsHost(host) {
			http.Error(w, fmt.Sprintf("ddblocal: Host is %q; if clients reach it by this name, start it with -host %s", host, host), http.StatusForbidden)
			return
		}
		origin := r.Header.Get("Origin")
		if origin == "" { // not a page
			next.ServeHTTP(w, r)
			return
		}
		h := w.Header()
		h.Add("Vary", "Origin")
		if !a.allowsOrigin(origin) {
			http.Error(w, fmt.Sprintf("ddblocal: pages of %q may not use it; to let them read and change everything, start it with -origin %s", origin, origin), http.StatusForbidden)
			return
		}
		h.Set("Access-Control-Allow-Origin", origin)
		h.Set("Access-Control-Expose-Headers", "x-amzn-RequestId, x-amz-crc32")
		if r.Method == http.MethodOptions {
			h.Set("Access-Control-Allow-Methods", "POST, GET, OPTIONS")
			h.Set("Access-Control-Allow-Headers", r.Header.Get("Access-Control-Request-Headers"))
			h.Set("Access-Control-Max-Age", "86400")
			return
		}
		next.ServeHTTP(w, r)
	})
}

// hostName is a Host header without its port.
func hostName(header string) string {
	host, _, err := net.SplitHostPort(header)
	if err != nil {
		host = header
	}
	return strings.ToLower(strings.TrimSuffix(strings.Trim(host, "[]"), "."))
}

func (a *access) allowsHost(host string) bool {
	return host == "localhost" || strings.HasSuffix(host, ".localhost") || net.ParseIP(host) != nil ||
		slices.ContainsFunc(a.hosts, func(name string) bool { return strings.EqualFold(name, host) })
}

func (a *access) allowsOrigin(origin string) bool {
	return slices.Contains(a.origins, "*") || slices.Contains(a.origins, origin)
}

// checkOrigin refuses a value that no browser sends as an origin.
func checkOrigin(origin string) error {
	if origin == "*" {
		return nil
	}
	u, err := url.Parse(origin)
	if err != nil || u.Host == "" || origin != u.Scheme+"://"+u.Host {
		return fmt.Errorf("%q is no origin: it is a scheme, a host and a port if it is not the scheme's own, such as http://localhost:8001", origin)
	}
	return nil
}
