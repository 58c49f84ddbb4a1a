// SPDX-License-Identifier: Apache-2.0

package page

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// search is the content of the search form of a table. Each of its fields is a parameter of the URL, so a search is a link.
type search struct {
	Index      string
	Partition  []string // texts by attribute of the partition key; all empty for a scan
	Op         string   // the condition on the last of the given sort attributes
	Sort       []string // texts by attribute of the sort key; those before the last must be equal
	To         string   // the upper bound of between
	Filters    []filter
	Limit      int // items to read, 0 for as many as one request returns
	Descending bool
	Consistent bool
	After      string // the key after which the page begins, in JSON

	keys  keySet
	local bool
}

// filter is a condition on an attribute that is not part of the key.
type filter struct{ Path, Op, Type, Value, To string }

// operator is a condition that can be selected.
type operator struct{ Name, Title string }

var sortOperators = []operator{
	{"=", "="}, {"begins_with", "begins with"}, {"<", "<"}, {"<=", "≤"}, {">", ">"}, {">=", "≥"}, {"between", "between"},
}

var filterOperators = []operator{
	{"=", "="}, {"<>", "≠"}, {"<", "<"}, {"<=", "≤"}, {">", ">"}, {">=", "≥"}, {"between", "between"}, {"begins_with", "begins with"},
	{"contains", "contains"}, {"not contains", "does not contain"}, {"attribute_exists", "exists"}, {"attribute_not_exists", "does not exist"},
	{"attribute_type", "has the type"},
}

var limits = []int{25, 100, 1000, 0}

const (
	plainLimit    = 25
	filteredLimit = 1000 // few of the items that are read may match
	maxFilters    = 10
)

// readSearch reads the parameters of a URL, and reports everything that is wrong with them.
func readSearch(t *table, q url.Values) (s search, problems []string) {
	s = search{Index: q.Get("index"), Op: q.Get("op"), To: q.Get("to"), Descending: q.Get("desc") != "", Consistent: q.Get("consistent") != "", After: q.Get("after")}
	s.keys = t.key()
	if s.Index != "" {
		x, local, ok := t.find(s.Index)
		if !ok {
			problems = append(problems, fmt.Sprintf("the table has no index %q that can be queried", s.Index))
			s.Index = ""
		} else {
			s.keys, s.local = t.keySet(x.KeySchema), local
		}
	}
	for i := range s.keys.Partition {
		s.Partition = append(s.Partition, q.Get("p"+strconv.Itoa(i)))
	}
	for i := range s.keys.Sort {
		s.Sort = append(s.Sort, q.Get("s"+strconv.Itoa(i)))
	}
	if s.Op == "" {
		s.Op = "="
	}
	if !slices.ContainsFunc(sortOperators, func(o operator) bool { return o.Name == s.Op }) {
		problems = append(problems, fmt.Sprintf("%q is no condition on a sort key", s.Op))
	}
	for i := range maxFilters {
		n := strconv.Itoa(i)
		f := filter{Path: q.Get("f" + n), Op: q.Get("fop" + n), Type: q.Get("ft" + n), Value: q.Get("fv" + n), To: q.Get("fto" + n)}
		if f.Path == "" {
			continue
		}
		if f.Op == "" {
			f.Op = "="
		}
		if f.Type == "" {
			f.Type = "S"
		}
		s.Filters = append(s.Filters, f)
	}
	s.Limit = plainLimit
	if len(s.Filters) > 0 {
		s.Limit = filteredLimit
	}
	if text := q.Get("limit"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil || n < 0 {
			problems = append(problems, fmt.Sprintf("%q is no number of items to read", text))
		} else {
			s.Limit = n
		}
	}
	if s.Consistent && s.Index != "" && !s.local {
		problems = append(problems, "a global index has no consistent reads")
	}
	return s, problems
}

// params returns the parameters of the URL of a search, without the cursor.
func (s *search) params() []string {
	params := []string{"index", s.Index}
	for i, text := range s.Partition {
		params = append(params, "p"+strconv.Itoa(i), text)
	}
	for i, text := range s.Sort {
		params = append(params, "s"+strconv.Itoa(i), text)
	}
	if s.lastSort() >= 0 && s.Op != "=" {
		params = append(params, "op", s.Op, "to", s.To)
	}
	for i, f := range s.Filters {
		n := strconv.Itoa(i)
		params = append(params, "f"+n, f.Path, "fop"+n, f.Op, "ft"+n, f.Type, "fv"+n, f.Value, "fto"+n, f.To)
	}
	if s.Descending {
		params = append(params, "desc", "1")
	}
	if s.Consistent {
		params = append(params, "consistent", "1")
	}
	return append(params, "limit", strconv.Itoa(s.Limit))
}

