// SPDX-License-Identifier: Apache-2.0

package eventstoretest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/dynamotable/ddb"
	"github.com/dynamotable/ddb/eventstore"
	"github.com/dynamotable/ddb/eventstore/keys"
	"github.com/dynamotable/ddb/schema"
)

// confidential is text that must not be found where data is stored.
const confidential = "Ada Lovelace"

// personOf is the subject of a stream; some have none.
func personOf(stream string) string {
	if rest, ok := strings.CutPrefix(stream, "person-"); ok {
		subject, _, _ := strings.Cut(rest, "-")
		return subject
	}
	return ""
}

type (
	remark  interface{ text() string }
	said    struct{ Text string }
	unknown struct{}
	diary   struct {
		Texts []string
		Gone  int
	}
)

func (s said) text() string    { return s.Text }
func (s unknown) text() string { return "" }

func tellingTypes() *eventstore.Types[remark] {
	return eventstore.NewTypes[remark](eventstore.JSON).Add(said{}, unknown{}).OnForgotten(func(eventstore.Event) (remark, bool) { return unknown{}, true })
}

func tell(d diary, e remark) diary {
	if _, ok := e.(unknown); ok {
		d.Gone++
		return d
	}
	d.Texts = append(slices.Clip(d.Texts), e.text())
	return d
}

// storedBytes are all attributes of all items of tables.
func storedBytes(t *testing.T, client ddb.Client, tables ...string) []byte {
	t.Helper()
	var all bytes.Buffer
	var walk func(v types.AttributeValue)
	walk = func(v types.AttributeValue) {
		switch v := v.(type) {
		case *types.AttributeValueMemberS:
			all.WriteString(v.Value + "\n")
		case *types.AttributeValueMemberB:
			all.Write(append(v.Value, '\n'))
		case *types.AttributeValueMemberM:
			for k, e := range v.Value {
				all.WriteString(k + "\n")
				walk(e)
			}
		case *types.AttributeValueMemberL:
			for _, e := range v.Value {
				walk(e)
			}
		}
	}
	for _, name := range tables {
		out, err := client.(interface {
			Scan(ctx context.Context, in *dynamodb.ScanInput, opts ...func(*dynamodb.Options)) (*dynamodb.ScanOutput, error)
		}).Scan(t.Context(), &dynamodb.ScanInput{TableName: &name})
		if err != nil {
			t.Fatal(err)
		}
		for _, item := range out.Items {
			walk(&types.AttributeValueMemberM{Value: item})
		}
	}
	return all.Bytes()
}

// secretive is a store that encrypts, with everything that keeps data of its events.
type secretive struct {
	*eventstore.Store
	keys   *keys.Table
	snaps  *snapshots
	views  *eventstore.Views[diary]
	inline *eventstore.Views[diary]
}

func newSecretive(t *testing.T, factory Factory, opts ...eventstore.Option) *secretive {
	t.Helper()
	s := &secretive{snaps: new(snapshots)}
	plain := factory(t)
	var err error
	if s.keys, err = keys.New(plain.Client(), plain.Name()+"-keys"); err == nil {
		err = s.keys.EnsureTable(t.Context())
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.keys.DeleteTable(context.WithoutCancel(t.Context()), schema.AllowDelete(s.keys.Name())) })
	s.Store = factory(t, append(opts, eventstore.Encrypt(s.keys, personOf), eventstore.Sequenced(1), eventstore.ByCorrelation())...)
	s.views, s.inline = newViews[diary](t, s.Store, "views").Encrypt(s.keys, personOf), newViews[diary](t, s.Store, "inline").Encrypt(s.keys, personOf)
	return s
}

func (s *secretive) repository(opts ...eventstore.RepositoryOption) *eventstore.Repository[diary, remark] {
	return eventstore.NewRepository(s.Store, tellingTypes(), tell, append(opts, eventstore.WithSnapshots(s.snaps, "", 0))...)
}

