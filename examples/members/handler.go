// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"time"

	"github.com/dynamotable/ddb"
	"github.com/dynamotable/ddb/pagetoken"
	"github.com/dynamotable/ddb/revision"
	"github.com/dynamotable/ddb/unique"
)

// Server serves the members of teams. A real service takes the team from the session of the caller.
type Server struct {
	Members *Members
	Tokens  *pagetoken.Sealer
}

// Handler has the routes of the service.
func (s *Server) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /teams/{team}/members", s.join)
	mux.HandleFunc("GET /teams/{team}/members", s.list)
	mux.HandleFunc("GET /teams/{team}/members/{id}", s.get)
	mux.HandleFunc("PATCH /teams/{team}/members/{id}", s.setRole)
	mux.HandleFunc("DELETE /teams/{team}/members/{id}", s.leave)
	return mux
}

func (s *Server) join(w http.ResponseWriter, r *http.Request) {
	var body struct {
		Email string `json:"email"`
		Name  string `json:"name"`
	}
	key := r.Header.Get("Idempotency-Key")
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, 1<<16)).Decode(&body); err != nil || body.Email == "" || key == "" {
		http.Error(w, "wanted: a body with email and name, and the header Idempotency-Key", http.StatusBadRequest)
		return
	}
	member, err := s.Members.Join(r.Context(), TeamID(r.PathValue("team")), key, body.Email, body.Name)
	if err != nil {
		fail(w, r, err)
		return
	}
	w.Header().Set("Location", r.URL.Path+"/"+string(member.ID))
	reply(w, http.StatusCreated, member)
}

func (s *Server) get(w http.ResponseWriter, r *http.Request) {
	member, err := s.Members.members.Get(r.Context(), TeamID(r.PathValue("team")), MemberID(r.PathValue("id")))
	if err != nil {
		fail(w, r, err)
		return
	}
	reply(w, http.StatusOK, member)
}

// list sends a page of the team's members, and a token for the next page.
func (s *Server) list(w http.ResponseWriter, r *http.Request) {
	team := r.PathValue("team")
	query := s.Members.members.Query(TeamID(team)).Limit(20)
	cursor, err := pagetoken.Open(s.Tokens, query, r.FormValue("after"), pagetoken.ForTenant(team))
	if err != nil {
		fail(w, r, err)
		return
	}
	page, err := query.After(cursor).Page(r.Context())
	if err != nil {
		fail(w, r, err)
		return
	}
	next, err := s.Tokens.Seal(page.Next, pagetoken.ForTenant(team), pagetoken.ValidFor(time.Hour))
	if err != nil {
		fail(w, r, err)
		return
	}
	writeJSON(w, http.StatusOK, map[string]any{"members": page.Items, "next": next})
}

// setRole needs the header If-Match, with the entity tag that the caller has seen.
func (s *Server) setRole(w http.ResponseWriter, r *http.Request) {
	var body struct {
		Role string `json:"role"`
	}
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, 1<<16)).Decode(&body); err != nil || body.Role == "" {
		http.Error(w, "wanted: a body with a role", http.StatusBadRequest)
		return
	}
	if r.Header.Get("If-Match") == "" {
		http.Error(w, "wanted: If-Match with the ETag of the member that you change", http.StatusPreconditionRequired)
		return
	}
	seen, err := revision.ParseETag(r.Header.Get("If-Match"))
	if err != nil {
		fail(w, r, err)
		return
	}
	member, err := s.Members.SetRole(r.Context(), TeamID(r.PathValue("team")), MemberID(r.PathValue("id")), seen, body.Role)
	if err != nil {
		fail(w, r, err)
		return
	}
	reply(w, http.StatusOK, member)
}

func (s *Server) leave(w http.ResponseWriter, r *http.Request) {
	if err := s.Members.Leave(r.Context(), TeamID(r.PathValue("team")), MemberID(r.PathValue("id"))); err != nil {
		fail(w, r, err)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

// fail logs an error and sends its status. The library's texts hold no key values and no item data, but they name tables:
// they are for the log.
func fail(w http.ResponseWriter, r *http.Request, err error) {
	status, text := statusOf(err)
	if status >= http.StatusInternalServerError {
		slog.ErrorContext(r.Context(), "request failed", "path", r.Pattern, "error", err)
	}
	if status == http.StatusServiceUnavailable {
		w.Header().Set("Retry-After", "1")
	}
	http.Error(w, text, status)
}

// statusOf maps errors to HTTP. The order matters: an error can match several.
func statusOf(err error) (int, string) {
	switch {
	case errors.Is(err, ddb.ErrOutcomeUnknown):
		return http.StatusServiceUnavailable, "it is not known whether this was done; send it again with the same Idempotency-Key or ETag"
	case errors.Is(err, unique.ErrTaken):
		return http.StatusConflict, "this address is taken"
	case errors.Is(err, ErrKeyReused):
		return http.StatusUnprocessableEntity, ErrKeyReused.Error()
	case errors.Is(err, ddb.ErrNotFound):
		return http.StatusNotFound, "no such member"
	case errors.Is(err, ddb.ErrConditionFailed):
		return http.StatusPreconditionFailed, "somebody else has changed it; read it again"
	case errors.Is(err, ddb.ErrBadCursor):
		return http.StatusBadRequest, "this page is no longer there; start from the first one"
	case errors.Is(err, ddb.ErrItemTooLarge):
		return http.StatusRequestEntityTooLarge, "this is more than can be stored"
	case errors.Is(err, ddb.ErrInvalid):
		return http.StatusBadRequest, "the request cannot be carried out as it is"
	case errors.Is(err, ddb.ErrThrottled), ddb.IsRetryable(err):
		return http.StatusServiceUnavailable, "try again later"
	}
	return http.StatusInternalServerError, "internal error"
}

// reply writes a member with its entity tag.
func reply(w http.ResponseWriter, status int, m Member) {
	w.Header().Set("ETag", m.Revision.ETag())
	writeJSON(w, status, m)
}

func writeJSON(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	if err := json.NewEncoder(w).Encode(v); err != nil {
		slog.Debug("the client has gone", "error", err)
	}
}