// lastSort returns the index of the last sort attribute that has a text, -1 for none.
func (s *search) lastSort() int {
	for i, text := range slices.Backward(s.Sort) {
		if text != "" {
			return i
		}
	}
	return -1
}

// isQuery reports whether a partition key is given; otherwise the search is a scan.
func (s *search) isQuery() bool {
	return slices.ContainsFunc(s.Partition, func(text string) bool { return text != "" })
}

// readRequest is a Query or a Scan. Its parameters have the order of the documentation.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_Query.html
type readRequest struct {
	TableName              string
	IndexName              string `json:",omitempty"`
	KeyConditionExpression string `json:",omitempty"`
	FilterExpression       string `json:",omitempty"`
	placeholders
	ScanIndexForward       *bool           `json:",omitempty"`
	ConsistentRead         bool            `json:",omitempty"`
	Limit                  int             `json:",omitempty"`
	ExclusiveStartKey      json.RawMessage `json:",omitempty"`
	ReturnConsumedCapacity string
}

// placeholders are the placeholders in the expressions of a request.
type placeholders struct {
	ExpressionAttributeNames  map[string]string          `json:",omitempty"`
	ExpressionAttributeValues map[string]json.RawMessage `json:",omitempty"`
}

// name returns the placeholder of an attribute name.
func (r *placeholders) name(attr string) string {
	for placeholder, name := range r.ExpressionAttributeNames {
		if name == attr {
			return placeholder
		}
	}
	placeholder := "#" + strconv.Itoa(len(r.ExpressionAttributeNames))
	if r.ExpressionAttributeNames == nil {
		r.ExpressionAttributeNames = make(map[string]string)
	}
	r.ExpressionAttributeNames[placeholder] = attr
	return placeholder
}

// value returns the placeholder of a value.
func (r *placeholders) value(v json.RawMessage) string {
	placeholder := ":" + strconv.Itoa(len(r.ExpressionAttributeValues))
	if r.ExpressionAttributeValues == nil {
		r.ExpressionAttributeValues = make(map[string]json.RawMessage)
	}
	r.ExpressionAttributeValues[placeholder] = v
	return placeholder
}

// request returns the request of a search.
func (s *search) request(t *table) (operation string, r *readRequest, problems []string) {
	r = &readRequest{TableName: t.TableName, IndexName: s.Index, ConsistentRead: s.Consistent, Limit: s.Limit, ReturnConsumedCapacity: "TOTAL"}
	operation = "Scan"
	add := func(err error, of string) {
		if err != nil {
			problems = append(problems, fmt.Sprintf("%s: %v", of, err))
		}
	}
	last := s.lastSort()
	switch {
	case s.isQuery():
		operation = "Query"
		var conditions []string
		for i, a := range s.keys.Partition {
			if s.Partition[i] == "" {
				problems = append(problems, a.Name+": a query gives all attributes of the partition key")
				continue
			}
			v, err := valueOf(a.Type, s.Partition[i])
			add(err, a.Name)
			conditions = append(conditions, r.name(a.Name)+" = "+r.value(v))
		}
		for i := 0; i <= last; i++ {
			condition, err := s.sortCondition(r, i, i == last)
			add(err, s.keys.Sort[i].Name)
			conditions = append(conditions, condition)
		}
		r.KeyConditionExpression = strings.Join(conditions, " AND ")
		if s.Descending {
			r.ScanIndexForward = new(bool)
		}
	case last >= 0:
		problems = append(problems, "a condition on the sort key needs the partition key; without it, give a filter")
	case s.Descending:
		problems = append(problems, "a scan has no order; give the partition key")
	}
	var filters []string
	for _, f := range s.Filters {
		text, err := f.expression(&r.placeholders)
		add(err, "filter on "+f.Path)
		filters = append(filters, text)
		if name, _ := parsePath(f.Path); operation == "Query" && len(name) == 1 && s.keys.has(name[0].name) {
			problems = append(problems, fmt.Sprintf("filter on %s: it is part of the key; give it there", f.Path))
		}
	}
	r.FilterExpression = strings.Join(filters, " AND ")
	if s.After != "" {
		start, wrong := parseItem(s.After)
		for _, w := range wrong {
			problems = append(problems, "the cursor: "+w)
		}
		r.ExclusiveStartKey = json.RawMessage(start.compact())
	}
	return operation, r, problems
}

