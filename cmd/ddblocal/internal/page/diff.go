// SPDX-License-Identifier: Apache-2.0

package page

import (
	"maps"
	"slices"
	"strings"
)

// change is the difference in one attribute.
type change struct {
	Name, Kind string // added, removed, changed
	Lines      []diffLine
}

// diffLine is a line of a value's JSON that exists on only one side ("-" or "+"), or on both.
type diffLine struct{ Mark, Text string }

// changesOf lists the attributes in which two items differ, in order.
func changesOf(before, after item) (changes []change) {
	names := slices.Collect(maps.Keys(before))
	for name := range after {
		if _, ok := before[name]; !ok {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	for _, name := range names {
		old, was := before[name]
		now, is := after[name]
		switch {
		case !was:
			changes = append(changes, change{name, "added", linesOf("+", valueText(now))})
		case !is:
			changes = append(changes, change{name, "removed", linesOf("-", valueText(old))})
		case canonical(old) != canonical(now):
			changes = append(changes, change{name, "changed", diffLines(valueText(old), valueText(now))})
		}
	}
	return changes
}

func linesOf(mark, text string) (lines []diffLine) {
	for line := range strings.SplitSeq(text, "\n") {
		lines = append(lines, diffLine{mark, line})
	}
	return lines
}

// diffLines returns a shortest difference of two texts by lines, computed from their longest common subsequence.
func diffLines(before, after string) (lines []diffLine) {
	a, b := strings.Split(before, "\n"), strings.Split(after, "\n")
	const most = 4_000_000 // cells of the table below
	if len(a)*len(b) > most {
		return append(linesOf("-", before), linesOf("+", after)...)
	}
	common := make([][]int, len(a)+1) // of a[i:] and b[j:]
	for i := range common {
		common[i] = make([]int, len(b)+1)
	}
	for i, one := range slices.Backward(a) {
		for j, other := range slices.Backward(b) {
			if one == other {
				common[i][j] = common[i+1][j+1] + 1
			} else {
				common[i][j] = max(common[i+1][j], common[i][j+1])
			}
		}
	}
	i, j := 0, 0
	for i < len(a) || j < len(b) {
		switch {
		case i < len(a) && j < len(b) && a[i] == b[j]:
			lines = append(lines, diffLine{"", a[i]})
			i, j = i+1, j+1
		case j == len(b) || i < len(a) && common[i+1][j] >= common[i][j+1]:
			lines = append(lines, diffLine{"-", a[i]})
			i++
		default:
			lines = append(lines, diffLine{"+", b[j]})
			j++
		}
	}
	return lines
}
