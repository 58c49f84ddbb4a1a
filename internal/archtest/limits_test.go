// SPDX-License-Identifier: Apache-2.0

package archtest_test

import (
	"go/ast"
	"slices"
	"strings"
	"testing"
)

const (
	licenceLines = 2
	maxLines     = 500 + licenceLines
	maxTestLines = 800 + licenceLines
)

// longFiles are exempt from the limit, each for a reason that splitting would not remove.
var longFiles = map[string]string{}

func TestFileSize(t *testing.T) {
	t.Parallel()
	seen := make(map[string]bool)
	for _, f := range goFiles(t) {
		limit := maxLines
		if f.isTest() {
			limit = maxTestLines
		}
		_, excused := longFiles[f.name]
		seen[f.name] = true
		switch {
		case f.lines > limit && !excused:
			t.Errorf("%s has %d lines, the limit is %d: one concept, one file", f.name, f.lines, limit)
		case f.lines <= limit && excused:
			t.Errorf("%s no longer exceeds the limit of %d lines: remove it from the list of exempt files", f.name, limit)
		}
	}
	for name, reason := range longFiles {
		if !seen[name] {
			t.Errorf("%s is exempt (%s) but does not exist", name, reason)
		}
	}
}

// The root package is a typed shell. What few programs need goes into a package of its own, and code without type parameters
// into internal/core (record 24).
const (
	maxRootNames = 190
	maxRootLines = 4500
)

// TestRootSize counts the exported names of the root, without methods and fields, and its lines.
func TestRootSize(t *testing.T) {
	t.Parallel()
	var names []string
	lines := 0
	for _, f := range goFiles(t) {
		if f.dir() != rootDir || f.isTest() {
			continue
		}
		lines += f.lines
		for _, d := range f.syntax.Decls {
			for _, name := range declaredNames(d) {
				if name.IsExported() {
					names = append(names, name.Name)
				}
			}
		}
	}
	if len(names) < maxRootNames/2 || len(names) > maxRootNames {
		t.Errorf("the root has %d exported names, the limit is %d", len(names), maxRootNames)
	}
	if lines > maxRootLines {
		t.Errorf("the root has %d lines, the limit is %d", lines, maxRootLines)
	}
}

// declaredNames returns the names that a declaration gives to the package: none for a method.
func declaredNames(d ast.Decl) (names []*ast.Ident) {
	switch d := d.(type) {
	case *ast.FuncDecl:
		if d.Recv == nil {
			names = append(names, d.Name)
		}
	case *ast.GenDecl:
		for _, spec := range d.Specs {
			switch s := spec.(type) {
			case *ast.TypeSpec:
				names = append(names, s.Name)
			case *ast.ValueSpec:
				names = append(names, s.Names...)
			}
		}
	}
	return names
}

// TestPackageNames rejects names that do not describe the content of the package.
func TestPackageNames(t *testing.T) {
	t.Parallel()
	empty := []string{"util", "utils", "common", "helper", "helpers", "misc", "shared", "base", "lib", "types"}
	for _, f := range goFiles(t) {
		if slices.Contains(empty, strings.TrimSuffix(f.pkgName, "_test")) {
			t.Errorf("%s: package name %s says nothing; name it after what it does", f.name, f.pkgName)
		}
	}
}

// TestNoSleepInTests: a test that sleeps long enough is slow, and one that does not is flaky. Tests wait with channels or
// testing/synctest.
func TestNoSleepInTests(t *testing.T) {
	t.Parallel()
	sleep := "time." + "Sleep("
	for _, f := range goFiles(t) {
		if f.isTest() && strings.Contains(f.source, sleep) {
			t.Errorf("%s sleeps", f.name)
		}
	}
}

// TestUnsafe: only one file of the codec uses package unsafe, and it has a safe alternative with a build tag. The codec's tests
// may name its types, to test that they are rejected.
func TestUnsafe(t *testing.T) {
	t.Parallel()
	var users []string
	for _, f := range goFiles(t) {
		if !slices.Contains(f.imports, "unsafe") {
			continue
		}
		if f.dir() != "internal/codec" {
			t.Errorf("%s imports unsafe; only internal/codec may", f.name)
		}
		if f.isTest() {
			continue
		}
		users = append(users, f.name)
		if !strings.Contains(f.source, "//go:build !ddb_safe") {
			t.Errorf("%s imports unsafe and stays in a build with the tag ddb_safe", f.name)
		}
	}
	if len(users) > 1 {
		t.Errorf("unsafe is imported by %s; only one file may", strings.Join(users, ", "))
	}
}

// TestLicenceLine: tools that gather licences read them file by file (https://spdx.dev/learn/handling-license-info).
func TestLicenceLine(t *testing.T) {
	t.Parallel()
	for _, f := range goFiles(t) {
		if strings.HasPrefix(f.source, "// Code generated ") {
			continue // a generator adds no licence line to the files of its users
		}
		if !quoted(f.name) && !strings.HasPrefix(f.source, "// SPDX-License-Identifier: Apache-2.0\n\n") {
			t.Errorf("%s does not begin with the line // SPDX-License-Identifier: Apache-2.0 and an empty line", f.name)
		}
	}
}
