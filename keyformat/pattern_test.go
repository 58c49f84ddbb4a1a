// SPDX-License-Identifier: Apache-2.0

package keyformat_test

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/dynamotable/ddb"
	"github.com/dynamotable/ddb/keyformat"
)

type taskKey struct {
	Workflow string
	Status   string
	Priority uint16 `ddbkey:"pad=3"`
}

var taskKeys = keyformat.Pattern[taskKey]("WF#{workflow}#STATUS#{status}#{Priority}.end")

// The texts are as people write them by hand, and can be parsed.
func TestPatternTexts(t *testing.T) {
	type day struct {
		At   time.Time `ddbkey:"unit=day"`
		N    int8
		Done bool
		Name string `ddbkey:"raw"`
	}
	days := keyformat.Pattern[day]("{name}|{at}{n}/{done} !")
	for _, tc := range []struct {
		got  func() ([]byte, error)
		want string
	}{
		{func() ([]byte, error) { return taskKeys.Format(taskKey{"billing", "open", 7}) }, "WF#billing#STATUS#open#007.end"},
		{func() ([]byte, error) { return taskKeys.Format(taskKey{"a b#c", "", 0}) }, "WF#a$`b$cc#STATUS##000.end"},
		{func() ([]byte, error) {
			return days.Format(day{time.Date(2026, 9, 1, 0, 0, 0, 0, time.UTC), 5, true, "my #1"})
		}, "my #1|2026-09-01005/true !"},
	} {
		if got, err := tc.got(); string(got) != tc.want || err != nil {
			t.Errorf("%s, %v, want %s", got, err, tc.want)
		}
	}
	var d day
	if err := days.Parse([]byte("my #1|2026-09-01005/true !"), &d); err != nil || d.Name != "my #1" || d.N != 5 || !d.Done || d.At.Day() != 1 {
		t.Errorf("%+v, %v", d, err)
	}
	if _, err := days.Format(day{Name: "a|b"}); err == nil || strings.Contains(err.Error(), "a|b") {
		t.Errorf("a raw text with its end in it: %v", err)
	}
	for n, want := range []string{"WF#", "WF#w#STATUS#", "WF#w#STATUS#s#"} {
		if got, err := taskKeys.Prefix(taskKey{"w", "s", 1}, n); got != want || err != nil {
			t.Errorf("prefix of %d fields: %s, %v", n, got, err)
		}
	}
}

func TestPatternParseRefuses(t *testing.T) {
	for _, text := range []string{
		"", "WF#", "WF#w", "WF#w#STATUS#s", "WF#w#STATUS#s#7.end", "WF#w#STATUS#s#0007.end", "WF#w#STATUS#s#007", "WF#w#STATUS#s#007.end.", "WF#w#STATE#s#007.end", "wf#w#STATUS#s#007.end",
		"WF#w#STATUS#s#007.endx", "WF#w x#STATUS#s#007.end", "WF#w#STATUS#s#007.end#", "WF#w#x#STATUS#s#007.end",
	} {
		k := taskKey{"kept", "kept", 1}
		if err := taskKeys.Parse([]byte(text), &k); err == nil || k != (taskKey{"kept", "kept", 1}) {
			t.Errorf("%q: %+v, %v", text, k, err)
		}
	}
}

