// SPDX-License-Identifier: Apache-2.0

//go:build !race

package change_test

const raceEnabled = false
