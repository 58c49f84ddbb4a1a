// SPDX-License-Identifier: Apache-2.0

package schema_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/dynamotable/ddb"
	"github.com/dynamotable/ddb/keyformat"
	"github.com/dynamotable/ddb/multikey"
)

type inner struct {
	Street string `dynamodbav:"street"`
	Deep   *deep  `dynamodbav:"deep"`
}

type deep struct {
	Value float64 `dynamodbav:"value"`
	Self  *deep   `dynamodbav:"self,omitempty"`
}

type base struct {
	Kind string `dynamodbav:"kind"`
}

type PtrBase struct {
	Owner string `dynamodbav:"owner"`
}

type figure struct {
	base // unexported embedded type: its exported fields are promoted
	*PtrBase
	ID     string           `dynamodbav:"id"`
	Home   inner            `dynamodbav:"home"`
	Work   *inner           `dynamodbav:"work"`
	Lines  []line           `dynamodbav:"lines"`
	ByName map[string]line  `dynamodbav:"by_name"`
	Count  map[string]int64 `dynamodbav:"count"`
	Hidden string           `dynamodbav:"-"`
	Empty  struct{}         `dynamodbav:"empty"`
	Plain  []string         `dynamodbav:"plain"`
	Any    any              `dynamodbav:"any"`
	secret string
}

func TestHandlePaths(t *testing.T) {
	lines := ddb.ListField(func(s *figure) *[]line { return &s.Lines })
	byName := ddb.MapField(func(s *figure) *map[string]line { return &s.ByName })
	count := ddb.MapField(func(s *figure) *map[string]int64 { return &s.Count })
	for _, tc := range []struct{ got, want string }{
		{ddb.NameOf(ddb.StrField(func(s *figure) *string { return &s.ID })), "id"},
		{ddb.NameOf(ddb.StrField(func(s *figure) *string { return &s.Kind })), "kind"},
		{ddb.NameOf(ddb.StrField(func(s *figure) *string { return &s.Owner })), "owner"},
		{ddb.NameOf(ddb.Field(func(s *figure) *inner { return &s.Home })), "home"},
		{ddb.NameOf(ddb.StrField(func(s *figure) *string { return &s.Home.Street })), "home.street"},
		{ddb.NameOf(ddb.StrField(func(s *figure) *string { return &s.Work.Street })), "work.street"},
		{ddb.NameOf(ddb.NumField(func(s *figure) *float64 { return &s.Work.Deep.Value })), "work.deep.value"},
		{ddb.NameOf(ddb.Field(func(s *figure) **inner { return &s.Work })), "work"},
		{ddb.NameOf(lines.At(3)), "lines[3]"},
		{ddb.NameOf(ddb.Within(lines.At(0), func(l *line) *int { return &l.Qty })), "lines[0].qty"},
		{ddb.NameOf(ddb.AsNum(ddb.Within(byName.Key("a.b"), func(l *line) *int { return &l.Qty }))), "by_name.?.qty"},
		{ddb.NameOf(ddb.AsNum(count.Key("x"))), "count.?"},
	} {
		if tc.got != tc.want {
			t.Errorf("path %q, want %q", tc.got, tc.want)
		}
	}
}

func TestHandleMistakesAreErrorsNotPanics(t *testing.T) {
	var foreign string
	lines := ddb.ListField(func(s *figure) *[]line { return &s.Lines })
	for name, tc := range map[string]struct {
		cond ddb.Cond[figure]
		want string
	}{
		"unexported":   {ddb.StrField(func(s *figure) *string { return &s.secret }).Eq("x"), "does not return a stored field"},
		"tag dash":     {ddb.StrField(func(s *figure) *string { return &s.Hidden }).Eq("x"), "does not return a stored field"},
		"foreign":      {ddb.StrField(func(*figure) *string { return &foreign }).Eq("x"), "does not return a stored field"},
		"nil":          {ddb.StrField(func(*figure) *string { return nil }).Eq("x"), "returned nil"},
		"element":      {ddb.StrField(func(s *figure) *string { return &s.Lines[0].SKU }).Eq("x"), "panicked"},
		"zero size":    {ddb.Exists(ddb.Field(func(s *figure) *struct{} { return &s.Empty })), "has no size"},
		"recursion":    {ddb.NumField(func(s *figure) *float64 { return &s.Work.Deep.Self.Value }).Eq(1), "panicked"},
		"not a set":    {ddb.SetField(func(s *figure) *[]string { return &s.Plain }).Has("x"), "stringset"},
		"negative":     {ddb.Exists(lines.At(-1)), "negative"},
		"zero handle":  {ddb.Attr[figure, string](nil).Eq("x"), "zero handle"},
		"no IN values": {ddb.In(ddb.StrField(func(s *figure) *string { return &s.ID })), "1 to 100"},
	} {
		t.Run(name, func(t *testing.T) {
			figures, err := ddb.NewSimple(newClient(t), tableName(t), ddb.StrField(func(s *figure) *string { return &s.ID }))
			if err != nil {
				t.Fatal(err)
			}
			_, err = figures.Scan().Filter(tc.cond).Page(context.Background())
			if !errors.Is(err, ddb.ErrInvalid) || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("got %v, want an ErrInvalid with %q", err, tc.want)
			}
		})
	}
}

type hidden struct{ ID string }

// badKey is a composite key with an invalid format.
type badKey struct {
	Tags []string
	Ch   map[string]int
}

