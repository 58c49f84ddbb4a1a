// SPDX-License-Identifier: Apache-2.0

package page

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"fmt"
	"net"
	"net/http"
	"slices"
	"strings"
)

// setHeaders sets headers that prevent framing, caching, access from other pages, and running or loading anything but the style.
//
// https://www.w3.org/TR/CSP3/
func setHeaders(h http.Header) {
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Frame-Options", "DENY")
	h.Set("Referrer-Policy", "same-origin")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Content-Security-Policy", policy)
}

var policy = "default-src 'none'; style-src '" + hashOf(style) + "'; img-src data:; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; " +
	"require-trusted-types-for 'script'"

func hashOf(text string) string {
	sum := sha256.Sum256([]byte(text))
	return "sha256-" + base64.StdEncoding.EncodeToString(sum[:])
}

// newToken returns the token that forms must send back. It is valid for one run of the server; a page of another site cannot read
// it.
func newToken() string { return rand.Text() }

// refusal returns why a request is rejected, and the status; status 0 means that it is accepted.
//
// A page of another site can send requests to this machine, and can resolve its own name to this machine's address (DNS
// rebinding). The former requests have that site's Origin or no token, the latter its name in Host.
func (p *Page) refusal(r *http.Request) (status int, why string) {
	if host := hostName(r.Host); !loopbackName(host) && !(p.Public && p.allowedName(host)) {
		return http.StatusForbidden, fmt.Sprintf("the page is not served under the name %q; use localhost or 127.0.0.1, or start ddblocal with -page-public", host)
	}
	if !p.Public && !fromHere(r.RemoteAddr) {
		return http.StatusForbidden, "the page is served to this machine only; -page-public serves it to other machines too"
	}
	if site := r.Header.Get("Sec-Fetch-Site"); (site == "cross-site" || site == "same-site") && (r.Header.Get("Sec-Fetch-Mode") != "navigate" || r.Method == http.MethodPost) {
		return http.StatusForbidden, "pages of other sites cannot use it"
	}
	switch r.Method {
	case http.MethodGet, http.MethodHead:
		return 0, ""
	case http.MethodPost:
	default:
		return http.StatusMethodNotAllowed, "only GET, HEAD and POST are answered"
	}
	if origin := r.Header.Get("Origin"); origin != "" && origin != "http://"+r.Host && origin != "https://"+r.Host {
		return http.StatusForbidden, "pages of other sites cannot use it"
	}
	return 0, ""
}

// checkForm reads a form of at most limit bytes and checks its token. If it returns false, it has sent the response.
func (p *Page) checkForm(w http.ResponseWriter, r *http.Request) bool {
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	var err error
	if strings.HasPrefix(r.Header.Get("Content-Type"), "multipart/form-data") {
		err = r.ParseMultipartForm(maxForm) //nolint:gosec // the body is limited above
	} else {
		err = r.ParseForm()
	}
	switch {
	case err != nil:
		p.fail(w, r, http.StatusBadRequest, fmt.Sprintf("the form could not be read: %v; it can have %d MB", err, maxForm>>20))
	case p.ReadOnly:
		p.fail(w, r, http.StatusForbidden, readOnlyText)
	case subtle.ConstantTimeCompare([]byte(r.PostForm.Get("token")), []byte(p.token)) != 1:
		p.fail(w, r, http.StatusForbidden, "the form has no token of this run of ddblocal, so nothing was changed; load the page again and send it from there")
	default:
		return true
	}
	return false
}

// maxForm is the maximum size of a form, in bytes; an import is one.
const maxForm = 64 << 20

// hostName returns a Host header without its port.
func hostName(header string) string {
	host, _, err := net.SplitHostPort(header)
	if err != nil {
		host = header
	}
	return strings.ToLower(strings.TrimSuffix(strings.Trim(host, "[]"), "."))
}

// loopbackName reports whether every browser resolves a name to this machine: localhost and names that end in it (RFC 6761,
// section 6.3), and the addresses of the loopback interface.
func loopbackName(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || strings.HasSuffix(host, ".localhost") || ip != nil && ip.IsLoopback()
}

// allowedName reports whether other machines may use a name: IP addresses cannot be rebound, other names must be configured.
func (p *Page) allowedName(host string) bool {
	return net.ParseIP(host) != nil || slices.ContainsFunc(p.Hosts, func(name string) bool { return strings.EqualFold(name, host) })
}

func fromHere(address string) bool {
	host, _, err := net.SplitHostPort(address)
	ip := net.ParseIP(host)
	return err == nil && ip != nil && ip.IsLoopback()
}
