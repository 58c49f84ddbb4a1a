// SPDX-License-Identifier: Apache-2.0

package expr

// Update is an update expression: the actions of each clause, in the order in which they were added.
type Update struct {
	Set, Remove, Add, Delete []Action
}

// Clause is a clause of an update expression.
type Clause uint8

// The clauses.
const (
	ClauseSet Clause = iota
	ClauseRemove
	ClauseAdd
	ClauseDelete
)

// Action is one action of an update clause on a path. Right is nil in REMOVE.
type Action struct {
	Path  Path
	Right Node
}

// Arithmetic is left + right or left - right. It is allowed as the right side of SET.
type Arithmetic struct {
	Left  Node
	Op    string
	Right Node
}

func (a Arithmetic) render(w *Writer) {
	a.Left.render(w)
	w.str(" " + a.Op + " ")
	a.Right.render(w)
}

// Empty reports whether the update has no actions.
func (u *Update) Empty() bool {
	return len(u.Set) == 0 && len(u.Remove) == 0 && len(u.Add) == 0 && len(u.Delete) == 0
}

// Paths returns the paths that the update writes.
func (u *Update) Paths() []Path {
	var all []Path
	for _, clause := range [][]Action{u.Set, u.Remove, u.Add, u.Delete} {
		for _, a := range clause {
			all = append(all, a.Path)
		}
	}
	return all
}

// Update returns the text of an update expression, "" for an empty one.
func (w *Writer) Update(u *Update) string {
	w.start()
	w.clause("SET", " = ", u.Set)
	w.clause("REMOVE", "", u.Remove)
	w.clause("ADD", " ", u.Add)
	w.clause("DELETE", " ", u.Delete)
	return text(w.b)
}

func (w *Writer) clause(verb, mid string, actions []Action) {
	for i, a := range actions {
		switch {
		case i > 0:
			w.str(", ")
		case len(w.b) > 0:
			w.str(" ")
			w.str(verb)
			w.str(" ")
		default:
			w.str(verb)
			w.str(" ")
		}
		a.Path.render(w)
		if a.Right != nil {
			w.str(mid)
			a.Right.render(w)
		}
	}
}
