// SPDX-License-Identifier: Apache-2.0

// Buildcost measures the cost of building a user's package with tables: the number and the size of the functions that the compiler
// makes for it, which are exact, and processor time and memory, which are not.
//
//	go run ./internal/buildcost          functions, time and memory of 1, 2, 3, 5 tables, a service and an importing package
//	go run ./internal/buildcost -full    20 tables as well: -race, -cover, go vet, gopls if it is there, and a program's size
//
// The test of this package limits the functions.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"log"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// The generated packages are in these folders of the module, which exist only in an overlay.
const (
	module = "github.com/dynamotable/ddb"
	tables = "internal/buildcost/generated/tables"
	three  = "internal/buildcost/generated/three"
	user   = "internal/buildcost/generated/importer"
	linked = "internal/buildcost/generated/binary"
)

// code is what the compiler makes of one package.
type code struct {
	Functions int
	Bytes     int // of the functions
}

func (c code) String() string { return fmt.Sprintf("%6d functions %5d KB", c.Functions, c.Bytes>>10) }

// cost is the cost of building one package.
type cost struct {
	code
	CPU     time.Duration // user and system, of the compiler and of go build itself
	Memory  int64         // the maximum of one process, in bytes
	Archive int64         // size of the package's object file, in bytes
}

func (c cost) String() string {
	if c.Functions == 0 {
		return fmt.Sprintf("                           %6.2f s  %5d MB", c.CPU.Seconds(), c.Memory>>20)
	}
	return fmt.Sprintf("%v  %6.2f s  %5d MB  archive %6.1f MB", c.code, c.CPU.Seconds(), c.Memory>>20, float64(c.Archive)/(1<<20))
}

// builder builds generated packages as part of the module at root.
type builder struct {
	root string // of the module
	dir  string // temporary
}

func newBuilder(ctx context.Context, dir string) (*builder, error) {
	out, err := exec.CommandContext(ctx, "go", "list", "-m", "-f", "{{.Dir}}", module).Output()
	if err != nil {
		return nil, fmt.Errorf("go list: %w", err)
	}
	return &builder{root: strings.TrimSpace(string(out)), dir: dir}, nil
}

// overlay writes the sources, by folder, and returns the flag that makes the go command see them in the module.
func (b *builder) overlay(sources map[string]string) (string, error) {
	replace := map[string]string{}
	for dir, text := range sources {
		file := filepath.Join(b.dir, filepath.Base(dir)+".go")
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			return "", err
		}
		replace[filepath.Join(b.root, dir, "source.go")] = file
	}
	text, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		return "", err
	}
	file := filepath.Join(b.dir, "overlay.json")
	return "-overlay=" + file, os.WriteFile(file, text, 0o600)
}

// run runs the go command in the module, and returns its cost.
func (b *builder) run(ctx context.Context, args ...string) (cost, error) {
	return b.command(ctx, "go", args...)
}

func (b *builder) command(ctx context.Context, name string, args ...string) (cost, error) {
	cmd := exec.CommandContext(ctx, name, args...) //nolint:gosec // the go command or gopls, with arguments from this package
	cmd.Dir = b.root
	cmd.Env = append(os.Environ(), "GOWORK=off")
	if out, err := cmd.CombinedOutput(); err != nil {
		return cost{}, fmt.Errorf("%s %s: %w\n%s", name, strings.Join(args, " "), err, out)
	}
	usage, ok := cmd.ProcessState.SysUsage().(*syscall.Rusage)
	if !ok {
		return cost{}, errors.New("no figures of the process")
	}
	return cost{CPU: cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime(), Memory: usage.Maxrss << 10}, nil
}

