// SPDX-License-Identifier: Apache-2.0

// Release releases all modules of the repository, and checks that users can build the published modules.
//
//	go run -C internal/release . check          builds and runs, as a user would, every module as it would be published now
//	go run -C internal/release . cut v0.2.0     checks, writes the version into all go.mod files and the changelog, commits, tags
//	go run -C internal/release . notes v0.2.0   prints the changelog's section of a release
//
// Nothing is pushed: cut prints the command that pushes.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := run(ctx, os.Args[1:])
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "release:", err)
		os.Exit(1)
	}
}

var errUsage = errors.New("usage: release check | release cut VERSION | release notes VERSION")

func run(ctx context.Context, args []string) error {
	if len(args) == 0 {
		return errUsage
	}
	root, err := git(ctx, ".", "rev-parse", "--show-toplevel")
	if err != nil {
		return err
	}
	switch {
	case args[0] == "check" && len(args) == 1:
		return check(ctx, root)
	case args[0] == "cut" && len(args) == 2:
		return cut(ctx, root, args[1], check)
	case args[0] == "notes" && len(args) == 2:
		text, err := readChangelog(root)
		if err != nil {
			return err
		}
		section, err := text.section(args[1])
		if err != nil {
			return err
		}
		fmt.Print(section)
		return nil
	}
	return errUsage
}
