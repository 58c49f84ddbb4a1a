// SPDX-License-Identifier: Apache-2.0

package keyformat_test

import (
	"bytes"
	"cmp"
	"errors"
	"math"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/dynamotable/ddb/keyformat"
)

type region string

// shelf is a type with its own text, which is parsed without regard to case.
type shelf struct{ row byte }

var errShelf = errors.New("secret shelf")

func (s shelf) MarshalText() ([]byte, error) {
	if s.row == '!' {
		return nil, errShelf
	}
	return []byte{s.row}, nil
}

func (s *shelf) UnmarshalText(b []byte) error {
	if len(b) != 1 {
		return errors.New("secret text " + string(b))
	}
	s.row = bytes.ToUpper(b)[0]
	return nil
}

type everyKey struct {
	Text   string
	Region region
	Int    int
	Small  int8
	Big    uint64
	Padded uint32 `ddbkey:"pad=4"`
	Open   bool
	At     time.Time
	Day    time.Time `ddbkey:"unit=day"`
	Shelf  shelf
	Last   string
}

var everyKeys = keyformat.New[everyKey]("EVERY")

func compareKeys(a, b everyKey) int {
	open := map[bool]int{true: 1}
	return cmp.Or(strings.Compare(a.Text, b.Text), cmp.Compare(a.Region, b.Region), cmp.Compare(a.Int, b.Int),
		cmp.Compare(a.Small, b.Small), cmp.Compare(a.Big, b.Big), cmp.Compare(a.Padded, b.Padded),
		cmp.Compare(open[a.Open], open[b.Open]), a.At.Compare(b.At), a.Day.Compare(b.Day),
		cmp.Compare(a.Shelf.row, b.Shelf.row), strings.Compare(a.Last, b.Last))
}

// drawKey draws keys that often share fields and contain characters that the format must escape.
func drawKey(t *rapid.T, label string) everyKey {
	text := rapid.OneOf(rapid.StringOf(rapid.SampledFrom([]rune("a \x00!\"#$%@é"))), rapid.String())
	seconds := rapid.Int64Range(-62167219200, 253402300799) // the years 0 to 9999
	return everyKey{
		Text:   text.Draw(t, label+" text"),
		Region: region(text.Draw(t, label+" region")),
		Int:    rapid.OneOf(rapid.IntRange(0, 12), rapid.IntRange(0, math.MaxInt)).Draw(t, label+" int"),
		Small:  rapid.Int8Range(0, 127).Draw(t, label+" small"),
		Big:    rapid.Uint64().Draw(t, label+" big"),
		Padded: rapid.Uint32Range(0, 9999).Draw(t, label+" padded"),
		Open:   rapid.Bool().Draw(t, label+" open"),
		At:     time.Unix(seconds.Draw(t, label+" at"), rapid.Int64Range(0, 999_999_999).Draw(t, label+" nanos")).UTC(),
		Day:    time.Unix(seconds.Draw(t, label+" day"), 0).UTC().Truncate(24 * time.Hour),
		Shelf:  shelf{rapid.ByteRange('A', 'Z').Draw(t, label+" shelf")},
		Last:   text.Draw(t, label+" last"),
	}
}

func TestKeyFormatRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		k := drawKey(t, "key")
		text, err := everyKeys.Format(k)
		if err != nil {
			t.Fatal(err)
		}
		var got everyKey
		if err := everyKeys.Parse(text, &got); err != nil {
			t.Fatalf("Parse(%q): %v", text, err)
		}
		if got != k {
			t.Fatalf("Parse(Format(k)) = %+v, want %+v", got, k)
		}
	})
}

func TestKeyFormatSortsAsKeysDo(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b := drawKey(t, "a"), drawKey(t, "b")
		// With equal leading fields, the later ones decide.
		same := rapid.IntRange(0, 3).Draw(t, "same")
		if same > 0 {
			b.Text = a.Text
		}
		if same > 1 {
			b.Region, b.Int, b.Small, b.Big, b.Padded = a.Region, a.Int, a.Small, a.Big, a.Padded
		}
		if same > 2 {
			b.Open, b.At, b.Day, b.Shelf = a.Open, a.At, a.Day, a.Shelf
		}
		textA, err1 := everyKeys.Format(a)
		textB, err2 := everyKeys.Format(b)
		if err := errors.Join(err1, err2); err != nil {
			t.Fatal(err)
		}
		if got, want := bytes.Compare(textA, textB), compareKeys(a, b); got != want {
			t.Fatalf("texts compare as %d, keys as %d:\n%q\n%q", got, want, textA, textB)
		}
	})
}

