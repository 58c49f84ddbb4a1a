// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/mod/semver"
)

// cut makes the commit and the tags of a release, after check has succeeded.
func cut(ctx context.Context, root, version string, check func(ctx context.Context, root string) error) error {
	if err := ready(ctx, root, version); err != nil {
		return err
	}
	text, err := readChangelog(root)
	if err != nil {
		return err
	}
	text, err = text.released(version, time.Now().UTC())
	if err != nil {
		return err
	}
	if err := check(ctx, root); err != nil {
		return err
	}
	all, err := modules(root)
	if err != nil {
		return err
	}
	for _, m := range all {
		data, err := m.at(all, version)
		if err != nil {
			return err
		}
		if err := write(filepath.Join(root, filepath.FromSlash(m.dir), "go.mod"), data); err != nil {
			return err
		}
	}
	if err := write(filepath.Join(root, "CHANGELOG.md"), []byte(text)); err != nil {
		return err
	}
	if _, err := git(ctx, root, "commit", "--all", "--message", "Release "+version); err != nil {
		return err
	}
	push := []string{"git push origin HEAD"}
	for _, m := range all {
		if !m.published() {
			continue
		}
		if _, err := git(ctx, root, "tag", "--annotate", "--message", m.path+" "+version, m.tag(version)); err != nil {
			return err
		}
		push = append(push, m.tag(version))
	}
	fmt.Printf("%s is committed and tagged. To publish it:\n\n\t%s\n", version, strings.Join(push, " "))
	return nil
}

// ready reports whether a release can be made: the version must be higher than the last one, everything must be committed, and
// there must be something to release.
func ready(ctx context.Context, root, version string) error {
	var problems []error
	if semver.Canonical(version) != version || semver.Build(version) != "" {
		problems = append(problems, fmt.Errorf("%q is no version such as v0.2.0", version))
	} else if m := semver.Major(version); m != "v0" && m != "v1" {
		problems = append(problems, fmt.Errorf("%s: from v2 on the module paths end in /%s", version, m))
	}
	changed, err := git(ctx, root, "status", "--porcelain")
	if err != nil {
		return err
	}
	if changed != "" {
		problems = append(problems, errors.New("uncommitted changes:\n"+changed))
	}
	tags, err := git(ctx, root, "tag", "--list", "v*")
	if err != nil {
		return err
	}
	for tag := range strings.FieldsSeq(tags) {
		if semver.IsValid(tag) && semver.Compare(version, tag) <= 0 {
			problems = append(problems, fmt.Errorf("%s is not higher than the tag %s", version, tag))
		}
	}
	return errors.Join(problems...)
}

func write(path string, data []byte) error {
	return os.WriteFile(path, data, 0o644) //nolint:gosec // a file of the repository, for all to read
}
