// SPDX-License-Identifier: Apache-2.0

package storage_test

import (
	"maps"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/dynamotable/ddb/ddbtest/internal/storage"
)

// Applying many changes at once has the same result as applying them one by one, in an empty set and in a full one.
func TestApplyProperty(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		set, model := storage.NewSet(), map[string]*storage.Item{}
		key := rapid.StringOfN(rapid.SampledFrom([]rune{0, 'a', 'b', 0x3f, 0x40, 0x7f, 'é'}), 0, 10, -1)
		for range rapid.IntRange(1, 4).Draw(t, "rounds") {
			var changes []storage.Change
			for range rapid.IntRange(0, 60).Draw(t, "changes") {
				c := storage.Change{Key: key.Draw(t, "key")}
				if rapid.Bool().Draw(t, "put") {
					c.Item = &storage.Item{Size: rapid.IntRange(1, 9).Draw(t, "size")}
					model[c.Key] = c.Item
				} else {
					delete(model, c.Key)
				}
				changes = append(changes, c)
			}
			set.Apply(changes)
			compare(t, set, model)
		}
		set.Clear()
		compare(t, set, nil)
		set.Apply([]storage.Change{{Key: "x", Item: &storage.Item{Size: 3}}})
		compare(t, set, map[string]*storage.Item{"x": set.Get("x")})
	})
}

func compare(t *rapid.T, set *storage.Set, model map[string]*storage.Item) {
	bytes := int64(0)
	for _, item := range model {
		bytes += int64(item.Size)
	}
	var keys []string
	set.Walk(storage.Range{}, func(key string, item *storage.Item) bool {
		if item != model[key] {
			t.Errorf("%q holds another item", key)
		}
		keys = append(keys, key)
		return true
	})
	if want := slices.Sorted(maps.Keys(model)); !slices.Equal(keys, want) {
		t.Errorf("keys are %q, want %q", keys, want)
	}
	if set.Len() != int64(len(model)) || set.Bytes() != bytes {
		t.Errorf("%d items of %d bytes, want %d of %d", set.Len(), set.Bytes(), len(model), bytes)
	}
}
