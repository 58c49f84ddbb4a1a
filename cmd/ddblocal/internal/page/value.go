// SPDX-License-Identifier: Apache-2.0

package page

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// item is an item in DynamoDB's JSON, by attribute. Its values are the bytes of the reply, so a number has the text that is
// stored.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_AttributeValue.html
type item map[string]json.RawMessage

// typed is a value that is separated from its type.
type typed struct {
	Type string
	Raw  json.RawMessage // the member: "1" for {"N":"1"}
}

func typeOf(raw json.RawMessage) typed {
	var members map[string]json.RawMessage
	if json.Unmarshal(raw, &members) != nil {
		return typed{}
	}
	for name, member := range members {
		return typed{name, member}
	}
	return typed{}
}

// text returns the value as people read it: the text of a string, number or binary (in base64), otherwise DynamoDB's JSON.
func (v typed) text() string {
	switch v.Type {
	case "S", "N", "B":
		var s string
		_ = json.Unmarshal(v.Raw, &s) // it comes from the engine
		return s
	case "NULL":
		return "null"
	case "SS", "NS", "BS":
		var members []string
		_ = json.Unmarshal(v.Raw, &members)
		if v.Type == "SS" {
			for i, m := range members {
				members[i] = strconv.Quote(m)
			}
		}
		return "{" + strings.Join(members, ", ") + "}"
	}
	return string(v.Raw)
}

// valueOf converts a text from a form to a value of a type, for a key, a condition or a filter.
func valueOf(kind, text string) (json.RawMessage, error) {
	var v any = text
	switch kind {
	case "S":
	case "N":
		if !number.MatchString(text) {
			return nil, fmt.Errorf("%q is no number", text)
		}
	case "B":
		if _, err := base64.StdEncoding.DecodeString(text); err != nil {
			return nil, fmt.Errorf("%q is no base64, in which binary values are given", text)
		}
	case "BOOL":
		if text != "true" && text != "false" {
			return nil, fmt.Errorf("%q is neither true nor false", text)
		}
		v = text == "true"
	case "NULL":
		v = true
	default:
		return nil, fmt.Errorf("%q is no type of a value that can be given here; it is S, N, B, BOOL or NULL", kind)
	}
	return marshal(map[string]any{kind: v})
}

var number = regexp.MustCompile(`^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$`)

// parseItem parses an item that a person wrote, and names everything that is wrong. Package json alone would use the last of two
// attributes with the same name, and lose the first.
func parseItem(text string) (item, []string) {
	if !utf8.ValidString(text) {
		return nil, []string{"the text is not valid UTF-8"}
	}
	var c checker
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	c.decoder = d
	whole := c.value("")
	if len(c.problems) == 0 {
		if _, err := d.Token(); err != io.EOF {
			c.problemf("", "there is more text after the item")
		}
	}
	if len(c.problems) > 0 {
		return nil, c.problems
	}
	members, ok := whole.(object)
	if !ok {
		return nil, []string{`an item is an object of attributes, such as {"id": {"S": "u1"}}`}
	}
	for _, m := range members {
		c.attribute(strconv.Quote(m.name), m.value)
	}
	if len(c.problems) > 0 {
		return nil, c.problems
	}
	read := make(item)
	if err := json.Unmarshal([]byte(text), &read); err != nil {
		return nil, []string{err.Error()}
	}
	for name, raw := range read {
		var b bytes.Buffer
		_ = json.Compact(&b, raw) // it was decoded
		read[name] = b.Bytes()
	}
	return read, nil
}

// object is a JSON object that keeps the order of its members.
type object []member

type member struct {
	name  string
	value any
}

// checker parses JSON and collects what is wrong with it.
type checker struct {
	decoder  *json.Decoder
	problems []string
	depth    int
}

// deepest limits the nesting of JSON: the service accepts 32 levels of values, and each is two levels of objects or arrays.
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html#limits-attributes
const deepest = 100

func (c *checker) problemf(path, format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	if path != "" {
		text = path + ": " + text
	}
	c.problems = append(c.problems, text)
}

// value reads the next value; objects become an [object], so that members with the same name are detected.
func (c *checker) value(path string) any {
	if c.depth++; c.depth > deepest {
		c.problemf("", "it is nested too deeply")
		return nil
	}
	defer func() { c.depth-- }()
	token, err := c.decoder.Token()
	if err != nil {
		c.problemf(path, "it is not JSON at byte %d: %v", c.decoder.InputOffset(), err)
		return nil
	}
	switch token {
	case json.Delim('{'):
		read, seen := object{}, map[string]bool{}
		for c.decoder.More() {
			name, err := c.decoder.Token()
			if err != nil {
				c.problemf(path, "it is not JSON at byte %d: %v", c.decoder.InputOffset(), err)
				return nil
			}
			text, _ := name.(string) // the decoder accepts nothing else
			if seen[text] {
				c.problemf(path, "%q is there twice", text)
			}
			seen[text] = true
			read = append(read, member{text, c.value(below(path, text))})
			if len(c.problems) > 0 {
				return nil
			}
		}
		if _, err := c.decoder.Token(); err != nil {
			c.problemf(path, "it is not JSON at byte %d: %v", c.decoder.InputOffset(), err)
		}
		return read
	case json.Delim('['):
		list := []any{}
		for i := 0; c.decoder.More(); i++ {
			list = append(list, c.value(fmt.Sprintf("%s[%d]", path, i)))
			if len(c.problems) > 0 {
				return nil
			}
		}
		if _, err := c.decoder.Token(); err != nil {
			c.problemf(path, "it is not JSON at byte %d: %v", c.decoder.InputOffset(), err)
		}
		return list
	}
	return token
}