// build compiles one package of sources and counts its functions. The packages that it imports are built before, and are not
// counted.
func (b *builder) build(ctx context.Context, target string, sources map[string]string, flags ...string) (cost, error) {
	for dir := range sources {
		// The comment makes the text unique, so that nothing comes from the build cache.
		sources[dir] += fmt.Sprintf("\n// %d\n", time.Now().UnixNano())
	}
	overlay, err := b.overlay(sources)
	if err != nil {
		return cost{}, err
	}
	deps := append([]string{"build", overlay}, flags...)
	if target == user {
		deps = append(deps, "./"+tables)
	} else {
		deps = append(deps, ".")
	}
	if _, err := b.run(ctx, deps...); err != nil {
		return cost{}, err
	}
	archive := filepath.Join(b.dir, "out.a")
	args := append([]string{"build", overlay, "-o", archive}, flags...)
	c, err := b.run(ctx, append(args, "./"+target)...)
	if err != nil {
		return cost{}, err
	}
	info, err := os.Stat(archive)
	if err != nil {
		return cost{}, err
	}
	c.Archive = info.Size()
	c.code, err = codeOf(ctx, archive)
	return c, err
}

// codeOf returns the functions in an archive of the compiler.
func codeOf(ctx context.Context, archive string) (c code, err error) {
	names, err := exec.CommandContext(ctx, "go", "tool", "nm", "-size", archive).Output() //nolint:gosec // a file that was just built
	if err != nil {
		return code{}, fmt.Errorf("go tool nm: %w", err)
	}
	for line := range strings.Lines(string(names)) { // address, size, type and name
		f := strings.Fields(line)
		if len(f) < 4 || f[2] != "T" && f[2] != "t" {
			continue
		}
		size, err := strconv.Atoi(f[1])
		if err != nil {
			return code{}, fmt.Errorf("go tool nm: %w", err)
		}
		c.Functions++
		c.Bytes += size
	}
	return c, nil
}

// functions counts the functions of packages, by folder. It takes what is in the build cache, and measures no cost.
func (b *builder) functions(ctx context.Context, sources map[string]string) (map[string]code, error) {
	overlay, err := b.overlay(sources)
	if err != nil {
		return nil, err
	}
	args := []string{"list", overlay, "-export", "-f", "{{.ImportPath}} {{.Export}}"}
	for dir := range sources {
		args = append(args, "./"+dir)
	}
	cmd := exec.CommandContext(ctx, "go", args...) //nolint:gosec // arguments from this package
	cmd.Dir, cmd.Stderr = b.root, os.Stderr
	cmd.Env = append(os.Environ(), "GOWORK=off")
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("go list: %w", err)
	}
	found := map[string]code{}
	for line := range strings.Lines(string(out)) {
		pkg, archive, _ := strings.Cut(strings.TrimSpace(line), " ")
		if found[strings.TrimPrefix(pkg, module+"/")], err = codeOf(ctx, archive); err != nil {
			return nil, err
		}
	}
	return found, nil
}

// count builds a package with n tables, with nine calls of each in the first round and three in each further one.
func (b *builder) count(ctx context.Context, n, rounds int, flags ...string) (cost, error) {
	return b.build(ctx, tables, map[string]string{tables: program("tables", n, rounds)}, flags...)
}

// importing is the source of a package that uses the table of another one.
var importing = strings.ReplaceAll(importer, "PATH", module+"/"+tables)

// imported builds a package that uses the table of another one.
func (b *builder) imported(ctx context.Context) (cost, error) {
	return b.build(ctx, user, map[string]string{tables: program("tables", 1, 1), user: importing})
}

func main() {
	log.SetFlags(0)
	full := flag.Bool("full", false, "build 20 tables too, with -race and -cover, vet them, and link programs")
	flag.Parse()
	if err := run(context.Background(), *full); err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context, full bool) (err error) {
	dir, err := os.MkdirTemp("", "buildcost")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	b, err := newBuilder(ctx, dir)
	if err != nil {
		return err
	}
	first, err := b.count(ctx, 1, 1)
	if err != nil {
		return err
	}
	fmt.Println("1 table           ", first)
	var last cost
	for _, n := range []int{2, 3, 5} {
		if last, err = b.count(ctx, n, 1); err != nil {
			return err
		}
		fmt.Printf("%d tables           %v\n", n, last)
	}
	further := code{(last.Functions - first.Functions) / 4, (last.Bytes - first.Bytes) / 4}
	fmt.Printf("a further table    %v  %6.2f s  (of the first and the fifth)\n", further, (last.CPU-first.CPU).Seconds()/4)
	c, err := b.imported(ctx)
	if err != nil {
		return err
	}
	fmt.Println("importing package ", c)
	// 60 calls: 5 tables with 12 calls each.
	if c, err = b.count(ctx, 5, 2); err != nil {
		return err
	}
	fmt.Println("service, 60 calls ", c)
	if full {
		return b.full(ctx)
	}
	return nil
}

