// SPDX-License-Identifier: Apache-2.0

package ddb

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/dynamotable/ddb/internal/exprtext"
)

// IsReserved reports whether DynamoDB reserves the word, ignoring case. A reserved word can be an attribute name, but in
// expression text it needs a placeholder. Handles and typed conditions always use placeholders, so this only matters for raw
// expressions and other tools.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/ReservedWords.html
func IsReserved(word string) bool { return exprtext.IsReserved(word) }

// ReservedIn returns the reserved words that expression text uses as attribute names, in the order and spelling of the text,
// each spelling once. It leaves out placeholders (#name, :value), and words used as operators, clause keywords and
// functions: in "size(tags) > :n AND size = :m" the second size is an attribute. The text may be a condition, filter, key
// condition, projection or update. For text that DynamoDB cannot parse the result is unspecified; it never panics.
func ReservedIn(expression string) []string { return exprtext.ScanOf(expression).Reserved }

// checkRaw reports everything in expression text that DynamoDB would refuse: reserved words used as names, and placeholders
// that are used but not given, or given but not used.
func checkRaw(text string, names, values []string) error {
	if strings.TrimSpace(text) == "" {
		return errors.New("raw expression: the text is empty")
	}
	scan := exprtext.ScanOf(text)
	var errs []error
	for _, w := range scan.Reserved {
		errs = append(errs, fmt.Errorf("raw expression: %s is a reserved word; write a placeholder such as #%s and give its name", w, w))
	}
	errs = append(errs, checkPlaceholders("name", "#", scan.Names, names)...)
	errs = append(errs, checkPlaceholders("value", ":", scan.Values, values)...)
	return errors.Join(errs...)
}

func checkPlaceholders(what, mark string, used, given []string) []error {
	var errs []error
	for _, p := range used {
		if !slices.Contains(given, p) {
			errs = append(errs, fmt.Errorf("raw expression: %s %s is used but not given", what, p))
		}
	}
	for _, p := range slices.Sorted(slices.Values(given)) {
		switch {
		case !strings.HasPrefix(p, mark):
			errs = append(errs, fmt.Errorf("raw expression: the placeholder of %s %q must begin with %s", what, p, mark))
		case !slices.Contains(used, p):
			errs = append(errs, fmt.Errorf("raw expression: %s %s is given but not used", what, p))
		}
	}
	return errs
}
