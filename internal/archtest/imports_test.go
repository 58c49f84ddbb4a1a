// SPDX-License-Identifier: Apache-2.0

package archtest_test

import (
	"slices"
	"strings"
	"testing"
)

// The repository's parts. Folders that are not listed here are layers.
const (
	rootDir    = ""
	internals  = "internal"
	leases     = internals + "/lease"
	repeats    = internals + "/repeat"
	lengths    = internals + "/longtest"
	engine     = "ddbtest"
	examples   = "examples"
	commands   = "cmd"
	benchmarks = "bench"
)

// foundations are public packages that are independent of the layers. Like the root, they may import internal packages. Those
// above the root import it; the root imports those below it.
var foundations = map[string]bool{ // whether it is above the root
	"ddbclient":  true,
	"entity":     true, // this and the next six are parts of the typed shell, next to the root
	"multikey":   true,
	"vector":     true,
	"rawexpr":    true,
	"collection": true,
	"tableinfo":  true,
	"typeditem":  true,
	"hotkeys":    true,
	"rawtable":   true,
	"keyformat":  false,
	"consumers":  false,
	"cost":       false,
	"attrtype":   false,
	"ddberr":     false,
	"hooks":      false,
	"rawitem":    false,
	"revision":   false,
	"schema":     false,
	"progress":   false,
	"pagetoken":  true,
	"batches":    true,
	"unique":     true,
	"sweep":      true,
	"layerstats": false,
	"job":        true,
}

// untyped are the operations, handles and errors without type parameters, below the root. They use the public types of the foundations
// below the root; all other internal packages are below the foundations, too.
var untyped = []string{internals + "/core", internals + "/handle", internals + "/operr"}

// clientPackages make clients, and so depend on the SDK's credential packages. Programs that bring their own client depend on neither.
var clientPackages = []string{"ddbclient", "grant/grantclient"}

// layerOf returns the layer of a folder: eventstore for eventstore and eventstore/eventstoretest.
func layerOf(dir string) (layer string, ok bool) {
	if dir == rootDir || under(dir, internals, engine, examples, commands, benchmarks) {
		return "", false
	}
	layer, _, _ = strings.Cut(dir, "/")
	_, isFoundation := foundations[layer]
	return layer, !isFoundation
}

// isBelowRoot reports whether a folder is a foundation below the root.
func isBelowRoot(dir string) bool {
	above, ok := foundations[dir]
	return ok && !above
}

// forTests reports whether a folder contains a package for tests: its name ends in "test".
func forTests(dir string) bool {
	return slices.ContainsFunc(strings.Split(dir, "/"), func(element string) bool {
		return strings.HasSuffix(element, "test")
	})
}

func TestImportDirections(t *testing.T) {
	t.Parallel()
	for _, f := range goFiles(t) {
		for _, imported := range f.imports {
			if why := importFault(f, imported); why != "" {
				t.Errorf("%s imports %s: %s", f.name, imported, why)
			}
		}
	}
}

// importFault returns what is wrong with an import, or "".
func importFault(f goFile, imported string) string {
	dir := f.dir()
	if imported == "testing" || strings.HasPrefix(imported, "testing/") {
		if !f.isTest() && !forTests(dir) {
			return "only tests and packages whose name ends in test import the testing packages"
		}
		return ""
	}
	target, ok := local(imported)
	if !ok {
		return ""
	}
	layer, isLayer := layerOf(dir)
	_, isFoundation := foundations[dir]
	targetAbove := foundations[target]
	targetLayer, targetIsLayer := layerOf(target)

	switch {
	case target == lengths && (f.isTest() || dir == internals+"/apitest"):
		return "" // it contains nothing of the library
	case target == lengths:
		return "only tests have a short and a full form"

	case under(dir, commands) && under(target, strings.Join(strings.Split(dir, "/")[:2], "/")):
		return "" // a program's own packages
	case under(target, examples, commands, benchmarks) && !(under(dir, benchmarks) && target == benchmarks):
		return "nothing imports programs"

	case under(target, engine+"/internal"):
		if !under(dir, engine) && dir != commands+"/ddblocal" {
			return "only the engine imports its internal packages"
		}
	case under(dir, engine) && !under(target, engine):
		return "the engine shares no code with the library, tests included, so that it stays an independent check"

	case under(target, engine):
		if !f.isTest() && !under(dir, engine, examples, commands, benchmarks) && !forTests(dir) && f.module == "" {
			return "only tests and examples import the engine"
		}
	case under(dir, untyped...) && isBelowRoot(target):
		return ""
	case under(dir, internals) && !under(target, internals) && f.module == "" && !forTests(dir):
		return "internal packages lie below the root and import nothing above them"
	case under(target, untyped...) && under(dir, internals) && !under(dir, untyped...) && f.module == "" && !forTests(dir):
		return "the untyped core lies above the other internal packages"
	case under(target, untyped...) && isBelowRoot(dir):
		return "the untyped core lies above this package"

	case (target == leases || target == repeats) && isLayer:
		return "" // two layers distribute shards among processes, all of them repeat writes with an unknown outcome, and none imports another
	case dir == commands+"/ddb/internal/structs" && f.isTest() && target == internals+"/codec":
		return "" // its test encodes items of types that exist only at run time, for which the root has no function
	case under(target, internals) && dir != rootDir && !isFoundation && !under(dir, internals):
		return "only the root package and the foundations import internal packages; the root should offer what a layer lacks"

	case slices.Contains(clientPackages, target) && !f.isTest() && !slices.Contains(clientPackages, dir) &&
		(dir == rootDir || isLayer || isFoundation) && !forTests(dir) && f.module == "":
		return "programs that bring their own client do not build the SDK's credential packages"

	case dir == rootDir && (targetIsLayer || targetAbove && !f.isTest()):
		return "the root package lies below the layers"

	case isFoundation && targetIsLayer:
		return "the foundations lie below the layers"

	case isBelowRoot(dir) && target == rootDir && !f.isTest():
		return "this package lies below the root"

	case isLayer && targetIsLayer && layer != targetLayer:
		return "layers never import each other; they meet in the root's transaction items and in interfaces that the consumer declares"
	}
	return ""
}

