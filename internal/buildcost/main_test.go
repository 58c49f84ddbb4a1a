// SPDX-License-Identifier: Apache-2.0

package main

import "testing"

// The limits are measured figures, rounded up a little. Raising one needs a decision record: each function costs users
// time at every edit of a package with tables.
const (
	mostFirst    = 700 // functions of a package with one table
	mostFurther  = 500 // and of each further table
	mostImporter = 340 // of a package that only uses another's table
	mostLayer    = 32  // of a package that uses a layer with a table of its own, which is compiled in the layer only
)

func TestFunctions(t *testing.T) {
	b, err := newBuilder(t.Context(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	sources := map[string]string{tables: program("tables", 1, 1), three: program("tables", 3, 1), user: importing}
	for layer := range layers {
		sources[user+layer] = layerUser(layer)
	}
	count, err := b.functions(t.Context(), sources)
	if err != nil {
		t.Fatal(err)
	}
	largest := 0
	for layer := range layers {
		t.Logf("a package that uses %s: %d functions", layer, count[user+layer])
		largest = max(largest, count[user+layer])
	}
	for _, c := range []struct {
		of       string
		is, most int
	}{
		{"the first table", count[tables], mostFirst},
		{"a further table", (count[three] - count[tables]) / 2, mostFurther},
		{"a package that uses another's table", count[user], mostImporter},
		{"a package that uses a layer", largest, mostLayer},
	} {
		t.Logf("%s: %d functions, at most %d", c.of, c.is, c.most)
		if c.is > c.most {
			t.Errorf("%s makes %d functions, at most %d are allowed; go run ./internal/buildcost prints the figures", c.of, c.is, c.most)
		}
		if c.is < c.most*8/10 {
			t.Errorf("%s makes only %d functions: lower its limit of %d", c.of, c.is, c.most)
		}
	}
}
