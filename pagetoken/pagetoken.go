// SPDX-License-Identifier: Apache-2.0

// Package pagetoken turns cursors into opaque tokens that are safe to send to clients, and back.
package pagetoken

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/dynamotable/ddb"
	"github.com/dynamotable/ddb/internal/core"
	"github.com/dynamotable/ddb/internal/cursor"
	"github.com/dynamotable/ddb/internal/quiet"
)

// Sealer turns cursors into tokens that are safe to send to clients; [Open] turns them back. A
// token reveals nothing about keys. It opens only for the query that it was
// made for, and for the tenant and until the time given to [Sealer.Seal].
// For any other token the error is [ddb.ErrBadCursor]: clients can neither make nor change tokens.
//
//	token, err := tokens.Seal(page.Next, pagetoken.ForTenant(tenant), pagetoken.ValidFor(time.Hour))
//	// ... and when it comes back:
//	cursor, err := pagetoken.Open(tokens, q, token, pagetoken.ForTenant(tenant))
//	page, err := q.After(cursor).Page(ctx)
//
// The first key seals, all of them open. To rotate, first give all processes the new key after
// the old one, then put it first, and remove the old one when its tokens have expired.
//
// A Sealer cannot be changed and is safe for concurrent use. Each token is encrypted with AES-256-GCM
// with its own key, which is derived from the secret by HKDF-SHA-256 and 16 random bytes,
// so that one secret is enough for any number of tokens.
type Sealer struct {
	keys   []Key
	failed error // of New; every method returns it
}

// Key is a secret of a [Sealer]. Printing it shows only the ID.
type Key struct {
	// ID identifies the key: 1 to 32 bytes, readable in every token. An ID must never
	// be reused for another secret.
	ID string
	// Secret is 32 random bytes, from a secret manager; never a password, and never in a repository.
	Secret []byte `json:"-"`
}

const (
	tokenSealed     = 2 // the version; 1 is the readable text of a cursor
	tokenSaltSize   = 16
	tokenTimeSize   = 8
	tokenSecretSize = 32
	maxTokenKeyID   = 32
	maxTokenText    = 4 << 10
	tokenValidity   = 24 * time.Hour
	maxValidity     = 100 * 365 * 24 * time.Hour // what is added to the time must not overflow
)

// New makes tokens with a ring of keys. Every mistake in the keys is
// reported in one [ddb.InvalidError].
func New(keys ...Key) (*Sealer, error) {
	var errs []error
	if len(keys) == 0 {
		errs = append(errs, errNoTokenKey)
	}
	seen := map[string]bool{}
	s := &Sealer{keys: make([]Key, len(keys))}
	for i, k := range keys {
		switch {
		case k.ID == "" || len(k.ID) > maxTokenKeyID:
			errs = append(errs, fmt.Errorf("key %d of page tokens: its ID has %d bytes: must be 1 to %d", i, len(k.ID), maxTokenKeyID))
		case seen[k.ID]:
			errs = append(errs, fmt.Errorf("key %d of page tokens: the ID %q is given twice", i, k.ID))
		}
		if len(k.Secret) != tokenSecretSize {
			errs = append(errs, fmt.Errorf("key %d of page tokens: its secret has %d bytes: must be %d", i, len(k.Secret), tokenSecretSize))
		}
		seen[k.ID] = true
		s.keys[i] = Key{k.ID, append([]byte(nil), k.Secret...)}
	}
	if err := invalid(errs...); err != nil {
		err = opError(core.CursorTerms{}, "New", err)
		return &Sealer{failed: err}, err
	}
	return s, nil
}

var errNoTokenKey = errors.New("page tokens without a key; make them with pagetoken.New")

// Cursor is a [ddb.Cursor] of any type.
type Cursor interface {
	Position() *cursor.Position
}

// Option is an option of [Sealer.Seal]: [ForTenant] or [ValidFor].
type Option interface{ apply(o *terms) }

// Binding binds tokens to something other than their query; see [ForTenant].
type Binding struct{ tenant string }

func (b Binding) apply(o *terms) { o.bind(b) }

// ForTenant binds a token to its holder: a tenant, a user or a session. Open must be given the
// same one. Take it from the request's authentication, never from client input.
// The empty text is refused, because it binds to nothing.
func ForTenant(id string) Binding { return Binding{id} }

type validFor time.Duration

