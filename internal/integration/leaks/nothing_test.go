// SPDX-License-Identifier: Apache-2.0

package leaks_test

import (
	"context"
	"fmt"
	"go/token"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"runtime/debug"
	"slices"
	"strings"
	"testing"
	"time"
)

// mayPanic lists the functions, methods and types whose calls may panic with zero arguments, and the reasons.
var mayPanic = map[string]string{
	"(*ddbtest.Engine)":       "for tests only; the constructors always return an engine, a closed one after an error",
	"(*ddbtest.Clock)":        "for tests only; every engine has one",
	"(*fault.Plan)":           "package ddbtest makes plans, and only its engine calls them",
	"(*fault.Gate)":           "for tests only; NewGate creates gates and cannot fail",
	"(*ddbclient.lazyClient)": "its methods are those of the SDK's client, where a nil option panics",
	"eventstore.Register":     "it is called by init functions, where a mistake of the program must stop it; its doc says so",
	"(*eventstore.Types).Add": "it is called by init functions, where a mistake of the program must stop it; its doc says so",
}

// TestFunctionsAreListed: functions has every exported function, so that TestZeroArgumentsDoNotPanic calls it. Functions with a testing.T, which cannot
// be created, are left out.
func TestFunctionsAreListed(t *testing.T) {
	root := filepath.Join("..", "..", "..")
	files, err := filepath.Glob(filepath.Join(root, "internal", "archtest", "testdata", "api", "*.txt"))
	if err != nil || len(files) < 10 {
		t.Fatal(files, err)
	}
	declaration := regexp.MustCompile(`(?m)^func ([A-Z]\w*)(.*)$`)
	all := map[string]bool{}
	look := func(pkg, text string) {
		for _, m := range declaration.FindAllStringSubmatch(text, -1) {
			if !strings.Contains(m[2], "testing.T") {
				all[pkg+"."+m[1]] = true
			}
		}
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		look(strings.TrimSuffix(filepath.Base(file), ".txt"), string(text))
	}
	for _, dir := range modules(t, root) {
		sources, err := filepath.Glob(filepath.Join(root, dir, "*.go"))
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range sources {
			if text, err := os.ReadFile(file); err == nil && !strings.HasSuffix(file, "_test.go") {
				look(strings.ReplaceAll(dir, "/", "-"), string(text))
			}
		}
	}
	for name := range all {
		if functions[name] == nil {
			t.Errorf("%s is new: list it in functions", name)
		}
	}
	for name := range functions {
		if !all[name] {
			t.Errorf("%s is no longer an exported function", name)
		}
	}
}

// TestZeroArgumentsDoNotPanic calls every exported function, and every method of all exported types and of the functions' results, with zero values and
// nil as arguments, options and receivers. Nothing panics, and nothing hangs.
func TestZeroArgumentsDoNotPanic(t *testing.T) {
	for _, name := range []string{"AWS_REGION", "AWS_DEFAULT_REGION"} {
		t.Setenv(name, "us-east-1")
	}
	t.Setenv("AWS_EC2_METADATA_DISABLED", "true")
	t.Chdir(t.TempDir())
	c := &caller{t: t, seen: map[string]bool{}, used: map[string]bool{}}
	for name, x := range exportedTypes {
		c.from = name
		zero := reflect.New(x.typ)
		c.methods(zero, 3)
		c.methods(reflect.Zero(zero.Type()), 1) // a nil pointer
	}
	for name, f := range functions {
		c.from = name
		fn := reflect.ValueOf(f)
		for _, args := range c.arguments(fn.Type()) {
			c.results(c.call(name, fn, args), 3)
		}
		if !fn.Type().IsVariadic() {
			continue
		}
		// The options that other functions return for zero arguments.
		for other, o := range functions {
			option := reflect.ValueOf(o)
			if option.Type().NumOut() != 1 || option.Type().Out(0) != fn.Type().In(fn.Type().NumIn()-1).Elem() {
				continue
			}
			for _, args := range c.arguments(option.Type())[:1] {
				made := c.call(other, option, args)
				if len(made) == 1 {
					c.from = name + " with " + other
					c.results(c.call(c.from, fn, append(c.arguments(fn.Type())[0], made[0])), 3)
				}
			}
		}
	}
	for name := range mayPanic {
		if !c.used[name] {
			t.Errorf("%s no longer panics: remove it from the list", name)
		}
	}
	t.Logf("%d calls", c.calls)
}

type caller struct {
	t     *testing.T
	from  string
	seen  map[string]bool
	used  map[string]bool // keys of mayPanic
	calls int
}

// ours reports whether a type is one of the library's public packages.
func ours(t reflect.Type) bool {
	return strings.HasPrefix(t.PkgPath(), "github.com/dynamotable/ddb") && !strings.Contains(t.PkgPath(), "/internal/")
}

