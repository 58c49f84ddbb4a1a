// SPDX-License-Identifier: Apache-2.0

package s3

// Putable is exported for tests, which cannot use data of this size.
var Putable = putable
