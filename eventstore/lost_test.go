// SPDX-License-Identifier: Apache-2.0

package eventstore_test

import (
	"errors"
	"testing"
	"testing/synctest"

	"github.com/dynamotable/ddb/ddbtest"
	"github.com/dynamotable/ddb/ddbtest/fault"
	"github.com/dynamotable/ddb/eventstore"
)

// counted is a projection that reveals events applied twice.
type counted struct {
	Events int `dynamodbav:"events"`
}

// TestLostReplies: idempotent calls return the correct result, whichever of their replies are lost.
func TestLostReplies(t *testing.T) {
	if onEndpoint() {
		t.Skip("only on the embedded engine: faults")
	}
	t.Parallel()
	for name, rule := range map[string]func(m fault.Matcher) fault.Rule{
		"lost reply": fault.Matcher.DropReply, "500": func(m fault.Matcher) fault.Rule { return m.Applied().InternalError() },
		"cut": fault.Matcher.TruncateBody, "doubled": fault.Matcher.Duplicate,
	} {
		for verb, call := range map[string]func(t testing.TB, s *eventstore.Store, v *eventstore.Views[counted]) (string, string, error){
			"Append": func(t testing.TB, s *eventstore.Store, _ *eventstore.Views[counted]) (string, string, error) {
				_, err := s.Append(t.Context(), "s", eventstore.Exactly(3), event("d"))
				return texts(t, s, "s"), "1:a 2:b 3:c 4:d ", err
			},
			"Delete": func(t testing.TB, s *eventstore.Store, _ *eventstore.Views[counted]) (string, string, error) {
				if err := s.Delete(t.Context(), "s", eventstore.Exactly(3)); err != nil {
					return "", "", err
				}
				_, err := s.Append(t.Context(), "s", eventstore.Any(), event("d"))
				return map[bool]string{true: "deleted"}[errors.Is(err, eventstore.ErrStreamDeleted)], "deleted", nil
			},
			"Truncate": func(t testing.TB, s *eventstore.Store, _ *eventstore.Views[counted]) (string, string, error) {
				err := s.Truncate(t.Context(), "s", 3)
				return texts(t, s, "s"), "3:c ", err
			},
			"Scrub": func(t testing.TB, s *eventstore.Store, _ *eventstore.Views[counted]) (string, string, error) {
				err := s.Scrub(t.Context(), "s", 2)
				return texts(t, s, "s"), "1:a 2: 3:c ", err
			},
			"Views.Apply": func(t testing.TB, _ *eventstore.Store, v *eventstore.Views[counted]) (string, string, error) {
				var err error
				for n := range int64(3) {
					err = errors.Join(err, v.Apply(t.Context(), "v", "s", n+1, func(c *counted) error { c.Events++; return nil }))
				}
				is, err2 := v.Load(t.Context(), "v")
				return string(rune('0' + is.Value.Events)), "3", errors.Join(err, err2)
			},
		} {
			for variant, opts := range map[string][]eventstore.Option{"items": nil, "frames": {eventstore.Frames(1 << 10)}} {
				for n := 1; n <= 2; n++ {
					synctest.Test(t, func(t *testing.T) {
						armed := false
						client := ddbtest.New(t, ddbtest.WithFaults(rule(fault.On("PutItem", "UpdateItem", "TransactWriteItems").Where(func(fault.Request) bool { return armed }).Nth(n))))
						s, err := eventstore.New(client, "events", opts...)
						v, err2 := eventstore.NewViews[counted](client, "views")
						if err := errors.Join(err, err2, s.EnsureTable(t.Context()), v.Table().EnsureTable(t.Context())); err != nil {
							t.Fatal(err)
						}
						for i, e := range []eventstore.NewEvent{event("a"), event("b"), event("c")} {
							if variant == "frames" && i > 0 {
								break
							}
							args := []eventstore.AppendArg{e}
							if variant == "frames" {
								args = append(args, event("b"), event("c"))
							}
							if _, err := s.Append(t.Context(), "s", eventstore.Exactly(int64(i)), args...); err != nil {
								t.Fatal(err)
							}
						}
						armed = true
						if got, want, err := call(t, s, v); err != nil || got != want {
							t.Errorf("%s of %s, %s %d: %q, want %q, %v", verb, variant, name, n, got, want, err)
						}
					})
				}
			}
		}
	}
}