// methods calls the methods of a value.
func (c *caller) methods(v reflect.Value, depth int) {
	t := v.Type()
	elem := t
	if t.Kind() == reflect.Pointer {
		elem = t.Elem()
	}
	if depth == 0 || !ours(elem) || elem.Kind() == reflect.Interface {
		return
	}
	isNil := v.Kind() == reflect.Pointer && v.IsNil()
	if isNil && isError(t) {
		return // a nil pointer in an error is a mistake of its creator; fmt prints <nil>
	}
	for i := range t.NumMethod() {
		m := t.Method(i)
		if _, byValue := elem.MethodByName(m.Name); byValue && isNil || sealed(v.Method(i).Type()) {
			continue // Go itself refuses the call, or programs cannot create the value
		}
		name := fmt.Sprintf("(%s).%s", t, m.Name)
		if at := strings.IndexByte(name, '['); at >= 0 { // without type arguments
			name = name[:at] + ")." + m.Name
		}
		key := fmt.Sprint(c.from, " ", t, m.Name, isNil)
		if c.seen[key] {
			continue
		}
		c.seen[key] = true
		for _, args := range c.arguments(v.Method(i).Type()) {
			c.results(c.call(name, v.Method(i), args), depth-1)
		}
	}
}

// sealed reports whether a method has a parameter that only the library can create: an unexported type, or a pointer to the state of a
// call in an internal package.
func sealed(m reflect.Type) bool {
	for in := range m.Ins() {
		pointer := in.Kind() == reflect.Pointer
		for in.Kind() == reflect.Pointer || in.Kind() == reflect.Slice {
			in = in.Elem()
		}
		if ours(in) && in.Name() != "" && !token.IsExported(in.Name()) || pointer && strings.HasPrefix(in.PkgPath(), "github.com/dynamotable/ddb/internal/") {
			return true
		}
	}
	return false
}

// results checks the results of a call: it calls methods and functions, and reads sequences.
func (c *caller) results(all []reflect.Value, depth int) {
	for _, v := range all {
		for v.Kind() == reflect.Interface && !v.IsNil() {
			v = v.Elem()
		}
		switch {
		case v.Kind() == reflect.Interface || v.Kind() == reflect.Pointer && v.IsNil():
		case v.Kind() == reflect.Func && !v.IsNil() && (v.Type().CanSeq() || v.Type().CanSeq2()):
			c.call(c.from+": sequence", reflect.ValueOf(func() {
				n := 0
				if v.Type().CanSeq() {
					for range v.Seq() {
						if n++; n > 10 {
							break
						}
					}
					return
				}
				for range v.Seq2() {
					if n++; n > 10 {
						break
					}
				}
			}), nil)
		case v.Kind() == reflect.Func && !v.IsNil() && (v.Type().Name() == "" || v.Type().Name() == "Policy"): // what has another name is for the package that made it
			for _, args := range c.arguments(v.Type())[:1] {
				c.call(c.from+": its result", v, args)
			}
		case v.Type().Name() != "error":
			c.methods(v, depth)
			if v.Kind() == reflect.Struct { // methods of the pointer
				p := reflect.New(v.Type())
				p.Elem().Set(v)
				c.methods(p, depth)
			}
		}
	}
}

// arguments returns lists of zero arguments: without variadic ones, and with one of them. Arguments that the runtime, testing and
// net/http always pass are set.
func (c *caller) arguments(f reflect.Type) [][]reflect.Value {
	var args []reflect.Value
	for i := range f.NumIn() {
		if f.IsVariadic() && i == f.NumIn()-1 {
			return [][]reflect.Value{args, append(slices.Clip(args), reflect.Zero(f.In(i).Elem()))}
		}
		args = append(args, c.nothing(f.In(i)))
	}
	return [][]reflect.Value{args}
}

var (
	contextType = reflect.TypeFor[context.Context]()
	stateType   = reflect.TypeFor[fmt.State]()
	writerType  = reflect.TypeFor[http.ResponseWriter]()
	requestType = reflect.TypeFor[*http.Request]()
)

func (c *caller) nothing(t reflect.Type) reflect.Value {
	switch t {
	case contextType:
		ctx, cancel := context.WithTimeout(c.t.Context(), 20*time.Second)
		c.t.Cleanup(cancel)
		return reflect.ValueOf(ctx)
	case stateType:
		return reflect.ValueOf(noState{})
	case writerType:
		return reflect.ValueOf(httptest.NewRecorder())
	case requestType:
		return reflect.ValueOf(httptest.NewRequest(http.MethodPost, "/", nil))
	}
	return reflect.Zero(t)
}

// noState is a fmt.State, which fmt passes to a Format method.
type noState struct{}

func (noState) Write(p []byte) (int, error) { return len(p), nil }
func (noState) Width() (int, bool)          { return 0, false }
func (noState) Precision() (int, bool)      { return 0, false }
func (noState) Flag(int) bool               { return false }

// call calls a function; a panic fails the test.
func (c *caller) call(name string, f reflect.Value, args []reflect.Value) (results []reflect.Value) {
	c.calls++
	defer func() {
		if r := recover(); r != nil {
			typ, _, _ := strings.Cut(name, ").")
			for _, known := range []string{name, typ + ")"} {
				if mayPanic[known] != "" {
					c.used[known] = true
					return
				}
			}
			stack := strings.Split(string(debug.Stack()), "\n")
			at := ""
			for _, line := range stack {
				if strings.HasPrefix(line, "\t/") && !strings.Contains(line, "/go/src/") && !strings.Contains(line, "leaks") {
					at = strings.TrimSpace(line)
					break
				}
			}
			c.t.Errorf("%s, of %s, panics: %.200v at %s", name, c.from, r, at)
		}
	}()
	return f.Call(args)
}
