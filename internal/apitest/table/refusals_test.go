// SPDX-License-Identifier: Apache-2.0

package table_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/dynamotable/ddb"
	"github.com/dynamotable/ddb/internal/apitest"
	"github.com/dynamotable/ddb/internal/core"
	"github.com/dynamotable/ddb/keyformat"
	"github.com/dynamotable/ddb/multikey"
)

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

type street struct {
	Street string `dynamodbav:"street"`
}

type keys struct {
	ID       string            `dynamodbav:"id"`
	Omit     string            `dynamodbav:"omit,omitempty"`
	Zero     string            `dynamodbav:"zero,omitzero"`
	Flag     bool              `dynamodbav:"flag"`
	List     []string          `dynamodbav:"list"`
	Any      any               `dynamodbav:"any"`
	Nested   street            `dynamodbav:"nested"`
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
	version := ddb.NumField(func(k *keys) *int64 { return &k.Version })
	versionF := ddb.NumField(func(k *keys) *float64 { return &k.VersionF })
	client := newClient(t)

	// The core refuses what New and NewSimple refuse.
	second := func(_ *core.Table, err error) error { return err }
	none := core.NoSort{}
	_, several := apitest.Untyped[keys](nil, "a b", id, none, ddb.Version(versionF), ddb.Version(orderTotal), ddb.Version(id), ddb.TTL(id), ddb.PageSize(0), ddb.Concurrency(99), nil, ddb.Created(flag))
	for name, tc := range map[string]struct {
		err  error
		want []string
	}{
		"two bad keys": {second(apitest.Untyped[keys](client, "tab", flag, list)),
			[]string{"partition key: attribute flag", "BOOL", "sort key: attribute list"}},
		"omitted keys": {second(apitest.Untyped[keys](client, "tab", omit, zero)),
			[]string{"attribute omit has omitempty", "attribute zero has omitempty or omitzero"}},
		"same attribute twice": {second(apitest.Untyped[keys](client, "tab", id, id)),
			[]string{"same attribute id"}},
		"nested and any": {second(apitest.Untyped[keys](client, "tab", nested, anyField)),
			[]string{"nested.street is not a top-level attribute", "attribute any"}},
		"several attributes": {second(apitest.Untyped[keys](client, "tab", multikey.Of2(id, id), none)),
			[]string{"one attribute each"}},
		"name and client and options": {several,
			[]string{"client is nil", "only letters", "must be a ddb.Revision, or an integer", "handle of apitest.Order", "PageSize 0", "Concurrency 99", "option is nil", "option Created: attribute flag", "option TTL: attribute id", "option Version: attribute id"}},
		"unsupported field": {second(apitest.Untyped[chanField](client, "tab", ddb.StrField(func(c *chanField) *string { return &c.ID }), none)),
			[]string{"chan int", "C"}},
		"duplicate names": {second(apitest.Untyped[twice](client, "tab", ddb.StrField(func(c *twice) *string { return &c.ID }), none)),
			[]string{"same"}},
		"key format": {second(apitest.Untyped[badKeyed](client, "tab", ddb.OrdField(func(b *badKeyed) *badKey { return &b.Key }), none)),
			[]string{"partition key: attribute key: key format of table_test.badKey", "field Tags", "field Ch"}},
		"key is version": {second(apitest.Untyped[keys](client, "tab", id, version, ddb.Version(version))),
			[]string{"is a key of the table"}},
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
	if _, err := apitest.Untyped[hidden](client, "tab", ddb.StrField(func(h *hidden) *string { return &h.ID }), none); err != nil {
		t.Errorf("an untagged field has its Go name: %v", err)
	}
}
