// SPDX-License-Identifier: Apache-2.0

package page_test

import (
	"errors"
	"strconv"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/dynamotable/ddb/cmd/ddblocal/internal/page"
)

func TestClock(t *testing.T) {
	s := newSite(t, page.Options{})
	s.things()
	_, err := s.client.UpdateTimeToLive(t.Context(), &dynamodb.UpdateTimeToLiveInput{TableName: aws.String("things"), TimeToLiveSpecification: &types.TimeToLiveSpecification{AttributeName: aws.String("until"), Enabled: aws.Bool(true)}})
	if err != nil {
		t.Fatal(err)
	}
	start := s.engine.Clock().Now()
	s.put("things", attrs{"id": str("a"), "until": num(unix(start.Add(90 * time.Minute)))})
	body := s.get(page.Path+"clock", 200)
	body = s.follow(s.form(body, "Advance by 1 hour"))
	s.says(body, "The clock is advanced.", "1 h ahead of this machine")
	if s.stored(aKey) == "" {
		t.Error("the item was deleted too early")
	}
	f := s.form(body, "Advance")
	f.fields.Set("amount", "31")
	f.fields.Set("unit", "m")
	s.says(s.follow(f), "1 h 31 min ahead")
	if got := s.stored(aKey); got != "" {
		t.Errorf("time to live has not deleted %s", got)
	}
	at := s.engine.Clock().Now()
	for _, wrong := range [][2]string{{"", "h"}, {"-1", "h"}, {"0", "d"}, {"1.5", "d"}, {"1", ""}, {"1", "y"}, {"99999999999999999999", "s"}, {"9223372036854775807", "d"}, {"18250", "d"}} {
		f.fields.Set("amount", wrong[0])
		f.fields.Set("unit", wrong[1])
		s.says(s.posts(f, 400), "is no number of seconds, minutes, hours or days")
	}
	if moved := s.engine.Clock().Now().Sub(at); moved > time.Hour {
		t.Errorf("a refused form advanced the clock by %v", moved)
	}
}

func unix(at time.Time) string { return strconv.FormatInt(at.Unix(), 10) }

func TestFaults(t *testing.T) {
	s := newSite(t, page.Options{})
	s.things()
	client := s.engine.Client(func(o *dynamodb.Options) { o.Retryer = aws.NopRetryer{} })
	put := func() error {
		_, err := client.PutItem(t.Context(), &dynamodb.PutItemInput{TableName: aws.String("things"), Item: attrs{"id": str("a")}})
		return err
	}
	on := func(fields ...string) string {
		t.Helper()
		f := s.form(s.get(page.Path+"faults", 200), "Switch on")
		for i := 0; i < len(fields); i += 2 {
			f.fields.Set(fields[i], fields[i+1])
		}
		return s.follow(f)
	}
	s.says(s.get(page.Path+"faults", 200), "None is on.")
	s.says(on("kind", "limit", "operation", "PutItem", "table", "things", "first", "2"), "The fault is on.", "Faults 1 on", "PutItem of things throttled: the account's limit all of the first 2 0")
	var limited *types.RequestLimitExceeded
	s.create(simpleTable())
	if _, err := client.PutItem(t.Context(), &dynamodb.PutItemInput{TableName: aws.String("sessions"), Item: attrs{"customer": num("1")}}); err != nil {
		t.Errorf("another table: %v", err)
	}
	for i, want := range []bool{true, true, false} {
		if err := put(); errors.As(err, &limited) != want || (err != nil) != want {
			t.Errorf("put %d: %v", i, err)
		}
	}
	s.says(s.get(page.Path+"faults", 200), "all of the first 2 3")
	s.says(on("kind", "internal", "percent", "100"), "Faults 2 on", "every request internal error, not executed")
	var internal *types.InternalServerError
	if _, err := client.ListTables(t.Context(), nil); !errors.As(err, &internal) {
		t.Errorf("ListTables: %v", err)
	}
	s.says(s.get(page.Path, 200), "things id (S)") // faults do not affect the page itself
	s.says(s.follow(s.form(s.get(page.Path+"faults", 200), "Switch off 2")), "It is switched off.", "Faults 1 on")
	if _, err := client.ListTables(t.Context(), nil); err != nil {
		t.Errorf("ListTables: %v", err)
	}
	on("kind", "deny")
	s.says(s.follow(s.form(s.get(page.Path+"faults", 200), "Switch off all")), "None is on.")
	if err := put(); err != nil {
		t.Error(err)
	}
	f := s.form(s.get(page.Path+"faults", 200), "Switch on")
	f.fields["kind"], f.fields["operation"], f.fields["percent"], f.fields["first"] = []string{"x"}, []string{"y"}, []string{"101"}, []string{"-1"}
	s.says(s.posts(f, 400), `"x" is no fault`, `"y" is no operation`, `share: "101" is no number from 1 to 100`, `requests: "-1" is no number`)
	f.fields["kind"], f.fields["operation"], f.fields["percent"], f.fields["first"] = []string{"delay"}, nil, nil, nil
	s.says(s.posts(f, 400), "the fault needs a number of milliseconds")
	if err := put(); err != nil {
		t.Errorf("a refused form switched a fault on: %v", err)
	}
}

// TestEveryFault: each fault of the form has an effect on a request.
func TestEveryFault(t *testing.T) {
	s := newSite(t, page.Options{})
	s.things()
	body := s.get(page.Path+"faults", 200)
	kinds := optionsOf(body, "kind")
	if len(kinds) < 12 {
		t.Fatalf("kinds %q", kinds)
	}
	client := s.engine.Client(func(o *dynamodb.Options) { o.Retryer = aws.NopRetryer{} })
	for _, kind := range kinds {
		f := s.form(s.get(page.Path+"faults", 200), "Switch on")
		f.fields.Set("kind", kind)
		f.fields.Set("number", "1")
		s.follow(f)
		var err error
		left := 0
		if kind == "unprocessed" {
			out, e := client.BatchWriteItem(t.Context(), &dynamodb.BatchWriteItemInput{RequestItems: map[string][]types.WriteRequest{"things": {
				{PutRequest: &types.PutRequest{Item: attrs{"id": str("a")}}}, {PutRequest: &types.PutRequest{Item: attrs{"id": str("b")}}},
			}}})
			err, left = e, len(out.UnprocessedItems)
		} else {
			_, err = client.PutItem(t.Context(), &dynamodb.PutItemInput{TableName: aws.String("things"), Item: attrs{"id": str("a")}})
		}
		// The SDK does not report a wrong checksum of a reply that it can read.
		if works := kind == "delay" || kind == "checksum" || kind == "duplicate" || kind == "unprocessed"; (err == nil) != works || kind == "unprocessed" && left != 1 {
			t.Errorf("%s: %v, %d left", kind, err, left)
		}
		body := s.get(page.Path+"faults", 200)
		s.says(body, "all 1 Switch off")
		s.follow(s.form(body, "Switch off "+offID(body)))
	}
}
