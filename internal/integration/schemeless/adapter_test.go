// SPDX-License-Identifier: Apache-2.0

package schemeless_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"

	"github.com/dynamotable/ddb"
	"github.com/dynamotable/ddb/ddbclient"
	"github.com/dynamotable/ddb/eventstore"
	"github.com/dynamotable/ddb/eventstore/importer"
)

// adapter is @schemeless/event-store-adapter-dynamodb, run by node against ddblocal.
type adapter struct {
	dir    string // folder of the script, with its packages
	client ddb.Client
	url    string // address of ddblocal
	s3     *objects
	s3url  string
}

// newAdapter fetches the packages of the script, as its lock file names them, and starts ddblocal and an object store.
func newAdapter(t *testing.T) *adapter {
	t.Helper()
	if testing.Short() {
		t.Skip("starts node and ddblocal")
	}
	for _, command := range []string{"node", "npm", "go"} {
		if _, err := exec.LookPath(command); err != nil {
			t.Skip(err)
		}
	}
	a := &adapter{dir: scriptFolder(t), url: startLocal(t), s3: &objects{stored: map[string][]byte{}}}
	server := httptest.NewServer(a.s3)
	t.Cleanup(server.Close)
	a.s3url = server.URL
	var err error
	a.client, err = ddbclient.New(t.Context(), ddbclient.WithEndpoint(a.url),
		ddbclient.WithConfig(aws.Config{Region: "eu-central-1", Credentials: credentials.NewStaticCredentialsProvider("id", "secret", "")}))
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// scriptFolder returns a folder with the script and its packages, which npm checks against the lock file.
func scriptFolder(t *testing.T) string {
	t.Helper()
	cache, err := os.UserCacheDir()
	if err != nil {
		t.Skip(err)
	}
	dir := filepath.Join(cache, "ddb-integration", "schemeless-5.0.0")
	if err := os.MkdirAll(dir, 0o750); err != nil {
		t.Fatal(err)
	}
	const lock = "package-lock.json"
	fresh := true
	for _, name := range []string{"adapter.cjs", "package.json", lock} {
		text, err := os.ReadFile(filepath.Join("testdata", "adapter", name))
		if err != nil {
			t.Fatal(err)
		}
		old, _ := os.ReadFile(filepath.Join(dir, name)) // absent the first time
		if name != "adapter.cjs" && !bytes.Equal(old, text) {
			fresh = false
		}
		if err := os.WriteFile(filepath.Join(dir, name), text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	const installed = "installed"
	if _, err := os.Stat(filepath.Join(dir, installed)); err == nil && fresh {
		return dir
	}
	cmd := exec.CommandContext(t.Context(), "npm", "ci", "--prefix", dir, "--no-audit", "--no-fund", "--ignore-scripts")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("npm ci: %v\n%s", err, out)
	}
	if err := os.WriteFile(filepath.Join(dir, installed), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	return dir
}

// startLocal builds ddblocal and starts it on a free port.
func startLocal(t *testing.T) string {
	t.Helper()
	binary := filepath.Join(t.TempDir(), "ddblocal")
	build := exec.CommandContext(t.Context(), "go", "build", "-ldflags=-s -w", "-o", binary, "github.com/dynamotable/ddb/cmd/ddblocal") // half of the time to link
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	cmd := exec.CommandContext(context.WithoutCancel(t.Context()), binary, "-addr", "127.0.0.1:0")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := errors.Join(cmd.Process.Signal(os.Interrupt), cmd.Wait()); err != nil {
			t.Errorf("end ddblocal: %v", err)
		}
	})
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	_, url, ok := strings.Cut(line, "listening on ")
	if !ok {
		t.Fatalf("ddblocal says %q", line)
	}
	url, _, _ = strings.Cut(url, ",")
	return url
}

// objects is the part of S3 that the adapter uses.
type objects struct {
	mu     sync.Mutex
	stored map[string][]byte
}

func (o *objects) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	o.mu.Lock()
	defer o.mu.Unlock()
	switch r.Method {
	case http.MethodPut:
		body, err := io.ReadAll(r.Body)
		if err != nil {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		o.stored[r.URL.Path] = body
		w.Header().Set("ETag", `"1"`)
	case http.MethodGet:
		body, ok := o.stored[r.URL.Path]
		if !ok {
			w.WriteHeader(http.StatusNotFound)
			return
		}
		_, _ = w.Write(body) // the client notices
	}
}

func (o *objects) fetch(_ context.Context, bucket, key string) ([]byte, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	body, ok := o.stored["/"+bucket+"/"+key]
	if !ok {
		return nil, errors.New("there is no such object")
	}
	return body, nil
}

// entry is an event in the form of the script.
type entry struct {
	ID          string          `json:"id"`
	Domain      string          `json:"domain"`
	Type        string          `json:"type"`
	Identifier  *string         `json:"identifier,omitempty"`
	Payload     json.RawMessage `json:"payload,omitempty"`
	Meta        json.RawMessage `json:"meta,omitempty"`
	Correlation string          `json:"correlationId,omitempty"`
	Causation   string          `json:"causationId,omitempty"`
	Created     time.Time       `json:"created"`
	Sequence    int64           `json:"sequence,omitempty"`
}

func (e entry) stream() string {
	if e.Identifier == nil {
		return eventstore.StreamName(e.Domain, "")
	}
	return eventstore.StreamName(e.Domain, *e.Identifier)
}

type adapterAnswer struct {
	Errors    []*string        `json:"errors"`
	Events    []entry          `json:"events"`
	Sequences map[string]int64 `json:"sequences"`
}

// store lets the adapter store the events of each call, and returns what it then reads.
func (a *adapter) store(t *testing.T, prefix string, calls [][]entry) adapterAnswer {
	t.Helper()
	in, err := json.Marshal(map[string]any{"prefix": prefix, "calls": append([][]entry{}, calls...)})
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), "node", filepath.Join(a.dir, "adapter.cjs"))
	cmd.Env = append(os.Environ(), "DYNAMODB_ENDPOINT="+a.url, "S3_ENDPOINT="+a.s3url, "TZ=UTC")
	cmd.Stdin = bytes.NewReader(in)
	var complaints bytes.Buffer
	cmd.Stderr = &complaints
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("node: %v\n%s", err, &complaints)
	}
	var answer adapterAnswer
	if err := json.Unmarshal(out, &answer); err != nil {
		t.Fatalf("%v in %.1000s", err, out)
	}
	if len(answer.Errors) != len(calls) {
		t.Fatalf("%d answers to %d calls", len(answer.Errors), len(calls))
	}
	return answer
}

