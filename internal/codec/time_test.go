// SPDX-License-Identifier: Apache-2.0

package codec_test

import (
	"bytes"
	"reflect"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/dynamotable/ddb/internal/codec"
)

// The stored texts of times are in the order of the times, whatever their fractions and zones.
func TestTimesSort(t *testing.T) {
	c := value[time.Time](t, "")
	rapid.Check(t, func(t *rapid.T) {
		draw := func() time.Time {
			at := time.Unix(rapid.Int64Range(-62167219200, 253402300799).Draw(t, "sec"), rapid.SampledFrom([]int64{0, 1, 500_000_000, 999_999_999}).Draw(t, "nsec"))
			return at.In(time.FixedZone("", rapid.IntRange(-14*3600, 14*3600).Draw(t, "zone")))
		}
		a := draw()
		b := a.Add(time.Duration(rapid.SampledFrom([]int64{0, 1, -1, 1e9, 5e8}).Draw(t, "apart"))).In(draw().Location())
		x, err1 := codec.AppendValue(nil, c, &a)
		y, err2 := codec.AppendValue(nil, c, &b)
		if err1 != nil || err2 != nil {
			return // a year beyond 9999
		}
		if got, want := bytes.Compare(x, y), a.Compare(b); got != want || len(x) != len(y) {
			t.Fatalf("%s and %s compare as %d, want %d", x, y, got, want)
		}
		var back time.Time
		if err := codec.DecodeValue(c, x, &back); err != nil || !back.Equal(a) {
			t.Fatalf("%s was read as %s: %v", x, back, err)
		}
	})
}

// The form of the SDK is used where the tag or the type says so, in everything below it, and nowhere else.
func TestTimesInTheFormOfTheSDK(t *testing.T) {
	type line struct{ At time.Time }
	type order struct {
		At    time.Time            `dynamodbav:"at,sdktime"`
		Line  line                 `dynamodbav:"line,sdktime"`
		Lines []*line              `dynamodbav:"lines,sdktime"`
		Map   map[string]time.Time `dynamodbav:"map,sdktime"`
		Any   any                  `dynamodbav:"any,sdktime"`
		TTL   time.Time            `dynamodbav:"ttl,unixtime"`
		Other line                 `dynamodbav:"other"`
	}
	at := time.Date(2026, 11, 21, 8, 30, 0, 500_000_000, time.FixedZone("", 7200))
	v := order{at, line{at}, []*line{{at}}, map[string]time.Time{"k": at}, at, at, line{at}}
	const sdk, sorts = `{"S":"2026-11-21T08:30:00.5+02:00"}`, `{"S":"2026-11-21T06:30:00.500000000Z"}`
	form := func(other string) string {
		return strings.NewReplacer("T", sdk, "O", other, "U", `{"N":"1795242600"}`).Replace(
			`{"at":T,"line":{"M":{"at":T}},"lines":{"L":[{"M":{"at":T}}]},"map":{"M":{"k":T}},"any":T,"ttl":U,"other":{"M":{"at":O}}}`)
	}
	lower := func(s string) string { return strings.ReplaceAll(s, `"At"`, `"at"`) }
	if got := lower(string(encode(t, nil, &v))); got != form(sorts) {
		t.Errorf("got  %s\nwant %s", got, form(sorts))
	}

	type whole order
	if !codec.KeepSDKTimes(reflect.TypeFor[whole](), true) || codec.KeepSDKTimes(reflect.TypeFor[whole](), false) {
		t.Error("the type accepts another form than its first")
	}
	w := whole(v)
	if got := lower(string(encode(t, nil, &w))); got != form(sdk) {
		t.Errorf("got  %s\nwant %s", got, form(sdk))
	}
	if codec.KeepSDKTimes(reflect.TypeFor[order](), true) || !codec.KeepSDKTimes(reflect.TypeFor[order](), false) {
		t.Error("a type in use accepts another form")
	}
	if got := lower(string(encode(t, nil, &v))); got != form(sorts) {
		t.Errorf("got  %s\nwant %s", got, form(sorts))
	}
}

func TestInvalidTagsOfTimes(t *testing.T) {
	type bad struct {
		Text string    `dynamodbav:"text,sdktime"`
		Both time.Time `dynamodbav:"both,sdktime,unixtime"`
	}
	_, err := codec.PlanOf(reflect.TypeFor[bad]())
	for _, want := range []string{"tag option sdktime needs a time.Time", "tag options unixtime and sdktime contradict each other"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
}

// A time is parsed as by UnmarshalText of package time or, if that fails, by its Parse, which accepts more: with the same result and
// location, and with an error for the same texts.
func TestTimesAreReadAsByPackageTime(t *testing.T) {
	c := value[time.Time](t, "")
	check := func(t rapid.TB, text string) {
		var got, want time.Time
		err := codec.DecodeValue(c, []byte(`{"S":"`+text+`"}`), &got)
		wantErr := want.UnmarshalText([]byte(text))
		if wantErr != nil {
			want, wantErr = time.Parse(time.RFC3339, text)
		}
		if (err == nil) != (wantErr == nil) || err == nil && (!got.Equal(want) || got.Location().String() != want.Location().String() || got.String() != want.String()) {
			t.Fatalf("%s: %v, %v, package time has %v, %v", text, got, err, want, wantErr)
		}
	}
	for _, text := range []string{
		"0000-01-01T00:00:00Z", "0000-02-29T00:00:00Z", "0000-12-31T23:59:59Z", "9999-12-31T23:59:59.999999999Z", "1900-02-29T00:00:00Z", "2000-02-29T00:00:00Z", "2023-02-29T00:00:00Z",
		"2026-11-21T08:30:00", "2026-11-21T08:30:00+00:00", "2026-11-21T08:30:00-00:00", "2026-11-21T08:30:00+0200", "2026-11-21T08:30:00+24:00", "2026-11-21T08:30:00+23:60", "2026-11-21t08:30:00z",
		"2026-11-21T24:00:00Z", "2026-11-21T08:60:00Z", "2026-11-21T08:30:60Z", "2026-11-31T08:30:00Z", "2026-00-21T08:30:00Z", "2026-11-00T08:30:00Z", "2026-11-21T08:30:00.Z", "2026-11-21T08:30:00,5Z",
		"2026-11-21T08:30:00.1234567890Z", "2026-11-21T08:30:00.5+05:45", "2026-11-21T08:30:00*02:00", "+026-11-21T08:30:00Z", "2026-11-21T08:30:00Z ", "2026:11:21T08:30:00Z", "",
	} {
		check(t, text)
	}
	rapid.Check(t, func(t *rapid.T) {
		at := time.Unix(rapid.Int64Range(-62167219200, 253402300799).Draw(t, "sec"), rapid.Int64Range(0, 999_999_999).Draw(t, "nsec"))
		if rapid.Bool().Draw(t, "zone") {
			at = at.In(time.FixedZone("", rapid.IntRange(-23*60, 23*60).Draw(t, "minutes")*60))
		} else {
			at = at.UTC()
		}
		text := []byte(at.Format(rapid.SampledFrom([]string{time.RFC3339Nano, time.RFC3339, codec.Sortable}).Draw(t, "form")))
		if rapid.Bool().Draw(t, "broken") {
			text[rapid.IntRange(0, len(text)-1).Draw(t, "place")] = rapid.SampledFrom([]byte("0139:-+TZ.,/;")).Draw(t, "byte")
		}
		check(t, string(text))
	})
}
