// SPDX-License-Identifier: Apache-2.0

package payload_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"github.com/dynamotable/ddb"
	"github.com/dynamotable/ddb/ddbtest"
	"github.com/dynamotable/ddb/payload"
	"github.com/dynamotable/ddb/payload/payloadtest"
	"github.com/dynamotable/ddb/schema"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m,
		goleak.IgnoreAnyFunction("net/http.(*persistConn).readLoop"),
		goleak.IgnoreAnyFunction("net/http.(*persistConn).writeLoop"))
}

func TestMemory(t *testing.T) {
	payloadtest.Run(t, func(testing.TB) payload.Objects { return payload.Memory() })
}

func TestFolder(t *testing.T) {
	payloadtest.Run(t, func(t testing.TB) payload.Objects {
		o, err := payload.Folder(t.TempDir())
		if err != nil {
			t.Fatal(err)
		}
		return o
	})
}

func TestFolderStaysInside(t *testing.T) {
	o, err := payload.Folder(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	for _, key := range []string{"../x", "a/../../x", "/x"} {
		if err := o.Put(t.Context(), key, []byte("x")); err == nil {
			t.Errorf("%s was written", key)
		}
		if _, err := o.Get(t.Context(), key, 10); err == nil {
			t.Errorf("%s was read", key)
		}
	}
}

func TestOptions(t *testing.T) {
	for what, opts := range map[string][]payload.Option{
		"no prefix": {payload.Prefix("")}, "a prefix with ..": {payload.Prefix("a/../b")}, "a slash at the end": {payload.Prefix("a/")},
		"points": {payload.Prefix("..")}, "a colon": {payload.Prefix("a:b")}, "a threshold": {payload.Threshold(0)}, "a high threshold": {payload.Threshold(500_000)},
		"a size": {payload.MaxSize(0)}, "a total": {payload.MaxTotal(0)}, "concurrency": {payload.Concurrency(0)}, "a clock": {payload.Clock(nil)},
		"a compressor": {payload.Compress(nil)}, "two of one name": {payload.Compress(payload.Gzip(), payload.Gzip())},
	} {
		if _, err := payload.New(payload.Memory(), opts...); !errors.Is(err, ddb.ErrInvalid) {
			t.Errorf("%s: %v", what, err)
		}
	}
	if _, err := payload.New(nil); !errors.Is(err, ddb.ErrInvalid) {
		t.Errorf("no objects: %v", err)
	}
}

func TestGzip(t *testing.T) {
	o := payload.Memory()
	p, err := payload.New(o, payload.Compress(payload.Gzip()))
	if err != nil {
		t.Fatal(err)
	}
	data := bytes.Repeat([]byte("compressible "), 100_000)
	ref, err := p.Store(t.Context(), "s", data)
	if err != nil {
		t.Fatal(err)
	}
	for object, err := range o.List(t.Context(), "") {
		if err != nil || object.Size > int64(len(data))/10 {
			t.Errorf("%d bytes are stored as %d, %v", len(data), object.Size, err)
		}
	}
	if got, err := p.Fetch(t.Context(), ref); err != nil || !bytes.Equal(got, data) {
		t.Errorf("fetch: %d bytes, %v", len(got), err)
	}
	plain, err := payload.New(o)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := plain.Fetch(t.Context(), ref); err == nil || !strings.Contains(err.Error(), "Compress") {
		t.Errorf("without the option: %v", err)
	}
	// A decompression bomb: an object that unpacks to more than the reference says.
	key := ref[strings.LastIndex(ref, ":")+1:]
	bomb, err := payload.Gzip().Compress(make([]byte, 1<<20))
	if err != nil {
		t.Fatal(err)
	}
	if err := o.Delete(t.Context(), key); err != nil {
		t.Fatal(err)
	}
	if err := o.Put(t.Context(), key, bomb); err != nil {
		t.Fatal(err)
	}
	claimed := fmt.Sprintf("p1:gzip:10:%d:%s", len(bomb), key)
	if _, err := p.Fetch(t.Context(), claimed); !errors.Is(err, payload.ErrCorrupt) {
		t.Errorf("a bomb: %v", err)
	}
	payloadtest.Run(t, func(testing.TB) payload.Objects { return payload.Memory() }, payload.Compress(payload.Gzip()))
}

// doc is an item with two fields that may be large.
type doc struct {
	ID    string       `dynamodbav:"id"`
	Text  payload.Data `dynamodbav:"text"`
	Image payload.Data `dynamodbav:"image"`
	Note  string       `dynamodbav:"note"`
}

var docID = ddb.StrField(func(d *doc) *string { return &d.ID })

func TestPack(t *testing.T) {
	docs, err := ddb.NewSimple(ddbtest.NewFromEnv(t), ddbtest.TableName(t), docID)
	if err != nil {
		t.Fatal(err)
	}
	if err := docs.CreateTable(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { docs.DeleteTable(context.WithoutCancel(t.Context()), schema.AllowDelete(docs.Name())) })
	p, err := payload.New(payload.Memory(), payload.Threshold(100_000))
	if err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		text, image, note int
		textOut, imageOut bool
	}{
		{10, 10, 10, false, false}, {60_000, 39_000, 10, false, false}, {60_000, 50_000, 10, true, false}, {50_000, 60_000, 10, false, true},
		{200_000, 150_000, 10, true, true}, {100_000, 20, 10, true, false}, {10, 10, 200_000, true, true}, {0, 0, 10, false, false},
	} {
		d := doc{ID: "d", Text: payload.Of(make([]byte, tc.text)), Image: payload.Of(bytes.Repeat([]byte("i"), tc.image)), Note: strings.Repeat("n", tc.note)}
		if err := payload.Pack(t.Context(), p, docs, d.ID, &d, &d.Text, &d.Image); err != nil {
			t.Fatal(err)
		}
		if d.Text.Offloaded() != tc.textOut || d.Image.Offloaded() != tc.imageOut {
			t.Errorf("%+v: text %t, image %t", tc, d.Text.Offloaded(), d.Image.Offloaded())
		}
		if b, err := d.Text.Bytes(); err != nil || len(b) != tc.text {
			t.Errorf("%+v: the packed field has %d bytes, %v", tc, len(b), err)
		}
		if err := docs.Put(t.Context(), &d); err != nil {
			t.Fatal(err)
		}
		got, err := docs.Get(t.Context(), "d")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := got.Text.Bytes(); (err != nil) != tc.textOut {
			t.Errorf("%+v: before it is opened: %v", tc, err)
		}
		if err := p.Open(t.Context(), &got.Text, &got.Image); err != nil {
			t.Fatal(err)
		}
		text, err1 := got.Text.Bytes()
		image, err2 := got.Image.Bytes()
		if err1 != nil || err2 != nil || len(text) != tc.text || len(image) != tc.image || string(image) != strings.Repeat("i", tc.image) {
			t.Errorf("%+v: %d, %v and %d, %v", tc, len(text), err1, len(image), err2)
		}
		// Packing an item that was read and opened stores nothing again.
		if err := payload.Pack(t.Context(), p, docs, d.ID, &got, &got.Text, &got.Image); err != nil || got.Text.Offloaded() != tc.textOut {
			t.Errorf("%+v: packed again: %v", tc, err)
		}
	}
}

