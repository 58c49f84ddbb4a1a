// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"flag"
	"fmt"
	"slices"
	"strings"
	"time"
)

var completion = command{
	name:  "completion",
	args:  "bash|zsh|fish",
	brief: "print the completion for a shell",
	long: `
It completes commands, flags and names of tables, which it lists from the endpoint. For the current shell, and in a file for all shells:

  source <(ddb completion bash)
  ddb completion bash > ~/.local/share/bash-completion/completions/ddb
  ddb completion zsh > "${fpath[1]}/_ddb"
  ddb completion fish > ~/.config/fish/completions/ddb.fish`,
	prepare: func(*flag.FlagSet) action {
		return func(_ context.Context, s streams, args []string) error {
			if len(args) != 1 || completions[args[0]] == "" {
				return usageError("completion: name a shell: bash, zsh or fish")
			}
			_, err := fmt.Fprint(s.out, completions[args[0]])
			return err
		}
	},
}

// completeWord prints the candidates for the last word; shells call it.
const completeWord = "__complete"

var completions = map[string]string{
	"bash": `_ddb() {
	local word
	COMPREPLY=()
	while IFS= read -r word; do
		COMPREPLY+=("$(printf '%q' "$word")")
	done < <(ddb __complete "${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
	[ ${#COMPREPLY[@]} -gt 0 ] || compopt -o default 2>/dev/null
}
complete -F _ddb ddb
`,
	"zsh": `#compdef ddb
_ddb() {
	local -a candidates
	candidates=("${(@f)$(ddb __complete "${(@)words[2,CURRENT]}" 2>/dev/null)}")
	if [[ -n ${candidates[1]} ]]; then
		compadd -a candidates
	else
		_files
	fi
}
if [[ $funcstack[1] = _ddb ]]; then _ddb; else compdef _ddb ddb; fi
`,
	"fish": `function __ddb_complete
	set -l words (commandline -opc) (commandline -ct)
	set -l candidates (ddb __complete $words[2..-1] 2>/dev/null)
	if test (count $candidates) -gt 0
		printf '%s\n' $candidates
	else
		__fish_complete_path (commandline -ct)
	end # of if
end
complete -c ddb -f -a '(__ddb_complete)'
`,
}

// completeTime limits how long a shell waits for the names of tables.
const completeTime = 2 * time.Second

// complete prints the possible completions of the last word.
func complete(ctx context.Context, s streams, words []string) {
	if len(words) == 0 {
		words = []string{""}
	}
	before, last := words[:len(words)-1], words[len(words)-1]
	for _, candidate := range candidates(ctx, s, before, last) {
		if strings.HasPrefix(candidate, last) {
			fmt.Fprintln(s.out, candidate)
		}
	}
}

func candidates(ctx context.Context, s streams, before []string, last string) (list []string) {
	if len(before) > 0 && before[0] == "help" {
		before = before[1:]
	}
	c, rest := find(before)
	if c == nil {
		for _, c := range commands() {
			if words := strings.Fields(c.name); len(words) > len(before) && slices.Equal(words[:len(before)], before) {
				list = append(list, words[len(before)])
			}
		}
		if len(before) == 0 {
			list = append(list, "help")
		}
		slices.Sort(list)
		return slices.Compact(list)
	}
	flags, _ := c.flags()
	if strings.HasPrefix(last, "-") {
		flags.VisitAll(func(f *flag.Flag) { list = append(list, "-"+f.Name) })
		return list
	}
	if c.name == "completion" {
		return []string{"bash", "zsh", "fish"}
	}
	if n := len(rest); n > 0 {
		if f := flags.Lookup(strings.TrimLeft(rest[n-1], "-")); f != nil && strings.HasPrefix(rest[n-1], "-") && !isSwitch(f) {
			return choices(f.Usage)
		}
	}
	words, err := parse(flags, rest)
	if err != nil || !takesTable(c.args, len(words)) {
		return nil
	}
	var at connection
	if f := flags.Lookup("endpoint"); f != nil {
		at.endpoint = f.Value.String()
	}
	if f := flags.Lookup("region"); f != nil {
		at.region = f.Value.String()
	}
	ctx, cancel := context.WithTimeout(ctx, completeTime)
	defer cancel()
	client, err := at.client(ctx, s)
	if err != nil {
		return nil
	}
	if eachTable(ctx, client, func(name string) error { list = append(list, name); return nil }) != nil {
		return nil
	}
	return list
}

// takesTable reports whether argument i of a command is a table, according to its usage.
func takesTable(usage string, i int) bool {
	words := strings.Fields(usage)
	if len(words) == 0 {
		return false
	}
	if i >= len(words) && strings.HasSuffix(words[len(words)-1], "...") {
		i = len(words) - 1
	}
	return i < len(words) && strings.Contains(words[i], "TABLE")
}

// choices returns the words after the colon in a flag's usage: "the `format`: text, go or cdk".
func choices(usage string) []string {
	_, list, ok := strings.Cut(usage, "`: ")
	if !ok {
		return nil
	}
	return strings.FieldsFunc(strings.ReplaceAll(list, " or ", ", "), func(r rune) bool { return r == ',' || r == ' ' })
}
