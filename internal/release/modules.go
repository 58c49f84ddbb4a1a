// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/mod/modfile"
)

// A module is a go.mod of the repository.
type module struct {
	path string // the module path
	dir  string // its folder with slashes, relative to the root; "." for the root
	file *modfile.File
}

// published reports whether users can require the module. Examples and modules in internal folders are only for the repository.
func (m module) published() bool {
	first, _, _ := strings.Cut(m.dir, "/")
	return first != "internal" && first != "examples" && first != "bench"
}

// tag is the tag of the module's version: the go command finds that of a nested module below its folder
// (https://go.dev/ref/mod#vcs-version).
func (m module) tag(version string) string {
	if m.dir == "." {
		return version
	}
	return m.dir + "/" + version
}

// modules returns all modules below root, the root's own first.
func modules(root string) ([]module, error) {
	var found []module
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			if n := d.Name(); n == "testdata" || n == "node_modules" || n == ".git" {
				return fs.SkipDir
			}
			return nil
		}
		if d.Name() != "go.mod" {
			return nil
		}
		data, err := os.ReadFile(path) //nolint:gosec // the repository
		if err != nil {
			return err
		}
		file, err := modfile.Parse(path, data, nil)
		if err != nil {
			return err
		}
		dir, err := filepath.Rel(root, filepath.Dir(path))
		if err != nil {
			return err
		}
		found = append(found, module{path: file.Module.Mod.Path, dir: filepath.ToSlash(dir), file: file})
		return nil
	})
	if err != nil {
		return nil, err
	}
	slices.SortFunc(found, func(a, b module) int { return strings.Compare(a.path, b.path) })
	if len(found) == 0 || found[0].dir != "." {
		return nil, fmt.Errorf("%s is not the root of the repository: it has no go.mod", root)
	}
	return found, nil
}

// at returns the module's go.mod at a version: the repository's other modules are required at the same version. The replacements
// remain. They apply in the repository; the go command ignores them in required modules.
func (m module) at(all []module, version string) ([]byte, error) {
	data, err := m.file.Format()
	if err != nil {
		return nil, err
	}
	file, err := modfile.Parse(m.dir+"/go.mod", data, nil) // a copy
	if err != nil {
		return nil, err
	}
	for _, require := range m.file.Require {
		if slices.ContainsFunc(all, func(o module) bool { return o.path == require.Mod.Path }) {
			if err := file.AddRequire(require.Mod.Path, version); err != nil {
				return nil, err
			}
		}
	}
	return file.Format()
}
