// SPDX-License-Identifier: Apache-2.0

package archtest_test

import (
	"fmt"
	"iter"
	"maps"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

// bannedPhrases are words and phrases that texts used in a private sense, each with plain English to use instead.
var bannedPhrases = map[string]string{
	"told":                    "reported, returned, called, distinguished",
	"mend":                    "repair, correct, what to do",
	"mends":                   "repairs, corrects",
	"mended":                  "repaired, corrected",
	"dear":                    "expensive",
	"dearer":                  "more expensive",
	"dearest":                 "most expensive",
	"bear":                    "allow for, have",
	"bears":                   "allows for, has",
	"belong into":             "belong in",
	"belongs into":            "belongs in",
	"in vain":                 "without effect",
	"leaves the house":        "is sent to clients",
	"found by nobody":         "unnoticed",
	"what becomes of":         "what happens to",
	"what became of":          "the outcome of",
	"is news":                 "says more",
	"is no news":              "says no more",
	"manieth":                 "nth",
	"hitherto":                "so far",
	"of its own accord":       "by itself",
	"befell":                  "happened to",
	"so that nobody":          "so that no caller",
	"wants to be":             "should be",
	"go astray":               "are lost",
	"in its words":            "with its texts",
	"begun anew":              "restarted",
	"begin anew":              "restart",
	"passed over":             "skipped",
	"passes over":             "skips",
	"pass over":               "skip",
	"to blame":                "that failed",
	"parts from":              "branches off",
	"beside an error":         "with an error",
	"stands behind":           "supports, is the reason for",
	"stood behind":            "supported, was the reason for",
	"made anew":               "created again",
	"learnt to know":          "known",
	"what is no number":       "NaN",
	"blames nobody":           "names no cause",
	"behind our back":         "unknown to the client",
	"behind everybody's back": "unknown to the client",
	"goes astray":             "is lost",
	"short way":               "fast path",
	"lets go of":              "releases, discards",
	"saw to it":               "made sure",
	"sees to it":              "makes sure",
	"see to it":               "make sure",
	"hands on":                "passes on",
	"handed on":               "passed on",
	"has its way":             "decides",
	"is other than":           "differs from",
	"in the making":           "in progress",
	"whilst":                  "while",
	"whereby":                 "by which",
	"lest":                    "so that ... not",
	"thereof":                 "of it",
	"stands for":              "means, represents, takes the place of",
	"stand for":               "mean, represent, take the place of",
	"stood for":               "meant, represented",
	"stands in":               "is in",
	"stand in":                "are in, put in",
	"stands twice":            "is listed twice",
	"stands beside":           "is next to",
	"stand beside":            "are next to",
	"stands before":           "precedes, is before",
	"as it stands":            "unchanged",
	"what it is made of":      "its definition, its parts",
	"upon":                    "on",
	"shall":                   "must, is to",
	"anew":                    "again",
	"held against":            "compared with",
}

// A phrasePattern finds a phrase in a text of small letters, and the place of each match. To search for the phrase in the words of the
// text is much faster, so that comes first.
type phrasePattern struct {
	phrase, instead string
	pattern         *regexp.Regexp
}

// phrasePatterns are the patterns by the longest word of their phrases, which few texts have.
var phrasePatterns = patternsOf(bannedPhrases)

func patternsOf(phrases map[string]string) map[string][]phrasePattern {
	patterns := map[string][]phrasePattern{}
	for _, phrase := range slices.Sorted(maps.Keys(phrases)) {
		pattern := strings.ReplaceAll(regexp.QuoteMeta(phrase), " ", `\s+(?://\s*)?`) // comments break lines
		longest := ""
		for word := range words(phrase) {
			if len(word) > len(longest) {
				longest = word
			}
		}
		patterns[longest] = append(patterns[longest], phrasePattern{phrase, phrases[phrase], regexp.MustCompile(`\b` + pattern + `\b`)})
	}
	return patterns
}

// words returns the words of a text, between which a regular expression has \b.
func words(text string) iter.Seq[string] {
	return strings.FieldsFuncSeq(text, func(r rune) bool { return r >= utf8.RuneSelf || !isLetter(byte(r)) })
}

// phrasesIn returns the banned phrases of a text, each with its line and what to write instead.
func phrasesIn(text string) (found []string) {
	text = strings.ToLower(text)
	var possible []phrasePattern
	looked := map[string]bool{}
	for word := range words(text) {
		if patterns := phrasePatterns[word]; patterns != nil && !looked[word] {
			looked[word] = true
			possible = append(possible, patterns...)
		}
	}
	if possible == nil {
		return nil
	}
	oneLine := strings.Join(strings.Fields(strings.ReplaceAll(text, "//", " ")), " ")
	for _, p := range possible {
		if !strings.Contains(oneLine, p.phrase) {
			continue
		}
		for _, at := range p.pattern.FindAllStringIndex(text, -1) {
			line := 1 + strings.Count(text[:at[0]], "\n")
			found = append(found, fmt.Sprintf("line %d says %q; write %s", line, text[at[0]:at[1]], p.instead))
		}
	}
	return found
}

// isLetter reports whether a byte is part of a word for a regular expression.
func isLetter(b byte) bool {
	return b == '_' || '0' <= b && b <= '9' || 'A' <= b && b <= 'Z' || 'a' <= b && b <= 'z'
}

// TestPhrases: documents, comments, messages and pages are in plain English.
func TestPhrases(t *testing.T) {
	t.Parallel()
	seen := 0
	err := walk(func(name string) error {
		if quoted(name) || !slices.Contains([]string{".go", ".md", ".html", ".js", ".yml", ".txt"}, path.Ext(name)) || path.Base(name) == "phrases_test.go" {
			return nil
		}
		seen++
		text, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(name)))
		if err != nil {
			return err
		}
		for _, found := range phrasesIn(string(text)) {
			t.Errorf("%s: %s", name, found)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if seen < 100 {
		t.Fatalf("only %d files are looked at", seen)
	}
}

func TestPhrasesRule(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]int{
		"the caller is told of it": 1, "Hitherto calls": 1, "it belongs\n// into another": 1, "what became\n\t// of it": 1, "passed\n\t// over": 1, "what stands\n// behind it": 1, "a bearer token": 0, "Upon a\ncall,\nIN\tVAIN": 2, "untold": 0, "mending": 0, "": 0,
	} {
		if found := phrasesIn(text); len(found) != want {
			t.Errorf("%q: found %q, want %d", text, found, want)
		}
	}
}
