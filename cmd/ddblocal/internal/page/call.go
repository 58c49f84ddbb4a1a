// SPDX-License-Identifier: Apache-2.0

package page

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"

	"github.com/dynamotable/ddb/ddbtest"
)

// exchange is a request that a view sent, and its cost.
type exchange struct {
	Operation         string
	Request           string // its JSON, indented
	Units             float64
	Returned, Scanned int64
	Reads             bool   // it returned and scanned items
	Planned           bool   // it is not sent yet
	Note              string // shown in place of the units
	Command           string // as a command of the AWS CLI
	Code              string // with package ddb; empty if there is none
	CodeNote          string
}

// exchange returns a request in the form that a view shows; callers that send it add its cost.
func (p *Page) exchange(r *http.Request, operation string, request any) exchange {
	return exchange{Operation: operation, Request: indented(request), Command: p.command(r, operation, request)}
}

// streamOperations are the operations of the streams API.
var streamOperations = []string{"DescribeStream", "GetShardIterator", "GetRecords"}

// callError is an error reply.
type callError struct{ operation, kind, message string }

func (e *callError) Error() string {
	return fmt.Sprintf("%s was refused: %s: %s", e.operation, e.kind, e.message)
}

func isKind(err error, kind string) bool {
	var rejected *callError
	return errors.As(err, &rejected) && rejected.kind == kind
}

// call sends a request to the engine and decodes the reply into out. Requests are JSON, as the service accepts it, so a view
// shows exactly what was sent, and values are not converted. Faults that are switched on apply to programs, not to the page.
func (p *Page) call(ctx context.Context, operation string, in, out any) error {
	body, err := marshal(in)
	if err != nil {
		return fmt.Errorf("%s: %w", operation, err)
	}
	req, err := http.NewRequestWithContext(ddbtest.WithoutFaults(ctx), http.MethodPost, "http://ddblocal.invalid/", bytes.NewReader(body))
	if err != nil {
		return err
	}
	service := "DynamoDB_20120810."
	if slices.Contains(streamOperations, operation) {
		service = "DynamoDBStreams_20120810."
	}
	req.Header.Set("Content-Type", "application/x-amz-json-1.0")
	req.Header.Set("X-Amz-Target", service+operation)
	req.Header.Set("X-Amz-Date", "20260101T000000Z")
	req.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=page/20260101/us-east-1/dynamodb/aws4_request, SignedHeaders=host, Signature=0")
	resp, err := p.Engine.Do(req)
	if err != nil {
		return fmt.Errorf("%s: %w", operation, err)
	}
	reply, err := io.ReadAll(resp.Body)
	if err = errors.Join(err, resp.Body.Close()); err != nil {
		return fmt.Errorf("%s: %w", operation, err)
	}
	if resp.StatusCode != http.StatusOK {
		var rejected struct {
			Type    string `json:"__type"`
			Message string `json:"message"`
		}
		if err := json.Unmarshal(reply, &rejected); err != nil {
			return fmt.Errorf("%s: status %d", operation, resp.StatusCode)
		}
		_, kind, _ := strings.Cut(rejected.Type, "#")
		return &callError{operation, kind, rejected.Message}
	}
	if out == nil {
		return nil
	}
	if err := json.Unmarshal(reply, out); err != nil {
		return fmt.Errorf("%s: %w", operation, err)
	}
	return nil
}

// marshal encodes JSON without escapes for HTML, because the templates escape.
func marshal(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	err := e.Encode(v)
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), err
}

// indented formats JSON for people.
func indented(v any) string {
	data, err := marshal(v)
	if err != nil {
		return err.Error()
	}
	var b bytes.Buffer
	if err := json.Indent(&b, data, "", "  "); err != nil {
		return string(data)
	}
	return b.String()
}
