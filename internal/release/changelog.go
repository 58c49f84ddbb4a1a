// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// A changelog is the text of CHANGELOG.md: one section for each release, newest first, after the section of unreleased changes.
type changelog string

const unreleased = "Unreleased"

func readChangelog(root string) (changelog, error) {
	data, err := os.ReadFile(filepath.Join(root, "CHANGELOG.md"))
	return changelog(data), err
}

// section returns the lines below the heading of a version, without the heading.
func (c changelog) section(version string) (string, error) {
	var (
		lines []string
		in    bool
	)
	for line := range strings.Lines(string(c)) {
		if name, ok := strings.CutPrefix(line, "## "); ok {
			if in {
				break
			}
			name, _, _ = strings.Cut(strings.TrimSpace(name), " ")
			in = name == version
			continue
		}
		if in {
			lines = append(lines, line)
		}
	}
	if text := strings.TrimSpace(strings.Join(lines, "")); text != "" {
		return text + "\n", nil
	}
	return "", fmt.Errorf("CHANGELOG.md has nothing below %q", "## "+version)
}

// released turns the unreleased section into that of a version with a date, below a new empty section.
func (c changelog) released(version string, day time.Time) (changelog, error) {
	if _, err := c.section(unreleased); err != nil {
		return "", err
	}
	if _, err := c.section(version); err == nil {
		return "", fmt.Errorf("CHANGELOG.md has a section %s already", version)
	}
	heading := "## " + unreleased + "\n"
	return changelog(strings.Replace(string(c), heading, heading+"\n## "+version+" - "+day.Format(time.DateOnly)+"\n", 1)), nil
}
