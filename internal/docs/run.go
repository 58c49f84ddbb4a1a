// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"
)

const (
	programLimit = time.Minute
	commandLimit = 20 * time.Minute // go test ./... among them
)

// runner checks documents of a repository.
type runner struct {
	root     string
	log      io.Writer
	commands bool
	limit    time.Duration // for a program
}

// run checks files, named relative to the root. The error is one of the runner's own.
func (r runner) run(ctx context.Context, files []string) (problems []problem, err error) {
	var packages map[string]string // by name; nil until the first block
	var programs []*program
	var blocks []block
	for _, file := range files {
		text, err := os.ReadFile(filepath.Join(r.root, file))
		if err != nil {
			return nil, err
		}
		found, faults := blocksOf(filepath.ToSlash(file), string(text))
		problems = append(problems, faults...)
		if len(found) > 0 && packages == nil {
			if packages, err = packagesByName(ctx, r.root); err != nil {
				return nil, err
			}
		}
		made, faults := programsOf(r.root, found, packages)
		problems = append(problems, faults...)
		programs, blocks = append(programs, made...), append(blocks, found...)
	}
	for _, b := range blocks {
		if b.is("skip") {
			fmt.Fprintf(r.log, "%s:%d: skipped: %s\n", b.file, b.line, b.skipped)
		}
	}
	faults, err := r.runPrograms(ctx, programs)
	problems = append(problems, faults...)
	if err == nil && r.commands {
		problems = append(problems, r.runCommands(ctx, blocks)...)
	}
	return problems, errors.Join(err, ctx.Err())
}

// runPrograms builds all programs at once, in a folder inside the repository where their imports resolve, and runs them. Tours
// are linked into one program: linking them one by one takes longer than compiling them.
func (r runner) runPrograms(ctx context.Context, programs []*program) (problems []problem, err error) {
	if len(programs) == 0 {
		return nil, nil
	}
	folder, err := r.folder(programs)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(folder)) }()

	var own []string
	tours := map[string]*program{}
	for i, p := range programs {
		name := strconv.Itoa(i)
		dir := filepath.Join(folder, name)
		if err := os.Mkdir(dir, 0o750); err != nil {
			return nil, err
		}
		if err := os.WriteFile(filepath.Join(dir, "main.go"), []byte(p.source), 0o600); err != nil {
			return nil, err
		}
		if p.own {
			own = append(own, name)
			continue
		}
		if err := os.WriteFile(filepath.Join(dir, "support.go"), []byte(support), 0o600); err != nil {
			return nil, err
		}
		tours[name] = p
	}
	if len(tours) > 0 {
		if problems, err = r.build(ctx, folder, slices.Sorted(maps.Keys(tours))); err != nil {
			return nil, err
		}
	}
	broken := func(p *program) bool {
		return slices.ContainsFunc(problems, func(q problem) bool { return q.file == p.file })
	}
	maps.DeleteFunc(tours, func(_ string, p *program) bool { return broken(p) })
	more, err := r.link(ctx, folder, own, tours)
	if problems = append(problems, more...); err != nil {
		return nil, err
	}
	suffix := ""
	if runtime.GOOS == "windows" {
		suffix = ".exe"
	}
	for i, p := range programs {
		if broken(p) || !p.main {
			continue
		}
		work := filepath.Join(folder, "work"+strconv.Itoa(i))
		if err := os.Mkdir(work, 0o750); err != nil {
			return problems, err
		}
		command := []string{filepath.Join(folder, "bin", strconv.Itoa(i)+suffix)}
		if !p.own {
			command = []string{filepath.Join(folder, "bin", tourProgram+suffix), strconv.Itoa(i)}
		}
		problems = append(problems, r.runProgram(ctx, p, command, work)...)
	}
	return problems, nil
}

// link builds the programs in the folder: blocks that are programs of their own, and one that has the tours in it.
func (r runner) link(ctx context.Context, folder string, own []string, tours map[string]*program) ([]problem, error) {
	if len(tours) > 0 {
		dir := filepath.Join(folder, tourProgram)
		if err := os.Mkdir(dir, 0o750); err != nil {
			return nil, err
		}
		out, err := r.command(ctx, "go", "list", "./"+filepath.Base(folder)+"/"+slices.Min(slices.Collect(maps.Keys(tours)))).Output()
		if err != nil {
			return nil, fmt.Errorf("go list: %w", err)
		}
		source := toursMain(path.Dir(strings.TrimSpace(string(out))), slices.Sorted(maps.Keys(tours)))
		if err := os.WriteFile(filepath.Join(dir, "main.go"), []byte(source), 0o600); err != nil {
			return nil, err
		}
		own = append(own, tourProgram)
	}
	if len(own) == 0 {
		return nil, nil
	}
	return r.build(ctx, folder, own, "-ldflags=-s -w", "-o", filepath.Join(folder, "bin")+string(filepath.Separator))
}

// build runs go build for packages in the folder.
func (r runner) build(ctx context.Context, folder string, names []string, flags ...string) ([]problem, error) {
	arguments := append([]string{"build"}, flags...)
	for _, name := range names {
		arguments = append(arguments, "./"+filepath.Base(folder)+"/"+name)
	}
	out, err := r.command(ctx, "go", arguments...).CombinedOutput()
	if err == nil {
		return nil, nil
	}
	problems := r.buildProblems(string(out))
	if len(problems) == 0 {
		return nil, fmt.Errorf("go build: %w\n%s", err, out)
	}
	return problems, nil
}

