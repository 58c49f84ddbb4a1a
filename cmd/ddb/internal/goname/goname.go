// SPDX-License-Identifier: Apache-2.0

// Package goname makes names for generated code.
package goname

import "unicode"

// LowerFirst makes the first word of a name lower case: order of Order, url of URL, urlList of URLList.
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
