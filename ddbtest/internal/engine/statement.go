// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"errors"
	"slices"
	"strings"

	"github.com/dynamotable/ddb/ddbtest/internal/expression"
	"github.com/dynamotable/ddb/ddbtest/internal/partiql"
	"github.com/dynamotable/ddb/ddbtest/internal/value"
)

// StatementInput holds the parameters of one PartiQL statement, which every
// operation that executes statements has.
type StatementInput struct {
	Statement                           *string
	Parameters                          []Attribute // nil if absent
	ConsistentRead                      *bool
	ReturnValuesOnConditionCheckFailure *string
}

// maxStatement is the length of a statement.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_ExecuteStatement.html
const maxStatement = 8192

func (in *StatementInput) constraints(c *constraints, prefix string) {
	if c.required(prefix+"statement", in.Statement != nil) {
		c.length(prefix+"statement", *in.Statement, 1, maxStatement)
	}
	if in.Parameters != nil && len(in.Parameters) == 0 {
		c.fail(prefix+"parameters", "[]", false, "Member must have length greater than or equal to 1")
	}
	c.enum(prefix+"returnValuesOnConditionCheckFailure", in.ReturnValuesOnConditionCheckFailure, returnFailedSet)
}

// parse parses the statement.
func (in *StatementInput) parse() (partiql.Statement, error) {
	parameters := make([]value.Value, len(in.Parameters))
	for i, p := range in.Parameters {
		if p.Err != nil {
			return nil, p.Err
		}
		parameters[i] = p.Value
	}
	return partiql.Parse(*in.Statement, parameters)
}

// fingerprint distinguishes statements; see the function fingerprint.
func (in *StatementInput) fingerprint() uint64 {
	sum := hashValue(value.String(*in.Statement))
	for _, p := range in.Parameters {
		sum = mix(sum, hashValue(p.Value))
	}
	return mix(sum, hashValue(value.String(text(in.ReturnValuesOnConditionCheckFailure))))
}

// bindWrite turns a statement that writes, or checks, one item into an action.
func (e *Engine) bindWrite(s partiql.Statement, in *StatementInput, operation string) (*action, error) {
	a := &action{operation: operation, reason: ReasonWrite, returnFailed: is(in.ReturnValuesOnConditionCheckFailure, returnAllOld)}
	name := s.TableName()
	switch s := s.(type) {
	case *partiql.Insert:
		a.kind, a.item, a.condition = actionPut, s.Item, absent{}
		var err error
		if a.size, err = putSize(s.Item); err != nil {
			return nil, err
		}
		return a, e.bindPut(a, &name)
	case *partiql.Delete:
		a.kind = actionDelete
		rest, err := e.bindStatementKey(a, name, s.Where)
		if err != nil {
			return nil, err
		}
		met, err := statementCondition(conditionParameter, rest)
		if err != nil {
			return nil, err
		}
		if met != nil {
			a.condition = unlessAbsent{met}
		}
		return a, e.bindKey(a, &name)
	case *partiql.Update:
		a.kind = actionUpdate
		rest, err := e.bindStatementKey(a, name, s.Where)
		if err != nil {
			return nil, err
		}
		if a.update, err = statementUpdate(s.Changes); err != nil {
			return nil, err
		}
		if a.condition, err = existing(rest); err != nil {
			return nil, err
		}
		return a, e.bindUpdate(a, &name)
	default:
		a.kind = actionCheck
		rest, err := e.bindStatementKey(a, name, s.(*partiql.Select).Where)
		if err != nil {
			return nil, err
		}
		if len(rest) == 0 {
			return nil, errExists
		}
		if a.condition, err = existing(rest); err != nil {
			return nil, err
		}
		return a, e.bindKey(a, &name)
	}
}

// bindStatementKey removes the key of the item from the conditions of a
// statement and returns the other conditions.
//
// https://github.com/floci-io/floci/pull/3798 has measured the texts in a transaction and outside.
func (e *Engine) bindStatementKey(a *action, table string, where partiql.Node) ([]partiql.Node, error) {
	t, err := e.table(table)
	if err != nil {
		return nil, err
	}
	schema := &t.Schema().Key
	key, rest, twice := splitKey(schema, where)
	if a.operation == executeTransaction && a.kind != actionCheck && (twice != "" || key == nil) {
		return nil, invalid(msgKeyMismatch)
	}
	if twice != "" {
		return nil, invalid("Multiple conditions on same key %s. Only single item Update/Insert/Delete are supported", twice)
	}
	if key == nil {
		if a.kind == actionCheck {
			return nil, errExists
		}
		return nil, invalid("Where clause does not contain a mandatory equality on all key attributes")
	}
	a.key = key
	return rest, nil
}

// errExists is the error for an EXISTS that does not read one item with another condition.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/ql-functions.exists.html
var errExists = invalid("EXISTS() must contain a single item read with additional condition")

// splitKey removes an equality on every key attribute from the conditions that
// where joins by AND. The key is nil if an attribute has none; twice is an
// attribute that has two different values.
func splitKey(schema *KeySchema, where partiql.Node) (key value.Item, rest []partiql.Node, twice string) {
	key = make(value.Item, schema.Len())
	for _, n := range partiql.Conjuncts(where) {
		t, ok := keyTermOf(n)
		if !ok || t.Op != expression.OpEqual || !schema.Has(t.Attribute) {
			rest = append(rest, n)
			continue
		}
		v, had := key[t.Attribute]
		if had && !value.Equal(v, t.Values[0]) {
			rest, twice = append(rest, n), t.Attribute
			continue
		}
		key[t.Attribute] = t.Values[0]
	}
	if len(key) < schema.Len() {
		return nil, nil, twice
	}
	return key, rest, twice
}