func (a *adapter) source(t *testing.T, table string) importer.Source {
	t.Helper()
	src, err := importer.Schemeless(a.client, table, importer.SchemelessOptions{Fetch: a.s3.fetch})
	if err != nil {
		t.Fatal(err)
	}
	return src
}

func (a *adapter) newStore(t *testing.T, table string) *eventstore.Store {
	t.Helper()
	// Large events of the adapter are in S3; here they go to a store of payloads.
	store, err := eventstore.New(a.client, table, eventstore.Sequenced(4), eventstore.Offload(&payloads{objects: a.s3}, 0))
	if err != nil {
		t.Fatal(err)
	}
	if err := store.EnsureTable(t.Context()); err != nil {
		t.Fatal(err)
	}
	return store
}

// payloads keeps large data of the new store next to the adapter's objects.
type payloads struct {
	objects *objects
	count   int
}

func (p *payloads) Store(_ context.Context, _ string, data []byte) (string, error) {
	p.objects.mu.Lock()
	defer p.objects.mu.Unlock()
	p.count++
	key := fmt.Sprintf("large/%d", p.count)
	p.objects.stored["/payloads/"+key] = bytes.Clone(data)
	return key, nil
}

func (p *payloads) Fetch(ctx context.Context, ref string) ([]byte, error) {
	return p.objects.fetch(ctx, "payloads", ref)
}

// history makes calls of up to 25 events each, whose order only the test knows: ids are random, the events of a call share a
// millisecond, and the clock moves back between calls. Identifiers after "::" are left out, because the adapter confuses them.
type history struct {
	r     *rand.Rand
	clock time.Time
	want  map[string][]entry // by stream
	ids   int
}

