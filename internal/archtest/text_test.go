// SPDX-License-Identifier: Apache-2.0

package archtest_test

import (
	"bytes"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

// A textRule describes text that no committed file may contain.
type textRule struct {
	why     string
	parts   []string // each match contains one of them; they are searched first, which is much faster
	pattern *regexp.Regexp
	except  []string // matches that are allowed
}

var textRules = []textRule{
	{
		why:     "a path of somebody's machine",
		parts:   []string{"/tmp/", "/home/", "/root/", "/work/", "/Users/", "/mnt/"},
		pattern: regexp.MustCompile(`(^|[\s"'` + "`" + `=(:])/(tmp|home|root|work|Users|mnt)/[\w.-]`),
	},
	{
		why:     "work put off; finish it, or open an issue and name it in prose",
		parts:   []string{"TO" + "DO", "FIX" + "ME", "XX" + "X", "HA" + "CK"},
		pattern: regexp.MustCompile(`\b(TO` + `DO|FIX` + `ME|XX` + `X|HA` + `CK)\b`),
	},
	{
		why:     "a merge conflict",
		parts:   []string{"<<<<", ">>>>"},
		pattern: regexp.MustCompile(`(?m)^(<{7}|>{7}) `),
	},
	{
		why:     "an AWS access key",
		parts:   []string{"AK" + "IA", "AS" + "IA"},
		pattern: regexp.MustCompile(`\b(AKIA|ASIA)[A-Z0-9]{16}\b`),
		except:  []string{"AKIAIOSFODNN7EXAMPLE"}, // AWS's own documentation uses it
	},
	{
		why:     "a private key",
		parts:   []string{"PRIVATE"},
		pattern: regexp.MustCompile(`-----BEGIN [A-Z ]*PRIVATE KEY`),
	},
	{
		why:     "a Windows line end",
		parts:   []string{"\r"},
		pattern: regexp.MustCompile(`\r\n`),
	},
	{
		why:     "a character that reorders the text around it",
		parts:   []string{"\xe2\x80", "\xe2\x81"},
		pattern: regexp.MustCompile(`[\x{202A}-\x{202E}\x{2066}-\x{2069}]`),
	},
}

// quotedFiles contain bytes that were not written for the repository: fuzzing corpora and recorded replies.
func quoted(name string) bool {
	return slices.Contains(strings.Split(path.Dir(name), "/"), "testdata")
}

func TestCommittedText(t *testing.T) {
	t.Parallel()
	files := 0
	err := walk(func(name string) error {
		data, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(name)))
		if err != nil {
			return err
		}
		if quoted(name) || bytes.IndexByte(data, 0) >= 0 || !utf8.Valid(data) || path.Ext(name) == ".sum" {
			return nil
		}
		files++
		for _, fault := range textFaults(string(data)) {
			t.Errorf("%s: %s", name, fault)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if files == 0 {
		t.Fatal("no file found: the walk starts in the wrong folder")
	}
}

func textFaults(text string) []string {
	var faults []string
	for _, rule := range textRules {
		if !slices.ContainsFunc(rule.parts, func(part string) bool { return strings.Contains(text, part) }) {
			continue
		}
		for _, match := range rule.pattern.FindAllString(text, -1) {
			if !slices.Contains(rule.except, match) {
				faults = append(faults, rule.why+": "+strings.TrimSpace(match))
			}
		}
	}
	return faults
}

func TestTextRules(t *testing.T) {
	t.Parallel()
	bad := []string{
		"see /ho" + "me/someone/notes",
		`path := "/t` + `mp/x"`,
		"// TO" + "DO: later",
		strings.Repeat("<", 7) + " HEAD",
		"AKIA" + "ABCDEFGHIJKLMNOP",
		"-----BEGIN RSA " + "PRIVATE KEY-----",
		"line\r" + "\n",
		"a\u202e" + "b",
	}
	for _, text := range bad {
		if len(textFaults(text)) == 0 {
			t.Errorf("%q passes", text)
		}
	}
	good := []string{"AKIAIOSFODNN7EXAMPLE", "https://example.com/home/index", "a todo list", "${TMPDIR}/x"}
	for _, text := range good {
		if faults := textFaults(text); len(faults) != 0 {
			t.Errorf("%q: %v", text, faults)
		}
	}
}
