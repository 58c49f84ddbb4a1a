// SPDX-License-Identifier: Apache-2.0

package apitest

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
)

// Forge returns the text of a cursor with a valid checksum, as an attacker could make it.
func Forge(body []byte) string {
	sum := sha256.Sum256(body)
	return base64.RawURLEncoding.EncodeToString(append(bytes.Clone(body), sum[:8]...))
}
