// SPDX-License-Identifier: Apache-2.0

// Package goname derives names for generated code.
package goname

import "unicode"

// LowerFirst returns a name with its first word in lower case: order for Order, url for URL, urlList for URLList.
func LowerFirst(name string) string {
	runes := []rune(name)
	for i, r := range runes {
		if !unicode.IsUpper(r) || i > 0 && i+1 < len(runes) && unicode.IsLower(runes[i+1]) {
			break
		}
		runes[i] = unicode.ToLower(r)
	}
	return string(runes)
}
