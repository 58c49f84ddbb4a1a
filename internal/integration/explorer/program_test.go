// SPDX-License-Identifier: Apache-2.0

package explorer_test

import (
	"fmt"
	"iter"
	"slices"
	"strings"
)

const maxCallers = 3

// start is the initial state of the item.
type start uint8

const (
	nothing      start = iota
	item               // as the library stores it
	foreign            // as a program without the library does, without a version
	stale              // as the library stores it, and expired
	staleForeign       // without a version, and expired
)

func (s start) String() string {
	return [...]string{"absent", "present", "foreign", "expired", "expired foreign"}[s]
}

// program has the calls of each caller, in order.
type program struct {
	callers [][]*verb
	start   start
	bad     int  // maximum number of misbehaviours
	silent  bool // whether these include requests without a reply, during which the library may read the item
}

func (p program) String() string {
	var list []string
	for _, c := range p.callers {
		var names []string
		for _, v := range c {
			names = append(names, v.name)
		}
		list = append(list, strings.Join(names, ", "))
	}
	return fmt.Sprintf("%v: %s", p.start, strings.Join(list, " | "))
}

// twins reports for each caller whether it makes the same calls as the previous one.
func (p program) twins() []bool {
	twins := make([]bool, len(p.callers))
	for i := 1; i < len(p.callers); i++ {
		twins[i] = slices.Equal(p.callers[i], p.callers[i-1])
	}
	return twins
}

// programs returns the explored programs, each once regardless of the names of the callers. The small and the most
// revealing ones come first; there are many more than are explored.
func programs(g *protection) iter.Seq[program] {
	if g.layer != nil {
		return slices.Values(g.layer.programs())
	}
	return func(yield func(program) bool) { programsOfItem(g, yield) }
}

// programsOfItem yields the programs of a table.
func programsOfItem(g *protection, yield func(program) bool) {
	all := verbs(g)
	seen := map[string]bool{}
	starts := []start{item, nothing}
	if g.expires {
		starts = []start{stale, item, nothing, staleForeign}
	}
	more := true
	add := func(bad int, silent bool, callers ...[]*verb) {
		if !more {
			return
		}
		callers = slices.Clone(callers)
		slices.SortStableFunc(callers, func(a, b []*verb) int {
			return strings.Compare(program{callers: [][]*verb{a}}.String(), program{callers: [][]*verb{b}}.String())
		})
		for _, s := range starts {
			p := program{callers: callers, start: s, bad: bad, silent: silent}
			name := fmt.Sprint(p, bad, silent)
			if more && !p.idle() && !seen[name] {
				seen[name] = true
				more = yield(p)
			}
		}
	}
	named := func(name string) *verb {
		i := slices.IndexFunc(all, func(v *verb) bool { return v.name == name })
		return all[i]
	}
	for _, a := range all {
		add(1, true, []*verb{a})
	}
	for i, a := range all {
		for _, b := range all[i:] {
			add(1, false, []*verb{a}, []*verb{b})
		}
	}
	// Another caller deletes the item and creates it again.
	create, remove, put := named("Create"), named("DeleteItem(read)"), named("Put(read)")
	for _, a := range all {
		add(1, false, []*verb{a}, []*verb{remove, create})
	}
	basic := all[:basicVerbs]
	for _, a := range basic {
		add(1, true, []*verb{a}, []*verb{put})
		add(1, false, []*verb{a}, []*verb{create}, []*verb{remove})
		add(1, false, []*verb{a}, []*verb{put}, []*verb{remove})
	}
	if g.protects {
		starts = []start{foreign}
		for i, a := range basic {
			for _, b := range basic[i:] {
				add(1, false, []*verb{a}, []*verb{b})
			}
			add(1, false, []*verb{a}, []*verb{remove, create})
		}
		starts = []start{item, nothing, foreign}
	}
	// The rest by size.
	for i, a := range all {
		add(1, false, []*verb{a}, []*verb{named("foreign delete"), create})
		add(2, true, []*verb{a})
		for _, b := range all[i:] {
			add(2, false, []*verb{a}, []*verb{b})
		}
	}
	for i, a := range all {
		for _, b := range all[i:] {
			add(1, true, []*verb{a}, []*verb{b})
		}
	}
	for _, a := range all {
		for _, b := range all {
			add(1, false, []*verb{a, b})
			for _, c := range all {
				add(1, false, []*verb{a, b}, []*verb{c})
			}
		}
	}
	for i, a := range all {
		for j, b := range all[i:] {
			for _, c := range all[i+j:] {
				add(1, false, []*verb{a}, []*verb{b}, []*verb{c})
			}
			for _, c := range all {
				for _, d := range all {
					add(1, false, []*verb{a}, []*verb{b}, []*verb{c, d})
				}
			}
		}
	}
	for i, a := range all {
		for _, b := range all {
			for _, c := range all[i:] {
				for _, d := range all {
					add(1, false, []*verb{a, b}, []*verb{c, d})
				}
			}
		}
	}
}

// idle reports whether a program can have no effect: all callers read first, and no one creates the item.
func (p program) idle() bool {
	if p.start == item || p.start == foreign {
		return false
	}
	for _, c := range p.callers {
		if !c[0].reads {
			return false
		}
	}
	return true
}