func TestKeyFormatPrefixMatchesKeysWithTheSameFields(t *testing.T) {
	type pair struct{ A, B string }
	pairs := keyformat.New[pair]("")
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.StringOf(rapid.SampledFrom([]rune("1#$")))
		k := pair{text.Draw(t, "a"), text.Draw(t, "b")}
		other := text.Draw(t, "other")
		full, err1 := pairs.Format(k)
		prefix, err2 := pairs.Prefix(pair{A: other}, 1)
		if err := errors.Join(err1, err2); err != nil {
			t.Fatal(err)
		}
		if got := strings.HasPrefix(string(full), prefix); got != (k.A == other) {
			t.Fatalf("%q has prefix %q: %v", full, prefix, got)
		}
	})
}

func TestKeyFormatTexts(t *testing.T) {
	type order struct {
		Year int `ddbkey:"pad=4"`
		Seq  uint32
	}
	orders := keyformat.New[order]("ORDER")
	text, err := orders.Format(order{2026, 7})
	if err != nil || string(text) != "ORDER#2026#0000000007" {
		t.Errorf("Format = %q, %v", text, err)
	}
	for n, want := range []string{"ORDER#", "ORDER#2026#"} {
		if got, err := orders.Prefix(order{Year: 2026}, n); err != nil || got != want {
			t.Errorf("Prefix(%d) = %q, %v, want %q", n, got, err, want)
		}
	}
	for _, n := range []int{-1, 2, 3} {
		if got, err := orders.Prefix(order{}, n); err == nil {
			t.Errorf("Prefix(%d) = %q, want an error", n, got)
		}
	}
	type stamped struct {
		Hour time.Time `ddbkey:"unit=hour"`
		At   time.Time
		Name string
	}
	at := time.Date(2026, 3, 4, 5, 6, 7, 8, time.FixedZone("", 3600))
	text, err = keyformat.New[stamped]("").Format(stamped{at.Truncate(time.Hour), at, "a b#c$"})
	if want := "2026-03-04T04Z#2026-03-04T04:06:07.000000008Z#a$`b$cc$d"; err != nil || string(text) != want {
		t.Errorf("Format = %q, %v, want %q", text, err, want)
	}
}

func TestKeyFormatRefusesKeys(t *testing.T) {
	day := time.Date(2026, 1, 2, 0, 0, 0, 0, time.UTC)
	good := everyKey{Day: day, Shelf: shelf{'A'}}
	for name, tt := range map[string]struct {
		change func(*everyKey)
		want   string
	}{
		"negative":        {func(k *everyKey) { k.Int = -1 }, "Int"},
		"wider than pad":  {func(k *everyKey) { k.Padded = 10000 }, "Padded"},
		"part of a day":   {func(k *everyKey) { k.Day = day.Add(time.Second) }, "Day"},
		"year 10000":      {func(k *everyKey) { k.At = time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC) }, "At"},
		"before year 0":   {func(k *everyKey) { k.At = time.Date(-1, 1, 1, 0, 0, 0, 0, time.UTC) }, "At"},
		"no UTF-8":        {func(k *everyKey) { k.Text = "secret\xff" }, "Text"},
		"failing marshal": {func(k *everyKey) { k.Shelf.row = '!' }, "Shelf"},
	} {
		k := good
		tt.change(&k)
		text, err := everyKeys.Format(k)
		if err == nil || !strings.Contains(err.Error(), tt.want) || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: Format = %q, %v", name, text, err)
		}
	}
	k := good
	k.Shelf.row = '!'
	if _, err := everyKeys.Format(k); !errors.Is(err, errShelf) {
		t.Errorf("the cause is lost: %v", err)
	}
	if _, err := everyKeys.Format(good); err != nil {
		t.Errorf("the good key: %v", err)
	}
}

