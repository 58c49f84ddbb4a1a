// SPDX-License-Identifier: Apache-2.0

package codec

import (
	"reflect"
	"strconv"
	"time"

	"github.com/dynamotable/ddb/internal/gotype"
)

var timeType = reflect.TypeFor[time.Time]()

// isTime reports whether a type is time.Time or is made from it.
func isTime(t reflect.Type) bool {
	return t == timeType || t.Kind() == reflect.Struct && t.ConvertibleTo(timeType)
}

// Sortable is a format of times whose order as strings is the order of the times: in UTC, and with a fixed length.
const Sortable = "2006-01-02T15:04:05.000000000Z"

// timeCodec stores a time as [Sortable] text. With the option sdktime, or text, it is the text that MarshalText and the SDK
// return, with its offset and without trailing zeros in its fraction; that text does not sort. With the option unixtime it is a
// number of whole seconds since 1970. All forms can be read.
func timeCodec(v *Value) {
	v.kind, v.put = S, v.putSortable
	switch {
	case v.opts.unixTime:
		v.kind = N
		v.put = func(b []byte, r ref) ([]byte, error) { return strconv.AppendInt(b, as[time.Time](r).Unix(), 10), nil }
	case v.opts.sdkTime || v.opts.text:
		v.put = v.putTime
	}
	v.enc = v.wrapped
	v.dec = func(d *Decoder, k Kind, r ref) error {
		if k != S && k != N {
			return v.mismatch(k)
		}
		s, err := d.text()
		if err != nil {
			return err
		}
		return v.text(d, k, s, r)
	}
	v.text = func(d *Decoder, k Kind, s []byte, r ref) (err error) {
		t := as[time.Time](r)
		if k == N {
			sec, problem := parseInt(s)
			if problem != "" {
				return refuse(k, gotype.Reflect(v.typ), problem)
			}
			*t = time.Unix(sec, 0)
			return nil
		}
		var ok bool
		if *t, ok = d.time(s); ok || t.UnmarshalText(s) == nil {
			return nil
		}
		// time.Parse accepts more than RFC 3339, and so may be stored data.
		if *t, err = time.Parse(time.RFC3339, string(s)); err != nil {
			*t = time.Time{}
			return refuse(k, gotype.Reflect(v.typ), "the text is no RFC 3339 time")
		}
		return nil
	}
}

func (v *Value) putSortable(b []byte, r ref) ([]byte, error) {
	t := as[time.Time](r).UTC()
	if year := t.Year(); year < 0 || year > 9999 {
		return b, unfit(gotype.Reflect(v.typ), "RFC 3339 needs a year from 0 to 9999, in UTC")
	}
	return t.AppendFormat(b, Sortable), nil
}

func (v *Value) putTime(b []byte, r ref) ([]byte, error) {
	t := *as[time.Time](r)
	if t.Location() != time.UTC {
		if _, offset := t.Zone(); offset%60 != 0 {
			// Offsets in RFC 3339 have no seconds; the text would mean another instant.
			t = t.UTC()
		}
	}
	b, err := t.AppendText(b)
	if err != nil {
		return b, unfit(gotype.Reflect(v.typ), "RFC 3339 needs a year from 0 to 9999 and an offset below 24 hours")
	}
	return b, nil
}

// time parses the forms in which times are written, 2026-11-21T08:30:00.25Z and 2026-11-21T08:30:00.25+02:00.
func (d *Decoder) time(s []byte) (time.Time, bool) {
	const (
		form = "0000-00-00T00:00:00"
		zone = "+00:00"
	)
	if len(s) <= len(form) || len(s) > len(form)+len(".000000000")+len(zone) {
		return time.Time{}, false
	}
	if s[4] != '-' || s[7] != '-' || s[10] != 'T' || s[13] != ':' || s[16] != ':' {
		return time.Time{}, false
	}
	bad := byte(0) // above 9 if a character is not a digit
	two := func(s []byte, i int) int {
		tens, ones := s[i]-'0', s[i+1]-'0'
		bad = max(bad, tens, ones)
		return int(tens)*10 + int(ones)
	}
	year, month, day := two(s, 0)*100+two(s, 2), two(s, 5), two(s, 8)
	hour, minute, sec := two(s, 11), two(s, 14), two(s, 17)
	rest := s[len(form):]
	nano, digits := 0, 0
	if rest[0] == '.' {
		for rest = rest[1:]; len(rest) > 0 && rest[0]-'0' <= 9; rest = rest[1:] {
			nano = nano*10 + int(rest[0]-'0')
			digits++
		}
		if digits == 0 || digits > 9 {
			return time.Time{}, false
		}
		for range 9 - digits {
			nano *= 10
		}
	}
	offset := 0
	utc := len(rest) == 1 && rest[0] == 'Z'
	if !utc {
		if len(rest) != len(zone) || rest[0] != '+' && rest[0] != '-' || rest[3] != ':' {
			return time.Time{}, false
		}
		h, m := two(rest, 1), two(rest, 4)
		if h > 23 || m > 59 {
			return time.Time{}, false
		}
		if offset = (h*60 + m) * 60; rest[0] == '-' {
			offset = -offset
		}
	}
	if bad > 9 || month < 1 || month > 12 || day < 1 || day > 28 && day > daysOf(year, month) || hour > 23 || minute > 59 || sec > 59 {
		return time.Time{}, false
	}
	t := time.Unix(int64(daysSince1970(year, month, day))*86400+int64(hour*3600+minute*60+sec-offset), int64(nano))
	if utc {
		return t.UTC(), true
	}
	if _, local := t.Zone(); local == offset {
		return t, true // like time.Time.UnmarshalText
	}
	if d.zone == nil || d.offset != offset {
		d.zone, d.offset = time.FixedZone("", offset), offset
	}
	return t.In(d.zone), true
}

// daysSince1970 counts the days to one of the years 0 to 9999. The year begins in March, so that the day that a leap year has
// more is its last: https://howardhinnant.github.io/date_algorithms.html
func daysSince1970(year, month, day int) int {
	if month -= 3; month < 0 {
		month += 12
		year--
	}
	year += 400 // so that no value is negative
	return year*365 + year/4 - year/100 + year/400 + (153*month+2)/5 + day - 1 - 719468 - 146097
}

func daysOf(year, month int) int {
	switch month {
	case 2:
		if year%4 == 0 && (year%100 != 0 || year%400 == 0) {
			return 29
		}
		return 28
	case 4, 6, 9, 11:
		return 30
	}
	return 31
}

// keepsSDKTimes returns the form of the times of a type of items. From then on the form cannot change.
func keepsSDKTimes(t reflect.Type) bool {
	form, _ := compiled.times.LoadOrStore(t, false)
	return form.(bool)
}

// KeepSDKTimes stores the times in a struct type, at all levels, as if each had the tag option sdktime. It applies to the whole
// process and must be called before the first use of the type: it returns false if the type is already in use with the other
// form.
func KeepSDKTimes(t reflect.Type, keep bool) bool {
	form, _ := compiled.times.LoadOrStore(t, keep)
	return form.(bool) == keep
}