// FuzzFetch: no reference, whatever its text, returns anything other than the data stored under it.
func FuzzFetch(f *testing.F) {
	o := payload.Memory()
	p, err := payload.New(o, payload.Compress(payload.Gzip()))
	if err != nil {
		f.Fatal(err)
	}
	ref, err := p.Store(context.Background(), "s", []byte("stored"))
	if err != nil {
		f.Fatal(err)
	}
	zipped, err := p.Store(context.Background(), "s", bytes.Repeat([]byte("z"), 1000))
	if err != nil {
		f.Fatal(err)
	}
	for _, seed := range []string{ref, zipped, "", "p1::::", strings.Replace(ref, ":6:", ":5:", 1), strings.ToUpper(ref), ref + "x", "p1:gzip" + strings.TrimPrefix(ref, "p1:")} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		data, err := p.Fetch(t.Context(), text)
		if err == nil && text != ref && text != zipped {
			t.Errorf("%q gives %d bytes", text, len(data))
		}
	})
}

func Example() {
	ctx := context.Background()
	client, stop := ddbtest.Open()
	defer stop()
	docs, err := ddb.NewSimple(client, "documents", docID)
	if err != nil {
		fmt.Println(err)
		return
	}
	if err := docs.CreateTable(ctx); err != nil {
		fmt.Println(err)
		return
	}
	payloads, err := payload.New(payload.Memory(), payload.Compress(payload.Gzip()))
	if err != nil {
		fmt.Println(err)
		return
	}
	d := doc{ID: "report", Text: payload.Of(bytes.Repeat([]byte("long "), 200_000))}
	if err := payload.Pack(ctx, payloads, docs, d.ID, &d, &d.Text); err != nil {
		fmt.Println(err)
		return
	}
	if err := docs.Put(ctx, &d); err != nil {
		fmt.Println(err)
		return
	}
	got, _ := docs.Get(ctx, "report")
	fmt.Println("outside the item:", got.Text.Offloaded())
	if err := payloads.Open(ctx, &got.Text); err != nil {
		fmt.Println(err)
		return
	}
	text, _ := got.Text.Bytes()
	fmt.Println(len(text), "bytes")
	// Output:
	// outside the item: true
	// 1000000 bytes
}
