// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// repository creates a small repository with a root, a nested module that requires it, and an example.
func repository(t *testing.T) string {
	t.Helper()
	root := t.TempDir()
	for name, text := range map[string]string{
		"go.mod":               "module example.com/lib\n\ngo 1.26.0\n",
		"lib.go":               "package lib\n",
		"LICENSE":              "licence\n",
		"CHANGELOG.md":         "# Changelog\n\n## Unreleased\n\n- New: things.\n\n## v0.1.0 - 2026-01-02\n\n- The first.\n",
		"store/s3/go.mod":      "module example.com/lib/store/s3\n\ngo 1.26.0\n\nreplace example.com/lib => ../..\n\nrequire example.com/lib v0.1.0\n",
		"store/s3/s3.go":       "package s3\n",
		"store/store.go":       "package store\n",
		"examples/bank/go.mod": "module example.com/lib/examples/bank\n\ngo 1.26.0\n\nreplace example.com/lib => ../..\n\nrequire example.com/lib v0.1.0\n",
	} {
		path := filepath.Join(root, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o750); err != nil {
			t.Fatal(err)
		}
		if err := write(path, []byte(text)); err != nil {
			t.Fatal(err)
		}
	}
	for _, args := range [][]string{
		{"init", "--quiet"},
		{"config", "user.name", "test"},
		{"config", "user.email", "test@example.com"},
		{"config", "commit.gpgsign", "false"},
		{"config", "tag.gpgsign", "false"},
		{"add", "."},
		{"commit", "--quiet", "--message", "first"},
		{"tag", "v0.1.0"},
	} {
		if _, err := git(t.Context(), root, args...); err != nil {
			t.Fatal(err)
		}
	}
	return root
}

func passes(context.Context, string) error { return nil }

func TestCut(t *testing.T) {
	root := repository(t)
	if err := cut(t.Context(), root, "v0.2.0", passes); err != nil {
		t.Fatal(err)
	}
	tags, err := git(t.Context(), root, "tag", "--list", "--points-at", "HEAD")
	if err != nil {
		t.Fatal(err)
	}
	if want := "store/s3/v0.2.0\nv0.2.0"; tags != want {
		t.Errorf("tags %q, not %q", tags, want)
	}
	for _, name := range []string{"store/s3/go.mod", "examples/bank/go.mod"} {
		text, err := git(t.Context(), root, "show", "HEAD:"+name)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(text, "require example.com/lib v0.2.0") || !strings.Contains(text, "replace example.com/lib => ../..") {
			t.Errorf("%s:\n%s", name, text)
		}
	}
	text, err := readChangelog(root)
	if err != nil {
		t.Fatal(err)
	}
	if section, err := text.section("v0.2.0"); err != nil || section != "- New: things.\n" {
		t.Errorf("section %q, %v", section, err)
	}
	if _, err := text.section(unreleased); err == nil {
		t.Error("something is still unreleased")
	}
	if section, err := text.section("v0.1.0"); err != nil || section != "- The first.\n" {
		t.Errorf("section %q, %v", section, err)
	}
}

func TestCutRefuses(t *testing.T) {
	tests := []struct {
		name, version, want string
		change              func(t *testing.T, root string)
		check               func(context.Context, string) error
	}{
		{name: "no version", version: "0.2.0", want: "is no version"},
		{name: "a short version", version: "v0.2", want: "is no version"},
		{name: "a later major", version: "v2.0.0", want: "/v2"},
		{name: "the last version", version: "v0.1.0", want: "not higher"},
		{name: "an older version", version: "v0.0.9", want: "not higher"},
		{name: "a candidate of the last version", version: "v0.1.0-rc.1", want: "not higher"},
		{name: "uncommitted files", version: "v0.2.0", want: "uncommitted", change: func(t *testing.T, root string) {
			if err := write(filepath.Join(root, "new.go"), []byte("package lib\n")); err != nil {
				t.Fatal(err)
			}
		}},
		{name: "nothing to release", version: "v0.2.0", want: "nothing below", change: func(t *testing.T, root string) {
			if err := write(filepath.Join(root, "CHANGELOG.md"), []byte("## Unreleased\n\n## v0.1.0\n")); err != nil {
				t.Fatal(err)
			}
			if _, err := git(t.Context(), root, "commit", "--all", "--message", "empty"); err != nil {
				t.Fatal(err)
			}
		}},
		{name: "a failed check", version: "v0.2.0", want: "does not build", check: func(context.Context, string) error { return errors.New("does not build") }},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			root := repository(t)
			if test.change != nil {
				test.change(t, root)
			}
			if test.check == nil {
				test.check = passes
			}
			head, err := git(t.Context(), root, "rev-parse", "HEAD")
			if err != nil {
				t.Fatal(err)
			}
			if err := cut(t.Context(), root, test.version, test.check); err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("error %v, not one with %q", err, test.want)
			}
			if now, err := git(t.Context(), root, "rev-parse", "HEAD"); err != nil || now != head {
				t.Errorf("it made a commit (%v)", err)
			}
			if tags, err := git(t.Context(), root, "tag"); err != nil || tags != "v0.1.0" {
				t.Errorf("tags %q, %v", tags, err)
			}
		})
	}
}

func TestReleasedOnce(t *testing.T) {
	text := changelog("## Unreleased\n\n- x\n\n## v0.1.0\n\n- y\n")
	if _, err := text.released("v0.1.0", time.Now()); err == nil {
		t.Error("an existing section was written again")
	}
}

// TestPublishedFiles: the files of a nested module are only in its own archive, which has a licence and the version in its
// go.mod.
func TestPublishedFiles(t *testing.T) {
	root := repository(t)
	all, err := modules(root)
	if err != nil {
		t.Fatal(err)
	}
	if len(all) != 3 || all[0].dir != "." {
		t.Fatalf("%d modules", len(all))
	}
	names := []string{"LICENSE", "go.mod", "lib.go", "store/s3/go.mod", "store/s3/s3.go", "store/store.go"}
	want := map[string]string{".": "LICENSE go.mod lib.go store/store.go", "store/s3": "go.mod s3.go LICENSE"}
	for _, m := range all {
		if !m.published() {
			if m.dir != "examples/bank" {
				t.Errorf("%s is not published", m.dir)
			}
			continue
		}
		mod, err := m.at(all, "v0.0.0-check")
		if err != nil {
			t.Fatal(err)
		}
		if m.dir == "store/s3" && !strings.Contains(string(mod), "require example.com/lib v0.0.0-check") {
			t.Errorf("%s", mod)
		}
		var got []string
		for _, f := range m.files(root, all, names, mod) {
			got = append(got, f.Path())
		}
		if strings.Join(got, " ") != want[m.dir] {
			t.Errorf("%s: %q, not %q", m.dir, got, want[m.dir])
		}
	}
}
