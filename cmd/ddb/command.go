// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"strings"
)

// commands are all that ddb can do, in the order of its help. Each has a file of its own.
var commands = []command{
	genHandles,
	genStruct,
}

// command is one of ddb's.
type command struct {
	name  string // the words that call it
	args  string // what follows the flags, for its usage
	brief string // one line
	long  string // what else there is to know; may be empty
	// prepare defines the flags and returns what runs with them.
	prepare func(*flag.FlagSet) action
}

// action does the work of a command. Data go to the output, all else to the errors.
type action func(ctx context.Context, s streams, args []string) error

// streams are where a command writes.
type streams struct{ out, err io.Writer }

var (
	errUsage = errors.New("wrong usage")
	errShown = errors.New("shown already") // there is nothing to add
)

// usageError is about the command line.
func usageError(format string, args ...any) error {
	return fmt.Errorf("%w: %s", errUsage, fmt.Sprintf(format, args...))
}

// run runs the command that the arguments name.
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
	}
	c, rest := find(args)
	if c == nil {
		return unknown(args)
	}
	flags, do := c.flags()
	switch err := flags.Parse(rest); {
	case errors.Is(err, flag.ErrHelp):
		c.help(s.out)
		return nil
	case err != nil:
		return usageError("%s: %v; see ddb help %s", c.name, err, c.name)
	}
	if err := do(ctx, s, flags.Args()); err != nil {
		if errors.Is(err, errShown) || errors.Is(err, errUsage) {
			return err
		}
		return fmt.Errorf("%s: %w", c.name, err)
	}
	return nil
}

// find is the command that the arguments begin with, and the arguments behind it.
func find(args []string) (*command, []string) {
	for i := range commands {
		words := strings.Fields(commands[i].name)
		if len(args) >= len(words) && strings.Join(args[:len(words)], " ") == commands[i].name {
			return &commands[i], args[len(words):]
		}
	}
	return nil, nil
}

func unknown(args []string) error {
	var near []string
	for _, c := range commands {
		if first, _, _ := strings.Cut(c.name, " "); first == args[0] {
			near = append(near, c.name)
		}
	}
	if len(near) > 0 {
		return usageError("there is no command %q; there is %s", strings.Join(args, " "), strings.Join(near, ", "))
	}
	return usageError("there is no command %q; see ddb help", args[0])
}

// flags are a new set of the command's flags, and the action that reads them.
func (c *command) flags() (*flag.FlagSet, action) {
	f := flag.NewFlagSet(c.name, flag.ContinueOnError)
	f.SetOutput(io.Discard)
	return f, c.prepare(f)
}

func overview(w io.Writer) {
	fmt.Fprint(w, "ddb helps with tables of package ddb.\n\n")
	for _, c := range commands {
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
