// SPDX-License-Identifier: Apache-2.0

package ddb

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/dynamotable/ddb/internal/tablename"
)

// PageTokens turns cursors into tokens that can be given to anybody, and back. A
// token tells its holder nothing about keys, and opens only for the query that it was
// made for, for the tenant and until the time that [PageTokens.Seal] was given.
// Whatever else comes back is [ErrBadCursor]: nobody can make or change a token.
//
//	token, err := tokens.Seal(page.Next, ddb.ForTenant(tenant), ddb.ValidFor(time.Hour))
//	// ... and when it comes back:
//	cursor, err := ddb.OpenToken(tokens, q, token, ddb.ForTenant(tenant))
//	page, err := q.After(cursor).Page(ctx)
//
// The first key seals, all of them open. To rotate, give a new key to all processes behind
// the old one, then put it first, and take the old one away when its tokens have expired.
//
// A PageTokens cannot be changed and is safe for concurrent use. Tokens are AES-256-GCM
// under a key of their own, derived from the secret by HKDF-SHA-256 and 16 random bytes,
// so that one secret is good for any number of them.
type PageTokens struct {
	keys   []TokenKey
	failed error // of NewPageTokens; every call returns it
}

// TokenKey is a secret of a [PageTokens]. Printing it shows the ID alone.
type TokenKey struct {
	// ID tells keys apart: 1 to 32 bytes, readable in every token. An ID must never
	// be given to another secret.
	ID string
	// Secret is 32 random bytes, from a secret manager; never a password, and never in a repository.
	Secret []byte `json:"-"`
}

const (
	tokenSealed     = 2 // the version, beside cursorPlain
	tokenSaltSize   = 16
	tokenTimeSize   = 8
	tokenSecretSize = 32
	maxTokenKeyID   = 32
	maxTokenText    = 4 << 10
	tokenValidity   = 24 * time.Hour
	maxValidity     = 100 * 365 * 24 * time.Hour // what is added to the time must not overflow
)

// NewPageTokens makes tokens with a ring of keys. Every mistake in the keys is
// reported in one [InvalidError].
func NewPageTokens(keys ...TokenKey) (*PageTokens, error) {
	var errs []error
	if len(keys) == 0 {
		errs = append(errs, errNoTokenKey)
	}
	seen := map[string]bool{}
	p := &PageTokens{keys: make([]TokenKey, len(keys))}
	for i, k := range keys {
		switch {
		case k.ID == "" || len(k.ID) > maxTokenKeyID:
			errs = append(errs, fmt.Errorf("key %d of page tokens: its ID has %d bytes: must be 1 to %d", i, len(k.ID), maxTokenKeyID))
		case seen[k.ID]:
			errs = append(errs, fmt.Errorf("key %d of page tokens: the ID %q stands twice", i, k.ID))
		}
		if len(k.Secret) != tokenSecretSize {
			errs = append(errs, fmt.Errorf("key %d of page tokens: its secret has %d bytes: must be %d", i, len(k.Secret), tokenSecretSize))
		}
		seen[k.ID] = true
		p.keys[i] = TokenKey{k.ID, append([]byte(nil), k.Secret...)}
	}
	if err := invalid(errs...); err != nil {
		err = opError("NewPageTokens", "", "", err)
		return &PageTokens{failed: err}, err
	}
	return p, nil
}

var errNoTokenKey = errors.New("page tokens without a key; make them by NewPageTokens")

// AnyCursor is a [Cursor] of any type.
type AnyCursor interface{ sealing() *position }

func (c CursorOf[P]) sealing() *position { return c.at }

// SealOption is [ForTenant] or [ValidFor].
type SealOption interface{ seal(s *tokenTerms) }

// TokenBinding binds tokens to something else than their query: see [ForTenant].
type TokenBinding struct{ tenant string }

func (b TokenBinding) seal(s *tokenTerms) { s.bind(b) }

// ForTenant binds a token to whom it was given: a tenant, a user, a session. Who opens
// it must name the same, and take it from the request's authentication, never from the
// token's holder. The empty text is refused, since it binds to nobody.
func ForTenant(id string) TokenBinding { return TokenBinding{id} }

