#!/usr/bin/env bash
# Prints the statement coverage of one package by tests, and fails below a minimum.
#
#   internal/tools/coverage.sh [package] [minimum percent] [flags of go test, packages with tests]
#
# Defaults: the root package, 90, its own tests.
set -euo pipefail
cd "$(dirname "$0")/../.."

package=${1:-.}
minimum=${2:-90}
shift $(($# < 2 ? $# : 2))

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

[[ " $* " == *" ."* ]] || set -- "$@" "$package"
go test -v -count=1 -coverpkg="$package" -coverprofile="$work/profile" "$@" >"$work/log" 2>&1 || {
	grep -v -e '^=== ' -e '^ *--- \(PASS\|SKIP\)' "$work/log" >&2
	exit 1
}
# How far the estimates of Explain hold for the requests of each package.
sed -n '/^units within/,/^  all /p' "$work/log" | grep -v '^    such as' || true
[ -s "$work/profile" ] || {
	echo "coverage: $package has no statements or no tests" >&2
	exit 1
}

# The least covered functions first, so that a failure names where to look.
go tool cover -func="$work/profile" >"$work/functions"
total=$(awk '$1 == "total:" { sub("%", "", $NF); print $NF }' "$work/functions")

echo "coverage: $package $total % of statements, at least $minimum % wanted"
if awk -v have="$total" -v want="$minimum" 'BEGIN { exit !(have < want) }'; then
	echo "coverage: least covered functions:" >&2
	grep -v '^total:' "$work/functions" | sort -t'	' -k1,1 |
		awk '{ pct = $NF; sub("%", "", pct); print pct, $1, $2 }' | sort -n | head -20 >&2
	exit 1
fi
