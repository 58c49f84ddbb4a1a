// SPDX-License-Identifier: Apache-2.0

package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestCompletionInShells runs the scripts in the installed shells; each calls ddb itself.
func TestCompletionInShells(t *testing.T) {
	shop(t, nil)
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := os.Symlink(program, filepath.Join(dir, "ddb")); err != nil {
		t.Skip(err)
	}
	t.Setenv("PATH", dir+string(os.PathListSeparator)+os.Getenv("PATH"))
	t.Setenv(asProgram, "1")
	for shell, script := range map[string]string{
		"bash": `source <(ddb completion bash)
			COMP_WORDS=(ddb describe -format text o); COMP_CWORD=4; _ddb; printf '%s\n' "${COMPREPLY[@]}"
			COMP_WORDS=(ddb desc); COMP_CWORD=1; _ddb; printf '%s\n' "${COMPREPLY[@]}"`,
		"fish": `ddb completion fish | source; complete -C 'ddb describe -format text o'; complete -C 'ddb desc'`,
		"zsh": `compdef() { :; }; compadd() { print -l -- ${(P)2}; }
			source <(ddb completion zsh)
			words=(ddb describe -format text o); CURRENT=5; _ddb
			words=(ddb desc); CURRENT=2; _ddb`,
	} {
		path, err := exec.LookPath(shell)
		if err != nil {
			t.Logf("%s is not installed", shell)
			continue
		}
		text, err := exec.CommandContext(t.Context(), path, "-c", script).CombinedOutput()
		if got := strings.Fields(string(text)); err != nil || strings.Join(got, " ") != "orders orders2 describe" {
			t.Errorf("%s: %v\n%s", shell, err, text)
		}
	}
}
