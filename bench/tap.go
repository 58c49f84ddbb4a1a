// SPDX-License-Identifier: Apache-2.0

package bench

import (
	"bytes"
	"io"
	"net/http"
)

// tap keeps the last reply that passes.
type tap struct {
	next interface {
		Do(*http.Request) (*http.Response, error)
	}
	last []byte
}

func (t *tap) Do(req *http.Request) (*http.Response, error) {
	resp, err := t.next.Do(req)
	if err != nil {
		return nil, err
	}
	t.last, err = io.ReadAll(resp.Body)
	resp.Body = io.NopCloser(bytes.NewReader(t.last))
	return resp, err
}
