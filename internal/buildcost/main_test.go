// SPDX-License-Identifier: Apache-2.0

package main

import "testing"

// The limits are measured figures, rounded up a little. Raising one needs a decision record: functions cost users time at every
// edit of a package with tables, by their number and by their size.
var (
	mostFirst    = code{690, 88 << 10} // a package with one table
	mostFurther  = code{485, 64 << 10} // and each further table
	mostImporter = code{340, 51 << 10} // a package that only uses another's table
	mostLayer    = code{32, 2500}      // a package that uses a layer with a table of its own, which is compiled in the layer only
	mostRepo     = code{115, 40 << 10} // a package with a repository of an event store
)

func TestFunctions(t *testing.T) {
	b, err := newBuilder(t.Context(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	sources := map[string]string{tables: program("tables", 1, 1), three: program("tables", 3, 1), user: importing, user + "repository": repository}
	for layer := range layers {
		sources[user+layer] = layerUser(layer)
	}
	count, err := b.functions(t.Context(), sources)
	if err != nil {
		t.Fatal(err)
	}
	var largest code
	for layer := range layers {
		c := count[user+layer]
		t.Logf("a package that uses %s: %v", layer, c)
		largest = code{max(largest.Functions, c.Functions), max(largest.Bytes, c.Bytes)}
	}
	first := count[tables]
	for _, c := range []struct {
		of       string
		is, most code
	}{
		{"the first table", first, mostFirst},
		{"a further table", code{(count[three].Functions - first.Functions) / 2, (count[three].Bytes - first.Bytes) / 2}, mostFurther},
		{"a package that uses another's table", count[user], mostImporter},
		{"a package that uses a layer", largest, mostLayer},
		{"a package with a repository", count[user+"repository"], mostRepo},
	} {
		t.Logf("%s: %v, at most %v", c.of, c.is, c.most)
		if c.is.Functions > c.most.Functions || c.is.Bytes > c.most.Bytes {
			t.Errorf("%s makes %v, at most %v are allowed; go run ./internal/buildcost prints the figures", c.of, c.is, c.most)
		}
		if c.is.Functions < c.most.Functions*8/10 || c.is.Bytes < c.most.Bytes*8/10 {
			t.Errorf("%s makes only %v: lower its limits of %v", c.of, c.is, c.most)
		}
	}
}
