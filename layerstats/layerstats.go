// SPDX-License-Identifier: Apache-2.0

// Package layerstats counts what the layers do in this process, such as states that package eventstore loads from a snapshot. The page of package debug
// shows it.
//
//	for _, s := range layerstats.List() {
//		fmt.Println(s.Layer, s.Table, s.Event, s.Count)
//	}
package layerstats

import (
	"cmp"
	"slices"
	"sync"
)

// Stat counts one kind of event of a layer.
type Stat struct {
	Layer string `json:"layer"` // such as snapshot
	Table string `json:"table"`
	Event string `json:"event"` // such as saved
	Count int64  `json:"count"` // since the program began
}

type key struct{ layer, table, event string }

const maxKeys = 500 // counted separately; the rest counts under the table "other"

var stats struct {
	sync.Mutex
	m map[key]int64
}

// Add counts n events of a layer on a table. At most 500 combinations are counted separately; all others count under the table "other". The layers call it;
// programs may call it for their own layers. Event should be one of a few fixed words.
func Add(layer, table, event string, n int64) {
	if n == 0 {
		return
	}
	k := key{layer, table, event}
	stats.Lock()
	defer stats.Unlock()
	if stats.m == nil {
		stats.m = make(map[key]int64)
	}
	if _, known := stats.m[k]; !known && len(stats.m) >= maxKeys {
		k.table = "other"
		if _, known = stats.m[k]; !known && len(stats.m) >= 2*maxKeys {
			k = key{"other", "other", "other"}
		}
	}
	stats.m[k] += n
}

// List returns the counts, sorted by layer, table and event. It sends nothing.
func List() []Stat {
	stats.Lock()
	defer stats.Unlock()
	list := make([]Stat, 0, len(stats.m))
	for k, n := range stats.m {
		list = append(list, Stat{k.layer, k.table, k.event, n})
	}
	slices.SortFunc(list, func(a, b Stat) int {
		return cmp.Or(cmp.Compare(a.Layer, b.Layer), cmp.Compare(a.Table, b.Table), cmp.Compare(a.Event, b.Event))
	})
	return list
}
