// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"errors"
	"regexp"
	"strconv"
	"strings"

	"github.com/dynamotable/ddb/ddbtest/internal/value"
)

// maxReported is the number of failures that one message lists.
const maxReported = 10

// Value sets of enumerated members, in the service's order.
const (
	capacitySet     = "[INDEXES, TOTAL, NONE]"
	metricsSet      = "[SIZE, NONE]"
	returnSet       = "[ALL_NEW, UPDATED_OLD, ALL_OLD, NONE, UPDATED_NEW]"
	returnFailedSet = "[ALL_OLD, NONE]"
	selectSet       = "[SPECIFIC_ATTRIBUTES, COUNT, ALL_ATTRIBUTES, ALL_PROJECTED_ATTRIBUTES]"
	operatorSet     = "[OR, AND]"
)

// constraints collects violations of the rules for single
// parameters: presence, length, pattern, range and value set.
// The service reports them together, before any other check.
type constraints struct {
	failures []string
}

// err returns the ValidationException for the collected violations, or nil.
func (c *constraints) err() error {
	n := len(c.failures)
	if n == 0 {
		return nil
	}
	noun := " validation errors detected: "
	if n == 1 {
		noun = " validation error detected: "
	}
	return &Error{
		Type:    ValidationException,
		Message: strconv.Itoa(n) + noun + strings.Join(c.failures[:min(n, maxReported)], "; "),
	}
}

// first returns the ValidationException for the first failure only, or nil.
func (c *constraints) first() error {
	c.failures = c.failures[:min(len(c.failures), 1)]
	return c.err()
}

// Constraints checks the parameters of operations for other packages.
type Constraints struct{ c constraints }

// Err returns the ValidationException for the violations, or nil.
func (c *Constraints) Err() error { return c.c.err() }

// Required fails if present is false, and returns it.
func (c *Constraints) Required(path string, present bool) bool { return c.c.required(path, present) }

// Enum fails if s is neither null nor in set, which is a list in brackets.
func (c *Constraints) Enum(path string, s *string, set string) { c.c.enum(path, s, set) }

// Length fails if s is shorter or longer than allowed.
func (c *Constraints) Length(path, s string, shortest, longest int) {
	c.c.length(path, s, shortest, longest)
}

// Range fails if n is present and not from low to high.
func (c *Constraints) Range(path string, n *int64, low, high int64) {
	c.c.atLeast(path, n, low)
	c.c.atMost(path, n, high)
}

// TableName checks the parameter that names a table.
func (c *Constraints) TableName(path string, name *string) { c.c.describedName(path, name) }

// enveloped converts an error of the request itself to the form in which PutItem,
// UpdateItem and DeleteItem report it. Errors of values without a type or with several, and errors that
// depend on the table, keep their form.
//
// https://github.com/nubo-db/dynoxide/pull/152 has measured which errors.
func enveloped(err error) error {
	if v, ok := errors.AsType[*value.Error](err); ok && v.Structural() {
		return err
	}
	e := AsError(err)
	if e.Type != ValidationException || e.bare {
		return err
	}
	return invalid("1 validation error detected: %s", e.Message)
}

// fail records that the value at path violates a rule. The value is quoted unless
// it is null.
func (c *constraints) fail(path, text string, null bool, rule string) {
	if null {
		text = "null"
	} else {
		text = "'" + text + "'"
	}
	c.failures = append(c.failures, "Value "+text+" at '"+path+"' failed to satisfy constraint: "+rule)
}

// failUnquoted records that the value at path violates a rule, in the form of
// operations that do not repeat the value.
func (c *constraints) failUnquoted(path, rule string) {
	c.failures = append(c.failures, "Value at '"+path+"' failed to satisfy constraint: "+rule)
}

// required fails if present is false.
func (c *constraints) required(path string, present bool) bool {
	if !present {
		c.fail(path, "", true, "Member must not be null")
	}
	return present
}

// enum fails if s is neither null nor in set, which is a list in brackets.
func (c *constraints) enum(path string, s *string, set string) {
	if s == nil || inSet(*s, set) {
		return
	}
	c.fail(path, *s, false, "Member must satisfy enum value set: "+set)
}

func inSet(s, set string) bool {
	rest := set[1 : len(set)-1]
	for rest != "" {
		var one string
		one, rest, _ = strings.Cut(rest, ", ")
		if one == s {
			return true
		}
	}
	return false
}