func (s *secretive) project(t *testing.T, consumer string) {
	t.Helper()
	err := s.Feed().Subscribe(t.Context(), consumer, new(positions), func(ctx context.Context, c eventstore.Commit) error {
		return s.views.ApplyCommit(ctx, c.Stream, c, func(d *diary) error { return eventstore.Fold(tellingTypes(), tell)(d, c.Events...) })
	}, eventstore.UntilEnd())
	if err != nil {
		t.Fatal(err)
	}
}

// testEncrypt: data of a subject is never stored in plain form, is read as it was written, and is gone with the key: from streams, feed, index, states,
// snapshots, offloaded data and views. Everything else continues.
func testEncrypt(t *testing.T, factory Factory) {
	for name, with := range map[string][]eventstore.Option{"plain": nil, "frames": {eventstore.Frames(8 << 10)}, "compressed": {eventstore.Compress(10)}} {
		t.Run(name, func(t *testing.T) {
			store := new(memory)
			s := newSecretive(t, factory, append(slices.Clip(with), eventstore.Offload(store, 2000))...)
			large := strings.Repeat(confidential+" ", 500)
			if name == "compressed" {
				large = noise(6000) + confidential
			}
			r := s.repository(eventstore.StateStored("", 0), eventstore.Inline(s.inline.Inline(s.Store, func(stream string) string { return stream }, eventstore.Fold(tellingTypes(), tell))))
			for _, stream := range []string{"person-ada-1", "person-bob-1"} {
				for i, text := range []string{confidential, large, "last " + confidential} {
					_, err := r.Update(t.Context(), stream, func(diary) ([]remark, error) { return []remark{said{text}, said{"and " + text}}, nil }, eventstore.CommitID(fmt.Sprint("c", i)))
					if err != nil {
						t.Fatal(err)
					}
				}
				e := eventstore.NewEvent{Type: "said", Data: []byte(`{"Text":"` + confidential + `"}`), Metadata: map[string]string{"by": confidential}, CorrelationID: "k"}
				must(t, s.Store, stream, eventstore.Any(), e)
			}
			s.project(t, "before")
			everywhere := func() []byte {
				all := storedBytes(t, s.Client(), s.Name(), s.Name()+"-views", s.Name()+"-inline")
				for _, data := range store.data {
					all = append(all, data...)
				}
				for _, versions := range s.snaps.saved {
					for _, state := range versions {
						all = append(all, state...)
					}
				}
				return all
			}
			if all := everywhere(); bytes.Contains(all, []byte("Lovelace")) || len(store.data) == 0 || len(s.snaps.saved) == 0 {
				t.Errorf("data is stored in plain form, or nothing was offloaded (%d) or kept as a snapshot (%d)", len(store.data), len(s.snaps.saved))
			}
			check := func(stream string, there bool) {
				t.Helper()
				n := 0
				for e, err := range s.Read(t.Context(), stream) {
					if n++; err != nil || e.Forgotten == there || (len(e.Data) > 0) != there || n == 7 && (e.Metadata["by"] == confidential) != there {
						t.Fatalf("%s: version %d, forgotten: %t, %d bytes, %v", stream, e.Version, e.Forgotten, len(e.Data), err)
					}
				}
				for c, err := range s.Feed().Read(t.Context(), eventstore.Position{}) {
					if err != nil {
						t.Fatal(err)
					}
					for _, e := range c.Events {
						if c.Stream == stream && (e.Forgotten == there || bytes.Contains(e.Data, []byte("Lovelace")) != there) {
							t.Fatalf("%s: the feed has version %d, forgotten: %t", stream, e.Version, e.Forgotten)
						}
					}
				}
				for e, err := range s.Correlated(t.Context(), "k") {
					if err != nil || e.Stream == stream && e.Forgotten == there {
						t.Fatalf("%s: the index has an event, forgotten: %t, %v", stream, e.Forgotten, err)
					}
				}
				texts, gone := 7, 0
				if !there {
					texts, gone = 0, 7
				}
				for name, load := range map[string]func() (eventstore.Aggregate[diary], error){
					"from the state":    func() (eventstore.Aggregate[diary], error) { return r.Load(t.Context(), stream) },
					"from the snapshot": func() (eventstore.Aggregate[diary], error) { return s.repository().Load(t.Context(), stream) },
				} {
					a, err := load()
					if err != nil || n != 7 || a.Version != 7 || len(a.State.Texts) != texts || a.State.Gone != gone || there && (a.State.Texts[0] != confidential || a.State.Texts[2] != large) {
						t.Errorf("%s: loaded %s: version %d, %d texts, %d gone, %v", stream, name, a.Version, len(a.State.Texts), a.State.Gone, err)
					}
				}
				for name, views := range map[string]*eventstore.Views[diary]{"views": s.views, "inline": s.inline} {
					v, err := views.Load(t.Context(), stream)
					if err != nil || v.Forgotten == there || (len(v.Value.Texts) > 0) != there || v.Sealed != nil {
						t.Errorf("%s: %s: forgotten: %t, %d texts, %v", stream, name, v.Forgotten, len(v.Value.Texts), err)
					}
				}
			}
			check("person-ada-1", true)
			check("person-bob-1", true)
			if err := errors.Join(s.keys.Forget(t.Context(), "ada"), s.keys.Forget(t.Context(), "ada")); err != nil {
				t.Fatal(err)
			}
			check("person-ada-1", false)
			check("person-bob-1", true)
			if bytes.Contains(everywhere(), []byte("Lovelace")) {
				t.Error("data is stored in plain form after the key was deleted")
			}
			// No more data of the subject is stored, and everything else continues.
			_, err := r.Update(t.Context(), "person-ada-1", func(diary) ([]remark, error) { return []remark{said{confidential}}, nil })
			wantError(t, "an append for a forgotten subject", err, eventstore.ErrForgotten)
			_, err = s.Append(t.Context(), "person-ada-2", eventstore.NoStream(), event(confidential))
			wantError(t, "a new stream of a forgotten subject", err, eventstore.ErrForgotten)
			if head, err := s.Head(t.Context(), "person-ada-1"); err != nil || head.Version != 7 {
				t.Errorf("head: %+v, %v", head, err)
			}
			s.project(t, "after") // from the beginning
			v, err := s.views.Load(t.Context(), "person-ada-1")
			if err != nil || len(v.Value.Texts) != 0 || v.Seen["#0"] == 0 {
				t.Errorf("the view of a forgotten subject: %+v, %v", v, err)
			}
			s.views = newViews[diary](t, s.Store, "late").Encrypt(s.keys, personOf)
			s.project(t, "late")
			if v, err := s.views.Load(t.Context(), "person-ada-1"); err != nil || len(v.Value.Texts) != 0 || v.Seen["#0"] == 0 {
				t.Errorf("a view that is built when the key was deleted: %+v, %v", v, err)
			}
			if err := s.Scrub(t.Context(), "person-bob-1", 1); err != nil {
				t.Fatal(err)
			}
			for e, err := range s.Read(t.Context(), "person-bob-1", eventstore.Limit(1)) {
				if err != nil || !e.Scrubbed || e.Forgotten {
					t.Errorf("scrubbed: %+v, %v", e, err)
				}
			}
			// Copies have the same data under the same keys.
			to := factory(t, append(slices.Clip(with), eventstore.Offload(store, 2000), eventstore.Encrypt(s.keys, personOf))...)
			for range 2 {
				if _, err := eventstore.Copy(t.Context(), s.Store, to); err != nil {
					t.Fatal(err)
				}
			}
			for _, stream := range []string{"person-ada-1", "person-bob-1"} {
				want(t, "copy of "+stream, read(t, to, stream), read(t, s.Store, stream))
			}
		})
	}
}