// folder makes a folder whose name follows from the programs, by file, so that the build cache knows those that did not change. If
// it is there already, another run is at work or was killed; then the name is a new one.
func (r runner) folder(programs []*program) (string, error) {
	h := sha256.New()
	for _, p := range programs {
		_, _ = fmt.Fprintf(h, "%s\n", p.file)
	}
	name := filepath.Join(r.root, fmt.Sprintf(".docs-%x", h.Sum(nil)[:4]))
	if err := os.Mkdir(name, 0o750); !errors.Is(err, fs.ErrExist) {
		return name, err
	}
	return os.MkdirTemp(r.root, ".docs-")
}

// command is one in the repository's folder, without the caller's AWS settings.
func (r runner) command(ctx context.Context, name string, arguments ...string) *exec.Cmd {
	c := exec.CommandContext(ctx, name, arguments...)
	c.Dir = r.root
	c.WaitDelay = 5 * time.Second
	// With the folder's own name in PWD, for the compiler to shorten paths by, be it a link.
	c.Env = slices.DeleteFunc(c.Environ(), func(s string) bool {
		return strings.HasPrefix(s, "AWS_") || strings.HasPrefix(s, "DYNAMO_") || strings.HasPrefix(s, "DYNAMODB_")
	})
	return c
}

var compilerLine = regexp.MustCompile(`^(?:\./)?(.+?\.md):(\d+)(?::\d+)?: (.*)$`)

// buildProblems reads what the compiler says about lines of documents, with what it adds below.
func (r runner) buildProblems(out string) []problem {
	var problems []problem
	for line := range strings.SplitSeq(strings.TrimSpace(out), "\n") {
		parts := compilerLine.FindStringSubmatch(strings.TrimPrefix(filepath.ToSlash(line), filepath.ToSlash(r.root)+"/"))
		switch {
		case parts != nil:
			n, _ := strconv.Atoi(parts[2]) // digits
			problems = append(problems, problem{parts[1], n, parts[3]})
		case len(problems) > 0 && !strings.HasPrefix(line, "# "):
			problems[len(problems)-1].text += "\n" + line
		}
	}
	return problems
}

// runProgram runs a program and compares what it prints with what its document says.
func (r runner) runProgram(ctx context.Context, p *program, command []string, dir string) []problem {
	ctx, cancel := context.WithTimeout(ctx, r.limit)
	defer cancel()
	c := r.command(ctx, command[0], command[1:]...)
	c.Dir = dir
	var stdout, stderr bytes.Buffer
	c.Stdout, c.Stderr = &stdout, &stderr
	err := c.Run()
	printed := outputs(strings.ReplaceAll(stdout.String(), tourPackage+".", "main."), len(p.blocks))
	if p.own {
		printed = []string{stdout.String()}
	}
	last := p.blocks[max(min(len(printed), len(p.blocks)), 1)-1]
	if ctx.Err() != nil {
		return []problem{{p.file, last.line, fmt.Sprintf("the program did not end within %v", r.limit)}}
	}
	if err != nil {
		return []problem{failure(last, err, stdout.String()+stderr.String())}
	}
	if !p.own && len(printed) <= len(p.blocks) {
		return []problem{{p.file, last.line, "the program returns before its last block"}}
	}
	var problems []problem
	for i, b := range p.blocks {
		if b.want == nil {
			continue
		}
		if got, want := trimmed(printed[i]), trimmed(b.want.code); got != want {
			problems = append(problems, problem{p.file, b.want.line, "the block above prints something else:\n" + got})
		}
	}
	fmt.Fprintf(r.log, "%s: %d blocks of Go ran\n", p.file, len(p.blocks))
	return problems
}

var marker = regexp.MustCompile("\x00(\\d+)\x00")

// outputs cuts what a program printed into that of its blocks; what the end printed comes last.
func outputs(printed string, blocks int) []string {
	list := make([]string, 0, blocks+1)
	places := marker.FindAllStringIndex(printed, -1)
	for i, at := range places {
		end := len(printed)
		if i+1 < len(places) {
			end = places[i+1][0]
		}
		list = append(list, printed[at[1]:end])
	}
	return list
}

// failure finds the line of a document in what a program that failed said; the block that ran last is the next best.
func failure(last block, err error, said string) problem {
	said = marker.ReplaceAllString(said, "")
	p := problem{last.file, last.line, err.Error() + ":\n" + strings.TrimSpace(said)}
	if parts := regexp.MustCompile(regexp.QuoteMeta(last.file) + `:(\d+)`).FindStringSubmatch(said); parts != nil {
		p.line, _ = strconv.Atoi(parts[1]) // digits
	}
	return p
}

// trimmed is text without spaces at the ends of lines, and without empty lines at its own.
func trimmed(s string) string {
	lines := strings.Split(s, "\n")
	for i := range lines {
		lines[i] = strings.TrimRight(lines[i], " \t\r")
	}
	return strings.Trim(strings.Join(lines, "\n"), "\n")
}
