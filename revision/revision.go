// SPDX-License-Identifier: Apache-2.0

// Package revision identifies the states of an item, so that a write applies only to the state that it was prepared on. A table with an
// attribute of type [Revision] (see ddb.Version) proves what a write did whose reply was lost. The revision is also an entity tag for HTTP:
//
//	w.Header().Set("ETag", account.Revision.ETag())           // the answer to GET
//	seen, err := revision.ParseETag(r.Header.Get("If-Match")) // the next request to change it
//	account, err = accounts.Update(ctx, id, accountOwner.Set(name), ddb.If(accountRevision.Eq(seen)))
package revision

import (
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/dynamotable/ddb/ddberr"
)

// revisionTags is the number of writes that a revision records. If more writes of others happen between a write and the
// proof of its outcome, the outcome is unknown.
const revisionTags = 16

// Tag is a random number that identifies one write.
type Tag [8]byte

// Revision identifies one state of one item: how often it was written, and the tags of its last 16 writes. Add an attribute
// of this type to a table by ddb.Version, and every write compares and swaps it:
//
//	type Account struct {
//		ID       string       `dynamodbav:"id"`
//		Balance  int64        `dynamodbav:"balance"`
//		Revision ddb.Revision `dynamodbav:"revision"`
//	}
//
// The tags make it stronger than a number. A number starts at one again when an item is deleted and created again; a random
// tag never repeats, so no write reaches another item than the one that it was prepared on. And a write whose reply was lost
// finds its own tag in the stored item, or finds that another write took its place.
//
// The zero Revision is that of an item that was never stored. Compare revisions with [Revision.Same]. JSON encodes a
// Revision as text, and [Revision.ETag] returns it as an entity tag for HTTP. These forms have the number and the newest
// tag, which is all that a condition needs.
//
// It is stored as a map of a number n, a list t of 16 binary values and a binary value f, in 170 bytes plus the attribute's
// name. The fields are exported for the encoder; only tables write them.
type Revision struct {
	Number uint64            `dynamodbav:"n"` // how often the item was written
	Tags   [revisionTags]Tag `dynamodbav:"t"` // of the last writes, newest first
	First  Tag               `dynamodbav:"f"` // of the very first write, zero if it is not known
}

// IsZero reports whether the item was never stored, or has no revision.
func (r Revision) IsZero() bool { return r.Tags[0] == Tag{} }

// Same reports whether both identify the same state of the same item. A Revision parsed from text is the same as the one
// that the text was made from.
func (r Revision) Same(other Revision) bool {
	return r.Number == other.Number && r.Tags[0] == other.Tags[0]
}

// String returns the text form, such as "12-q6mSx1Rk2nE": the number and the newest tag. It is empty for the zero Revision.
// It contains no data of the item.
func (r Revision) String() string {
	if r.IsZero() {
		return ""
	}
	return strconv.FormatUint(r.Number, 10) + "-" + base64.RawURLEncoding.EncodeToString(r.Tags[0][:])
}

// MarshalText returns the text form, which encoding/json uses.
func (r Revision) MarshalText() ([]byte, error) { return []byte(r.String()), nil }

// UnmarshalText reads the text form.
func (r *Revision) UnmarshalText(text []byte) error {
	if r == nil {
		return errors.New("revision: UnmarshalText into a nil Revision")
	}
	*r = Revision{}
	if len(text) == 0 {
		return nil
	}
	number, tag, ok := strings.Cut(string(text), "-")
	n, err := strconv.ParseUint(number, 10, 64)
	data, err2 := base64.RawURLEncoding.DecodeString(tag)
	if !ok || err != nil || err2 != nil || n == 0 || len(data) != len(Tag{}) || [len(Tag{})]byte(data) == (Tag{}) {
		return errBadRevision
	}
	r.Number, r.Tags[0] = n, Tag(data)
	return nil
}

var errBadRevision = fmt.Errorf("%w: not a revision; it must be the text of a Revision, such as 12-q6mSx1Rk2nE", ddberr.ErrInvalid)

// ETag returns the revision as a strong entity tag for the HTTP header ETag: the text form in quotes. It is empty for the
// zero Revision.
//
// https://www.rfc-editor.org/rfc/rfc9110#name-etag
func (r Revision) ETag() string {
	if r.IsZero() {
		return ""
	}
	return `"` + r.String() + `"`
}

// ParseETag parses an entity tag made by [Revision.ETag], as a client sends it in If-Match:
//
//	rev, err := revision.ParseETag(req.Header.Get("If-Match"))
//	...
//	account, err := accounts.Update(ctx, id, accountOwner.Set(name), ddb.If(accountRevision.Eq(rev)))
//
// A weak tag, a list of tags and * are refused with an error that matches ddb.ErrInvalid, since they do not identify one state.
//
// https://www.rfc-editor.org/rfc/rfc9110#name-if-match
func ParseETag(tag string) (Revision, error) {
	tag = strings.TrimSpace(tag)
	if len(tag) < 2 || tag[0] != '"' || tag[len(tag)-1] != '"' {
		return Revision{}, errBadRevision
	}
	var r Revision
	if err := r.UnmarshalText([]byte(tag[1 : len(tag)-1])); err != nil || r.IsZero() {
		return Revision{}, errBadRevision
	}
	return r, nil
}