func TestPatternDefinitionErrors(t *testing.T) {
	type raw struct {
		A string `ddbkey:"raw"`
		B string
	}
	type hidden struct {
		A string
		_ string
	}
	type cases struct{ Ab, AB string }
	type number struct {
		A string
		N int `ddbkey:"raw"`
	}
	for name, err := range map[string]error{
		"no fields":       keyformat.Pattern[taskKey]("WF").Err(),
		"one is missing":  keyformat.Pattern[taskKey]("{workflow}#{status}").Err(),
		"one twice":       keyformat.Pattern[taskKey]("{workflow}#{status}#{status}#{priority}").Err(),
		"unknown":         keyformat.Pattern[taskKey]("{workflow}#{status}#{priority}#{x}").Err(),
		"open brace":      keyformat.Pattern[taskKey]("{workflow}#{status}#{priority").Err(),
		"closed brace":    keyformat.Pattern[taskKey]("{workflow}#{status}#{priority}}").Err(),
		"brace in brace":  keyformat.Pattern[taskKey]("{work{flow}#{status}#{priority}").Err(),
		"side by side":    keyformat.Pattern[taskKey]("{workflow}{status}#{priority}").Err(),
		"does not sort":   keyformat.Pattern[taskKey]("{workflow}/{status}#{priority}").Err(),
		"does not sort 2": keyformat.Pattern[taskKey]("{priority}#{workflow}#{status}x").Err(),
		"not UTF-8":       keyformat.Pattern[taskKey]("\xff{priority}#{workflow}#{status}").Err(),
		"raw, no end":     keyformat.Pattern[raw]("{a}{b}").Err(),
		"not exported":    keyformat.Pattern[hidden]("{a}").Err(),
		"case alone":      keyformat.Pattern[cases]("{ab}#{AB}").Err(),
		"raw number":      keyformat.Pattern[number]("{a}#{n}").Err(),
		"not a struct":    keyformat.Pattern[string]("{a}").Err(),
	} {
		if !errors.Is(err, ddb.ErrInvalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, err := range map[string]error{
		"raw":     keyformat.Pattern[raw]("{a}/{b}").Err(),
		"order":   keyformat.Pattern[taskKey]("{priority}{status} {workflow}").Err(),
		"all end": keyformat.Pattern[taskKey]("<{priority}>{status}#x#{workflow}!").Err(),
	} {
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func drawTask(t *rapid.T, label string) taskKey {
	text := rapid.OneOf(rapid.SampledFrom([]string{"", "a", "a#", "a!", "a$", "STATUS", "#STATUS#"}), rapid.String())
	return taskKey{text.Draw(t, label+" workflow"), text.Draw(t, label+" status"), rapid.Uint16Range(0, 999).Draw(t, label+" priority")}
}

func compareTasks(a, b taskKey) int {
	return cmp.Or(strings.Compare(a.Workflow, b.Workflow), strings.Compare(a.Status, b.Status), cmp.Compare(a.Priority, b.Priority))
}

// Texts can be parsed, sort as the keys do in the order of the pattern, and begin with the prefix if and only if the fields are the same.
func TestPatternProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b := drawTask(t, "a"), drawTask(t, "b")
		textA, err1 := taskKeys.Format(a)
		textB, err2 := taskKeys.Format(b)
		if err1 != nil || err2 != nil {
			t.Fatal(err1, err2)
		}
		var back taskKey
		if err := taskKeys.Parse(textA, &back); err != nil || back != a {
			t.Fatalf("%q of %+v gives %+v, %v", textA, a, back, err)
		}
		if got, want := bytes.Compare(textA, textB), compareTasks(a, b); got != want {
			t.Fatalf("%q and %q: order %d, of the keys %d", textA, textB, got, want)
		}
		for n, same := range []bool{true, a.Workflow == b.Workflow, a.Workflow == b.Workflow && a.Status == b.Status} {
			prefix, err := taskKeys.Prefix(b, n)
			if err != nil || strings.HasPrefix(string(textA), prefix) != same {
				t.Fatalf("prefix %q of %d fields and %q, %v", prefix, n, textA, err)
			}
		}
	})
}

// Every text that is parsed is written as the same text.
func FuzzPatternParse(f *testing.F) {
	for _, s := range []string{"WF#w#STATUS#s#007.end", "WF##STATUS##000.end", "WF#$`#STATUS#$c#999.end", "WF#"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		var k taskKey
		if taskKeys.Parse(text, &k) != nil {
			return
		}
		if again, err := taskKeys.Format(k); err != nil || string(again) != string(text) {
			t.Errorf("%q is read as %+v, which is written as %q, %v", text, k, again, err)
		}
	})
}

func ExamplePattern() {
	type TaskKey struct {
		Workflow string
		Status   string
		Priority int `ddbkey:"pad=3"`
	}
	keys := keyformat.Pattern[TaskKey]("WF#{workflow}#STATUS#{status}#{priority}")
	text, err := keys.Format(TaskKey{"billing", "open", 7})
	fmt.Println(string(text), err)
	var k TaskKey
	fmt.Println(keys.Parse(text, &k), k)
	open, err := keys.Prefix(TaskKey{Workflow: "billing", Status: "open"}, 2)
	fmt.Println(open, err)
	// Output:
	// WF#billing#STATUS#open#007 <nil>
	// <nil> {billing open 7}
	// WF#billing#STATUS#open# <nil>
}