func below(path, name string) string {
	if path == "" {
		return strconv.Quote(name)
	}
	return path + "." + strconv.Quote(name)
}

// attribute checks a value in DynamoDB's JSON. The engine checks its own limits, such as the digits of a number.
func (c *checker) attribute(path string, v any) {
	members, ok := v.(object)
	if !ok || len(members) != 1 {
		c.problemf(path, `a value is an object of one type, such as {"S": "text"} or {"N": "1"}`)
		return
	}
	kind, v := members[0].name, members[0].value
	switch kind {
	case "S", "N", "B":
		c.scalar(path, kind, v)
	case "BOOL":
		if _, ok := v.(bool); !ok {
			c.problemf(path, "BOOL is true or false, without quotes")
		}
	case "NULL":
		if v != true {
			c.problemf(path, "NULL is true")
		}
	case "SS", "NS", "BS":
		list, ok := v.([]any)
		if !ok || len(list) == 0 {
			c.problemf(path, "%s is a list with at least one text", kind)
			return
		}
		for i, e := range list {
			c.scalar(fmt.Sprintf("%s[%d]", path, i), kind[:1], e)
		}
	case "L":
		list, ok := v.([]any)
		if !ok {
			c.problemf(path, "L is a list of values")
		}
		for i, e := range list {
			c.attribute(fmt.Sprintf("%s[%d]", path, i), e)
		}
	case "M":
		entries, ok := v.(object)
		if !ok {
			c.problemf(path, "M is an object of values")
		}
		for _, e := range entries {
			c.attribute(below(path, e.name), e.value)
		}
	default:
		c.problemf(path, "%q is no type; the types are S, N, B, BOOL, NULL, SS, NS, BS, L and M", kind)
	}
}

func (c *checker) scalar(path, kind string, v any) {
	text, ok := v.(string)
	switch {
	case !ok:
		c.problemf(path, "the value of %s is a text in quotes, numbers too, so that no digit is lost", kind)
	case kind == "N" && !number.MatchString(strings.TrimSpace(text)):
		c.problemf(path, "%q is no number", text)
	case kind == "B":
		if _, err := base64.StdEncoding.DecodeString(text); err != nil {
			c.problemf(path, "B is in base64")
		}
	}
}

// canonical returns the same text for equal values: without spaces and escapes, with sorted members and sets.
func canonical(raw json.RawMessage) string {
	var v any // numbers are texts in DynamoDB's JSON
	if json.Unmarshal(raw, &v) != nil {
		return string(raw)
	}
	sortSets(v)
	text, err := marshal(v)
	if err != nil {
		return string(raw)
	}
	return string(text)
}

func sortSets(v any) {
	switch v := v.(type) {
	case []any:
		for _, e := range v {
			sortSets(e)
		}
	case map[string]any:
		for name, e := range v {
			if list, ok := e.([]any); ok && len(v) == 1 && slices.Contains([]string{"SS", "NS", "BS"}, name) {
				slices.SortFunc(list, func(a, b any) int { return strings.Compare(fmt.Sprint(a), fmt.Sprint(b)) })
				continue
			}
			sortSets(e)
		}
	}
}

// names returns the attributes of an item: those of the key first, then the others in order.
func (i item) names(k keySet) []string {
	var first, rest []string
	for _, a := range k.all() {
		if _, ok := i[a.Name]; ok && !slices.Contains(first, a.Name) {
			first = append(first, a.Name)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(i)) {
		if !slices.Contains(first, name) {
			rest = append(rest, name)
		}
	}
	return append(first, rest...)
}

// json returns the item in DynamoDB's JSON, in the order of names, with each attribute on one line if it fits.
func (i item) json(k keySet) string {
	var b strings.Builder
	b.WriteString("{")
	for n, name := range i.names(k) {
		if n > 0 {
			b.WriteString(",")
		}
		quoted, err := marshal(name)
		if err != nil {
			quoted = []byte(strconv.Quote(name))
		}
		fmt.Fprintf(&b, "\n  %s: %s", quoted, valueText(i[name]))
	}
	b.WriteString("\n}")
	return b.String()
}

// valueText returns a value on one line if it is short, otherwise indented.
func valueText(raw json.RawMessage) string {
	const lineLength = 100
	if len(raw) <= lineLength {
		return string(raw)
	}
	var b bytes.Buffer
	if json.Indent(&b, raw, "  ", "  ") != nil {
		return string(raw)
	}
	return b.String()
}

// keyOf returns the part of an item that is its key.
func (i item) keyOf(k keySet) item {
	key := make(item)
	for _, a := range k.all() {
		if raw, ok := i[a.Name]; ok {
			key[a.Name] = raw
		}
	}
	return key
}

// compact returns the item on one line, for URLs and hidden fields.
func (i item) compact() string {
	text, err := marshal(i)
	if err != nil {
		return ""
	}
	return string(text)
}

// keyWords describes a key in words, for titles.
func (i item) keyWords(k keySet) string {
	var words []string
	for _, a := range k.all() {
		words = append(words, a.Name+" "+typeOf(i[a.Name]).text())
	}
	return strings.Join(words, ", ")
}