// length fails if s is shorter or longer than allowed; a limit of 0 does not
// apply.
func (c *constraints) length(path, s string, shortest, longest int) {
	if len(s) < shortest {
		c.fail(path, s, false, "Member must have length greater than or equal to "+strconv.Itoa(shortest))
	}
	if longest > 0 && len(s) > longest {
		c.fail(path, s, false, "Member must have length less than or equal to "+strconv.Itoa(longest))
	}
}

// pattern fails unless the pattern matches all of s.
func (c *constraints) pattern(path, s string, re *regexp.Regexp) {
	if !re.MatchString(s) {
		c.fail(path, s, false, "Member must satisfy regular expression pattern: "+namePattern)
	}
}

// atLeast fails if n is present and less than low.
func (c *constraints) atLeast(path string, n *int64, low int64) {
	if n != nil && *n < low {
		c.fail(path, strconv.FormatInt(*n, 10), false, "Member must have value greater than or equal to "+strconv.FormatInt(low, 10))
	}
}

// atMost fails if n is present and greater than high.
func (c *constraints) atMost(path string, n *int64, high int64) {
	if n != nil && *n > high {
		c.fail(path, strconv.FormatInt(*n, 10), false, "Member must have value less than or equal to "+strconv.FormatInt(high, 10))
	}
}

const namePattern = "[a-zA-Z0-9_.-]+"

var nameExpression = regexp.MustCompile("^" + namePattern + "$")

// newName checks the name of a new table or index.
func (c *constraints) newName(path string, name *string) {
	if !c.required(path, name != nil) {
		return
	}
	c.pattern(path, *name, nameExpression)
	c.length(path, *name, 3, 255)
}

// tableName checks the parameter that names the table of a request, which may
// be an ARN as well.
//
// https://github.com/nubo-db/dynoxide/issues/11 has the text for an empty name,
// https://github.com/scylladb/scylladb/pull/12608 that for wrong ones and
// https://github.com/ExtendDB/extenddb/pull/14 those for other lengths.
func (c *constraints) tableName(path string, name *string) {
	switch {
	case !c.required(path, name != nil):
	case *name == "" || strings.HasPrefix(*name, "arn:"):
		c.length(path, *name, 1, 1024)
	default:
		if !validNameBytes(*name) {
			c.pattern(path, *name, nameExpression)
		}
		c.length(path, *name, 3, 255)
	}
}

// checkTable returns the error of a table's name, which the service
// reports first and alone.
//
// Dynoxide has measured it for its version 0.11.2.
func checkTable(name *string) error {
	var c constraints
	c.tableName("tableName", name)
	return c.err()
}

// tablePresent fails if an operation on a table does not name one, which the
// service reports first.
//
// https://github.com/aws/aws-sdk-java/issues/977 has it for DescribeTable.
func tablePresent(name *string) error {
	if name == nil {
		return invalid("The parameter 'TableName' is required but was not present in the request")
	}
	return nil
}

// describedName checks the parameter that names the table of an operation on
// the table itself.
func (c *constraints) describedName(path string, name *string) {
	if name != nil && strings.HasPrefix(*name, "arn:") {
		c.length(path, *name, 1, 1024)
		return
	}
	c.presentName(path, name)
}

// presentName checks the name of a table or an index in a request where the service reports its length before its
// characters.
//
// https://github.com/aws-controllers-k8s/dynamodb-controller/tree/main/docs/api-quirks (DDB-TABLE-457)
func (c *constraints) presentName(path string, name *string) {
	if c.required(path, name != nil) {
		c.length(path, *name, 3, 255)
		c.pattern(path, *name, nameExpression)
	}
}

// indexName checks the parameter that names the index of a request.
func (c *constraints) indexName(path string, name *string) {
	if name == nil {
		return
	}
	if !validNameBytes(*name) {
		c.pattern(path, *name, nameExpression)
	}
	c.length(path, *name, 3, 255)
}

// validName reports whether a table or an index can have the name.
func validName(name string) bool {
	return len(name) >= 3 && len(name) <= 255 && validNameBytes(name)
}

func validNameBytes(name string) bool {
	for i := range len(name) {
		c := name[i]
		switch {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', c == '_', c == '-', c == '.':
		default:
			return false
		}
	}
	return name != ""
}
