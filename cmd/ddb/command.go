// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// commands are the commands of ddb, in the order of its help.
func commands() []command {
	return []command{
		tables,
		describe,
		get,
		query,
		scan,
		count,
		put,
		updateItem,
		deleteItem,
		purge,
		export,
		importTable,
		verify,
		copyTable,
		diff,
		streamsTail,
		jobStatus,
		genHandles,
		genStruct,
		resume(),
		completion,
	}
}

// command is a command of ddb.
type command struct {
	name  string // the words that select it
	args  string // the arguments after the flags, for its usage
	brief string // one line
	long  string // further help; may be empty
	// prepare defines the flags and returns the action that uses them.
	prepare func(*flag.FlagSet) action
}

// action runs a command. Data is written to the output, everything else to the errors.
type action func(ctx context.Context, s streams, args []string) error

// streams holds the input and outputs of a command, and how it was called.
type streams struct {
	in       io.Reader
	out, err io.Writer
	terminal bool      // errors are written to a terminal
	mixed    bool      // and so is the output
	args     []string  // the whole command line
	from     *position // of the run that this one resumes; nil for a new one
}

// run runs the command that the arguments select.
func run(ctx context.Context, s streams, args []string) error {
	if len(args) == 0 {
		overview(s.err)
		return errors.Join(errUsage, errShown)
	}
	switch args[0] {
	case "help", "-h", "-help", "--help":
		if len(args) == 1 {
			overview(s.out)
			return nil
		}
		c, rest := find(args[1:])
		if c == nil || len(rest) > 0 {
			return unknown(args[1:])
		}
		c.help(s.out)
		return nil
	case completeWord:
		complete(ctx, s, args[1:])
		return nil
	}
	c, rest := find(args)
	if c == nil {
		return unknown(args)
	}
	flags, do := c.flags()
	words, err := parse(flags, rest)
	switch {
	case errors.Is(err, flag.ErrHelp):
		c.help(s.out)
		return nil
	case err != nil:
		return usageError("%s: %v; see ddb help %s", c.name, err, c.name)
	}
	if s.args == nil {
		s.args = args
	}
	if err := do(ctx, s, words); err != nil {
		if ctx.Err() != nil && !errors.Is(err, context.Canceled) {
			err = errors.Join(err, context.Canceled) // the error may be a result of the signal
		}
		if errors.Is(err, errShown) || errors.Is(err, errUsage) {
			return err
		}
		return fmt.Errorf("%s: %w", c.name, err)
	}
	return nil
}

// parse parses flags, which may be before, between and after the other words. After -- everything is a word. A negative number is
// a word.
func parse(f *flag.FlagSet, args []string) (words []string, err error) {
	for len(args) > 0 {
		if args[0] == "--" {
			return append(words, args[1:]...), nil
		}
		_, n := flagAt(f, args)
		if n == 0 {
			words, args = append(words, args[0]), args[1:]
			continue
		}
		if err := f.Parse(args[:n]); err != nil {
			return nil, err
		}
		args = args[n:]
	}
	return words, nil
}

// flagAt returns the name of the flag at the beginning of the arguments, and the number of arguments that it takes including its
// value. The number is 0 if the arguments begin with a word.
func flagAt(f *flag.FlagSet, args []string) (name string, n int) {
	arg := args[0]
	if len(arg) < 2 || arg[0] != '-' || isNumber(arg) {
		return "", 0
	}
	name, _, whole := strings.Cut(strings.TrimPrefix(strings.TrimPrefix(arg, "-"), "-"), "=")
	if known := f.Lookup(name); known != nil && !whole && !isSwitch(known) {
		return name, min(2, len(args))
	}
	return name, 1
}

// isSwitch reports whether a flag has no value.
func isSwitch(f *flag.Flag) bool {
	b, ok := f.Value.(interface{ IsBoolFlag() bool })
	return ok && b.IsBoolFlag()
}

func isNumber(text string) bool {
	_, err := strconv.ParseFloat(text, 64)
	return (err == nil || errors.Is(err, strconv.ErrRange)) && strings.ContainsAny(text[1:2], ".0123456789")
}

// find returns the command at the beginning of the arguments, and the remaining arguments.
func find(args []string) (*command, []string) {
	for _, c := range commands() {
		words := strings.Fields(c.name)
		if len(args) >= len(words) && strings.Join(args[:len(words)], " ") == c.name {
			return &c, args[len(words):]
		}
	}
	return nil, nil
}

func unknown(args []string) error {
	var near []string
	for _, c := range commands() {
		if first, _, _ := strings.Cut(c.name, " "); first == args[0] {
			near = append(near, c.name)
		}
	}
	if len(near) > 0 {
		return usageError("there is no command %q; there is %s", strings.Join(args, " "), strings.Join(near, ", "))
	}
	return usageError("there is no command %q; see ddb help", args[0])
}

// flags returns a new set of the command's flags, and the action that uses them.
func (c *command) flags() (*flag.FlagSet, action) {
	f := flag.NewFlagSet(c.name, flag.ContinueOnError)
	f.SetOutput(io.Discard)
	return f, c.prepare(f)
}

func overview(w io.Writer) {
	fmt.Fprint(w, "ddb reads and changes DynamoDB tables, and writes code for package ddb.\n\n")
	for _, c := range commands() {
		fmt.Fprintf(w, "  ddb %-14s %s\n", c.name, c.brief)
	}
	fmt.Fprint(w, "\nddb help COMMAND says more about one.\n")
}

func (c *command) help(w io.Writer) {
	fmt.Fprintf(w, "usage: ddb %s [flags] %s\n\n%s\n", c.name, c.args, c.brief)
	if c.long != "" {
		fmt.Fprintf(w, "\n%s\n", strings.TrimSpace(c.long))
	}
	flags, _ := c.flags()
	fmt.Fprint(w, "\nflags:\n")
	flags.SetOutput(w)
	flags.PrintDefaults()
}
