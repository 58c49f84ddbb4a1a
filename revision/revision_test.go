// SPDX-License-Identifier: Apache-2.0

package revision_test

import (
	"encoding/json"
	"errors"
	"testing"

	"pgregory.net/rapid"

	"github.com/dynamotable/ddb/ddberr"
	"github.com/dynamotable/ddb/revision"
)

// revisions draws revisions of stored items.
var revisions = rapid.Custom(func(t *rapid.T) (r revision.Revision) {
	r.Number = rapid.Uint64Min(1).Draw(t, "number")
	for i := range r.Tags[:rapid.IntRange(1, len(r.Tags)).Draw(t, "tags")] {
		copy(r.Tags[i][:], rapid.SliceOfN(rapid.Byte(), 8, 8).Draw(t, "tag"))
		r.Tags[i][0] |= 1 // no tag is zero
	}
	return r
})

// TestForms: each text form names the state that it was made from, and only it.
func TestForms(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		r, other := revisions.Draw(t, "revision"), revisions.Draw(t, "other")
		parsed, err := revision.ParseETag(r.ETag())
		if err != nil || !parsed.Same(r) || parsed.Same(other) != (r.Number == other.Number && r.Tags[0] == other.Tags[0]) {
			t.Fatalf("%s: %v, %v", r.ETag(), parsed, err)
		}
		var decoded revision.Revision
		encoded, err := json.Marshal(r)
		if err != nil || json.Unmarshal(encoded, &decoded) != nil || !decoded.Same(r) || decoded.IsZero() {
			t.Fatalf("%s: %v, %v", encoded, decoded, err)
		}
	})
}

// TestZero: the revision of an item that was never stored is empty in each form, and is no entity tag.
func TestZero(t *testing.T) {
	t.Parallel()
	var zero, decoded revision.Revision
	if !zero.IsZero() || zero.String() != "" || zero.ETag() != "" {
		t.Errorf("%q, %q", zero, zero.ETag())
	}
	if err := decoded.UnmarshalText(nil); err != nil || !decoded.IsZero() {
		t.Errorf("%v, %v", decoded, err)
	}
	if err := (*revision.Revision)(nil).UnmarshalText([]byte("1-AQAAAAAAAAA")); err == nil {
		t.Error("a nil revision is decoded into")
	}
}

// TestNoEntityTag: what does not name one state is refused, and nothing of it is in the error.
func TestNoEntityTag(t *testing.T) {
	t.Parallel()
	const good = `"12-AQAAAAAAAAA"`
	if _, err := revision.ParseETag("  " + good + " "); err != nil {
		t.Fatal(err)
	}
	for _, tag := range []string{
		"", `"`, `""`, "*", "12-AQAAAAAAAAA", `W/` + good, good + ", " + good, `"0-AQAAAAAAAAA"`, `"-1-AQAAAAAAAAA"`, `"12"`, `"12-"`, `"12-AAAAAAAAAAA"`,
		`"12-AQAAAAAAAA"`, `"12-AQAAAAAAAAAA"`, `"x-AQAAAAAAAAA"`, `"12-AQAAAAA AAA"`, `"18446744073709551616-AQAAAAAAAAA"`,
	} {
		r, err := revision.ParseETag(tag)
		if !errors.Is(err, ddberr.ErrInvalid) || !r.IsZero() || r.Number != 0 {
			t.Errorf("%s: %v, %v", tag, r, err)
		}
	}
}
