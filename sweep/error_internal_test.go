// SPDX-License-Identifier: Apache-2.0

package sweep

import (
	"encoding/json"
	"errors"
	"testing"
)

// The error is valid JSON whatever bytes are in its text.
func TestErrorAsJSON(t *testing.T) {
	t.Parallel()
	err := &StoppedError{"position", errors.New("bell \a, escape \x1b, no UTF-8 \xff, quote \"")}
	data, bad := json.Marshal(err)
	var text string
	if bad != nil || json.Unmarshal(data, &text) != nil || text != "sweep: stopped, and can be resumed: bell \a, escape \x1b, no UTF-8 \ufffd, quote \"" {
		t.Errorf("%s, %v", data, bad)
	}
}
