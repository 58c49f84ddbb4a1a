// SPDX-License-Identifier: Apache-2.0

package explorer_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

var mutate = flag.Bool("explorer.mutations", false, "check that wrong rules of proof are detected; compiles the library again")

// mutation is a change of one expression of the library that makes its rule of proof wrong.
type mutation struct {
	name   string
	file   string
	before string // the text before and after the expression, as far as needed to find it
	right  string
	wrong  string
	after  string
}

var mutations = []mutation{
	{
		"only the newest tag is searched", "internal/proof/proof.go",
		"if ", "now.Revision.Place(tag) >= 0", "now.Revision.Place(tag) == 0", "",
	},
	{
		"a missing tag proves that another write followed", "internal/proof/proof.go",
		"case ", "place > 0 && place < len(now.Revision.Tags)", "place != 0", "",
	},
	{
		"an item proves that a lost Create was not applied, even if deletes leave nothing", "internal/proof/proof.go",
		"case ", "lasting && !base.Stored", "!base.Stored", "",
	},
	{
		"a Create that is sent again keeps its tag", "internal/core/provenwrite.go",
		"if ", "len(tags) == 0 || base.revision.IsZero()", "len(tags) == 0", "",
	},
	{
		"the tag that is sent is not the one that is searched", "internal/core/provenwrite.go",
		"w.send(ctx, base, ", "tags[len(tags)-1]", "newTag()", "",
	},
	{
		"a refusal is trusted although an earlier attempt got no reply", "internal/core/provenwrite.go",
		"clean := ", "!ambiguous && max(seen.worst, last) == notApplied", "max(seen.worst, last) == notApplied", "",
	},
	{
		"a lost request on an item that did not change is a failed condition", "internal/core/provenwrite.go",
		"case ", "shown == proof.Pending && refusal != nil", "shown == proof.Pending", "",
	},
	{
		"a loop starts again without proof", "internal/core/provenwrite.go",
		"case ", "len(base.item) == 0 && base.revision.IsZero() || !now.exists()", "len(base.item) == 0 && base.revision.IsZero() || !now.exists() || w.again(now)", "",
	},
	{
		"a write drops the tags of earlier writes", "internal/core/revision.go",
		"copy(n.Tags[1:], ", "r.Tags[:]", "r.Tags[:0]", "",
	},
	{
		"every 4xx is taken as the service's", "internal/core/outcome.go",
		"return ", "marked && refusalCodes[code]", "marked || len(code) > 0", "",
	},
	{
		"a put does not require the revision", "internal/core/put.go",
		"return expr.All(", "c.newestTag(base.revision)", `c.keyCall("attribute_exists")`, ", p.guard)",
	},
	{
		"a delete does not require the revision", "internal/core/delete.go",
		"case !base.revision.IsZero():\n\t\treturn ", "c.newestTag(base.revision)", `c.keyCall("attribute_exists")`, "\n",
	},
	{
		"a put that lost a race continues with the state of the winner", "internal/core/put.go",
		"return ", "now.revision.Same(p.base)", "true", " // the state was read to complete the tags",
	},
	{
		"a create treats any item as expired", "internal/core/put.go",
		"len(now.item) == 0 || ", "c.overExpired(p, now)", "p.verb == VerbCreate", " // a guess",
	},
	{
		"a transaction without a reply counts as applied", "eventstore/send.go",
		"err := s.send(ctx, c)\n\tif ", "err == nil", "err == nil || errors.Is(err, ddb.ErrOutcomeUnknown)", " {",
	},
	{
		"the outcome of a transaction without a reply counts as known", "eventstore/send.go",
		"c.mayBeWritten = ", "true", "false", "\n\t\treturn s.onUnknown",
	},
	{
		"a commit id in the head is not recognised", "eventstore/row.go",
		"if ", `id != commit || id == ""`, "true", " {",
	},
	{
		"an append to any version does not search for its commit id", "eventstore/send.go",
		"head.remembered(c.id); ", "ok", "false", " {\n\t\treturn s.foundAt(ctx, c, p, first, last, nil)\n\t}\n\tswitch {",
	},
	{
		"an append to an exact version does not require that its commit id is new", "eventstore/send.go",
		"if ", "p.expected.kind == exactly && !p.notInHead", "false", " {",
	},
	{
		"an append does not require the version that it read", "eventstore/send.go",
		"conds := []ddb.Cond[row]{", "rowVersion.Eq(p.base)", "rowVersion.Ge(0)", ", ",
	},
	{
		"stored events are not recognised as those of a lost transaction", "eventstore/outcome.go",
		"case ", "int64(ours) == n", "false", ":",
	},
	{
		"a repeat is not compared with the stored events", "eventstore/outcome.go",
		"if ", "!same", "false", " {",
	},
	{
		"a repeat is not searched in the other streams of the commit", "eventstore/outcome.go",
		"if ", "other == p", "true", " {",
	},
	{
		"a row of the feed has the first event of its commit only", "eventstore/send.go",
		"Last: ", "p.last", "p.first", ", At: c.at.UnixNano(), Commit: c.id, Expiry",
	},
	{
		"an update appends to any version", "eventstore/aggregate.go",
		"r.core.store.Append(ctx, a.Stream, ", "Exactly(a.Version)", "Any()", ", appendArgs",
	},
	{
		"an update decides again after its commit", "eventstore/aggregate.go",
		"if ", "known", "false", " {",
	},
	{
		"a position moves back", "position/store.go",
		"ddb.Or(ddb.NotExists(rowNumber), ", "rowNumber.Lt(position)", "rowNumber.Ge(0)", ")",
	},
	{
		"any snapshot of a version counts as the same", "snapshot/store.go",
		"if is, _ := failed.Current(); ", "is.same(&r)", "true", " {\n\t\t\terr = nil",
	},
	{
		"a conflict is trusted although an earlier save got no reply", "internal/repeat/repeat.go",
		"if ", "doubt != nil && err != nil && !InDoubt(err)", "false", " {",
	},
}

