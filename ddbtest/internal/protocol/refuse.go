// SPDX-License-Identifier: Apache-2.0

package protocol

import (
	"net/http"
	"strings"

	"github.com/dynamotable/ddb/ddbtest/internal/engine"
)

const jsonType = "application/x-amz-json-1.0"

// refuse answers a request that is not a signed call of an operation, as the
// service does before it looks at the body. It returns nil for all others. The
// signature itself is not checked: any key is accepted.
func (h *Handler) refuse(req *http.Request, size int, known bool) *Reply {
	kind, _, _ := strings.Cut(req.Header.Get("Content-Type"), ";")
	switch {
	case req.Method == http.MethodGet && req.Header.Get("X-Amz-Target") == "":
		return h.finish(http.StatusOK, []byte("healthy: dynamodb."+h.engine.Region()+".amazonaws.com "))
	case req.Method != http.MethodPost, kind != jsonType && kind != "application/json":
		return h.finish(http.StatusNotFound, []byte("<UnknownOperationException/>\n"))
	case size > maxRequestSize:
		return h.refusal("RequestEntityTooLargeException", "")
	case !known:
		return h.refusal("UnknownOperationException", "")
	}
	header := req.Header.Get("Authorization")
	inQuery := strings.Contains(req.URL.RawQuery, "X-Amz-Algorithm")
	switch {
	case header != "" && inQuery:
		return h.refusal("InvalidSignatureException", "Found both 'X-Amz-Algorithm' as a query-string param and 'Authorization' as HTTP header.")
	case header == "" && !inQuery, header != "" && !strings.HasPrefix(strings.TrimSpace(header), "AWS4-"):
		return h.refusal("MissingAuthenticationTokenException", "Request is missing Authentication Token")
	case header != "":
		if message := incomplete(header, req); message != "" {
			return h.refusal("IncompleteSignatureException", message)
		}
	}
	return nil
}

func (h *Handler) refusal(kind, message string) *Reply {
	return h.finish(errorReply(&engine.Error{Type: kind, Message: message}))
}

// incomplete returns what is missing in an Authorization header, or nothing.
func incomplete(header string, req *http.Request) string {
	var message strings.Builder
	for _, name := range []string{"Credential", "Signature", "SignedHeaders"} {
		if !strings.Contains(header, name+"=") {
			message.WriteString("Authorization header requires '" + name + "' parameter. ")
		}
	}
	if req.Header.Get("X-Amz-Date") == "" && req.Header.Get("Date") == "" {
		message.WriteString("Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header. ")
	}
	if message.Len() == 0 {
		return ""
	}
	return message.String() + "Authorization=" + header
}
