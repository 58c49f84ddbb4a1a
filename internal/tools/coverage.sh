#!/usr/bin/env bash
# Prints the statement coverage of packages by tests, and fails if one of them is below a minimum.
#
#   internal/tools/coverage.sh [package,...] [minimum percent] [flags of go test, packages with tests]
#
# Defaults: the root package, 90, the tests of the packages.
set -euo pipefail
cd "$(dirname "$0")/../.."

packages=${1:-.}
minimum=${2:-90}
shift $(($# < 2 ? $# : 2))

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# shellcheck disable=SC2086
[[ " $* " == *" ."* ]] || set -- "$@" ${packages//,/ }
go test -v -count=1 -coverpkg="$packages" -coverprofile="$work/profile" "$@" >"$work/log" 2>&1 || {
	grep -v -e '^=== ' -e '^ *--- \(PASS\|SKIP\)' "$work/log" >&2
	exit 1
}
# How far the estimates of Explain hold for the requests of each package.
sed -n '/^units within/,/^  all /p' "$work/log" | grep -v '^    such as' || true
[ -s "$work/profile" ] || {
	echo "coverage: $packages has no statements or no tests" >&2
	exit 1
}

# A block is in the profile once for each test binary.
awk -v want="$minimum" '
	NR > 1 {
		block = $1; statements[block] = $2
		if ($3 > 0) covered[block] = 1
	}
	END {
		for (block in statements) {
			package = block; sub("/[^/]*$", "", package)
			all[package] += statements[block]
			if (block in covered) hit[package] += statements[block]
		}
		for (package in all) {
			share = 100 * hit[package] / all[package]
			printf "coverage: %s %.1f %% of %d statements, at least %s %% wanted\n", package, share, all[package], want
			if (share < want) low = 1
		}
		exit low
	}' "$work/profile" >"$work/shares" || failed=1
sort "$work/shares"

if [ -n "${failed-}" ]; then
	# The least covered functions first, so that a failure names where to look.
	go tool cover -func="$work/profile" >"$work/functions"
	echo "coverage: least covered functions:" >&2
	grep -v '^total:' "$work/functions" | sort -t'	' -k1,1 |
		awk '{ pct = $NF; sub("%", "", pct); print pct, $1, $2 }' | sort -n | head -20 >&2
	exit 1
fi