type validFor time.Duration

func (v validFor) seal(s *tokenTerms) {
	s.valid = time.Duration(v)
	if v <= 0 || s.valid > maxValidity {
		s.errs = append(s.errs, fmt.Errorf("a page token that is valid for %v: it must be more than 0, and at most %v", time.Duration(v), maxValidity))
	}
}

// ValidFor is how long a token opens, in place of 24 hours; it is rounded up to whole seconds.
// Nothing and less, and more than 100 years of 365 days, are refused.
func ValidFor(d time.Duration) SealOption { return validFor(d) }

// tokenTerms is what options say.
type tokenTerms struct {
	bound  bool
	tenant string
	valid  time.Duration
	errs   []error
}

func (s *tokenTerms) bind(b TokenBinding) {
	switch {
	case b.tenant == "":
		s.errs = append(s.errs, errors.New("a page token for a tenant without a name"))
	case s.bound:
		s.errs = append(s.errs, errors.New("a page token for two tenants"))
	}
	s.bound, s.tenant = true, b.tenant
}

// Seal is the token of a cursor, usually [Page.Next] or [Page.Prev]: URL-safe text of at
// most 4 KB, and empty for the zero Cursor, which is the end. It has some 80 characters, and
// 4 for each 3 bytes of keys. Keys of more than 2,900 bytes do not fit and are an
// [InvalidError], as are options that cannot be.
func (p *PageTokens) Seal(c AnyCursor, opts ...SealOption) (string, error) {
	s := tokenTerms{valid: tokenValidity}
	for _, o := range opts {
		if o == nil {
			s.errs = append(s.errs, errors.New("an option is nil"))
			continue
		}
		o.seal(&s)
	}
	at := &position{}
	if c != nil && c.sealing() != nil {
		at = c.sealing()
	}
	key, err := p.sealer()
	if err := invalid(append(s.errs, err)...); err != nil {
		return "", opError("Seal", at.table, at.index, err)
	}
	if at.key == nil {
		return "", nil
	}
	h := tokenHeader{id: key.ID, expires: time.Now().Add(s.valid + time.Second - 1).Unix()}
	_, _ = rand.Read(h.salt[:]) // never fails
	aead, err := key.aead(h.salt)
	if err != nil {
		return "", opError("Seal", at.table, at.index, err)
	}
	head := h.append(nil)
	sealed := aead.Seal(head, nil, at.appendKey(nil), at.terms(head, s)) //nolint:gosec // this cipher makes its nonces itself, and takes none
	token := cursorText.EncodeToString(sealed)
	if len(token) > maxTokenText {
		return "", opError("Seal", at.table, at.index, invalid(fmt.Errorf("keys too long for a page token: it has %d characters, of %d that are allowed", len(token), maxTokenText)))
	}
	return token, nil
}

func (p *PageTokens) sealer() (TokenKey, error) {
	switch {
	case p != nil && p.failed != nil:
		return TokenKey{}, p.failed
	case p == nil || len(p.keys) == 0:
		return TokenKey{}, errNoTokenKey
	}
	return p.keys[0], nil
}

// Paged is a query or scan that gives pages of T: [Query], [IndexQuery], [Scan],
// [IndexScan] or [Reader].
type Paged[T any] interface{ paged(*T) *read }

func (q *Query[T, SK]) paged(*T) *read      { return (*read)(q) }
func (q *IndexQuery[T, SK]) paged(*T) *read { return (*read)(q) }
func (s *Scan[T]) paged(*T) *read           { return (*read)(s) }
func (s *IndexScan[T]) paged(*T) *read      { return (*read)(s) }
func (v *Reader[V]) paged(*V) *read         { return (*read)(v) }

// OpenToken is the cursor that was sealed in a token, for the same query (limit and projection
// may differ) and the same bindings. The empty token is the zero Cursor, the
// beginning. Every token that does not open, for whatever reason, is the same [ErrBadCursor];
// a query or binding that is wrong in itself is an [InvalidError].
func OpenToken[T any](p *PageTokens, q Paged[T], token string, bindings ...TokenBinding) (Cursor[T], error) {
	if q == nil {
		return Cursor[T]{}, opError("OpenToken", "", "", invalid(errors.New("the query is nil")))
	}
	at, err := openToken(p, q.paged(nil), token, bindings)
	return Cursor[T]{at}, err
}