const mutationVariable = "EXPLORER_MUTATION"

// switchSource chooses between the right and the wrong expression while the program runs, so that one build serves all.
const switchSource = `package %s

import (
	"os"
	"strconv"
)

var mutation, _ = strconv.Atoi(os.Getenv("` + mutationVariable + `"))

func mutated[T any](n int, wrong, right T) T {
	if mutation == n {
		return wrong
	}
	return right
}
`

// TestMutations runs the explorer on wrong libraries: it must fail on each, and on the right one it must not.
func TestMutations(t *testing.T) {
	root, err := filepath.Abs(filepath.Join("..", "..", ".."))
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	overlay, err := writeMutations(root, dir)
	if err != nil {
		t.Fatal(err)
	}
	if !*mutate {
		t.Skip("all places exist; only -explorer.mutations compiles the library with them")
	}
	program := filepath.Join(dir, "explorer.test")
	if out, err := exec.CommandContext(t.Context(), "go", "test", "-c", "-overlay", overlay, "-o", program, ".").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for i, m := range mutations {
		t.Run(m.name, func(t *testing.T) {
			args := []string{"-test.run", "TestExplorer", "-explorer.first", "-explorer.only", "Revision,Tombstones,Expiry", "-explorer.schedules", "150000"}
			switch filepath.Dir(m.file) {
			case "eventstore":
				args = []string{"-test.run", "TestAppends", "-explorer.first"}
			case "position", "snapshot", "internal/repeat":
				args = []string{"-test.run", "TestSaves", "-explorer.first"}
			}
			cmd := exec.CommandContext(t.Context(), program, args...)
			cmd.Env = append(os.Environ(), fmt.Sprintf("%s=%d", mutationVariable, i+1))
			out, err := cmd.CombinedOutput()
			lines := strings.Split(string(out), "\n")
			for i, line := range lines {
				if err != nil && strings.Contains(line, "; needs: ") && i+1 < len(lines) {
					t.Logf("found: %s\n%s", strings.TrimSpace(line), lines[i+1])
					return
				}
			}
			t.Errorf("not found: %v: %v\n%s", cmd, err, out)
		})
	}
}

// writeMutations writes the changed files, and an overlay for the go command that replaces the original files.
func writeMutations(root, dir string) (overlay string, err error) {
	files := map[string][]byte{}
	for i, m := range mutations {
		if files[m.file] == nil {
			if files[m.file], err = os.ReadFile(filepath.Join(root, m.file)); err != nil {
				return "", err
			}
			dir := filepath.Dir(m.file)
			files[filepath.Join(dir, "mutation.go")] = fmt.Appendf(nil, switchSource, filepath.Base(dir))
		}
		old := []byte(m.before + m.right + m.after)
		if n := bytes.Count(files[m.file], old); n != 1 {
			return "", fmt.Errorf("%s contains the place of a mutation %d times, not once: %s", m.file, n, old)
		}
		files[m.file] = bytes.Replace(files[m.file], old, []byte(m.choice(i+1)), 1)
	}
	replace := map[string]string{}
	for name, data := range files {
		to := filepath.Join(dir, name)
		replace[filepath.Join(root, name)] = to
		if err := os.MkdirAll(filepath.Dir(to), 0o700); err != nil {
			return "", err
		}
		if err := os.WriteFile(to, data, 0o600); err != nil {
			return "", err
		}
	}
	data, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		return "", err
	}
	overlay = filepath.Join(dir, "overlay.json")
	return overlay, os.WriteFile(overlay, data, 0o600)
}

// choice returns the text with both expressions.
func (m mutation) choice(n int) string {
	return fmt.Sprintf("%smutated(%d, %s, %s)%s", m.before, n, m.wrong, m.right, m.after)
}
