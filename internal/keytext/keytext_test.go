// SPDX-License-Identifier: Apache-2.0

package keytext_test

import (
	"bytes"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/dynamotable/ddb/internal/keytext"
)

func TestEscape(t *testing.T) {
	t.Parallel()
	text := rapid.StringOfN(rapid.RuneFrom([]rune("\x00 #$%@Adeü")), 0, 12, -1)
	rapid.Check(t, func(t *rapid.T) {
		a, b := text.Draw(t, "a"), text.Draw(t, "b")
		ea, err1 := keytext.AppendEscaped(nil, a)
		eb, err2 := keytext.AppendEscaped(nil, b)
		if err1 != nil || err2 != nil {
			t.Fatal(err1, err2)
		}
		if bytes.ContainsRune(ea, keytext.Delimiter) {
			t.Errorf("%q is written as %q", a, ea)
		}
		if back, err := keytext.Unescape(string(ea)); err != nil || back != a {
			t.Errorf("%q is read back as %q, %v", a, back, err)
		}
		if strings.Compare(a, b) != bytes.Compare(ea, eb) {
			t.Errorf("%q and %q sort as %q and %q do not", a, b, ea, eb)
		}
		// Fields keep their order when another field follows.
		if a < b && !strings.HasPrefix(b, a) && string(ea)+"#z" > string(eb)+"#a" {
			t.Errorf("%q and %q with another field after them", a, b)
		}
	})
}

func TestRefused(t *testing.T) {
	t.Parallel()
	if _, err := keytext.AppendEscaped(nil, "a\xff"); err == nil {
		t.Error("text that is not UTF-8 was written")
	}
	for _, text := range []string{"#", " ", "$", "a$", "$e", "$?", "\xff", "$\x00"} {
		if plain, err := keytext.Unescape(text); err == nil {
			t.Errorf("%q was read as %q", text, plain)
		}
	}
}
