// SPDX-License-Identifier: Apache-2.0

// Before compares the processor time of the usual calls with that of an earlier commit, in interleaved rounds in one process.
//
//	GOWORK=off go run ./before -commit 2fb0439
//
// It checks the earlier commit out into a temporary folder, gives its modules another name there, and builds a program of
// both. That needs the repository's history.
package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"log"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

const (
	module  = "github.com/dynamotable/ddb"
	earlier = "before.example/ddb"
)

func main() {
	log.SetFlags(0)
	commit := flag.String("commit", "2fb0439", "the earlier `commit`")
	rounds := flag.Int("rounds", 15, "rounds, of which the median counts")
	budget := flag.Duration("time", 150*time.Millisecond, "processor time for one version in one round")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, *commit, strconv.Itoa(*rounds), budget.String())
	stop()
	if err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context, commit string, args ...string) (err error) {
	dir, err := os.MkdirTemp("", "before-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	root, err := output(ctx, ".", "go", "list", "-m", "-f", "{{.Dir}}", module)
	if err != nil {
		return err
	}
	then := filepath.Join(dir, "then")
	if err := errors.Join(os.Mkdir(then, 0o700), os.Mkdir(filepath.Join(dir, "program"), 0o700)); err != nil {
		return err
	}
	archive := filepath.Join(dir, "then.tar")
	if _, err := output(ctx, root, "git", "archive", "-o", archive, commit); err != nil {
		return err
	}
	if _, err := output(ctx, then, "tar", "-xf", archive); err != nil {
		return err
	}
	if err := rename(then); err != nil {
		return err
	}
	// The versions of all else are those of this module.
	mod, err := os.ReadFile(filepath.Join(root, "bench", "go.mod")) //nolint:gosec // of this repository
	if err != nil {
		return err
	}
	sum, err := os.ReadFile(filepath.Join(root, "bench", "go.sum")) //nolint:gosec // of this repository
	if err != nil {
		return err
	}
	text := strings.NewReplacer(
		"module "+module+"/bench", "module program",
		"replace "+module+" => ../", fmt.Sprintf("replace (\n\t%s => %s\n\t%s/bench => %s/bench\n\t%s => %s\n\t%s/bench => %s/bench\n)\n\nrequire (\n\t%s/bench v0.0.0\n\t%s v0.0.0\n\t%s/bench v0.0.0\n)",
			module, root, module, root, earlier, then, earlier, then, module, earlier, earlier),
	).Replace(string(mod))
	program := filepath.Join(dir, "program")
	for name, text := range map[string]string{"go.mod": text, "go.sum": string(sum), "main.go": source} {
		if err := os.WriteFile(filepath.Join(program, name), []byte(text), 0o600); err != nil {
			return err
		}
	}
	if _, err := output(ctx, program, "go", "build", "-mod=mod", "-o", "program", "."); err != nil {
		return err
	}
	cmd := exec.CommandContext(ctx, filepath.Join(program, "program"), args...) //nolint:gosec // it was just built
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	return cmd.Run()
}

// rename gives the modules of a checkout another name.
func rename(dir string) error {
	return filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || filepath.Ext(path) != ".go" && d.Name() != "go.mod" {
			return err
		}
		text, err := os.ReadFile(path) //nolint:gosec // of the checkout
		if err != nil {
			return err
		}
		return os.WriteFile(path, bytes.ReplaceAll(text, []byte(module), []byte(earlier)), 0o600) //nolint:gosec // of the checkout
	})
}

// output runs a command outside of the workspace and returns what it prints.
func output(ctx context.Context, dir, name string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, name, args...) //nolint:gosec // commands of this file
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GOWORK=off")
	var errors bytes.Buffer
	cmd.Stderr = &errors
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("%s %s: %w\n%s", name, strings.Join(args, " "), err, errors.Bytes())
	}
	return strings.TrimSpace(string(out)), nil
}