func (b *builder) full(ctx context.Context) error {
	const n = 20
	for _, flags := range [][]string{nil, {"-race"}} {
		c, err := b.count(ctx, n, 1, flags...)
		if err != nil {
			return err
		}
		fmt.Printf("%d tables %-7s  %v\n", n, strings.Join(flags, " "), c)
	}
	if err := b.alone(ctx, n); err != nil {
		return err
	}
	small, err := b.link(ctx, 1)
	if err != nil {
		return err
	}
	large, err := b.link(ctx, n)
	if err != nil {
		return err
	}
	fmt.Printf("binary, stripped   1 table %d KB, %d tables %d KB, %d KB for each\n", small>>10, n, large>>10, (large-small)>>10/(n-1))
	return nil
}

// alone measures what needs no overlay, with n tables in a separate module.
func (b *builder) alone(ctx context.Context, n int) error {
	dir := filepath.Join(b.dir, "alone")
	if err := os.Mkdir(dir, 0o700); err != nil {
		return err
	}
	mod, err := os.ReadFile(filepath.Join(b.root, "go.mod"))
	if err != nil {
		return err
	}
	sum, err := os.ReadFile(filepath.Join(b.root, "go.sum"))
	if err != nil {
		return err
	}
	text := strings.Replace(string(mod), "module "+module, "module alone", 1) + fmt.Sprintf("\nrequire %s v0.0.0\n\nreplace %s => %s\n", module, module, b.root)
	for name, text := range map[string]string{"go.mod": text, "go.sum": string(sum), "tables.go": program("tables", n, 1)} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			return err
		}
	}
	root := b.root
	defer func() { b.root = root }()
	b.root = dir
	if _, err := b.run(ctx, "build", "-mod=mod", "-cover", module); err != nil {
		return err
	}
	c, err := b.run(ctx, "build", "-mod=mod", "-cover", ".")
	if err != nil {
		return err
	}
	fmt.Printf("%d tables -cover    %v\n", n, c)
	if c, err = b.run(ctx, "vet", "-mod=mod", "."); err != nil {
		return err
	}
	fmt.Printf("%d tables go vet    %v\n", n, c)
	if _, err := exec.LookPath("gopls"); err != nil {
		fmt.Println("gopls is not installed; its figures are left out")
		return nil
	}
	for _, what := range []string{"packages read for the first time", "again"} {
		if c, err = b.command(ctx, "gopls", "check", filepath.Join(dir, "tables.go")); err != nil {
			return err
		}
		fmt.Printf("%d tables gopls     %v (%s)\n", n, c, what)
	}
	return nil
}

// link returns the size of a program that makes and uses n tables.
func (b *builder) link(ctx context.Context, n int) (int64, error) {
	var body strings.Builder
	for i := range n {
		fmt.Fprintf(&body, "\tif s, err := NewStore%d(client); err == nil {\n\t\tprintln(s.Calls0(context.Background(), client, &Order%d{}))\n\t}\n", i, i)
	}
	text := program("main", n, 1) + "\nvar client ddb.Client\n\nfunc main() {\n" + body.String() + "}\n"
	overlay, err := b.overlay(map[string]string{linked: text})
	if err != nil {
		return 0, err
	}
	out := filepath.Join(b.dir, "program"+strconv.Itoa(n))
	if _, err := b.run(ctx, "build", overlay, "-ldflags=-s -w", "-o", out, "./"+linked); err != nil {
		return 0, err
	}
	info, err := os.Stat(out)
	if err != nil {
		return 0, err
	}
	return info.Size(), nil
}
