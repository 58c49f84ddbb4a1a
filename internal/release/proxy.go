// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"

	gomod "golang.org/x/mod/module"
	"golang.org/x/mod/zip"
)

// A proxy is a folder that the go command reads modules from (https://go.dev/ref/mod#goproxy-protocol).
type proxy struct{ dir string }

// publish writes the modules that users can require, all at one version, and returns the version.
func (p proxy) publish(ctx context.Context, root string, all []module) (version string, err error) {
	// The files that are in the repository or would be committed: a release contains no others.
	listed, err := git(ctx, root, "ls-files", "-z", "--cached", "--others", "--exclude-standard")
	if err != nil {
		return "", err
	}
	names := strings.Split(strings.TrimRight(listed, "\x00"), "\x00")
	slices.Sort(names)
	hash := sha256.New()
	for _, name := range names {
		data, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(name)))
		if os.IsNotExist(err) {
			continue // removed, and not committed
		}
		if err != nil {
			return "", err
		}
		sum := sha256.Sum256(data)
		hash.Write([]byte(name))
		hash.Write(sum[:])
	}
	version = contentVersion([sha256.Size]byte(hash.Sum(nil)))
	for _, m := range all {
		if !m.published() {
			continue
		}
		if err := p.add(root, m, all, names, version); err != nil {
			return "", err
		}
	}
	return version, nil
}

func (p proxy) add(root string, m module, all []module, names []string, version string) error {
	mod, err := m.at(all, version)
	if err != nil {
		return err
	}
	dir := filepath.Join(p.dir, filepath.FromSlash(m.path), "@v")
	if err := os.MkdirAll(dir, 0o750); err != nil {
		return err
	}
	info, err := json.Marshal(map[string]any{"Version": version, "Time": time.Now().UTC().Truncate(time.Second)})
	if err != nil {
		return err
	}
	for name, data := range map[string][]byte{version + ".mod": mod, version + ".info": info, "list": []byte(version + "\n")} {
		if err := write(filepath.Join(dir, name), data); err != nil {
			return err
		}
	}
	out, err := os.Create(filepath.Join(dir, version+".zip"))
	if err != nil {
		return err
	}
	if err := zip.Create(out, gomod.Version{Path: m.path, Version: version}, m.files(root, all, names, mod)); err != nil {
		_ = out.Close()
		return err
	}
	return out.Close()
}

// files returns the files of the module: those in its folder that are in no other module's folder, and the licence. A nested
// module without a licence gets the one of the root, as with the go command.
func (m module) files(root string, all []module, names []string, mod []byte) []zip.File {
	var files []zip.File
	licence := false
	for _, name := range names {
		if owner(all, name).dir != m.dir {
			continue
		}
		full := filepath.Join(root, filepath.FromSlash(name))
		if info, err := os.Lstat(full); err != nil || !info.Mode().IsRegular() {
			continue
		}
		f := file{path: strings.TrimPrefix(name, m.dir+"/"), full: full}
		licence = licence || f.path == "LICENSE"
		if f.path == "go.mod" {
			f.data = mod
		}
		files = append(files, f)
	}
	if !licence {
		files = append(files, file{path: "LICENSE", full: filepath.Join(root, "LICENSE")})
	}
	return files
}

// owner returns the module with the deepest folder that contains a file.
func owner(all []module, name string) module {
	best := all[0]
	for _, m := range all {
		if strings.HasPrefix(path.Dir(name)+"/", m.dir+"/") && (best.dir == "." || len(m.dir) > len(best.dir)) {
			best = m
		}
	}
	return best
}
