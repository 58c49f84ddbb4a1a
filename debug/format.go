// SPDX-License-Identifier: Apache-2.0

package debug

import (
	"math"
	"strconv"
	"strings"
	"time"
)

// shown returns a value of the JSON as text. The script has the same rules, in format.js; testdata/formats.json holds for both.
func shown(kind string, value any, now time.Time) string {
	switch x := value.(type) {
	case float64:
		switch kind {
		case "count":
			return withCommas(number(x, 0))
		case "limit": // 0 is no limit
			if x == 0 {
				return ""
			}
		case "money":
			if x >= 1 {
				return withCommas(fixed(x, 2))
			}
			return fixed(x, 4)
		case "seconds": // 0 is not known
			if x == 0 {
				return ""
			}
			return duration(int64(math.Ceil(x)))
		case "ms":
			return millisecondsText(x)
		case "share":
			return number(100*x, 1) + " %"
		}
		return withCommas(number(x, 1))
	case bool:
		if x {
			return "within"
		}
		return "outside"
	case string:
		if kind == "ago" {
			return ago(x, now)
		}
		return x
	case []any:
		texts := make([]string, len(x))
		for i, t := range x {
			texts[i], _ = t.(string)
		}
		return strings.Join(texts, ", ")
	case map[string]any: // a range
		least, most := shown("units", x["min"], now), shown("units", x["max"], now)
		if least == most {
			return least
		}
		return least + " – " + most
	}
	return ""
}

// number returns x with at most that many decimals; halves are rounded up.
func number(x float64, decimals int) string {
	return strconv.FormatFloat(rounded(x, decimals), 'f', -1, 64)
}

// fixed writes a number with exactly so many decimals.
func fixed(x float64, decimals int) string {
	return strconv.FormatFloat(rounded(x, decimals), 'f', decimals, 64)
}

// rounded rounds halves up, as JavaScript's Math.round does.
func rounded(x float64, decimals int) float64 {
	factor := math.Pow10(decimals)
	return math.Floor(x*factor+0.5) / factor
}

func millisecondsText(x float64) string {
	decimals := 2
	switch {
	case x >= 100:
		decimals = 0
	case x >= 10:
		decimals = 1
	}
	return withCommas(fixed(x, decimals))
}

// withCommas inserts a comma between groups of three digits.
func withCommas(digits string) string {
	whole, rest, ok := strings.Cut(digits, ".")
	for i := len(whole) - 3; i > 0; i -= 3 {
		whole = whole[:i] + "," + whole[i:]
	}
	if ok {
		return whole + "." + rest
	}
	return whole
}

func ago(text string, now time.Time) string {
	then, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		return text
	}
	return duration(max(0, int64(math.Floor(now.Sub(then).Seconds())))) + " ago"
}

// duration returns a number of seconds in the largest unit that fits.
func duration(seconds int64) string {
	switch {
	case seconds < 60:
		return strconv.FormatInt(seconds, 10) + " s"
	case seconds < 60*60:
		return strconv.FormatInt(seconds/60, 10) + " min"
	case seconds < 2*24*60*60:
		return strconv.FormatInt(seconds/(60*60), 10) + " h"
	}
	return strconv.FormatInt(seconds/(24*60*60), 10) + " d"
}
