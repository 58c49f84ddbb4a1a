// SPDX-License-Identifier: Apache-2.0

package value_test

import (
	"bytes"
	"testing"

	"pgregory.net/rapid"

	"github.com/dynamotable/ddb/ddbtest/internal/value"
)

// Pick returns the same attributes as decoding the item, for all names and values.
func TestPickProperty(t *testing.T) {
	name := rapid.SampledFrom([]string{"a", "b", "c d", `"`, `\`, `}`, "é", "\n", ""})
	rapid.Check(t, func(t *rapid.T) {
		item := value.Item{}
		for range rapid.IntRange(0, 6).Draw(t, "attributes") {
			item[name.Draw(t, "attribute")] = genValue(2).Draw(t, "value")
		}
		image := value.AppendItem(nil, item)
		names := rapid.SliceOfNDistinct(name, 1, 4, rapid.ID).Draw(t, "names")
		got := value.Item{}
		others, err := value.Pick(got, image, names)
		if err != nil {
			t.Fatalf("%s: %v", image, err)
		}
		found := 0
		for _, name := range names {
			want, has := item[name]
			if v, ok := got[name]; ok != has || has && !value.Equal(v, want) {
				t.Errorf("%s: %q is %v, want %v", image, name, v, want)
			}
			if has {
				found++
			}
		}
		if others != (found < len(item)) || len(got) != found {
			t.Errorf("%s: picked %d of %d attributes, others %v", image, len(got), len(item), others)
		}
	})
}

// Text that is not an item is an error, not a panic, as far as it is parsed.
func TestPickRefuses(t *testing.T) {
	image := []byte(`{"a":{"L":[{"S":"x\"y"},{"N":"1"}]},"b":{"M":{"c":{"BOOL":true}}},"z":{"S":"w"}}`)
	for end := range image {
		if _, err := value.Pick(value.Item{}, image[:end], []string{"y"}); err == nil {
			t.Errorf("%s was accepted", image[:end])
		}
	}
	for _, text := range []string{`[]`, `{"a"}`, `{a:{}}`, `{"a":}`, `{"a":{"S":"x"},}`, `{"a":]}`, `{"y":{"N":"x"}}`, `null`} {
		if _, err := value.Pick(value.Item{}, []byte(text), []string{"y"}); err == nil {
			t.Errorf("%s was accepted", text)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		spoilt := bytes.Clone(image)
		spoilt[rapid.IntRange(0, len(image)-1).Draw(t, "at")] = rapid.Byte().Draw(t, "byte")
		_, _ = value.Pick(value.Item{}, spoilt, []string{"a", "z"})
	})
}