func TestKeyFormatParseRefusesWhatFormatNeverGives(t *testing.T) {
	type key struct {
		Name  string
		Seq   uint8
		Open  bool
		Day   time.Time `ddbkey:"unit=day"`
		Shelf shelf
	}
	keys := keyformat.New[key]("K")
	const good = "K#ab#007#true#2026-01-02#A"
	var k key
	if err := keys.Parse([]byte(good), &k); err != nil {
		t.Fatalf("Parse(%q): %v", good, err)
	}
	before := k
	for _, text := range []string{
		"", "K", "K#", "L#ab#007#true#2026-01-02#A", "K#ab#007#true#2026-01-02", "K#ab#007#true#2026-01-02#A#",
		"K#a b#007#true#2026-01-02#A", "K#ab$#007#true#2026-01-02#A", "K#ab$z#007#true#2026-01-02#A", "K#a\xff#007#true#2026-01-02#A",
		"K#ab#7#true#2026-01-02#A", "K#ab#0007#true#2026-01-02#A", "K#ab#256#true#2026-01-02#A", "K#ab#+07#true#2026-01-02#A", "K#ab#-07#true#2026-01-02#A",
		"K#ab#007#TRUE#2026-01-02#A", "K#ab#007#1#2026-01-02#A", "K#ab#007#true#2026-02-30#A", "K#ab#007#true#2026-1-2#A",
		"K#ab#007#true#2026-01-02#a", "K#ab#007#true#2026-01-02#AA", "K#ab#007#true#2026-01-02#",
	} {
		err := keys.Parse([]byte(text), &k)
		if err == nil {
			t.Errorf("Parse(%q) gave %+v", text, k)
		} else if strings.Contains(err.Error(), "secret") {
			t.Errorf("Parse(%q) shows the text: %v", text, err)
		}
		if k != before {
			t.Fatalf("Parse(%q) failed and changed the key to %+v", text, k)
		}
	}
}

func TestKeyFormatDefinitionErrors(t *testing.T) {
	type bad struct {
		Price   float64
		Nested  struct{ A int }
		Pointer *string
		Wide    uint8     `ddbkey:"pad=4"`
		Zero    uint8     `ddbkey:"pad=0"`
		Odd     uint8     `ddbkey:"unit=day"`
		Week    time.Time `ddbkey:"unit=week"`
		No      time.Time `ddbkey:"unit="`
		Text    string    `ddbkey:"pad=3"`
		hidden  string
	}
	f := keyformat.New[bad]("B\xff")
	_ = bad{}.hidden
	_, formatErr := f.Format(bad{})
	_, prefixErr := f.Prefix(bad{}, 1)
	for _, err := range []error{f.Err(), formatErr, prefixErr, f.Parse([]byte("B#"), new(bad))} {
		if err == nil {
			t.Fatal("a bad definition gave no error")
		}
		for _, want := range []string{"prefix", "Price", "Nested", "Pointer", "Wide", "Zero", "Odd", "Week", "No", "Text", "hidden"} {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("the error does not name %s: %v", want, err)
			}
		}
	}
	if keyformat.New[string]("").Err() == nil || keyformat.New[struct{}]("").Err() == nil || keyformat.New[*everyKey]("").Err() == nil {
		t.Error("a type that is not a struct with fields was accepted")
	}
	if err := everyKeys.Err(); err != nil {
		t.Errorf("a good definition: %v", err)
	}
}

func FuzzKeyFormatParse(f *testing.F) {
	text, err := everyKeys.Format(everyKey{Text: "a #", Day: time.Date(2026, 1, 2, 0, 0, 0, 0, time.UTC), Shelf: shelf{'A'}})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(text)
	f.Add([]byte("EVERY##########"))
	f.Add([]byte("EVERY#$"))
	f.Fuzz(func(t *testing.T, text []byte) {
		var k everyKey
		if everyKeys.Parse(text, &k) != nil {
			return
		}
		again, err := everyKeys.Format(k)
		if err != nil || !bytes.Equal(again, text) {
			t.Fatalf("Format(Parse(%q)) = %q, %v", text, again, err)
		}
	})
}
