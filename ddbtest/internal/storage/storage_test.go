// SPDX-License-Identifier: Apache-2.0

package storage_test

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/dynamotable/ddb/ddbtest/internal/storage"
)

// keys draws keys that share prefixes and are in several partitions.
var keys = rapid.Custom(func(t *rapid.T) string {
	return string(rapid.SliceOfN(rapid.SampledFrom([]byte{0, 1, 0x40, 0x7f, 0xc0, 0xff}), 1, 3).Draw(t, "key"))
})

func TestWalkAgainstSortedKeys(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		set, model := storage.NewSet(), map[string]int{}
		for range rapid.IntRange(0, 60).Draw(t, "writes") {
			key := keys.Draw(t, "write")
			if rapid.IntRange(0, 3).Draw(t, "delete") == 0 {
				_, had := model[key]
				if old := set.Delete(key); (old != nil) != had {
					t.Fatalf("deleting %q returned %v", key, old)
				}
				delete(model, key)
				continue
			}
			size := rapid.IntRange(1, 9).Draw(t, "size")
			set.Put(key, &storage.Item{Size: size})
			model[key] = size
		}
		total := int64(0)
		for key, size := range model {
			total += int64(size)
			if item := set.Get(key); item == nil || item.Size != size {
				t.Fatalf("%q holds %v, want size %d", key, item, size)
			}
		}
		if set.Len() != int64(len(model)) || set.Bytes() != total {
			t.Fatalf("the set counts %d items of %d bytes, want %d of %d", set.Len(), set.Bytes(), len(model), total)
		}

		r := storage.Range{Low: keys.Draw(t, "low"), Reverse: rapid.Bool().Draw(t, "reverse")}
		if rapid.Bool().Draw(t, "bounded") {
			r.High = keys.Draw(t, "high")
		}
		if rapid.Bool().Draw(t, "resumed") {
			r.After = keys.Draw(t, "after")
		}
		limit := rapid.IntRange(1, 10).Draw(t, "limit")
		var want, got []string
		for key := range model {
			behind := r.After == "" || !r.Reverse && key > r.After || r.Reverse && key < r.After
			if key >= r.Low && (r.High == "" || key < r.High) && behind {
				want = append(want, key)
			}
		}
		slices.Sort(want)
		if r.Reverse {
			slices.Reverse(want)
		}
		want = want[:min(limit, len(want))]
		set.Walk(r, func(key string, item *storage.Item) bool {
			if item.Size != model[key] {
				t.Fatalf("the walk found %v at %q", item, key)
			}
			got = append(got, key)
			return len(got) < limit
		})
		if diff := cmp.Diff(want, got); diff != "" && len(want)+len(got) > 0 {
			t.Fatalf("%+v, at most %d: %s", r, limit, diff)
		}
	})
}

func TestPrefixEnd(t *testing.T) {
	for prefix, want := range map[string]string{"": "", "a": "b", "a\xff": "b", "\xff\xff": "", "a\x00": "a\x01"} {
		if got := storage.PrefixEnd(prefix); got != want {
			t.Errorf("PrefixEnd(%q) = %q, want %q", prefix, got, want)
		}
	}
}

func TestMarks(t *testing.T) {
	p := storage.NewSet().Partition("a")
	if p.Marked("a") || !p.Mark("a") || p.Mark("a") || !p.Marked("a") || p.Marked("b") {
		t.Error("a second mark was set")
	}
	p.Unmark("a")
	if p.Marked("a") || !p.Mark("a") {
		t.Error("a mark was not released")
	}
}
