// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"regexp"
	"strings"
)

// shellCommand is a line of a document that is run.
type shellCommand struct {
	file string
	line int
	text string
}

var (
	runnable = regexp.MustCompile(`^(go |cd \S+ && )`)
	comment  = regexp.MustCompile(`\s+#\s.*$`)
)

// commandsOf finds the commands of shell blocks, each once.
func commandsOf(blocks []block) []shellCommand {
	var commands []shellCommand
	seen := map[string]bool{}
	for _, b := range blocks {
		if b.kind != "sh" && b.kind != "" || b.is("skip") {
			continue
		}
		lines := strings.Split(b.code, "\n")
		for i := 0; i < len(lines); i++ {
			at := b.line + i
			text := lines[i]
			for strings.HasSuffix(text, `\`) && i+1 < len(lines) {
				i++
				text = strings.TrimSuffix(text, `\`) + strings.TrimSpace(lines[i])
			}
			text = strings.TrimPrefix(strings.TrimSpace(text), "$ ")
			text = strings.TrimSpace(comment.ReplaceAllString(text, ""))
			if runnable.MatchString(text) && !seen[text] {
				seen[text] = true
				commands = append(commands, shellCommand{b.file, at, text})
			}
		}
	}
	return commands
}

func (r runner) runCommands(ctx context.Context, blocks []block) []problem {
	var problems []problem
	for _, c := range commandsOf(blocks) {
		fmt.Fprintf(r.log, "%s:%d: $ %s\n", c.file, c.line, c.text)
		limited, cancel := context.WithTimeout(ctx, commandLimit)
		command := r.command(limited, "bash", "-c", c.text)
		out, err := command.CombinedOutput()
		cancel()
		if err != nil {
			problems = append(problems, problem{c.file, c.line, fmt.Sprintf("%s: %v\n%s", c.text, err, out)})
		}
	}
	return problems
}
