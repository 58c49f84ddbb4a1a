// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// check publishes all modules to a folder, and uses each of them from there as a user does: in a new module, with go get and a
// program that is built and run. The commands are installed, too. Uncommitted changes are included.
func check(ctx context.Context, root string) (err error) {
	all, err := modules(root)
	if err != nil {
		return err
	}
	work, err := os.MkdirTemp("", "ddb-release-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(work)) }()
	p := proxy{dir: filepath.Join(work, "proxy")}
	version, err := p.publish(ctx, root, all)
	if err != nil {
		return err
	}
	before, err := command(ctx, root, nil, "go", "env", "GOPROXY", "GOMODCACHE")
	if err != nil {
		return err
	}
	upstream, cache, _ := strings.Cut(before, "\n")
	// The version is derived from the content, so that no cache can contain the version with other content. It is removed
	// afterwards.
	defer func() { err = errors.Join(err, forget(cache, all, version)) }()
	// The version is new to the build cache. What is published is compiled without optimization, which takes a third less.
	u := user{version: version, dir: work, flags: os.Getenv("GOFLAGS") + " '-gcflags=" + all[0].path + "/...=-N -l -dwarf=false'"}
	u.env = []string{
		"GOWORK=off", "GOFLAGS=" + u.flags + " -mod=mod", "GONOSUMDB=" + all[0].path, "GOPROXY=file://" + filepath.ToSlash(p.dir) + "," + upstream,
	}
	for _, m := range all {
		if !m.published() {
			continue
		}
		if err := u.use(ctx, root, m); err != nil {
			return fmt.Errorf("a user of %s: %w", m.path, err)
		}
	}
	return nil
}

// A user builds with the published modules in a folder outside of the repository.
type user struct {
	version string
	dir     string
	flags   string // GOFLAGS
	env     []string
}

// use installs the module's commands. For its packages it writes the program from testdata/users (for the root, the quickstart),
// gets the module, and runs the program.
func (u user) use(ctx context.Context, root string, m module) error {
	commands, err := filepath.Glob(filepath.Join(root, filepath.FromSlash(m.dir), "cmd", "*", "main.go"))
	if err != nil {
		return err
	}
	if _, err := os.Stat(filepath.Join(root, filepath.FromSlash(m.dir), "main.go")); err == nil {
		if err := u.install(ctx, m.path); err != nil {
			return err
		}
	}
	for _, c := range commands {
		if err := u.install(ctx, m.path+"/cmd/"+filepath.Base(filepath.Dir(c))); err != nil {
			return err
		}
	}
	name, source := "root", filepath.Join(root, "examples", "quickstart", "main.go")
	if m.dir != "." {
		name = strings.ReplaceAll(m.dir, "/", "_")
		source = filepath.Join(root, "internal", "release", "testdata", "users", name, "main.go")
	}
	program, err := os.ReadFile(source)
	if errors.Is(err, os.ErrNotExist) && len(commands) > 0 {
		return nil // the module has only commands
	}
	if err != nil {
		return err
	}
	dir := filepath.Join(u.dir, name)
	if err := os.Mkdir(dir, 0o750); err != nil {
		return err
	}
	if err := write(filepath.Join(dir, "main.go"), program); err != nil {
		return err
	}
	for _, args := range [][]string{{"mod", "init", "example.com/user"}, {"get", m.path + "@" + u.version}, {"mod", "tidy"}, {"vet", "."}} {
		if _, err := command(ctx, dir, u.env, "go", args...); err != nil {
			return err
		}
	}
	out, err := command(ctx, dir, u.env, "go", "run", ".")
	if err != nil {
		return err
	}
	fmt.Printf("%s: go get, go vet, go run: %s\n", m.path, out)
	return nil
}

func (u user) install(ctx context.Context, path string) error {
	bin := filepath.Join(u.dir, "bin")
	if _, err := command(ctx, u.dir, append(u.env, "GOBIN="+bin, "GOFLAGS="+u.flags), "go", "install", path+"@"+u.version); err != nil {
		return err
	}
	installed := filepath.Join(bin, filepath.Base(path))
	if _, err := os.Stat(installed); err != nil {
		return err
	}
	fmt.Printf("%s: go install\n", path)
	return nil
}

// forget removes a version from the module cache.
func forget(cache string, all []module, version string) error {
	var errs []error
	for _, m := range all {
		path := filepath.FromSlash(m.path) // it contains no capital letters, so it needs no escapes
		unpacked := filepath.Join(cache, path+"@"+version)
		// The go command creates read-only folders.
		errs = append(errs, filepath.WalkDir(unpacked, func(p string, d os.DirEntry, err error) error {
			if errors.Is(err, os.ErrNotExist) {
				return nil
			}
			if err == nil && d.IsDir() {
				err = os.Chmod(p, 0o750) //nolint:gosec // a folder, removed next
			}
			return err
		}), os.RemoveAll(unpacked))
		downloads := filepath.Join(cache, "cache", "download", path, "@v")
		files, err := filepath.Glob(filepath.Join(downloads, version+".*"))
		errs = append(errs, err)
		for _, f := range files {
			errs = append(errs, os.Remove(f))
		}
		// The go command records which versions a proxy lists.
		if list, err := os.ReadFile(filepath.Join(downloads, "list")); err == nil && strings.Contains(string(list), version) {
			errs = append(errs, os.Remove(filepath.Join(downloads, "list")))
		}
	}
	return errors.Join(errs...)
}

// contentVersion returns a version that is derived from the content.
func contentVersion(sum [sha256.Size]byte) string { return fmt.Sprintf("v0.0.0-check.h%x", sum[:8]) }
