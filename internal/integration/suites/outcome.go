// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"fmt"
	"strings"
)

// either is the outcome of a test that passes or fails by the timing of the machine.
const either = "either"

// outcome is what is known of a test that does not pass.
type outcome struct {
	result

	reason string
}

// parseOutcomes reads lines of a suite, an outcome, a test and the reason, by suite.
func parseOutcomes(text string) (map[string][]outcome, error) {
	known := make(map[string][]outcome)
	line := 0
	for row := range strings.Lines(text) {
		line++
		if row = strings.TrimSpace(row); row == "" || row[0] == '#' {
			continue
		}
		fields := strings.SplitN(row, " | ", 4)
		if len(fields) != 4 || (fields[1] != "fail" && fields[1] != "skip" && fields[1] != either) {
			return nil, fmt.Errorf("outcomes.txt, line %d: want suite | fail, skip or either | test | reason", line)
		}
		known[fields[0]] = append(known[fields[0]], outcome{result{test: fields[2], outcome: fields[1]}, fields[3]})
	}
	return known, nil
}

// compare counts the outcomes and returns an error with all that is not as known.
func compare(results []result, known []outcome, least int) (counts map[string]int, err error) {
	want := make(map[string]outcome)
	for _, k := range known {
		want[k.test] = k
	}
	counts = make(map[string]int)
	var wrong []error
	for _, r := range results {
		counts[r.outcome]++
		k, listed := want[r.test]
		delete(want, r.test)
		switch {
		case !listed && r.outcome != "pass":
			wrong = append(wrong, fmt.Errorf("%s: %s, and outcomes.txt gives no reason", r.test, r.outcome))
		case listed && k.outcome == either && r.outcome != "skip":
		case listed && r.outcome != k.outcome:
			wrong = append(wrong, fmt.Errorf("%s: %s, but %s in outcomes.txt (%s)", r.test, r.outcome, k.outcome, k.reason))
		}
	}
	for _, k := range known {
		if _, left := want[k.test]; left {
			wrong = append(wrong, fmt.Errorf("%s: is in outcomes.txt and did not run", k.test))
		}
	}
	if len(wrong) == 0 && counts["pass"] < least {
		wrong = append(wrong, fmt.Errorf("%d tests passed, expected are %d at least", counts["pass"], least))
	}
	return counts, errors.Join(wrong...)
}