func (v validFor) apply(o *terms) {
	o.valid = time.Duration(v)
	if v <= 0 || o.valid > maxValidity {
		o.errs = append(o.errs, fmt.Errorf("a page token that is valid for %v: it must be more than 0, and at most %v", time.Duration(v), maxValidity))
	}
}

// ValidFor sets how long a token is valid, instead of 24 hours; it is rounded up to whole seconds.
// It must be positive and at most 100 years of 365 days.
func ValidFor(d time.Duration) Option { return validFor(d) }

// terms are the values of the options.
type terms struct {
	bound  bool
	tenant string
	valid  time.Duration
	errs   []error
}

func (o *terms) bind(b Binding) {
	switch {
	case b.tenant == "":
		o.errs = append(o.errs, errors.New("a page token for a tenant without a name"))
	case o.bound:
		o.errs = append(o.errs, errors.New("a page token for two tenants"))
	}
	o.bound, o.tenant = true, b.tenant
}

// Seal returns the token of a cursor, usually Next or Prev of a page. It is URL-safe text of at
// most 4 KB, and empty for the zero cursor, which is the end. It has some 80 characters, and
// 4 for each 3 bytes of keys. For keys of more than 2,900 bytes, which do not fit, and for invalid options the
// error is a [ddb.InvalidError].
func (s *Sealer) Seal(c Cursor, opts ...Option) (string, error) {
	with := terms{valid: tokenValidity}
	for _, o := range opts {
		if o == nil {
			with.errs = append(with.errs, errors.New("an option is nil"))
			continue
		}
		o.apply(&with)
	}
	var at core.CursorTerms
	var position []byte
	if c != nil {
		at, position = core.PartsOf(c.Position())
	}
	key, err := s.first()
	if err := invalid(append(with.errs, err)...); err != nil {
		return "", opError(at, "Seal", err)
	}
	if position == nil {
		return "", nil
	}
	h := header{id: key.ID, expires: time.Now().Add(with.valid + time.Second - 1).Unix()}
	_, _ = rand.Read(h.salt[:]) // never fails
	aead, err := key.aead(h.salt)
	if err != nil {
		return "", opError(at, "Seal", err)
	}
	head := h.append(nil)
	sealed := aead.Seal(head, nil, position, bound(at, head, with)) //nolint:gosec // this cipher makes its nonces itself, and takes none
	token := cursor.Text.EncodeToString(sealed)
	if len(token) > maxTokenText {
		return "", opError(at, "Seal", invalid(fmt.Errorf("keys too long for a page token: it has %d characters, at most %d are allowed", len(token), maxTokenText)))
	}
	return token, nil
}

// first returns the key that seals.
func (s *Sealer) first() (Key, error) {
	switch {
	case s != nil && s.failed != nil:
		return Key{}, s.failed
	case s == nil || len(s.keys) == 0:
		return Key{}, errNoTokenKey
	}
	return s.keys[0], nil
}

// Open returns the cursor that was sealed in a token, for the same query (limit and projection
// may differ) and the same bindings. For the empty token it returns the zero cursor, which is the
// beginning. If a token does not open, the error is [ddb.ErrBadCursor], whatever the reason;
// for an invalid query or binding it is a [ddb.InvalidError].
func Open[T any](s *Sealer, q ddb.Paged[T], token string, bindings ...Binding) (ddb.Cursor[T], error) {
	if q == nil {
		return ddb.Cursor[T]{}, opError(core.CursorTerms{}, "Open", invalid(errors.New("the query is nil")))
	}
	at, err := core.CursorFrom("pagetoken.Open", q.Paged(nil), s.open(token, bindings))
	return ddb.Cursor[T](cursor.Of(at)), err
}

// open returns the key in a token for a query with these terms.
func (s *Sealer) open(token string, bindings []Binding) func(core.CursorTerms) ([]byte, error) {
	return func(at core.CursorTerms) ([]byte, error) {
		var o terms
		for _, b := range bindings {
			o.bind(b)
		}
		if _, err := s.first(); err != nil {
			o.errs = append(o.errs, err)
		}
		if err := invalid(o.errs...); err != nil {
			return nil, opError(at, "Open", err)
		}
		if token == "" {
			return nil, nil
		}
		key, ok := s.unseal(at, token, o)
		if !ok {
			return nil, opError(at, "Open", errToken)
		}
		return key, nil
	}
}

