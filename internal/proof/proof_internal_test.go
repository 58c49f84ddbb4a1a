// SPDX-License-Identifier: Apache-2.0

package proof

import (
	"fmt"
	"slices"
	"testing"
)

const (
	ours   = 1000 // the tag of the write whose outcome is unknown
	memory = 4    // number of tags in a revision
)

// world is an item with its history.
type world struct {
	now     State[int]
	deleted bool // now is a tombstone
	lasting bool
	tags    int
	applied bool // our write was
	events  string
}

func (w world) next(tag int) State[int] {
	r := Revision[int]{Tags: make([]int, memory), First: w.now.Revision.First}
	r.Tags[0] = tag
	copy(r.Tags[1:], w.now.Revision.Tags)
	if w.now.Revision.IsZero() {
		r.First = tag
	}
	return State[int]{Stored: true, Revision: r}
}

func (w world) gone() bool { return !w.now.Stored || w.deleted }

// applies reports whether our request, prepared on base, takes effect now.
func (w world) applies(base State[int]) bool {
	if base.Revision.IsZero() {
		return !base.Stored && !w.now.Stored
	}
	return !w.now.Revision.IsZero() && w.now.Revision.Tags[0] == base.Revision.Tags[0]
}

// after returns the world after one more event: another's write, another's delete, our request.
func (w world) after(event byte, base State[int]) (world, bool) {
	w.events += string(event)
	switch event {
	case 'w': // another caller writes, or creates the item
		w.tags++
		w.now, w.deleted = w.next(w.tags), false
		return w, true
	case 'd':
		if w.gone() {
			return w, false
		}
		if w.tags++; w.lasting {
			w.now, w.deleted = w.next(w.tags), true
			return w, true
		}
		w.now = State[int]{}
		return w, true
	}
	if !w.applies(base) {
		return w, false
	}
	w.now, w.deleted, w.applied = w.next(ours), false, true
	return w, true
}

// TestOf tries every sequence of events before and after our write is prepared. Everything proven is true, and
// stays true whatever follows; and our own write is found as long as the item has its tag.
func TestOf(t *testing.T) {
	const before, behind = 3, 7
	found := map[Evidence]int{}
	for _, lasting := range []bool{false, true} {
		for _, start := range histories(world{lasting: lasting}, State[int]{}, "wd", before) {
			base := start.now
			for _, w := range histories(start, base, "wdo", behind) {
				got := Of(base, []int{ours}, w.now, lasting)
				found[got]++
				var wrong string
				switch {
				case got == Applied && !w.applied:
					wrong = "it was not applied"
				case (got == Superseded || got == Pending && (base.Stored || lasting)) && w.applied:
					wrong = "it was applied"
				case got == Superseded && slices.ContainsFunc(histories(w, base, "wdo", 2), func(later world) bool { return later.applied }):
					wrong = "it can still be applied"
				case got == Pending && !w.applies(base):
					wrong = "it cannot be applied now"
				case got == Nothing && w.applied && w.now.Revision.Place(ours) >= 0:
					wrong = "the item names it"
				}
				if wrong != "" {
					t.Fatalf("events %s, of which %s came before; deletes leave tombstones: %v; evidence %d: %s", w.events, start.events, lasting, got, wrong)
				}
			}
		}
	}
	for _, e := range []Evidence{Nothing, Applied, Superseded, Pending} {
		if found[e] == 0 {
			t.Errorf("no sequence gives evidence %d: %v", e, found)
		}
	}
}

// histories returns the worlds after up to n more events.
func histories(w world, base State[int], events string, n int) []world {
	all := []world{w}
	if n == 0 {
		return all
	}
	for _, event := range []byte(events) {
		if next, ok := w.after(event, base); ok {
			all = append(all, histories(next, base, events, n-1)...)
		}
	}
	return all
}

// TestOfTable lists the cases that callers rely on.
func TestOfTable(t *testing.T) {
	rev := func(first int, tags ...int) State[int] {
		return State[int]{Stored: true, Revision: Revision[int]{Tags: tags, First: first}}
	}
	none, plain := State[int]{}, State[int]{Stored: true} // plain is an item that is older than the table's revisions
	for name, c := range map[string]struct {
		base, now State[int]
		lasting   bool
		want      Evidence
	}{
		"ours is the newest":                                            {rev(1, 2, 1), rev(1, ours, 2, 1), false, Applied},
		"others wrote after ours":                                       {rev(1, 2, 1), rev(1, 8, 9, ours, 2), false, Applied},
		"ours was the first of many":                                    {none, rev(ours, 8, 9, 7, 6), false, Applied},
		"nothing has changed":                                           {rev(1, 2, 1), rev(1, 2, 1), false, Pending},
		"another was faster":                                            {rev(1, 2, 1), rev(1, 9, 2, 1), false, Superseded},
		"another was faster than the second write":                      {rev(1, 1), rev(1, 9, 8, 1), false, Superseded},
		"only First still names the base":                               {rev(1, 1), rev(1, 9, 8, 7, 6), false, Nothing},
		"too many others wrote":                                         {rev(1, 2, 1), rev(1, 9, 8, 7, 6), false, Nothing},
		"the item was deleted":                                          {rev(1, 2, 1), none, false, Nothing},
		"the item was created again":                                    {rev(1, 2, 1), rev(9, 9), false, Nothing},
		"the item has lost its revision":                                {rev(1, 2, 1), plain, false, Nothing},
		"no item, no change":                                            {none, none, false, Pending},
		"another caller created the item":                               {none, rev(9, 9), false, Nothing},
		"another caller created the item, and deletes leave tombstones": {none, rev(9, 9), true, Superseded},
		"an item with an unknown first write":                           {none, rev(0, 9), true, Nothing},
		"an item without a revision":                                    {plain, plain, false, Nothing},
		"an item without a revision, written by others":                 {plain, rev(9, 9), true, Nothing},
	} {
		if got := Of(c.base, []int{500, ours}, c.now, c.lasting); got != c.want {
			t.Errorf("%s: %d, want %d", name, got, c.want)
		}
	}
}

func TestPlace(t *testing.T) {
	r := Revision[int]{Tags: []int{5, 4, 0}, First: 1}
	for tag, want := range map[int]int{5: 0, 4: 1, 1: 3, 0: -1, 7: -1} {
		if got := r.Place(tag); got != want {
			t.Error(fmt.Sprint(tag), got, want)
		}
	}
	if (Revision[int]{}).Place(0) != -1 || !(Revision[int]{Tags: make([]int, 2)}).IsZero() {
		t.Error("the zero revision names a write")
	}
}
