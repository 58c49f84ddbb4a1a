// SPDX-License-Identifier: Apache-2.0

package s3

// Putable is for tests: data of this size would be a load for them.
var Putable = putable
