package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"slices"
	"strings"

	"maps"

	"github.com/dynamotable/ddb/ddbtest"
)

// seedFile is what a seed file holds, in the form of the API.
type seedFile struct {
	Tables []json.RawMessage            `json:"tables"`
	Items  map[string][]json.RawMessage `json:"items"`
}

// seed makes the tables of a file and stores its items in those that it made.
func seed(ctx context.Context, engine *ddbtest.Engine, name string) error {
	data, err := os.ReadFile(name) //nolint:gosec // the user names the file
	if err != nil {
		return err
	}
	var s seedFile
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	if err := d.Decode(&s); err != nil {
		return err
	}
	made := make(map[string]bool)
	for i, request := range s.Tables {
		var table struct{ TableName string }
		if err := json.Unmarshal(request, &table); err != nil {
			return fmt.Errorf("table %d: %w", i, err)
		}
		err := call(ctx, engine, "CreateTable", request)
		var refused *refusal
		switch {
		case err == nil:
			made[table.TableName] = true
		case errors.As(err, &refused) && refused.is("ResourceInUseException"):
		default:
			return fmt.Errorf("table %d: %w", i, err)
		}
	}
	for _, table := range slices.Sorted(maps.Keys(s.Items)) {
		if !made[table] {
			if err := call(ctx, engine, "DescribeTable", fmt.Appendf(nil, `{"TableName":%q}`, table)); err != nil {
				return fmt.Errorf("items of table %q: %w", table, err)
			}
			continue
		}
		for i, item := range s.Items[table] {
			if err := call(ctx, engine, "PutItem", fmt.Appendf(nil, `{"TableName":%q,"Item":%s}`, table, item)); err != nil {
				return fmt.Errorf("table %s, item %d: %w", table, i, err)
			}
		}
	}
	return nil
}

// refusal is an error answer.
type refusal struct{ body string }

func (r *refusal) Error() string { return r.body }

func (r *refusal) is(kind string) bool { return strings.Contains(r.body, "#"+kind+`"`) }

// call sends one request to the engine.
func call(ctx context.Context, engine *ddbtest.Engine, operation string, body []byte) (err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://ddblocal.invalid/", bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/x-amz-json-1.0")
	req.Header.Set("X-Amz-Target", "DynamoDB_20120810."+operation)
	req.Header.Set("X-Amz-Date", "20260101T000000Z")
	req.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=seed/20260101/us-east-1/dynamodb/aws4_request, SignedHeaders=host, Signature=0")
	resp, err := engine.Do(req)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, resp.Body.Close()) }()
	answer, err := io.ReadAll(resp.Body)
	if err != nil {
		return err
	}
	if resp.StatusCode != http.StatusOK {
		return &refusal{string(answer)}
	}
	return nil
}
