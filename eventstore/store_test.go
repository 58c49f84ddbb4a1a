// SPDX-License-Identifier: Apache-2.0

package eventstore_test

import (
	"errors"
	"fmt"
	"testing"

	"go.uber.org/goleak"

	"github.com/dynamotable/ddb"
	"github.com/dynamotable/ddb/ddbtest"
	"github.com/dynamotable/ddb/eventstore"
	"github.com/dynamotable/ddb/internal/longtest"
	"github.com/dynamotable/ddb/schema"
)

func TestMain(m *testing.M) {
	longtest.CollectLess()
	goleak.VerifyTestMain(m,
		goleak.IgnoreAnyFunction("net/http.(*persistConn).readLoop"),
		goleak.IgnoreAnyFunction("net/http.(*persistConn).writeLoop"))
}

// newStore creates a store in a fresh table.
func newStore(t testing.TB, opts ...eventstore.Option) *eventstore.Store {
	t.Helper()
	return openStore(t, ddbtest.NewFromEnv(t), ddbtest.TableName(t), opts...)
}

func openStore(t testing.TB, client ddb.Client, table string, opts ...eventstore.Option) *eventstore.Store {
	t.Helper()
	s, err := eventstore.New(client, table, opts...)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.EnsureTable(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.DeleteTable(t.Context(), schema.AllowDelete(s.Name())) })
	return s
}

func event(data string) eventstore.NewEvent {
	return eventstore.NewEvent{Type: "happened", Data: []byte(data)}
}

// texts reads a stream and returns it as "1:data 2:data".
func texts(t testing.TB, s *eventstore.Store, stream string, opts ...eventstore.ReadOption) string {
	t.Helper()
	text := ""
	for e, err := range s.Read(t.Context(), stream, opts...) {
		if err != nil {
			t.Fatalf("read: %v", err)
		}
		text += fmt.Sprintf("%d:%s ", e.Version, e.Data)
	}
	return text
}

func TestAppendAndRead(t *testing.T) {
	for name, opts := range map[string][]eventstore.Option{
		"plain": nil, "sequenced": {eventstore.Sequenced(4)}, "frames": {eventstore.Frames(64 << 10)},
	} {
		t.Run(name, func(t *testing.T) {
			ctx := t.Context()
			s := newStore(t, opts...)
			if _, err := s.Append(ctx, "a", eventstore.NoStream(), event("one"), event("two")); err != nil {
				t.Fatal(err)
			}
			done, err := s.Append(ctx, "a", eventstore.Exactly(2), event("three"))
			if err != nil || done.First != 3 || done.Last != 3 {
				t.Fatalf("append = %+v, %v", done, err)
			}
			_, err = s.Append(ctx, "a", eventstore.Exactly(2), event("three"))
			if wrong, ok := errors.AsType[*eventstore.WrongExpectedVersion](err); !ok || wrong.Actual != 3 || wrong.Blocking == nil || string(wrong.Blocking.Data) != "three" {
				t.Fatalf("append at an old version: %v", err)
			}
			done, err = s.Append(ctx, "a", eventstore.Any(), event("four"), event("five"), event("six"))
			if err != nil || done.First != 4 || done.Last != 6 {
				t.Fatalf("append = %+v, %v", done, err)
			}
			for _, c := range []struct {
				opts []eventstore.ReadOption
				want string
			}{
				{nil, "1:one 2:two 3:three 4:four 5:five 6:six "},
				{[]eventstore.ReadOption{eventstore.From(5)}, "5:five 6:six "},
				{[]eventstore.ReadOption{eventstore.From(2), eventstore.UpTo(5)}, "2:two 3:three 4:four 5:five "},
				{[]eventstore.ReadOption{eventstore.Backward(), eventstore.From(2), eventstore.UpTo(5)}, "5:five 4:four 3:three 2:two "},
				{[]eventstore.ReadOption{eventstore.Backward(), eventstore.Limit(2)}, "6:six 5:five "},
				{[]eventstore.ReadOption{eventstore.Limit(2)}, "1:one 2:two "},
				{[]eventstore.ReadOption{eventstore.From(3), eventstore.Limit(2), eventstore.PageSize(1)}, "3:three 4:four "},
				{[]eventstore.ReadOption{eventstore.From(7)}, ""},
				{[]eventstore.ReadOption{eventstore.EventuallyConsistent()}, "1:one 2:two 3:three 4:four 5:five 6:six "},
			} {
				if got := texts(t, s, "a", c.opts...); got != c.want {
					t.Errorf("read %d options: %q, want %q", len(c.opts), got, c.want)
				}
			}
			if got := texts(t, s, "none"); got != "" {
				t.Errorf("a missing stream: %q", got)
			}
		})
	}
}
