// SPDX-License-Identifier: Apache-2.0

package page

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"unicode"
)

// command returns a request as a command of the AWS CLI, for a POSIX shell. The parameters have the names and the order of the
// request. --no-paginate makes the command send only this request. --cli-binary-format, which version 1 of the CLI rejects, is
// only added if there are binary values: version 1 would interpret their base64 as the value itself.
//
// https://docs.aws.amazon.com/cli/latest/reference/dynamodb/
func (p *Page) command(r *http.Request, operation string, in any) string {
	var b strings.Builder
	service := "dynamodb "
	if slices.Contains(streamOperations, operation) {
		service = "dynamodbstreams "
	}
	b.WriteString("aws " + service + dashed(operation) + " --endpoint-url http://" + r.Host)
	data, err := marshal(in)
	if err != nil {
		return err.Error()
	}
	d := json.NewDecoder(strings.NewReader(string(data)))
	if _, err := d.Token(); err != nil {
		return err.Error()
	}
	for d.More() {
		name, err := d.Token()
		if err != nil {
			return err.Error()
		}
		var value json.RawMessage
		if err := d.Decode(&value); err != nil {
			return err.Error()
		}
		option := "--" + dashed(name.(string)) // names of members are strings
		var text string
		switch {
		case string(value) == "true":
			b.WriteString(" \\\n  " + option)
			continue
		case string(value) == "false":
			b.WriteString(" \\\n  --no-" + strings.TrimPrefix(option, "--"))
			continue
		case json.Unmarshal(value, &text) != nil:
			text = string(value)
		}
		b.WriteString(" \\\n  " + option + " " + shellQuoted(text))
	}
	if operation == "Query" || operation == "Scan" {
		b.WriteString(" \\\n  --no-paginate")
	}
	if strings.Contains(string(data), `{"B":"`) || strings.Contains(string(data), `{"BS":[`) {
		b.WriteString(" \\\n  --cli-binary-format base64")
	}
	return b.String()
}

// dashed returns a name of the API in the spelling of the CLI: table-name for TableName.
func dashed(name string) string {
	var b strings.Builder
	for i, c := range name {
		if unicode.IsUpper(c) && i > 0 {
			b.WriteByte('-')
		}
		b.WriteRune(unicode.ToLower(c))
	}
	return b.String()
}

// shellQuoted returns a text as one word of a POSIX shell.
//
// https://pubs.opengroup.org/onlinepubs/9699919799/utilities/V3_chap02.html#tag_18_02_02
func shellQuoted(text string) string {
	if text != "" && strings.IndexFunc(text, func(c rune) bool {
		return (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') && !strings.ContainsRune("_./:@%+=-", c)
	}) < 0 {
		return text
	}
	return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'"
}
