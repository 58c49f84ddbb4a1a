// SPDX-License-Identifier: Apache-2.0

// Command docs runs what the documentation shows: the Go blocks of Markdown files as programs, and the commands of
// their shell blocks. It ends with status 1, and names file and line, if something does not compile, fails, or prints
// something else than the document says.
//
//	go run ./internal/docs [-sh=false] [files]
//
// Without files it takes README.md, docs/*.md and docs/guides/*.md. It has to be started in the repository's folder.
//
// All blocks marked go of one file form one program, in their order. Declarations of imports, types, functions,
// variables and constants are the package's; everything else is statements of one function, in one scope. Packages
// that are used are imported by name, no variable has to be used, and := may name variables that are all there.
// A block that starts with a package clause is a program of its own. Of a part of another package than main only the
// syntax is checked. Functions TestXxx(t *testing.T) are run at the program's end. A return leaves the function, which is
// a failure if blocks follow.
//
// A variable err that is not nil after a block, or before it is overwritten unseen, is a failure. A block marked text
// that follows a go block with at most one blank line between is what that block prints.
//
// Comments of HTML in a line of their own steer this:
//
//	<!-- go                 code until a line --> that runs and is not shown
//	<!-- go: scope -->      the next block's statements have a scope of their own
//	<!-- go: compile -->    the next block's statements are compiled and not run
//	<!-- go: fails -->      err must not be nil after the next block, and is nil for those behind it
//	<!-- go: skip: why -->  the next block is left out
//	<!-- sh: skip: why -->  the same for a shell block
//
// Of blocks marked sh, and of those without a mark, the lines are run that begin with "go " or "cd folder && ", a
// prompt "$ " before them aside; a line that occurs in several places is run once.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
)

func main() {
	commands := flag.Bool("sh", true, "run the commands of shell blocks")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	failed, err := check(ctx, flag.Args(), *commands)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "docs:", err)
	}
	if err != nil || failed {
		os.Exit(1)
	}
}

func check(ctx context.Context, files []string, commands bool) (failed bool, err error) {
	root, err := os.Getwd()
	if err != nil {
		return true, err
	}
	if len(files) == 0 {
		for _, pattern := range []string{"README.md", "docs/*.md", "docs/guides/*.md"} {
			found, err := filepath.Glob(pattern)
			if err != nil {
				return true, err
			}
			files = append(files, found...)
		}
		if !slices.Contains(files, "README.md") {
			return true, errors.New("no README.md here: start it in the repository's folder")
		}
	}
	r := runner{root: root, log: os.Stdout, commands: commands, limit: programLimit}
	problems, err := r.run(ctx, files)
	for _, p := range problems {
		fmt.Fprintln(os.Stderr, p)
	}
	return len(problems) > 0, err
}