func (h *history) calls(n int) [][]entry {
	identifiers := []*string{new("a1"), new("a#2 %ü"), nil, new("3:x")}
	payloads := []string{`{"n":1}`, `{"text":"<&>\u2028 \ud800","list":[1,2.5,null,true],"deep":{"b":1,"a":2}}`, `"text"`, `[]`, `12345678901234567`, `{}`}
	metas := []string{``, `{"user":"x"}`, `{"schemaVersion":2,"user":"x"}`, `{"a":null,"b":"x"}`, `{"schemaVersion":3}`, `{"n":[1,{"z":"<"}]}`}
	var calls [][]entry
	for range n {
		h.clock = h.clock.Add(time.Duration(h.r.IntN(200)-100) * time.Millisecond)
		identifier, domain := identifiers[h.r.IntN(len(identifiers))], []string{"account", "order-x"}[h.r.IntN(2)]
		var call []entry
		for range 1 + h.r.IntN(25) {
			h.ids++
			e := entry{
				ID: fmt.Sprintf("%08x-%d", h.r.Uint32(), h.ids), Domain: domain, Type: []string{"opened", "closed"}[h.r.IntN(2)], Identifier: identifier,
				Payload: json.RawMessage(payloads[h.r.IntN(len(payloads))]), Created: h.clock, Correlation: "corr", Causation: "caus",
			}
			if meta := metas[h.r.IntN(len(metas))]; meta != "" {
				e.Meta = json.RawMessage(meta)
			}
			if h.r.IntN(40) == 0 {
				e.Payload = json.RawMessage(`{"large":"` + strings.Repeat("<x>", 130_000) + `"}`)
			}
			call = append(call, e)
			h.want[e.stream()] = append(h.want[e.stream()], e)
		}
		calls = append(calls, call)
	}
	return calls
}

func newHistory(seed uint64) *history {
	return &history{r: rand.New(rand.NewPCG(seed, 1)), clock: time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC), want: map[string][]entry{}}
}

// compare compares the new store with the order in which the test made the calls.
func (h *history) compare(t *testing.T, store *eventstore.Store) {
	t.Helper()
	for stream, want := range h.want {
		i := 0
		for e, err := range store.Read(t.Context(), stream) {
			if err != nil {
				t.Fatal(err)
			}
			if i == len(want) {
				t.Errorf("%s has more than %d events", stream, i)
				break
			}
			w := want[i]
			i++
			if e.ID != w.ID || e.Type != w.Type || e.CorrelationID != w.Correlation || e.CausationID != w.Causation ||
				e.Metadata[importer.RecordedAtKey] != w.Created.Format(time.RFC3339Nano) || e.Version != int64(i) {
				t.Errorf("%s, version %d: %s of type %s, want %s of type %s", stream, e.Version, e.ID, e.Type, w.ID, w.Type)
			}
			if got, want := decoded(t, e.Data), decoded(t, w.Payload); !reflect.DeepEqual(got, want) {
				t.Errorf("%s, version %d: data differ", stream, e.Version)
			}
			var meta map[string]any
			if len(w.Meta) > 0 {
				meta, _ = decoded(t, w.Meta).(map[string]any)
			}
			schema, _ := meta["schemaVersion"].(float64)
			if e.Schema != max(int(schema), 1) {
				t.Errorf("%s, version %d: schema %d", stream, e.Version, e.Schema)
			}
			if whole := e.Metadata[importer.MetadataKey]; whole != "" && !reflect.DeepEqual(decoded(t, []byte(whole)), any(meta)) || meta["user"] != nil && e.Metadata["user"] != meta["user"] {
				t.Errorf("%s, version %d: metadata %v", stream, e.Version, e.Metadata)
			}
		}
		if i < len(want) {
			t.Errorf("%s has %d events, want %d", stream, i, len(want))
		}
	}
}

func decoded(t *testing.T, text []byte) (v any) {
	t.Helper()
	if err := json.Unmarshal(text, &v); err != nil {
		t.Fatalf("%v in %.100s", err, text)
	}
	return v
}

func stored(t *testing.T, answer adapterAnswer) {
	t.Helper()
	for i, err := range answer.Errors {
		if err != nil {
			t.Fatalf("the adapter refuses call %d: %s", i, *err)
		}
	}
}

// TestSchemelessAdapter imports the events that the real adapter stores, while it continues, and compares them with the order of the calls.
func TestSchemelessAdapter(t *testing.T) {
	a := newAdapter(t)
	h := newHistory(1)
	const table = "a-schemeless-event-store"
	stored(t, a.store(t, "a-", h.calls(25)))
	src, store := a.source(t, table), a.newStore(t, "new-events")
	for range 2 { // the second after further calls, some with times before those of the first
		if _, err := importer.Import(t.Context(), src, store); err != nil {
			t.Fatal(err)
		}
		h.compare(t, store)
		stored(t, a.store(t, "a-", h.calls(15)))
	}
	if _, err := importer.Import(t.Context(), src, store); err != nil {
		t.Fatal(err)
	}
	h.compare(t, store)
	v, err := importer.Verify(t.Context(), src, store)
	if err != nil || len(v.Differences) > 0 || v.Events < 100 {
		t.Errorf("%+v, %v", v, err)
	}
	if len(a.s3.stored) == 0 {
		t.Error("no event was large enough for S3")
	}
}