// mirrored maps operators to those for swapped operands.
var mirrored = map[string]string{"=": "=", "<": ">", "<=": ">=", ">": "<", ">=": "<="}

// keyTermOf returns a condition as one on a key attribute, if it has the form.
func keyTermOf(n partiql.Node) (expression.KeyTerm, bool) {
	var op string
	var operand partiql.Node
	var others []partiql.Node
	switch n := n.(type) {
	case *partiql.Compare:
		op, operand, others = n.Op, n.Left, []partiql.Node{n.Right}
		if _, ok := n.Left.(*partiql.Literal); ok {
			op, operand, others = mirrored[n.Op], n.Right, []partiql.Node{n.Left}
		}
		if mirrored[op] == "" {
			return expression.KeyTerm{}, false
		}
	case *partiql.Between:
		op, operand, others = expression.OpBetween, n.Operand, []partiql.Node{n.Lower, n.Upper}
	case *partiql.In:
		if len(n.List) == 1 {
			op, operand, others = expression.OpEqual, n.Operand, n.List
		}
	case *partiql.Call:
		if n.Name == expression.OpBeginsWith && len(n.Args) == 2 {
			op, operand, others = n.Name, n.Args[0], n.Args[1:]
		}
	}
	name, ok := partiql.Attribute(operand)
	if !ok {
		return expression.KeyTerm{}, false
	}
	t := expression.KeyTerm{Attribute: name, Op: op}
	for _, o := range others {
		l, ok := o.(*partiql.Literal)
		if !ok {
			return expression.KeyTerm{}, false
		}
		t.Values = append(t.Values, l.Value)
	}
	return t, true
}

// statementCondition makes a condition from the conditions of a statement that are not on the
// key. It returns a nil interface if there are none.
func statementCondition(parameter string, parts []partiql.Node) (condition, error) {
	if len(parts) == 0 {
		return nil, nil
	}
	x, err := partiql.Condition(parts)
	if err != nil {
		return nil, err
	}
	params, err := x.Params()
	if err != nil {
		return nil, err
	}
	c, err := expression.ParseCondition(parameter, x.Text, params)
	if err != nil {
		return nil, unnamed(err)
	}
	return c, nil
}

// statementUpdate makes an update from the changes of a statement.
func statementUpdate(changes []partiql.Change) (updater, error) {
	x, err := partiql.Updates(changes)
	if err != nil {
		return nil, err
	}
	params, err := x.Params()
	if err != nil {
		return nil, err
	}
	u, err := expression.ParseUpdate(x.Text, params)
	if err != nil {
		return nil, unnamed(err)
	}
	return u, nil
}

// unnamed removes the name of an expression parameter, which no statement has,
// from an error.
func unnamed(err error) error {
	v, ok := errors.AsType[*value.Error](err)
	if !ok {
		return err
	}
	for _, name := range []string{conditionParameter, filterParameter, updateParameter} {
		if message, found := strings.CutPrefix(v.Message, "Invalid "+name+": "); found {
			return &value.Error{Type: v.Type, Message: message}
		}
	}
	return err
}

// absent is the condition of INSERT.
type absent struct{}

// Eval fails if there is an item.
func (absent) Eval(item value.Item) (bool, error) {
	if item != nil {
		return false, &Error{Type: DuplicateItemException, Message: "Duplicate primary key exists in table"}
	}
	return true, nil
}

// unlessAbsent is the condition of DELETE, which succeeds if there is no item.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/ql-reference.delete.html
type unlessAbsent struct{ condition }

// Eval reports whether the item, if there is one, meets the condition.
func (c unlessAbsent) Eval(item value.Item) (bool, error) {
	if item == nil {
		return true, nil
	}
	return c.condition.Eval(item)
}

// present is the condition of UPDATE and of EXISTS: there is an item and it
// meets the other conditions.
type present struct {
	rest condition // nil if there is none
}

func existing(parts []partiql.Node) (condition, error) {
	rest, err := statementCondition(conditionParameter, parts)
	return present{rest}, err
}

// Eval reports whether there is an item that meets the other conditions.
func (c present) Eval(item value.Item) (bool, error) {
	if item == nil || c.rest == nil {
		return item != nil, nil
	}
	return c.rest.Eval(item)
}

// columns are the paths that a SELECT returns.
type columns []partiql.Path

// Apply returns the values at the paths, each under the last name of its path and
// the indexes after it.
func (c columns) Apply(item value.Item) value.Item {
	part := make(value.Item, len(c))
	for _, path := range c {
		if v := path.Lookup(item); v != nil {
			part[path.Label()] = v
		}
	}
	return part
}

// Attributes returns the top-level attributes of the paths.
func (c columns) Attributes() []string {
	var names []string
	for _, path := range c {
		if !slices.Contains(names, path[0].Name) {
			names = append(names, path[0].Name)
		}
	}
	return names
}

// projectionOfColumns returns a nil interface for all attributes.
func projectionOfColumns(paths []partiql.Path) projection {
	if paths == nil {
		return nil
	}
	return columns(paths)
}
