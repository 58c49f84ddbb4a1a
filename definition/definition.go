// SPDX-License-Identifier: Apache-2.0

// Package definition writes table definitions for deployment tools: CloudFormation templates, Terraform's and CDK's JSON. The definition comes
// from the code, so that the deployed table is the one that the code needs:
//
//	orders, err := ddb.New(client, "orders", orderCustomer, orderID, ddb.TTL(orderExpires))
//	...
//	table, err := tableinfo.Definition(orders, schema.PointInTimeRecovery(7))
//	...
//	template, err := definition.CloudFormation(table)
//
// Alternatively, deploy by hand and compare at startup: the method VerifyTable of a table lists every difference.
//
// Definitions are values; changing one changes no table. Functions are safe for concurrent use.
package definition

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"unicode"

	"github.com/dynamotable/ddb/schema"
)

// check finds what no format supports.
func check(tables []*schema.Definition) error {
	var errs []error
	if len(tables) == 0 {
		errs = append(errs, errors.New("no table is given"))
	}
	seen := make(map[string]string)
	for i, t := range tables {
		if t == nil || t.Create == nil || deref(t.Create.TableName) == "" || len(t.Create.KeySchema) == 0 {
			errs = append(errs, fmt.Errorf("table %d has no name or no key", i))
			continue
		}
		name := deref(t.Create.TableName)
		if strings.HasPrefix(name, "arn:") {
			errs = append(errs, fmt.Errorf("table %d is named by its ARN, so it belongs to another stack", i))
		}
		id := identifier(name)
		if other, ok := seen[id]; ok {
			errs = append(errs, fmt.Errorf("the tables %s and %s have the same identifier %s", other, name, id))
		}
		seen[id] = name
		if len(t.Create.VectorIndexes) > 0 {
			errs = append(errs, fmt.Errorf("table %s has vector indexes, which templates do not support yet", name))
		}
	}
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("definition: %w", err)
	}
	return nil
}

// identifier converts a name to the form that all tools accept: letters and digits, each word with a capital.
func identifier(name string) string {
	var b strings.Builder
	up := true
	for _, r := range name {
		switch {
		case r > unicode.MaxASCII || !unicode.IsLetter(r) && !unicode.IsDigit(r):
			up = true
			continue
		case b.Len() == 0 && unicode.IsDigit(r):
			b.WriteByte('T')
		case up:
			r = unicode.ToUpper(r)
		}
		up = false
		b.WriteRune(r)
	}
	return b.String() + "Table"
}

// write returns indented JSON.
func write(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	err := e.Encode(v)
	return b.Bytes(), err
}

// object is a JSON object.
type object = map[string]any

func deref[T any](p *T) (v T) {
	if p != nil {
		v = *p
	}
	return v
}

// policy returns the resource policy as JSON, nil if there is none.
func policyOf(t *schema.Definition) (any, error) {
	text := deref(t.Create.ResourcePolicy)
	if text == "" {
		return nil, nil
	}
	var document any
	if err := json.Unmarshal([]byte(text), &document); err != nil {
		return nil, fmt.Errorf("definition: the resource policy of %s is not JSON: %w", deref(t.Create.TableName), err)
	}
	return document, nil
}