var errToken = fmt.Errorf("%w: the page token is damaged, has expired, or was sealed with another key, or for another query or tenant", ddb.ErrBadCursor)

// unseal returns the key in a token that was sealed for a position with these terms.
func (s *Sealer) unseal(at core.CursorTerms, token string, with terms) ([]byte, bool) {
	if len(token) > maxTokenText || strings.ContainsAny(token, "\r\n") { // base64 skips line ends, strict or not
		return nil, false
	}
	b, err := cursor.Text.DecodeString(token)
	if err != nil {
		return nil, false
	}
	h, size, ok := cutHeader(b)
	if !ok {
		return nil, false
	}
	for _, key := range s.keys {
		if key.ID != h.id {
			continue
		}
		aead, err := key.aead(h.salt)
		if err != nil {
			return nil, false
		}
		plain, err := aead.Open(nil, nil, b[size:], bound(at, b[:size], with))
		return plain, err == nil && plain != nil && time.Now().Unix() < h.expires
	}
	return nil, false
}

// bound returns what a token is bound to: its header, and what both sides know without it.
// The direction is part of the query's hash.
func bound(at core.CursorTerms, header []byte, with terms) []byte {
	b := cursor.Append(nil, header)
	b = cursor.Append(b, at.Table)
	b = cursor.Append(b, at.Index)
	b = cursor.Append(b, at.Query[:])
	if !with.bound {
		return append(b, 0)
	}
	return cursor.Append(append(b, 1), with.tenant)
}

// aead returns the cipher of one token.
func (k Key) aead(salt [tokenSaltSize]byte) (cipher.AEAD, error) {
	secret, err := hkdf.Key(sha256.New, k.Secret, salt[:], "ddb page token", tokenSecretSize)
	if err != nil {
		return nil, err
	}
	block, err := aes.NewCipher(secret)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCMWithRandomNonce(block)
}

// header is the readable part of a token.
type header struct {
	id      string
	salt    [tokenSaltSize]byte
	expires int64 // seconds since 1970
}

func (h header) append(b []byte) []byte {
	b = cursor.Append(append(b, tokenSealed), h.id)
	b = append(b, h.salt[:]...)
	return binary.BigEndian.AppendUint64(b, uint64(h.expires))
}

func cutHeader(b []byte) (h header, size int, ok bool) {
	if len(b) == 0 || b[0] != tokenSealed {
		return h, 0, false
	}
	id, rest, ok := cursor.Cut(b[1:])
	if !ok || len(rest) < tokenSaltSize+tokenTimeSize {
		return h, 0, false
	}
	h.id = string(id)
	rest = rest[copy(h.salt[:], rest):]
	h.expires = int64(binary.BigEndian.Uint64(rest))
	return h, len(b) - len(rest) + tokenTimeSize, true
}

// opError returns the error of an operation, with the table and index of a cursor.
func opError(at core.CursorTerms, op string, err error) error {
	return &ddb.OpError{Op: "pagetoken." + op, Table: at.Table, Index: at.Index, Err: err}
}

// invalid combines non-nil errors into one; nil if there are none.
func invalid(errs ...error) error {
	var all []error
	for _, err := range errs {
		if err != nil {
			all = append(all, err)
		}
	}
	if len(all) == 0 {
		return nil
	}
	return &ddb.InvalidError{Problems: all}
}

// Format prints the IDs of the keys, for every verb.
func (s *Sealer) Format(f fmt.State, verb rune) { quiet.Format(f, verb, s.text()) }

// LogValue returns the text that Format prints.
func (s *Sealer) LogValue() slog.Value { return slog.StringValue(s.text()) }

func (s *Sealer) text() string {
	if s == nil {
		return "Sealer()"
	}
	ids := make([]string, len(s.keys))
	for i, k := range s.keys {
		ids[i] = k.ID
	}
	return "Sealer(" + strings.Join(ids, ", ") + ")"
}

// Format prints the ID, for every verb.
func (k Key) Format(f fmt.State, verb rune) { quiet.Format(f, verb, "Key("+k.ID+")") }

// LogValue returns the text that Format prints.
func (k Key) LogValue() slog.Value { return slog.StringValue("Key(" + k.ID + ")") }

// Format prints that there is a binding, without its holder, for every verb.
func (b Binding) Format(f fmt.State, verb rune) { quiet.Format(f, verb, "Binding") }