// noise is text that hardly compresses.
func noise(n int) string {
	var b strings.Builder
	for x := uint32(1); b.Len() < n; x = x*1664525 + 1013904223 {
		b.WriteByte('a' + byte(x>>24)%26)
		b.WriteByte('A' + byte(x>>16)%26)
	}
	return b.String()
}

// testSealed: encrypted data that was moved to another event or changed is an error of that event; so are a store without the option and an unknown key.
func testSealed(t *testing.T, factory Factory) {
	s := newSecretive(t, factory)
	must(t, s.Store, "person-ada-1", eventstore.NoStream(), event("one"), event("two"))
	must(t, s.Store, "person-ada-2", eventstore.NoStream(), event("three"), event("four"))
	item := func(stream, version string) map[string]types.AttributeValue {
		name := s.Name()
		out, err := s.Client().(interface {
			GetItem(ctx context.Context, in *dynamodb.GetItemInput, opts ...func(*dynamodb.Options)) (*dynamodb.GetItemOutput, error)
		}).GetItem(t.Context(), &dynamodb.GetItemInput{TableName: &name, Key: map[string]types.AttributeValue{
			"pk": &types.AttributeValueMemberS{Value: "S#" + stream}, "sk": &types.AttributeValueMemberN{Value: version},
		}})
		if err != nil || out.Item == nil {
			t.Fatalf("no item, %v", err)
		}
		return out.Item
	}
	put := func(item map[string]types.AttributeValue) {
		name := s.Name()
		_, err := s.Client().(interface {
			PutItem(ctx context.Context, in *dynamodb.PutItemInput, opts ...func(*dynamodb.Options)) (*dynamodb.PutItemOutput, error)
		}).PutItem(t.Context(), &dynamodb.PutItemInput{TableName: &name, Item: item})
		if err != nil {
			t.Fatal(err)
		}
	}
	bin := func(b []byte) types.AttributeValue { return &types.AttributeValueMemberB{Value: b} }
	data := func(item map[string]types.AttributeValue) []byte {
		return item["data"].(*types.AttributeValueMemberB).Value
	}
	changed := bytes.Clone(data(item("person-ada-1", "2")))
	changed[len(changed)-1] ^= 1
	for what, change := range map[string]func(map[string]types.AttributeValue){
		"of another version":    func(m map[string]types.AttributeValue) { m["data"] = bin(data(item("person-ada-1", "1"))) },
		"of another stream":     func(m map[string]types.AttributeValue) { m["data"] = bin(data(item("person-ada-2", "2"))) },
		"changed":               func(m map[string]types.AttributeValue) { m["data"] = bin(changed) },
		"cut":                   func(m map[string]types.AttributeValue) { m["data"] = bin(changed[:5]) },
		"of another form":       func(m map[string]types.AttributeValue) { m["enc"] = &types.AttributeValueMemberN{Value: "2"} },
		"of an unknown key":     func(m map[string]types.AttributeValue) { m["key"] = &types.AttributeValueMemberS{Value: "other"} },
		"said to be compressed": func(m map[string]types.AttributeValue) { m["zip"] = &types.AttributeValueMemberS{Value: "gzip"} },
		"without data":          func(m map[string]types.AttributeValue) { delete(m, "data") },
	} {
		right, wrong := item("person-ada-1", "2"), item("person-ada-1", "2")
		change(wrong)
		put(wrong)
		if err := firstError(s.Read(t.Context(), "person-ada-1")); err == nil || errors.Is(err, eventstore.ErrForgotten) || strings.Contains(err.Error(), "two") {
			t.Errorf("data %s: %v", what, err)
		}
		put(right)
	}
	// Several processes write one stream at once: events that are sent again at another version are encrypted for that version.
	var wg sync.WaitGroup
	for range 3 {
		other, err := eventstore.New(s.Client(), s.Name(), eventstore.Sequenced(1), eventstore.Encrypt(s.keys, personOf))
		if err != nil {
			t.Fatal(err)
		}
		wg.Go(func() {
			for range 8 {
				if _, err := other.Append(t.Context(), "person-dan-1", eventstore.Any(), event("x")); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	if n := len(collect(t, s.Store, "person-dan-1")); n != 24 {
		t.Errorf("%d events of 24", n)
	}
	want(t, "put back", read(t, s.Store, "person-ada-1"), "1:one 2:two")
	plain, err := eventstore.New(s.Client(), s.Name(), eventstore.Sequenced(1))
	if err != nil {
		t.Fatal(err)
	}
	if err := firstError(plain.Read(t.Context(), "person-ada-1")); err == nil || !strings.Contains(err.Error(), "Encrypt") {
		t.Errorf("without the option: %v", err)
	}
	_, err = s.Append(t.Context(), "person-ada-1", eventstore.NoStream(), event("x"))
	if wrong, ok := errors.AsType[*eventstore.WrongExpectedVersion](err); !ok || wrong.Blocking == nil || string(wrong.Blocking.Data) != "one" {
		t.Errorf("in the way: %v", err)
	}
	e := event("one")
	if done := must(t, s.Store, "person-cy-1", eventstore.NoStream(), e, eventstore.CommitID("c")); done.Deduplicated {
		t.Error("written before")
	}
	if done := must(t, s.Store, "person-cy-1", eventstore.Any(), e, eventstore.CommitID("c")); !done.Deduplicated {
		t.Error("a repeat was written again")
	}
	_, err = s.Append(t.Context(), "person-cy-1", eventstore.Any(), event("other"), eventstore.CommitID("c"))
	wantError(t, "an id of other data", err, eventstore.ErrCommitIDReused)
	testRepeatReadsKeysOnce(t, s)
	_, err = eventstore.New(s.Client(), "x", eventstore.Encrypt(nil, nil), eventstore.Compress(-1, nil))
	wantError(t, "no keys", err, ddb.ErrInvalid)
	_, err = s.views.Encrypt(nil, nil).Load(t.Context(), "x")
	wantError(t, "views without keys", err, ddb.ErrInvalid)
	edition, err := s.Edition(t.Context(), "person-ada-1", "what-if", 1)
	if err == nil {
		_, err = edition.Append(t.Context(), eventstore.Exactly(1), event("else"))
	}
	if err == nil {
		_, err = s.Edition(t.Context(), "person-ada-1", "what-if", -1)
	}
	if err != nil {
		t.Errorf("edition: %v", err)
	}
}

// dropping is a custom compressor: it drops zero bytes at the end.
type dropping struct{}

func (dropping) Name() string { return "dropping" }
func (dropping) Compress(data []byte) ([]byte, error) {
	return bytes.TrimRight(data, "\x00"), nil
}
func (dropping) Decompress(data []byte, size int64) ([]byte, error) {
	return append(bytes.Clone(data), make([]byte, size-int64(len(data)))...), nil
}

// testCompress: data is stored compressed where that helps, and read as it was written, whatever it was compressed with.
func testCompress(t *testing.T, factory Factory) {
	s := factory(t, eventstore.Compress(100), eventstore.Frames(2<<10))
	texts := []string{strings.Repeat("abc", 1000), "short", noise(300), strings.Repeat("x", 100), ""}
	var list []eventstore.NewEvent
	for _, text := range texts {
		list = append(list, event(text))
	}
	must(t, s, "a", eventstore.NoStream(), eventstore.Events(list), eventstore.CommitID("c"))
	if done := must(t, s, "a", eventstore.NoStream(), eventstore.Events(list), eventstore.CommitID("c")); !done.Deduplicated {
		t.Error("a repeat was written again")
	}
	if n := len(storedBytes(t, s.Client(), s.Name())); n > 1500 {
		t.Errorf("%d bytes are stored", n)
	}
	other, err := eventstore.New(s.Client(), s.Name(), eventstore.Compress(50, dropping{}, eventstore.Gzip()))
	if err != nil {
		t.Fatal(err)
	}
	tail := "y" + string(make([]byte, 300))
	must(t, other, "a", eventstore.Any(), event(tail))
	without, err := eventstore.New(s.Client(), s.Name())
	if err != nil {
		t.Fatal(err)
	}
	for i, e := range collect(t, other, "a") {
		if want := append(texts, tail)[i]; string(e.Data) != want {
			t.Errorf("event %d has %d bytes, want %d", i, len(e.Data), len(want))
		}
	}
	n := 0
	for e, err := range without.Read(t.Context(), "a") {
		if err != nil {
			if n != len(texts) || !strings.Contains(err.Error(), "dropping") {
				t.Errorf("without the option: %v", err)
			}
			break
		}
		if string(e.Data) != texts[n] {
			t.Errorf("without the option: event %d has %d bytes", n, len(e.Data))
		}
		n++
	}
}

func collect(t *testing.T, s *eventstore.Store, stream string) (all []eventstore.Event) {
	t.Helper()
	for e, err := range s.Read(t.Context(), stream) {
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, e)
	}
	return all
}
