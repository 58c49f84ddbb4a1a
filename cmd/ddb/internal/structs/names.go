// SPDX-License-Identifier: Apache-2.0

package structs

import (
	"go/token"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// names is a set of names that are in use.
type names map[string]bool

// unique returns the name, with a number if it is in use.
func (n names) unique(name string) string {
	candidate := name
	for i := 2; n[candidate]; i++ {
		candidate = name + strconv.Itoa(i)
	}
	n[candidate] = true
	return candidate
}

// nameable reports whether a struct tag can contain the attribute name.
func nameable(attr string) bool {
	return attr != "" && attr != "-" && !strings.Contains(attr, ",") && utf8.ValidString(attr)
}

var initialisms = strings.Fields("ACL API ARN ASCII AWS CPU CSS DNS EOF GUID HTML HTTP HTTPS ID IP JSON PK QPS RAM RPC SK SKU SLA SMTP SQL SSH TCP TLS TTL UDP UI UID URI URL UTF8 UUID VM XML")

// identifier returns an exported Go name for an attribute: CustomerID for customer_id, customerId and CUSTOMER-ID.
func identifier(attr string) string {
	var words []string
	var word []rune
	flush := func() {
		if len(word) > 0 {
			words = append(words, string(word))
			word = nil
		}
	}
	runes := []rune(attr)
	for i, r := range runes {
		switch {
		case !unicode.IsLetter(r) && !unicode.IsDigit(r):
			flush()
			continue
		case unicode.IsUpper(r) && i > 0 && (unicode.IsLower(runes[i-1]) || i+1 < len(runes) && unicode.IsLower(runes[i+1])):
			flush()
		}
		word = append(word, r)
	}
	flush()
	var name strings.Builder
	for _, w := range words {
		if upper := strings.ToUpper(w); slices.Contains(initialisms, upper) {
			name.WriteString(upper)
			continue
		}
		rs := []rune(strings.ToLower(w))
		rs[0] = unicode.ToUpper(rs[0])
		name.WriteString(string(rs))
	}
	out := name.String()
	if first, _ := utf8.DecodeRuneInString(out); !unicode.IsUpper(first) {
		out = "X" + out
	}
	if !token.IsIdentifier(out) {
		return "X"
	}
	return out
}

// singular returns the name of one element of a list: Order for orders.
func singular(name string) string {
	for _, s := range [][2]string{{"ies", "y"}, {"sses", "ss"}, {"xes", "x"}} {
		if strings.HasSuffix(name, s[0]) && len(name) > len(s[0])+1 {
			return strings.TrimSuffix(name, s[0]) + s[1]
		}
	}
	if strings.HasSuffix(name, "s") && !strings.HasSuffix(name, "ss") && !strings.HasSuffix(name, "us") && len(name) > 2 {
		return strings.TrimSuffix(name, "s")
	}
	return name
}