// TestSchemelessBridge: the real adapter reads what the bridge writes, and both write the same streams.
func TestSchemelessBridge(t *testing.T) {
	a := newAdapter(t)
	h := newHistory(2)
	const table = "b-schemeless-event-store"
	if answer := a.store(t, "b-", nil); len(answer.Events) > 0 {
		t.Fatal("the table is not empty") // the adapter creates it
	}
	bridge, err := importer.NewSchemelessBridge(a.client, table, importer.SchemelessBridgeOptions{
		Bucket: "events", Store: func(_ context.Context, bucket, key string, body []byte) error {
			a.s3.mu.Lock()
			defer a.s3.mu.Unlock()
			a.s3.stored["/"+bucket+"/"+key] = bytes.Clone(body)
			return nil
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	want := map[string][]entry{} // in the order of the calls, by the adapter's name of the stream
	written := map[string]entry{}
	for range 4 { // the bridge and the adapter take turns
		for _, call := range h.calls(6) {
			events := make([]eventstore.NewEvent, len(call))
			for i, e := range call {
				// The bridge turns the importer's metadata back into the adapter's meta.
				events[i] = eventstore.NewEvent{ID: e.ID, Type: e.Type, Data: e.Payload, CorrelationID: e.Correlation, CausationID: e.Causation}
				if len(e.Meta) > 0 {
					events[i].Metadata = map[string]string{importer.MetadataKey: string(e.Meta)}
				}
			}
			if _, err := bridge.Append(t.Context(), call[0].Domain, identifier(call[0]), int64(len(want[key(call[0])])), call[0].Created, events...); err != nil {
				t.Fatal(err)
			}
			want[key(call[0])] = append(want[key(call[0])], call...)
		}
		calls := h.calls(6)
		stored(t, a.store(t, "b-", calls))
		for _, call := range calls {
			want[key(call[0])] = append(want[key(call[0])], call...)
		}
	}
	answer := a.store(t, "b-", nil)
	count := 0
	for stream, list := range want {
		if answer.Sequences[stream] != int64(len(list)) {
			t.Errorf("%s is at %d for the adapter, want %d", stream, answer.Sequences[stream], len(list))
		}
		for _, e := range list {
			written[e.ID] = e
		}
		count += len(list)
	}
	if len(answer.Events) != count {
		t.Fatalf("the adapter reads %d events, want %d", len(answer.Events), count)
	}
	for _, e := range answer.Events {
		w, ok := written[e.ID]
		if !ok || key(e) != key(w) || e.Type != w.Type || e.Correlation != w.Correlation || e.Causation != w.Causation || !e.Created.Equal(w.Created) ||
			!reflect.DeepEqual(decoded(t, e.Payload), decoded(t, w.Payload)) || len(w.Meta) > 0 && !reflect.DeepEqual(decoded(t, e.Meta), decoded(t, w.Meta)) {
			t.Errorf("the adapter reads %+v, want %+v", e, w)
		}
	}
	src, store := a.source(t, table), a.newStore(t, "bridge-events")
	if _, err := importer.Import(t.Context(), src, store); err != nil {
		t.Fatal(err)
	}
	h.compare(t, store)
	if v, err := importer.Verify(t.Context(), src, store); err != nil || len(v.Differences) > 0 || v.Events != int64(count) {
		t.Errorf("%+v, %v", v, err)
	}
	// Events written to the new store reach the adapter.
	if _, err := store.Append(t.Context(), "account-a1", eventstore.StreamExists(), eventstore.NewEvent{ID: "new", Type: "closed", Data: []byte(`{"new":true}`)}); err != nil {
		t.Fatal(err)
	}
	for c, err := range store.Feed().Read(t.Context(), eventstore.Position{}) {
		if err == nil {
			err = bridge.Handle(t.Context(), c)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	answer = a.store(t, "b-", nil)
	if len(answer.Events) != count+1 || answer.Sequences["account::a1"] != int64(len(want["account::a1"])+1) {
		t.Errorf("%d events, the stream is at %d", len(answer.Events), answer.Sequences["account::a1"])
	}
}

func identifier(e entry) string {
	if e.Identifier == nil {
		return ""
	}
	return *e.Identifier
}

// key is the adapter's name of an event's stream.
func key(e entry) string { return e.Domain + "::" + identifier(e) }