func (s *search) sortCondition(r *readRequest, i int, last bool) (string, error) {
	a := s.keys.Sort[i]
	if s.Sort[i] == "" {
		return "", errors.New("the attributes of the sort key before the last that is given must be given, too")
	}
	v, err := valueOf(a.Type, s.Sort[i])
	if err != nil {
		return "", err
	}
	name, low := r.name(a.Name), r.value(v)
	switch {
	case !last || s.Op == "=":
		return name + " = " + low, nil
	case s.Op == "begins_with" && a.Type == "N":
		return "", errors.New("a number has no beginning; use another condition")
	case s.Op == "begins_with":
		return "begins_with(" + name + ", " + low + ")", nil
	case s.Op == "between":
		if s.To == "" {
			return "", errors.New("between needs a second value")
		}
		high, err := valueOf(a.Type, s.To)
		if err != nil {
			return "", err
		}
		return name + " BETWEEN " + low + " AND " + r.value(high), nil
	}
	return name + " " + s.Op + " " + low, nil
}

func (f filter) expression(r *placeholders) (string, error) {
	steps, err := parsePath(f.Path)
	if err != nil {
		return "", err
	}
	var path strings.Builder
	for i, s := range steps {
		switch {
		case s.name == "":
			fmt.Fprintf(&path, "[%d]", s.element)
			continue
		case i > 0:
			path.WriteString(".")
		}
		path.WriteString(r.name(s.name))
	}
	name := path.String()
	switch f.Op {
	case "attribute_exists", "attribute_not_exists":
		return f.Op + "(" + name + ")", nil
	case "attribute_type":
		v, err := valueOf("S", f.Value)
		return "attribute_type(" + name + ", " + r.value(v) + ")", err
	}
	v, err := valueOf(f.Type, f.Value)
	if err != nil {
		return "", err
	}
	low := r.value(v)
	switch f.Op {
	case "begins_with", "contains":
		return f.Op + "(" + name + ", " + low + ")", nil
	case "not contains":
		return "NOT contains(" + name + ", " + low + ")", nil
	case "between":
		high, err := valueOf(f.Type, f.To)
		return name + " BETWEEN " + low + " AND " + r.value(high), err
	case "=", "<>", "<", "<=", ">", ">=":
		return name + " " + f.Op + " " + low, nil
	}
	return "", fmt.Errorf("%q is no condition", f.Op)
}

// step is a part of a path: a name, or the index of an element if the name is empty.
type step struct {
	name    string
	element int
}

// parsePath parses a path such as address.city or lines[0].sku. A name with dots or brackets must be in double quotes.
func parsePath(text string) (steps []step, err error) {
	wrong := fmt.Errorf("%q is not a path; write a path like address.city or lines[0].sku, and put names with dots in double quotes", text)
	rest := text
	for first := true; rest != ""; first = false {
		switch {
		case rest[0] == '[':
			inside, behind, ok := strings.Cut(rest[1:], "]")
			n, err := strconv.Atoi(inside)
			if !ok || err != nil || n < 0 || first {
				return nil, wrong
			}
			steps, rest = append(steps, step{element: n}), behind
			continue
		case !first && rest[0] != '.':
			return nil, wrong
		case !first:
			rest = rest[1:]
		}
		var name string
		if strings.HasPrefix(rest, `"`) {
			quoted, err := strconv.QuotedPrefix(rest)
			if err != nil {
				return nil, wrong
			}
			if name, err = strconv.Unquote(quoted); err != nil {
				return nil, wrong
			}
			rest = rest[len(quoted):]
		} else {
			end := strings.IndexAny(rest, ".[")
			if end < 0 {
				end = len(rest)
			}
			name, rest = rest[:end], rest[end:]
		}
		if name == "" {
			return nil, wrong
		}
		steps = append(steps, step{name: name})
	}
	if len(steps) == 0 {
		return nil, wrong
	}
	return steps, nil
}
