// SPDX-License-Identifier: Apache-2.0

// Package longtest gives tests a short form, which go test runs, and a full one. The full one runs with the flag -long, which a step
// of .ci/run gives to every package whose tests ask for a form:
//
//	go test ./eventstore -args -long
//
// A short form has fewer rounds, seeds and random cases, or a sample of a matrix, and every kind of case. With -short, as with
// the race detector, it is half as long.
package longtest

import (
	"flag"
	"os"
	"runtime/debug"
	"strconv"
	"testing"
)

var long = flag.Bool("long", false, "run tests in full length, as a step of CI does")

// Enabled reports whether tests run in full length.
func Enabled() bool { return *long }

// Size returns the size of a test: full in full length, short otherwise, and half of that with -short.
func Size(full, short int) int {
	switch {
	case *long:
		return full
	case testing.Short():
		return (short + 1) / 2
	}
	return short
}

// Either is [Size] for a test that needs its short size to prove anything: -short leaves that as it is.
func Either(full, short int) int {
	if *long {
		return full
	}
	return short
}

// Every returns the distance between the cases of a matrix that a test takes: 1 in full length, short otherwise, and twice
// that with -short.
func Every(short int) int {
	switch {
	case *long:
		return 1
	case testing.Short():
		return 2 * short
	}
	return short
}

// Checks lets rapid try n cases of each property in the rest of a test, which must not be parallel; half of them with -short. In full
// length, or if the flag -rapid.checks is given, it changes nothing.
func Checks(t testing.TB, n int) {
	t.Helper()
	t.Cleanup(set(n))
}

// ChecksOfPackage is Checks for all tests of a package, also for parallel ones. TestMain calls it.
func ChecksOfPackage(n int) {
	flag.Parse()
	set(n)
}

// CollectLess lets the garbage collector run less often: tests allocate much, keep little and live for seconds, of which collecting takes
// up to a third otherwise. TestMain calls it. With GOGC in the environment, or when benchmarks run, it changes nothing.
func CollectLess() {
	flag.Parse()
	if os.Getenv("GOGC") == "" && flag.Lookup("test.bench").Value.String() == "" {
		debug.SetGCPercent(400)
	}
}

// set sets the flag of rapid and returns a function that restores it.
func set(n int) (restore func()) {
	const name = "rapid.checks"
	checks, given := flag.Lookup(name), false
	flag.Visit(func(f *flag.Flag) { given = given || f.Name == name })
	if *long || given {
		return func() {}
	}
	write := func(n string) {
		if err := checks.Value.Set(n); err != nil { // not flag.Set, after which the flag is given
			panic(err)
		}
	}
	before := checks.Value.String()
	n = Size(0, n)
	if testing.Short() {
		n *= 5 // rapid itself tries a fifth
	}
	write(strconv.Itoa(n))
	return func() { write(before) }
}