var badKeys = keyformat.New[badKey]("BAD")

func (k badKey) MarshalText() ([]byte, error)     { return badKeys.Format(k) }
func (k *badKey) UnmarshalText(text []byte) error { return badKeys.Parse(text, k) }

type badKeyed struct {
	Key badKey `dynamodbav:"key,text"`
}

type chanField struct {
	ID string   `dynamodbav:"id"`
	C  chan int `dynamodbav:"c"`
}

type twice struct {
	ID string `dynamodbav:"id"`
	A  string `dynamodbav:"same"`
	B  string `dynamodbav:"same"`
}

type keys struct {
	ID       string            `dynamodbav:"id"`
	Omit     string            `dynamodbav:"omit,omitempty"`
	Zero     string            `dynamodbav:"zero,omitzero"`
	Flag     bool              `dynamodbav:"flag"`
	List     []string          `dynamodbav:"list"`
	Any      any               `dynamodbav:"any"`
	Nested   inner             `dynamodbav:"nested"`
	Bytes    []byte            `dynamodbav:"bytes"`
	Small    int8              `dynamodbav:"small"`
	Big      uint64            `dynamodbav:"big"`
	Time     time.Time         `dynamodbav:"time"`
	Unix     time.Time         `dynamodbav:"unix,unixtime"`
	Float    float64           `dynamodbav:"float"`
	Version  int64             `dynamodbav:"version"`
	VersionF float64           `dynamodbav:"version_f"`
	Labels   map[string]string `dynamodbav:"labels"`
}

// TestNewRefusesAllAtOnce: one error names every mistake in a definition.
func TestNewRefusesAllAtOnce(t *testing.T) {
	id := ddb.StrField(func(k *keys) *string { return &k.ID })
	omit := ddb.StrField(func(k *keys) *string { return &k.Omit })
	zero := ddb.StrField(func(k *keys) *string { return &k.Zero })
	flag := ddb.Field(func(k *keys) *bool { return &k.Flag })
	list := ddb.Field(func(k *keys) *[]string { return &k.List })
	nested := ddb.StrField(func(k *keys) *string { return &k.Nested.Street })
	anyField := ddb.Field(func(k *keys) *any { return &k.Any })
	versionF := ddb.NumField(func(k *keys) *float64 { return &k.VersionF })
	client := newClient(t)

	build := func(f func() error) error { return f() }
	for name, tc := range map[string]struct {
		err  error
		want []string
	}{
		"two bad keys": {build(func() error { _, err := ddb.New(client, "tab", flag, list); return err }),
			[]string{"partition key: attribute flag", "BOOL", "sort key: attribute list"}},
		"omitted keys": {build(func() error { _, err := ddb.New(client, "tab", omit, zero); return err }),
			[]string{"attribute omit has omitempty", "attribute zero has omitempty or omitzero"}},
		"same attribute twice": {build(func() error { _, err := ddb.New(client, "tab", id, id); return err }),
			[]string{"same attribute id"}},
		"nested and any": {build(func() error { _, err := ddb.New(client, "tab", nested, anyField); return err }),
			[]string{"nested.street is not a top-level attribute", "attribute any"}},
		"several attributes": {build(func() error { _, err := ddb.NewSimple(client, "tab", multikey.Of2(id, id)); return err }),
			[]string{"one attribute each"}},
		"name and client and options": {build(func() error {
			_, err := ddb.NewSimple(nil, "a b", id, ddb.Version(versionF), ddb.Version(orderTotal), ddb.Version(id), ddb.TTL(id), ddb.PageSize(0), ddb.Concurrency(99), nil, ddb.Created(flag))
			return err
		}), []string{"client is nil", "only letters", "must be a ddb.Revision, or an integer", "handle of apitest.Order", "PageSize 0", "Concurrency 99", "option is nil", "option Created: attribute flag", "option TTL: attribute id", "option Version: attribute id"}},
		"unsupported field": {build(func() error {
			_, err := ddb.NewSimple(client, "tab", ddb.StrField(func(c *chanField) *string { return &c.ID }))
			return err
		}), []string{"chan int", "C"}},
		"duplicate names": {build(func() error {
			_, err := ddb.NewSimple(client, "tab", ddb.StrField(func(c *twice) *string { return &c.ID }))
			return err
		}), []string{"same"}},
		"key format": {build(func() error {
			_, err := ddb.NewSimple(client, "tab", ddb.OrdField(func(b *badKeyed) *badKey { return &b.Key }))
			return err
		}), []string{"partition key: attribute key: key format of schema_test.badKey", "field Tags", "field Ch"}},
		"key is version": {build(func() error {
			_, err := ddb.New(client, "tab", id, ddb.NumField(func(k *keys) *int64 { return &k.Version }), ddb.Version(ddb.NumField(func(k *keys) *int64 { return &k.Version })))
			return err
		}), []string{"is a key of the table"}},
	} {
		t.Run(name, func(t *testing.T) {
			if !errors.Is(tc.err, ddb.ErrInvalid) {
				t.Fatalf("got %v, want ErrInvalid", tc.err)
			}
			for _, w := range tc.want {
				if !strings.Contains(tc.err.Error(), w) {
					t.Errorf("error lacks %q: %v", w, tc.err)
				}
			}
		})
	}
	if _, err := ddb.NewSimple(client, "tab", ddb.StrField(func(h *hidden) *string { return &h.ID })); err != nil {
		t.Errorf("an untagged field has its Go name: %v", err)
	}
}
