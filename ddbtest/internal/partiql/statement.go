// SPDX-License-Identifier: Apache-2.0

// Package partiql parses the statements of DynamoDB's dialect of PartiQL.
//
// [Parse] turns the text of a statement and its parameters into one of the
// types [Select], [Insert], [Update] and [Delete], with all
// parameters substituted. A condition or a list of changes can be rendered as an expression
// of package expression, which evaluates it. Package engine executes statements.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/ql-reference.statements.html
package partiql

import (
	"strconv"
	"strings"

	"github.com/dynamotable/ddb/ddbtest/internal/value"
)

// Statement is one of *Select, *Insert, *Update and *Delete. It is immutable.
type Statement interface {
	// TableName returns the name of the table.
	TableName() string
	statement()
}

type (
	// Select reads items of a table or an index.
	Select struct {
		Table string
		Index string // "" for the table itself
		// Columns are the paths to return; nil means all attributes.
		Columns []Path
		Where   Node // nil if there is none
		Order   []Order
		// Exists is true for EXISTS(SELECT ...), the condition check of a
		// transaction.
		Exists bool
	}
	// Insert stores an item that must not exist yet.
	Insert struct {
		Table string
		Item  value.Item
	}
	// Update changes an item that must exist.
	Update struct {
		Table     string
		Changes   []Change
		Where     Node // nil if there is none
		Returning string
	}
	// Delete removes an item, if it exists.
	Delete struct {
		Table     string
		Where     Node // nil if there is none
		Returning string
	}
	// Order is one key of ORDER BY.
	Order struct {
		Attribute  string
		Descending bool
	}
	// Change is one SET or REMOVE.
	Change struct {
		Target Path
		Value  Node // nil for REMOVE
	}
)

// The values of Returning, which are those of ReturnValues.
const (
	AllOld     = "ALL_OLD"
	AllNew     = "ALL_NEW"
	UpdatedOld = "UPDATED_OLD"
	UpdatedNew = "UPDATED_NEW"
)

// TableName returns the name of the table.
func (s *Select) TableName() string { return s.Table }

// TableName returns the name of the table.
func (s *Insert) TableName() string { return s.Table }

// TableName returns the name of the table.
func (s *Update) TableName() string { return s.Table }

// TableName returns the name of the table.
func (s *Delete) TableName() string { return s.Table }

func (*Select) statement() {}
func (*Insert) statement() {}
func (*Update) statement() {}
func (*Delete) statement() {}

// Node is a condition or an operand: one of Path and the types below.
type Node interface{ node() }

type (
	// Step is one step of a document path.
	Step struct {
		Name    string
		Index   int
		IsIndex bool
	}
	// Path is a document path; its first step is a name.
	Path []Step
	// Literal is a value, written out or given as a parameter.
	Literal struct{ Value value.Value }
	// Call is a function call. Name is in lower case.
	Call struct {
		Name string
		Args []Node

		at, firstAt string // the positions of the name and of the first argument
	}
	// Arithmetic is a sum or a difference; only SET allows one, with two operands.
	Arithmetic struct {
		Op          string
		Left, Right Node
	}
	// Compare is a comparison by one of =, <>, <, <=, > and >=.
	Compare struct {
		Op          string
		Left, Right Node
	}
	// Between is BETWEEN.
	Between struct{ Operand, Lower, Upper Node }
	// In is IN with a list.
	In struct {
		Operand Node
		List    []Node
	}
	// Is is IS [NOT] MISSING, or IS [NOT] and a data type.
	Is struct {
		Operand      Node
		Not, Missing bool
		Kinds        []value.Kind // of the data type
	}
	// Not is NOT.
	Not struct{ Condition Node }
	// Junction joins two conditions or more by AND or OR.
	Junction struct {
		Or    bool
		Parts []Node
	}
)

func (Path) node()        {}
func (*Literal) node()    {}
func (*Call) node()       {}
func (*Arithmetic) node() {}
func (*Compare) node()    {}
func (*Between) node()    {}
func (*In) node()         {}
func (*Is) node()         {}
func (*Not) node()        {}
func (*Junction) node()   {}

// Attribute returns the attribute that a node is, if it is one at top level.
func Attribute(n Node) (string, bool) {
	p, ok := n.(Path)
	if !ok || len(p) != 1 {
		return "", false
	}
	return p[0].Name, true
}

// Conjuncts returns the conditions that n joins by AND at the top level; nil for
// nil.
func Conjuncts(n Node) []Node {
	if n == nil {
		return nil
	}
	j, ok := n.(*Junction)
	if !ok || j.Or {
		return []Node{n}
	}
	var parts []Node
	for _, p := range j.Parts {
		parts = append(parts, Conjuncts(p)...)
	}
	return parts
}

// Lookup returns the value at the path, or nil.
func (p Path) Lookup(item value.Item) value.Value {
	v := item[p[0].Name]
	for _, step := range p[1:] {
		switch w := v.(type) {
		case value.Map:
			if step.IsIndex {
				return nil
			}
			v = w[step.Name]
		case value.List:
			if !step.IsIndex || step.Index >= len(w) {
				return nil
			}
			v = w[step.Index]
		default:
			return nil
		}
	}
	return v
}

// Label returns the name under which SELECT returns the value at the path: its
// last name with the indexes after it.
func (p Path) Label() string {
	last := len(p) - 1
	for p[last].IsIndex {
		last--
	}
	var label strings.Builder
	label.WriteString(p[last].Name)
	for _, step := range p[last+1:] {
		label.WriteString("[" + strconv.Itoa(step.Index) + "]")
	}
	return label.String()
}
