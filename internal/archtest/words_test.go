// SPDX-License-Identifier: Apache-2.0

package archtest_test

import (
	"cmp"
	"go/scanner"
	"go/token"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// bannedWords are words that Go files used in a private sense, each with the usual term.
var bannedWords = map[string]string{
	"shape": "structure, info", "shapes": "structures",
	"attend": "begin", "attends": "begins",
	"judge": "check, prove", "judges": "checks", "judged": "checked", "judging": "checking",
	"verdict": "evidence, outcome", "verdicts": "outcomes",
	"settle": "charge, commit, catch up", "settles": "decides", "settled": "decided", "settling": "deciding",
	"passing": "transient",
}

// bannedNames are words that are allowed in prose, but not in unexported identifiers.
var bannedNames = map[string]string{"refused": "rejected, invalid, failed"}

// foreignWords are names of other packages.
var foreignWords = []string{"ShapeID"}

// bannedParts are the banned words that contain no other one. They are searched first, which is much faster.
var bannedParts = func() (parts []string) {
	all := slices.Sorted(maps.Keys(bannedWords))
	all = slices.AppendSeq(all, maps.Keys(bannedNames))
	for _, word := range all {
		if !slices.ContainsFunc(all, func(other string) bool { return other != word && strings.Contains(word, other) }) {
			parts = append(parts, word)
		}
	}
	return parts
}()

// mayBeBanned reports whether a text contains a banned word, perhaps as a part of others.
func mayBeBanned(text string) bool {
	text = strings.ToLower(text)
	return slices.ContainsFunc(bannedParts, func(part string) bool { return strings.Contains(text, part) })
}

var (
	letters  = regexp.MustCompile(`[A-Za-z]+`)
	nameWord = regexp.MustCompile(`[A-Z]+[a-z]*|[a-z]+`)
)

// bannedIn returns the banned words in the identifiers, comments and literals of a Go file.
func bannedIn(source string) (found []string) {
	if !mayBeBanned(source) {
		return nil
	}
	var s scanner.Scanner
	set := token.NewFileSet()
	s.Init(set.AddFile("", -1, len(source)), []byte(source), nil, scanner.ScanComments)
	for {
		_, tok, lit := s.Scan()
		if tok == token.EOF {
			return found
		}
		if !mayBeBanned(lit) {
			continue
		}
		for _, name := range letters.FindAllString(lit, -1) {
			if slices.Contains(foreignWords, name) {
				continue
			}
			for _, word := range nameWord.FindAllString(name, -1) {
				_, banned := bannedWords[strings.ToLower(word)]
				if _, asName := bannedNames[strings.ToLower(word)]; banned || asName && tok == token.IDENT && !token.IsExported(lit) {
					found = append(found, word)
				}
			}
		}
	}
}

// TestWords: identifiers and comments use the usual terms.
func TestWords(t *testing.T) {
	t.Parallel()
	for _, f := range goFiles(t) {
		if f.name == "internal/archtest/words_test.go" {
			continue
		}
		for _, word := range bannedIn(f.source) {
			t.Errorf("%s says %q; use a term of the field, such as %s", f.name, word, cmp.Or(bannedWords[strings.ToLower(word)], bannedNames[strings.ToLower(word)]))
		}
	}
}

func TestWordsRule(t *testing.T) {
	t.Parallel()
	for source, want := range map[string]int{
		"var shape int": 1, "var keysShape int": 1, "// It judges what is settled.": 2, "var Passing, isPassing func()": 2, `var a = "in passing"`: 1,
		"var smithy = x.ShapeID": 0, "var reshaped, bypassing, misjudge int": 0, "// nothing": 0,
		"var refused, isRefused bool": 2, "func TestRefused()": 0, "// It is refused.": 0,
	} {
		if found := bannedIn("package p\n\n" + source); len(found) != want {
			t.Errorf("%s: found %q, want %d", source, found, want)
		}
	}
}