func openToken(p *PageTokens, r *read, token string, bindings []TokenBinding) (*position, error) {
	var s tokenTerms
	for _, b := range bindings {
		s.bind(b)
	}
	r = r.from(nil).until(nil)
	at, err := p.open(r, token, s)
	if err != nil {
		return nil, opError("OpenToken", r.core.label(), r.index.label(), err)
	}
	return at, nil
}

func (p *PageTokens) open(r *read, token string, s tokenTerms) (*position, error) {
	if _, err := p.sealer(); err != nil {
		s.errs = append(s.errs, err)
	}
	if err := invalid(s.errs...); err != nil {
		return nil, err
	}
	t, err := r.text()
	if err != nil || token == "" {
		return nil, err
	}
	at := &position{table: tablename.Short(r.core.name), index: r.index.label(), query: t.fingerprint(), start: t.start}
	key, ok := p.unseal(at, token, s)
	if !ok {
		return nil, errToken
	}
	at.key = key
	// A second wall: the partition key must be the query's, whoever sealed the token.
	if at.check(r, t) != nil {
		return nil, errToken
	}
	return at, nil
}

var errToken = fmt.Errorf("%w: the page token is damaged, has expired, or was sealed with another key, or for another query or tenant", ErrBadCursor)

// unseal is the key in a token that was sealed for a position of these terms.
func (p *PageTokens) unseal(at *position, token string, s tokenTerms) (map[string]types.AttributeValue, bool) {
	if len(token) > maxTokenText || strings.ContainsAny(token, "\r\n") { // base64 passes over line ends, strict or not
		return nil, false
	}
	b, err := cursorText.DecodeString(token)
	if err != nil {
		return nil, false
	}
	h, size, ok := cutTokenHeader(b)
	if !ok {
		return nil, false
	}
	for _, key := range p.keys {
		if key.ID != h.id {
			continue
		}
		aead, err := key.aead(h.salt)
		if err != nil {
			return nil, false
		}
		plain, err := aead.Open(nil, nil, b[size:], at.terms(b[:size], s))
		if err != nil || time.Now().Unix() >= h.expires {
			return nil, false
		}
		return at.start.readKey(plain)
	}
	return nil, false
}

// terms is what a token is bound to: its header, and what both sides know without it.
// The direction is part of the query's fingerprint.
func (p *position) terms(header []byte, s tokenTerms) []byte {
	b := appendCursor(nil, header)
	b = appendCursor(b, p.table)
	b = appendCursor(b, p.index)
	b = appendCursor(b, p.query[:])
	if !s.bound {
		return append(b, 0)
	}
	return appendCursor(append(b, 1), s.tenant)
}

// aead is the cipher of one token.
func (k TokenKey) aead(salt [tokenSaltSize]byte) (cipher.AEAD, error) {
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

// tokenHeader is the readable part of a token.
type tokenHeader struct {
	id      string
	salt    [tokenSaltSize]byte
	expires int64 // seconds since 1970
}

func (h tokenHeader) append(b []byte) []byte {
	b = appendCursor(append(b, tokenSealed), h.id)
	b = append(b, h.salt[:]...)
	return binary.BigEndian.AppendUint64(b, uint64(h.expires))
}

func cutTokenHeader(b []byte) (h tokenHeader, size int, ok bool) {
	if len(b) == 0 || b[0] != tokenSealed {
		return h, 0, false
	}
	id, rest, ok := cutCursor(b[1:])
	if !ok || len(rest) < tokenSaltSize+tokenTimeSize {
		return h, 0, false
	}
	h.id = string(id)
	rest = rest[copy(h.salt[:], rest):]
	h.expires = int64(binary.BigEndian.Uint64(rest))
	return h, len(b) - len(rest) + tokenTimeSize, true
}
