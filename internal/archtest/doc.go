// SPDX-License-Identifier: Apache-2.0

// Package archtest contains the tests of the structure of the repository: which package may import which, how long a file may be,
// and what committed text must not contain. The rules and their reasons are in docs/decisions.
package archtest