// TestImportRules tests the rules themselves: each must reject what it is meant to reject.
func TestImportRules(t *testing.T) {
	t.Parallel()
	const library = modulePath
	cases := []struct {
		file, imported string
		allowed        bool
	}{
		{"table.go", library + "/internal/wire", true},
		{"table.go", library + "/ddbtest", false},
		{"table.go", library + "/eventstore", false},
		{"table.go", library + "/ddbclient", false},
		{"table_test.go", library + "/ddbclient", true},
		{"ddbclient/client.go", library, true},
		{"ddbclient/client.go", library + "/internal/retry", true},
		{"ddbclient/client.go", library + "/eventstore", false},
		{"keyformat/field.go", library + "/internal/quiet", true},
		{"keyformat/field.go", library, false},
		{"eventstore/store.go", library + "/consumers", true},
		{"table.go", library + "/hotkeys", false},
		{"eventstore/store.go", library + "/ddbclient", false},
		{"eventstore/store_test.go", library + "/ddbclient", true},
		{"grant/grantclient/open.go", library + "/ddbclient", true},
		{"grant/store.go", library + "/grant/grantclient", false},
		{"table.go", "testing", false},
		{"table_test.go", library + "/ddbtest", true},
		{"table_test.go", "testing/synctest", true},
		{"table_test.go", library + "/ddbtest/internal/value", false},
		{"table_test.go", library + "/eventstore", false},
		{"internal/wire/get.go", library + "/internal/codec", true},
		{"internal/wire/get.go", library, false},
		{"internal/wire/get.go", library + "/ddbtest", false},
		{"internal/codec/plan_test.go", library, false},
		{"internal/core/get.go", library + "/ddberr", true},
		{"internal/core/get.go", library + "/internal/handle", true},
		{"internal/core/get.go", library + "/internal/wire", true},
		{"internal/core/get.go", library, false},
		{"internal/core/get.go", library + "/hotkeys", false},
		{"internal/core/get.go", library + "/eventstore", false},
		{"internal/core/get.go", library + "/ddbtest", false},
		{"internal/core/table_test.go", library + "/ddbtest", true},
		{"internal/handle/condition.go", library + "/attrtype", true},
		{"internal/operr/advice.go", library + "/ddberr", true},
		{"internal/wire/get.go", library + "/ddberr", false},
		{"internal/wire/get.go", library + "/internal/core", false},
		{"ddberr/errors.go", library + "/internal/core", false},
		{"rawtable/open.go", library + "/internal/core", true},
		{"table.go", library + "/internal/core", true},
		{"table.go", library + "/revision", true},
		{"eventstore/store.go", library + "/internal/core", false},
		{"internal/apitest/batch/throttle_test.go", library, true},
		{"internal/apitest/batch/throttle_test.go", library + "/ddbtest", true},
		{"eventstore/store.go", library, true},
		{"eventstore/store.go", library + "/snapshot", false},
		{"eventstore/store.go", library + "/internal/codec", false},
		{"eventstore/store.go", library + "/internal/lease", true},
		{"internal/lease/hold.go", library, false},
		{"eventstore/keys/table.go", library + "/internal/repeat", true},
		{"internal/repeat/repeat.go", library, false},
		{"eventstore/store.go", library + "/ddbtest", false},
		{"eventstore/store_test.go", library + "/ddbtest", true},
		{"eventstore/store_test.go", library + "/snapshot", false},
		{"eventstore/eventstoretest/suite.go", library + "/eventstore", true},
		{"eventstore/eventstoretest/suite.go", "testing", true},
		{"ddbtest/engine.go", "testing", true},
		{"ddbtest/engine.go", library + "/ddbtest/internal/value", true},
		{"ddbtest/engine.go", library, false},
		{"ddbtest/engine_test.go", library, false},
		{"ddbtest/engine_test.go", library + "/internal/codec", false},
		{"cmd/ddblocal/main.go", library + "/ddbtest", true},
		{"cmd/ddb/genhandles.go", library + "/cmd/ddb/internal/handles", true},
		{"cmd/ddblocal/main.go", library + "/cmd/ddb/internal/handles", false},
		{"cmd/ddb/internal/structs/roundtrip_test.go", library + "/internal/codec", true},
		{"cmd/ddb/internal/structs/infer.go", library + "/internal/codec", false},
		{"examples/quickstart/main.go", library + "/ddbtest", true},
		{"examples/quickstart/main.go", library + "/internal/wire", false},
		{"examples/quickstart/main.go", library + "/snapshot", true},
		{"eventstore/store.go", library + "/examples/quickstart", false},
		{"table.go", "context", true},
	}
	for _, c := range cases {
		why := importFault(goFile{name: c.file}, c.imported)
		if (why == "") != c.allowed {
			t.Errorf("%s imports %s: allowed is %v, want %v (%s)", c.file, c.imported, why == "", c.allowed, why)
		}
	}
}
