// SPDX-License-Identifier: Apache-2.0

// Package archtest holds the tests that keep the structure of the repository: which package
// may import which, how long a file may grow, and what may not stand in committed text.
// The rules and their reasons are docs/decisions; this package makes them fail a build.
package archtest
